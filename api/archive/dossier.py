"""One dossier of the archive: its story, its state, where its figures come from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from psycopg import Connection
from psycopg.rows import TupleRow

from api.archive.tableur import Cellule, Montant, table
from api.filters import FILTRES
from oi_service.clock import PARIS
from projections.avant_apres import Changement, changements, postes
from projections.curseurs import LIMITE_MAXIMALE
from projections.explication import Explication, expliquer
from projections.fiche_operation import FicheOperation, fiche_operation
from projections.histoire import ROLES
from projections.journal import EvenementLu, histoire_du_dossier
from projections.livre import RIEN, Choix, Lignes, Mouvement, choisir, est_fictive, mouvements
from projections.livre import sommes as lire_sommes
from projections.mesures import MESURES, unite
from projections.perimetre import OI_ENTIER
from projections.situation import Situation

#: Writes the state of a dossier as the JSON door does.
EcrireFiche = Callable[[FicheOperation], bytes]


@dataclass(frozen=True, slots=True)
class DossierLu:
    """All that is told of a dossier, read once, in one situation."""

    fiche: FicheOperation
    situation: Situation
    fictive: bool
    histoire: tuple[EvenementLu, ...]
    changements: Mapping[int, tuple[Changement, ...]]
    sommes: Mapping[str, int]
    mouvements: tuple[Mouvement, ...]
    ecarts: tuple[Mouvement, ...]  #: what a bound of effect leaves out
    calculs: tuple[Explication, ...]


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
        histoire=tuple(histoire),
        changements=changements(histoire, postes(conn, operation_id, situation)),
        sommes=lire_sommes(conn, lignes, situation),
        mouvements=tuple(tous_les_mouvements(conn, lignes, RIEN, situation)),
        ecarts=(
            () if situation == toute else tuple(tous_les_mouvements(conn, lignes, situation, toute))
        ),
        calculs=tuple(_calculs(conn, operation_id, fiche)),
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
) -> Iterator[Explication]:
    bilans = () if fiche.convention is None else fiche.convention.bilans
    for csf in (csf for bilan in bilans for csf in bilan.csf):
        if csf.resultat is not None:
            yield expliquer(conn, OI_ENTIER, operation_id, csf.csf_id)


def fichiers(lu: DossierLu, ecrire_fiche: EcrireFiche) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a dossier: name, content."""
    yield "histoire.csv", table(_HISTOIRE, _lignes_d_histoire(lu))
    yield "histoire.html", _page(lu)
    yield "etat.json", ecrire_fiche(lu.fiche)
    yield "provenance.csv", table(_PROVENANCE, _lignes_de_provenance(lu.mouvements))
    if lu.calculs:
        yield "calculs.csv", table(_CALCULS, _lignes_de_calcul(lu))
    if lu.situation.effet_au is not None:
        yield "difference.csv", table(_PROVENANCE, _lignes_de_provenance(lu.ecarts))


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
    for e in lu.histoire:
        yield (
            e.position,
            e.date_effet,
            e.enregistre_le,
            e.acteur,
            ROLES.get(e.role, e.role),
            e.phrase,
            " | ".join(c.phrase for c in lu.changements.get(e.position, ())),
            " | ".join(f"{p.libelle} {p.sha256}" for p in e.fait.pieces),
            e.name,
        )


def _lignes_de_provenance(vus: tuple[Mouvement, ...]) -> Iterator[tuple[Cellule, ...]]:
    """Yield the lines of each measure, then its total."""
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
                fait.phrase,
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
    for calcul in lu.calculs:
        for section in calcul.sections:
            for ligne in section.lignes:
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
class _Fait:
    numero: int
    le: date
    saisi: str
    acteur: str
    role: str
    phrase: str
    changements: tuple[Changement, ...]
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Chiffre:
    libelle: str
    valeur: int
    nombre: bool
    positions: tuple[int, ...]


def _page(lu: DossierLu) -> bytes:
    """Write the page: the state, then one line per fact; it opens without network nor script."""
    positions = {e.position for e in lu.histoire}
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
                tuple(
                    sorted({m.position for m in lu.mouvements if m.mesure == mesure} & positions)
                ),
            )
            for mesure, libelle in MESURES.items()
            if any(m.mesure == mesure for m in lu.mouvements)
        ],
        faits=[
            _Fait(
                e.position,
                e.date_effet,
                f"{e.enregistre_le.astimezone(PARIS):%d/%m/%Y %H:%M}",
                e.acteur,
                ROLES.get(e.role, e.role),
                e.phrase,
                lu.changements.get(e.position, ()),
                tuple(f"{p.libelle} ({p.sha256})" for p in e.fait.pieces),
            )
            for e in lu.histoire
        ],
    ).encode()
