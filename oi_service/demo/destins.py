"""The destinies by name: one function per kind of life that a dossier may have."""

from collections.abc import Callable

from oi_service.demo import destins_avant as avant
from oi_service.demo import destins_cours as cours
from oi_service.demo import destins_fins as fins
from oi_service.demo.chapitres import execute
from oi_service.demo.recit import RecitDossier

DESTINS: dict[str, Callable[[RecitDossier], None]] = {
    destin.__name__: destin
    for destin in (
        avant.est_irrecevable,
        avant.se_retire,
        avant.se_retire_programme,
        avant.est_refuse,
        avant.est_ajourne,
        avant.est_deprogramme,
        avant.vient_de_deposer,
        avant.attend_un_complement,
        avant.attend_son_instruction,
        avant.attend_son_rapport,
        avant.attend_le_comite,
        avant.attend_sa_convention,
        cours.attend_son_demarrage,
        execute,
        cours.tarde_a_rendre_son_bilan,
        cours.attend_son_controle,
        cours.attend_sa_validation,
        cours.discute_son_controle,
        cours.attend_son_solde,
        fins.va_au_bout,
        fins.renvoie_son_bilan,
        fins.a_un_paiement_rejete,
        fins.voit_son_controle_rouvert,
        fins.paie_pour_une_autre,
        fins.subit_un_audit,
        fins.ne_rend_rien,
        fins.devient_insolvable,
        fins.subit_un_retrait,
        fins.abandonne,
        fins.abandonne_sans_rendre,
        fins.est_resilie,
        fins.est_resilie_sans_rendre,
        cours.augmente_son_plan,
        cours.reduit_son_plan,
        cours.prolonge_sa_periode,
        cours.renonce_a_son_avenant,
        cours.attend_son_avenant,
    )
}
