"""What `oi verifier-journal` looks at: the log, its points, its guards, its documents."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from aggregates.registre.state import Registre
from oi_service.application import Service
from oi_service.errors import Refusal
from oi_service.preuve import cles
from oi_service.preuve.ancres import AncreLue, ancres_du_dossier, lister
from oi_service.preuve.gardes import verifier_gardes
from oi_service.preuve.journal import DEBUT, Etape, Examen, Progres, verifier_journal
from oi_service.preuve.point import Point, lire_point, octets_de_cle, origine_de
from projections.pieces import PieceVue, verifier_pieces
from projections.verification import Controle

#: Where a verification that was stopped left word of where it was.
ETAPE = "verification.json"


class AncreIntrouvable(Refusal):
    """L’ancre {fichier} ne peut pas être lue : {raison}. Donnez le fichier reçu, tel quel."""


@dataclass(frozen=True, slots=True)
class Preuve:
    """What was found of the log itself, and each point that was checked."""

    examen: Examen
    controles: tuple[Controle, ...]

    @property
    def intacte(self) -> bool:
        """Tell whether everything holds."""
        return not any(c.ecarts for c in self.controles)


def examiner(
    service: Service,
    *,
    tenues: Sequence[Path] = (),
    reprendre: bool = False,
    progres: Progres = lambda _fait, _total: None,
) -> Preuve:
    """Check the log against itself, its points, its guards and its documents.

    ``tenues``: points that a third party held, beside those of the folder. ``reprendre``: go on
    from where the last verification was.

    Raises: AncreIntrouvable, RepriseImpossible.
    """
    repere = service.lieux.ancres / ETAPE
    with service.reads.connection() as conn:
        points = Controle("S2", "Le journal continue chacune des ancres gardées hors de la base")
        ancres = [*_du_dossier(conn, service, points), *_tenues(conn, service, tenues, points)]
        examen = verifier_journal(
            conn,
            ancres,
            depuis=Etape.lire(repere) if reprendre else DEBUT,
            progres=progres,
            noter=partial(_noter, repere),
        )
        controles = (
            _dits(examen, "journal", "S1", "Chaque événement porte le sceau de ses octets"),
            points,
            _dits(examen, "commande", "S3", "Les commandes acceptées sont celles du journal"),
            Controle("S4", "Les gardes de la base sont en place", list(verifier_gardes(conn))),
            _pieces(conn, service),
            _cles(conn),
        )
    points.ecarts.extend(_dits(examen, "ancre", "", "").ecarts)
    return Preuve(examen, controles)


def _noter(repere: Path, etape: Etape) -> None:
    """Leave word of where the verification is; a folder that takes nothing does not stop it."""
    with suppress(OSError):
        etape.ecrire(repere)


def _dits(examen: Examen, par: str, code: str, enonce: str) -> Controle:
    dits = [str(a) for a in examen.anomalies if a.par == par]
    if par == "journal" and examen.tues:
        dits.append(f"et {examen.tues} autres anomalies")
    return Controle(code, enonce, dits)


def _du_dossier(
    conn: psycopg.Connection[TupleRow], service: Service, controle: Controle
) -> list[Point]:
    """Return the points of the folder; say which the log notes and the folder no longer holds."""
    dossier = service.lieux.ancres
    try:
        lues = ancres_du_dossier(dossier)
    except Refusal as refus:
        controle.ecarts.append(str(refus))
        return []
    try:
        listees = lister(conn, dossier)
    except Exception as illisible:  # noqa: BLE001 - an altered log reads in unforeseen ways
        controle.ecarts.append(f"les ancres que le journal note ne se relisent pas : {illisible}")
    else:
        controle.ecarts.extend(f"{a.nom} : {_ETATS[a.etat]}" for a in listees if a.etat in _ETATS)
    return list(_des_notres(conn, service, lues, controle))


#: What the list of anchors says that is not in order.
_ETATS = {
    "absente": "le journal note cette ancre et le dossier ne la contient plus",
    "differente": "cette ancre n’est pas celle que le journal note",
}


def _tenues(
    conn: psycopg.Connection[TupleRow],
    service: Service,
    fichiers: Sequence[Path],
    controle: Controle,
) -> Iterator[Point]:
    """Yield the points that somebody kept elsewhere."""
    lues = []
    for fichier in fichiers:
        try:
            lues.append(AncreLue(fichier.name, lire_point(fichier.read_bytes())))
        except (OSError, Refusal) as refus:
            raise AncreIntrouvable(fichier=fichier, raison=refus) from refus
    yield from _des_notres(conn, service, lues, controle)


def _des_notres(
    conn: psycopg.Connection[TupleRow],
    service: Service,
    lues: Sequence[AncreLue],
    controle: Controle,
) -> Iterator[Point]:
    """Yield the points of this log; say which another log, or another key, has signed.

    One that the key of the log did not sign is compared all the same: a log that was made again
    knows another key.
    """
    if not lues:
        return
    row = conn.execute("SELECT event_id FROM oi.event WHERE position = 1").fetchone()
    registre = _registre(service, controle)
    for lue in lues:
        if row is not None and lue.point.origine != origine_de(row[0]):
            controle.ecarts.append(f"{lue.nom} : cette ancre est celle d’un autre journal")
            continue
        cle = registre.cle_de(lue.point.taille)
        if cle is None or not lue.signe.est_de(octets_de_cle(cle)):
            controle.ecarts.append(
                f"{lue.nom} : cette ancre n’est pas signée par la clé que dit le journal"
            )
        yield lue.point


def _registre(service: Service, controle: Controle) -> Registre:
    try:
        return cles.registre_de(service)
    except Exception as illisible:  # noqa: BLE001 - an altered log reads in unforeseen ways
        controle.ecarts.append(f"les clés que le journal note ne se relisent pas : {illisible}")
        return Registre()


def _cles(conn: psycopg.Connection[TupleRow]) -> Controle:
    """Check that each key handed over to the next; one that was lost is told, and its reason."""
    controle, perdues = Controle("S6", "Chaque clé de signature a signé celle qui la suit"), []
    try:
        for passation in cles.passations(conn):
            if passation.signee is None:
                perdues.append(f"événement n° {passation.position}, « {passation.motif} »")
            elif not passation.signee:
                controle.ecarts.append(
                    f"événement n° {passation.position} : la clé d’avant n’a pas signé celle-ci"
                )
    except Exception as illisible:  # noqa: BLE001 - an altered log reads in unforeseen ways
        controle.ecarts.append(f"les clés que le journal note ne se relisent pas : {illisible}")
    if perdues:
        controle.enonce += f", sauf après une perte à expliquer ({' ; '.join(perdues)})"
    return controle


def _pieces(conn: psycopg.Connection[TupleRow], service: Service) -> Controle:
    controle = Controle("S5", "Les pièces gardées sont celles que le journal nomme")
    vues = verifier_pieces(conn, service.pieces)
    controle.ecarts.extend(_dite(vue) for vue in vues if vue.etat in _FAUTES)
    return controle


#: What became of a document that is not in order.
_FAUTES = {"alteree": "n’est plus celui qui a été déposé", "disparue": "n’est plus là"}


def _dite(vue: PieceVue) -> str:
    piece = vue.nommee
    return (
        f"événement n° {piece.position}, pièce « {piece.libelle} » : son fichier "
        f"{_FAUTES[vue.etat]} ({piece.sha256})"
    )
