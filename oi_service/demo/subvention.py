"""The story above the dossiers: the grant, its enveloppes, the calls, the contreparties."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

from aggregates.appel_a_projets import publication
from aggregates.appel_a_projets.state import APPEL_A_PROJETS
from aggregates.commande import Commande
from aggregates.contrepartie import affectation, repartition
from aggregates.contrepartie.state import CONTREPARTIE
from aggregates.subvention_globale import conventionnement, maquette, objectifs
from aggregates.subvention_globale.state import SUBVENTION_GLOBALE
from api import actions
from oi_service.demo import appel
from oi_service.demo.chapitres import MUTUALISATION
from oi_service.demo.distribution import Dossier
from oi_service.demo.enveloppes import (
    RESERVE,
    RESERVE_REPORTEE,
    TRANSFERTS,
    Cellule,
    Transfert,
    besoins,
    cout_total,
    enveloppes,
)
from oi_service.demo.execution import nom_contrepartie
from oi_service.demo.generateur import NOMS_FINANCEURS, hasard
from oi_service.demo.recit import COMPTABLE, ORDONNATEUR, Qui, Recit, identifiant, plans
from oi_service.money import euros

_GESTIONNAIRE = Qui("gestionnaire-1", "gestionnaire_oi")


class RecitSubvention(Recit):
    """The story of the grant."""

    def decide_sur(
        self, nom: str, decision: Callable[..., list[Any]], modele: type[Commande], **champs: Any
    ) -> None:
        """Add a command on the subvention globale."""
        stream_id = identifiant(self.graine, "subvention")
        self.decide(nom, ORDONNATEUR, SUBVENTION_GLOBALE, stream_id, decision, modele, **champs)


def raconte_la_subvention(graine: int, cast: list[Dossier]) -> Recit:
    """The convention of 2018, its avenant, and the two tranches that the story plays."""
    r = RecitSubvention(graine, "subvention", date(2018, 2, 12))
    parts = enveloppes(graine, cast)
    total = parts.total() + sum(RESERVE.values())
    apres = sum(fse for (annee, _, _), fse in parts.items() if annee == 2022)
    apres += sum(fse for (annee, _), fse in RESERVE.items() if annee == 2022)
    r.agit(
        "convention",
        ORDONNATEUR,
        actions.conventionner_subvention_globale,
        identifiant(graine, "subvention"),
        conventionnement.ConventionnerSubventionGlobale,
        **appel.subvention_globale(euros(total - apres)),
    )
    r.attend(date(2020, 12, 14))
    r.decide_sur(
        "avenant-1",
        conventionnement.signer_avenant,
        conventionnement.SignerAvenantSubventionGlobale,
        numero_avenant=1,
        objet="Deux années de plus pour programmer, une pour réaliser, et une tranche 2022",
        fse_total=euros(total),
        programmation={"debut": "2018-01-01", "fin": "2022-12-31"},
        realisation={"debut": "2018-01-01", "fin": "2023-12-31"},
    )
    for annee in appel.ANNEES:
        r.attend(date(annee, 1, 4))
        ouvre_la_tranche(r, annee, {c: fse for c, fse in parts.items() if c[0] == annee})
    for rang, transfert in enumerate(TRANSFERTS, 1):
        r.attend(transfert.jour)
        transfere(r, f"transfert-{rang}", transfert)
    r.attend(RESERVE_REPORTEE.jour)
    reporte_la_reserve(r)
    return r


def reporte_la_reserve(r: RecitSubvention) -> None:
    """Give to a dossier of 2022 what the réserve of 2021 will not use: no transfer could."""
    fse = RESERVE_REPORTEE.fse
    de, vers = (appel.ligne(annee, RESERVE_REPORTEE.objectif) for annee in appel.ANNEES)
    r.decide_sur(
        "avenant-2",
        conventionnement.signer_avenant,
        conventionnement.SignerAvenantSubventionGlobale,
        numero_avenant=2,
        objet="Report sur la tranche 2022 d’une part de la réserve de 2021",
        ecarts=[
            {
                "cellule": {"ligne": ligne, "plie_id": plie_id},
                "fse": signe + euros(fse),
                "cout_total": signe + euros(cout_total(fse)),
            }
            for ligne, plie_id, signe in ((de, "reserve", "-"), (vers, RESERVE_REPORTEE.vers, ""))
        ],
    )


def ouvre_la_tranche(r: RecitSubvention, annee: int, parts: dict[Cellule, int]) -> None:
    """Open the lines of a year, then share them between the PLIE and the réserve."""
    lignes = []
    for objectif in appel.DISPOSITIFS:
        montants = [fse for (_, o, _), fse in parts.items() if o == objectif]
        montants.append(RESERVE.get((annee, objectif), 0))
        contreparties = sum(cout_total(m) - m for m in montants)
        privees = contreparties * 13 // 100
        lignes.append(
            appel.ligne(annee, objectif)
            | {
                "fse": euros(sum(montants)),
                "contreparties_publiques": euros(contreparties - privees),
                "contreparties_privees": euros(privees),
            }
        )
    r.decide_sur(
        f"tranche-{annee}",
        maquette.ouvrir_tranche,
        maquette.OuvrirTranche,
        annee=annee,
        lignes=lignes,
    )
    r.passe(2)
    for (_, objectif, plie), fse in parts.items():
        r.decide_sur(
            f"enveloppe-{annee}/{objectif}/{plie}",
            maquette.notifier_enveloppe,
            maquette.NotifierEnveloppePlie,
            ligne=appel.ligne(annee, objectif),
            plie_id=plie,
            fse=euros(fse),
            cout_total=euros(cout_total(fse)),
        )
    for (a, objectif), fse in RESERVE.items():
        if a == annee:
            r.decide_sur(
                f"reserve-{annee}/{objectif}",
                maquette.constituer_reserve,
                maquette.ConstituerReserve,
                ligne=appel.ligne(annee, objectif),
                fse=euros(fse),
                cout_total=euros(cout_total(fse)),
            )


def transfere(r: RecitSubvention, nom: str, transfert: Transfert) -> None:
    """Move money inside a line."""
    ligne = appel.ligne(transfert.annee, transfert.objectif)
    r.decide_sur(
        nom,
        maquette.transferer,
        maquette.DeciderTransfert,
        de={"ligne": ligne, "plie_id": transfert.de or "reserve"},
        vers={"ligne": ligne, "plie_id": transfert.vers},
        fse=euros(transfert.fse),
        cout_total=euros(cout_total(transfert.fse)),
        instance="conseil_administration_oi",
        pv_ref=f"CA du {r.jour:%d/%m/%Y}",
        motif="Un dossier ajourné dépasse ce qui reste de l’enveloppe",
    )


#: What must be certified by the end of a year, in thousandths of what is opened until then.
_OBJECTIFS = ((2019, date(2022, 12, 31), 560), (2020, date(2023, 12, 31), 930))
#: What the State already gave of it, in thousandths.
_PREFINANCEMENTS = 35
#: What a PLIE foresees of the year, quarter by quarter, in thousandths of what it will programme:
#: everything is declared in spring, certified at the end; in July, certification is put off.
_PREVISIONS: dict[str, tuple[int, ...]] = {
    "fse_programme": (980, 0, 0, 20),
    "fse_declare": (0, 640, 90, 0),
    "fse_certifie": (0, 0, 150, 250),
}
_PREVISIONS_REVUES: dict[str, tuple[int, ...]] = {
    "fse_declare": (0, 0, 60, 10),
    "fse_certifie": (0, 0, 30, 370),
}
_QUI_PREVOIT = ("agenais", "bordeaux", "grand_perigueux")


def raconte_le_pilotage(graine: int, cast: list[Dossier]) -> Recit:
    """What the State expects to be certified, for the OI and each PLIE; what some PLIE foresee."""
    r = RecitSubvention(graine, "pilotage", date(2022, 1, 17))
    parts = enveloppes(graine, cast)
    ouvert: Counter[tuple[int, str | None]] = Counter()
    for (annee, _, plie), fse in parts.items():
        ouvert[annee, plie] += fse
        ouvert[annee, None] += fse
    for (annee, _), fse in RESERVE.items():
        ouvert[annee, None] += fse
    plies = sorted({plie for _, _, plie in parts})
    for engagement, jour, milliemes in _OBJECTIFS:
        for qui in (None, *plies) if jour.year == appel.ANNEES[1] else (None,):
            total = sum(ouvert[a, qui] for a in appel.ANNEES if a < jour.year)
            fixe_un_objectif(r, engagement, jour, qui, total * milliemes // 1000)
    besoin: Counter[str] = Counter()
    for (_, _, plie), fse in besoins(graine, cast).items():
        besoin[plie] += fse
    r.passe(14)
    for plie in _QUI_PREVOIT:
        prevoit(r, plie, besoin[plie], _PREVISIONS, 1)
    r.attend(date(2022, 7, 11))
    prevoit(r, _QUI_PREVOIT[0], besoin[_QUI_PREVOIT[0]], _PREVISIONS_REVUES, 3)
    r.attend(date(2022, 9, 26))
    # The State asks for a little more than it said in January.
    total = ouvert[appel.ANNEES[0], None]
    fixe_un_objectif(r, 2019, _OBJECTIFS[0][1], None, total * 580 // 1000, "-revu")
    return r


def fixe_un_objectif(
    r: RecitSubvention,
    engagement: int,
    jour: date,
    plie: str | None,
    montant: int,
    suite: str = "",
) -> None:
    """Record a target; the day is that of the text, so it is left out."""
    r.decide(
        f"objectif-{jour.year}/{plie or 'oi'}{suite}",
        _GESTIONNAIRE,
        SUBVENTION_GLOBALE,
        identifiant(r.graine, "subvention"),
        objectifs.fixer_objectif,
        objectifs.FixerObjectifCertification,
        plie_id=plie,
        annee_engagement=engagement,
        montant_cumule=euros(montant),
        prefinancements=euros(montant * _PREFINANCEMENTS // 1000),
        source=f"Courrier fictif de l’autorité de gestion déléguée du {r.jour:%d/%m/%Y}",
    )


def prevoit(
    r: RecitSubvention, plie: str, besoin: int, parts: dict[str, tuple[int, ...]], depuis: int
) -> None:
    """File the forecasts of a PLIE for the quarters of 2022 that are not over."""
    r.decide(
        f"previsions-{depuis}/{plie}",
        Qui(f"directeur-{plie}", "directeur_plie"),
        SUBVENTION_GLOBALE,
        identifiant(r.graine, "subvention"),
        objectifs.deposer_previsions,
        objectifs.DeposerPrevisions,
        plie_id=plie,
        trimestres=[
            {
                "annee": 2022,
                "trimestre": numero,
                "mesure": mesure,
                "montant": euros(besoin * milliemes // 1000),
            }
            for mesure, parts_du_trimestre in parts.items()
            for numero, milliemes in enumerate(parts_du_trimestre, 1)
            if numero >= depuis
        ],
    )


def raconte_les_appels(graine: int) -> Recit:
    """The real call, and the invented one of the following year."""
    r = Recit(graine, "appels", date(2021, 12, 1))
    for annee, faits in ((2021, appel.appel_reel()), (2022, appel.appel_reconduit())):
        r.attend(date.fromisoformat(faits["date_ouverture"]))
        r.agit(
            f"appel-{annee}",
            _GESTIONNAIRE,
            actions.publier_appel,
            identifiant(graine, f"appel-{annee}"),
            publication.PublierAppelAProjets,
            identifiant(graine, "subvention"),
            **faits,
        )
        if annee == 2021:
            r.attend(date(2022, 1, 3))
            r.decide(
                f"appel-{annee}/cloture",
                _GESTIONNAIRE,
                APPEL_A_PROJETS,
                identifiant(graine, f"appel-{annee}"),
                publication.clore,
                publication.CloreAppelAProjets,
            )
    return r


def raconte_les_contreparties(graine: int, cast: list[Dossier]) -> list[Recit]:
    """What each kind of funder grants to each PLIE, and what it pays of it."""
    promis: Counter[tuple[int, str, str]] = Counter()
    for d in cast:
        if d.programme:
            _, plan = plans(graine, d)
            for type_, montant in plan.contreparties.items():
                promis[d.annee, d.plie, type_] += montant
    return [_contrepartie(graine, *cle, montant) for cle, montant in sorted(promis.items())]


def _contrepartie(graine: int, annee: int, plie: str, type_: str, promis: int) -> Recit:
    nom = nom_contrepartie(annee, plie, type_)
    h = hasard(graine, nom)
    r = Recit(graine, nom, date(annee, 3, 1))
    attribue = promis * h.randint(1_000, 1_060) // 1_000
    r.passe(h.randint(0, 20))
    r.agit(
        "attribution",
        _GESTIONNAIRE,
        actions.attribuer_contrepartie,
        identifiant(graine, nom),
        affectation.AttribuerContrepartie,
        identifiant(graine, "subvention"),
        type=type_,
        financeur=NOMS_FINANCEURS[type_],
        plie_id=plie,
        annee=annee,
        montant=euros(attribue),
        attestation_ref=f"Décision fictive {annee}",
    )
    acompte = attribue * h.randint(40, 70) // 100
    versements = (acompte,) if annee == 2022 else (acompte, attribue - acompte)
    for rang, montant in enumerate(versements, 1):
        r.passe(60)
        r.decide(
            f"versement-{rang}",
            COMPTABLE,
            CONTREPARTIE,
            identifiant(graine, nom),
            affectation.percevoir,
            affectation.PercevoirContrepartie,
            montant=euros(montant),
            ref=f"VERSEMENT-{rang}",
        )
    return r


def raconte_la_repartition(graine: int, cast: list[Dossier]) -> Recit:
    """One funder's money, shared by need between the operations of a PLIE before their solde."""
    appuyes = [d for d in cast if d.avec("mutualise")]
    annee, plie = appuyes[0].annee, appuyes[0].plie
    r = Recit(graine, "repartition", MUTUALISATION)
    r.agit(
        "epci",
        _GESTIONNAIRE,
        actions.repartir_contrepartie,
        identifiant(graine, nom_contrepartie(annee, plie, "publique_epci")),
        repartition.RepartirContrepartie,
        operations=[identifiant(graine, d.numero_mdfse) for d in appuyes],
        motif="Besoins connus après le contrôle des trois bilans finals",
    )
    return r
