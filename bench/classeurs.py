"""Measure the preview of a workbook beside the reading of the file alone.

``python -m bench.classeurs`` writes workbooks of dépenses as accountants fill our template, and
prints medians: the library alone, our reading of the same bytes with its checks, the whole preview.
"""

import argparse
import io
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from python_calamine import CalamineWorkbook

from aggregates.cadre import Cadre, Cellule, LigneMaquette
from aggregates.convention.state import Convention
from aggregates.operation.state import Operation
from aggregates.plan import PlanFinancement, Poste
from api.classeurs import MODELES, Contexte, OperationConnue, annoter, apercu, lire
from api.classeurs.gabarit import classeur_neuf, ecrire_modele
from oi_service.dates import Periode

NUMEROS = tuple(f"2021{n:05}" for n in range(1, 9))
JOUR = date(2022, 1, 31)


def main() -> None:
    """Print the figures of each size."""
    demande = argparse.ArgumentParser(description=__doc__)
    demande.add_argument("--lignes", type=int, nargs="+", default=[500, 5_000, 20_000])
    demande.add_argument("--tours", type=int, default=9)
    choix = demande.parse_args()
    contexte = Contexte(jour=JOUR, operations=tuple(map(_operation, range(len(NUMEROS)))))
    print(
        "| lignes | Ko | bibliothèque seule | lecture | aperçu entier | aperçu ÷ lecture | "
        "aperçu ÷ bibliothèque | annoté |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for nombre in choix.lignes:
        octets = classeur(nombre, contexte)
        seule, lecture, entier = _en_tours(
            choix.tours,
            lambda octets=octets: _bibliotheque(octets),
            lambda octets=octets: lire("depenses.xlsx", octets),
            lambda octets=octets: apercu(lire("depenses.xlsx", octets), "depenses", contexte),
        )
        vu = apercu(lire("depenses.xlsx", octets), "depenses", contexte)
        assert (vu.nb, vu.erreurs) == (nombre, ())
        (annote,) = _en_tours(1, lambda octets=octets, vu=vu: annoter(octets, vu))
        print(
            f"| {nombre} | {len(octets) // 1024} | {seule:.1f} ms | {lecture:.1f} ms | "
            f"{entier:.1f} ms | {entier / lecture:.2f} | {entier / seule:.2f} | {annote:.0f} ms |"
        )


def _en_tours(tours: int, *mesures: Callable[[], object]) -> list[float]:
    """Return the median of each, in milliseconds of processor, measured in turns."""
    temps: list[list[float]] = [[] for _ in mesures]
    for _ in range(tours):
        for rang, mesure in enumerate(mesures):
            debut = time.process_time()
            mesure()
            temps[rang].append((time.process_time() - debut) * 1000)
    return [statistics.median(t) for t in temps]


def _bibliotheque(octets: bytes) -> None:
    with CalamineWorkbook.from_filelike(io.BytesIO(octets)) as livre:
        for nom in livre.sheet_names:
            livre.get_sheet_by_name(nom).to_python(skip_empty_area=False)


def _operation(rang: int) -> OperationConnue:
    """Return an operation under convention: what the checks read of it, and no more."""
    cadre = Cadre(subvention_globale_id=UUID(int=1), oi_id="oi", reglement="2014-2020")
    periode = Periode(debut=date(2021, 1, 1), fin=date(2021, 12, 31))
    plan = PlanFinancement(
        postes=(
            Poste(code="personnel", montant_centimes=10**9),
            Poste(code="fonctionnement", montant_centimes=10**9),
        ),
        fse_centimes=10**9,
        ressources=(),
    )
    commun = {"cadre": cadre, "objet": "", "periode": periode, "plan": plan}
    return OperationConnue(
        UUID(int=100 + rang),
        Operation(
            **commun,
            statut="en_execution",
            numero_mdfse=NUMEROS[rang],
            appel_a_projets_id=UUID(int=2),
            beneficiaire=None,  # type: ignore[arg-type] - not read
            cellule=Cellule(
                ligne=LigneMaquette(annee=2021, axe="3", objectif_specifique="1", dispositif="x"),
                plie_id="A",
            ),
            intitule="Opération",
            fse_demande=0,
            cout_total_demande=0,
            condition=None,
            indicateurs=(),
        ),
        Convention(
            **commun,
            operation_id=UUID(int=100 + rang),
            numero="C",
            type_beneficiaire="association",
            parametres=_Parametres(),  # type: ignore[arg-type] - only its rounding is read
            plafonds_poste=(),
            bilans_prevus=(),
            date_limite_acquittement=date(2022, 6, 30),
            signee_le=date(2021, 1, 1),
            notifiee_le=date(2021, 1, 2),
        ),
    )


class _Parametres:
    arrondi = "demi_superieur"


def classeur(lignes: int, contexte: Contexte) -> bytes:
    """Write the template of dépenses for the whole OI, with so many rows."""
    sortie = io.BytesIO()
    modele = MODELES["depenses"]
    with classeur_neuf(sortie, titre=modele.titre) as livre:
        page = ecrire_modele(livre, modele, contexte)[modele.feuilles[0].nom]
        jour = livre.add_format({"num_format": "dd/mm/yyyy"})
        colonnes = {c.cle: rang for rang, c in enumerate(modele.feuilles[0].colonnes)}
        for n in range(1, lignes + 1):
            for cle, valeur in _rangee(n).items():
                if isinstance(valeur, datetime):
                    page.write_datetime(n, colonnes[cle], valeur, jour)
                else:
                    page.write(n, colonnes[cle], valeur)
    return sortie.getvalue()


def _rangee(n: int) -> dict[str, object]:
    le = datetime(2021, 1, 4) + timedelta(days=n % 350)  # noqa: DTZ001
    return {
        "@dossier": NUMEROS[n % len(NUMEROS)],
        "poste": ("Dépenses directes de personnel", "fonctionnement")[n % 2],
        "nature": f"Salaire chargé du mois {n % 12 + 1}",
        "tiers_ref": f"Fournisseur fictif n° {n % 40}",
        "piece_ref": f"F-2021-{n:05}",
        "date_piece": le,
        "date_realisation": le,
        "date_acquittement": le + timedelta(days=3),
        "preuve_acquittement": "Relevé bancaire montrant le débit et sa date",
        "montant_ht": 100 + n + 0.17,
        "montant_ttc": 120 + n + 0.2,
        "montant_impute": 120 + n + 0.2,
    }


if __name__ == "__main__":
    main()
