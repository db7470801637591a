"""Accounts opened without an administrator: the first one, and the people of a demonstration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.compte import ouverture, roles
from aggregates.compte.state import COMPTE
from oi_service import clock
from oi_service.acces.acces import Acces, Fiche, lire_courriel
from oi_service.acces.refus import CompteSansAcces, CourrielDejaPris
from oi_service.acces.secrets import tirer_code
from oi_service.application import Acte, Service, Unit
from oi_service.errors import Conflict, Refusal
from oi_service.ids import compte_of
from projections import comptes as projection

#: Who opens them: nobody who could sign in.
_PAR = "systeme"
#: Addresses of the demonstration; the domain is nobody's (RFC 2606).
DOMAINE_DEMONSTRATION = "demo.example"


class AdministrateurExiste(Conflict):
    """Un administrateur est déjà en fonction ({identifiants}) : c’est à lui d’ouvrir les comptes.
    S’il ne peut plus entrer, « oi reactiver » lui donne un nouveau code ; « --malgre » en crée un
    autre.
    """


@dataclass(frozen=True, slots=True)
class Attribue:
    """A role to give, on the whole OI or on some PLIE."""

    role: str
    plies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompteNeuf:
    """An account just opened, and the code that lets its person in, told once."""

    identifiant: str
    courriel: str
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entree:
    """How to come in the demonstration: one password for all, told once and kept nowhere else."""

    mot_de_passe: str = field(repr=False)
    types: tuple[tuple[str, tuple[Attribue, ...]], ...]  #: an address of each kind
    autres: tuple[str, ...]  #: addresses of the others who acted


def creer_administrateur(
    service: Service, courriel: str, nom: str, *, malgre: bool = False
) -> CompteNeuf:
    """Open the account of an administrator, the first one unless ``malgre``.

    Raises: AdministrateurExiste, CourrielIllisible, CourrielDejaPris.
    """
    with service.reads.connection() as conn:
        en_place = projection.administrateurs(conn)
        noms = [c.identifiant for c in projection.comptes(conn) if c.stream_id in en_place]
    if noms and not malgre:
        raise AdministrateurExiste(identifiants=", ".join(noms))
    _liberer(service.acces, courriel)
    identifiant = service.acces.tirer_identifiant()
    code = service.acces.enregistrer(identifiant, courriel, nom, par=_PAR)
    try:
        ouvrir_au_journal(service, identifiant, [Attribue("administrateur")], clock.today())
    except Refusal:
        service.acces.effacer(identifiant, par=_PAR)
        raise
    return CompteNeuf(identifiant, lire_courriel(courriel), code)


def _liberer(acces: Acces, courriel: str) -> None:
    """Drop the access that a command cut short left without account."""
    lu = lire_courriel(courriel)
    for fiche in acces.fiches():
        if fiche.courriel == lu:
            if fiche.statut is not None:
                raise CourrielDejaPris
            acces.effacer(fiche.identifiant, par=_PAR)


def reactiver(service: Service, qui: str, *, second_facteur: bool = False) -> CompteNeuf:
    """Give a new activation code to an account, told by its identifier or its e-mail address.

    Args:
        service: where it is.
        qui: the account.
        second_facteur: also take its second factor away.

    Raises: CompteSansAcces.
    """
    fiche = trouver(service.acces, qui)
    if second_facteur:
        service.acces.retirer_second_facteur(fiche.identifiant, par=_PAR)
    code = service.acces.reactiver(fiche.identifiant, par=_PAR)
    return CompteNeuf(fiche.identifiant, fiche.courriel, code)


def trouver(acces: Acces, qui: str) -> Fiche:
    """Return the access of an account, told by its identifier or its e-mail address.

    Raises: CompteSansAcces.
    """
    cherche = qui.strip().lower()
    for fiche in acces.fiches():
        if cherche in {fiche.identifiant.lower(), fiche.courriel}:
            return fiche
    raise CompteSansAcces(identifiant=qui)


# --- The log -------------------------------------------------------------------------------------


def ouvrir_au_journal(
    service: Service, identifiant: str, attribues: Sequence[Attribue], le: date
) -> None:
    """Open an account and give it its roles, in the log alone: nobody can sign in by it yet."""
    service.journal.execute(
        Acte(_PAR, "systeme"), lambda unit: _ouvrir(unit, identifiant, attribues, le)
    )


def _ouvrir(unit: Unit, identifiant: str, attribues: Sequence[Attribue], le: date) -> None:
    """Open an account and give it its roles, at once."""
    flux = compte_of(identifiant)
    demande = ouverture.OuvrirCompte(date_effet=le, identifiant=identifiant)
    unit.create(COMPTE, flux, ouverture.ouvrir, demande)
    with unit.lecture() as conn:
        plies = frozenset(plie.plie_id for plie in projection.plies_connus(conn))
    for attribue in attribues:
        commande = roles.AttribuerRole.model_validate(
            {"date_effet": le, "role": attribue.role, "plies": attribue.plies, "du": le}
        )
        attribution_id = unit.new_id(f"attribution/{attribue.role}")
        unit.execute(COMPTE, flux, roles.attribuer, commande, attribution_id, _PAR, plies)


# --- The demonstration ---------------------------------------------------------------------------


def ouvrir_comptes_de_demonstration(service: Service) -> Entree:
    """Open an account of each kind and one for whoever acted, and give all of them one password.

    Done again, the accounts are those of before and the password is another: it is kept nowhere.
    """
    with service.reads.connection() as conn:
        types = _types(conn)
        autres = _autres(conn, types)
        premier = _premier_jour(conn)
        ouverts = {compte.identifiant for compte in projection.comptes(conn)}
    connus = {fiche.identifiant for fiche in service.acces.fiches()}
    mot_de_passe = tirer_code()
    for identifiant, attribues in {**types, **autres}.items():
        if identifiant not in ouverts:
            ouvrir_au_journal(service, identifiant, attribues, premier)
        courriel = _courriel(identifiant)
        if identifiant in connus:
            code = service.acces.reactiver(identifiant, par=_PAR)
        else:
            code = service.acces.enregistrer(identifiant, courriel, _nom(identifiant), par=_PAR)
        service.acces.activer(courriel, code, mot_de_passe)
    if _PARTI not in ouverts:
        _raconter_un_depart(service)
    return Entree(
        mot_de_passe,
        tuple((_courriel(qui), attribues) for qui, attribues in types.items()),
        tuple(map(_courriel, autres)),
    )


#: Somebody who came, was lent by a PLIE, and left: what an administrator does is all there.
_PARTI = "gestionnaire-parti"


def _raconter_un_depart(service: Service) -> None:
    le = clock.today()
    ouvrir_au_journal(service, _PARTI, [Attribue("gestionnaire_oi")], le)
    service.journal.execute(Acte(_PAR, "systeme"), lambda unit: _partir(unit, le))


def _partir(unit: Unit, le: date) -> None:
    flux = compte_of(_PARTI)
    (attribution_id,) = unit.get(COMPTE, flux).roles
    with unit.lecture() as conn:
        plies = [plie.plie_id for plie in projection.plies_connus(conn)]
    motif = {"date_effet": le, "motif": "Départ (démonstration)"}
    etat = ouverture.ChangerEtatCompte.model_validate(motif)
    for plie_id in plies[:1]:
        mise_id = unit.new_id("mise")
        prete = roles.NoterMiseADisposition(date_effet=le, plie_id=plie_id, du=le)
        rendu = roles.LeverMiseADisposition.model_validate(motif)
        unit.execute(
            COMPTE, flux, roles.noter_mise_a_disposition, prete, mise_id, _PAR, frozenset(plies)
        )
        unit.execute(COMPTE, flux, roles.lever_mise_a_disposition, rendu, mise_id, _PAR)
    unit.execute(COMPTE, flux, ouverture.suspendre, etat, _PAR, dernier_administrateur=False)
    unit.execute(COMPTE, flux, ouverture.retablir, etat, _PAR)
    retrait = roles.RetirerRole.model_validate(motif)
    unit.execute(
        COMPTE, flux, roles.retirer, retrait, attribution_id, _PAR, dernier_administrateur=False
    )
    unit.execute(COMPTE, flux, ouverture.fermer, etat, _PAR, dernier_administrateur=False)


Distribution = dict[str, tuple[Attribue, ...]]


def _types(conn: Connection[TupleRow]) -> Distribution:
    """Return an account of each kind."""
    plies = [plie.plie_id for plie in projection.plies_connus(conn)]
    return {
        "gestionnaire-1": (Attribue("gestionnaire_oi"),),
        "valideur-1": (Attribue("valideur_oi"),),
        "comptable-1": (Attribue("comptable_oi"),),
        "ordonnateur-1": (Attribue("ordonnateur_oi"),),
        "directeur-1": (Attribue("directeur_plie", tuple(plies[:1])),),
        "directeur-2": (Attribue("directeur_plie", tuple(plies[:2])),),
        "auditeur-1": (Attribue("auditeur"),),
        "administrateur-1": (Attribue("administrateur"),),
    }


def _autres(conn: Connection[TupleRow], types: Distribution) -> Distribution:
    """Return the others who acted, and the roles in which they did."""
    plies = [plie.plie_id for plie in projection.plies_connus(conn)]
    acteurs = conn.execute(
        "SELECT e.acteur, array_agg(DISTINCT e.role) FROM oi.event AS e "
        "WHERE e.role <> 'systeme' GROUP BY e.acteur ORDER BY e.acteur"
    )
    return {
        acteur: tuple(_des_roles(acteur, tenus, plies))
        for acteur, tenus in acteurs
        if acteur not in types
    }


def _des_roles(acteur: str, tenus: Iterable[str], plies: Sequence[str]) -> Iterable[Attribue]:
    """Yield the roles in which somebody acted; a director is named after their PLIE."""
    sien = acteur.partition("-")[2]
    for role in tenus:
        if role != "directeur_plie":
            yield Attribue(role)
        elif sien in plies:
            yield Attribue(role, (sien,))


def _premier_jour(conn: Connection[TupleRow]) -> date:
    row = conn.execute("SELECT min(date_effet) FROM oi.event").fetchone()
    assert row is not None
    return row[0] or clock.today()


def _courriel(identifiant: str) -> str:
    return f"{identifiant}@{DOMAINE_DEMONSTRATION}"


def _nom(identifiant: str) -> str:
    genre, _, rang = identifiant.partition("-")
    numero = f"n° {rang}" if rang.isdigit() else rang.replace("_", " ")
    return f"{genre.capitalize()} {numero} (fictif)"
