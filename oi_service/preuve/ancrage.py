"""Anchors: signed points of the log, put where whoever runs the database cannot change them.

A point is signed only when the log continues every point that the folder holds: a log that was cut
or written again gets no new anchor, and somebody is told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.rows import TupleRow

from aggregates.registre.ancrage import AncrerJournal, noter
from aggregates.registre.events import (
    DestinationAncre,
    JournalAncre,
    LivresVerifies,
    ProjectionsRefaites,
)
from aggregates.registre.state import REGISTRE, REGISTRE_ID, Registre
from oi_service import clock
from oi_service.application import Acte, Outcome, Service, Unit
from oi_service.codec import REGISTRY
from oi_service.errors import Conflict
from oi_service.preuve import cles
from oi_service.preuve.ancres import (
    AncreLue,
    DossierDesAncresInaccessible,
    ancres_du_dossier,
    ecrire_nouveau,
    nom_de_fichier,
    nom_du_jeton,
)
from oi_service.preuve.arbre import TAILLE_HACHE, Arbre
from oi_service.preuve.courriel import Messagerie, masquee, message_de
from oi_service.preuve.horodatage import HorodatageManque, Horodateur
from oi_service.preuve.point import (
    Point,
    PointSigne,
    ecrire_instant,
    en_base64,
    octets_de_cle,
    origine_de,
)
from oi_service.preuve.verrou import seul
from oi_service.settings import Settings
from projections.instantane import instantane

log = structlog.get_logger()

_SYSTEME = ("systeme", "systeme")
#: What the register writes of its own nights: not a reason for another anchor.
_NOTES = [REGISTRY.names[note] for note in (JournalAncre, LivresVerifies, ProjectionsRefaites)]
#: Seals read together: three megabytes.
_LOT = 100_000


class AncrePrecedenteAbsente(Conflict):
    """Le dossier des ancres {dossier} ne contient plus {nom}, que le journal y a écrite. S’il est
    sur un partage, vérifiez qu’il est monté ; s’il a été changé, recopiez-y les ancres. Sinon,
    « oi ancrer » repart de ce qui s’y trouve, et le journal gardera que cette ancre manquait.
    """


class AncreDUnAutreJournal(Conflict):
    """L’ancre {nom} est celle d’un autre journal : {origine}, alors que celui de la base est
    {attendue}. Rien n’est signé. Un dossier d’ancres sert un seul journal.
    """


class AncreMalSignee(Conflict):
    """L’ancre {nom} n’est pas signée par la clé qu’avait le journal à {taille} événements : ce
    fichier a été écrit ou changé par un autre que le service, ou le journal a été refait. Rien
    n’est signé.
    """


class JournalCoupe(Conflict):
    """L’ancre {nom} atteste {taille} événements et le journal n’en compte que {compte} : sa fin a
    été coupée, ou la base est une sauvegarde plus ancienne. Rien n’est signé.
    """


class JournalRefait(Conflict):
    """L’ancre {nom} atteste un autre journal : {difference} de ses {taille} premiers événements
    n’est plus ce qu’elle en dit. Quelque chose a été changé, puis scellé de nouveau. Rien n’est
    signé ; « oi verifier-journal » dit entre quelles ancres.
    """


class JournalTroue(Conflict):
    """Le journal n’a pas tous ses événements : il manque le n° {position}. Rien n’est signé ;
    « oi verifier-journal » dit ce qui a été changé.
    """


class TeteContredite(Conflict):
    """La tête du journal ne porte pas le sceau de son dernier événement, le n° {taille}. Rien n’est
    signé ; « oi verifier-journal » dit ce qui a été changé.
    """


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where points go, beside the folder; nowhere else by default."""

    courriel: Messagerie | None = None
    horodatage: Horodateur | None = None


def destinations_de(settings: Settings) -> Destinations:
    """Return where the operator wants points to go."""
    auditeurs = tuple(a.strip() for a in settings.ancre_courriels.split(",") if a.strip())
    return Destinations(
        courriel=Messagerie(settings.smtp_url, settings.courriel_expediteur, auditeurs)
        if auditeurs
        else None,
        horodatage=Horodateur(settings.horodatage_url, settings.horodatage_ac)
        if settings.horodatage_url
        else None,
    )


@dataclass(frozen=True, slots=True)
class Ancrage:
    """A point that was signed, where it went, and the event that says so."""

    ancre: PointSigne
    destinations: tuple[DestinationAncre, ...]
    outcome: Outcome

    @property
    def complet(self) -> bool:
        """Tell whether it went everywhere."""
        return all(d.reussi for d in self.destinations)


# --- Signing -------------------------------------------------------------------------------------


def ancrer(
    service: Service,
    *,
    a_la_demande: bool,
    acte: Acte | None = None,
    commande: AncrerJournal | None = None,
    destinations: Destinations | None = None,
) -> Ancrage | None:
    """Sign a point of the log and put it out of reach; ``None`` when nothing calls for one.

    By its rhythm, nothing does when the register alone wrote since a point that went everywhere.

    Raises: what the classes of this module, of `cles` and `verrou` say; nothing is then signed.
    """
    acte = acte or Acte(*_SYSTEME)
    commande = commande or AncrerJournal(date_effet=clock.today())
    destinations = destinations or destinations_de(Settings())
    dossier = service.lieux.ancres
    with seul(service) as conn:
        ancres = ancres_du_dossier(dossier)
        _exiger_leur_journal(conn, ancres)
        registre = cles.registre_de(service)
        manque = _precedente_absente(registre, ancres)
        if manque is not None and not a_la_demande:
            raise AncrePrecedenteAbsente(dossier=dossier, nom=manque)
        if not a_la_demande and not _appelle_une_ancre(conn, registre):
            return None
        cle = cles.etablir(service)
        registre = cles.registre_de(service)
        with instantane(conn):
            signe = _signer(conn, registre, ancres, cle)
        publique = registre.cle_de(signe.point.taille)
        assert publique is not None
        parti = _envoyer(dossier, signe, publique, destinations, manque)
        outcome = _noter(service, acte, commande, signe, publique, parti)
    return Ancrage(signe, parti, outcome)


def _appelle_une_ancre(conn: psycopg.Connection[TupleRow], registre: Registre) -> bool:
    if registre.ancre is None or not all(d.reussi for d in registre.ancre.destinations):
        return True
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM oi.event WHERE position > %s AND name <> ALL(%s))",
        (registre.ancre.taille, _NOTES),
    ).fetchone()
    return row == (True,)


def _precedente_absente(registre: Registre, ancres: Sequence[AncreLue]) -> str | None:
    """Return the name of the last anchor that the log put there, when it is not there any more."""
    derniere = registre.ancre
    if derniere is None or not any(
        d.nature == "fichier" and d.reussi for d in derniere.destinations
    ):
        return None
    nom = nom_de_fichier(derniere.taille)
    return None if nom in {a.nom for a in ancres} else nom


def _exiger_leur_journal(conn: psycopg.Connection[TupleRow], ancres: Sequence[AncreLue]) -> None:
    """Refuse a log that is not the one of the anchors, or that is shorter: it may have been cut.

    Before anything else: what was cut may have held the key, and no other one must take its place.
    """
    row = conn.execute(
        "SELECT h.position, e.event_id FROM oi.head AS h LEFT JOIN oi.event AS e ON e.position = 1"
    ).fetchone()
    assert row is not None
    taille, premier = row
    for ancre in ancres:
        point = ancre.point
        if premier is not None and point.origine != origine_de(premier):
            raise AncreDUnAutreJournal(
                nom=ancre.nom, origine=point.origine, attendue=origine_de(premier)
            )
        if point.taille > taille:
            raise JournalCoupe(nom=ancre.nom, taille=point.taille, compte=taille)


def _signer(
    conn: psycopg.Connection[TupleRow],
    registre: Registre,
    ancres: Sequence[AncreLue],
    cle: Ed25519PrivateKey,
) -> PointSigne:
    """Sign the log as it stands, if it continues every anchor; an anchor of that size is the one.

    Raises: AncreMalSignee, JournalRefait, JournalTroue, TeteContredite.
    """
    row = conn.execute("SELECT position, seal FROM oi.head").fetchone()
    assert row is not None
    taille, tete = row
    for ancre in ancres:
        la_sienne = registre.cle_de(ancre.point.taille)
        if la_sienne is None or not ancre.signe.est_de(octets_de_cle(la_sienne)):
            raise AncreMalSignee(nom=ancre.nom, taille=ancre.point.taille)
    racine = _racine_continue(conn, taille, tete, ancres)
    if ancres and ancres[-1].point.taille == taille:
        return ancres[-1].signe  # A stop came between its file and its event.
    point = Point(
        origine=cles.lire_origine(conn),
        taille=taille,
        racine=racine,
        instant=clock.now().replace(microsecond=0),
        sceau=tete,
    )
    return point.signe(cle)


def _racine_continue(
    conn: psycopg.Connection[TupleRow], taille: int, tete: bytes, ancres: Sequence[AncreLue]
) -> bytes:
    """Return the root of the log, which passes by the root and the seal of each anchor."""
    arbre, restent, sceau = Arbre(), list(ancres), b""
    for sceau in _sceaux(conn, taille):
        arbre.ajouter(sceau)
        while restent and restent[0].point.taille == arbre.taille:
            _exiger_la_meme(restent.pop(0), arbre.racine(), sceau)
    if sceau != tete:
        raise TeteContredite(taille=taille)
    return arbre.racine()


def _exiger_la_meme(ancre: AncreLue, racine: bytes, sceau: bytes) -> None:
    point = ancre.point
    if point.racine != racine:
        raise JournalRefait(nom=ancre.nom, taille=point.taille, difference="la racine")
    if point.sceau != sceau:
        raise JournalRefait(nom=ancre.nom, taille=point.taille, difference="le sceau")


def _sceaux(conn: psycopg.Connection[TupleRow], taille: int) -> Iterator[bytes]:
    """Yield the seals as they are stored, in their order. Raises: JournalTroue."""
    for premier in range(1, taille + 1, _LOT):
        dernier = min(premier + _LOT - 1, taille)
        row = conn.execute(
            """
            SELECT string_agg(e.seal, ''::bytea ORDER BY e.position), count(*)
            FROM oi.event AS e WHERE e.position BETWEEN %s AND %s
            """,
            (premier, dernier),
            binary=True,
        ).fetchone()
        assert row is not None
        lot, nombre = row
        if nombre != dernier - premier + 1:
            raise JournalTroue(position=_premier_absent(conn, premier, dernier))
        for debut in range(0, len(lot), TAILLE_HACHE):
            yield lot[debut : debut + TAILLE_HACHE]


def _premier_absent(conn: psycopg.Connection[TupleRow], premier: int, dernier: int) -> int:
    row = conn.execute(
        """
        SELECT min(n) FROM generate_series(%s::bigint, %s) AS n
        WHERE NOT EXISTS (SELECT FROM oi.event AS e WHERE e.position = n)
        """,
        (premier, dernier),
    ).fetchone()
    assert row is not None
    return int(row[0])


# --- Sending -------------------------------------------------------------------------------------


def _envoyer(
    dossier: Path,
    signe: PointSigne,
    cle: str,
    destinations: Destinations,
    manque: str | None,
) -> tuple[DestinationAncre, ...]:
    """Put a point in the folder, have it dated, send it; return what became of each.

    Raises: DossierDesAncresInaccessible when it could be put nowhere.
    """
    nom, octets = nom_de_fichier(signe.point.taille), signe.texte.encode()
    refus = ecrire_nouveau(dossier, nom, octets)
    pieces = {nom: octets}
    parti = [_destination("fichier", nom, refus, manque and f"{manque} n’y était plus")]
    if destinations.horodatage is not None:
        parti.append(_dater(dossier, nom, pieces, destinations.horodatage))
    if destinations.courriel is not None:
        message = message_de(signe, octets_de_cle(cle), pieces)
        for adresse, raison in destinations.courriel.envoyer(message).items():
            parti.append(_destination("courriel", masquee(adresse), raison))
    for destination in parti:
        if not destination.reussi:
            log.error("ancrage_incomplet", ancre=nom, ou=destination.ou, raison=destination.detail)
    if not any(d.reussi for d in parti):
        raise DossierDesAncresInaccessible(dossier=dossier, raison=refus)
    return tuple(parti)


def _dater(
    dossier: Path, nom: str, pieces: dict[str, bytes], horodateur: Horodateur
) -> DestinationAncre:
    """Have a point dated, keep the token beside it, and join it to what is sent."""
    jeton = nom_du_jeton(nom)
    try:
        pieces[jeton] = horodateur.dater(pieces[nom]).octets
    except HorodatageManque as manque:
        return _destination("horodatage", horodateur.serveur, str(manque.details["raison"]))
    refus = ecrire_nouveau(dossier, jeton, pieces[jeton])
    return _destination(
        "horodatage", horodateur.serveur, refus and f"obtenu, mais pas gardé : {refus}"
    )


def _destination(
    nature: Literal["fichier", "courriel", "horodatage"],
    ou: str,
    refus: str | None,
    remarque: str | None = None,
) -> DestinationAncre:
    return DestinationAncre(nature=nature, ou=ou, reussi=refus is None, detail=refus or remarque)


def _noter(
    service: Service,
    acte: Acte,
    commande: AncrerJournal,
    signe: PointSigne,
    cle: str,
    parti: tuple[DestinationAncre, ...],
) -> Outcome:
    point = signe.point

    def work(unit: Unit) -> None:
        registre = unit.find(REGISTRE, REGISTRE_ID)
        faits = noter(
            registre,
            commande,
            point.taille,
            en_base64(point.racine),
            ecrire_instant(point.instant),
            cle,
            parti,
        )
        unit.record(REGISTRE, REGISTRE_ID, faits)

    return service.journal.execute(acte, work)
