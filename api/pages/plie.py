"""The page of a PLIE: its figures, its curve, what waits, its operations, what it foresees.

Its director arrives here, and says here what each quarter should bring.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from api.deps import Dates, DatesDemandees, Lecture, LectureOuverte, ServiceOuvert
from api.filters import entier_euros, euros_ronds, pourcent
from api.graphiques import Graphique
from api.pages import formulaires
from api.pages.actes import jouer, permis
from api.pages.alertes import Alerte, alertes, badges, programmation_attendue
from api.pages.barres import Barre, barre, echelle
from api.pages.courbes import courbe_de
from api.pages.dates import SituationVue, sans_situation, situation_vue
from api.pages.definitions import FONDS
from api.pages.formulaires import Defaut, FormulaireRecu, SaisieRefusee, vers
from api.pages.maquette import ChiffreCle, Origine, chiffres_cles, jour_des_figures
from api.pages.montants import lire_centimes
from api.tableaux import Cellule, Colonne, Ligne, Tableau
from oi_service.clock import today
from oi_service.dates import fin_de_trimestre, trimestre
from oi_service.errors import Conflict, NotFound, Refusal
from oi_service.ids import new_id
from oi_service.money import euros as decimal
from oi_service.money import ratio
from projections.couverture import Couverture, Manque, couverture
from projections.dossiers import LigneOperation, operations
from projections.histoire import MESURES_PREVUES, ROLES
from projections.horloges import HorlogeDeBilan, horloges
from projections.levier import deux_decimales
from projections.maquette import Chiffres, Maquette, charger, subventions
from projections.perimetre import Perimetre
from projections.previsions import Depot, Previsions, Trimestre, depots
from projections.tableau_de_bord import BilanAControler, TableauDeBord, tableau_de_bord

router = APIRouter()


class PlieAbsent(NotFound):
    """Aucun PLIE « {plie_id} » dans cette subvention globale, ou il n’est pas de votre territoire :
    choisissez-le dans la maquette.
    """


class PrevisionsDepassees(Conflict):
    """D’autres prévisions de ce PLIE ont été déposées pendant votre saisie, par {acteur} : elles
    sont montrées à côté. Vérifiez, puis déposez de nouveau ; ce que vous avez écrit est gardé.
    """


# --- What the template shows ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseDePrevision:
    """A field of the grid: a quarter of a measure."""

    nom: str
    etiquette: str
    valeur: str
    en_vigueur: str | None
    realise: int


@dataclass(frozen=True, slots=True)
class LigneDePrevision:
    """A measure, quarter by quarter."""

    mesure: str
    libelle: str
    cases: tuple[CaseDePrevision, ...]


@dataclass(frozen=True, slots=True)
class DepotVu:
    """Who foresaw, and when."""

    position: int
    deposee_le: date
    enregistre_le: datetime
    qui: str
    phrase: str


@dataclass(frozen=True, slots=True)
class GrilleDePrevisions:
    """The forecasts of a PLIE: those of the past beside what came, those to come to be written."""

    trimestres: tuple[str, ...]
    lignes: tuple[LigneDePrevision, ...]
    passees: Tableau | None
    depots: tuple[DepotVu, ...]
    modifiable: bool
    vu: int  #: the last deposit that the grid knows
    cle: str
    le: date


@dataclass(frozen=True, slots=True)
class Seuil:
    """The share of the PLIE in a target."""

    jour: date
    a_certifier: int
    certifie: int
    part: str
    etat: str
    grave: bool


@dataclass(frozen=True, slots=True)
class OperationVue:
    """An operation: how far its money went, and what it waits for."""

    numero: str
    lien: str
    beneficiaire: str
    statut: str
    attend: str | None
    barre: Barre | None
    programme: int
    retenu: int
    paye: int
    origine: Origine


@dataclass(frozen=True, slots=True)
class VuePlie:
    """All that the page shows."""

    plie_id: str
    nom: str
    numero: str
    fonds: str
    oi_nom: str
    fictive: bool
    situation: SituationVue
    lien_maquette: str
    lien_operations: str
    chiffres_cles: tuple[ChiffreCle, ...]
    alertes: tuple[Alerte, ...]
    courbe: Graphique | None
    seuils: tuple[Seuil, ...]
    levier: str | None
    couverture: str | None
    bilans: Tableau
    contreparties: Tableau
    operations: tuple[OperationVue, ...]
    operations_suite: bool
    previsions: GrilleDePrevisions
    position: int
    calculee_le: datetime
    origine: Origine


@dataclass(frozen=True, slots=True)
class _Lu:
    """What the queries say of a PLIE, all of the same moment."""

    plie_id: str
    nom: str
    perimetre: Perimetre
    maquette: Maquette
    tableau: TableauDeBord
    operations: Sequence[LigneOperation]
    delais: Sequence[HorlogeDeBilan]
    couverte: Couverture
    previsions: Previsions
    depots: tuple[Depot, ...]


def _lire(
    lecture: LectureOuverte, dates: DatesDemandees, plie_id: str, subvention: str | None
) -> _Lu:
    """Read what concerns one PLIE, as its director would.

    Raises: PlieAbsent.
    """
    if not lecture.perimetre.contient(plie_id):
        raise PlieAbsent(plie_id=plie_id)
    conn, situation = lecture.conn, dates.situation
    perimetre = Perimetre(frozenset({plie_id}))
    connues = subventions(conn, perimetre)
    voulue = next((s.id for s in connues if str(s.id) == subvention), None)
    maquette = charger(conn, perimetre, voulue, situation)
    if maquette is None:
        raise PlieAbsent(plie_id=plie_id)
    le = jour_des_figures(maquette, dates)
    sg = maquette.subvention_globale_id
    nom = next((nom for _, nom, _ in maquette.par_plie()), plie_id)
    tableau = tableau_de_bord(conn, perimetre, maquette, le=le)
    return _Lu(
        plie_id=plie_id,
        nom=nom,
        perimetre=perimetre,
        maquette=maquette,
        tableau=tableau,
        operations=operations(
            conn, perimetre, situation, subvention_globale_id=sg, plie=plie_id, limite=_OPERATIONS
        ).lignes,
        delais=horloges(conn, perimetre, le),
        couverte=couverture(conn, perimetre, situation, subventions=[sg], plie=plie_id),
        previsions=tableau.previsions,
        depots=depots(conn, perimetre, sg, plie_id, situation),
    )


#: Operations shown; the list of operations has them all.
_OPERATIONS = 100


def vue(
    lu: _Lu,
    dates: DatesDemandees,
    *,
    subvention: str | None = None,
    modifiable: bool = False,
    saisie: Mapping[str, str] | None = None,
) -> VuePlie:
    """Prepare the page; ``saisie`` is what was typed in the grid and not accepted."""
    total = lu.maquette.total
    le = lu.tableau.le
    siens = badges(
        total,
        programmation_attendue(lu.maquette.lignes, lu.plie_id, le),
        le,
        lu.plie_id,
        lu.tableau,
    )
    asked = {"subvention": subvention} if subvention else {}
    requete = urlencode({**asked, **dates.requete})
    levier = lu.tableau.levier.formules[0].valeur
    taux = lu.couverte.total.taux_atteste
    return VuePlie(
        plie_id=lu.plie_id,
        nom=lu.nom,
        numero=lu.maquette.numero,
        fonds=FONDS[lu.maquette.reglement],
        oi_nom=lu.maquette.oi_nom,
        fictive=lu.maquette.fictive,
        situation=situation_vue(dates, asked, lu.maquette.position, lu.maquette.connue_le),
        lien_maquette=f"/maquette?{requete}" if requete else "/maquette",
        lien_operations=f"/operations?{urlencode({'plie': lu.plie_id, **dates.requete})}",
        chiffres_cles=chiffres_cles(total),
        alertes=alertes([(lu.plie_id, lu.nom, None, siens)], dates=dates.requete),
        courbe=courbe_de(lu.tableau, total.fse_maquette, lu.plie_id),
        seuils=_seuils(lu),
        levier=None if levier is None else deux_decimales(levier).replace(".", ","),
        couverture=None if taux is None else pourcent(taux),
        bilans=_bilans(lu.tableau.a_controler, lu.delais, dates),
        contreparties=_contreparties(lu.couverte.manques, dates),
        operations=tuple(_operation(o, dates) for o in lu.operations),
        operations_suite=len(lu.operations) == _OPERATIONS,
        previsions=_grille(lu, modifiable=modifiable and dates.situation.actuelle, saisie=saisie),
        position=lu.maquette.position,
        calculee_le=lu.maquette.calculee_le,
        # Its figures are of one grant, whichever the address names.
        origine={
            "plie": lu.plie_id,
            "subvention": lu.maquette.subvention_globale_id,
            **dates.requete,
        },
    )


def _seuils(lu: _Lu) -> tuple[Seuil, ...]:
    return tuple(
        Seuil(
            jour=s.date_limite,
            a_certifier=s.a_certifier,
            certifie=s.ligne.certifie,
            part=pourcent(ratio(s.ligne.certifie, s.a_certifier)),
            etat=s.ligne.etat_libelle,
            grave=s.ligne.etat == "manque",
        )
        for s in lu.tableau.seuils
        if s.plie_id == lu.plie_id and s.entier
    )


def _operation(o: LigneOperation, dates: Dates) -> OperationVue:
    """Show an operation on the scale of what it was awarded."""
    chiffres = Chiffres(
        fse_maquette=max(o.fse_programme, o.fse_conventionne),
        fse_programme=o.fse_programme,
        fse_programme_ajuste=o.fse_programme,
        fse_conventionne=o.fse_conventionne,
        fse_declare=o.fse_declare,
        fse_retenu_csf=o.fse_retenu_csf,
        fse_paye=o.fse_paye,
    )
    return OperationVue(
        numero=o.numero_mdfse,
        lien=_dossier(o.numero_mdfse, dates),
        beneficiaire=o.beneficiaire,
        statut=o.statut_libelle,
        attend=o.attend,
        barre=barre(o.numero_mdfse, chiffres, echelle([chiffres], "part")(chiffres)),
        programme=o.fse_programme,
        retenu=o.fse_retenu_csf,
        paye=o.fse_paye,
        origine={"operation": o.numero_mdfse, **dates.requete},
    )


def _dossier(numero: str, dates: Dates) -> str:
    """Lead to a dossier, at the dates of the page."""
    requete = f"?{urlencode(dates.requete)}" if dates.requete else ""
    return f"/dossiers/{quote(numero, safe='')}{requete}"


def _bilans(
    a_controler: Iterable[BilanAControler], delais: Iterable[HorlogeDeBilan], dates: Dates
) -> Tableau:
    """List the bilans that wait for their control or their payment, the oldest first."""
    attendent = {b.bilan_id for b in a_controler}
    return Tableau(
        titre="Bilans qui attendent leur contrôle ou leur paiement",
        colonnes=(
            Colonne("bilan", "Bilan"),
            Colonne("attend", "Attend"),
            Colonne("depose", "Déposé le", "jour"),
            Colonne("jours", "Jours", "nombre", aide="Jours qui comptent pour le délai."),
            Colonne("echeance", "À payer avant le", "jour"),
            Colonne("declare", "Déclaré", "euros"),
        ),
        lignes=tuple(
            Ligne(
                {
                    "bilan": Cellule(
                        f"{d.numero_mdfse}, bilan n° {d.numero}",
                        lien=_dossier(d.numero_mdfse, dates),
                        precision=d.beneficiaire,
                    ),
                    "attend": Cellule(
                        "Contrôle de service fait" if d.bilan_id in attendent else "Paiement",
                        niveau="attention" if (d.alerte or 0) >= _DELAI_ENTIER else None,
                    ),
                    "depose": Cellule(d.depose_le),
                    "jours": Cellule(d.jours_consommes),
                    "echeance": Cellule(d.echeance, precision=d.cause_libelle),
                    "declare": Cellule(d.fse_declare),
                }
            )
            for d in sorted(delais, key=lambda d: (d.depose_le, d.numero_mdfse, d.numero))
        ),
    )


#: Percent of the delay of payment: all of it.
_DELAI_ENTIER = 100


def _contreparties(manques: Iterable[Manque], dates: Dates) -> Tableau:
    """List what is missing by funder: those that may still cover, the largest first."""
    par_financeur: dict[tuple[str, str], list[Manque]] = {}
    for manque in manques:
        if manque.ouvert:
            par_financeur.setdefault((manque.type_libelle, manque.financeur), []).append(manque)
    groupes = sorted(par_financeur.items(), key=lambda item: -sum(m.manque for m in item[1]))
    return Tableau(
        titre="Contreparties attendues et non couvertes",
        colonnes=(
            Colonne("financeur", "Financeur"),
            Colonne("manque", "Manque", "euros"),
            Colonne("operations", "Opérations", "nombre"),
            Colonne("echeance", "Au plus tard le", "jour", aide="Première fin d’opération."),
            Colonne("premiere", "D’abord"),
        ),
        lignes=tuple(
            Ligne(
                {
                    "financeur": Cellule(financeur, precision=nature),
                    "manque": Cellule(sum(m.manque for m in siens)),
                    "operations": Cellule(len(siens)),
                    "echeance": Cellule(siens[0].echeance),
                    "premiere": Cellule(
                        siens[0].numero_mdfse,
                        lien=_dossier(siens[0].numero_mdfse, dates),
                    ),
                }
            )
            for (nature, financeur), siens in groupes
        ),
    )


# --- Forecasts -----------------------------------------------------------------------------------

#: Quarters that the grid shows from the current one, and the most that it may have.
_TRIMESTRES, _TRIMESTRES_MAX = 6, 12


def _grille(lu: _Lu, *, modifiable: bool, saisie: Mapping[str, str] | None) -> GrilleDePrevisions:
    prevus = {
        (t.annee, t.numero, suite.mesure): t
        for suite in lu.previsions.suites
        for t in suite.trimestres
    }
    suivants = _a_prevoir(lu.tableau.le, prevus)
    lignes = []
    for mesure, libelle in MESURES_PREVUES.items():
        cases = []
        for annee, numero in suivants:
            prevu = prevus.get((annee, numero, mesure))
            en_vigueur = None if prevu is None or prevu.prevu is None else prevu.prevu
            nom = f"prevu-{annee}-{numero}-{mesure}"
            ecrit = "" if en_vigueur is None else _ecrire(en_vigueur)
            cases.append(
                CaseDePrevision(
                    nom=nom,
                    etiquette=f"{libelle.capitalize()}, {_nommer(annee, numero)}",
                    valeur=ecrit if saisie is None else saisie.get(nom, ecrit),
                    en_vigueur=None if en_vigueur is None else euros_ronds(en_vigueur),
                    realise=prevu.realise if prevu else 0,
                )
            )
        lignes.append(LigneDePrevision(mesure, libelle.capitalize(), tuple(cases)))
    return GrilleDePrevisions(
        trimestres=tuple(_nommer(annee, numero) for annee, numero in suivants),
        lignes=tuple(lignes),
        passees=_passees(lu.previsions),
        depots=tuple(_depot(d) for d in lu.depots),
        modifiable=modifiable,
        vu=lu.depots[0].position if lu.depots else 0,
        cle=str(new_id()),
        le=today(),
    )


def _a_prevoir(le: date, prevus: Mapping[tuple[int, int, str], Trimestre]) -> list[tuple[int, int]]:
    """Return the quarters to foresee: the current one and those after, as far as forecasts go."""
    annee, numero = trimestre(le)
    derniers = [(a, n) for a, n, _ in prevus]
    suivants: list[tuple[int, int]] = []
    while len(suivants) < _TRIMESTRES or (
        len(suivants) < _TRIMESTRES_MAX and (annee, numero) <= max(derniers, default=(0, 0))
    ):
        suivants.append((annee, numero))
        annee, numero = (annee, numero + 1) if numero < _DERNIER else (annee + 1, 1)
    return suivants


_DERNIER = 4


def _nommer(annee: int, numero: int) -> str:
    return f"T{numero} {annee}"


def _ecrire(centimes: int) -> str:
    """Write an amount as people type it: without cents when there are none."""
    entiers, restes = divmod(centimes, 100)
    return entier_euros(centimes) if not restes else f"{entier_euros(entiers * 100)},{restes:02d}"


def _passees(lues: Previsions) -> Tableau | None:
    """Set what was foreseen of the quarters that are over beside what they brought."""
    lignes = [
        Ligne(
            {
                "trimestre": Cellule(_nommer(t.annee, t.numero)),
                "mesure": Cellule(suite.mesure_libelle.capitalize()),
                "prevu": Cellule(t.prevu),
                "realise": Cellule(t.realise),
                "ecart": Cellule(t.ecart),
            }
        )
        for suite in lues.suites
        for t in suite.trimestres
        if t.etat == "revolu"
    ]
    if not lignes:
        return None
    return Tableau(
        titre="Trimestres révolus : prévu et réalisé",
        colonnes=(
            Colonne("trimestre", "Trimestre"),
            Colonne("mesure", "Mesure"),
            Colonne("prevu", "Prévu", "euros"),
            Colonne("realise", "Réalisé", "euros"),
            Colonne("ecart", "Écart", "euros"),
        ),
        lignes=tuple(lignes),
    )


def _depot(d: Depot) -> DepotVu:
    pluriel = "s" if d.trimestres > 1 else ""
    return DepotVu(
        position=d.position,
        deposee_le=d.deposee_le,
        enregistre_le=d.enregistre_le,
        qui=f"{d.acteur} ({ROLES.get(d.role, d.role)})",
        phrase=f"{d.trimestres} montant{pluriel} prévu{pluriel}, {euros_ronds(d.montant)} en tout",
    )


_BLANCS = re.compile(r"[\s\u00a0\u202f€]+")
_CASE = re.compile(r"prevu-(\d{4})-([1-4])-(\w+)")


def lire_grille(
    dites: Mapping[str, str], en_vigueur: Mapping[str, str], jusqu_au: date
) -> list[dict[str, object]]:
    """Return what the command says of the fields that changed.

    Args:
        dites: what was typed, by name of field.
        en_vigueur: what the grid showed, by name of field.
        jusqu_au: quarters that were over on that day cannot be foreseen.

    Raises: SaisieRefusee, with every field that cannot be read.
    """
    lus, defauts = [], []
    for nom, dit in dites.items():
        case = _CASE.fullmatch(nom)
        texte = _BLANCS.sub("", dit)
        if case is None or texte == _BLANCS.sub("", en_vigueur.get(nom, "")):
            continue
        annee, numero, mesure = int(case[1]), int(case[2]), case[3]
        if not texte:
            defauts.append(
                Defaut("Une prévision ne se retire pas : écrivez 0 si plus rien n’est prévu", nom)
            )
            continue
        try:
            centimes = lire_centimes(dit)
        except ValueError as illisible:
            defauts.append(Defaut(str(illisible), nom))
            continue
        if fin_de_trimestre(annee, numero) >= jusqu_au:
            lus.append(
                {
                    "annee": annee,
                    "trimestre": numero,
                    "mesure": mesure,
                    "montant": decimal(centimes),
                }
            )
    if defauts:
        raise SaisieRefusee(defauts)
    return lus


# --- The routes ----------------------------------------------------------------------------------


def _montrer(
    request: Request,
    lecture: LectureOuverte,
    dates: DatesDemandees,
    plie_id: str,
    subvention: str | None,
    refus: Refusal | SaisieRefusee | None = None,
    saisie: Mapping[str, str] | None = None,
    fait: str | None = None,
) -> HTMLResponse:
    lu = _lire(lecture, dates, plie_id, subvention)
    preparee = vue(
        lu,
        dates,
        subvention=subvention,
        modifiable=permis(request, "deposer_previsions_plie"),
        saisie=saisie,
    )
    return formulaires.page(
        request, "plie.html", refus=refus, vue=preparee, dit=fait, subvention=subvention
    )


@router.get("/plie/{plie_id}", name="page_plie", response_class=HTMLResponse)
def page(
    request: Request,
    lecture: Lecture,
    dates: DatesDemandees,
    plie_id: str,
    subvention: str | None = None,
    fait: str = "",
) -> HTMLResponse:
    """Affiche un PLIE : ses montants, son avancement, ce qui attend, ses prévisions."""
    if not dates.lisibles:
        asked = {"subvention": subvention}
        return sans_situation(
            request, dates, asked, page="page_maquette", titre="PLIE", quoi=_ABSENT
        )
    return _montrer(request, lecture, dates, plie_id, subvention, fait=_FAITS.get(fait))


_ABSENT = "Ce PLIE n’existe pas encore dans cette situation"
_FAITS = {
    "previsions": "Les prévisions sont déposées.",
    "inchangees": "Rien n’a changé : aucune prévision n’était à déposer.",
}


@router.post("/plie/{plie_id}/previsions", name="page_deposer_previsions", response_model=None)
def deposer(
    request: Request,
    lecture: Lecture,
    dates: DatesDemandees,
    service: ServiceOuvert,
    plie_id: str,
    recu: FormulaireRecu,
    subvention: str | None = None,
) -> HTMLResponse | RedirectResponse:
    """Dépose les prévisions qui ont changé."""
    lu = _lire(lecture, dates, plie_id, subvention)
    grille = _grille(lu, modifiable=True, saisie=None)
    cases = [case for ligne in grille.lignes for case in ligne.cases]
    dites = {case.nom: recu.texte(case.nom) for case in cases}
    try:
        changees = lire_grille(dites, {case.nom: case.valeur for case in cases}, grille.le)
        if changees:
            _exiger_a_jour(lu, recu.texte("vu"))
            corps = {
                "date_effet": grille.le.isoformat(),
                "plie_id": plie_id,
                "trimestres": changees,
            }
            sg = lu.maquette.subvention_globale_id
            cle = UUID(recu.texte("cle"))
            jouer(request, service, "deposer_previsions_plie", [sg], corps, cle, None)
    except (Refusal, SaisieRefusee) as refus:
        return _montrer(request, lecture, dates, plie_id, subvention, refus=refus, saisie=dites)
    chemin = request.url_for("page_plie", plie_id=plie_id).path
    return vers(chemin, subvention=subvention, fait="previsions" if changees else "inchangees")


def _exiger_a_jour(lu: _Lu, vu: str) -> None:
    """Refuse to cover what somebody else foresaw since the grid was shown.

    Raises: PrevisionsDepassees.
    """
    dernier = lu.depots[0] if lu.depots else None
    if dernier is not None and str(dernier.position) != vu:
        raise PrevisionsDepassees(acteur=dernier.acteur)
