"""Taking the rows of a workbook: what the person confirms, and what is refused before any of them.

The rows themselves are decided by the decisions of their aggregates, in the same act.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from aggregates.cadre import Cadre
from aggregates.commande import (
    Code,
    Commande,
    Empreinte,
    Numero,
    PeriodeSaisie,
    Saisie,
    Texte,
)
from aggregates.convention.bilans import RESSOURCES_MAX, DeposerBilan, UnitesSaisies
from aggregates.depense.declaration import MontantImpute
from aggregates.lot.events import LigneDuLot, LigneEcartee, LotImporte
from aggregates.lot.state import Lot
from oi_service.codec import Piece
from oi_service.errors import Conflict, RuleBroken
from oi_service.money import Montant

Nature = Literal["depenses", "ressources", "indicateurs", "contreparties"]
#: Natures whose rows have no amount: there is nothing to add up.
SANS_MONTANT = frozenset(("indicateurs",))
#: Code of a row that looks known already and that the person did not tick.
DOUBLON = "doublon"
#: What the piece is called in the log: its own name may hold that of a person.
LIBELLES = {
    "depenses": "Classeur de dépenses importé",
    "ressources": "Classeur de ressources importé",
    "indicateurs": "Classeur d’indicateurs importé",
    "contreparties": "Classeur de contreparties importé",
}


class LotDejaImporte(Conflict):
    """Ce fichier est déjà importé, depuis le {importe_le} : ses lignes sont dans le registre.
    Annulez d’abord ce lot pour l’importer de nouveau.
    """


class LotVide(RuleBroken):
    """Aucune ligne n’est à importer : corrigez le classeur et déposez-le de nouveau."""


class LotAvecErreurs(RuleBroken):
    """Lignes en erreur dans le classeur : {erreurs}. Corrigez-les, ou demandez l’importation
    partielle des autres.
    """


class LotDeDeuxSubventions(RuleBroken):
    """Les lignes du classeur relèvent de plusieurs subventions globales : déposez un classeur pour
    chacune.
    """


class TotalDeControleAbsent(RuleBroken):
    """Saisissez le total de contrôle : la somme des lignes valides, comptée dans votre classeur."""


class TotalDeControleFaux(RuleBroken):
    """Le total saisi est de {saisi:euros} et les lignes valides du classeur totalisent {lu:euros} :
    l’écart est de {ecart:euros}. Rien n’est importé.
    """


class DoublonInconnu(RuleBroken):
    """La ligne {ligne} de la feuille « {feuille} » n’est pas un doublon à accepter : le classeur ou
    le registre a changé, relisez l’aperçu.
    """


class TropDeRessources(RuleBroken):
    """Un bilan porte {maximum} ressources au plus, et le classeur en donne {nombre} : regroupez
    les versements d’un même financeur.
    """


class LigneDesignee(Saisie):
    """A row of the workbook, as Excel numbers it."""

    feuille: Texte
    ligne: Annotated[int, Field(strict=True, ge=1)]


class ImporterLot(Commande):
    """Take the rows of a workbook that was deposited.

    ``fichier_nom`` says its format by its extension, and is not kept. ``doublons``: the rows to
    take although they look known already; the others of that kind are left out.
    """

    fichier_sha256: Empreinte
    fichier_nom: Texte
    operation_id: UUID | None = Field(
        default=None, description="Opération du classeur, quand ses lignes ne la nomment pas."
    )
    total_controle: MontantImpute | None = Field(
        default=None,
        description="Somme des lignes valides, doublons compris, comptée par la personne ; "
        "obligatoire pour une nature à montants.",
    )
    partiel: bool = Field(
        default=False, description="Vrai pour laisser de côté les lignes en erreur."
    )
    doublons: tuple[LigneDesignee, ...] = ()


class BilanDuClasseur(Saisie):
    """The bilan that a workbook of ressources is filed with: all of it but its ressources."""

    numero: Numero
    type: Literal["intermediaire", "final"]
    periode: PeriodeSaisie
    depenses: Annotated[tuple[UUID, ...], Field(max_length=5000)] = ()
    unites: Annotated[tuple[UnitesSaisies, ...], Field(max_length=50)] = ()
    livrables: Annotated[tuple[Code, ...], Field(max_length=100)] = ()
    recettes_nettes: Montant = 0


class ImporterLotRessources(ImporterLot):
    """Take the ressources of a workbook, and file the bilan that they are of.

    What other funders paid is declared by a bilan, and by nothing else.
    """

    bilan: BilanDuClasseur

    def depot(self, ressources: Sequence[Mapping[str, Any]]) -> DeposerBilan:
        """Return the command that files the bilan with these ressources."""
        return DeposerBilan.model_validate(
            {
                "date_effet": self.date_effet.isoformat(),
                **self.bilan.model_dump(mode="json"),
                "ressources": ressources,
            }
        )


@dataclass(frozen=True, slots=True)
class LigneAPrendre:
    """A row without error, before it is taken."""

    feuille: str
    ligne: int
    flux: UUID
    montant: int
    doublon: bool

    @property
    def place(self) -> tuple[str, int]:
        """Where it is in the workbook."""
        return self.feuille, self.ligne


@dataclass(frozen=True, slots=True)
class Contenu:
    """What a workbook was found to hold; ``plies`` as in the fact."""

    nature: Nature
    modele_version: int
    format: str
    octets: int
    nb_lignes: int
    lues: tuple[LigneAPrendre, ...]
    en_erreur: tuple[LigneEcartee, ...]
    cadres: frozenset[Cadre]
    operations: tuple[UUID, ...]
    plies: tuple[str, ...]
    bilan_id: UUID | None = None

    @property
    def total(self) -> int:
        """The sum of the rows without error."""
        return sum(lue.montant for lue in self.lues)

    def retenues(self, admises: Sequence[LigneDesignee]) -> tuple[LigneAPrendre, ...]:
        """Return the rows to take: no double but those that the person ticked."""
        voulues = {(a.feuille, a.ligne) for a in admises}
        return tuple(lue for lue in self.lues if not lue.doublon or lue.place in voulues)


def importer(lot: Lot | None, commande: ImporterLot, contenu: Contenu) -> list[LotImporte]:
    """Take a workbook whose total is the one that the person counted."""
    if lot is not None:
        raise LotDejaImporte(importe_le=lot.importe_le)
    if len(contenu.cadres) > 1:
        raise LotDeDeuxSubventions
    exiger_confirmation(
        commande, contenu.nature, total=contenu.total, erreurs=len(contenu.en_erreur)
    )
    _exiger_doublons(commande, contenu)
    retenues = contenu.retenues(commande.doublons)
    if not retenues:
        raise LotVide
    if contenu.nature == "ressources" and len(retenues) > RESSOURCES_MAX:
        raise TropDeRessources(maximum=RESSOURCES_MAX, nombre=len(retenues))
    [cadre] = contenu.cadres
    places = {lue.place for lue in retenues}
    oubliees = (
        LigneEcartee(feuille=lue.feuille, ligne=lue.ligne, raisons=(DOUBLON,))
        for lue in contenu.lues
        if lue.place not in places
    )
    return [
        LotImporte(
            date_effet=commande.date_effet,
            pieces=(_classeur(commande, contenu), *commande.jointes()),
            cadre=cadre,
            nature=contenu.nature,
            modele_version=contenu.modele_version,
            fichier_sha256=commande.fichier_sha256,
            fichier_format=contenu.format,
            fichier_octets=contenu.octets,
            lignes_lues=contenu.nb_lignes,
            total_centimes=sum(lue.montant for lue in retenues),
            total_controle_centimes=commande.total_controle,
            lignes=tuple(
                LigneDuLot(
                    feuille=lue.feuille,
                    ligne=lue.ligne,
                    flux=lue.flux,
                    montant_centimes=lue.montant,
                    doublon=lue.doublon,
                )
                for lue in retenues
            ),
            ecartees=(*contenu.en_erreur, *oubliees),
            operations=contenu.operations,
            plies=contenu.plies,
            bilan_id=contenu.bilan_id,
        )
    ]


def exiger_confirmation(commande: ImporterLot, nature: Nature, *, total: int, erreurs: int) -> None:
    """Refuse what the person did not count, or did not say that they leave out."""
    if erreurs and not commande.partiel:
        raise LotAvecErreurs(erreurs=erreurs)
    if nature in SANS_MONTANT:
        return
    if commande.total_controle is None:
        raise TotalDeControleAbsent
    if commande.total_controle != total:
        raise TotalDeControleFaux(
            saisi=commande.total_controle, lu=total, ecart=commande.total_controle - total
        )


def _exiger_doublons(commande: ImporterLot, contenu: Contenu) -> None:
    connus = {lue.place for lue in contenu.lues if lue.doublon}
    for admise in commande.doublons:
        if (admise.feuille, admise.ligne) not in connus:
            raise DoublonInconnu(feuille=admise.feuille, ligne=admise.ligne)


def _classeur(commande: ImporterLot, contenu: Contenu) -> Piece:
    return Piece(
        sha256=commande.fichier_sha256, libelle=LIBELLES[contenu.nature], type="classeur_importe"
    )
