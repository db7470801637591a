"""Six OI played through the engine, to read who pays beside the Fund. All of it is invented, but
the shares.

« 2019 »: shares of the money of 74 PLIE in 2019 (Alliance Villes Emploi, consolidation of 2019):
FSE 55 %, communes and EPCI 15 %, départements 9 %, régions 2 %, État 15 %, other public funders
1 %, private funders 3 %; « environ 3,7 » euros of FSE for one of the commune or of the EPCI.
« arrondis »: the same year as printed, 54 M€ of FSE out of 99 M€, 15 % of them direct.
« 2024 »: 3,40 € of FSE and 2,40 € of other public funds for one direct euro (Alliance Villes
Emploi, contribution of April 2024).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from fabrique import euros
from vie import Vie

from oi_service.application import Service

_NOMS = UUID("c1a7b2a0-2f6d-5a57-9f2e-3d0f6f0c8e11")
#: The operations of the coverage end in June: an avenant may still be signed.
PERIODE = {"debut": "2021-01-01", "fin": "2022-06-30"}
AVENANT = {"debut": "2021-01-01", "fin": "2022-09-30"}


class Organisme(Vie):
    """One subvention globale of an OI; what goes by a name is of this one."""

    def __init__(self, service: Service, nom: str, oi: str | None = None, **saisie: Any) -> None:
        super().__init__(service)
        self.nom = nom
        self.subvention(
            oi_id=f"oi-{oi or nom}", oi_nom=f"OI {oi or nom}", numero=f"SG-{nom}", **saisie
        )

    def id(self, nom: str) -> UUID:  # type: ignore[override]
        """Return the identifier of what goes by a name here."""
        return uuid5(_NOMS, f"{self.nom}/{nom}")

    @property
    def sg(self) -> UUID:
        """The subvention globale."""
        return self.id("SG")

    def deposee(
        self,
        operation: str,
        fse: str,
        apports: Mapping[tuple[str, str], str],
        *,
        plie: str = "A",
        annee: int = 2021,
        nature: str = "0.00",
        **saisie: Any,
    ) -> None:
        """Deposit and instruct a dossier paid by these funders; ``nature``: poste in kind."""
        total = euros(fse) + sum(euros(montant) for montant in apports.values())
        postes = {"personnel": total - euros(nature), "nature": euros(nature)}
        plan = {
            "postes": [
                {"code": code, "montant": f"{m // 100}.{m % 100:02d}"}
                for code, m in postes.items()
                if m
            ],
            "fse": fse,
            "ressources": [
                {"type": kind, "financeur": qui, "montant": montant}
                for (kind, qui), montant in apports.items()
            ],
        }
        numero = f"{self.nom}-{operation}"
        self.depot(
            operation, fiche=f"{plie}1", annee=annee, plan=plan, numero_mdfse=numero, **saisie
        )
        self.instruction(operation)

    def doter(self, fse: str, *, plie: str = "A", annee: int = 2021) -> None:
        """Allocate an enveloppe from the tranche."""
        self.enveloppe(plie, fse, annee=annee)

    def programmee(self, operation: str, fse: str, apports: Mapping[tuple[str, str], str]) -> None:
        """Play an OI whose one operation is programmed."""
        self.tranche(fse)
        self.doter(fse)
        self.appel()
        self.deposee(operation, fse, apports)
        self.programmation(operation)


def jouer(service: Service) -> dict[str, Organisme]:
    """Play every OI on an empty database; return them by name."""
    ois = {
        "2019": _annee_2019(service),
        "arrondis": _arrondis(service),
        "2024": _annee_2024(service),
        "sans_direct": _sans_direct(service),
    }
    ois["tranche-1"], ois["tranche-2"] = _deux_tranches(service)
    # The last one: what its last acts change can be read by what is known.
    ois["couverture"] = _couverture(service)
    return ois


APPORTS_2019 = {
    ("publique_commune", "Commune fictive"): "10000.00",
    ("publique_epci", "EPCI fictif"): "5000.00",
    ("publique_departement", "Département fictif"): "9000.00",
    ("publique_region", "Région fictive"): "2000.00",
    ("publique_etat", "État fictif"): "15000.00",
    ("publique_autre", "Opérateur public fictif"): "1000.00",
    ("privee", "Fondation fictive"): "3000.00",
}


def _annee_2019(service: Service) -> Organisme:
    """Out of 100 000,00 €, as many thousands as percents, from the programming to the solde.

    The État's money is granted to the whole OI, the rest to the PLIE.
    """
    oi = Organisme(service, "2019")
    oi.programmee("OP", "55000.00", APPORTS_2019)
    oi.conventionnement("OP")
    for (kind, qui), montant in APPORTS_2019.items():
        plie = None if kind == "publique_etat" else "A"
        oi.contrepartie(qui, montant, type=kind, financeur=qui, plie_id=plie)
        oi.perception(qui, montant)
        oi.affectation(qui, "OP", montant)
    ressources = [
        {"type": kind, "financeur": qui, "montant": montant}
        for (kind, qui), montant in APPORTS_2019.items()
    ]
    oi.bilan("OP", ["100000.00"], ressources=ressources)
    oi.controle("OP")
    oi.paiement("OP", "55000.00", type="solde")
    oi.solde("OP")
    return oi


def _arrondis(service: Service) -> Organisme:
    oi = Organisme(service, "arrondis", fse_total="60000000.00")
    apports = {
        ("publique_epci", "EPCI fictif"): "14850000.00",
        ("publique_etat", "État fictif"): "30150000.00",
    }
    oi.programmee("OP", "54000000.00", apports)
    return oi


def _annee_2024(service: Service) -> Organisme:
    oi = Organisme(service, "2024")
    apports = {
        ("publique_commune", "Commune fictive"): "100000.00",
        ("publique_departement", "Département fictif"): "240000.00",
    }
    oi.programmee("OP", "340000.00", apports)
    return oi


def _sans_direct(service: Service) -> Organisme:
    """A commune that lends its rooms pays nothing directly; nothing was recorded as attested."""
    oi = Organisme(service, "sans_direct")
    oi.tranche("50000.00")
    oi.doter("50000.00")
    oi.appel()
    apports = {
        ("publique_region", "Région fictive"): "40000.00",
        ("nature", "Commune fictive"): "10000.00",
    }
    oi.deposee("OP", "50000.00", apports, nature="10000.00")
    oi.programmation("OP")
    oi.conventionnement("OP")
    ressources = [
        {"type": kind, "financeur": qui, "montant": montant}
        for (kind, qui), montant in apports.items()
    ]
    depenses = ["90000.00", {"poste": "nature", "montant_impute": "10000.00"}]
    oi.bilan("OP", depenses, ressources=ressources)
    oi.controle("OP")
    return oi


def _deux_tranches(service: Service) -> tuple[Organisme, Organisme]:
    """One OI, two subventions globales, a tranche of each for the same PLIE."""
    played = []
    for nom, annee, fse, direct, region in (
        ("tranche-1", 2021, "60000.00", "20000.00", "20000.00"),
        ("tranche-2", 2022, "50000.00", "50000.00", "10000.00"),
    ):
        oi = Organisme(service, nom, oi="deux-tranches")
        oi.tranche(fse, annee=annee)
        oi.doter(fse, annee=annee)
        oi.appel()
        apports = {
            ("publique_epci", "EPCI fictif"): direct,
            ("publique_region", "Région fictive"): region,
        }
        oi.deposee("OP", fse, apports, annee=annee)
        oi.programmation("OP")
        played.append(oi)
    return played[0], played[1]


def _couverture(service: Service) -> Organisme:
    """Two PLIE. « OP-A » is under convention, « OP-B » only programmed; the Département's money is
    the OI's to share. The Région is affected late, at an earlier day.
    """
    oi = Organisme(service, "couverture")
    oi.tranche("110000.00")
    oi.doter("50000.00")
    oi.doter("60000.00", plie="B")
    oi.appel(fiches=[{"code": f"{p}1", "plie": p, "periode": PERIODE} for p in "AB"])
    oi.deposee(
        "OP-A",
        "50000.00",
        {
            ("publique_epci", "EPCI fictif"): "30000.00",
            ("publique_region", "Région fictive"): "15000.00",
            ("autofinancement", "Porteur"): "5000.00",
        },
        periode=PERIODE,
    )
    departement = {("publique_departement", "Département fictif"): "40000.00"}
    oi.deposee("OP-B", "60000.00", departement, plie="B", periode=PERIODE)
    oi.programmation("OP-A")
    oi.programmation("OP-B")
    oi.conventionnement("OP-A")
    oi.contrepartie("EPCI", "33000.00", type="publique_epci", financeur="EPCI fictif", plie_id="A")
    # The same funder, as somebody else typed its name.
    oi.contrepartie(
        "Région", "8000.00", type="publique_region", financeur=" région  FICTIVE", plie_id="A"
    )
    oi.contrepartie(
        "Département", "25000.00", type="publique_departement", financeur="Département fictif"
    )
    oi.perception("EPCI", "21000.00")
    oi.perception("Département", "10000.00")
    oi.affectation("EPCI", "OP-A", "30000.00", le=date(2022, 2, 1))
    oi.affectation("Département", "OP-B", "12000.00", le=date(2022, 2, 1))
    oi.demande_avenant("OP-A", le=date(2022, 3, 1), periode=AVENANT)
    oi.avenant_programme("OP-A", le=date(2022, 3, 2))
    oi.avenant_signe("OP-A", le=date(2022, 3, 3))
    oi.affectation("Région", "OP-A", "8000.00", le=date(2022, 2, 15))
    oi.abandon("OP-A", le=date(2022, 6, 1))
    return oi
