"""What every test of eligibility says of a dépense, or of all those of a bilan."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, computed_field

from api.deps import Lecture
from api.errors import refus
from api.v1.representations import Representation
from oi_service.money import MontantSigne
from projections import constats as projection
from rules.constat import STATUTS, Statut
from rules.eligibilite import MOTIFS, TESTS

router = APIRouter(tags=["Dépenses"])


class ValeurOut(Representation):
    """Une valeur comparée, telle qu’elle se lit."""

    nom: str
    valeur: str


class ConstatOut(Representation):
    """Ce qu’un test dit de la dépense. Il informe ; le contrôleur décide."""

    test: str
    statut: Statut = Field(description="`conforme`, `anomalie` ou `a_apprecier`.")
    motif_code: str = Field(description="Motif sous lequel la dépense s’écarterait.")
    message: str
    article: str
    valeurs: list[ValeurOut]

    @computed_field
    def intitule(self) -> str:
        """Ce que le test vérifie."""
        return TESTS[self.test]

    @computed_field
    def statut_libelle(self) -> str:
        """Le statut en toutes lettres."""
        return STATUTS[self.statut]

    @computed_field
    def motif_libelle(self) -> str:
        """Le motif en toutes lettres."""
        return MOTIFS[self.motif_code]


class ConstatsDepenseOut(Representation):
    """Une dépense et ses constats ; les nombres portent sur tous les tests, filtrés ou non."""

    depense_id: UUID
    operation_id: UUID
    poste: str
    nature: str
    piece_ref: str
    montant_impute: MontantSigne = Field(description="En euros de coût total.")
    conformes: int
    anomalies: int
    a_apprecier: int
    constats: list[ConstatOut]


Statuts = Annotated[
    list[Statut] | None, Query(description="Ne montrer que ces statuts ; tous, à défaut.")
]


def _montrer(
    examinee: projection.ConstatsDepense, statuts: list[Statut] | None
) -> ConstatsDepenseOut:
    return ConstatsDepenseOut.model_validate(
        {
            **{nom: getattr(examinee, nom) for nom in _TETE},
            "conformes": examinee.nombre("conforme"),
            "anomalies": examinee.nombre("anomalie"),
            "a_apprecier": examinee.nombre("a_apprecier"),
            "constats": [c for c in examinee.constats if statuts is None or c.statut in statuts],
        }
    )


_TETE = ConstatsDepenseOut.model_fields.keys() - {
    "conformes",
    "anomalies",
    "a_apprecier",
    "constats",
}


@router.get("/depenses/{depense_id}/constats", responses=refus(404, 422))
def lire_constats(depense_id: UUID, lecture: Lecture, statut: Statuts = None) -> ConstatsDepenseOut:
    """Lire les constats d’éligibilité d’une dépense : tous les tests, chacun avec sa valeur."""
    examinee = projection.constats_de_la_depense(lecture.conn, lecture.perimetre, depense_id)
    return _montrer(examinee, statut)


@router.get("/operations/{operation_id}/bilans/{bilan_id}/constats", responses=refus(404, 422))
def lire_constats_du_bilan(
    operation_id: UUID, bilan_id: UUID, lecture: Lecture, statut: Statuts = None
) -> list[ConstatsDepenseOut]:
    """Lire les constats d’éligibilité de toutes les dépenses d’un bilan, dans son ordre."""
    examinees = projection.constats_du_bilan(
        lecture.conn, lecture.perimetre, operation_id, bilan_id
    )
    return [_montrer(examinee, statut) for examinee in examinees]
