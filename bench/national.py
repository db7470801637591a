"""A national log: the OI of a whole country over seven years, copied from lives really played.

`python -m bench.national --evenements 1000000 --base DOSSIER` fills an empty database. A few lives
of an OI are played through the commands of the API in scratch databases. Each OI of the country is
then some copies of them, line by line: other identifiers, numbers and PLIE, other years, one
subvention globale for all. What happens at the same time is interleaved, the lines go straight into
the log, and the projections are rebuilt from it. The same seed gives the same log.

One thing does not survive the copy: a sample cannot be drawn again, as its dépenses have other
identifiers.
"""

import argparse
import json
import re
import resource
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import blake2b
from heapq import merge
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import Connection, Copy

from aggregates.cadre import RESERVE, Cellule, LigneMaquette
from aggregates.subvention_globale.events import (
    AvenantSubventionGlobaleSigne,
    EnveloppePlieNotifiee,
    LigneTranche,
    Plie,
    ReserveConstituee,
    SubventionGlobaleConventionnee,
    TrancheOuverte,
)
from oi_service.app import DATABASE, open_service
from oi_service.codec import REGISTRY, Evenement
from oi_service.database import ensure_database, ensure_service_role, migrate
from oi_service.dates import Periode
from oi_service.demo.generateur import siret
from oi_service.demo.vie import jouer
from oi_service.ids import convention_of
from oi_service.lieux import Lieux
from oi_service.postgres import embedded_server
from oi_service.preuve.forme import COLONNES, ENREGISTREMENT
from projections.rebuild import rebuild

#: Different lives that are played; the copies take them in turn.
VIES = 3
#: What an OI writes in seven years, on average.
EVENEMENTS_PAR_OI = 50_000
#: The OI of a country; they serve 71 PLIE.
NATION = 20
#: A life fills two tranches: copies one year apart fill all seven.
TRANCHES = range(2016, 2023)
_ANNEE_JOUEE = 2021
_DECALAGES = [tranche - _ANNEE_JOUEE for tranche in TRANCHES[:-1]]
#: Which PLIE of the life become one. Money moves from « portes_du_sud » to « bordeaux ».
_GROUPES = {
    "bordeaux": 0,
    "portes_du_sud": 1,
    "agenais": 2,
    "haut_perigord": 0,
    "sources": 2,
    "espace_technowest": 3,
    "grand_perigueux": 3,
}
#: An odd number: its multiples are all different in 32 bits.
_PAS_DES_SELS = 0x9E3779B1
#: What the service says of itself, and what an OI took over from the years before the service.
_NON_COPIES = ["registre", "reprise"]
_LIGNES_PAR_ENVOI = 2_000

#: Facts of the subvention globale that the copies of an OI share: they are added up.
Maquette = (
    SubventionGlobaleConventionnee
    | AvenantSubventionGlobaleSigne
    | TrancheOuverte
    | EnveloppePlieNotifiee
    | ReserveConstituee
)


class Trou(NamedTuple):
    """A hole in a text: the first 32 bits of an identifier, or a word that each copy changes."""

    quoi: int | str


class Gabarit(NamedTuple):
    """A line with holes."""

    format: str
    trous: tuple[int | str, ...]

    def remplir(self, sel: int, mots: dict[str, str]) -> str:
        """Return the line of a copy; ``sel`` makes its identifiers different."""
        return self.format % tuple([t ^ sel if isinstance(t, int) else mots[t] for t in self.trous])


class Ligne(NamedTuple):
    """An event without its position; on the subvention globale, without its version either."""

    gabarit: Gabarit
    sur_la_subvention: bool


class Commande(NamedTuple):
    """A command: when it was recorded, its own line without its positions, and its events."""

    instant: datetime
    entete: Gabarit
    lignes: tuple[Ligne, ...]


@dataclass(frozen=True, slots=True)
class Noms:
    """What a copy calls otherwise."""

    subvention_id: str
    oi_id: str
    oi_nom: str
    operations: tuple[UUID, ...]
    beneficiaires: tuple[tuple[str, str], ...]  #: SIRET and name
    appels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vie:
    """A life that was played."""

    noms: Noms
    maquette: tuple[Maquette, ...]
    commandes: tuple[Commande, ...]


@dataclass(slots=True)
class Oi:
    """An OI of the country. ``version``: the last one of its subvention globale."""

    numero: int
    subvention_id: UUID
    plie: tuple[str, ...]
    version: int = 0

    @property
    def oi_id(self) -> str:
        """Its identifier."""
        return f"oi_{self.numero:03d}"

    @property
    def nom(self) -> str:
        """Its name, invented."""
        return f"OI fictif n° {self.numero:03d}"

    def du_plie(self, plie_id: str) -> str:
        """Return which of its PLIE takes the place of one of the life."""
        return self.plie[_GROUPES[plie_id] % len(self.plie)]


@dataclass(frozen=True, slots=True)
class Copie:
    """The commands that an OI gives, some years away; ``rang`` is its place in the country."""

    oi: Oi
    rang: int
    vie: Vie
    annees: int


class Source(NamedTuple):
    """Commands in the order of time, and how to fill their holes."""

    oi: Oi
    commandes: Iterable[tuple[datetime, Commande]]
    sel: int
    mots: dict[str, str]


@dataclass(frozen=True, slots=True)
class Ecrit:
    """How much was written."""

    evenements: int
    commandes: int
    dernier: datetime


# 1. The lives: played, then cut into lines with holes.

#: In a text: the head of an identifier or of a digest; the year of a number, of a day, of a label.
_PARTIES = re.compile(
    r"(?P<tete>^[0-9a-f]{8})"
    r"(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|[0-9a-f]{56}$)"
    r"|(?P<numero>F20\d\d)(?=\d{4})"
    r"|(?<!\d)(?P<bissextile>20\d\d)-02-29"
    r"|(?<!\d)(?P<jour>20\d\d)(?=-\d\d-\d\d)"
    r"|(?<![\d.])(?P<libelle>202[123])(?![\d.])"
)
#: In a payload: a string, with the colon that makes it a key; or the year of a line.
_CHAINES = re.compile(r'"((?:[^"\\]|\\.)*)"(:?)|(?<="annee": )(20\d\d)')
#: What COPY and the format read otherwise.
_ECHAPPEMENTS = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "%": "%%"})
_COLONNES = (
    "position, stream_id, version, event_id, name, data, date_effet, enregistre_le, acteur, role, "
    "oi_id, reglement, motif, pieces, command_id, correlation_id, cause_id"
)

Morceaux = list[str | Trou]


def jouer_les_vies(graines: Sequence[int]) -> list[Vie]:
    """Play lives in scratch databases, two at a time, and read them."""
    # Directly in the temporary folder: as root, the server runs under another account.
    base = Path(tempfile.mkdtemp(prefix="oi-vies-"))
    base.rmdir()
    try:
        with embedded_server(base, durable=False) as serveur, ProcessPoolExecutor(2) as joueurs:
            return list(joueurs.map(partial(_jouer, serveur), graines))
    finally:
        shutil.rmtree(base)


def _jouer(serveur: str, graine: int) -> Vie:
    conninfo = ensure_database(serveur, f"vie_{graine}")
    migrate(conninfo)
    # The files of its documents are not copied: only their digests are in the log.
    with (
        tempfile.TemporaryDirectory() as lieux,
        open_service(conninfo, Lieux.sous(Path(lieux))) as service,
    ):
        jouer(service, graine=graine, progres=lambda *_: None)
    with psycopg.connect(conninfo) as conn:
        return lire_la_vie(conn, graine)


def lire_la_vie(conn: Connection[Any], graine: int) -> Vie:
    """Cut the log of a life into lines with holes."""
    faits = conn.execute(
        "SELECT e.*, c.fingerprint FROM oi.command AS c INNER JOIN ("
        " SELECT position, stream_id::text, version, name, data::text, date_effet, acteur, role,"
        " oi_id, reglement, motif, pieces::text, command_id, correlation_id::text, cause_id::text"
        " FROM oi.event WHERE split_part(name, '.', 1) <> ALL (%s)) AS e USING (command_id)"
        " ORDER BY e.position",
        (_NON_COPIES,),
    )
    noms_colonnes = [colonne.name for colonne in faits.description or ()]
    lus = [dict(zip(noms_colonnes, fait, strict=True)) for fait in faits]
    maquette = {}
    for fait in lus:
        if fait["name"].startswith("subvention_globale."):
            lu = REGISTRY.decode(fait["name"], fait["data"], str(fait["date_effet"]), None, None)
            if isinstance(lu, Maquette):
                maquette[fait["position"]] = lu
    noms = _noms(lus, next(iter(maquette.values())))
    entiers = frozenset(_mots_entiers(noms, Oi(0, UUID(int=0), ("",)), 0, 0, 0))
    commandes: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for fait in lus:
        if fait["position"] not in maquette:
            commandes[fait["command_id"]].append(fait)
    instants = _instants(
        {cle: max(fait["date_effet"] for fait in lies) for cle, lies in commandes.items()}
    )
    return Vie(
        noms,
        tuple(maquette.values()),
        tuple(
            _commande(instant, lies, noms.subvention_id, entiers, graine)
            for instant, lies in zip(instants, commandes.values(), strict=True)
        ),
    )


def _noms(faits: list[dict[str, Any]], convention: Maquette) -> Noms:
    assert isinstance(convention, SubventionGlobaleConventionnee)
    deposes = {
        UUID(f["stream_id"]): json.loads(f["data"])["beneficiaire"]
        for f in faits
        if f["name"] == "operation.dossier_depose.v1"
    }
    publies = [f["data"] for f in faits if f["name"] == "appel_a_projets.publie.v1"]
    return Noms(
        subvention_id=str(convention.cadre.subvention_globale_id),
        oi_id=convention.cadre.oi_id,
        oi_nom=convention.oi_nom,
        operations=tuple(deposes),
        beneficiaires=tuple(sorted({(b["siret"], b["nom"]) for b in deposes.values()})),
        appels=tuple(json.loads(publie)["numero"] for publie in publies),
    )


def _instants(jours: dict[UUID, date]) -> Iterator[datetime]:
    """Give each command an instant: some are recorded days after their effect, none overtakes."""
    vus: list[date] = []
    for cle, jour in jours.items():
        connu = jour + timedelta(days=cle.bytes[15] % 4)
        if (connu.month, connu.day) == (2, 29):  # not every year has it
            connu += timedelta(days=1)
        vus.append(max(connu, vus[-1] if vus else connu))
    par_jour = Counter(vus)
    rangs: Counter[date] = Counter()
    for jour in vus:
        heure = datetime(jour.year, jour.month, jour.day, 7, tzinfo=UTC)
        yield heure + timedelta(hours=9) * rangs[jour] / par_jour[jour]
        rangs[jour] += 1


def _commande(
    instant: datetime,
    faits: list[dict[str, Any]],
    subvention_id: str,
    entiers: frozenset[str],
    graine: int,
) -> Commande:
    lire = partial(morceaux, entiers=entiers)
    lignes = []
    for fait in faits:
        sur_la_subvention = fait["stream_id"] == subvention_id
        version: str | Trou = Trou("version") if sur_la_subvention else str(fait["version"])
        champs: list[Morceaux | None] = [
            lire(fait["stream_id"]),
            [version],
            lire(_identifiant(graine, fait["position"])),
            [fait["name"]],
            list(morceaux_du_fait(fait["data"], entiers)),
            lire(str(fait["date_effet"])),
            [Trou("instant")],
            lire(fait["acteur"]),
            [fait["role"]],
            lire(fait["oi_id"]),
            [fait["reglement"]],
            None if fait["motif"] is None else lire(fait["motif"]),
            list(morceaux_du_fait(fait["pieces"], entiers)),
            lire(str(fait["command_id"])),
            lire(fait["correlation_id"]),
            None if fait["cause_id"] is None else lire(fait["cause_id"]),
        ]
        lignes.append(Ligne(gabarit(champs), sur_la_subvention))
    premier = faits[0]
    entete: list[Morceaux] = [
        lire(str(premier["command_id"])),
        [rf"\x{premier['fingerprint'].hex()}"],
        lire(premier["acteur"]),
    ]
    return Commande(instant, gabarit(entete), tuple(lignes))


def _identifiant(*parties: object) -> str:
    """Return an identifier that is always the same for the same things."""
    texte = "/".join(map(str, parties))
    return str(UUID(bytes=blake2b(texte.encode(), digest_size=16).digest(), version=4))


def morceaux(texte: str, entiers: frozenset[str]) -> Morceaux:
    """Cut what identifies and dates out of a text; ``entiers`` are texts that change whole."""
    if texte in entiers:
        return [Trou(texte)]
    found: Morceaux = []
    lu = 0
    for partie in _PARTIES.finditer(texte):
        found.append(texte[lu : partie.start()])
        quoi, lu = partie[partie.lastgroup or 0], partie.end()
        found.append(Trou(int(quoi, 16) if partie.lastgroup == "tete" else quoi))
        if partie.lastgroup == "bissextile":
            found.append("-02-28")
    found.append(texte[lu:])
    return found


def morceaux_du_fait(texte: str, entiers: frozenset[str]) -> Iterator[str | Trou]:
    """Cut the strings of a payload, never its keys, and of its numbers the years alone."""
    lu = 0
    for chaine in _CHAINES.finditer(texte):
        yield texte[lu : chaine.start()]
        lu = chaine.end()
        if chaine[3]:
            yield Trou(chaine[3])
        elif chaine[2]:
            yield chaine[0]
        else:
            yield from ('"', *morceaux(chaine[1], entiers), '"')
    yield texte[lu:]


def gabarit(champs: Iterable[Iterable[str | Trou] | None]) -> Gabarit:
    """Join columns into a line of COPY."""
    colonnes: list[str] = []
    trous: list[int | str] = []
    for champ in champs:
        if champ is None:
            colonnes.append(r"\N")
            continue
        textes: list[str] = []
        for morceau in champ:
            if isinstance(morceau, Trou):
                textes.append("%08x" if isinstance(morceau.quoi, int) else "%s")
                trous.append(morceau.quoi)
            else:
                textes.append(morceau.translate(_ECHAPPEMENTS))
        colonnes.append("".join(textes))
    return Gabarit("\t".join(colonnes), tuple(trous))


# 2. The country: who copies which life, under which names.


def composer(nombre: int, vies: Sequence[Vie], graine: int) -> list[Source]:
    """Return what each OI of the country did: its own acts on its grant, then its copies."""
    sources = []
    plie = count(1)
    rang = count(1)
    for numero in range(1, nombre + 1):
        place = numero % NATION
        grand = place % 2 == 1 or place == 0  # 11 of 4 PLIE, 9 of 3: 71
        oi = Oi(
            numero,
            UUID(_identifiant(graine, "subvention", numero)),
            tuple(f"plie_{next(plie):03d}" for _ in range(4 if grand else 3)),
        )
        copies = [
            # One year more, another life: two copies of a life never fill the same year.
            Copie(oi, next(rang), vies[(numero + n + tour) % len(vies)], _DECALAGES[place_annee])
            for n in range((10 if place % 4 == 1 else 9) if grand else 7)
            for tour, place_annee in [divmod(n, len(_DECALAGES))]
        ]
        sources.append(_sur_la_subvention(oi, copies, graine))
        sources += [_source(copie, graine) for copie in copies]
    return sources


def _source(copie: Copie, graine: int) -> Source:
    sel = (copie.rang + graine) * _PAS_DES_SELS % 2**32
    mots = _mots_entiers(copie.vie.noms, copie.oi, copie.rang, copie.annees, sel)
    for annee in range(2000, 2100):
        mots[f"{annee}"] = f"{annee + copie.annees}"
        mots[f"F{annee}"] = f"F{annee + copie.annees}{copie.rang:04d}"
    retard = timedelta(microseconds=sel)  # up to 72 minutes
    commandes = (
        (c.instant.replace(year=c.instant.year + copie.annees) + retard, c)
        for c in copie.vie.commandes
    )
    return Source(copie.oi, commandes, sel, mots)


def _mots_entiers(noms: Noms, oi: Oi, rang: int, annees: int, sel: int) -> dict[str, str]:
    """Return the whole words that a copy changes."""
    mots = {
        noms.subvention_id: str(oi.subvention_id),
        noms.oi_id: oi.oi_id,
        noms.oi_nom: oi.nom,
    }
    for operation in noms.operations:
        copiee = UUID(int=operation.int ^ sel << 96)
        mots[str(convention_of(operation))] = str(convention_of(copiee))
    for place, (numero, nom) in enumerate(noms.beneficiaires, 1):
        mots[numero] = siret(oi.numero * 100 + place)
        mots[nom] = f"Bénéficiaire fictif n° {oi.numero * 100 + place:05d}"
    for appel in noms.appels:
        mots[appel] = f"{int(appel[:4]) + annees}{appel[4:]}/{rang}"
    for plie_id in _GROUPES:
        mots[plie_id] = oi.du_plie(plie_id)
        mots[f"directeur-{plie_id}"] = f"directeur-{oi.du_plie(plie_id)}"
    return mots


def _sur_la_subvention(oi: Oi, copies: Sequence[Copie], graine: int) -> Source:
    """Return the acts that give an OI the money of all its copies."""
    convention = copies[0].vie.maquette[0]
    assert isinstance(convention, SubventionGlobaleConventionnee)
    commandes = []
    for rang, fait in enumerate(_maquette(oi, convention, copies)):
        cle = _identifiant(graine, oi.oi_id, rang)
        stocke = REGISTRY.encode(fait)
        jour = stocke.date_effet
        instant = datetime(jour.year, jour.month, jour.day, 7, tzinfo=UTC)
        champs: list[Morceaux | None] = [
            [str(oi.subvention_id)],
            [Trou("version")],
            [_identifiant(cle, "fait")],
            [stocke.name],
            [stocke.data],
            [str(jour)],
            [Trou("instant")],
            ["ordonnateur-1"],
            ["ordonnateur_oi"],
            [oi.oi_id],
            [convention.cadre.reglement],
            None,
            ["[]"],
            [cle],
            [cle],
            None,
        ]
        empreinte = rf"\x{blake2b(stocke.data.encode(), digest_size=32).hexdigest()}"
        entete = gabarit([[cle], [empreinte], ["ordonnateur-1"]])
        ligne = Ligne(gabarit(champs), sur_la_subvention=True)
        instant += timedelta(minutes=rang)
        commandes.append((instant, Commande(instant, entete, (ligne,))))
    return Source(oi, commandes, 0, {})


def _maquette(
    oi: Oi, convention: SubventionGlobaleConventionnee, copies: Sequence[Copie]
) -> list[Evenement]:
    """Return one convention, its avenant, and the tranches with all that the copies were given."""
    lignes: dict[LigneMaquette, Counter[str]] = defaultdict(Counter)
    cellules: dict[Cellule, Counter[str]] = defaultdict(Counter)
    for copie in copies:
        for fait in copie.vie.maquette:
            match fait:
                case TrancheOuverte():
                    for tranche in fait.lignes:
                        lignes[_decalee(tranche.ligne, copie)].update(
                            fse=tranche.fse_centimes,
                            publiques=tranche.contreparties_publiques_centimes,
                            privees=tranche.contreparties_privees_centimes,
                        )
                case EnveloppePlieNotifiee():
                    ligne, plie_id = fait.cellule.ligne, oi.du_plie(fait.cellule.plie_id)
                    cellules[Cellule(ligne=_decalee(ligne, copie), plie_id=plie_id)].update(
                        fse=fait.fse_centimes, cout_total=fait.cout_total_centimes
                    )
                case ReserveConstituee():
                    cellules[Cellule(ligne=_decalee(fait.ligne, copie), plie_id=RESERVE)].update(
                        fse=fait.fse_centimes, cout_total=fait.cout_total_centimes
                    )
                case _:
                    pass
    avenant = date(TRANCHES[-3], 12, 14)
    avant = Periode(debut=date(TRANCHES[0], 1, 1), fin=date(avenant.year, 12, 31))
    apres = Periode(debut=avant.debut, fin=date(TRANCHES[-1], 12, 31))
    realisation = Periode(debut=avant.debut, fin=date(TRANCHES[-1] + 1, 12, 31))
    fse = {ligne: montants["fse"] for ligne, montants in lignes.items()}
    fse_avant = sum(montant for ligne, montant in fse.items() if ligne.annee <= avenant.year)
    faits: list[Evenement] = [
        msgspec.structs.replace(
            convention,
            date_effet=date(TRANCHES[0], 1, 2),
            cadre=msgspec.structs.replace(
                convention.cadre, subvention_globale_id=oi.subvention_id, oi_id=oi.oi_id
            ),
            numero=f"SG-FICTIVE-{oi.numero:03d}",
            oi_nom=oi.nom,
            programmation=avant,
            realisation=realisation,
            fse_total_centimes=fse_avant,
            plie=tuple(Plie(plie_id=p, nom=f"PLIE fictif n° {p[5:]}") for p in oi.plie),
        ),
        AvenantSubventionGlobaleSigne(
            date_effet=avenant,
            numero_avenant=1,
            objet="Deux années de plus pour programmer",
            fse_total_avant_centimes=fse_avant,
            fse_total_apres_centimes=sum(fse.values()),
            programmation_avant=avant,
            programmation_apres=apres,
            realisation_avant=realisation,
            realisation_apres=realisation,
        ),
    ]
    for annee in TRANCHES:
        ouvertes = [
            LigneTranche(
                ligne=ligne,
                fse_centimes=montants["fse"],
                contreparties_publiques_centimes=montants["publiques"],
                contreparties_privees_centimes=montants["privees"],
            )
            for ligne, montants in lignes.items()
            if ligne.annee == annee
        ]
        jour = date(annee, 1, 4)
        faits.append(TrancheOuverte(date_effet=jour, annee=annee, lignes=tuple(ouvertes)))
    for cellule, montants in cellules.items():
        jour = date(cellule.ligne.annee, 1, 6)
        if cellule.plie_id == RESERVE:
            faits.append(
                ReserveConstituee(
                    date_effet=jour,
                    ligne=cellule.ligne,
                    fse_centimes=montants["fse"],
                    cout_total_centimes=montants["cout_total"],
                )
            )
        else:
            faits.append(
                EnveloppePlieNotifiee(
                    date_effet=jour,
                    cellule=cellule,
                    fse_centimes=montants["fse"],
                    cout_total_centimes=montants["cout_total"],
                )
            )
    return sorted(faits, key=lambda fait: fait.date_effet)


def _decalee(ligne: LigneMaquette, copie: Copie) -> LigneMaquette:
    return msgspec.structs.replace(ligne, annee=ligne.annee + copie.annees)


# 3. The log: everything in the order of time, straight into the tables.


def ecrire(conninfo: str, sources: Sequence[Source]) -> Ecrit:
    """Write the log of a country into an empty database; run as the owner."""
    with ExitStack() as pile:
        # The lines of commands go through a connection of their own, at the same time.
        faits = pile.enter_context(psycopg.connect(conninfo))
        commandes = pile.enter_context(psycopg.connect(conninfo))
        (deja,) = faits.execute("SELECT position FROM oi.head FOR UPDATE").fetchone() or (0,)
        if deja:
            raise SystemExit(f"Cette base contient déjà {deja} événements : il en faut une vide.")
        faits.execute(
            "CREATE TEMPORARY TABLE lignes (LIKE oi.event INCLUDING DEFAULTS) ON COMMIT DROP"
        )
        with (
            faits.cursor().copy(f"COPY lignes ({_COLONNES}) FROM STDIN") as vers_faits,
            commandes.cursor().copy("COPY oi.command FROM STDIN") as vers_commandes,
        ):
            ecrit = _copier(sources, vers_faits, vers_commandes)
        commandes.commit()
        _sceller(faits)
    return ecrit


def _sceller(conn: Connection[Any]) -> None:
    """Put the lines in the log, sealed as the append function would have."""
    conn.execute(
        "UPDATE lignes AS e SET fingerprint = c.fingerprint, seal_scheme = 1 FROM oi.command AS c "
        "WHERE c.command_id = e.command_id"
    )
    colonnes = ", ".join(COLONNES)
    conn.execute(
        f"INSERT INTO oi.event ({colonnes}, seal) "  # noqa: S608 - our own columns
        f"SELECT {colonnes}, oi.seal_chain({ENREGISTREMENT}, decode(repeat('00', 32), 'hex')) "
        "OVER (ORDER BY e.position) FROM lignes AS e ORDER BY e.position"
    )
    conn.execute(
        "UPDATE oi.head SET (position, enregistre_le, seal) = "
        "(SELECT e.position, e.enregistre_le, e.seal FROM oi.event AS e "
        "ORDER BY e.position DESC LIMIT 1)"
    )


def _copier(sources: Sequence[Source], vers_faits: Copy, vers_commandes: Copy) -> Ecrit:
    position = nombre = 0
    lignes: list[str] = []
    entetes: list[str] = []
    instant = datetime.min.replace(tzinfo=UTC)
    for instant, _, commande, source in merge(*map(_flux, count(), sources)):
        sel, mots = source.sel, source.mots
        mots["instant"] = instant.isoformat()
        premiere = position + 1
        for ligne, sur_la_subvention in commande.lignes:
            position += 1
            if sur_la_subvention:
                source.oi.version += 1
                mots["version"] = str(source.oi.version)
            lignes.append(f"{position}\t{ligne.remplir(sel, mots)}\n")
        entete = commande.entete.remplir(sel, mots)
        entetes.append(f"{entete}\t{premiere}\t{position}\t{mots['instant']}\n")
        nombre += 1
        if len(lignes) > _LIGNES_PAR_ENVOI:
            vers_faits.write("".join(lignes))
            vers_commandes.write("".join(entetes))
            lignes.clear()
            entetes.clear()
    vers_faits.write("".join(lignes))
    vers_commandes.write("".join(entetes))
    return Ecrit(position, nombre, instant)


def _flux(rang: int, source: Source) -> Iterator[tuple[datetime, int, Commande, Source]]:
    """Yield the commands of a source with their place: no two sources compare equal."""
    for instant, commande in source.commandes:
        yield instant, rang, commande, source


# 4. The command.


def main() -> None:
    """Fill a database and say what it holds."""
    lecteur = argparse.ArgumentParser(prog="python -m bench.national", description=__doc__)
    lecteur.add_argument("--evenements", type=int, default=1_000_000)
    lecteur.add_argument("--graine", type=int, default=2021)
    lecteur.add_argument("--base", required=True, help="folder of an embedded server, or conninfo")
    demande = lecteur.parse_args()
    with ExitStack() as pile:
        conninfo = demande.base
        if "=" not in conninfo and "://" not in conninfo:
            serveur = pile.enter_context(embedded_server(Path(demande.base)))
            conninfo = ensure_database(serveur, DATABASE)
            ensure_service_role(conninfo)
        migrate(conninfo)
        remplir(conninfo, max(1, round(demande.evenements / EVENEMENTS_PAR_OI)), demande.graine)


def remplir(conninfo: str, nombre_oi: int, graine: int) -> None:
    """Fill an empty database with a country of that many OI, and print each step."""
    debut = time.perf_counter()
    vies = jouer_les_vies(range(graine, graine + VIES))
    _dire(debut, f"{VIES} vies jouées")
    debut = time.perf_counter()
    ecrit = ecrire(conninfo, composer(nombre_oi, vies, graine))
    duree = _dire(debut, f"{ecrit.evenements} événements, {ecrit.commandes} commandes")
    print(f"{ecrit.evenements / duree:,.0f} événements/s", flush=True)
    with psycopg.connect(conninfo, autocommit=True) as conn:
        debut = time.perf_counter()
        # The planner knows nothing of tables that were just filled.
        conn.execute("VACUUM (ANALYZE) oi.event, oi.command")
        _dire(debut, "statistiques du journal")
        debut = time.perf_counter()
        rebuild(conninfo)
        duree = _dire(debut, "projections reconstruites")
        print(f"{ecrit.evenements / duree:,.0f} événements/s", flush=True)
        conn.execute("ANALYZE")
        row = conn.execute(
            "SELECT (SELECT count(*) FROM oi.event WHERE version = 1),"
            " (SELECT count(*) FROM projection.subvention_globale),"
            " (SELECT count(*) FROM projection.plie), (SELECT count(*) FROM projection.operation),"
            " pg_size_pretty(pg_database_size(current_database()))"
        ).fetchone()
    assert row is not None
    memoire = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        "{} flux, {} OI, {} PLIE, {} opérations, {} ; mémoire du générateur : {} Mo".format(
            *row, memoire
        )
    )


def _dire(debut: float, quoi: str) -> float:
    duree = time.perf_counter() - debut
    print(f"{quoi} : {duree:.1f} s", flush=True)
    return duree


if __name__ == "__main__":
    main()
