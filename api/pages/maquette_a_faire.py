"""What waits behind the maquette: bilans, controls, payments, contreparties, money to move.

It follows every dossier, which takes longer than the figures: the maquette shows itself first, and
takes this in when it is there. Without a script it is a page of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.deps import PRESENT, Dates, DatesDemandees, Lecture, maquette_courante
from api.filters import entier, euros_ronds
from api.filters import jour as jour_court
from api.graphiques import Graphique
from api.pages.alertes import Action, Niveau
from api.pages.courbes import couverture_de
from api.pages.dates import SituationVue, situation_vue
from api.pages.formulaires import vers
from api.pages.gabarits import templates
from api.pages.maquette import jour_des_figures, tableau_courant
from api.tableaux import Cellule, Colonne, Ligne, Tableau
from oi_service.money import euros
from projections.bilans_attendus import BilanAttendu, bilans_attendus
from projections.couverture import Couverture, Manque, couverture
from projections.curseurs import LIMITE_MAXIMALE
from projections.gestion_dynamique import BesoinNonCouvert, GestionDynamique
from projections.gestion_dynamique import charger as charger_gestion
from projections.horloges import HorlogeDeBilan, horloges
from projections.maquette import HORS_PLIE, Maquette
from projections.perimetre import Perimetre
from projections.tableau_de_bord import BilanAControler, TableauDeBord
from projections.trop_percus import TropPercu, trop_percus

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Attendu:
    """Something that waits for somebody: what, how much, and where it is done."""

    niveau: Niveau
    libelle: str
    montant: int | None
    precision: str | None
    action: Action | None
    tableau: Tableau | None = None  #: all of it, where no other page lists it


@dataclass(frozen=True, slots=True)
class VueAFaire:
    """All that the page, or the part of the maquette, shows."""

    numero: str
    situation: SituationVue
    attendus: tuple[Attendu, ...]
    couverture: Graphique | None
    lien_maquette: str


def attendus(
    *,
    a_controler: Sequence[BilanAControler],
    bilans: Sequence[BilanAttendu],
    delais: Sequence[HorlogeDeBilan],
    couverte: Couverture,
    percus: Sequence[TropPercu],
    gestion: GestionDynamique,
    dates: Dates = PRESENT,
) -> tuple[Attendu, ...]:
    """Say what waits, in the order of the work; its ways lead to the same dates."""
    return tuple(
        attendu
        for groupe in (
            _bilans(bilans, dates),
            _controles(a_controler, dates),
            _delais(delais, dates),
            _contreparties(couverte, dates),
            _indus(percus, dates),
            _transferts(gestion, dates),
        )
        for attendu in groupe
    )


def _bilans(bilans: Sequence[BilanAttendu], dates: Dates) -> Iterable[Attendu]:
    if bilans:
        ancien = bilans[0]
        yield Attendu(
            "attention",
            _combien(len(bilans), "bilan en retard", "bilans en retard"),
            None,
            f"Le plus ancien, {ancien.numero_mdfse} ({ancien.plie_nom}), était attendu le "
            f"{jour_court(ancien.date_limite)}. Réclamez-les aux bénéficiaires.",
            Action("Voir les bilans attendus", _lien("/controles", dates, ancre="attendus")),
        )


def _controles(bilans: Sequence[BilanAControler], dates: Dates) -> Iterable[Attendu]:
    if bilans:
        retards = [b for b in bilans if b.en_retard]
        ancien = bilans[0]
        yield Attendu(
            "attention" if retards else "information",
            _combien(
                len(bilans),
                "contrôle de service fait à produire",
                "contrôles de service fait à produire",
            ),
            sum(b.declare for b in bilans),
            f"Le plus ancien, {ancien.numero_mdfse} ({ancien.plie_nom}), attend depuis "
            f"{entier(ancien.jours)} jours"
            + (f" ; {len(retards)} au-delà du délai de paiement." if retards else "."),
            Action("Voir les contrôles", _lien("/controles", dates)),
        )


def _delais(delais: Sequence[HorlogeDeBilan], dates: Dates) -> Iterable[Attendu]:
    depasses = [d for d in delais if d.alerte is not None and d.alerte >= _DELAI_ENTIER]
    if depasses:
        yield Attendu(
            "grave",
            _combien(
                len(depasses),
                "paiement au-delà de son délai",
                "paiements au-delà de leur délai",
            ),
            None,
            f"Bénéficiaires à payer : {', '.join(d.numero_mdfse for d in depasses[:_NOMMES])}"
            + (" et d’autres." if len(depasses) > _NOMMES else "."),
            Action("Voir les délais de paiement", _lien("/paiements", dates, etape="delais")),
        )


#: Percent of the delay: all of it.
_DELAI_ENTIER = 100
#: How many dossiers a sentence names.
_NOMMES = 4


def _contreparties(couverte: Couverture, dates: Dates) -> Iterable[Attendu]:
    ouverts = [m for m in couverte.manques if m.ouvert]
    if ouverts:
        premier = ouverts[0]
        financeurs = len({(m.type, m.financeur) for m in ouverts})
        yield Attendu(
            "attention",
            "Contreparties attendues et non couvertes",
            sum(m.manque for m in ouverts),
            f"{_combien(financeurs, 'financeur', 'financeurs')} à relancer ; d’abord "
            f"{premier.financeur} pour {premier.numero_mdfse}, {euros_ronds(premier.manque)} avant "
            f"le {jour_court(premier.echeance)}.",
            None,
            _manques(ouverts, dates),
        )


def _indus(percus: Sequence[TropPercu], dates: Dates) -> Iterable[Attendu]:
    indus = [t for t in percus if t.a_reclamer]
    if indus:
        yield Attendu(
            "grave",
            _combien(len(indus), "trop-perçu à réclamer", "trop-perçus à réclamer"),
            sum(t.a_reclamer for t in indus),
            f"D’abord {indus[0].numero_mdfse} : {euros_ronds(indus[0].a_reclamer)}.",
            Action(f"Ouvrir {indus[0].numero_mdfse}", _dossier(indus[0].numero_mdfse, dates)),
        )


def _transferts(gestion: GestionDynamique, dates: Dates) -> Iterable[Attendu]:
    for p in gestion.propositions[:_NOMMES]:
        ligne = p.de.ligne
        essai = {
            "ligne": f"{ligne.annee}|{ligne.axe}|{ligne.objectif_specifique}|{ligne.dispositif}",
            "de": p.de.plie_id,
            "vers": p.vers.plie_id,
            "fse": euros(p.fse),
        }
        yield Attendu(
            "information",
            f"Transfert possible : {p.de_nom} vers {p.vers_nom}",
            p.fse,
            p.raison,
            Action("Essayer ce transfert", f"/maquette/transfert?{urlencode(essai)}"),
        )
    besoins = gestion.besoins_non_couverts
    if besoins:
        noms = dict.fromkeys(besoin.plie_nom for besoin in besoins)
        a_notifier = sum({b.cellule.ligne: b.non_reparti for b in besoins}.values())
        yield Attendu(
            "attention",
            "Dossiers déposés sans enveloppe pour les financer",
            sum(besoin.montant for besoin in besoins),
            f"Aucune enveloppe de leur ligne ne peut le donner : {', '.join(noms)}."
            + (
                f" {euros_ronds(a_notifier)} de ces lignes restent à notifier."
                if a_notifier
                else ""
            ),
            None,
            _besoins(besoins, dates),
        )


def _manques(manques: Sequence[Manque], dates: Dates) -> Tableau:
    """List what funders of the plans do not cover, the first to end first."""
    return Tableau(
        titre="Contreparties attendues et non couvertes",
        colonnes=(
            Colonne("dossier", "Dossier"),
            Colonne("financeur", "Financeur"),
            Colonne("echeance", "Avant le", "jour"),
            Colonne("manque", "Manque", "euros"),
        ),
        lignes=tuple(
            Ligne(
                {
                    "dossier": Cellule(
                        m.numero_mdfse,
                        lien=_dossier(m.numero_mdfse, dates),
                        precision=m.plie_nom,
                    ),
                    "financeur": Cellule(m.financeur, precision=m.type_libelle),
                    "echeance": Cellule(m.echeance),
                    "manque": Cellule(m.manque),
                }
            )
            for m in manques
        ),
    )


def _besoins(besoins: Sequence[BesoinNonCouvert], dates: Dates) -> Tableau:
    """List what dossiers ask for and no enveloppe has, each line with its dossiers."""
    return Tableau(
        titre="Demandes sans enveloppe, par PLIE et par ligne de la maquette",
        colonnes=(
            Colonne("plie", "PLIE"),
            Colonne("ligne", "Ligne de la maquette"),
            Colonne("montant", "Sans enveloppe", "euros"),
            Colonne("dossiers", "Où regarder"),
        ),
        lignes=tuple(
            Ligne(
                {
                    "plie": Cellule(b.plie_nom),
                    "ligne": Cellule(
                        f"{b.cellule.ligne.annee} · {b.cellule.ligne.objectif_specifique}",
                        precision=b.cellule.ligne.dispositif,
                    ),
                    "montant": Cellule(b.montant),
                    "dossiers": Cellule(
                        "Ses dossiers",
                        lien=_lien(
                            "/operations",
                            dates,
                            plie=b.cellule.plie_id,
                            annee=str(b.cellule.ligne.annee),
                            os=b.cellule.ligne.objectif_specifique,
                        ),
                    ),
                }
            )
            for b in besoins
        ),
    )


def _dossier(numero: str, dates: Dates) -> str:
    return _lien(f"/dossiers/{quote(numero, safe='')}", dates)


def _lien(chemin: str, dates: Dates, *, ancre: str = "", **choix: str) -> str:
    """Lead to another page, at the same dates."""
    demande = urlencode({**choix, **dates.requete})
    return f"{chemin}{demande and '?'}{demande}{ancre and '#'}{ancre}"


def _combien(nombre: int, un: str, plusieurs: str) -> str:
    return f"{entier(nombre)} {plusieurs if nombre > 1 else un}"


@router.get("/maquette/a-faire", name="page_maquette_a_faire", response_model=None)
def page(
    request: Request,
    lecture: Lecture,
    dates: DatesDemandees,
    maquette: Annotated[Maquette | None, Depends(maquette_courante)],
    tableau: Annotated[TableauDeBord | None, Depends(tableau_courant)],
    subvention: str | None = None,
) -> HTMLResponse | RedirectResponse:
    """Affiche ce qui attend : bilans, contrôles, paiements, contreparties, transferts possibles."""
    if maquette is None or tableau is None:
        return vers("/maquette", subvention=subvention, **dates.requete)
    le = jour_des_figures(maquette, dates)
    sg, situation = maquette.subvention_globale_id, dates.situation
    conn, perimetre = lecture.conn, lecture.perimetre
    # Of this subvention globale only: a log may hold those of many OI.
    siens = Perimetre(
        frozenset(plie for plie, _, _ in maquette.par_plie() if plie not in HORS_PLIE)
    )
    couverte = couverture(conn, perimetre, situation, subventions=[sg])
    asked = {"subvention": subvention}
    vue = VueAFaire(
        numero=maquette.numero,
        situation=situation_vue(dates, asked, maquette.position, maquette.connue_le),
        attendus=attendus(
            a_controler=tableau.a_controler,
            bilans=bilans_attendus(
                conn, siens, le=le, etat="en_retard", limite=LIMITE_MAXIMALE
            ).lignes,
            delais=horloges(conn, siens, le),
            couverte=couverte,
            percus=trop_percus(conn, siens, situation),
            gestion=charger_gestion(conn, perimetre, sg, situation, le=le),
            dates=dates,
        ),
        couverture=couverture_de(couverte),
        lien_maquette=vers("/maquette", subvention=subvention, **dates.requete).headers["location"],
    )
    return templates().TemplateResponse(request, "maquette_a_faire.html", {"vue": vue})
