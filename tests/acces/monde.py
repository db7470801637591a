"""An OI of two PLIE, « alpha » and « beta », whose dossiers say of whom they are.

The same life is played on each side, so that each address has something of each to show; amounts,
names and references are of one side only, so that what is found on the other side is a leak.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from vie import Vie

from oi_service.application import Service

ALPHA, BETA = "alpha", "beta"
PLIES = (ALPHA, BETA)
#: Cents that tell the sides apart, in what is typed and in what is computed from it.
_ECART = {ALPHA: 0, BETA: 1_317}
_SIRET = {ALPHA: "73282932000074", BETA: "55208131766522"}


@dataclass
class Cote:
    """What belongs to a PLIE and to no other."""

    plie: str
    documents: list[bytes] = field(default_factory=list)

    def nom(self, quoi: str) -> str:
        """Name a thing of this side."""
        return f"{quoi}-{self.plie.upper()}"

    def montant(self, euros: int) -> str:
        """Return an amount that the other side does not have."""
        ecart = _ECART[self.plie]
        return f"{euros + ecart // 100}.{ecart % 100:02d}"

    def document(self, quoi: str) -> bytes:
        """Return the bytes of a document of this side."""
        contenu = f"%PDF-1.4\n% {quoi} {self.plie}\n%%EOF\n".encode()
        self.documents.append(contenu)
        return contenu

    @property
    def operations(self) -> list[str]:
        """The dossiers of this side, by their number."""
        return [self.nom(f"MD{rang}") for rang in range(1, 6)]


def jouer_l_oi(vie: Vie) -> None:
    """Play what belongs to no PLIE."""
    vie.subvention(plie=PLIES, fse_total="5000000.00")
    vie.tranche("2000000.00", "2000000.00")
    vie.reserve("100000.00")
    vie.objectif("150000.00")
    vie.appel(
        [
            {"code": f"F-{plie}", "plie": plie, "titre": f"Fiche {plie}", "cible": f"Cible {plie}"}
            for plie in PLIES
        ]
    )


def jouer_un_cote(vie: Vie, service: Service, cote: Cote) -> None:
    """Play the dossiers of a PLIE: one that saw everything, four that stopped on the way."""
    vie.enveloppe(cote.plie, cote.montant(600_000))
    vie.previsions(
        cote.plie,
        [{"annee": 2022, "trimestre": 4, "montant": cote.montant(21_000)}],
    )
    entier, abandonne, depose, refuse, en_controle = cote.operations
    _entier(vie, service, cote, entier)
    _abandonne(vie, cote, abandonne)
    _deposer(vie, cote, depose)
    _deposer(vie, cote, refuse)
    vie.instruction(refuse)
    vie.refus(refuse)
    _jusqu_au_demarrage(vie, cote, en_controle)
    vie.bilan(en_controle, _depenses(cote, en_controle, 9_000, 7_000))
    vie.ouverture_controle(en_controle)
    _contreparties(vie, cote, entier)
    _controle(vie, cote, entier)


def _plan(cote: Cote, fse: int = 50_000) -> dict[str, Any]:
    return {
        "postes": [{"code": "personnel", "montant": cote.montant(2 * fse)}],
        "fse": f"{fse}.00",
        "ressources": [
            {
                "type": "publique_epci",
                "financeur": f"EPCI fictif {cote.plie}",
                "montant": cote.montant(fse),
            }
        ],
    }


def _deposer(vie: Vie, cote: Cote, nom: str, **saisie: Any) -> None:
    rang = int(nom[2])
    vie.depot(
        nom,
        fiche=f"F-{cote.plie}",
        plan=_plan(cote, 50_000 + rang * 1_000),
        intitule=f"Action {rang} du PLIE {cote.plie}",
        objet=f"Objet {rang} du PLIE {cote.plie}",
        beneficiaire={
            "siret": _SIRET[cote.plie],
            "nom": f"Bénéficiaire fictif {cote.plie} n° {rang}",
            "type": "association",
        },
        **saisie,
    )


def _jusqu_au_demarrage(vie: Vie, cote: Cote, nom: str) -> None:
    le = date(2021, 12, 18)
    _deposer(vie, cote, nom)
    vie.instruction(nom, le=le)
    vie.programmation(nom, le=le)
    vie.conventionnement(nom, le=le)


def _depenses(cote: Cote, nom: str, *montants: int) -> list[dict[str, Any]]:
    return [
        {
            "nature": f"Salaire {rang} {cote.plie}",
            "tiers_ref": f"salarie-{cote.plie}-{rang}",
            "piece_ref": f"FACT-{nom}-{montant}",
            "montant_impute": cote.montant(montant),
        }
        for rang, montant in enumerate(montants)
    ]


def _entier(vie: Vie, service: Service, cote: Cote, nom: str) -> None:
    contenu = cote.document("Dossier")
    service.pieces.deposer(f"{nom}.pdf", [contenu])
    piece = {
        "sha256": hashlib.sha256(contenu).hexdigest(),
        "libelle": f"Demande {cote.plie}",
        "type": "demande",
    }
    le = date(2021, 12, 18)
    _deposer(vie, cote, nom, pieces=[piece])
    vie.instruction(nom, le=le)
    vie.programmation(nom, le=le)
    vie.conventionnement(nom, le=le)
    vie.indicateur(nom, "31")
    vie.paiement(nom, cote.montant(12_000), type="avance")
    vie.demande_avenant(nom, 1, objet=f"Objet revu du PLIE {cote.plie}")
    vie.avenant_programme(nom, 1)
    vie.avenant_signe(nom, 1)
    vie.bilan(
        nom,
        _depenses(cote, nom, 31_000, 29_000, 500),
        ressources=[{"type": "publique_epci", "montant": cote.montant(30_000)}],
    )
    vie.interruption_delai(nom)
    vie.reprise_delai(nom)
    vie.controle(nom, ecarte=cote.montant(700))
    vie.ordonnancement(nom, cote.montant(9_000))
    vie.virement(nom)
    vie.transmission(nom, cote.montant(20_000), cote.montant(40_000))
    vie.certification(nom, cote.montant(18_000), cote.montant(36_000))
    vie.retrait_certification(nom, cote.montant(100), cote.montant(200))


def _abandonne(vie: Vie, cote: Cote, nom: str) -> None:
    _jusqu_au_demarrage(vie, cote, nom)
    vie.paiement(nom, cote.montant(11_000), type="avance")
    vie.abandon(nom)
    vie.ordre_reversement(nom, cote.montant(11_000))
    vie.notification_ordre(nom)
    vie.encaissement(nom, cote.montant(2_000))


def _contreparties(vie: Vie, cote: Cote, nom: str) -> None:
    subvention = cote.nom("CP")
    vie.contrepartie(
        subvention,
        cote.montant(80_000),
        type="publique_epci",
        plie_id=cote.plie,
        financeur=f"EPCI fictif {cote.plie}",
    )
    vie.perception(subvention, cote.montant(40_000))
    vie.affectation(subvention, nom, cote.montant(10_000))


def _controle(vie: Vie, cote: Cote, nom: str) -> None:
    controle = cote.nom("CTL")
    vie.controle_notifie(controle, {nom: cote.montant(5_000)})
    vie.controle_commence(controle)
    vie.rapport_provisoire(
        controle,
        [
            {
                "numero": 1,
                "operation": nom,
                "cout_total": cote.montant(300),
                "fse": cote.montant(100),
            }
        ],
        date_limite_reponse=date(2022, 10, 20),
    )
    vie.reponse_constat(controle)
    vie.rapport_definitif(
        controle, [{"numero": 1, "issue": "maintenu"}], date_limite_suites=date(2022, 12, 1)
    )
    vie.suite_controle(controle, mesure="ordre_reversement", echeance=date(2022, 11, 15))


def jouer_le_commun(vie: Vie, cotes: list[Cote]) -> None:
    """Play what is about both PLIE at once."""
    vie.controle_notifie(
        "CTL-COMMUN",
        {cote.operations[0]: cote.montant(6_000) for cote in cotes},
        organisme="commission_europeenne",
        le=date(2022, 9, 8),
    )
