"""What each act of a dossier changed: its state and its amounts, before and after.

States come of the facts themselves, amounts of the ledger: the last « après » of a measure is the
figure that is shown everywhere else.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from aggregates.controle_operation.state import (
    CONTROLE_OPERATION,
    LIBELLES_SUITE,
    ControleOperation,
)
from aggregates.controle_operation.state import LIBELLES as ETATS_DE_CONTROLE
from aggregates.convention.state import CONVENTION, Bilan, Convention, Csf, Ordre, Paiement
from aggregates.depense.state import DEPENSE, Depense
from aggregates.operation.state import LIBELLES, OPERATION, Operation
from oi_service.aggregate import Aggregate
from oi_service.dates import Periode
from oi_service.errors import french_euros
from projections.fiche_operation import montants_du_plan
from projections.journal import EvenementLu
from projections.mesures import MESURES, unite
from projections.perimetre import Perimetre
from projections.situation import ACTUELLE, Situation
from rules.controle_operation import MESURES as MESURES_DE_SUITE

#: What is said of a thing: a label and its value.
_Dit = dict[str, str]

#: Amounts of a dossier by event: measure, cents.
Postes = Mapping[int, Sequence[tuple[str, int]]]


@dataclass(frozen=True, slots=True)
class Changement:
    """One thing that an act changed; ``avant`` is ``None`` for what it made, ``apres`` for what it
    took away.
    """

    quoi: str
    avant: str | None
    apres: str | None

    @property
    def phrase(self) -> str:
        """The change in one line."""
        return f"{self.quoi} : {self.avant or '–'} → {self.apres or '–'}"


def avant_apres(
    conn: Connection[TupleRow],
    perimetre: Perimetre,
    operation_id: UUID,
    histoire: Sequence[EvenementLu],
    situation: Situation = ACTUELLE,
) -> dict[int, tuple[Changement, ...]]:
    """Return what each fact of a dossier changed, by its position; nothing for most of them.

    ``histoire`` is the story of the dossier in the same situation, in the order of the log.
    """
    return changements(histoire, postes(conn, perimetre, operation_id, situation))


def postes(
    conn: Connection[TupleRow], perimetre: Perimetre, operation_id: UUID, situation: Situation
) -> Postes:
    """Read what the events of a dossier post, event by event."""
    rows = conn.execute(
        """
        SELECT m.position, m.mesure, sum(m.centimes)::bigint
        FROM projection.mouvement AS m
        WHERE m.operation_id = %(operation)s
            AND (%(plies)s::text[] IS NULL OR m.plie_id = ANY(%(plies)s))
            AND m.position <= %(connu_le)s AND m.date_effet <= %(effet_au)s
        GROUP BY m.position, m.mesure
        """,
        {"operation": operation_id, "plies": perimetre.liste, **situation.parametres},
    )
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for position, mesure, centimes in rows:
        found[position].append((mesure, centimes))
    return found


def changements(
    histoire: Sequence[EvenementLu], postes: Postes
) -> dict[int, tuple[Changement, ...]]:
    """Follow the story: what was said of each stream, and the sum of each measure."""
    etats: dict[UUID, Any] = {}
    dits: dict[UUID, _Dit] = {}
    sommes = dict.fromkeys(MESURES, 0)
    trouves = {}
    for lu in histoire:
        faits = [*_etat(lu, etats, dits), *_montants(dict(postes.get(lu.position, ())), sommes)]
        if faits:
            trouves[lu.position] = tuple(faits)
    return trouves


# --- Amounts -------------------------------------------------------------------------------------


def _montants(bouges: Mapping[str, int], sommes: dict[str, int]) -> Iterator[Changement]:
    """Yield the measures that an event moves, in the order of the maquette."""
    for mesure, libelle in MESURES.items():
        ecart = bouges.get(mesure, 0)
        if not ecart:
            continue
        avant = sommes[mesure]
        sommes[mesure] = avant + ecart
        # Adjusted amounts only differ from the others once the operation is settled.
        if bouges.get(mesure.removesuffix("_ajuste")) != ecart or not mesure.endswith("_ajuste"):
            ecrire = str if unite(mesure) == "nombre" else french_euros
            yield Changement(libelle, ecrire(avant), ecrire(avant + ecart))


# --- States --------------------------------------------------------------------------------------


def _etat(lu: EvenementLu, etats: dict[UUID, Any], dits: dict[UUID, _Dit]) -> Iterator[Changement]:
    """Yield what an event changes of what is said of its stream."""
    sorte = _SORTES.get(lu.name.partition(".")[0])
    if sorte is None or (lu.stream_id not in etats and lu.version != 1):
        return  # A fact of another dossier: it is here for its amounts.
    aggregate, dire = sorte
    etat = etats[lu.stream_id] = aggregate.evolve(etats.get(lu.stream_id), lu.fait)
    avant, apres = dits.get(lu.stream_id), dire(etat)
    dits[lu.stream_id] = apres
    # What a first fact writes is in its sentence; its state alone is a change.
    dits_alors = [q for q in apres if q in _DES_LE_DEBUT] if avant is None else {**avant, **apres}
    for quoi in dits_alors:
        valeurs = (avant or {}).get(quoi), apres.get(quoi)
        if valeurs[0] != valeurs[1]:
            yield Changement(quoi, *valeurs)


def _dire_operation(operation: Operation) -> _Dit:
    return {
        "État du dossier": LIBELLES[operation.statut],
        "Intitulé": operation.intitule,
        "Objet": operation.objet,
        "Période de réalisation": _periode(operation.periode),
        **{
            f"Plan, {nom[:1].lower()}{nom[1:]}" if nom != "FSE" else "Plan, FSE": french_euros(c)
            for nom, c in montants_du_plan(operation.plan).items()
        },
        **{
            f"Indicateur n° {numero}, réalisé": _nombre(valeur)
            for numero, valeur in operation.realise.items()
        },
        "Suites d’un contrôle après le solde": "en cours" if operation.suites else "aucune",
    }


def _dire_convention(convention: Convention) -> _Dit:
    dit = {
        "Convention": "signée" if convention.notifiee_le is None else "notifiée",
        "Convention, objet": convention.objet,
        "Convention, période de réalisation": _periode(convention.periode),
        "Convention, date limite d’acquittement": f"{convention.date_limite_acquittement:%d/%m/%Y}",
        **{
            f"Convention, {nom[:1].lower()}{nom[1:]}"
            if nom != "FSE"
            else "Convention, FSE": french_euros(centimes)
            for nom, centimes in montants_du_plan(convention.plan).items()
        },
        "Avenants signés": str(convention.avenants),
        "Avenant en cours": _avenant(convention),
        "Bilan réclamé": _reclames(convention),
    }
    for bilan in convention.bilans.values():
        dit |= _dire_bilan(bilan)
    for rang, paiement in enumerate(convention.paiements.values(), 1):
        dit |= _dire_paiement(rang, paiement)
    for rang, ordre in enumerate(convention.ordres.values(), 1):
        dit |= _dire_ordre(rang, ordre)
    return dit


def _avenant(convention: Convention) -> str:
    avenant = convention.avenant_en_cours
    if avenant is None:
        return "aucun"
    return f"n° {avenant.numero}, {'programmé' if avenant.programme else 'demandé'}"


def _reclames(convention: Convention) -> str:
    return (
        ", ".join(
            f"n° {numero} avant le {limite:%d/%m/%Y}"
            for numero, limite in sorted(convention.reclames.items())
        )
        or "aucun"
    )


_BILANS = {
    "depose": "déposé",
    "recevable": "recevable",
    "renvoye": "renvoyé",
    "en_controle": "en contrôle",
    "controle": "contrôlé",
}
_CSF = {
    "en_controle": "en contrôle",
    "conclusions": "conclusions intermédiaires notifiées",
    "observations": "observations reçues",
    "finales": "conclusions finales notifiées",
    "valide": "validé",
}
_PAIEMENTS = {
    "prepare": "préparé",
    "ordonnance": "ordonnancé",
    "annule": "annulé",
    "effectue": "versé",
    "acquitte": "acquitté",
    "rejete": "rejeté par la banque",
}
_ORDRES = {"emis": "émis", "notifie": "notifié", "conteste": "contesté", "annule": "annulé"}
_DEPENSES = {"declaree": "déclarée", "annulee": "annulée", "controlee": "contrôlée"}


def _dire_bilan(bilan: Bilan) -> _Dit:
    nom = f"Bilan n° {bilan.numero}"
    dit = {nom: _BILANS[bilan.statut]}
    if bilan.delai_le is not None:
        dit[f"{nom}, délai de paiement"] = "interrompu" if bilan.delai_interrompu else "repris"
    if bilan.csf is not None:
        dit[f"{nom}, contrôle de service fait"] = _dire_csf(bilan.csf)
    return dit


def _dire_csf(csf: Csf) -> str:
    return f"version {csf.version}, {_CSF[csf.statut]}"


def _dire_paiement(rang: int, paiement: Paiement) -> _Dit:
    nom = f"Paiement n° {rang} ({paiement.type})"
    dit = {nom: f"{_PAIEMENTS[paiement.statut]}, {french_euros(paiement.montant)}"}
    if paiement.compense:
        dit[f"{nom}, part compensée"] = french_euros(paiement.compense)
    return dit


def _dire_ordre(rang: int, ordre: Ordre) -> _Dit:
    nom = f"Ordre de reversement n° {rang}"
    return {nom: _ORDRES[ordre.statut], f"{nom}, reste à régler": french_euros(ordre.reste)}


def _dire_depense(depense: Depense) -> _Dit:
    dit = {
        "Dépense": _DEPENSES[depense.statut],
        "Dépense, montant imputé": french_euros(depense.montant),
    }
    if depense.regularisations:
        dit["Dépense, régularisé"] = french_euros(depense.regularise)
    if depense.statut == "controlee":
        dit["Dépense, retenu"] = french_euros(depense.retenu)
        dit["Dépense, écarté"] = french_euros(depense.ecarte)
    return dit


def _dire_controle(controle: ControleOperation) -> _Dit:
    nom = f"Contrôle {controle.reference}"
    dit = {nom: ETATS_DE_CONTROLE[controle.statut]}
    if controle.date_limite_reponse is not None:
        dit[f"{nom}, réponse attendue avant le"] = _jour(controle.date_limite_reponse)
    for numero, constat in controle.constats.items():
        cout_total, fse = constat.retenu_ou_propose
        dit[f"{nom}, constat n° {numero}, coût total"] = french_euros(cout_total)
        dit[f"{nom}, constat n° {numero}, FSE"] = french_euros(fse)
    for rang, suite in enumerate(controle.suites.values(), 1):
        avant_le = f" avant le {_jour(suite.echeance)}" if suite.statut == "a_faire" else ""
        dit[f"{nom}, suite n° {rang} ({MESURES_DE_SUITE[suite.mesure]})"] = (
            f"{LIBELLES_SUITE[suite.statut]}{avant_le}"
        )
    return dit


#: What a first fact changes: the rest of it is in its sentence.
_DES_LE_DEBUT = frozenset({"État du dossier", "Convention", "Dépense", "Dépense, montant imputé"})

_SORTES: Mapping[str, tuple[Aggregate[Any], Callable[[Any], _Dit]]] = {
    "operation": (OPERATION, _dire_operation),
    "convention": (CONVENTION, _dire_convention),
    "depense": (DEPENSE, _dire_depense),
    "controle_operation": (CONTROLE_OPERATION, _dire_controle),
}


def _periode(periode: Periode) -> str:
    return f"du {_jour(periode.debut)} au {_jour(periode.fin)}"


def _jour(jour: date) -> str:
    return f"{jour:%d/%m/%Y}"


def _nombre(valeur: Decimal) -> str:
    return f"{valeur.normalize():f}".replace(".", ",")
