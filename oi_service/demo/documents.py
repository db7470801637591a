"""The papers of the story: a page each, deposited as real ones are, and named by the act."""

import hashlib
from dataclasses import dataclass
from datetime import date

from aggregates.commande import Commande
from aggregates.contrepartie.affectation import PercevoirContrepartie
from aggregates.convention.avenants import SignerAvenant
from aggregates.convention.bilans import DeposerBilan
from aggregates.convention.paiements import EffectuerPaiement
from aggregates.convention.signature import SignerConvention
from aggregates.convention.validation import ValiderCsf
from aggregates.depense.declaration import DeclarerDepense
from aggregates.depense.pieces import JoindrePieces
from aggregates.operation.depot import DeposerDossier

#: Which acts come with a paper, and what it is: a few hundreds, so that the story starts at once.
PAPIERS: dict[type[Commande], tuple[str, str]] = {
    DeposerDossier: ("Demande de subvention signée", "demande"),
    SignerConvention: ("Convention signée", "convention"),
    SignerAvenant: ("Avenant signé", "avenant"),
    PercevoirContrepartie: ("Attestation de versement", "attestation"),
    DeclarerDepense: ("Justificatif de la dépense", "facture"),
    JoindrePieces: ("Extrait du relevé de compte", "releve_bancaire"),
    DeposerBilan: ("Bilan d’exécution signé", "bilan"),
    ValiderCsf: ("Certificat de contrôle de service fait", "certificat"),
    EffectuerPaiement: ("Avis de virement", "avis_virement"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A paper and its bytes."""

    libelle: str
    type: str
    jour: date
    contenu: bytes
    extension: str = "pdf"

    @property
    def nom(self) -> str:
        """Return the name of its file."""
        return f"{self.type}.{self.extension}"

    def saisie(self) -> dict[str, str]:
        """Return what an act says of it."""
        return {
            "sha256": hashlib.sha256(self.contenu).hexdigest(),
            "libelle": self.libelle,
            "type": self.type,
            "date_piece": self.jour.isoformat(),
        }


def documents_de(modele: type[Commande], acte: str, jour: date) -> tuple[Document, ...]:
    """Return the papers that an act comes with; none of them is like another."""
    if modele not in PAPIERS:
        return ()
    libelle, type_ = PAPIERS[modele]
    lignes = (
        "Pièce de démonstration",
        libelle,
        f"Acte « {acte} », {jour:%d/%m/%Y}",
        "Tout ce qui est écrit ici est inventé.",
    )
    return (Document(libelle, type_, jour, page(lignes)),)


def page(lignes: tuple[str, ...]) -> bytes:
    """Write lines on a page of PDF, the smallest that every reader opens."""
    texte = " ".join(f"({_echappe(ligne)}) Tj T*" for ligne in lignes)
    flux = f"BT /F 14 Tf 20 TL 60 760 Td {texte} ET".encode("cp1252")
    police = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    objets = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 5 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(flux), flux),
        b"<</Font<</F %s>>>>" % police,
    )
    fait, places = b"%PDF-1.4\n", b""
    for rang, objet in enumerate(objets, 1):
        places += b"%010d 00000 n \n" % len(fait)
        fait += b"%d 0 obj%s\nendobj\n" % (rang, objet)
    combien = len(objets) + 1
    fin = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (combien, len(fait))
    return fait + b"xref\n0 %d\n0000000000 65535 f \n" % combien + places + fin


def _echappe(ligne: str) -> str:
    return ligne.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
