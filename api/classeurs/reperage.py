"""Find our template in a workbook: which version, on which sheet, under which titles."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.classeurs.cellules import cle_titre, montrer, normal, vide
from api.classeurs.classeur import Classeur, Feuille
from api.classeurs.contexte import Contexte, OperationConnue, cle_texte
from api.classeurs.feuilles import lettre
from api.classeurs.gabarit import FEUILLE_A_LIRE, FEUILLE_LISTES, FEUILLE_OI
from api.classeurs.modeles import DOSSIER, MODELES, Colonne, FeuilleModele, Modele
from api.classeurs.refus import (
    AucuneLigne,
    AutreModele,
    AutreOperation,
    ColonnesAbsentes,
    FeuilleMasquee,
    FichierRefuse,
    ModeleInconnu,
    OperationDuClasseurInconnue,
    TitreEnDouble,
    VersionDuModeleInconnue,
)

#: Titles are looked for in the first rows: people write a heading above them.
_LIGNES_DE_TITRES = 20
#: What a refusal repeats of a version.
_VERSION_MAX = 20
#: Columns that we add to a workbook given back: they are not read again.
TITRE_ERREURS, TITRE_AVERTISSEMENTS = "Erreurs", "Avertissements"
_A_NOUS = {cle_titre(TITRE_ERREURS), cle_titre(TITRE_AVERTISSEMENTS)}
FEUILLES_A_NOUS = frozenset(map(cle_titre, (FEUILLE_OI, FEUILLE_LISTES, FEUILLE_A_LIRE)))


@dataclass(frozen=True, slots=True)
class Identite:
    """What the hidden sheet of a workbook says of it; nothing, for a workbook that is not ours."""

    modele: str | None = None
    version: str | None = None
    operation: str | None = None
    dossier: str | None = None


@dataclass(frozen=True, slots=True)
class Tableau:
    """Where the rows of a sheet of the template are. ``colonnes``: each with its rank from 0."""

    feuille: Feuille
    modele: FeuilleModele
    version: int
    ligne_des_titres: int
    colonnes: tuple[tuple[int, Colonne], ...]
    #: Titles that no column of the template bears, with their rank.
    ignorees: tuple[tuple[int, str], ...]


def identite(classeur: Classeur) -> Identite:
    """Read the hidden sheet."""
    feuille = classeur.feuille(FEUILLE_OI)
    if feuille is None:
        return Identite()
    lu = {montrer(x[0]): montrer(x[1]).strip() for x in feuille.lignes if len(x) > 1}
    return Identite(
        modele=lu.get("modele") or None,
        version=lu.get("version", "?"),
        operation=lu.get("operation") or None,
        dossier=lu.get("dossier") or None,
    )


def exiger_identite(dite: Identite, modele: Modele, contexte: Contexte) -> OperationConnue | None:
    """Refuse the workbook of another template, version or operation; return its operation.

    Raises: AutreModele, VersionDuModeleInconnue, AutreOperation, OperationDuClasseurInconnue.
    """
    if dite.modele is not None and dite.modele != modele.nature:
        recu = next((m.titre for m in MODELES.values() if m.nature == dite.modele), dite.modele)
        raise AutreModele(recu=recu, attendu=modele.titre)
    if dite.version is not None and dite.version not in map(str, modele.versions):
        raise VersionDuModeleInconnue(
            version=dite.version[:_VERSION_MAX],
            modele=modele.titre,
            connues=_ou(sorted(modele.versions)),
        )
    attendue = contexte.operation_attendue
    if dite.operation is None:
        return attendue
    if attendue is not None and str(attendue.id) != dite.operation:
        raise AutreOperation(recue=dite.dossier or dite.operation, attendue=attendue.numero)
    connue = next((o for o in contexte.operations if str(o.id) == dite.operation), None)
    if connue is None:
        raise OperationDuClasseurInconnue(recue=dite.dossier or dite.operation)
    return connue


def _ou(versions: Sequence[int]) -> str:
    """Return « 1, 2 ou 3 »."""
    *premieres, derniere = map(str, versions)
    return " ou ".join(filter(None, (", ".join(premieres), derniere)))


def reperer(
    classeur: Classeur, modele: Modele, dite: Identite, *, avec_dossier: bool
) -> tuple[Tableau, ...]:
    """Find the sheets to read, with their columns.

    Raises: AucuneLigne, ModeleInconnu, FeuilleMasquee, ColonnesAbsentes, TitreEnDouble.
    """
    versions = modele.versions if dite.version is None else (int(dite.version),)
    tableaux, vides = [], False
    for feuille_modele in modele.feuilles:
        feuille = _feuille(classeur, feuille_modele, modele, versions)
        if feuille is None or all(vide(v) for ligne in feuille.lignes for v in ligne):
            vides = vides or feuille is not None
            continue
        if feuille.masquee:
            raise FeuilleMasquee(feuille=feuille.nom)
        tableaux.append(
            _tableau(feuille, feuille_modele, modele, versions, avec_dossier=avec_dossier)
        )
    if not tableaux:
        raise AucuneLigne if vides else ModeleInconnu(modele=modele.titre)
    return tuple(tableaux)


def _feuille(
    classeur: Classeur, voulue: FeuilleModele, modele: Modele, versions: tuple[int, ...]
) -> Feuille | None:
    """Return the sheet of this name, else the one that bears the most of its titles."""
    nommee = next((f for f in classeur.feuilles if cle_titre(f.nom) == cle_titre(voulue.nom)), None)
    if nommee is not None:
        return nommee
    noms = {cle_titre(f.nom) for f in modele.feuilles}
    autres = [
        f
        for f in classeur.feuilles
        if not f.masquee and cle_titre(f.nom) not in noms | FEUILLES_A_NOUS
    ]
    return next(
        (f for f in autres if _meilleure_feuille(f, modele, versions) is voulue),
        None,
    )


def _meilleure_feuille(
    feuille: Feuille, modele: Modele, versions: tuple[int, ...]
) -> FeuilleModele | None:
    notes = [(_titres(feuille, m, versions)[2], m) for m in modele.feuilles]
    note, meilleure = max(notes, key=lambda x: x[0])
    return meilleure if note > 1 else None


def _titres(
    feuille: Feuille, modele: FeuilleModele, versions: tuple[int, ...]
) -> tuple[int, int, int]:
    """Return the version and the Excel number of the row that bears the most titles, how many."""
    meilleur = (versions[0], 1, 0)
    haut = [
        {cle_titre(v) for v in ligne if isinstance(v, str) and v}
        for ligne in feuille.lignes[:_LIGNES_DE_TITRES]
    ]
    for version in versions:
        attendus = {cle_titre(c.titre_en(version)) for c in modele.colonnes_en(version)}
        for numero, textes in enumerate(haut, start=1):
            communs = len(attendus & textes)
            if communs > meilleur[2]:
                meilleur = (version, numero, communs)
    return meilleur


def _tableau(
    feuille: Feuille,
    modele_feuille: FeuilleModele,
    modele: Modele,
    versions: tuple[int, ...],
    *,
    avec_dossier: bool,
) -> Tableau:
    version, numero, communs = _titres(feuille, modele_feuille, versions)
    colonnes = modele_feuille.colonnes_en(version)
    if communs < 2:
        raise ModeleInconnu(modele=modele.titre)
    par_titre = {cle_titre(c.titre_en(version)): c for c in colonnes}
    trouvees: dict[str, int] = {}
    ignorees = []
    for rang, valeur in enumerate(feuille.lignes[numero - 1]):
        if vide(valeur):
            continue
        titre = cle_titre(montrer(valeur))
        if titre in trouvees:
            raise TitreEnDouble(
                titre=normal(montrer(valeur)),
                feuille=feuille.nom,
                premiere=lettre(trouvees[titre] + 1),
                seconde=lettre(rang + 1),
            )
        if titre in par_titre:
            trouvees[titre] = rang
        elif titre not in _A_NOUS:
            ignorees.append((rang, normal(montrer(valeur))))
    manquants = [
        f"« {c.titre_en(version)} »"
        for titre, c in par_titre.items()
        if titre not in trouvees and c.obligatoire and (c is not DOSSIER or avec_dossier)
    ]
    if manquants:
        raise ColonnesAbsentes(feuille=feuille.nom, titres=", ".join(manquants), ligne=numero)
    return Tableau(
        feuille=feuille,
        modele=modele_feuille,
        version=version,
        ligne_des_titres=numero,
        colonnes=tuple((rang, par_titre[titre]) for titre, rang in trouvees.items()),
        ignorees=tuple(ignorees),
    )


def numeros_cites(classeur: Classeur, nature: str) -> frozenset[str]:
    """Return the numbers of the operations that a workbook names, to read only those.

    A workbook that cannot be read as this template names none.
    """
    modele = next(m for m in MODELES.values() if m.nature == nature)
    dite = identite(classeur)
    cites = {dite.dossier} if dite.dossier else set()
    if dite.version is not None and dite.version not in map(str, modele.versions):
        return frozenset(cites)
    try:
        tableaux = reperer(classeur, modele, dite, avec_dossier=False)
    except FichierRefuse:
        return frozenset(cites)
    for tableau in tableaux:
        for rang, colonne in tableau.colonnes:
            if colonne is DOSSIER:
                lignes = tableau.feuille.lignes[tableau.ligne_des_titres :]
                cites |= {montrer(x[rang]).strip() for x in lignes if len(x) > rang}
    return frozenset(c for c in cites if c and cle_texte(c))
