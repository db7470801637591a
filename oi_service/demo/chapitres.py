"""Chapters that several destinies share, each made of the smaller ones."""

from datetime import date, timedelta

from oi_service.demo.controle import est_controle
from oi_service.demo.depenses import declare, depose_son_bilan, lots, rend_son_bilan
from oi_service.demo.execution import constate_la_fin, demarre, signe_sa_convention
from oi_service.demo.instruction import est_retenu
from oi_service.demo.personnes import change_de_contact, presente_ses_personnes
from oi_service.demo.recit import Lot, RecitDossier
from oi_service.demo.reglement import (
    est_archive,
    est_certifie,
    est_cloture,
    est_solde,
    recoit,
)

#: When a contrepartie is shared between operations of a PLIE, before they are settled.
MUTUALISATION = date(2022, 10, 4)


def execute(r: RecitDossier) -> None:
    """Started, with its avance; nothing declared yet."""
    est_retenu(r)
    signe_sa_convention(r)
    demarre(r)
    if r.dossier.avec("personnes"):
        presente_ses_personnes(r)


def rend_son_bilan_final(r: RecitDossier) -> Lot:
    """Everything up to the final bilan, complete, with its intermediate one if there is one."""
    lot = prepare_son_bilan_final(r)
    rend_son_bilan(r, lot)
    return lot


def depose_son_bilan_final(r: RecitDossier) -> Lot:
    """Everything up to the final bilan, which nobody has looked at."""
    lot = prepare_son_bilan_final(r)
    depose_son_bilan(r, lot)
    return lot


def prepare_son_bilan_final(r: RecitDossier) -> Lot:
    """Everything up to the eve of the final bilan."""
    execute(r)
    *intermediaires, final = lots(r)
    if intermediaires:
        rend_un_acompte(r, date(2022, 4, 27))
    r.attend(date(2022, 5, 9) + timedelta(days=r.dossier.rang % 20))
    declare(r, final)
    constate_la_fin(r)
    r.passe(6)
    return final


def rend_un_acompte(r: RecitDossier, jour: date) -> None:
    """An intermediate bilan, its control, and what it founds."""
    lot = lots(r)[0]
    r.attend(jour)
    declare(r, lot)
    r.passe(2)
    rend_son_bilan(r, lot)
    recoit(r, "acompte", est_controle(r, lot))


def rend_un_acompte_2022(r: RecitDossier) -> None:
    """An intermediate bilan after the summer, paid in autumn."""
    execute(r)
    rend_un_acompte(r, date(2022, 8, 30))


def paye_apres_controle(r: RecitDossier) -> Lot:
    """Everything up to the transfer of the solde."""
    lot = rend_son_bilan_final(r)
    recoit(r, "solde", est_controle(r, lot))
    return lot


def finit(r: RecitDossier) -> None:
    """Settle, send to the State, close, archive: as far as the table says."""
    if r.dossier.avec("mutualise"):
        r.attend(MUTUALISATION)
        r.passe(1)
    if r.dossier.avec("personnes"):
        change_de_contact(r)
    est_solde(r)
    if r.dossier.avec("soldee"):
        return
    est_certifie(r)
    est_cloture(r)
    if not r.dossier.avec("cloturee"):
        est_archive(r)
