"""One stored sample of every event version: what the log holds today must decode for ever.

``python tests/echantillons.py`` writes the samples of new names. It never overwrites one: a sample
that no longer decodes says that history broke, not that the sample is old.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from fabrique import (
    CSF_ID,
    DETAIL,
    FICHE,
    condition,
    euros,
    fait,
    plan,
)

from aggregates.appel_a_projets.events import AppelAProjetsPublie
from aggregates.convention.events import (
    AvenantDemande,
    ConventionSignee,
    CsfValide,
    PaiementOrdonnance,
    PosteRetenu,
    RessourceRetenue,
    RessourcesControlees,
    Termes,
)
from aggregates.depense.events import Cle, DepenseControlee, DepenseDeclaree
from aggregates.operation.events import (
    AvisAgdRendu,
    AvisPlieRendu,
    DossierDepose,
    IndicateurRenseigne,
    OperationProgrammee,
)
from aggregates.subvention_globale.events import Parametres, SubventionGlobaleConventionnee
from api import actions  # noqa: F401 - importing them all fills the vocabulary
from oi_service.codec import REGISTRY, Evenement, Piece
from oi_service.dates import Periode

DOSSIER = Path(__file__).with_name("events")

_PIECE = Piece(
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    libelle="Attestation « signée »",
    type="attestation",
    date_piece=date(2021, 12, 14),
)
_RESSOURCE = RessourceRetenue(
    type="publique_epci",
    financeur="EPCI fictif",
    montant_declare_centimes=euros(20_000),
    montant_retenu_centimes=euros(19_000),
)

#: Fields that are optional or empty by default, filled: a sample shows all that may be there.
_REMPLIS: dict[type[Evenement], dict[str, Any]] = {
    SubventionGlobaleConventionnee: {
        "fictive": True,
        "parametres": Parametres(
            avance_pct=Decimal("12.5"),
            avance_plafond_centimes=euros(50_000),
            types_beneficiaires_sans_avance=("collectivite",),
            plafond_avant_solde_pct=Decimal(80),
            delai_contradictoire_jours=30,
            arrondi="troncature",
        ),
    },
    AppelAProjetsPublie: {
        "fiches": (
            msgspec.structs.replace(FICHE, condition=condition("0.20", "0.80", requis=True)),
        )
    },
    DossierDepose: {"condition": condition("0.20", "0.80", requis=True)},
    AvisPlieRendu: {"reserves": "Sous réserve du cofinancement."},
    AvisAgdRendu: {"reserves": "Sous réserve du cofinancement."},
    OperationProgrammee: {"deports": ("membre-3",)},
    IndicateurRenseigne: {"realise": Decimal("34.50"), "remplace": Decimal(12)},
    ConventionSignee: {
        "avance_plafond_centimes": euros(50_000),
        "plafond_avant_solde_pct": Decimal(80),
    },
    AvenantDemande: {
        "apres": Termes(
            objet="Accompagner davantage",
            periode=Periode(debut=date(2021, 1, 1), fin=date(2022, 3, 31)),
            plan=plan(55_000, personnel=110_000),
        )
    },
    RessourcesControlees: {"ressources": (_RESSOURCE,)},
    CsfValide: {
        "postes": (
            PosteRetenu(
                code="personnel",
                declare_centimes=euros(80_000),
                ecarte_centimes=euros("1 250,01"),
                retenu_centimes=euros("78 749,99"),
            ),
        ),
        "ressources": (_RESSOURCE,),
        "postes_cumules": {"personnel": euros("78 749,99"), "nature": euros(5_000)},
        "ressources_cumulees": (("publique_epci", euros(19_000)), ("nature", euros(5_000))),
        "c4_hors_nature_centimes": euros(30_000),
    },
    PaiementOrdonnance: {"csf_id": CSF_ID},
    DepenseDeclaree: {
        "detail": msgspec.structs.replace(
            DETAIL,
            date_engagement=date(2021, 5, 1),
            montant_ht_centimes=euros(2_000),
            montant_ttc_centimes=euros(2_400),
            tva_recuperable_centimes=0,
            cle=Cle(numerateur=1, denominateur=2, libelle="Surface occupée"),
        )
    },
    DepenseControlee: {
        "montant_retenu_centimes": euros(750),
        "montant_ecarte_centimes": euros(250),
        "motif_code": "NON_ACQUITTEE",
        "commentaire": "Aucune preuve de paiement.",
        "pieces_vues": ("Relevé de juin",),
    },
}


@dataclass(frozen=True, slots=True)
class Echantillon:
    """The columns of a stored event; ``data`` and ``pieces`` are JSON texts."""

    name: str
    data: str
    date_effet: str
    motif: str | None
    pieces: str | None


def lire(fichier: Path) -> Echantillon:
    """Read a sample."""
    colonnes = json.loads(fichier.read_text("utf-8"))
    return Echantillon(
        name=colonnes["name"],
        data=json.dumps(colonnes["data"], ensure_ascii=False, separators=(",", ":")),
        date_effet=colonnes["date_effet"],
        motif=colonnes["motif"],
        pieces=json.dumps(colonnes["pieces"], ensure_ascii=False),
    )


def exemple(kind: type[Evenement]) -> Evenement:
    """Return a fact with everything in it that may be there."""
    champs = _REMPLIS.get(kind, {})
    return fait(kind, **champs, motif="Erreur « matérielle »\nde saisie", pieces=(_PIECE,))


def ecrire(dossier: Path = DOSSIER) -> list[str]:
    """Write the samples of the names that have none; return these names."""
    nouveaux = []
    for name, kind in sorted(REGISTRY.classes.items()):
        fichier = dossier / f"{name}.json"
        if fichier.exists():
            continue
        encoded = REGISTRY.encode(exemple(kind))
        colonnes = {
            "name": name,
            "date_effet": encoded.date_effet.isoformat(),
            "motif": encoded.motif,
            "pieces": json.loads(encoded.pieces or "[]"),
            "data": json.loads(encoded.data),
        }
        text = json.dumps(colonnes, ensure_ascii=False, indent=2)
        fichier.write_text(text + "\n", "utf-8")
        nouveaux.append(name)
    return nouveaux


if __name__ == "__main__":
    for nom in ecrire():
        print(nom)  # noqa: T201 - what the command is for
