"""The checklist of a contrôle de service fait: what it must conclude on."""

from collections.abc import Mapping

#: Points of control, by number. A number is never given another meaning: facts carry it.
POINTS: Mapping[int, str] = {
    1: "Dates et signatures du bilan",
    2: "Conformité de l’action à la convention",
    3: "Indicateurs : prévus, déclarés, écarts",
    4: "Publicité du soutien européen",
    5: "Priorités transversales",
    6: "Dépenses, poste par poste",
    7: "Justification du temps passé",
    8: "Assiettes des taux forfaitaires",
    9: "Commande publique et mise en concurrence",
    10: "Aides d’État",
    11: "Ressources et attestations des financeurs",
    12: "Absence de surfinancement",
    13: "Comptabilité séparée",
    14: "Participants : éligibilité et complétude",
    15: "Visite sur place",
    16: "Double financement",
    17: "Conclusion",
}
