"""What the form of a bilan knows before anything is typed: its number, its period, the dépenses
that no bilan carries, what the convention pays by units or by deliverables.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from aggregates.convention.state import CONVENTION, Convention, ConventionAbsente
from api.deps import LectureOuverte
from api.filters import entier, euros, jour
from api.pages.actes.preparations import Preparation, prepare
from oi_service.ids import convention_of
from projections.dossiers import exiger_operation
from projections.journal import lire_flux
from projections.situation import ACTUELLE
from projections.sujets import reperes
from projections.toutes_depenses import DepenseListee, FiltresDesDepenses, parcourir
from rules.nomenclature import POSTES

#: Dépenses that a form offers: beyond, a bilan is filed by a program.
DEPENSES_MAX = 2_000


@prepare("deposer_bilan")
def deposer(lecture: LectureOuverte, operation_id: UUID) -> Preparation:
    """Propose the next bilan, with every dépense that waits for one."""
    exiger_operation(lecture.conn, lecture.perimetre, operation_id, ACTUELLE)
    convention_id = convention_of(operation_id)
    flux = lire_flux(lecture.conn, lecture.perimetre, [convention_id])
    convention = CONVENTION.replay(lu.fait for lu in flux.get(convention_id, ()))
    if convention is None:
        raise ConventionAbsente(id=convention_id)
    libres = list(islice(_libres(lecture, operation_id), DEPENSES_MAX + 1))
    offertes = libres[:DEPENSES_MAX]
    options = {
        "depenses": [(str(d.id), _dite(d)) for d in offertes],
        "livrables": [
            (x.id, f"{x.libelle}, {euros(x.montant_centimes)}")
            for p in convention.plan.postes
            for x in p.livrables
            if x.id not in _atteints(convention)
        ],
        "unites.poste": [
            (p.code, p.libelle or POSTES.get(p.code, p.code))
            for p in convention.plan.postes
            if p.mode == "cout_unitaire"
        ],
    }
    return Preparation(
        initiales={**_suivant(convention), "depenses": [str(d.id) for d in offertes]},
        options=options,
        # Nobody types an identifier where there is nothing to choose from.
        caches=frozenset(nom for nom in ("depenses", "livrables") if not options[nom]),
        resume=(
            ("Dépenses qu’aucun bilan ne porte", entier(len(offertes))),
            ("Leur total", euros(sum(d.montant_impute for d in offertes))),
        ),
        avertissements=tuple(_avertir(len(libres), offertes)),
    )


def _libres(lecture: LectureOuverte, operation_id: UUID) -> Iterator[DepenseListee]:
    [repere] = reperes(lecture.conn, lecture.perimetre, [operation_id])
    return parcourir(
        lecture.conn,
        lecture.perimetre,
        filtres=FiltresDesDepenses(
            operation=repere.numero_mdfse, statut="declaree", rattachee=False
        ),
        ordre="asc",
    )


def _dite(depense: DepenseListee) -> str:
    return (
        f"{depense.piece_ref} du {jour(depense.date_piece)}, {depense.nature}, "
        f"{euros(depense.montant_impute)}"
    )


def _suivant(convention: Convention) -> dict[str, Any]:
    """Return the number, the type and the period of the bilan that comes next."""
    deposes = [b for b in convention.bilans.values() if b.statut != "renvoye"]
    numero = max((b.numero for b in deposes), default=0) + 1
    prevu = next((b for b in convention.bilans_prevus if b.numero == numero), None)
    debut = max(
        (b.periode.fin + timedelta(days=1) for b in deposes), default=convention.periode.debut
    )
    periode = {"debut": debut.isoformat()} if debut <= convention.periode.fin else {}
    if prevu is not None and prevu.type == "final":
        periode["fin"] = convention.periode.fin.isoformat()
    return {
        "numero": numero,
        "type": prevu.type if prevu else "intermediaire",
        "periode": periode,
    }


def _atteints(convention: Convention) -> frozenset[str]:
    return frozenset(
        x for b in convention.bilans.values() if b.statut != "renvoye" for x in b.livrables
    )


def _avertir(libres: int, offertes: list[DepenseListee]) -> Iterator[str]:
    if offertes:
        yield (
            "Toutes les dépenses qu’aucun bilan ne porte sont cochées : décochez celles qui ne "
            "sont pas de ce bilan."
        )
    if libres > len(offertes):
        yield (
            f"Seules les {entier(DEPENSES_MAX)} premières dépenses libres sont proposées : les "
            "autres iront dans un bilan suivant."
        )
