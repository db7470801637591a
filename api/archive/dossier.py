"""One dossier of the archive: its story, its state, where its figures come from."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg import Connection
from psycopg.rows import TupleRow

from api.archive.tableur import Cellule, Montant, table
from api.filters import FILTRES
from oi_service.clock import PARIS
from oi_service.codec import Piece
from oi_service.errors import Refusal
from projections.avant_apres import Changement, avant_apres
from projections.curseurs import LIMITE_MAXIMALE
from projections.explication import Explication, expliquer
from projections.fiche_operation import CsfVu, FicheOperation, fiche_operation
from projections.histoire import ROLES
from projections.histoire import phrase as dire
from projections.journal import EvenementLu, histoire_du_dossier
from projections.livre import RIEN, Choix, Lignes, Mouvement, choisir, est_fictive, mouvements
from projections.livre import sommes as lire_sommes
from projections.mesures import MESURES, unite
from projections.perimetre import OI_ENTIER
from projections.situation import Situation

#: Writes the state of a dossier as the JSON door does.
EcrireFiche = Callable[[FicheOperation], bytes]


@dataclass(frozen=True, slots=True)
class Fait:
    """A line of the story, said once for every file."""

    numero: int
    nom: str
    le: date
    enregistre_le: datetime
    acteur: str
    role: str
    phrase: str
    changements: tuple[Changement, ...]
    pieces: tuple[Piece, ...]

    @property
    def saisi(self) -> str:
        """When it was recorded, in Paris."""
        return f"{self.enregistre_le.astimezone(PARIS):%d/%m/%Y %H:%M}"


@dataclass(frozen=True, slots=True)
class DossierLu:
    """All that is told of a dossier, read once, in one situation."""

    fiche: FicheOperation
    situation: Situation
    fictive: bool
    faits: tuple[Fait, ...]
    sommes: Mapping[str, int]
    mouvements: tuple[Mouvement, ...]
    ecarts: tuple[Mouvement, ...]  #: what a bound of effect leaves out
    calculs: tuple[tuple[CsfVu, Explication | Refusal], ...]


def lire(conn: Connection[TupleRow], operation_id: UUID, situation: Situation) -> DossierLu:
    """Read a dossier that the situation knows."""
    histoire = histoire_du_dossier(conn, OI_ENTIER, str(operation_id), situation)
    lignes = choisir(conn, OI_ENTIER, Choix(operation_id=operation_id), situation)
    assert lignes is not None
    fiche = fiche_operation(conn, OI_ENTIER, operation_id, situation)
    toute = Situation(connu_le=situation.connu_le)
    return DossierLu(
        fiche=fiche,
        situation=situation,
        fictive=est_fictive(conn, lignes),
        faits=tuple(
            _faits(histoire, avant_apres(conn, OI_ENTIER, operation_id, histoire, situation))
        ),
        sommes=lire_sommes(conn, lignes, situation),
        mouvements=tuple(tous_les_mouvements(conn, lignes, RIEN, situation)),
        ecarts=(
            () if situation == toute else tuple(tous_les_mouvements(conn, lignes, situation, toute))
        ),
        calculs=tuple(_calculs(conn, operation_id, fiche)),
    )


def _faits(
    histoire: Sequence[EvenementLu], changements: Mapping[int, tuple[Changement, ...]]
) -> Iterator[Fait]:
    for lu in histoire:
        fait = lu.fait
        yield Fait(
            numero=lu.position,
            nom=lu.name,
            le=lu.date_effet,
            enregistre_le=lu.enregistre_le,
            acteur=lu.acteur,
            role=ROLES.get(lu.role, lu.role),
            phrase=dire(fait),
            changements=changements.get(lu.position, ()),
            pieces=fait.pieces,
        )


def tous_les_mouvements(
    conn: Connection[TupleRow], lignes: Lignes, de: Situation, a: Situation
) -> Iterator[Mouvement]:
    """Yield everything that separates two situations."""
    apres, reste = None, True
    while reste:
        page = mouvements(conn, lignes, de, a, limite=LIMITE_MAXIMALE, apres=apres)
        yield from page.lignes
        apres = page.suivant
        reste = apres is not None


def _calculs(
    conn: Connection[TupleRow], operation_id: UUID, fiche: FicheOperation
) -> Iterator[tuple[CsfVu, Explication | Refusal]]:
    """Yield each valid control with its calculation, or with why it cannot be explained."""
    bilans = () if fiche.convention is None else fiche.convention.bilans
    for csf in (csf for bilan in bilans for csf in bilan.csf):
        if csf.resultat is None:
            continue
        try:
            yield csf, expliquer(conn, OI_ENTIER, operation_id, csf.csf_id)
        except Refusal as refus:
            # One figure that cannot be told again must not keep the auditor from all the others.
            yield csf, refus


def fichiers(lu: DossierLu, ecrire_fiche: EcrireFiche) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a dossier: name, content."""
    yield "histoire.csv", table(_HISTOIRE, _lignes_d_histoire(lu))
    yield "histoire.html", _page(lu)
    yield "etat.json", ecrire_fiche(lu.fiche)
    yield "provenance.csv", table(_PROVENANCE, _lignes_de_provenance(lu, lu.mouvements))
    if lu.calculs:
        yield "calculs.csv", table(_CALCULS, _lignes_de_calcul(lu))
    if lu.situation.effet_au is not None:
        yield "difference.csv", table(_PROVENANCE, _lignes_de_provenance(lu, lu.ecarts))


# --- Tables --------------------------------------------------------------------------------------

_HISTOIRE = (
    "N°",
    "Date d’effet",
    "Enregistré le (Paris)",
    "Acteur",
    "Rôle",
    "Acte",
    "Avant → après",
    "Pièces (SHA-256)",
    "Nom du fait",
)
_PROVENANCE = (
    "Chiffre",
    "Montant ou nombre",
    "Cause",
    "N° de l’événement",
    "Date d’effet",
    "Enregistré le (Paris)",
    "Acteur",
    "Rôle",
    "Fait",
    "Décision",
    "PLIE",
    "Tranche",
    "Financeur",
)
_CALCULS = (
    "Bilan",
    "Version du contrôle",
    "Version des règles",
    "N° de l’événement",
    "Partie",
    "Ligne",
    "Calcul",
    "Montant",
    "Valeur",
    "Article",
    "Opérandes",
)


def _lignes_d_histoire(lu: DossierLu) -> Iterator[tuple[Cellule, ...]]:
    for f in lu.faits:
        yield (
            f.numero,
            f.le,
            f.enregistre_le,
            f.acteur,
            f.role,
            f.phrase,
            " | ".join(c.phrase for c in f.changements),
            " | ".join(f"{p.libelle} ({p.sha256})" for p in f.pieces),
            f.nom,
        )


def _lignes_de_provenance(
    lu: DossierLu, vus: tuple[Mouvement, ...]
) -> Iterator[tuple[Cellule, ...]]:
    """Yield the lines of each measure, then its total."""
    phrases = {f.numero: f.phrase for f in lu.faits}
    for mesure, libelle in MESURES.items():
        siens = sorted((m for m in vus if m.mesure == mesure), key=lambda m: (m.position, m.rang))
        for m in siens:
            fait = m.evenement
            yield (
                libelle,
                quantite(mesure, m.centimes),
                m.cause_libelle,
                m.position,
                fait.date_effet,
                fait.enregistre_le,
                fait.acteur,
                fait.role_libelle,
                phrases.get(m.position) or fait.phrase,
                fait.decision_ref,
                m.plie_id,
                m.annee,
                m.financeur,
            )
        if siens:
            total = quantite(mesure, sum(m.centimes for m in siens))
            yield (f"{libelle} : total", total, *(None,) * (len(_PROVENANCE) - 2))


def quantite(mesure: str, valeur: int) -> Cellule:
    """Return a figure in its unit."""
    return valeur if unite(mesure) == "nombre" else Montant(valeur)


def _lignes_de_calcul(lu: DossierLu) -> Iterator[tuple[Cellule, ...]]:
    for csf, calcul in lu.calculs:
        if isinstance(calcul, Refusal):
            yield (None, csf.version, None, None, "Calcul non expliqué", str(calcul), *(None,) * 5)
            continue
        for section, ligne in ((s, x) for s in calcul.sections for x in s.lignes):
            yield (
                calcul.bilan_numero,
                calcul.version,
                calcul.version_regles,
                calcul.position,
                section.titre,
                ligne.libelle,
                ligne.calcul,
                None if ligne.centimes is None else Montant(ligne.centimes),
                ligne.valeur,
                ligne.article,
                " | ".join(
                    f"{o.libelle} : {o.valeur}"
                    + ("" if o.position is None else f" (n° {o.position})")
                    for o in ligne.operandes
                ),
            )


# --- The page ------------------------------------------------------------------------------------


def _environnement() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTRES)
    return environment


_PAGE = _environnement().get_template("histoire.html")


@dataclass(frozen=True, slots=True)
class _Chiffre:
    libelle: str
    valeur: int
    nombre: bool
    positions: tuple[int, ...]


def _page(lu: DossierLu) -> bytes:
    """Write the page: the state, then one line per fact; it opens without network nor script."""
    racontes = {f.numero for f in lu.faits}
    positions: dict[str, set[int]] = defaultdict(set)
    for m in lu.mouvements:
        positions[m.mesure].add(m.position)
    return _PAGE.render(
        resume=lu.fiche.resume,
        fictive=lu.fictive,
        effet_au=lu.situation.effet_au,
        connu_le=lu.situation.connu_le,
        chiffres=[
            _Chiffre(
                libelle,
                lu.sommes[mesure],
                unite(mesure) == "nombre",
                tuple(sorted(positions[mesure] & racontes)),
            )
            for mesure, libelle in MESURES.items()
            if mesure in positions
        ],
        faits=lu.faits,
    ).encode()
