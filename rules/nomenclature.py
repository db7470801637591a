"""Closed lists of the plan de financement, with the words people read."""

from collections.abc import Mapping

#: Categories of expenditure.
POSTES: Mapping[str, str] = {
    "personnel": "Dépenses directes de personnel",
    "fonctionnement": "Dépenses directes de fonctionnement",
    "prestations": "Prestations de services",
    "participants": "Dépenses liées aux participants",
    "tiers": "Dépenses de tiers",
    "nature": "Contributions en nature",
    "indirectes": "Dépenses indirectes",
    "autres_couts": "Autres coûts, au taux forfaitaire de 40 %",
}

#: Kinds of funding.
RESSOURCES: Mapping[str, str] = {
    "fse": "FSE / FSE+",
    "publique_etat": "État",
    "publique_region": "Région",
    "publique_departement": "Département",
    "publique_commune": "Commune",
    "publique_epci": "Intercommunalité (EPCI)",
    "publique_autre": "Autre financeur public",
    "privee": "Financeur privé",
    "autofinancement": "Autofinancement",
    "nature": "Contributions en nature",
    "tiers": "Contributions de tiers",
    "recettes": "Recettes générées par l’opération",
}

#: Neither the Fund's money nor the beneficiary's own, which only balances the plan.
RESSOURCES_EXTERNES = frozenset(RESSOURCES) - {"fse", "autofinancement"}

#: Public money paid in cash, which contributions in kind may not replace.
RESSOURCES_PUBLIQUES = frozenset(t for t in RESSOURCES if t.startswith("publique_"))
