"""Our templates: what each asks, column by column, in every version still read.

A version is never changed once it went out: a column that is added says since when, one that is
renamed keeps the title that it had.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from aggregates.contrepartie.affectation import AttribuerContrepartie, PercevoirContrepartie
from aggregates.depense.declaration import DetailSaisi
from aggregates.operation.execution import RenseignerIndicateur
from aggregates.plan import RessourceSaisie
from api.classeurs.cellules import Genre
from api.classeurs.resultat import Acte, Nature
from rules.eligibilite import PREUVES_ACQUITTEMENT
from rules.nomenclature import POSTES, RESSOURCES
from rules.temps import JUSTIFICATIFS_TEMPS, METHODES

#: Lists that depend on what is known when the template is made.
ListeConnue = Literal["operations", "plies"]


@dataclass(frozen=True, slots=True)
class Colonne:
    """A column. ``cle`` is the place of its value in the body of the command, ``temps.cout``; a
    name that starts with ``@`` is not in it: a rule of the sheet reads it.
    """

    cle: str
    titre: str
    genre: Genre
    obligatoire: bool = False
    aide: str = ""
    choix: Mapping[str, str] | None = None
    connus: ListeConnue | None = None
    signe: bool = False
    largeur: int = 16
    #: Folded away until somebody asks for it: few rows fill it.
    repliee: bool = False
    depuis: int = 1
    #: Titles that it had, by the last version that used them.
    anciens: Mapping[int, str] | None = None

    def titre_en(self, version: int) -> str:
        """Return its title in a version."""
        jusque = sorted(v for v in self.anciens or {} if v >= version)
        return (self.anciens or {})[jusque[0]] if jusque else self.titre


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What a command asks of several columns at once; said at the first."""

    colonnes: tuple[str, ...]
    code: str
    message: str
    remede: str


@dataclass(frozen=True, slots=True)
class FeuilleModele:
    """A sheet that people fill, and the command whose body each of its rows is."""

    nom: str
    acte: Acte
    corps: type[BaseModel]
    colonnes: tuple[Colonne, ...]
    ensemble: Ensemble | None = None

    def colonnes_en(self, version: int) -> tuple[Colonne, ...]:
        """Return its columns in a version."""
        return tuple(c for c in self.colonnes if c.depuis <= version)


@dataclass(frozen=True, slots=True)
class Modele:
    """A template. ``consignes`` are the sentences of its sheet « À lire »."""

    nature: Nature
    titre: str
    version: int
    feuilles: tuple[FeuilleModele, ...]
    consignes: tuple[str, ...] = ()

    @property
    def versions(self) -> tuple[int, ...]:
        """Versions still read, the current one first."""
        return tuple(range(self.version, 0, -1))


#: The column that says which operation a row is for, in a template for the whole OI.
DOSSIER = Colonne(
    "@dossier",
    "N° de dossier",
    "code",
    obligatoire=True,
    connus="operations",
    aide="Numéro de l’opération, tel que l’application l’affiche.",
    largeur=20,
)

#: The hours of each day of the month that a person's time is of, as a timesheet has them.
JOURS_DU_MOIS: Mapping[int, str] = {rang: f"@jour.{rang}" for rang in range(1, 32)}

_METHODES: Mapping[str, str] = {str(code): nom for code, nom in METHODES.items()}

_DEPENSES = (
    DOSSIER,
    Colonne(
        "poste",
        "Poste de dépense",
        "choix",
        obligatoire=True,
        choix=POSTES,
        aide="Un poste au coût réel du plan de financement.",
        largeur=34,
    ),
    Colonne(
        "nature",
        "Nature de la dépense",
        "texte",
        obligatoire=True,
        aide="Ce qui est acheté ou payé : « Salaire chargé de mars », « Location de salle ».",
        largeur=34,
    ),
    Colonne(
        "tiers_ref",
        "Fournisseur ou tiers",
        "texte",
        aide="Le fournisseur, ou la référence d’un salarié, jamais le nom d’une personne. "
        "Obligatoire sans identifiant de salarié.",
        largeur=26,
    ),
    Colonne(
        "salarie_id",
        "Identifiant du salarié",
        "identifiant",
        aide="Pour un salarié enregistré parmi les personnes ; tient lieu de tiers.",
        largeur=24,
    ),
    Colonne(
        "piece_ref",
        "N° de pièce",
        "texte",
        obligatoire=True,
        aide="Numéro de la facture, du bulletin de paie, du mandat.",
    ),
    Colonne("date_piece", "Date de la pièce", "jour", obligatoire=True),
    Colonne(
        "date_realisation",
        "Date de réalisation",
        "jour",
        obligatoire=True,
        aide="Jour où la prestation, la livraison ou le travail est fait.",
    ),
    Colonne("date_engagement", "Date d’engagement", "jour", aide="Bon de commande, contrat."),
    Colonne("date_acquittement", "Date d’acquittement", "jour", aide="Jour du débit bancaire."),
    Colonne(
        "preuve_acquittement",
        "Preuve d’acquittement",
        "choix",
        choix=PREUVES_ACQUITTEMENT,
        largeur=30,
    ),
    Colonne("montant_ht", "Montant HT", "montant"),
    Colonne("montant_ttc", "Montant TTC", "montant"),
    Colonne("tva_recuperable", "TVA récupérable", "montant"),
    Colonne(
        "montant_impute",
        "Montant imputé",
        "montant",
        signe=True,
        anciens={1: "Montant déclaré"},
        aide="Part de la dépense portée par l’opération ; calculée, si la case est vide, à partir "
        "du temps ou de la clé. Négative pour une régularisation.",
    ),
    Colonne(
        "cle.numerateur",
        "Clé : numérateur",
        "nombre",
        aide="Clé de répartition : 3 pour 3/10. Laissez les quatre cases vides sans clé.",
    ),
    Colonne("cle.denominateur", "Clé : dénominateur", "nombre"),
    Colonne("cle.libelle", "Clé : ce qu’elle mesure", "texte", largeur=24),
    Colonne("cle.assiette", "Clé : coût à répartir", "montant"),
    Colonne(
        "temps.methode",
        "Temps : méthode",
        "choix",
        choix=_METHODES,
        aide="Pour une dépense de personnel répartie par le temps passé.",
        largeur=30,
    ),
    Colonne("temps.cout", "Temps : coût de la personne", "montant", aide="Du mois, sinon de l’an."),
    Colonne("temps.heures_operation", "Temps : heures de l’opération", "nombre"),
    Colonne("temps.heures_base", "Temps : heures de base", "nombre"),
    Colonne("temps.pourcentage", "Temps : pourcentage", "pourcentage", aide="40 pour 40 %."),
    Colonne("temps.annee", "Temps : année", "entier"),
    Colonne("temps.mois", "Temps : mois", "entier", aide="De 1 à 12 ; vide pour l’année."),
    Colonne(
        "temps.justificatif",
        "Temps : justificatif",
        "choix",
        choix=JUSTIFICATIFS_TEMPS,
        largeur=30,
    ),
    Colonne(
        "temps.accepte_le",
        "Temps : accepté le",
        "jour",
        aide="Jour où le gestionnaire a accepté un pourcentage fixe.",
    ),
    Colonne("marche_ref", "Référence du marché", "texte"),
    Colonne(
        "mise_en_concurrence_ref",
        "Mise en concurrence",
        "texte",
        aide="Référence des devis ou de la consultation.",
        depuis=2,
    ),
    Colonne(
        "@regularise",
        "Pièce régularisée",
        "texte",
        aide="N° de pièce de la dépense, déjà enregistrée, que ce montant négatif reprend.",
        depuis=2,
    ),
    *(
        Colonne(
            cle,
            f"Temps : jour {rang}",
            "nombre",
            aide="Heures de ce jour du mois passées sur l’opération ; « Temps : mois » dit lequel. "
            "Leur somme remplace « Temps : heures de l’opération » si la case est vide."
            if rang == 1
            else "",
            largeur=9,
            repliee=True,
            depuis=3,
        )
        for rang, cle in JOURS_DU_MOIS.items()
    ),
)

_EXTERNES = {code: libelle for code, libelle in RESSOURCES.items() if code != "fse"}
_ATTRIBUABLES = {c: nom for c, nom in _EXTERNES.items() if c != "autofinancement"}

_FINANCEUR = Colonne("financeur", "Financeur", "texte", obligatoire=True, largeur=34)

_RESSOURCES = (
    DOSSIER,
    Colonne("type", "Type de ressource", "choix", obligatoire=True, choix=_EXTERNES, largeur=30),
    _FINANCEUR,
    Colonne(
        "montant",
        "Montant perçu",
        "montant",
        obligatoire=True,
        aide="Ce que le financeur a versé pendant la période du bilan.",
    ),
)

_INDICATEURS = (
    DOSSIER,
    Colonne(
        "indicateur",
        "N° de l’indicateur",
        "entier",
        obligatoire=True,
        aide="Son rang dans la fiche de l’opération : 1, 2, 3…",
    ),
    Colonne(
        "@libelle",
        "Indicateur",
        "texte",
        aide="Pour mémoire ; s’il est écrit, il est comparé à celui de la fiche.",
        largeur=44,
    ),
    Colonne("realise", "Valeur réalisée", "nombre", obligatoire=True),
    Colonne(
        "date_effet",
        "Valeur constatée le",
        "jour",
        obligatoire=True,
        aide="Jour où l’acte compte.",
    ),
)

_PERIMETRE = Colonne(
    "@subvention",
    "N° de la subvention globale",
    "code",
    aide="Inutile quand il n’y en a qu’une.",
    largeur=24,
)
_ANNEE = Colonne("annee", "Année", "entier", obligatoire=True, largeur=10)
_ATTESTATION = Colonne(
    "attestation_ref", "Référence de l’attestation", "texte", obligatoire=True, largeur=26
)

_ATTRIBUTIONS = (
    Colonne(
        "type", "Type de financeur", "choix", obligatoire=True, choix=_ATTRIBUABLES, largeur=30
    ),
    _FINANCEUR,
    Colonne(
        "plie_id",
        "PLIE",
        "code",
        connus="plies",
        aide="Code du PLIE ; vide quand l’OI la mutualise.",
        largeur=14,
    ),
    _ANNEE,
    Colonne("montant", "Montant attribué", "montant", obligatoire=True),
    _ATTESTATION,
    Colonne("date_effet", "Attribuée le", "jour", obligatoire=True),
    _PERIMETRE,
)

_PERCEPTIONS = (
    Colonne("@financeur", "Financeur", "texte", obligatoire=True, largeur=34),
    Colonne("@annee", "Année", "entier", obligatoire=True, largeur=10),
    Colonne(
        "@attestation_ref",
        "Référence de l’attestation",
        "texte",
        aide="Nécessaire quand le financeur a attribué plusieurs contreparties la même année.",
        largeur=26,
    ),
    Colonne("montant", "Montant versé", "montant", obligatoire=True),
    Colonne(
        "ref",
        "Référence du versement",
        "code",
        obligatoire=True,
        aide="Lettres, chiffres, points, tirets : « TITRE-2021-044 ».",
        largeur=24,
    ),
    Colonne("date_effet", "Versé le", "jour", obligatoire=True),
)

_UNE_LIGNE = (
    "Une ligne par {quoi}, sous les titres. Ne changez ni les titres, ni le nom de la feuille."
)
_NOMBRES = (
    "Montants : des chiffres et une virgule, deux décimales au plus. Dates : JJ/MM/AAAA, une seule "
    "par case."
)
_PERSONNES = (
    "N’écrivez ni le nom d’une personne, ni un IBAN, ni un numéro de sécurité sociale : le "
    "registre garde tout, pour toujours."
)
_SUITE = (
    "Déposez ensuite le classeur dans l’application : elle montre ce qu’elle a lu, case par case, "
    "et rien n’est enregistré avant que vous ne le confirmiez."
)

_JOURS = (
    "Les heures de chaque jour d’un salaire vont dans les colonnes repliées à droite, de « Temps : "
    "jour 1 » à « Temps : jour 31 » : ouvrez-les par le signe +, au-dessus des titres."
)
_DEUX_FEUILLES = (
    "« Attributions » : ce qu’un financeur promet. « Perceptions » : ce qu’il verse d’une "
    "contrepartie déjà attribuée."
)

MODELES: Mapping[Nature, Modele] = {
    "depenses": Modele(
        nature="depenses",
        titre="Dépenses",
        version=3,
        feuilles=(
            FeuilleModele(
                "Dépenses",
                "declarer_depense",
                DetailSaisi,
                _DEPENSES,
                ensemble=Ensemble(
                    ("tiers_ref", "salarie_id"),
                    "un_seul_tiers",
                    "Une dépense va soit à un tiers, soit à un salarié.",
                    "Remplissez une seule des deux cases : le fournisseur ou le tiers, ou "
                    "l’identifiant du salarié.",
                ),
            ),
        ),
        consignes=(
            _UNE_LIGNE.format(quoi="dépense"),
            _NOMBRES,
            _JOURS,
            _PERSONNES,
            _SUITE,
        ),
    ),
    "ressources": Modele(
        nature="ressources",
        titre="Ressources perçues",
        version=1,
        feuilles=(FeuilleModele("Ressources", "ressource", RessourceSaisie, _RESSOURCES),),
        consignes=(
            _UNE_LIGNE.format(quoi="ressource du bilan"),
            "Un classeur par bilan, donc par dossier : le bilan est déposé avec ses ressources.",
            _NOMBRES,
            _PERSONNES,
            _SUITE,
        ),
    ),
    "indicateurs": Modele(
        nature="indicateurs",
        titre="Indicateurs",
        version=1,
        feuilles=(
            FeuilleModele(
                "Indicateurs", "renseigner_indicateur", RenseignerIndicateur, _INDICATEURS
            ),
        ),
        consignes=(
            _UNE_LIGNE.format(quoi="indicateur"),
            "Une nouvelle valeur remplace la précédente.",
            _NOMBRES,
            _SUITE,
        ),
    ),
    "contreparties": Modele(
        nature="contreparties",
        titre="Contreparties",
        version=1,
        feuilles=(
            FeuilleModele(
                "Attributions", "attribuer_contrepartie", AttribuerContrepartie, _ATTRIBUTIONS
            ),
            FeuilleModele(
                "Perceptions", "percevoir_contrepartie", PercevoirContrepartie, _PERCEPTIONS
            ),
        ),
        consignes=(
            _UNE_LIGNE.format(quoi="acte d’un financeur"),
            _DEUX_FEUILLES,
            _NOMBRES,
            _PERSONNES,
            _SUITE,
        ),
    ),
}
