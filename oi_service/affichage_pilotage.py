"""What the terminal shows of the pilotage: what must be certified by when, what could be moved."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from api.filters import entier, euros, jour
from oi_service.terminal import ecriture, tableau
from projections.degagement import Degagement, LigneExposee, Objectif
from projections.gestion_dynamique import GestionDuPlie, GestionDynamique

_MONTANTS_INVENTES = "Les montants sont inventés (démonstration)."


def afficher_degagement(vu: Degagement, largeur: int) -> Iterator[RenderableType]:
    """Yield the targets, what waits by PLIE, then the plan of each target that is not reached."""
    montant, unite = ecriture(largeur)
    objectifs = tableau(
        f"Subvention globale {vu.numero} : objectifs de certification vus du {jour(vu.le)} "
        f"({unite})",
        ("Échéance", "Objectif", "Préfin.", "Certifié", "Exposé"),
    )
    for ligne in vu.lignes:
        vise = ligne.objectif
        montants = (vise.montant_cumule, vise.prefinancements, ligne.certifie, ligne.exposition)
        objectifs.add_row(_portee(vise), jour(vise.date_limite), *map(montant, montants))
    yield (
        objectifs
        if vu.lignes
        else Text(f"Subvention globale {vu.numero} : aucun objectif de certification n’est fixé.")
    )
    attentes = tableau(
        f"Ce qui attend ({unite})", ("À contrôler", "À transm.", "À certif.", "Certifié")
    )
    for p in vu.par_plie:
        montants = (p.a_controler, p.a_transmettre, p.a_certifier, p.certifie)
        attentes.add_row(p.plie_nom, *map(montant, montants))
    yield attentes
    for ligne in vu.lignes:
        if ligne.etat != "atteint":
            yield from _plan(ligne)
    if vu.fictive:
        yield Text(_MONTANTS_INVENTES)


def _plan(ligne: LigneExposee) -> Iterator[Text]:
    vise = ligne.objectif
    tete = f"{_portee(vise)}, au {jour(vise.date_limite)}"
    if ligne.etat == "manque":
        yield Text(f"{tete} : objectif manqué de {euros(ligne.exposition)}.", style="bold")
        return
    texte = ligne.echeance_du_texte
    source = f" ; dégagement d’office le {jour(texte.jour)}, {texte.reference}" if texte else ""
    yield Text(
        f"{tete} (dans {entier(ligne.jours_restants)} jours{source}) : "
        f"{euros(ligne.exposition)} restent à certifier.",
        style="bold",
    )
    for etape in ligne.plan:
        attente = etape.attente
        yield Text(
            f"  {attente.dossier.numero_mdfse}, bilan n° {attente.numero} : "
            f"{euros(attente.montant)} {attente.attendu_libelle} depuis le {jour(attente.depuis)} "
            f"({entier(etape.jours)} jours), cumul {euros(etape.cumul)}"
        )
    for suite in ligne.a_declarer:
        bilan = suite.bilan
        yield Text(
            f"  {suite.dossier.numero_mdfse}, bilan n° {bilan.numero} {bilan.etat_libelle} "
            f"(limite le {jour(bilan.date_limite)}) : au plus "
            f"{euros(suite.dossier.reste_a_declarer)} à déclarer, cumul {euros(suite.cumul)}"
        )
    if ligne.non_couvert:
        yield Text(f"  Rien de connu ne couvrirait {euros(ligne.non_couvert)}.")


def _portee(objectif: Objectif) -> str:
    parts = (
        objectif.plie_nom or objectif.plie_id,
        f"axe {objectif.axe}" if objectif.axe else None,
        objectif.objectif_specifique,
    )
    return ", ".join(part for part in parts if part) or "Tout l’OI"


def afficher_propositions(revue: GestionDynamique, largeur: int) -> Iterator[RenderableType]:
    """Yield the review by PLIE, the transfers proposed, what nobody can give."""
    montant, unite = ecriture(largeur)
    table = tableau(
        f"Subvention globale {revue.numero} : revue du {jour(revue.le)} ({unite})",
        ("Envel.", "Dispo.", "Demandé", "Reliq.", "Prév.", "Acquis"),
    )
    for p in revue.par_plie:
        table.add_row(p.plie_nom, *map(montant, _revue(p)))
    table.add_section()
    totaux = zip(*(_revue(p) for p in revue.par_plie), strict=True)
    table.add_row("Total OI", *(montant(sum(colonne)) for colonne in totaux), style="bold")
    yield table
    yield Text(
        "Prév. : sous-réalisation prévisible, conventionné moins dû des opérations finies et non "
        "soldées ; Acquis : la part que leur solde libérera à coup sûr."
    )
    for a in revue.ajustements:
        yield Text(
            f"Tranche {a.annee}, ajustement jusqu’au {jour(a.limite)} : "
            f"{euros(a.sur_programmation)} non programmés dans l’année, "
            f"{euros(a.sur_justification)} non justifiés."
        )
    if revue.empechement:
        yield Text(revue.empechement)
    for rang, proposition in enumerate(revue.propositions, 1):
        yield Text(
            f"Proposition n° {rang} : {euros(proposition.fse)} de FSE, de « {proposition.de_nom} » "
            f"vers « {proposition.vers_nom} » ({proposition.de.ligne.libelle}).",
            style="bold",
        )
        yield Text(f"  {proposition.raison}")
    if not revue.propositions and not revue.empechement:
        yield Text("Aucun transfert à proposer.")
    for besoin in revue.besoins_non_couverts:
        reste = f" ; {euros(besoin.non_reparti)} restent à répartir" if besoin.non_reparti else ""
        yield Text(
            f"Besoin non couvert : {euros(besoin.montant)}, {besoin.plie_nom} "
            f"({besoin.cellule.ligne.libelle}){reste}."
        )
    if revue.fictive:
        yield Text(_MONTANTS_INVENTES)


def _revue(p: GestionDuPlie) -> tuple[int, ...]:
    return (
        p.chiffres.fse_maquette,
        p.disponible_a_programmer,
        p.demande,
        p.reliquats,
        p.sous_realisation_previsible,
        p.sous_realisation_previsible - p.encore_justifiable,
    )
