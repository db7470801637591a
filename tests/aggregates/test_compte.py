"""Accounts: who opens and closes them, which roles they take, and what nobody does to oneself."""

from datetime import date
from typing import Any

import pytest
from dsl import Given
from fabrique import AUTRE_ID, fait

from aggregates.compte import ouverture, roles
from aggregates.compte.events import (
    CompteFerme,
    CompteOuvert,
    CompteRetabli,
    CompteSuspendu,
    MiseADispositionLevee,
    MiseADispositionNotee,
    RoleAttribue,
    RoleRetire,
)
from aggregates.compte.state import COMPTE

JOUR = date(2026, 1, 5)
PLIES = frozenset({"A", "B"})
ADMIN = "administrateur-1"
OUVERT = fait(CompteOuvert, identifiant="compte-1")
MISE = fait(MiseADispositionNotee, plie_id="A")


def tenu(role: str, *plies: str, **champs: Any) -> RoleAttribue:
    return fait(RoleAttribue, role=role, plies=plies, **{"du": JOUR, **champs})


def attribuer(role: str, *plies: str, **champs: Any) -> roles.AttribuerRole:
    return roles.AttribuerRole.model_validate(
        {"date_effet": JOUR.isoformat(), "role": role, "plies": plies, "du": JOUR, **champs}
    )


def motive(**champs: Any) -> dict[str, Any]:
    return {"date_effet": JOUR.isoformat(), "motif": "Départ", **champs}


ETAT = ouverture.ChangerEtatCompte.model_validate(motive())
OUVRIR = ouverture.OuvrirCompte.model_validate(
    {"date_effet": JOUR.isoformat(), "identifiant": "compte-1"}
)


def decide(*facts: Any) -> Given[Any]:
    return Given(COMPTE, facts)


def test_un_compte_s_ouvre_une_seule_fois() -> None:
    decide().when(ouverture.ouvrir, OUVRIR).then_one(CompteOuvert, identifiant="compte-1")
    for passe in ((OUVERT,), (OUVERT, fait(CompteFerme))):
        decide(*passe).when(ouverture.ouvrir, OUVRIR).refuses(
            ouverture.CompteDejaOuvert, "un identifiant ne sert qu’une fois"
        )


def test_un_role_se_donne_avec_son_territoire_et_ses_dates() -> None:
    asked = attribuer("gestionnaire_oi", "B", "A", "A", au=date(2026, 12, 31))
    decide(OUVERT).when(roles.attribuer, asked, AUTRE_ID, ADMIN, PLIES).then_one(
        RoleAttribue,
        attribution_id=AUTRE_ID,
        role="gestionnaire_oi",
        plies=("A", "B"),
        du=JOUR,
        au=date(2026, 12, 31),
    )


@pytest.mark.parametrize(
    ("passe", "role", "plies", "refus", "mots"),
    [
        ((OUVERT,), "directeur_plie", (), roles.TerritoireManquant, "nommez-les"),
        ((OUVERT,), "auditeur", ("A",), roles.TerritoireSansObjet, "l’OI entier"),
        ((OUVERT,), "administrateur", ("A",), roles.TerritoireSansObjet, "l’OI entier"),
        ((OUVERT,), "directeur_plie", ("C",), roles.PlieDuCompteInconnu, "« C »"),
        ((OUVERT,), "directeur_plie", ("reserve",), roles.PlieDuCompteInconnu, "« reserve »"),
        ((OUVERT, tenu("comptable_oi")), "auditeur", (), roles.AuditeurExclusif, "n’écrit rien"),
        ((OUVERT, tenu("auditeur")), "comptable_oi", (), roles.AuditeurExclusif, "un autre compte"),
        (
            (OUVERT, tenu("comptable_oi")),
            "comptable_oi",
            (),
            roles.RoleDejaAttribue,
            "depuis le 05/01/2026",
        ),
        ((OUVERT, fait(CompteSuspendu)), "auditeur", (), ouverture.CompteNonOuvert, "suspendu"),
        ((OUVERT, fait(CompteFerme)), "auditeur", (), ouverture.CompteEstFerme, "pour toujours"),
    ],
)
def test_un_role_qui_ne_se_donne_pas(
    passe: tuple[Any, ...], role: str, plies: tuple[str, ...], refus: Any, mots: str
) -> None:
    decision = decide(*passe).when(roles.attribuer, attribuer(role, *plies), AUTRE_ID, ADMIN, PLIES)
    decision.refuses(refus, mots)


def test_une_fin_ne_precede_pas_son_debut() -> None:
    asked = attribuer("auditeur", au=date(2026, 1, 4))
    decide(OUVERT).when(roles.attribuer, asked, AUTRE_ID, ADMIN, PLIES).refuses(
        roles.FinAvantDebut, "La fin (04/01/2026) précède le début (05/01/2026)"
    )


def test_personne_ne_change_ses_propres_droits() -> None:
    soi = "compte-1"
    retrait = roles.RetirerRole.model_validate(motive())
    mise = roles.NoterMiseADisposition.model_validate(
        {"date_effet": JOUR.isoformat(), "plie_id": "A", "du": JOUR}
    )
    levee = roles.LeverMiseADisposition.model_validate(motive())
    role = tenu("administrateur")
    for decision in (
        decide(OUVERT).when(roles.attribuer, attribuer("auditeur"), AUTRE_ID, soi, PLIES),
        decide(OUVERT, role).when(
            roles.retirer, retrait, role.attribution_id, soi, dernier_administrateur=False
        ),
        decide(OUVERT).when(roles.noter_mise_a_disposition, mise, AUTRE_ID, soi, PLIES),
        decide(OUVERT, MISE).when(roles.lever_mise_a_disposition, levee, MISE.mise_id, soi),
        decide(OUVERT).when(ouverture.suspendre, ETAT, soi, dernier_administrateur=False),
        decide(OUVERT, fait(CompteSuspendu)).when(ouverture.retablir, ETAT, soi),
        decide(OUVERT).when(ouverture.fermer, ETAT, soi, dernier_administrateur=False),
    ):
        decision.refuses(ouverture.SonPropreCompte, "un autre administrateur")


def test_un_role_se_retire() -> None:
    role, retrait = tenu("comptable_oi"), roles.RetirerRole.model_validate(motive())
    parti = decide(OUVERT, role).when(
        roles.retirer, retrait, role.attribution_id, ADMIN, dernier_administrateur=True
    )
    parti.then_one(RoleRetire, attribution_id=role.attribution_id, role="comptable_oi")
    assert parti.state().roles == {}
    decide(OUVERT).when(
        roles.retirer, retrait, role.attribution_id, ADMIN, dernier_administrateur=False
    ).refuses(roles.AttributionAbsente, str(role.attribution_id))


def test_il_reste_toujours_un_administrateur() -> None:
    role, retrait = tenu("administrateur"), roles.RetirerRole.model_validate(motive())
    passe = decide(OUVERT, role)
    for decision in (
        passe.when(roles.retirer, retrait, role.attribution_id, ADMIN, dernier_administrateur=True),
        passe.when(ouverture.suspendre, ETAT, ADMIN, dernier_administrateur=True),
        passe.when(ouverture.fermer, ETAT, ADMIN, dernier_administrateur=True),
    ):
        decision.refuses(ouverture.DernierAdministrateur, "dernier administrateur")


def test_un_compte_suspendu_se_retablit_et_un_compte_ferme_jamais() -> None:
    suspendu = decide(OUVERT).when(ouverture.suspendre, ETAT, ADMIN, dernier_administrateur=False)
    suspendu.then_one(CompteSuspendu, motif="Départ")
    encore = decide(OUVERT, fait(CompteSuspendu)).when(
        ouverture.suspendre, ETAT, ADMIN, dernier_administrateur=False
    )
    assert encore.facts() == []
    retabli = decide(OUVERT, fait(CompteSuspendu)).when(ouverture.retablir, ETAT, ADMIN)
    retabli.then_one(CompteRetabli, motif="Départ")
    assert retabli.state().statut == "ouvert"
    decide(OUVERT).when(ouverture.retablir, ETAT, ADMIN).refuses(
        ouverture.CompteNonSuspendu, "rien à rétablir"
    )
    ferme = decide(OUVERT).when(ouverture.fermer, ETAT, ADMIN, dernier_administrateur=False)
    ferme.then_one(CompteFerme, motif="Départ")
    decide(OUVERT, fait(CompteFerme)).when(ouverture.retablir, ETAT, ADMIN).refuses(
        ouverture.CompteEstFerme, "« compte-1 »"
    )


def test_une_mise_a_disposition_se_note_et_se_leve() -> None:
    asked = roles.NoterMiseADisposition.model_validate(
        {"date_effet": JOUR.isoformat(), "plie_id": "A", "du": JOUR, "au": None}
    )
    notee = decide(OUVERT).when(roles.noter_mise_a_disposition, asked, AUTRE_ID, ADMIN, PLIES)
    notee.then_one(MiseADispositionNotee, mise_id=AUTRE_ID, plie_id="A", du=JOUR, au=None)
    levee = roles.LeverMiseADisposition.model_validate(motive())
    decide(OUVERT, MISE).when(roles.lever_mise_a_disposition, levee, MISE.mise_id, ADMIN).then_one(
        MiseADispositionLevee, mise_id=MISE.mise_id, plie_id="A"
    )
    decide(OUVERT).when(roles.lever_mise_a_disposition, levee, MISE.mise_id, ADMIN).refuses(
        roles.MiseADispositionAbsente, str(MISE.mise_id)
    )
