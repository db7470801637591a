"""The measures of the ledger by name, and how each other figure of the maquette comes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from oi_service.errors import NotFound
from oi_service.money import ratio

Unite = Literal["euros", "nombre", "pourcent"]

#: What movements are counted in, with the words people read.
MESURES: Mapping[str, str] = {
    "fse_maquette": "FSE alloué",
    "fse_depose": "FSE déposé",
    "fse_programme": "FSE programmé",
    "fse_programme_ajuste": "FSE programmé ajusté",
    "fse_conventionne": "FSE conventionné",
    "fse_declare": "FSE déclaré",
    "fse_retenu_csf": "FSE retenu après contrôle",
    "fse_transmis": "FSE transmis",
    "fse_certifie": "FSE certifié",
    "fse_paye": "FSE payé",
    "fse_irrecouvrable": "FSE irrécouvrable",
    "fse_repris": "FSE repris",
    "ct_maquette": "Coût total alloué",
    "ct_depose": "Coût total déposé",
    "ct_programme": "Coût total programmé",
    "ct_programme_ajuste": "Coût total programmé ajusté",
    "ct_conventionne": "Coût total conventionné",
    "ct_declare": "Coût total déclaré",
    "ct_retenu_csf": "Coût total retenu après contrôle",
    "ct_transmis": "Coût total transmis",
    "ct_certifie": "Coût total certifié",
    "ct_repris": "Coût total repris",
    "cp_attribuee": "Contreparties attribuées",
    "cp_percue": "Contreparties perçues",
    "cp_programmee": "Contreparties programmées",
    "cp_conventionnee": "Contreparties conventionnées",
    "cp_affectee": "Contreparties affectées",
    "cp_retenue": "Contreparties retenues après contrôle",
    "depenses_declarees": "Dépenses contrôlées",
    "depenses_ecartees": "Dépenses écartées",
    "nb_operations": "Opérations programmées",
}


@dataclass(frozen=True, slots=True)
class Derive:
    """A figure made of measures: one less another, or one over another."""

    libelle: str
    gauche: str
    droite: str
    operation: Literal["moins", "sur"]

    @property
    def formule(self) -> str:
        """How it is made, in words."""
        signe = "−" if self.operation == "moins" else "/"
        return f"{MESURES[self.gauche]} {signe} {MESURES[self.droite]}"

    def valeur(self, sommes: Mapping[str, int]) -> int | Fraction | None:
        """Compute it; a ratio is exact, ``None`` when its denominator is zero."""
        gauche, droite = sommes.get(self.gauche, 0), sommes.get(self.droite, 0)
        return gauche - droite if self.operation == "moins" else ratio(gauche, droite)


#: The figures of the maquette that no movement carries.
DERIVES: Mapping[str, Derive] = {
    "cp_maquette": Derive("Contreparties allouées", "ct_maquette", "fse_maquette", "moins"),
    "disponible_a_programmer": Derive(
        "Disponible à programmer", "fse_maquette", "fse_programme_ajuste", "moins"
    ),
    "reste_a_consommer": Derive("Reste à consommer", "fse_maquette", "fse_retenu_csf", "moins"),
    "taux_programmation": Derive("Taux de programmation", "fse_programme", "fse_maquette", "sur"),
    "taux_conventionnement": Derive(
        "Taux de conventionnement", "fse_conventionne", "fse_programme", "sur"
    ),
    "taux_declaration": Derive("Taux de déclaration", "fse_declare", "fse_conventionne", "sur"),
    "taux_retenue_csf": Derive("Taux de retenue", "fse_retenu_csf", "fse_declare", "sur"),
    "taux_ecartement": Derive(
        "Taux d’écartement", "depenses_ecartees", "depenses_declarees", "sur"
    ),
    "taux_consommation": Derive("Taux de consommation", "fse_retenu_csf", "fse_maquette", "sur"),
    "taux_certification": Derive("Taux de certification", "fse_certifie", "fse_maquette", "sur"),
    "taux_paiement": Derive("Taux de paiement", "fse_paye", "fse_retenu_csf", "sur"),
}


class MesureInconnue(NotFound):
    """« {mesure} » n’est pas un chiffre de la maquette : choisissez parmi {connues}."""


def unite(mesure: str) -> Unite:
    """Tell what a figure is counted in."""
    if mesure in DERIVES and DERIVES[mesure].operation == "sur":
        return "pourcent"
    return "nombre" if mesure.startswith("nb_") else "euros"


def libelle(mesure: str) -> str:
    """Say a figure."""
    return DERIVES[mesure].libelle if mesure in DERIVES else MESURES[mesure]


def exiger_mesure(mesure: str, *, derivees: bool = True) -> None:
    """Refuse a name that is none of a figure.

    Raises: MesureInconnue.
    """
    connues = [*MESURES, *(DERIVES if derivees else ())]
    if mesure not in connues:
        raise MesureInconnue(mesure=mesure, connues=", ".join(connues))
