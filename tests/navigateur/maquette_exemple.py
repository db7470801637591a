"""A maquette of seven PLIE with invented amounts: every alert, avances, an overshoot, a réserve."""

from datetime import UTC, datetime
from uuid import UUID

from projections.maquette import RESERVE, Chiffres, LigneDeMaquette, Maquette

#: Name, enveloppe in euros, then programmé, conventionné, retenu and payé in percent of it.
_PLIES = (
    ("littoral", "PLIE du Littoral", 4_950_000, 89, 75, 32, 28),
    ("metropole", "PLIE Métropole Est", 7_840_000, 92, 85, 50, 43),
    ("deux-rives", "PLIE des Deux-Rives", 5_620_000, 104, 93, 46, 41),
    ("haute-vallee", "PLIE de la Haute-Vallée", 2_240_000, 90, 84, 30, 38),
    ("plaine-sud", "PLIE Plaine Sud", 2_960_000, 92, 87, 51, 47),
    ("bocage", "PLIE du Bocage", 4_310_000, 93, 87, 51, 48),
    ("monts", "PLIE des Monts", 3_480_000, 74, 66, 29, 26),
)
_TRANCHES = ((2019, 30), (2020, 34), (2021, 36))
_OBJECTIFS = (("OS1", "Parcours", 62), ("OS2", "Employeurs", 23), ("OS3", "Coordination", 15))


def _cell(euros: int, weight: int, prog: int, conv: int, csf: int, paye: int) -> Chiffres:
    def part(percent: int, per_myriad: int = 10_000) -> int:
        return euros * weight * percent * per_myriad // 100_000_000 + 37

    return Chiffres(
        fse_maquette=euros * weight // 100,
        fse_depose=part(prog, 10_700),
        fse_programme=part(prog),
        fse_programme_ajuste=part(prog),
        fse_conventionne=part(conv),
        fse_declare=part(csf, 10_900),
        fse_retenu_csf=part(csf),
        fse_transmis=part(csf, 8_200),
        fse_certifie=part(csf, 7_600),
        fse_paye=part(paye),
        depenses_declarees=part(csf, 21_000),
        depenses_ecartees=part(csf, 700),
        nb_operations=euros * weight // 1_300_000_000 + 1,
    )


def maquette() -> Maquette:
    """Return the same figures at each call."""
    lignes = [
        LigneDeMaquette(
            plie_id, nom, annee, "3", os_, dispositif, _cell(euros * poids, part, *percents)
        )
        for plie_id, nom, euros, *percents in _PLIES
        for annee, poids in _TRANCHES
        for os_, dispositif, part in _OBJECTIFS
    ]
    reserve = Chiffres(fse_maquette=450_000_00)
    lignes.append(LigneDeMaquette(RESERVE, "Réserve", 2021, "3", "OS1", "Parcours", reserve))
    return Maquette(
        subvention_globale_id=UUID(int=1),
        numero="201800042",
        reglement="2014-2020",
        oi_nom="Pivot de démonstration",
        fictive=True,
        fse_total=sum(ligne.chiffres.fse_maquette for ligne in lignes),
        lignes=tuple(lignes),
        position=18_442,
        calculee_le=datetime(2026, 11, 22, 13, 5, tzinfo=UTC),
    )
