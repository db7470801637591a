"""Publishing and closing a call for projects."""

from collections import Counter
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from aggregates.appel_a_projets.events import (
    AppelAProjetsClos,
    AppelAProjetsPublie,
    Fiche,
    Indicateur,
)
from aggregates.appel_a_projets.state import AppelAProjets
from aggregates.commande import Code, Commande, PeriodeSaisie, Saisie, Texte
from aggregates.parametres import ParametresSaisis
from aggregates.subvention_globale.maquette import PlieInconnu, exiger_en_vigueur
from aggregates.subvention_globale.state import SubventionGlobale
from oi_service.dates import Jour
from oi_service.errors import Conflict, RuleBroken
from rules.cofinancement import ConditionCofinancement

#: A non-negative number as a decimal string, such as ``"1.5"``.
Nombre = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$")]
#: A share between 0 and 1 as a decimal string, such as ``"0.20"``.
Part = Annotated[str, Field(pattern=r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$")]


class AppelDejaPublie(Conflict):
    """L’appel à projets n° {numero} est déjà publié."""


class AppelDejaClos(Conflict):
    """L’appel à projets n° {numero} est déjà clos."""


class FicheEnDouble(RuleBroken):
    """La fiche {code} figure deux fois dans l’appel à projets."""


class ClotureAvantOuverture(RuleBroken):
    """L’appel à projets se clôt le {cloture}, avant son ouverture le {ouverture}."""


class ConditionSaisie(Saisie):
    """The cofinancing condition of a fiche."""

    statut: Literal["condition_de_recevabilite", "condition_de_financement", "critere_de_selection"]
    taux_min_contreparties: Part | None = None
    taux_max_fse: Part | None = None
    cofinancement_requis: bool = Field(default=False, strict=True)

    def condition(self) -> ConditionCofinancement:
        """Return the value that facts carry."""
        return ConditionCofinancement(
            statut=self.statut,
            taux_min_contreparties=_decimal(self.taux_min_contreparties),
            taux_max_fse=_decimal(self.taux_max_fse),
            cofinancement_requis=self.cofinancement_requis,
        )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


class IndicateurSaisi(Saisie):
    """An indicator of a fiche."""

    libelle: Texte
    cible: Nombre
    unite: Texte
    comparateur: Literal["=", ">=", "<="] = "="
    pieces: tuple[Texte, ...] = ()
    mode: Texte = "ou"


class FicheSaisie(Saisie):
    """A fiche opération of the call."""

    code: Code
    titre: Texte
    plie_id: Code
    axe: Code
    objectif_specifique: Code
    dispositif: Code
    type_soutien: Literal["structures", "personnes"]
    cible: Texte
    periode: PeriodeSaisie
    condition: ConditionSaisie | None = None
    indicateurs: tuple[IndicateurSaisi, ...] = ()
    parametres: ParametresSaisis | None = None

    def fiche(self) -> Fiche:
        """Return the value that facts carry."""
        return Fiche(
            code=self.code,
            titre=self.titre,
            plie_id=self.plie_id,
            axe=self.axe,
            objectif_specifique=self.objectif_specifique,
            dispositif=self.dispositif,
            type_soutien=self.type_soutien,
            cible=self.cible,
            periode=self.periode.periode(),
            condition=self.condition.condition() if self.condition else None,
            indicateurs=tuple(
                Indicateur(
                    libelle=i.libelle,
                    cible=Decimal(i.cible),
                    unite=i.unite,
                    comparateur=i.comparateur,
                    pieces=i.pieces,
                    mode=i.mode,
                )
                for i in self.indicateurs
            ),
            parametres=self.parametres.surcharge() if self.parametres else None,
        )


class PublierAppelAProjets(Commande):
    """Publish a call with its fiches. ``date_effet`` is the publication."""

    numero: Code
    intitule: Texte
    date_ouverture: Jour
    date_cloture: Jour
    fiches: tuple[FicheSaisie, ...] = Field(min_length=1, max_length=500)


def publier(
    appel: AppelAProjets | None, commande: PublierAppelAProjets, subvention: SubventionGlobale
) -> list[AppelAProjetsPublie]:
    """Publish, for the PLIE of the grant."""
    if appel is not None:
        raise AppelDejaPublie(numero=appel.numero)
    exiger_en_vigueur(subvention, commande.date_effet)
    if commande.date_cloture < commande.date_ouverture:
        raise ClotureAvantOuverture(
            cloture=commande.date_cloture, ouverture=commande.date_ouverture
        )
    for code, fois in Counter(fiche.code for fiche in commande.fiches).items():
        if fois > 1:
            raise FicheEnDouble(code=code)
    for fiche in commande.fiches:
        if fiche.plie_id not in subvention.plie:
            raise PlieInconnu(plie_id=fiche.plie_id, numero=subvention.numero)
    return [
        AppelAProjetsPublie(
            date_effet=commande.date_effet,
            pieces=commande.jointes(),
            cadre=subvention.cadre,
            numero=commande.numero,
            intitule=commande.intitule,
            date_ouverture=commande.date_ouverture,
            date_cloture=commande.date_cloture,
            fiches=tuple(fiche.fiche() for fiche in commande.fiches),
        )
    ]


class CloreAppelAProjets(Commande):
    """Close a call: no dossier may be deposited any more."""


def clore(appel: AppelAProjets, commande: CloreAppelAProjets) -> list[AppelAProjetsClos]:
    """Close."""
    if appel.clos:
        raise AppelDejaClos(numero=appel.numero)
    return [AppelAProjetsClos(date_effet=commande.date_effet, pieces=commande.jointes())]
