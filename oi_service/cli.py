"""The command line: `oi …`. What it prints is French, for the people of the OI."""

import json
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import psycopg
import typer
from fastapi.exceptions import RequestValidationError
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from pydantic import TypeAdapter, ValidationError
from rich import box
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from aggregates.audit.events import MontantAudite
from aggregates.personne.effacement import EffacerPersonne
from aggregates.personne.events import Demandeur
from api.app import create_app
from api.archive.demande import ArchiveSansObjet
from api.calculateur.cas import Demande, TousLesCas, lire, tous
from api.calculateur.corpus import rejouer
from api.calculateur.reponse import en_json, repondre
from api.deps import PRESENT, Dates, lire_connu_le
from api.droits import Role
from api.errors import defauts
from api.essai import DemandeEssai
from api.essai import essayer as jouer_un_essai
from api.filters import entier, euros, insecable, instant, jour, pourcent
from api.pages.dates import phrase as dire_les_dates
from api.parametres import valeur_lisible
from api.v1.pilotage import transfert_propose
from oi_service import app as assembly
from oi_service.acces.identite import Attribution, Identite
from oi_service.acces.oidc import FournisseurAbsent
from oi_service.acces.traces import NATURES, FiltresTraces, Nature
from oi_service.affichage_ancres import afficher_ancrage, table_des_ancres
from oi_service.affichage_archive import composer_devant, dire_l_archive
from oi_service.affichage_comptes import (
    afficher_code,
    afficher_comptes,
    afficher_entree,
    afficher_traces,
)
from oi_service.affichage_contributions import afficher_couverture, afficher_levier
from oi_service.affichage_controles import afficher_controles
from oi_service.affichage_dossier import etat_du_dossier
from oi_service.affichage_essai import afficher_essai
from oi_service.affichage_personnes import afficher_personnes
from oi_service.affichage_pieces import (
    afficher_examen,
    afficher_orphelines,
    afficher_rangement,
    examiner_pieces,
)
from oi_service.affichage_pilotage import afficher_degagement, afficher_propositions
from oi_service.affichage_preuve import afficher_preuve
from oi_service.affichage_provenance import (
    afficher_difference,
    afficher_provenance,
    lire_operation,
    lire_plie,
)
from oi_service.affichage_tirage import afficher_tirage
from oi_service.app import open_service, prepare, refaire
from oi_service.application import Acte, Service
from oi_service.clock import jour as jour_a_paris
from oi_service.clock import today
from oi_service.comptes import (
    Entree,
    ouvrir_comptes_de_demonstration,
)
from oi_service.comptes import creer_administrateur as ouvrir_administrateur
from oi_service.comptes import reactiver as reactiver_compte
from oi_service.comptes import trouver as trouver_compte
from oi_service.dates import Jour
from oi_service.demo.vie import deja_jouee, jouer
from oi_service.effacement import effacer
from oi_service.errors import Refusal
from oi_service.francais import compter
from oi_service.lieux import lieux_de
from oi_service.preuve import cles
from oi_service.preuve.ancrage import Ancrage, Destinations, ancrer
from oi_service.preuve.ancres import lister as lister_ancres
from oi_service.preuve.ancres import mettre_de_cote
from oi_service.preuve.archive.demande import lire_demande
from oi_service.preuve.examen import examiner
from oi_service.reprise.compte_rendu import compte_rendu
from oi_service.reprise.importation import (
    Resultat,
    cadre_de,
    exiger_acteur,
    exiger_rattachement,
    importer,
    prevoir,
)
from oi_service.reprise.lecture import lire as lire_liste
from oi_service.reseau import lire_reseau
from oi_service.scheduler import scheduler
from oi_service.server import adresse_locale, free_port, run
from oi_service.settings import Settings
from oi_service.terminal import ecriture, tableau
from oi_service.tirage import definir
from oi_service.tirage import tirer as tirer_un_echantillon
from oi_service.traces import sans_variables
from oi_service.travaux import Ouvrier
from oi_service.verification import verifier as verifier_tout
from oi_service.verification import verifier_projections
from projections.avant_apres import avant_apres
from projections.controles_operation import FiltresControles, controles_complets
from projections.couverture import Par
from projections.couverture import couverture as lire_couverture
from projections.degagement import charger as lire_degagement
from projections.difference import Difference
from projections.difference import difference as lire_difference
from projections.export import exporter as exporter_journal
from projections.gestion_dynamique import charger as lire_gestion
from projections.instantane import instantane
from projections.journal import histoire_du_dossier
from projections.levier import NomBase
from projections.levier import levier as lire_levier
from projections.livre import Choix
from projections.maquette import Chiffres, Maquette, charger, subventions
from projections.perimetre import OI_ENTIER
from projections.personnes import toutes
from projections.provenance import Provenance
from projections.provenance import provenance as lire_provenance
from projections.situation import Situation, situation
from projections.trop_percus import trop_percus
from rules.parametres import REGIMES, Regime, parametres_en_vigueur
from rules.tirages import Critere, Methode, Repartition, Selection

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Registre d’un organisme intermédiaire du FSE : la maquette, les dossiers, les preuves.",
)
console = Console(highlight=False)
_MONTANTS_INVENTES = (
    "Démonstration : les fiches, indicateurs et conditions sont ceux de l’appel à projets AGAPE "
    "2021 n° 3 ; tous les montants et tous les bénéficiaires sont inventés."
)


_AU = typer.Option("--au", help="Dernier jour d’effet compté, AAAA-MM-JJ ; tous sinon.")
_CONNU_LE = typer.Option(
    "--connu-le", help="Jour, instant ou numéro d’événement jusqu’auquel lire ; tout sinon."
)


class DonneesReelles(Refusal):
    """Cette base contient des données réelles, subvention globale ou liste reprise : la
    démonstration ne s’y joue pas et ne l’efface pas. Donnez-lui une autre base (OI_DATA_DIR ou
    OI_DATABASE_URL).
    """


class BaseExterne(Refusal):
    """L’option --neuf n’efface que la base embarquée : la base de OI_DATABASE_URL se recrée par son
    administrateur.
    """


class DossierIntrouvable(Refusal):
    """Aucun dossier ne porte le numéro {numero}. « oi maquette » et la page /maquette montrent ce
    que contient la base.
    """


class DossierPasEncoreConnu(Refusal):
    """Le dossier {numero} n’existe pas encore : {situation}. Sans --au ni --connu-le,
    « oi dossier » raconte ce qui en est connu aujourd’hui.
    """


class FichierIllisible(Refusal):
    """Le fichier {fichier} ne peut pas être lu : {raison}."""


class CasMalDecrit(Refusal):
    """Le calcul est refusé, {fichier} est mal rempli : {defauts}."""


class EssaiMalDecrit(Refusal):
    """L’essai est refusé, {fichier} est mal rempli : {defauts}."""


class EffacementMalDecrit(Refusal):
    """L’effacement est refusé : {defauts}."""


class JourIllisible(Refusal):
    """« {texte} » n’est pas un jour : {raison}."""


class ReglementInconnu(Refusal):
    """« {reglement} » n’est pas un règlement connu : indiquez 2014-2020 ou 2021-2027."""


class NatureInconnue(Refusal):
    """« {nature} » n’est pas une nature de trace : {natures}."""


class CorpusSansAttendu(Refusal):
    """Rien n’est à comparer : le champ « attendu » manque à {cas}."""


class AucuneSubvention(Refusal):
    """Aucune subvention globale n’est connue à ces dates : il n’y a pas de maquette à expliquer."""


@cli.command()
def demo(
    *,
    neuf: Annotated[bool, typer.Option("--neuf", help="Repartir d’une base vide.")] = False,
    graine: Annotated[int, typer.Option(help="Graine des montants inventés.")] = 2021,
    port: Annotated[int | None, typer.Option(help="Port de la page.")] = None,
    servir: Annotated[bool, typer.Option(help="Servir la page jusqu’à Ctrl-C.")] = True,
) -> None:
    """Jouer la vie de l’appel AGAPE 2021, montrer sa maquette, servir la page."""
    lire_reseau()  # What it refuses, it refuses before anything starts.
    settings = Settings()
    with assembly.database(settings) as access:
        if neuf:
            _recreate(settings, access.owner)
        prepare(access.owner)
        _refuse_real_data(access.owner)
        with open_service(access.service) as service:
            if deja_jouee(service):
                console.print("La démonstration est déjà jouée : ses données sont retrouvées.")
            else:
                _play(service, graine)
                _ancrer_la_demonstration(service)
            _print_maquette(service)
            entree = ouvrir_comptes_de_demonstration(service)
            if servir:
                _serve(service, port, entree)
            else:
                _print_lignes(afficher_entree(entree, None))


def _play(service: Service, graine: int) -> None:
    """Play, showing how far it is."""
    columns = (
        TextColumn("{task.description:<44}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Préparation")

        def tell(etape: str, fait: int, total: int) -> None:
            progress.update(task, description=etape, completed=fait, total=total)

        bilan = jouer(service, graine=graine, progres=tell)
    console.print(str(bilan))


def _ancrer_la_demonstration(service: Service) -> None:
    """Anchor it, in the folder only: a demonstration writes to no auditor."""
    try:
        fait = ancrer(service, a_la_demande=True, destinations=Destinations())
    except Refusal as refus:
        console.print(f"La démonstration n’est pas ancrée. {refus}", soft_wrap=True, markup=False)
        return
    assert fait is not None
    _print_ancrage(fait)


def _recreate(settings: Settings, conninfo: str) -> None:
    if settings.database_url is not None:
        raise BaseExterne
    _refuse_real_data(conninfo)
    name = conninfo_to_dict(conninfo)["dbname"]
    with psycopg.connect(make_conninfo(conninfo, dbname="postgres"), autocommit=True) as conn:
        identifier = sql.Identifier(str(name))
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
        conn.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
    # The new log has another name: its anchors do not mix with those of the old one.
    mettre_de_cote(lieux_de(settings).ancres)


def _refuse_real_data(conninfo: str) -> None:
    """A demonstration never mixes with, nor erases, real money."""
    with psycopg.connect(conninfo) as conn:
        if conn.execute("SELECT to_regclass('projection.subvention_globale')").fetchone() == (
            None,
        ):
            return
        if conn.execute("SELECT 1 FROM projection.subvention_globale WHERE NOT fictive").fetchone():
            raise DonneesReelles
        if conn.execute("SELECT to_regclass('projection.reprise')").fetchone() == (None,):
            return
        # A list that belongs to no subvention globale may be a real one: nothing says otherwise.
        if conn.execute(
            """
            SELECT 1 FROM projection.reprise AS r
            LEFT JOIN projection.subvention_globale AS s ON r.sg_id = s.id
            WHERE s.fictive IS NOT TRUE
            """
        ).fetchone():
            raise DonneesReelles


@cli.command()
def serve(port: Annotated[int | None, typer.Option(help="Port de la page.")] = None) -> None:
    """Servir les pages et l’API, jusqu’à Ctrl-C."""
    lire_reseau()  # What it refuses, it refuses before anything starts.
    with _service() as service:
        try:
            cles.etablir(service)
        except Refusal as refus:
            # The dossiers do not wait for the key: the anchors do.
            console.print(f"Le journal ne sera pas ancré. {refus}", soft_wrap=True, markup=False)
        if not service.acces.fiches():
            console.print(
                "Personne ne peut encore entrer : « oi creer-administrateur » ouvre le premier "
                "compte.",
                soft_wrap=True,
            )
        _serve(service, port)


def _print_lignes(lignes: Iterable[str]) -> None:
    for ligne in lignes:
        console.print(ligne, soft_wrap=True, markup=False)


def _serve(service: Service, port: int | None, entree: Entree | None = None) -> None:
    reseau = lire_reseau()
    wanted = port if port is not None else Settings().port
    chosen = free_port(reseau.adresse, wanted, strict=port is not None)
    page = adresse_locale(reseau.adresse, chosen)
    if entree is not None:
        _print_lignes(afficher_entree(entree, page))
    console.print(f"\nPage : {page}/maquette   (Ctrl-C pour arrêter)")
    with scheduler(service), Ouvrier.au_travail(service):
        run(create_app(service), reseau.adresse, chosen)
    console.print("Arrêté. Tout ce qui était confirmé est conservé.")


@cli.command()
def migrate() -> None:
    """Mettre à jour le schéma de la base et les projections."""
    with assembly.database(Settings()) as access:
        prepare(access.owner)
        console.print("La base est à jour.")


@cli.command()
def rebuild() -> None:
    """Refaire toutes les projections depuis le journal, et comparer."""
    with assembly.database(Settings()) as access:
        prepare(access.owner)
        done = refaire(access.owner)
    console.print(
        f"{entier(done.events)} événements rejoués en {done.seconds:.2f} s. Empreinte {done.digest}"
    )
    if done.different:
        console.print(f"Projections qui différaient, refaites : {', '.join(done.different)}")
        raise typer.Exit(1)
    console.print("Les projections refaites sont identiques à celles qui servaient.")


@cli.command()
def maquette(
    *, au: Annotated[str | None, _AU] = None, connu_le: Annotated[str | None, _CONNU_LE] = None
) -> None:
    """Montrer la maquette de chaque PLIE, maintenant ou à deux dates."""
    with _service() as service:
        _print_maquette(service, au, connu_le)


def _print_maquette(service: Service, au: str | None = None, connu_le: str | None = None) -> None:
    with service.reads.connection() as conn:
        dates = _lire_dates(conn, au, connu_le)
        figures = charger(conn, OI_ENTIER, situation=dates.situation)
    if figures is None:
        console.print(
            "Aucune subvention globale n’est enregistrée dans cette base."
            if dates == PRESENT
            else f"Aucune subvention globale n’existe encore. {dire_les_dates(dates)}."
        )
        return
    console.print(_maquette_table(figures))
    if dates != PRESENT:
        console.print(f"{dire_les_dates(dates, figures.position, figures.connue_le)}.")
    console.print(
        f"Chiffres calculés le {instant(figures.calculee_le)}, "
        f"jusqu’à l’événement n° {entier(figures.position)}."
    )
    if figures.fictive:
        console.print(_MONTANTS_INVENTES)


def _maquette_table(figures: Maquette) -> Table:
    montant, unite = ecriture(console.width)
    table = tableau(
        f"{figures.oi_nom}, subvention globale {figures.numero} ({unite})",
        ("Envel.", "Progr.", "Conv.", "Retenu", "Payé", "Dispo.", "Taux"),
    )
    for _, nom, chiffres in figures.par_plie():
        table.add_row(nom, *_cells(chiffres, montant))
    table.add_section()
    table.add_row("Total OI", *_cells(figures.total, montant), style="bold")
    return table


def _cells(chiffres: Chiffres, amount: Callable[[int], str]) -> list[str]:
    amounts = (
        chiffres.fse_maquette,
        chiffres.fse_programme,
        chiffres.fse_conventionne,
        chiffres.fse_retenu_csf,
        chiffres.fse_paye,
        chiffres.disponible_a_programmer,
    )
    return [*(amount(cents) for cents in amounts), pourcent(chiffres.taux_programmation)]


@cli.command()
def levier(
    *,
    base: Annotated[
        NomBase, typer.Option(help="Ce qui compte, des deux côtés du rapport.")
    ] = "retenu_csf",
    annee: Annotated[int | None, typer.Option(help="Une seule tranche.")] = None,
    au: Annotated[str | None, _AU] = None,
    connu_le: Annotated[str | None, _CONNU_LE] = None,
) -> None:
    """Montrer ce qu’apporte chaque euro direct des communes et EPCI, par PLIE et en tout."""
    with _service() as service, service.reads.connection() as conn:
        quand = _lire_situation(conn, au, connu_le)
        figures = lire_levier(conn, OI_ENTIER, quand, base=base, annee=annee)
    for partie in afficher_levier(figures, console.width):
        console.print(partie, soft_wrap=True)


@cli.command()
def couverture(
    *,
    par: Annotated[Par, typer.Option(help="Une ligne par PLIE, par OI ou par opération.")] = "plie",
    au: Annotated[str | None, _AU] = None,
    connu_le: Annotated[str | None, _CONNU_LE] = None,
) -> None:
    """Montrer ce que couvrent les contreparties, et ce qui manque, financeur par financeur."""
    with _service() as service, service.reads.connection() as conn:
        figures = lire_couverture(conn, OI_ENTIER, _lire_situation(conn, au, connu_le), par=par)
    for partie in afficher_couverture(figures, console.width):
        console.print(partie, soft_wrap=True)


@cli.command()
def degagement(
    *, au: Annotated[str | None, _AU] = None, connu_le: Annotated[str | None, _CONNU_LE] = None
) -> None:
    """Montrer ce qui doit être certifié à quelle date, et les bilans qui le permettraient."""
    with _service() as service, service.reads.connection() as conn:
        quand = _lire_situation(conn, au, connu_le)
        le = quand.effet_au or today()
        vus = [
            lire_degagement(conn, OI_ENTIER, sg.id, quand, le=le)
            for sg in subventions(conn, OI_ENTIER, quand)
        ]
    _print_pilotage(partie for vu in vus for partie in afficher_degagement(vu, console.width))


@cli.command()
def controles(
    *,
    operation: Annotated[
        str | None, typer.Option("--operation", help="Numéro du dossier contrôlé ; tous sinon.")
    ] = None,
    en_retard: Annotated[
        bool, typer.Option("--en-retard", help="Seulement ce dont l’échéance est passée.")
    ] = False,
    au: Annotated[str | None, _AU] = None,
    connu_le: Annotated[str | None, _CONNU_LE] = None,
) -> None:
    """Montrer les contrôles d’opération, et ce qui est dû ou en retard."""
    with _service() as service, service.reads.connection() as conn:
        quand = _lire_situation(conn, au, connu_le)
        le = quand.effet_au or today()
        filtres = FiltresControles(
            operation_id=None if operation is None else lire_operation(conn, OI_ENTIER, operation),
            en_retard=en_retard,
        )
        vus = controles_complets(conn, OI_ENTIER, filtres, quand, le=le)
    for partie in afficher_controles(vus, le, en_retard=en_retard):
        console.print(partie)


@cli.command()
def propositions(
    *,
    au: Annotated[str | None, _AU] = None,
    connu_le: Annotated[str | None, _CONNU_LE] = None,
    pour_essai: Annotated[
        bool, typer.Option("--json", help="Écrire les transferts proposés, pour « oi essayer ».")
    ] = False,
) -> None:
    """Montrer ce qui ne sera pas employé, ce qui manque, et les transferts proposés."""
    with _service() as service, service.reads.connection() as conn:
        quand = _lire_situation(conn, au, connu_le)
        le = quand.effet_au or today()
        revues = [
            lire_gestion(conn, OI_ENTIER, sg.id, quand, le=le)
            for sg in subventions(conn, OI_ENTIER, quand)
        ]
    if pour_essai:
        commandes = [transfert_propose(r, p) for r in revues for p in r.propositions]
        json.dump({"commandes": commandes}, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
        return
    _print_pilotage(partie for r in revues for partie in afficher_propositions(r, console.width))


def _print_pilotage(parties: Iterable[RenderableType]) -> None:
    parts = list(parties)
    if not parts:
        console.print("Aucune subvention globale n’est enregistrée dans cette base.")
    for partie in parts:
        console.print(partie, soft_wrap=True)


_PLIE = typer.Option(help="PLIE, par son code ou son nom ; « reserve », « non_reparti ».")
_ANNEE = typer.Option(help="Une seule tranche.")
_DOSSIER = typer.Option(help="Numéro d’un dossier.")
_FINANCEUR = typer.Option(help="Nom d’un financeur, pour les contreparties.")
_TOUT = typer.Option("--tout", help="Montrer tous les événements de chaque cause.")


@cli.command()
def difference(
    *,
    de: Annotated[str | None, typer.Option(help="Première situation : dernier jour d’effet.")] = (
        None
    ),
    de_connu_le: Annotated[
        str | None, typer.Option(help="Première situation : jusqu’où lire le journal.")
    ] = None,
    a: Annotated[
        str | None, typer.Option("--a", help="Seconde situation : dernier jour d’effet.")
    ] = None,
    a_connu_le: Annotated[
        str | None, typer.Option(help="Seconde situation : jusqu’où lire le journal.")
    ] = None,
    mesure: Annotated[
        list[str] | None, typer.Option(help="Chiffres à expliquer ; tous sinon.")
    ] = None,
    plie: Annotated[str | None, _PLIE] = None,
    annee: Annotated[int | None, _ANNEE] = None,
    dossier: Annotated[str | None, _DOSSIER] = None,
    financeur: Annotated[str | None, _FINANCEUR] = None,
    tout: Annotated[bool, _TOUT] = False,
) -> None:
    """Expliquer ce qui sépare deux situations, cause par cause, au centime."""
    with _service() as service, service.reads.connection() as conn, instantane(conn):
        choix = _lire_choix(conn, plie, annee, dossier, financeur)
        bornes = _lire_situation(conn, de, de_connu_le), _lire_situation(conn, a, a_connu_le)

        def page(apres: str | None = None) -> Difference:
            trouvee = lire_difference(
                conn, OI_ENTIER, choix, *bornes, mesures=mesure or (), limite=_LOT, apres=apres
            )
            if trouvee is None:
                raise AucuneSubvention
            return trouvee

        for partie in afficher_difference(page(), lambda x: page(x).mouvements, tout=tout):
            console.print(partie, soft_wrap=True)


@cli.command()
def provenance(
    *,
    mesure: Annotated[str, typer.Option(help="Le chiffre : fse_paye, taux_consommation…")],
    plie: Annotated[str | None, _PLIE] = None,
    annee: Annotated[int | None, _ANNEE] = None,
    dossier: Annotated[str | None, _DOSSIER] = None,
    financeur: Annotated[str | None, _FINANCEUR] = None,
    au: Annotated[str | None, _AU] = None,
    connu_le: Annotated[str | None, _CONNU_LE] = None,
    tout: Annotated[bool, _TOUT] = False,
) -> None:
    """Dire d’où vient un chiffre de la maquette, événement par événement, au centime."""
    with _service() as service, service.reads.connection() as conn, instantane(conn):
        choix = _lire_choix(conn, plie, annee, dossier, financeur)
        quand = _lire_situation(conn, au, connu_le)

        def page(apres: str | None = None) -> Provenance:
            trouvee = lire_provenance(
                conn, OI_ENTIER, mesure, choix, quand, limite=_LOT, apres=apres
            )
            if trouvee is None:
                raise AucuneSubvention
            return trouvee

        for partie in afficher_provenance(page(), lambda x: page(x).mouvements, tout=tout):
            console.print(partie, soft_wrap=True)


#: Movements read together.
_LOT = 200


def _lire_choix(
    conn: psycopg.Connection[TupleRow],
    plie: str | None,
    annee: int | None,
    dossier: str | None,
    financeur: str | None,
) -> Choix:
    return Choix(
        plie=None if plie is None else lire_plie(conn, OI_ENTIER, plie),
        annee=annee,
        operation_id=None if dossier is None else lire_operation(conn, OI_ENTIER, dossier),
        financeur=financeur,
    )


def _lire_dates(conn: psycopg.Connection[TupleRow], au: str | None, connu_le: str | None) -> Dates:
    return Dates(
        au or "",
        connu_le or "",
        _lire_situation(conn, au, connu_le),
        None if connu_le is None else lire_connu_le(connu_le),
    )


def _lire_situation(
    conn: psycopg.Connection[TupleRow], au: str | None, connu_le: str | None
) -> Situation:
    return situation(
        conn,
        None if au is None else _lire_jour(au),
        None if connu_le is None else lire_connu_le(connu_le),
    )


@cli.command()
def dossier(
    numero: Annotated[str, typer.Argument(help="Numéro du dossier.")],
    *,
    au: Annotated[str | None, _AU] = None,
    connu_le: Annotated[str | None, _CONNU_LE] = None,
) -> None:
    """Raconter un dossier, événement par événement, maintenant ou à deux dates."""
    with _service() as service, service.reads.connection() as conn:
        dates = _lire_dates(conn, au, connu_le)
        with instantane(conn):
            story = histoire_du_dossier(conn, OI_ENTIER, numero, dates.situation)
            changes = (
                avant_apres(conn, OI_ENTIER, story[0].stream_id, story, dates.situation)
                if story
                else {}
            )
            state = etat_du_dossier(conn, OI_ENTIER, story, dates.situation)
        known = bool(story) or bool(histoire_du_dossier(conn, OI_ENTIER, numero))
    if not known:
        raise DossierIntrouvable(numero=numero)
    if dates != PRESENT:
        dite = dire_les_dates(dates, dates.situation.connu_le)
        if not story:
            raise DossierPasEncoreConnu(numero=numero, situation=dite)
        console.print(f"{dite}.")
    for ligne in state:
        console.print(ligne, soft_wrap=True, markup=False)
    for fait in story:
        saisi = jour_a_paris(fait.enregistre_le)
        tard = "" if saisi == fait.date_effet else f", saisi le {jour(saisi)}"
        console.print(
            f"{fait.position:>7}  {jour(fait.date_effet)}{tard}  {fait.acteur} ({fait.role})  "
            f"{fait.phrase}",
            soft_wrap=True,
            markup=False,
        )
        for change in changes.get(fait.position, ()):
            console.print(f"{'':>21}{change.phrase}", soft_wrap=True, markup=False)


@cli.command()
def calculer(
    fichier: Annotated[Path, typer.Argument(help="Cas, liste de cas ou recueil (JSON).")],
    *,
    corpus: Annotated[
        bool, typer.Option("--corpus", help="Comparer chaque cas à son résultat attendu.")
    ] = False,
) -> None:
    """Calculer le FSE dû d’un cas, sans base de données."""
    demande = _lire_cas(fichier)
    if corpus:
        _comparer(tous(demande))
    else:
        json.dump(en_json(repondre(demande)), sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")


def _lire_cas(fichier: Path) -> Demande:
    recu = _lire_json(fichier)
    try:
        return lire(recu)
    except ValidationError as refuse:
        raise CasMalDecrit(fichier=fichier, defauts=_liste(refuse.errors())) from refuse


def _lire_json(fichier: Path) -> Any:
    try:
        return json.loads(fichier.read_text("utf-8-sig"))
    except OSError as absent:
        raise FichierIllisible(
            fichier=fichier, raison="il n’existe pas, ou l’accès en est refusé"
        ) from absent
    except json.JSONDecodeError as faute:
        raison = f"ce n’est pas du JSON valide, ligne {faute.lineno}, colonne {faute.colno}"
        raise FichierIllisible(fichier=fichier, raison=raison) from faute
    except (ValueError, RecursionError) as faute:
        raison = "ce n’est pas du texte UTF-8 en JSON"
        raise FichierIllisible(fichier=fichier, raison=raison) from faute


def _liste(erreurs: Iterable[Mapping[str, Any]]) -> str:
    """Write the defects of a file, each at its place."""
    found = defauts([{**d, "loc": ("body", *d["loc"])} for d in erreurs])
    return "\n  " + "\n  ".join(f"{d.pointer} : {d.message}" for d in found)


@cli.command()
def essayer(
    fichier: Annotated[Path, typer.Argument(help="Commandes à essayer (JSON).")],
    *,
    acteur: Annotated[str, typer.Option(help="Qui ferait ces commandes.")] = "essai",
    role: Annotated[Role, typer.Option(help="Dans quel rôle.")] = "gestionnaire_oi",
) -> None:
    """Essayer des décisions : la maquette avant et après, sans rien enregistrer."""
    recu = _lire_json(fichier)
    try:
        demande = DemandeEssai.model_validate(recu)
    except ValidationError as refuse:
        raise EssaiMalDecrit(fichier=fichier, defauts=_liste(refuse.errors())) from refuse
    with _service() as service:
        try:
            found = jouer_un_essai(
                create_app(service), service, demande, _qui_essaie(acteur, role), OI_ENTIER
            )
        except RequestValidationError as refuse:
            dans_le_corps = [{**d, "loc": d["loc"][1:]} for d in refuse.errors()]
            raise EssaiMalDecrit(fichier=fichier, defauts=_liste(dans_le_corps)) from refuse
    for partie in afficher_essai(found):
        console.print(partie, soft_wrap=True)
    if found.regles_enfreintes:
        raise typer.Exit(1)


def _qui_essaie(acteur: str, role: Role) -> Identite:
    """Return somebody for a trial: whoever has a shell here has the database."""
    return Identite(identifiant=acteur, nom=acteur, attributions=(Attribution(role),))


def _comparer(cas: Sequence[TousLesCas]) -> None:
    """Print a line a case, and under it each figure that differs."""
    muets = [un.id or f"n° {rang}" for rang, un in enumerate(cas, 1) if un.attendu is None]
    if muets:
        raise CorpusSansAttendu(cas=", ".join(muets))
    differents = 0
    for ligne in rejouer(cas):
        differents += bool(ligne.ecarts)
        console.print(
            f"{'✗' if ligne.ecarts else '✓'} {ligne.id:<8} attendu {ligne.attendu:>13}  "
            f"calculé {ligne.calcule:>13}  {ligne.titre}",
            soft_wrap=True,
            markup=False,
        )
        for ecart in ligne.ecarts:
            console.print(
                f"      {ecart.lieu} : attendu {ecart.attendu}, calculé {ecart.calcule}",
                soft_wrap=True,
                markup=False,
            )
    if differents:
        console.print(f"{differents} cas sur {len(cas)} ne donnent pas le résultat attendu.")
        raise typer.Exit(1)
    console.print(f"{len(cas)} cas : tous donnent le résultat attendu, au centime.")


@cli.command()
def parametres(
    *,
    le: Annotated[str | None, typer.Option(help="Jour, AAAA-MM-JJ ; aujourd’hui sinon.")] = None,
    reglement: Annotated[
        str | None, typer.Option(help="2014-2020 ou 2021-2027 ; les deux sinon.")
    ] = None,
) -> None:
    """Montrer les taux, plafonds, délais et seuils en vigueur un jour, avec leur article."""
    jour_lu = _lire_jour(le) if le else today()
    console.print(_table_des_parametres(jour_lu, _lire_reglement(reglement)))
    console.print(
        "Sans jour de relecture, le texte reste à relire à sa source avant de fonder un refus."
    )


def _lire_jour(texte: str) -> date:
    try:
        return TypeAdapter(Jour).validate_python(texte)
    except ValidationError as refuse:
        raise JourIllisible(texte=texte, raison=refuse.errors()[0]["ctx"]["error"]) from refuse


def _table_des_parametres(le: date, reglement: str | None) -> Table:
    table = Table(
        title=f"Paramètres en vigueur le {jour(le)}",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 1, 0),
        expand=True,
    )
    for titre, part in (("Paramètre", 6), ("Valeur", 3), ("Texte", 6), ("Vaut", 4)):
        table.add_column(titre, ratio=part, overflow="fold")
    for lu in parametres_en_vigueur(le, reglement):
        fin = f" au {jour(lu.jusqu_au)}" if lu.jusqu_au else ""
        relu = f", relu le {jour(lu.verifie_le)}" if lu.verifie_le else ""
        table.add_row(
            Text.assemble(insecable(lu.libelle), "\n", (lu.nom, "dim")),
            valeur_lisible(lu),
            f"{insecable(lu.reference)} ({lu.etiquette}{relu})",
            f"{lu.regime or '2014-2020 et 2021-2027'}\ndu {jour(lu.a_compter_du)}{fin}",
        )
    return table


@cli.command()
def pieces(
    *,
    verifier: Annotated[
        bool, typer.Option("--verifier", help="Relire chaque fichier (code 1 s’il est altéré).")
    ] = False,
    orphelines: Annotated[
        bool, typer.Option("--orphelines", help="Lister les fichiers qu’aucun événement ne nomme.")
    ] = False,
    jours: Annotated[
        int, typer.Option(help="Âge à partir duquel un fichier est orphelin.", min=0)
    ] = 30,
) -> None:
    """Compter les pièces déposées et celles du journal ; les relire, lister les orphelines."""
    with _service() as service, service.reads.connection() as conn:
        examen = examiner_pieces(conn, service.pieces) if verifier else None
        if examen is not None:
            _dire(afficher_examen(examen))
        if orphelines:
            _dire(afficher_orphelines(conn, service.pieces, jours))
        if not (verifier or orphelines):
            _dire(afficher_rangement(conn, service.pieces))
    if examen is not None and examen.fautes:
        raise typer.Exit(1)


def _dire(lignes: Iterable[str]) -> None:
    for ligne in lignes:
        console.print(ligne, soft_wrap=True, markup=False)


@cli.command()
def exporter(
    sortie: Annotated[Path | None, typer.Option(help="Fichier ; la sortie standard sinon.")] = None,
    depuis: Annotated[int, typer.Option(help="Premier événement.", min=1)] = 1,
) -> None:
    """Exporter le journal, un événement par ligne (JSON)."""
    with _service() as service, service.reads.connection() as conn:
        if sortie is None:
            for line in exporter_journal(conn, depuis):
                sys.stdout.buffer.write(line)
            return
        count = 0
        with sortie.open("wb") as target:
            for count, line in enumerate(exporter_journal(conn, depuis), 1):  # noqa: B007
                target.write(line)
    console.print(f"{entier(count)} événements écrits dans {sortie}.")


@cli.command()
def archive(
    *,
    dossier: Annotated[str | None, _DOSSIER] = None,
    plie: Annotated[str | None, typer.Option(help="PLIE, par son code ou son nom.")] = None,
    tout: Annotated[bool, typer.Option("--tout", help="Tout le journal.")] = False,
    au: Annotated[str | None, _AU] = None,
    connu_le: Annotated[str | None, _CONNU_LE] = None,
    sortie: Annotated[Path | None, typer.Option(help="Fichier ZIP ; nommé sinon ici.")] = None,
) -> None:
    """Composer l’archive d’un dossier, d’un PLIE ou de tout, pour l’auditeur."""
    if sum((dossier is not None, plie is not None, tout)) != 1:
        raise ArchiveSansObjet
    with _service() as service:
        with service.reads.connection() as conn:
            demande = lire_demande(
                conn,
                _lire_situation(conn, au, connu_le),
                dossier=dossier,
                plie=None if plie is None else lire_plie(conn, OI_ENTIER, plie),
            )
        fichier = sortie or Path(f"{demande.nom}.zip")
        composee = composer_devant(console, service, demande, fichier)
    for ligne in dire_l_archive(composee):
        console.print(ligne, soft_wrap=True, markup=False)


@cli.command("ancrer")
def ancrer_journal() -> None:
    """Signer un point du journal et le mettre hors de portée : fichier, courriel, horodatage."""
    with _service() as service:
        fait = ancrer(service, a_la_demande=True)
    assert fait is not None
    _print_ancrage(fait)
    if not fait.complet:
        raise typer.Exit(1)


def _print_ancrage(fait: Ancrage) -> None:
    for ligne in afficher_ancrage(fait):
        console.print(ligne, soft_wrap=True, markup=False)


@cli.command()
def ancres() -> None:
    """Montrer les ancres du journal, et ce que leurs fichiers sont devenus."""
    with _service() as service, service.reads.connection() as conn:
        listees = lister_ancres(conn, service.lieux.ancres)
        verification = cles.verification(service, conn)
    if not listees:
        console.print("Le journal n’a pas encore d’ancre : « oi ancrer » en fait une.")
        return
    console.print(table_des_ancres(listees))
    console.print(f"Clé de vérification : {verification}", soft_wrap=True, markup=False)


@cli.command("changer-cle")
def changer_cle(
    *,
    perdue: Annotated[
        bool, typer.Option("--perdue", help="La clé n’existe plus : la suivante n’est pas signée.")
    ] = False,
    motif: Annotated[
        str | None, typer.Option(help="Pourquoi ; obligatoire quand la clé est perdue.")
    ] = None,
) -> None:
    """Remplacer la clé qui signe les ancres ; celle d’avant signe la nouvelle, puis disparaît."""
    with _service() as service:
        nouvelle = cles.changer(service, perdue=perdue, motif=motif)
    console.print(f"Nouvelle clé de signature : {nouvelle}", soft_wrap=True, markup=False)
    console.print("Faites-en une ancre (« oi ancrer ») et une sauvegarde.", soft_wrap=True)


@cli.command()
def tirer(
    *,
    taille: Annotated[int, typer.Option(help="Nombre de dépenses à tirer.")],
    methode: Annotated[Methode, typer.Option(help="Comment elles sont tirées.")] = "simple",
    critere: Annotated[
        Critere | None, typer.Option(help="Ce qui fait les strates (méthode stratifie).")
    ] = None,
    borne: Annotated[
        list[str] | None, typer.Option(help="Où commence une tranche de montant : 500.00.")
    ] = None,
    repartition: Annotated[
        Repartition | None, typer.Option(help="Ce que suit la taille de chaque strate.")
    ] = None,
    selection: Annotated[
        Selection | None, typer.Option(help="Comment chaque strate est tirée.")
    ] = None,
    graine: Annotated[
        str | None, typer.Option(help="Graine ; l’identifiant du tirage sinon.")
    ] = None,
    origine: Annotated[str | None, typer.Option(help="D’où vient la graine.")] = None,
    etend: Annotated[UUID | None, typer.Option(help="Échantillon que celui-ci étend.")] = None,
    remplace: Annotated[
        UUID | None, typer.Option(help="Échantillon que celui-ci remplace.")
    ] = None,
    motif: Annotated[str | None, typer.Option(help="Pourquoi tirer de nouveau.")] = None,
    population: Annotated[
        UUID | None, typer.Option(help="Population déjà figée ; une nouvelle sinon.")
    ] = None,
    dossier: Annotated[str | None, _DOSSIER] = None,
    plie: Annotated[str | None, typer.Option(help="PLIE, par son code ou son nom.")] = None,
    etat: Annotated[str | None, typer.Option(help="Numéro d’un état de dépenses.")] = None,
    montant: Annotated[
        MontantAudite, typer.Option(help="Montant déclaré, ou retenu après contrôle.")
    ] = "retenu",
    evenement: Annotated[
        int | None, typer.Option(help="Événement jusqu’auquel lire ; le dernier sinon.")
    ] = None,
    travail: Annotated[
        UUID | None, typer.Option(help="Dossier de travail ouvert ; un nouveau sinon.")
    ] = None,
    mission: Annotated[str | None, typer.Option(help="Mission d’audit.")] = None,
    organisme: Annotated[str | None, typer.Option(help="Qui audite.")] = None,
    reference: Annotated[str | None, typer.Option(help="Référence de la mission.")] = None,
    perimetre: Annotated[str | None, typer.Option(help="Ce que la mission couvre.")] = None,
    subvention: Annotated[
        str | None, typer.Option(help="Numéro de la subvention globale, s’il y en a plusieurs.")
    ] = None,
    liste: Annotated[
        Path | None, typer.Option(help="Fichier CSV où écrire la population figée.")
    ] = None,
    acteur: Annotated[str, typer.Option(help="Identifiant de l’auditeur.")] = "auditeur",
) -> None:
    """Figer une population de dépenses et en tirer un échantillon que chacun peut refaire.

    Réservé à l’auditeur : sa population est celle d’un dossier, d’un PLIE, d’un état de dépenses,
    de tout à défaut.
    """
    exiger_acteur(acteur)
    with _service() as service:
        with service.reads.connection() as conn:
            definition = definir(
                operation_id=None if dossier is None else lire_operation(conn, OI_ENTIER, dossier),
                plie_id=None if plie is None else lire_plie(conn, OI_ENTIER, plie),
                etat_no=etat,
            )
        tire = tirer_un_echantillon(
            service,
            acteur,
            travail=travail,
            subvention=subvention,
            ouverture={
                "mission": mission,
                "organisme": organisme,
                "reference": reference,
                "perimetre": perimetre,
            },
            figee=population,
            definition={"definition": definition, "montant": montant, "position": evenement},
            tirage={
                "methode": methode,
                "taille": taille,
                "critere": critere,
                "bornes": borne,
                "repartition": repartition,
                "selection": selection,
                "graine": graine,
                "graine_origine": origine,
                "etend": etend,
                "remplace": remplace,
                "motif": motif,
            },
        )
    for partie in afficher_tirage(tire):
        console.print(partie, soft_wrap=True)
    if liste is not None:
        liste.write_text(tire.liste, "utf-8", newline="")
        console.print(f"La population figée est écrite dans {liste}.", soft_wrap=True)


@cli.command("importer-operations")
def importer_operations(
    fichier: Annotated[Path, typer.Argument(help="Liste d’opérations (CSV).")],
    *,
    apercu: Annotated[
        bool, typer.Option("--apercu", help="Montrer la liste sans rien enregistrer.")
    ] = False,
    tout: Annotated[
        bool, typer.Option("--tout", help="Montrer toutes les lignes, pas les dix premières.")
    ] = False,
    subvention: Annotated[
        str | None, typer.Option(help="Numéro de la subvention globale dont relève la liste.")
    ] = None,
    hors_subvention: Annotated[
        str | None,
        typer.Option(help="2014-2020 ou 2021-2027, si la liste ne relève d’aucune d’ici."),
    ] = None,
    acteur: Annotated[str, typer.Option(help="Identifiant de qui reprend la liste.")] = (
        "importation"
    ),
) -> None:
    """Reprendre une liste d’opérations passées, à leurs vraies dates, marquées comme reprises."""
    regime = _lire_reglement(hors_subvention)
    exiger_acteur(acteur)
    rattachee = exiger_rattachement(subvention, regime, apercu=apercu)
    try:
        liste = lire_liste(fichier.name, fichier.read_bytes())
    except OSError as absent:
        raise FichierIllisible(
            fichier=fichier, raison="il n’existe pas, ou l’accès en est refusé"
        ) from absent
    resultat = Resultat(liste, rattachee=rattachee)
    if rattachee:
        with _service() as service:
            with service.reads.connection() as conn:
                cadre = cadre_de(conn, subvention, regime)
                resultat = prevoir(conn, liste, cadre)
            if not apercu:
                resultat = importer(service, liste, cadre, Acte(acteur, "systeme"))
    for ligne in compte_rendu(resultat, tout=tout):
        console.print(ligne, soft_wrap=True, markup=False)
    if any(ligne.refusee for ligne in liste.lignes):
        raise typer.Exit(1)


@cli.command("effacer-personne")
def effacer_personne(
    personne: Annotated[UUID, typer.Argument(help="Identifiant de la personne.")],
    *,
    motif: Annotated[str, typer.Option(help="Pourquoi ; sans nommer la personne.")],
    demandeur: Annotated[Demandeur, typer.Option(help="À la demande de qui.")],
    acteur: Annotated[str, typer.Option(help="Identifiant de qui efface.")],
    malgre_conservation: Annotated[
        bool,
        typer.Option(
            "--malgre-conservation",
            help="Avant la fin de la conservation d’un dossier, sur le motif du délégué à la "
            "protection des données.",
        ),
    ] = False,
) -> None:
    """Effacer une personne : sa clé est détruite, ce qui fut écrit d’elle ne se lit plus."""
    exiger_acteur(acteur)
    try:
        commande = EffacerPersonne(
            date_effet=today(),
            motif=motif,
            demandeur=demandeur,
            malgre_conservation=malgre_conservation,
        )
    except ValidationError as malformed:
        # What was typed may be what the log must not hold: it is not repeated.
        raise EffacementMalDecrit(defauts=_liste(malformed.errors())) from None
    with _service() as service:
        effacer(service, Acte(acteur, "gestionnaire_oi"), personne, commande)
    console.print(
        "Effacée : sa clé est détruite. Les sauvegardes du coffre qui la contiennent encore sont à "
        "détruire dans le délai de docs/exploitation.md.",
        soft_wrap=True,
    )


@cli.command("creer-administrateur")
def creer_administrateur(
    *,
    courriel: Annotated[str, typer.Option(prompt="Courriel", help="Courriel de l’administrateur.")],
    nom: Annotated[str, typer.Option(prompt="Nom", help="Son nom, que le journal n’a pas.")],
    malgre: Annotated[
        bool, typer.Option("--malgre", help="Même si un administrateur est déjà en fonction.")
    ] = False,
) -> None:
    """Ouvrir le compte du premier administrateur, et montrer son code d’activation."""
    with _service() as service:
        _print_lignes(afficher_code(ouvrir_administrateur(service, courriel, nom, malgre=malgre)))


@cli.command()
def comptes() -> None:
    """Montrer les comptes, leurs rôles d’aujourd’hui, et comment chacun entre."""
    with _service() as service:
        _print_lignes(afficher_comptes(service.acces.fiches()))


@cli.command()
def reactiver(
    compte: Annotated[str, typer.Argument(help="Identifiant ou courriel du compte.")],
    *,
    second_facteur: Annotated[
        bool, typer.Option("--second-facteur", help="Retirer aussi son second facteur, perdu.")
    ] = False,
) -> None:
    """Donner un nouveau code d’activation : le mot de passe est oublié, les sessions fermées."""
    with _service() as service:
        neuf = reactiver_compte(service, compte, second_facteur=second_facteur)
        _print_lignes(afficher_code(neuf))


@cli.command("delier-identite")
def delier_identite(
    compte: Annotated[str, typer.Argument(help="Identifiant ou courriel du compte.")],
) -> None:
    """Oublier quelle identité du fournisseur mène à un compte : sa prochaine venue le redit."""
    with _service() as service:
        identifiant = trouver_compte(service.acces, compte).identifiant
        if service.oidc is None:
            raise FournisseurAbsent
        delie = service.oidc.delier(identifiant)
        if delie:
            service.acces.tracer(
                "identite_deliee", identifiant, objet={"moyen": service.oidc.nom, "par": "systeme"}
            )
    console.print("Lien défait." if delie else "Ce compte n’avait pas de lien.")


@cli.command()
def traces(
    *,
    compte: Annotated[str | None, typer.Option(help="Identifiant ou courriel du compte.")] = None,
    nature: Annotated[str | None, typer.Option(help="Une seule nature de traces.")] = None,
    avant: Annotated[int | None, typer.Option(help="Avant la trace de ce numéro.")] = None,
    nombre: Annotated[int, typer.Option(help="Combien, au plus.", min=1, max=500)] = 50,
) -> None:
    """Montrer qui est entré, qui a été refusé, ce qui est sorti ; les dernières d’abord."""
    with _service() as service:
        filtres = FiltresTraces(
            nature=_lire_nature(nature),
            identifiant=compte and trouver_compte(service.acces, compte).identifiant,
        )
        page = service.acces.traces(filtres, avant=avant, limite=nombre)
        _print_lignes(afficher_traces(page))


def _lire_nature(nature: str | None) -> Nature | None:
    if nature is None:
        return None
    lue = next((connue for connue in NATURES if connue == nature), None)
    if lue is None:
        raise NatureInconnue(nature=nature, natures=", ".join(NATURES))
    return lue


@cli.command()
def personnes() -> None:
    """Montrer en clair les personnes que le service connaît, et ce qu’elles documentent."""
    with _service() as service, service.reads.connection() as conn:
        for partie in afficher_personnes(toutes(conn, OI_ENTIER, service.coffre)):
            console.print(partie, soft_wrap=True)


def _lire_reglement(reglement: str | None) -> Regime | None:
    if reglement is None:
        return None
    lu = next((regime for regime in REGIMES if regime == reglement), None)
    if lu is None:
        raise ReglementInconnu(reglement=reglement)
    return lu


@cli.command()
def verifier() -> None:
    """Vérifier tous les invariants ; la liste de ceux qui ne tiennent pas."""
    broken = 0
    with assembly.database(Settings()) as access:
        prepare(access.owner)
        for controle in verifier_tout(access.owner):
            console.print(f"{'✗' if controle.ecarts else '✓'} {controle.code}  {controle.enonce}")
            for ecart in controle.ecarts:
                console.print(f"      {ecart}", soft_wrap=True)
            broken += bool(controle.ecarts)
        with psycopg.connect(access.owner, autocommit=True) as conn:
            indus = [t for t in trop_percus(conn, OI_ENTIER) if t.nature == "indu"]
    console.print(
        f"Indus ouverts : {len(indus)}, {euros(sum(t.montant for t in indus))}, dont "
        f"{euros(sum(t.a_reclamer for t in indus))} qu’aucun ordre ne réclame.",
        soft_wrap=True,
    )
    if broken:
        console.print(f"{compter(broken, 'invariant(s) rompu(s)')}.")
        raise typer.Exit(1)
    console.print("Tous les invariants tiennent.")


@cli.command("verifier-journal")
def verifier_journal(
    *,
    ancre: Annotated[
        list[Path] | None,
        typer.Option("--ancre", help="Ancre tenue par un tiers, à comparer ; se répète."),
    ] = None,
    reprendre: Annotated[
        bool, typer.Option("--reprendre", help="Repartir d’où s’est arrêtée la dernière fois.")
    ] = False,
) -> None:
    """Recalculer le journal ; le comparer à ses ancres, à ses pièces, à ce qui est montré."""
    with assembly.database(Settings()) as access:
        prepare(access.owner)
        with open_service(access.service) as service, _avancement("Événements relus") as avancer:
            preuve = examiner(service, tenues=ancre or [], reprendre=reprendre, progres=avancer)
        projections = verifier_projections(access.owner)
    for ligne in afficher_preuve(preuve, [projections]):
        console.print(ligne, soft_wrap=True, markup=False)
    if preuve.intacte and not projections.ecarts:
        console.print("Le journal est intact.")
        return
    console.print("Le journal n’est PAS intact.")
    raise typer.Exit(1)


@contextmanager
def _avancement(quoi: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far a long work is: what is done, of how much."""
    columns = (TextColumn(quoi), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(quoi)
        yield lambda fait, total: progress.update(task, completed=fait, total=total)


@contextmanager
def _service() -> Iterator[Service]:
    settings = Settings()
    with assembly.database(settings) as access:
        prepare(access.owner)
        with open_service(access.service) as service:
            yield service


def main() -> None:
    """Run a command; a refusal is a sentence and the exit code 2, never a trace."""
    sans_variables()
    # A polite end asked by the system closes everything in order, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        cli()
    except Refusal as refused:
        console.print(str(refused), soft_wrap=True, markup=False)
        raise SystemExit(2) from None
    except psycopg.OperationalError as unreachable:
        console.print(f"La base de données ne répond pas : {unreachable}", soft_wrap=True)
        raise SystemExit(3) from None
