"""The log, one line an event, and one event with all that its seal covers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse
from psycopg import Connection, sql
from psycopg.rows import TupleRow
from pydantic import TypeAdapter

from api.deps import Lecture, LectureOuverte, ServiceOuvert
from api.filters import entier, euros
from api.pages.ecriture import phrase
from api.pages.formulaires import Defaut, SaisieRefusee, page
from api.pages.noms_des_faits import dire_le_nom
from api.tableaux import Cellule, Colonne, Ligne, Tableau, liens
from oi_service.clock import PARIS
from oi_service.codec import REGISTRY
from oi_service.dates import Jour
from oi_service.preuve.ancres import lister
from oi_service.preuve.forme import ENREGISTREMENT, SCEAU_INITIAL, sceau
from projections.curseurs import CurseurInvalide
from projections.histoire import ROLES
from projections.journal import EvenementLu, evenement, journal
from projections.perimetre import Perimetre

router = APIRouter()

_LIMITE = 50
#: Events of the same act that are named.
_VOISINS = 12
_POSITION_MAX = 10**12 - 1


# --- The list ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filtres:
    """Which events, as the address says it, and as it is read."""

    acteur: str = ""
    nom: str = ""
    dossier: str = ""
    du: str = ""
    au: str = ""
    lu_du: date | None = None
    lu_au: date | None = None
    operation_id: UUID | None = None
    refus: tuple[Defaut, ...] = ()

    @property
    def export(self) -> dict[str, str | UUID | None]:
        """What the file of the same lines is asked by."""
        return {
            "acteur": self.acteur,
            "nom": self.nom,
            "operation_id": self.operation_id,
            "du": self.du,
            "au": self.au,
        }

    @property
    def requete(self) -> dict[str, str]:
        """What an address must repeat."""
        demande = {
            "acteur": self.acteur,
            "nom": self.nom,
            "dossier": self.dossier,
            "du": self.du,
            "au": self.au,
        }
        return {nom: valeur for nom, valeur in demande.items() if valeur}


def filtres_du_journal(
    lecture: Lecture,
    acteur: Annotated[str, Query(max_length=64)] = "",
    nom: Annotated[str, Query(max_length=100)] = "",
    dossier: Annotated[str, Query(max_length=64)] = "",
    du: Annotated[str, Query(max_length=20)] = "",
    au: Annotated[str, Query(max_length=20)] = "",
) -> Filtres:
    """Read the filters; what cannot be read is said beside its field."""
    refus: list[Defaut] = []
    dossier = dossier.strip()
    operation_id = _operation(lecture.conn, lecture.perimetre, dossier) if dossier else None
    if dossier and operation_id is None:
        refus.append(Defaut(f"Aucun dossier ne porte le numéro « {dossier} ».", "dossier"))
    jours: dict[str, date | None] = {}
    for champ, ecrit in (("du", du.strip()), ("au", au.strip())):
        try:
            jours[champ] = TypeAdapter(Jour).validate_python(ecrit) if ecrit else None
        except ValueError:
            jours[champ] = None
            refus.append(Defaut(f"« {ecrit} » n’est pas un jour : AAAA-MM-JJ.", champ))
    return Filtres(
        acteur=acteur.strip(),
        nom=nom if nom in NOMS else "",
        dossier=dossier,
        du=du.strip(),
        au=au.strip(),
        lu_du=jours["du"],
        lu_au=jours["au"],
        operation_id=operation_id,
        refus=tuple(refus),
    )


FiltresDuJournal = Annotated[Filtres, Depends(filtres_du_journal)]


def _operation(conn: Connection[TupleRow], perimetre: Perimetre, numero: str) -> UUID | None:
    row = conn.execute(
        """
        SELECT o.id FROM projection.operation AS o
        WHERE (o.numero_mdfse = %(numero)s OR o.id::text = lower(%(numero)s))
            AND (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
        """,
        {"numero": numero, "plies": perimetre.liste},
    ).fetchone()
    return None if row is None else row[0]


#: The names of facts that the journal shows; the working files of auditors are read apart.
NOMS: Mapping[str, str] = {
    nom: dire_le_nom(nom) for nom in sorted(REGISTRY.names.values()) if not nom.startswith("audit.")
}

_COLONNES = (
    Colonne("numero", "N°", "nombre"),
    Colonne("enregistre", "Enregistré le", "instant"),
    Colonne("effet", "Effet", "jour", aide="Jour à partir duquel le fait compte."),
    Colonne("acteur", "Par"),
    Colonne("fait", "Fait"),
)


def _ligne(lu: EvenementLu) -> Ligne:
    return Ligne(
        {
            "numero": Cellule(lu.position, lien=f"/evenements/{lu.position}"),
            "enregistre": Cellule(lu.enregistre_le.astimezone(PARIS)),
            "effet": Cellule(lu.date_effet),
            "acteur": Cellule(lu.acteur, precision=ROLES.get(lu.role, lu.role)),
            "fait": Cellule(phrase(lu.phrase), precision=dire_le_nom(lu.name)),
        },
        ancre=f"evenement-{lu.position}",
    )


def _lire(
    lecture: LectureOuverte, filtres: Filtres, apres: str | None, limite: int
) -> tuple[tuple[EvenementLu, ...], str | None]:
    if filtres.refus:
        return (), None
    lus = journal(
        lecture.conn,
        lecture.perimetre,
        operation_id=filtres.operation_id,
        nom=filtres.nom or None,
        acteur=filtres.acteur or None,
        du=filtres.lu_du,
        au=filtres.lu_au,
        limite=limite,
        apres=apres,
    )
    return lus.lignes, lus.suivant


@router.get("/audit/journal", name="page_journal")
def page_journal(
    request: Request,
    lecture: Lecture,
    filtres: FiltresDuJournal,
    apres: Annotated[str | None, Query(max_length=200)] = None,
) -> HTMLResponse:
    """Affiche le journal, le dernier fait d’abord."""
    try:
        lus, suivant = _lire(lecture, filtres, apres, _LIMITE)
    except CurseurInvalide:
        # An address that was cut shows the page as it opens.
        apres = None
        lus, suivant = _lire(lecture, filtres, None, _LIMITE)
    base = f"/audit/journal?{urlencode(filtres.requete)}" if filtres.requete else "/audit/journal"
    return page(
        request,
        "audit_journal.html",
        SaisieRefusee(filtres.refus) if filtres.refus else None,
        filtres=filtres,
        noms=list(NOMS.items()),
        tableau=Tableau("Journal", _COLONNES, [_ligne(lu) for lu in lus]) if lus else None,
        suite=f"/audit/journal?{urlencode({**filtres.requete, 'apres': suivant})}"
        if suivant
        else None,
        debut=base if apres else None,
        fichiers=liens("/exports/journal", filtres.export),
    )


# --- One event -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scelle:
    """The seal of an event: as it is kept, and as it is computed again from its bytes."""

    sceau: str
    precedent: str | None  #: unknown to who does not see the event before
    tient: bool | None


@dataclass(frozen=True, slots=True)
class PieceVue:
    """A document of an event."""

    libelle: str
    sha256: str
    lien: str | None


def lire_sceau(conn: Connection[TupleRow], position: int) -> Scelle:
    """Compute the seal of an event again, and compare it with the one that is kept."""
    row = conn.execute(
        sql.SQL(
            """
            SELECT {enregistrement}, e.seal,
                (SELECT p.seal FROM oi.event AS p WHERE p.position = e.position - 1)
            FROM oi.event AS e WHERE e.position = %s
            """
        ).format(enregistrement=sql.SQL(ENREGISTREMENT)),
        (position,),
    ).fetchone()
    assert row is not None
    octets, garde, avant = row
    precedent = SCEAU_INITIAL if position == 1 else avant
    tient = None if precedent is None else sceau(bytes(precedent), bytes(octets)) == bytes(garde)
    return Scelle(bytes(garde).hex(), None if avant is None else bytes(avant).hex(), tient)


def _dossier_de(conn: Connection[TupleRow], perimetre: Perimetre, lu: EvenementLu) -> str | None:
    """Return the number of the dossier that an event belongs to, when it belongs to one."""
    rows = conn.execute(
        """
        SELECT o.id, o.numero_mdfse FROM projection.operation AS o
        WHERE (%(plies)s::text[] IS NULL OR o.plie_id = ANY(%(plies)s))
            AND (o.id = %(flux)s
                OR o.id = (SELECT d.operation_id FROM projection.depense AS d WHERE d.id = %(flux)s)
                OR o.id::text = (
                    SELECT n.data ->> 'operation_id' FROM oi.event AS n
                    WHERE n.stream_id = %(flux)s AND n.version = 1))
        """,
        {"plies": perimetre.liste, "flux": lu.stream_id},
    ).fetchall()
    return next((row[1] for row in rows), None)


def _meme_acte(
    conn: Connection[TupleRow], perimetre: Perimetre, lu: EvenementLu
) -> tuple[int, ...]:
    """Return the other events of the same act that the reader sees."""
    rows = (
        conn.execute(
            "SELECT c.first_position, c.last_position FROM oi.command AS c WHERE c.command_id = %s",
            (lu.command_id,),
        ).fetchall()
        if perimetre.plie_ids is None
        else []
    )
    return tuple(
        n for premier, dernier in rows for n in range(premier, dernier + 1) if n != lu.position
    )


@router.get("/evenements/{position}", name="page_evenement")
def page_evenement(
    request: Request,
    position: Annotated[int, Path(ge=1, le=_POSITION_MAX)],
    lecture: Lecture,
    service: ServiceOuvert,
) -> HTMLResponse:
    """Affiche un événement, toute son enveloppe et son sceau."""
    conn, perimetre = lecture.conn, lecture.perimetre
    lu = evenement(conn, perimetre, position)
    row = conn.execute("SELECT position FROM oi.head").fetchone()
    assert row is not None
    ancre = next(
        (
            a
            for a in lister(conn, service.lieux.ancres)
            if a.taille is not None and a.taille >= position
        ),
        None,
    )
    numero = _dossier_de(conn, perimetre, lu)
    voisins = _meme_acte(conn, perimetre, lu)
    return page(
        request,
        "audit_evenement.html",
        lu=lu,
        phrase=phrase(lu.phrase),
        nom=dire_le_nom(lu.name),
        role=ROLES.get(lu.role, lu.role),
        enveloppe=_enveloppe(lu),
        contenu=_lisible(json.loads(lu.data)),
        brut=lu.data,
        pieces=[
            PieceVue(
                piece.libelle,
                piece.sha256,
                f"/api/v1/pieces/{piece.sha256}" if service.pieces.contient(piece.sha256) else None,
            )
            for piece in lu.fait.pieces
        ],
        scelle=lire_sceau(conn, position),
        ancre=None if ancre is None or ancre.taille is None else entier(ancre.taille),
        numero=numero,
        rejouer=None
        if numero is None
        else f"/audit/rejeu?{urlencode({'dossier': numero, 'connu_le': position})}",
        voisins=voisins[:_VOISINS],
        autres_voisins=max(0, len(voisins) - _VOISINS),
        precedent=position - 1 if position > 1 else None,
        suivant=position + 1 if position < row[0] else None,
    )


def _enveloppe(lu: EvenementLu) -> list[tuple[str, str]]:
    dits: list[tuple[str, str | None]] = [
        ("Nom", lu.name),
        ("Flux", str(lu.stream_id)),
        ("Version dans le flux", entier(lu.version)),
        ("Identifiant", str(lu.event_id)),
        ("Organisme", lu.oi_id),
        ("Règlement", lu.reglement),
        ("Acte (clé d’idempotence)", str(lu.command_id)),
        ("Corrélation", str(lu.correlation_id)),
        ("Cause", None if lu.cause_id is None else str(lu.cause_id)),
        ("Motif", lu.motif),
    ]
    return [(nom, valeur) for nom, valeur in dits if valeur is not None]


def _lisible(contenu: Any, chemin: str = "") -> list[tuple[str, str, str | None]]:
    """Return what a fact says as lines: a name, a value, its euros; the exact text has the rest."""
    if isinstance(contenu, dict):
        return [
            ligne
            for nom, valeur in contenu.items()
            for ligne in _lisible(valeur, f"{chemin} · {nom}" if chemin else nom)
        ]
    if isinstance(contenu, list):
        return [
            ligne
            for rang, valeur in enumerate(contenu, 1)
            for ligne in _lisible(valeur, f"{chemin} · {rang}")
        ]
    return [] if contenu is None else [(chemin, _dire(contenu), _en_euros(chemin, contenu))]


def _en_euros(chemin: str, valeur: object) -> str | None:
    """Write an amount as people read it; nothing for what is none."""
    return euros(valeur) if chemin.endswith("_centimes") and isinstance(valeur, int) else None


def _dire(valeur: object) -> str:
    if isinstance(valeur, bool):
        return "oui" if valeur else "non"
    return str(valeur)
