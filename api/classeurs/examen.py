"""Look at every row of a workbook: what it asks, what is wrong and where, nothing written."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Protocol
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aggregates.commande import DONNEE_INTERDITE
from api.classeurs.cellules import (
    LECTURES,
    CelluleRefusee,
    choix,
    cle_titre,
    jour,
    montant,
    montrer,
    vide,
)
from api.classeurs.classeur import Classeur, Valeur
from api.classeurs.contexte import Contexte, OperationConnue, cle_texte
from api.classeurs.feuilles import lettre
from api.classeurs.modeles import DOSSIER, Colonne, Modele
from api.classeurs.refus import AucuneLigne
from api.classeurs.reperage import (
    FEUILLES_A_NOUS,
    Tableau,
    exiger_identite,
    identite,
    reperer,
)
from api.classeurs.resultat import Apercu, DefautDeCellule, Doublon, Gravite, LigneLue
from api.errors import defauts as en_francais
from oi_service.errors import Refusal

#: Characters of a received value that a defect repeats.
_ABREGE = 100
#: What pydantic finds, said of a cell rather than of a field, where that differs.
_MESSAGES = {
    "missing": "Cette case va avec d’autres, qui sont remplies.",
    "string_too_long": "Ce texte compte plus de {max_length} caractères.",
    "string_pattern_mismatch": "Cette référence contient un caractère qui n’est pas admis.",
}
_REMEDES = {
    "missing": "Remplissez-la, ou videz les autres.",
    "string_too_long": "Raccourcissez-le.",
    "string_pattern_mismatch": "Gardez des lettres sans accent, des chiffres, des points et des "
    "tirets, sans espace.",
    DONNEE_INTERDITE: "Retirez ce numéro de la case.",
}
_CORRIGER = "Corrigez cette case."
_OBLIGATOIRE = "Cette case est obligatoire."


@dataclass(slots=True)
class Examen:
    """What is found while a workbook is looked at."""

    contexte: Contexte
    defauts: list[DefautDeCellule] = field(default_factory=list)
    doublons: list[Doublon] = field(default_factory=list)
    lues: list[LigneLue] = field(default_factory=list)
    nb_lignes: int = 0


class LigneExaminee:
    """A row under examination: its body, and where to say what is wrong with it."""

    __slots__ = (
        "brutes",
        "commande",
        "corps",
        "double",
        "en_erreur",
        "examen",
        "numero",
        "operation",
        "table",
        "textes",
    )

    def __init__(
        self, examen: Examen, table: "_Table", numero: int, brutes: tuple[Valeur, ...]
    ) -> None:
        """Start from the raw cells."""
        self.examen = examen
        self.table = table
        self.numero = numero
        self.brutes = brutes
        self.corps: dict[str, Any] = {}
        self.textes: dict[str, Any] = {}
        self.commande: BaseModel | None = None
        self.operation: OperationConnue | None = None
        #: Columns that hold an error; a row without any is kept.
        self.en_erreur: set[str] = set()
        self.double = False

    def dire(
        self, cle: str, code: str, message: str, remede: str, gravite: Gravite = "erreur"
    ) -> None:
        """Say what is wrong with a cell, or with the row when the column is not in the sheet."""
        rang = self.table.places.get(cle)
        self.examen.defauts.append(
            DefautDeCellule(
                feuille=self.table.tableau.feuille.nom,
                ligne=self.numero,
                colonne="" if rang is None else lettre(rang + 1),
                titre=self.table.titres.get(cle, ""),
                valeur="" if rang is None else self._montrer(rang, code),
                code=code,
                message=message,
                remede=remede,
                gravite=gravite,
            )
        )
        if gravite == "erreur":
            self.en_erreur.add(cle)

    def avertir(self, cle: str, code: str, message: str, remede: str) -> None:
        """Say what a person should look at before confirming."""
        self.dire(cle, code, message, remede, "avertissement")

    def refuser(self, cle: str, refus: Refusal, remede: str = "", message: str = "") -> None:
        """Say that a decision would refuse the row."""
        self.dire(cle, refus.code(), message or str(refus), remede)

    def doubler(
        self,
        cle: str,
        message: str,
        *,
        autre: int | None = None,
        depense_id: UUID | None = None,
        lot: str | None = None,
    ) -> None:
        """Say that the row is already elsewhere: a person ticks it, or it is left out."""
        self.double = True
        feuille = self.table.tableau.feuille.nom
        self.examen.doublons.append(Doublon(feuille, self.numero, autre, depense_id, lot))
        self.avertir(
            cle,
            "doublon",
            message,
            "Retirez la ligne, ou cochez-la si c’est bien une autre.",
        )

    def rendre(self, cible: UUID, montant_centimes: int = 0) -> None:
        """Keep the row, when nothing is wrong with it."""
        if self.en_erreur:
            return
        self.examen.lues.append(
            LigneLue(
                feuille=self.table.tableau.feuille.nom,
                ligne=self.numero,
                acte=self.table.tableau.modele.acte,
                cible=cible,
                commande=self.corps,
                montant=montant_centimes,
                doublon=self.double,
            )
        )

    def _montrer(self, rang: int, code: str) -> str:
        if code == DONNEE_INTERDITE or rang >= len(self.brutes):
            return ""
        # A control character has no place in a page or in a workbook.
        texte = "".join(c if c.isprintable() else "\u2423" for c in montrer(self.brutes[rang]))
        return texte if len(texte) <= _ABREGE else f"{texte[:_ABREGE]}…"


class Regle(Protocol):
    """What a sheet checks once its command is made; it ends by `LigneExaminee.rendre`."""

    def __call__(self, ligne: LigneExaminee, /) -> None:
        """Look at a row."""


class _Table:
    """A sheet being read: where each of its columns is, and what was already read of it."""

    def __init__(self, tableau: Tableau, *, avec_dossier: bool) -> None:
        self.tableau = tableau
        self.titres = {c.cle: c.titre_en(tableau.version) for c in tableau.modele.colonnes}
        self.places = {c.cle: rang for rang, c in tableau.colonnes}
        #: Rows under the titles, by column; a column without any value is only read if it must be.
        sous = tableau.feuille.lignes[tableau.ligne_des_titres :]
        par_rang = tuple(zip_longest(*sous)) if sous else ()
        cases = []
        for rang, colonne in tableau.colonnes:
            brutes = par_rang[rang] if rang < len(par_rang) else (None,) * len(sous)
            obligatoire = colonne.obligatoire and (colonne is not DOSSIER or avec_dossier)
            if obligatoire or any(v is not None and v != "" for v in brutes):
                cases.append(_Case(colonne, brutes, obligatoire=obligatoire))
        self.cases = tuple(cases)
        self.fusions = _fusions(tableau)


class _Case:
    """A column, read as a whole: the same cell is read once, and a sheet repeats its cells."""

    __slots__ = ("cle", "groupe", "hors_commande", "nom", "obligatoire", "valeurs")

    def __init__(self, colonne: Colonne, brutes: Iterable[Valeur], *, obligatoire: bool) -> None:
        self.cle = colonne.cle
        self.groupe, _, nom = colonne.cle.rpartition(".")
        self.nom = nom
        self.hors_commande = colonne.cle.startswith("@")
        self.obligatoire = obligatoire
        self.valeurs = _lire_colonne(_lecture(colonne), tuple(brutes))


def _lire_colonne(lire: Callable[[Valeur], object], brutes: tuple[Valeur, ...]) -> list[object]:
    """Return what each cell says: None when it is empty, a CelluleRefusee when it is wrong."""

    def lue(brute: Valeur) -> object:
        if vide(brute):
            return None
        try:
            return lire(brute)
        except CelluleRefusee as refus:
            return refus

    if bool in set(map(type, brutes)):  # True is 1 for a dictionary.
        return [lue(brute) for brute in brutes]
    lues = {brute: lue(brute) for brute in set(brutes)}
    return [lues[brute] for brute in brutes]


def _lecture(colonne: Colonne) -> Callable[[Valeur], object]:
    if colonne.choix is not None:
        admis = {cle_titre(x): code for code, nom in colonne.choix.items() for x in (code, nom)}
        libelles = tuple(colonne.choix.values())
        return lambda brute: choix(brute, admis, libelles)
    if colonne.genre == "jour":
        return lambda brute: jour(brute).isoformat()
    if colonne.genre == "montant" and colonne.signe:
        return montant
    return LECTURES[colonne.genre]


_PLAGE = re.compile(r"([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)")


def _fusions(tableau: Tableau) -> Mapping[int, str]:
    """Return, by Excel number, the merged range that a row of the table is under."""
    fusions = {}
    for plage in tableau.feuille.fusions:
        trouvee = _PLAGE.fullmatch(plage)
        assert trouvee is not None
        for numero in range(int(trouvee[2]), int(trouvee[4]) + 1):
            if numero > tableau.ligne_des_titres:
                fusions[numero] = plage
    return fusions


def examiner(
    classeur: Classeur, modele: Modele, contexte: Contexte, regles: Mapping[str, Regle]
) -> Apercu:
    """Look at a workbook as the template of its nature; ``regles`` by the act of a sheet.

    Raises: the refusals of a whole file.
    """
    dite = identite(classeur)
    attendue = exiger_identite(dite, modele, contexte)
    tableaux = reperer(classeur, modele, dite, avec_dossier=attendue is None)
    examen = Examen(contexte)
    _avertir_des_feuilles(classeur, modele, tableaux, examen)
    for tableau in tableaux:
        _avertir_des_colonnes(tableau, examen)
        table = _Table(tableau, avec_dossier=attendue is None)
        _lire_table(table, classeur, examen, attendue, regles[tableau.modele.acte])
    if examen.nb_lignes == 0:
        raise AucuneLigne
    return Apercu(
        nature=modele.nature,
        version=tableaux[0].version,
        classeur=classeur,
        lignes=tuple(examen.lues),
        defauts=tuple(examen.defauts),
        doublons=tuple(examen.doublons),
        total=sum(x.montant for x in examen.lues),
        nb=len(examen.lues),
        nb_lignes=examen.nb_lignes,
    )


def _avertir_des_feuilles(
    classeur: Classeur, modele: Modele, tableaux: tuple[Tableau, ...], examen: Examen
) -> None:
    lues = {t.feuille.nom for t in tableaux}
    for feuille in classeur.feuilles:
        if feuille.nom in lues or cle_titre(feuille.nom) in FEUILLES_A_NOUS:
            continue
        if all(vide(v) for ligne in feuille.lignes for v in ligne):
            continue
        cachee = "masquée, " if feuille.masquee else ""
        examen.defauts.append(
            DefautDeCellule(
                feuille=feuille.nom,
                ligne=0,
                colonne="",
                titre="",
                valeur="",
                code="feuille_ignoree",
                message=f"La feuille « {feuille.nom} », {cachee}n’est pas du modèle "
                f"« {modele.titre} » : elle n’est pas lue.",
                remede="Retirez-la, ou recopiez ses lignes sur la feuille du modèle.",
                gravite="avertissement",
            )
        )


def _avertir_des_colonnes(tableau: Tableau, examen: Examen) -> None:
    for rang, titre in tableau.ignorees:
        court = titre[:_ABREGE]
        examen.defauts.append(
            DefautDeCellule(
                feuille=tableau.feuille.nom,
                ligne=tableau.ligne_des_titres,
                colonne=lettre(rang + 1),
                titre=court,
                valeur="",
                code="colonne_ignoree",
                message=f"La colonne « {court} » n’est pas du modèle : elle n’est pas lue.",
                remede="Vérifiez le titre, ou retirez la colonne.",
                gravite="avertissement",
            )
        )


def _lire_table(
    table: _Table,
    classeur: Classeur,
    examen: Examen,
    attendue: OperationConnue | None,
    regle: Regle,
) -> None:
    feuille, titres = table.tableau.feuille, table.tableau.ligne_des_titres
    champs = len(feuille.lignes[titres - 1]) if classeur.format == "csv" else None
    for numero, brutes in enumerate(feuille.lignes[titres:], start=titres + 1):
        if not any(brutes):
            continue
        ligne = LigneExaminee(examen, table, numero, brutes)
        if champs is not None and not _exiger_champs(ligne, champs):
            examen.nb_lignes += 1
            continue
        if not _lire_cases(ligne):
            continue
        examen.nb_lignes += 1
        if numero in feuille.lignes_masquees:
            ligne.avertir(
                "",
                "ligne_masquee",
                "Cette ligne est masquée : elle est lue comme les autres.",
                "Affichez-la pour la vérifier, ou supprimez-la.",
            )
        if numero in table.fusions:
            ligne.dire(
                "",
                "cellules_fusionnees",
                f"Les cellules {table.fusions[numero]} sont fusionnées : une seule garde la "
                "valeur.",
                "Défusionnez-les et remplissez chaque case.",
            )
        _situer(ligne, attendue)
        _valider(ligne)
        regle(ligne)


def _exiger_champs(ligne: LigneExaminee, champs: int) -> bool:
    """Tell whether a line of a CSV file has a field for each title, and no other."""
    recus = len(ligne.brutes)
    if recus < champs or any(ligne.brutes[champs:]):
        ligne.dire(
            "",
            "nombre_de_champs",
            f"La ligne compte {recus} champs, les titres en comptent {champs}.",
            "Mettez entre guillemets un texte qui contient le séparateur, ou enregistrez de "
            "nouveau depuis le tableur.",
        )
        return False
    return True


def _lire_cases(ligne: LigneExaminee) -> bool:
    """Put the cells of a row in its body; tell whether it says anything."""
    corps = ligne.corps
    rang = ligne.numero - ligne.table.tableau.ligne_des_titres - 1
    absentes = []
    dit = False
    for case in ligne.table.cases:
        valeur = case.valeurs[rang]
        if valeur is None:
            if case.obligatoire:
                absentes.append(case.cle)
            continue
        dit = True
        if isinstance(valeur, CelluleRefusee):
            ligne.dire(case.cle, valeur.code, valeur.message, valeur.remede)
        elif case.hors_commande:
            ligne.textes[case.cle] = valeur
        elif case.groupe:
            corps.setdefault(case.groupe, {})[case.nom] = valeur
        else:
            corps[case.nom] = valeur
    if dit:
        for cle in absentes:
            ligne.dire(cle, "case_vide", _OBLIGATOIRE, "Remplissez-la.")
    return dit


def _situer(ligne: LigneExaminee, attendue: OperationConnue | None) -> None:
    """Find the operation that a row is for."""
    numero = ligne.textes.get(DOSSIER.cle)
    if numero is None:
        ligne.operation = attendue
        return
    connue = ligne.examen.contexte.par_numero.get(cle_texte(numero))
    if connue is None:
        ligne.dire(
            DOSSIER.cle,
            "operation_inconnue",
            "Aucune opération que vous voyez ne porte ce numéro.",
            "Recopiez le numéro du dossier affiché par l’application.",
        )
    elif attendue is not None and connue.id != attendue.id:
        ligne.dire(
            DOSSIER.cle,
            "autre_operation",
            f"Cette ligne est d’une autre opération que {attendue.numero}.",
            "Déposez-la avec le classeur de son opération.",
        )
    else:
        ligne.operation = connue


def _valider(ligne: LigneExaminee) -> None:
    """Make the command of a row, and say where it cannot be made."""
    modele = ligne.table.tableau.modele
    try:
        ligne.commande = modele.corps.model_validate(ligne.corps)
    except ValidationError as invalide:
        for defaut in invalide.errors(include_url=False):
            cle, code, message, remede = _en_case(defaut)
            liees = {cle}
            if not cle and modele.ensemble is not None:
                ensemble = modele.ensemble
                cle, liees = ensemble.colonnes[0], set(ensemble.colonnes)
                code, message, remede = ensemble.code, ensemble.message, ensemble.remede
            # A cell that could not be read is not said to be missing as well.
            if not ligne.en_erreur & liees:
                ligne.dire(cle, code, message, remede)


def _en_case(defaut: ErrorDetails) -> tuple[str, str, str, str]:
    """Say in which column, and how, a command cannot be made."""
    genre = defaut["type"]
    if genre in _MESSAGES:
        message = _MESSAGES[genre].format(**defaut.get("ctx", {}))
    else:
        lu = en_francais([{**defaut, "loc": ("body", *defaut["loc"])}])[0].message
        message = f"{lu[0].upper()}{lu[1:]}."
    cle = ".".join(map(str, defaut["loc"]))
    return cle, genre, message, _REMEDES.get(genre, _CORRIGER)
