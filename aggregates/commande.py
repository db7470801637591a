"""What a person asks: the base of every command, and the types of its fields."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)
from pydantic_core import PydanticCustomError

from oi_service.codec import Piece
from oi_service.dates import Jour, Periode
from rules.confidentialite import contient_un_iban, contient_un_nir
from rules.couts import OPTIONS
from rules.eligibilite import MOTIFS
from rules.nomenclature import POSTES, RESSOURCES

V = TypeVar("V")

#: Tabs and line breaks are the only control characters that a text can hold and a page can show.
_CONTROLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _lisible(text: str) -> str:
    if _CONTROLE.search(text):
        raise ValueError("le texte contient des caractères de contrôle")
    return text


Texte = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(_lisible),
]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Empreinte = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Annee = Annotated[int, Field(strict=True, ge=2014, le=2035)]
Numero = Annotated[int, Field(strict=True, ge=1, le=999)]


def _percentage(text: str) -> str:
    value = Decimal(text)
    if not 0 <= value <= 100:
        raise ValueError("un pourcentage va de 0 à 100")
    return text


#: A percentage as a decimal string, such as ``"30"`` or ``"12.5"``.
Pourcentage = Annotated[
    str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,4})?$"), AfterValidator(_percentage)
]
#: A quantity as a decimal string, such as ``"112"`` or ``"612.50"``.
Quantite = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?$")]


def _one_of(codes: object, what: str) -> Callable[[str], str]:
    known = sorted(map(str, codes))  # type: ignore[call-overload]

    def check(code: str) -> str:
        if code not in known:
            raise ValueError(f"{what} inconnu ; valeurs possibles : {', '.join(known)}")
        return code

    return check


CodePoste = Annotated[str, AfterValidator(_one_of(POSTES, "poste de dépense"))]
#: The Fund has its own line in a plan; a resource is everybody else.
TypeRessource = Annotated[
    str, AfterValidator(_one_of(RESSOURCES.keys() - {"fse"}, "type de ressource"))
]
#: How a flat rate is founded in the texts.
OptionCouts = Annotated[str, AfterValidator(_one_of(OPTIONS, "option de coûts simplifiés"))]
MotifIneligibilite = Annotated[str, AfterValidator(_one_of(MOTIFS, "motif d’inéligibilité"))]

#: Who decides. Only the OI's own body awards the Fund's money.
Instance = Literal["conseil_administration_oi", "comite_programmation_oi", "comite_pilotage_plie"]


#: A defect of a text that no answer repeats.
DONNEE_INTERDITE = "donnee_interdite"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _exiger_sans_identifiant(valeur: object) -> None:
    """Refuse the number of a bank account or of a person, which the log would keep for ever.

    Raises: PydanticCustomError, whose message does not repeat the number.
    """
    if isinstance(valeur, tuple):
        for partie in valeur:
            _exiger_sans_identifiant(partie)
    if not isinstance(valeur, str) or _SHA256.fullmatch(valeur):
        return
    if contient_un_iban(valeur):
        raise _donnee_interdite(
            "ce texte contient un IBAN entier : le registre le garderait pour toujours ; "
            "n’en écrivez que le début et la fin, FR76••••189"
        )
    if contient_un_nir(valeur):
        raise _donnee_interdite(
            "ce texte contient un numéro de sécurité sociale : le registre le garderait pour "
            "toujours ; désignez la personne par son identifiant"
        )


def _donnee_interdite(phrase: str) -> PydanticCustomError:
    return PydanticCustomError(DONNEE_INTERDITE, "{error}", {"error": phrase})


class Saisie(BaseModel):
    """A part of a command. Unknown fields are refused: a typing error never passes for silence.

    No text of a command holds the number of a bank account or of a person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=4000)

    @field_validator("*")
    @classmethod
    def _sans_identifiant(cls, valeur: V) -> V:
        _exiger_sans_identifiant(valeur)
        return valeur


class PieceJointe(Saisie):
    """A supporting document, by the SHA-256 of its bytes."""

    sha256: Empreinte
    libelle: Texte
    type: Code
    date_piece: Jour | None = None


class PeriodeSaisie(Saisie):
    """A period, both ends included."""

    debut: Jour
    fin: Jour

    def model_post_init(self, _context: object, /) -> None:
        """Refuse an end before the start."""
        if self.fin < self.debut:
            raise ValueError(
                f"la fin ({self.fin:%d/%m/%Y}) précède le début ({self.debut:%d/%m/%Y})"
            )

    def periode(self) -> Periode:
        """Return the value that facts carry."""
        return Periode(debut=self.debut, fin=self.fin)


class Commande(Saisie):
    """What every command says: the day on which it counts, and its documents."""

    date_effet: Jour = Field(description="Jour où l’acte compte (Europe/Paris).")
    pieces: tuple[PieceJointe, ...] = ()

    def jointes(self) -> tuple[Piece, ...]:
        """Return the documents as facts carry them."""
        return tuple(Piece(**p.model_dump()) for p in self.pieces)


class CommandeMotivee(Commande):
    """A command that undoes, refuses or corrects: it says why."""

    motif: Texte
