"""Operations that take dépenses, and workbooks for them; all of it invented."""

import io
from collections.abc import Mapping
from typing import Any

from vie import Vie
from xlsxwriter import Workbook

from api.classeurs import MODELES, Nature
from oi_service.application import Service
from oi_service.ids import new_id

#: An operation of the PLIE A, and one of the PLIE B.
A, B = "202100031", "202100032"

LIGNE: Mapping[str, Any] = {
    "N° de dossier": A,
    "Poste de dépense": "personnel",
    "Nature de la dépense": "Salaire chargé de mars",
    "Fournisseur ou tiers": "fictif-salaires",
    "N° de pièce": "FA-1",
    "Date de la pièce": "31/03/2021",
    "Date de réalisation": "31/03/2021",
    "Date d’acquittement": "02/04/2021",
    "Preuve d’acquittement": "releve_bancaire",
    "Montant imputé": "1 204,50",
}


def jouer(service: Service) -> None:
    """Bring both operations to their start."""
    vie = Vie(service)
    vie.subvention()
    vie.tranche("900000.00", "900000.00")
    vie.enveloppe("A", "300000.00")
    vie.enveloppe("B", "300000.00")
    vie.appel([{}, {"code": "F2", "plie_id": "B"}])
    vie.jusqu_au_demarrage(A)
    vie.jusqu_au_demarrage(B, fiche="F2")


def unique() -> str:
    """Return the number of a document that no other test uses."""
    return f"FA-{new_id().hex[:8]}"


def classeur(*lignes: Mapping[str, Any]) -> bytes:
    """Write a workbook of dépenses; each row says what it changes of the usual one."""
    return classeur_de("depenses", Dépenses=[{**LIGNE, **ligne} for ligne in lignes])


def classeur_de(nature: Nature, **feuilles: list[Mapping[str, Any]]) -> bytes:
    """Write a workbook of any nature: by sheet, rows by the titles of their columns."""
    sortie = io.BytesIO()
    with Workbook(sortie, {"in_memory": True}) as livre:
        for modele in MODELES[nature].feuilles:
            titres = [c.titre for c in modele.colonnes]
            feuille = livre.add_worksheet(modele.nom)
            feuille.write_row(0, 0, titres)
            for rang, ligne in enumerate(feuilles.get(modele.nom, []), start=1):
                assert ligne.keys() <= set(titres)
                feuille.write_row(rang, 0, [ligne.get(titre, "") for titre in titres])
    return sortie.getvalue()
