"""What separates two situations, and where a figure, a payment or an écart comes from or goes."""

from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field, WithJsonSchema

from api.deps import Lecture, LectureOuverte, lire_connu_le
from api.errors import refus
from api.v1.actes import RACINE
from api.v1.explication import ExplicationOut, LigneCalculOut
from api.v1.lectures import AucuneMaquette, Filtres, Mot
from api.v1.representations import (
    LigneDuJournalOut,
    PageOut,
    ParametresOut,
    Pourcentage,
    Representation,
    SituationOut,
)
from oi_service.dates import Jour
from oi_service.money import MontantSigne, euros, percent
from projections import difference as projection_difference
from projections import effet_depense as projection_effet
from projections import livre
from projections import provenance as projection_provenance
from projections import provenance_paiement as projection_paiement
from projections.causes import CAUSES
from projections.mesures import (
    DERIVES,
    MESURES,
    MesureInconnue,
    Unite,
    exiger_mesure,
    libelle,
    unite,
)
from projections.situation import Situation, situation

router = APIRouter(tags=["Provenance"])


# --- Filters -------------------------------------------------------------------------------------


def _mesure_connue(mesure: str) -> str:
    try:
        exiger_mesure(mesure)
    except MesureInconnue as inconnue:
        raise ValueError(str(inconnue).rstrip(".")) from inconnue
    return mesure


def _cause_connue(cause: str) -> str:
    if cause not in CAUSES:
        raise ValueError(f"causes possibles : {', '.join(CAUSES)}")
    return cause


NomMesure = Annotated[
    str,
    AfterValidator(_mesure_connue),
    WithJsonSchema({"type": "string", "enum": [*MESURES, *DERIVES]}),
]
NomCause = Annotated[
    str, AfterValidator(_cause_connue), WithJsonSchema({"type": "string", "enum": [*CAUSES]})
]
_Connaissance = Annotated[str | None, Field(max_length=40)]
_JOURNAL = (
    "Jour, instant avec son fuseau, ou numéro d’événement jusqu’auquel le journal compte ; tout à "
    "défaut."
)
_EFFET = "Dernier jour d’effet compté ; tous à défaut."


class FiltresDeLignes(Filtres):
    """Lines of the ledger: one cell of the maquette, or any sum of cells."""

    subvention_globale_id: UUID | None = Field(
        None, description="Celle de l’opération demandée, ou la dernière enregistrée, à défaut."
    )
    plie: Mot | None = Field(
        None,
        description="PLIE, ou `reserve`, `non_reparti`, `mutualise`, `reprise`.",
    )
    annee: int | None = Field(None, ge=1900, le=2100, description="Tranche.")
    axe: Mot | None = None
    objectif_specifique: Mot | None = None
    dispositif: Mot | None = None
    operation_id: UUID | None = None
    financeur: Mot | None = Field(None, description="Nom d’un financeur, pour les contreparties.")
    cause: NomCause | None = Field(
        None,
        description="Ne lister que les mouvements de cette cause ; les sommes restent entières.",
    )

    def choix(self) -> livre.Choix:
        """Return what the filters choose."""
        return livre.Choix(**{name: getattr(self, name) for name in _CHOIX})


_CHOIX = tuple(livre.Choix.__dataclass_fields__)


class FiltresDifference(FiltresDeLignes):
    """Two situations, in either order."""

    de_effet_au: Jour | None = Field(None, description=f"Première situation. {_EFFET}")
    de_connu_le: _Connaissance = Field(None, description=f"Première situation. {_JOURNAL}")
    a_effet_au: Jour | None = Field(None, description=f"Seconde situation. {_EFFET}")
    a_connu_le: _Connaissance = Field(None, description=f"Seconde situation. {_JOURNAL}")
    mesure: list[NomMesure] = Field([], description="Chiffres à expliquer ; tous à défaut.")


class FiltresMouvements(FiltresDeLignes):
    """A figure in a situation."""

    mesure: NomMesure
    effet_au: Jour | None = Field(None, description=_EFFET)
    connu_le: _Connaissance = Field(None, description=_JOURNAL)


class FiltresDepensesDuPaiement(Filtres):
    """Which page of the dépenses."""


def _situation(lecture: LectureOuverte, effet_au: date | None, connu_le: str | None) -> Situation:
    connu = None if connu_le is None else lire_connu_le(connu_le)
    return situation(lecture.conn, effet_au, connu)


# --- Movements -----------------------------------------------------------------------------------


#: A figure in its own unit: euros with two decimals, a number, or a percentage.
Valeur = Annotated[str, Field(examples=["1234.56", "12"])]


def valeur(mesure: str, quantite: int | Fraction | None) -> str | None:
    """Write a figure in its unit; ``None`` for a ratio without denominator."""
    if isinstance(quantite, Fraction) or quantite is None:
        return percent(quantite)
    return str(quantite) if unite(mesure) == "nombre" else euros(quantite)


class MontantParMesureOut(Representation):
    """Ce que gagne, ou perd, une mesure."""

    mesure: str
    libelle: str
    unite: Unite
    valeur: Valeur


class CauseOut(Representation):
    """Ce qu’une cause a fait bouger, toutes pages confondues."""

    code: str
    libelle: str
    evenements: int = Field(description="Nombre d’événements.")
    montants: list[MontantParMesureOut]


class PieceJointeOut(Representation):
    """Une pièce, connue par son empreinte."""

    sha256: str
    libelle: str
    type: str
    date_piece: date | None


class FaitDuMouvementOut(Representation):
    """L’événement qui a fait le mouvement : qui, quand, pourquoi, sur quel fondement."""

    position: int = Field(description="Numéro de l’événement dans le journal.")
    nom: str
    date_effet: date = Field(description="Jour où l’acte compte.")
    enregistre_le: datetime = Field(description="Instant où le service l’a su, UTC.")
    acteur: str
    role: str
    role_libelle: str
    phrase: str
    motif: str | None
    instance: str | None = Field(description="Instance qui a décidé.")
    decision_ref: str | None = Field(description="Procès-verbal ou décision.")
    version_regles: str | None = Field(description="Version des règles du calcul.")
    csf_id: UUID | None = Field(description="Contrôle validé, ou qui fonde l’acte.")
    paiement_id: UUID | None
    pieces: list[PieceJointeOut]


class MouvementOut(Representation):
    """Une ligne du grand livre, avec son signe."""

    mesure: str
    libelle: str
    unite: Unite
    valeur: Valeur
    plie_id: str
    annee: int = Field(description="Tranche.")
    axe: str
    objectif_specifique: str
    dispositif: str
    operation_id: UUID | None
    numero_mdfse: str | None = Field(description="Numéro du dossier.")
    financeur_type: str | None
    financeur: str | None
    cause: str
    cause_libelle: str
    evenement: FaitDuMouvementOut
    liens: dict[str, str] = Field(
        description="Ce qui s’ouvre d’ici : `evenement`, `operation`, `explication` du contrôle, "
        "`paiement`."
    )


def _causes(causes: tuple[livre.Cause, ...]) -> list[dict[str, Any]]:
    return [
        {
            "code": c.code,
            "libelle": c.libelle,
            "evenements": c.evenements,
            "montants": [
                {
                    "mesure": mesure,
                    "libelle": libelle(mesure),
                    "unite": unite(mesure),
                    "valeur": valeur(mesure, montant),
                }
                for mesure, montant in c.montants.items()
            ],
        }
        for c in causes
    ]


_DU_MOUVEMENT = MouvementOut.model_fields.keys() - {"libelle", "unite", "valeur", "liens"}


def _mouvement(ligne: livre.Mouvement) -> dict[str, Any]:
    return {
        **{name: getattr(ligne, name) for name in _DU_MOUVEMENT},
        "libelle": libelle(ligne.mesure),
        "unite": unite(ligne.mesure),
        "valeur": valeur(ligne.mesure, ligne.centimes),
        "liens": _liens(ligne),
    }


def _liens(ligne: livre.Mouvement) -> dict[str, str]:
    evenement = ligne.evenement
    liens = {}
    if evenement.lu is not None:
        liens["evenement"] = f"{RACINE}/evenements/{ligne.position}"
    if ligne.operation_id is not None:
        operation = liens["operation"] = f"{RACINE}/operations/{ligne.operation_id}"
        if evenement.csf_id is not None:
            liens["explication"] = f"{operation}/csf/{evenement.csf_id}/explication"
        if evenement.paiement_id is not None:
            liens["paiement"] = f"{operation}/paiements/{evenement.paiement_id}/provenance"
    return liens


# --- Difference ----------------------------------------------------------------------------------


class ChiffreCompareOut(Representation):
    """Un chiffre dans les deux situations."""

    mesure: str
    libelle: str
    unite: Unite
    formule: str | None = Field(description="Comment il se calcule, s’il n’a pas de mouvements.")
    avant: Valeur
    apres: Valeur
    ecart: Valeur


class TauxCompareOut(Representation):
    """Un taux dans les deux situations : ce sont ses deux termes qui bougent."""

    taux: str
    libelle: str
    formule: str
    numerateur: ChiffreCompareOut
    denominateur: ChiffreCompareOut
    avant: Pourcentage
    apres: Pourcentage


class DifferenceDeSituationsOut(Representation):
    """Ce qui mène d’une situation à une autre ; pour chaque mesure, les causes font l’écart."""

    subvention_globale_id: UUID
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")
    de: SituationOut
    a: SituationOut
    chiffres: list[ChiffreCompareOut]
    derives: list[ChiffreCompareOut] = Field(description="Chiffres faits d’une soustraction.")
    taux: list[TauxCompareOut]
    causes: list[CauseOut] = Field(description="Sommes entières, quelle que soit la page.")
    mouvements: PageOut[MouvementOut] = Field(description="Cause par cause, par page.")


@router.get("/maquette/difference", responses=refus(404, 422))
def comparer_situations(
    filtres: Annotated[FiltresDifference, Query()], lecture: Lecture
) -> DifferenceDeSituationsOut:
    """Expliquer ce qui sépare deux situations : chaque mouvement, par cause, au centime.

    Un mouvement que seule la seconde situation compte porte son signe ; un mouvement que seule la
    première compte, le signe contraire. Les situations se donnent dans l’ordre que l’on veut.
    """
    found = projection_difference.difference(
        lecture.conn,
        lecture.perimetre,
        filtres.choix(),
        _situation(lecture, filtres.de_effet_au, filtres.de_connu_le),
        _situation(lecture, filtres.a_effet_au, filtres.a_connu_le),
        mesures=filtres.mesure,
        cause=filtres.cause,
        limite=filtres.limite,
        apres=filtres.apres,
    )
    if found is None:
        raise AucuneMaquette
    return DifferenceDeSituationsOut.model_validate(
        {
            "subvention_globale_id": found.subvention_globale_id,
            "fictive": found.fictive,
            "de": found.de,
            "a": found.a,
            "chiffres": [_chiffre(c) for c in found.chiffres],
            "derives": [_chiffre(c) for c in found.derives],
            "taux": [
                {
                    "taux": t.taux,
                    "libelle": t.libelle,
                    "formule": t.formule,
                    "numerateur": _chiffre(t.numerateur),
                    "denominateur": _chiffre(t.denominateur),
                    "avant": t.avant,
                    "apres": t.apres,
                }
                for t in found.taux
            ],
            "causes": _causes(found.causes),
            "mouvements": {
                "lignes": [_mouvement(x) for x in found.mouvements.lignes],
                "suivant": found.mouvements.suivant,
            },
        }
    )


def _chiffre(chiffre: projection_difference.Chiffre) -> dict[str, Any]:
    return {
        "mesure": chiffre.mesure,
        "libelle": chiffre.libelle,
        "unite": chiffre.unite,
        "formule": chiffre.formule,
        "avant": valeur(chiffre.mesure, chiffre.avant),
        "apres": valeur(chiffre.mesure, chiffre.apres),
        "ecart": valeur(chiffre.mesure, chiffre.ecart),
    }


# --- A figure ------------------------------------------------------------------------------------


class OperandeDuChiffreOut(Representation):
    """Une mesure dont un chiffre est fait, et l’adresse de ses propres mouvements."""

    mesure: str
    libelle: str
    unite: Unite
    valeur: Valeur
    lien: str


class ConventionDuMouvementOut(Representation):
    """La convention d’une opération, et les choix figés à sa signature."""

    operation_id: UUID
    numero: str
    signee_le: date
    position: int = Field(description="Événement de la signature.")
    parametres: ParametresOut


class ProvenanceOut(Representation):
    """D’où vient un chiffre : ses mouvements, ou les chiffres dont il est fait."""

    subvention_globale_id: UUID
    fictive: bool = Field(description="Les montants sont inventés (démonstration).")
    mesure: str
    libelle: str
    unite: Unite
    situation: SituationOut
    valeur: Valeur | None = Field(description="`null` : un taux sans dénominateur.")
    formule: str | None
    operandes: list[OperandeDuChiffreOut]
    causes: list[CauseOut] = Field(description="Sommes entières, quelle que soit la page.")
    mouvements: PageOut[MouvementOut] = Field(description="Cause par cause, par page.")
    conventions: list[ConventionDuMouvementOut] = Field(
        description="Celles des opérations de cette page."
    )


@router.get("/maquette/mouvements", responses=refus(404, 422))
def expliquer_chiffre(
    filtres: Annotated[FiltresMouvements, Query()], lecture: Lecture
) -> ProvenanceOut:
    """Dire d’où vient un chiffre de la maquette : ses mouvements, leurs faits, au centime.

    Un disponible, un reste ou un taux n’a pas de mouvements : ses termes en ont, chacun à son
    adresse.
    """
    found = projection_provenance.provenance(
        lecture.conn,
        lecture.perimetre,
        filtres.mesure,
        filtres.choix(),
        _situation(lecture, filtres.effet_au, filtres.connu_le),
        cause=filtres.cause,
        limite=filtres.limite,
        apres=filtres.apres,
    )
    if found is None:
        raise AucuneMaquette
    return ProvenanceOut.model_validate(
        {
            "subvention_globale_id": found.subvention_globale_id,
            "fictive": found.fictive,
            "mesure": found.mesure,
            "libelle": found.libelle,
            "unite": found.unite,
            "situation": found.situation,
            "valeur": valeur(found.mesure, found.valeur),
            "formule": found.formule,
            "operandes": [
                {
                    "mesure": o.mesure,
                    "libelle": o.libelle,
                    "unite": unite(o.mesure),
                    "valeur": valeur(o.mesure, o.valeur),
                    "lien": _lien_vers(filtres, o.mesure),
                }
                for o in found.operandes
            ],
            "causes": _causes(found.causes),
            "mouvements": {
                "lignes": [_mouvement(x) for x in found.mouvements.lignes],
                "suivant": found.mouvements.suivant,
            },
            "conventions": found.conventions,
        }
    )


def _lien_vers(filtres: FiltresMouvements, mesure: str) -> str:
    """Return the address of the movements of another measure, on the same lines and dates."""
    demande = filtres.model_dump(exclude_none=True, exclude={"limite", "apres", "cause"})
    return f"{RACINE}/maquette/mouvements?{urlencode(demande | {'mesure': mesure})}"


# --- A payment -----------------------------------------------------------------------------------


class PosteProuveOut(Representation):
    """Les dépenses d’un poste, tous bilans confondus, avant les corrections d’ensemble."""

    code: str
    libelle: str
    nombre: int
    declare: MontantSigne
    ecarte: MontantSigne
    retenu: MontantSigne


class DepenseDuPaiementOut(Representation):
    """Une dépense derrière le paiement, telle que le contrôle de son bilan l’a laissée."""

    depense_id: UUID
    bilan_numero: int
    poste: str
    poste_libelle: str
    nature: str
    piece_ref: str
    date_piece: date
    date_acquittement: date | None
    declare: MontantSigne
    ecarte: MontantSigne
    retenu: MontantSigne
    motif_code: str | None
    motif_libelle: str | None
    commentaire: str | None
    declaree_position: int = Field(description="Événement de sa déclaration.")
    controlee_position: int = Field(description="Événement de son contrôle.")
    pieces: list[PieceJointeOut]
    pieces_vues: list[str]
    lien_effet: str = Field(description="Ce que son écart change au FSE et à la maquette.")


class ProvenancePaiementOut(Representation):
    """Un paiement : lequel, son calcul, le contrôle qui le fonde, les dépenses et leurs pièces."""

    operation_id: UUID
    paiement_id: UUID
    libelle: str = Field(examples=["Acompte n° 1, après le contrôle du bilan n° 1"])
    type: str
    statut: str
    montant: MontantSigne
    compense: MontantSigne = Field(description="Part réglée par compensation, en euros.")
    verse: MontantSigne = Field(description="Ce que le bénéficiaire en a, en euros.")
    evenements: list[LigneDuJournalOut]
    calcul: list[LigneCalculOut] = Field(
        description="Le calcul, au jour de l’ordonnancement ; de la préparation, avant lui."
    )
    csf_id: UUID | None = Field(description="Contrôle que l’ordonnancement désigne.")
    explication: ExplicationOut | None = Field(
        description="Calcul du dernier contrôle validé avant l’ordonnancement ; aucun pour une "
        "avance."
    )
    postes: list[PosteProuveOut]
    depenses: PageOut[DepenseDuPaiementOut]


@router.get(
    "/operations/{operation_id}/paiements/{paiement_id}/provenance", responses=refus(404, 422)
)
def expliquer_paiement(
    operation_id: UUID,
    paiement_id: UUID,
    filtres: Annotated[FiltresDepensesDuPaiement, Query()],
    lecture: Lecture,
) -> ProvenancePaiementOut:
    """Descendre d’un paiement à ses dépenses : dû, déjà payé, contrôle, calcul, pièces."""
    found = projection_paiement.provenance_du_paiement(
        lecture.conn,
        lecture.perimetre,
        operation_id,
        paiement_id,
        limite=filtres.limite,
        apres=filtres.apres,
    )
    return ProvenancePaiementOut.model_validate(
        {
            **{name: getattr(found, name) for name in _DU_PAIEMENT},
            "depenses": {
                "lignes": [
                    {
                        **{name: getattr(x, name) for name in _DE_LA_DEPENSE},
                        "lien_effet": f"{RACINE}/depenses/{x.depense_id}/effet",
                    }
                    for x in found.depenses.lignes
                ],
                "suivant": found.depenses.suivant,
            },
        }
    )


_DU_PAIEMENT = ProvenancePaiementOut.model_fields.keys() - {"depenses"}
_DE_LA_DEPENSE = DepenseDuPaiementOut.model_fields.keys() - {"lien_effet"}


# --- An écart ------------------------------------------------------------------------------------


class VariationOut(Representation):
    """Un chiffre tel que le contrôle l’a laissé, puis avec la dépense retenue en entier."""

    code: str
    libelle: str
    constate: MontantSigne
    sans_ecart: MontantSigne
    effet: MontantSigne = Field(description="Ce que l’écart retire (négatif) ou ajoute, en euros.")


class PlafondSansEcartOut(Representation):
    """Un plafond du FSE ; `null` : sans contribution en nature, il n’existe pas."""

    code: str
    libelle: str
    constate: MontantSigne | None
    sans_ecart: MontantSigne | None


class LigneEcarteeOut(Representation):
    """La dépense, telle que le dernier contrôle validé de son bilan l’a laissée."""

    depense_id: UUID
    operation_id: UUID
    poste: str
    poste_libelle: str
    nature: str
    piece_ref: str
    marche_ref: str | None
    declare: MontantSigne
    ecarte: MontantSigne
    retenu: MontantSigne
    motif_code: str | None
    motif_libelle: str | None
    commentaire: str | None
    position: int = Field(description="Événement de la décision.")


class LigneDeMaquetteToucheeOut(Representation):
    """La ligne de la maquette où pèse l’opération."""

    plie_id: str
    annee: int = Field(description="Tranche.")
    axe: str
    objectif_specifique: str
    dispositif: str
    chiffres: list[VariationOut]


class RecomptesOut(Representation):
    """Le calcul de l’opération depuis son début, avec et sans l’écart."""

    postes: list[VariationOut] = Field(description="Coûts retenus, taux forfaitaires compris.")
    corrections: list[VariationOut] = Field(
        description="Extrapolations, marchés, écrêtements, corrections du FSE."
    )
    cout: list[VariationOut]
    plafonds: list[PlafondSansEcartOut]
    contrainte_constatee: str
    contrainte_sans_ecart: str
    fse: list[VariationOut]
    maquette: LigneDeMaquetteToucheeOut


class EffetDepenseOut(Representation):
    """Ce que fait un écart, de la dépense à la maquette."""

    ligne: LigneEcarteeOut
    bilan_numero: int
    csf_id: UUID = Field(description="Dernier contrôle validé : il compte tous les bilans.")
    version_regles: str
    position: int = Field(description="Événement de sa validation.")
    recomptes: RecomptesOut | None = Field(
        description="`null` quand le contrôle ne peut pas être recalculé : `phrase` dit pourquoi."
    )
    phrase: str
    reserves: list[str]


@router.get("/depenses/{depense_id}/effet", responses=refus(404, 422))
def expliquer_ecart(depense_id: UUID, lecture: Lecture) -> EffetDepenseOut:
    """Remonter d’un écart à son effet : postes, taux forfaitaires, plafonds, FSE dû, maquette.

    Le contrôle est recalculé comme si la dépense était retenue en entier : mêmes entrées, mêmes
    règles. Rien n’est enregistré.
    """
    found = projection_effet.effet(lecture.conn, lecture.perimetre, depense_id)
    return EffetDepenseOut.model_validate(found)
