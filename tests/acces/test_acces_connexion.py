"""Coming in: an activation code, a password, a second factor; one refusal for all that fails."""

import pytest
from comptes_joues import AGENT, AILLEURS, ICI, PHRASE, Maison

from oi_service.acces.identite import Attribution
from oi_service.acces.refus import (
    ActivationRefusee,
    CodeRefuse,
    CompteDejaEnregistre,
    CourrielDejaPris,
    CourrielIllisible,
    IdentifiantsRefuses,
    MotDePasseRefuse,
    SecondFacteurAbsent,
)


def test_a_code_then_a_password_then_a_session(maison: Maison) -> None:
    maison.ouvrir_au_journal("gestionnaire-1", "gestionnaire_oi")
    code = maison.acces.enregistrer("gestionnaire-1", "Agente@OI.example ", " Agente fictive ")
    # Copied from a paper: case, spaces and dashes do not count.
    activation = code.lower().replace("-", " ")
    assert maison.acces.activer("agente@oi.EXAMPLE", activation, PHRASE) == "gestionnaire-1"
    ouverte = maison.entrer("agente@oi.example")
    assert not ouverte.second_facteur_demande
    identite = maison.identite(ouverte)
    assert (identite.identifiant, identite.nom) == ("gestionnaire-1", "Agente fictive")
    assert identite.attributions == (Attribution("gestionnaire_oi"),)
    assert identite.moyen == "session"
    assert identite.session_id == ouverte.session_id
    assert not identite.renforcee
    assert not identite.lecture_seule
    assert not identite.second_facteur_a_installer


def test_an_activation_code_serves_once(maison: Maison) -> None:
    courriel = "agente@oi.example"
    code = maison.acces.enregistrer("gestionnaire-1", courriel, "Agente fictive")
    with pytest.raises(MotDePasseRefuse, match="au moins 12"):
        maison.acces.activer(courriel, code, "trop court")
    maison.acces.activer(courriel, code, PHRASE)
    with pytest.raises(ActivationRefusee):
        maison.acces.activer(courriel, code, PHRASE)


def test_an_activation_code_lives_three_days(maison: Maison) -> None:
    courriel = "agente@oi.example"
    code = maison.acces.enregistrer("gestionnaire-1", courriel, "Agente fictive")
    maison.horloge.avancer(hours=72)
    with pytest.raises(ActivationRefusee):
        maison.acces.activer(courriel, code, PHRASE)


def test_an_activation_code_is_that_of_one_account(maison: Maison) -> None:
    code = maison.acces.enregistrer("gestionnaire-1", "agente@oi.example", "Agente fictive")
    maison.acces.enregistrer("gestionnaire-2", "autre@oi.example", "Autre fictive")
    with pytest.raises(ActivationRefusee):
        maison.acces.activer("autre@oi.example", code, PHRASE)


def test_an_address_and_an_identifier_serve_once(maison: Maison) -> None:
    maison.acces.enregistrer("gestionnaire-1", "agente@oi.example", "Agente fictive")
    with pytest.raises(CourrielDejaPris):
        maison.acces.enregistrer("gestionnaire-2", "AGENTE@oi.example", "Autre")
    with pytest.raises(CompteDejaEnregistre, match="gestionnaire-1"):
        maison.acces.enregistrer("gestionnaire-1", "autre@oi.example", "Autre")
    for illisible in (
        "",
        "agente",
        "@oi.example",
        "a@b",
        "a b@oi.example",
        "a@b@oi.example",
        "\u1c89@oi.example",
    ):
        with pytest.raises(CourrielIllisible):
            maison.acces.enregistrer("gestionnaire-3", illisible, "Autre")


def test_what_fails_is_never_said(maison: Maison) -> None:
    courriel = maison.compte()
    maison.compte("suspendue-1")
    maison.suspendre("suspendue-1")
    maison.acces.enregistrer("inactive-1", "inactive@oi.example", "Jamais activée")
    phrases = set()
    for qui, mot in (
        (courriel, "une autre phrase de passe"),
        (courriel, ""),
        (courriel, "x" * 10_000),
        ("inconnue@oi.example", PHRASE),
        ("suspendue-1@oi.example", PHRASE),
        ("inactive@oi.example", PHRASE),
        ("", ""),
        ("\udcff\x00@oi.example", "\udcff"),
    ):
        with pytest.raises(IdentifiantsRefuses) as refus:
            maison.acces.connecter(qui, mot, adresse=ICI, agent=AGENT)
        phrases.add(str(refus.value))
    assert len(phrases) == 1


def test_the_same_password_typed_on_another_keyboard(maison: Maison) -> None:
    courriel = "agente@oi.example"
    maison.ouvrir_au_journal("gestionnaire-1")
    code = maison.acces.enregistrer("gestionnaire-1", courriel, "Agente fictive")
    maison.acces.activer(courriel, code, "un été très chaud à Agen")
    decompose = "un e\u0301te\u0301 tre\u0300s chaud a\u0300 Agen"
    assert maison.acces.connecter(courriel, decompose, adresse=ICI, agent=AGENT)


def test_with_a_second_factor_a_password_opens_nothing_yet(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    attente = maison.entrer(courriel)
    assert attente.second_facteur_demande
    assert maison.acces.identite_de_session(attente.jeton) is None
    assert maison.acces.sessions("gestionnaire-1")[0].id != attente.session_id
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.terminer_connexion(attente.jeton, "000000", adresse=ICI)
    ouverte = maison.acces.terminer_connexion(attente.jeton, telephone.neuf(), adresse=ICI)
    assert maison.identite(ouverte).renforcee
    # The token that travelled before the proof is worth nothing after it.
    assert ouverte.jeton != attente.jeton
    assert maison.acces.identite_de_session(attente.jeton) is None
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.terminer_connexion(attente.jeton, telephone.neuf(), adresse=ICI)


def test_a_second_factor_is_awaited_five_minutes(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    attente = maison.entrer(courriel)
    maison.horloge.avancer(minutes=5)
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.terminer_connexion(attente.jeton, telephone.neuf(), adresse=ICI)


def test_a_code_serves_once_whatever_it_is_for(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    with pytest.raises(IdentifiantsRefuses):  # It served to install.
        maison.entrer(courriel, telephone.code())
    code = telephone.neuf()
    ouverte = maison.entrer(courriel, code)
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel, code)
    with pytest.raises(CodeRefuse):
        maison.acces.renforcer(ouverte.session_id, code)
    # One of before does not serve either, even if nobody used it.
    maison.horloge.avancer(seconds=60)
    maison.acces.renforcer(ouverte.session_id, telephone.code())
    with pytest.raises(CodeRefuse):
        maison.acces.renforcer(ouverte.session_id, telephone.code(-1))


def test_a_clock_may_be_half_a_minute_off_and_no_more(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    maison.horloge.avancer(minutes=10)
    for decalage in (-2, 2):
        with pytest.raises(IdentifiantsRefuses):
            maison.entrer(courriel, telephone.code(decalage))
    assert maison.entrer(courriel, telephone.code(-1))
    assert maison.entrer(courriel, telephone.code(1))


def test_a_recovery_code_serves_once(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    assert len(set(telephone.secours)) == 10
    assert maison.entrer(courriel, telephone.secours[3].lower())
    assert maison.acces.fiche("gestionnaire-1").codes_secours == 9
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel, telephone.secours[3])


def test_a_recovery_code_does_not_sign(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    ouverte = maison.entrer(courriel, telephone.neuf())
    with pytest.raises(CodeRefuse):
        maison.acces.renforcer(ouverte.session_id, telephone.secours[0])
    assert maison.acces.fiche("gestionnaire-1").codes_secours == 10


def test_step_up_lasts_five_minutes(maison: Maison) -> None:
    courriel = maison.compte()
    sans = maison.entrer(courriel)
    with pytest.raises(SecondFacteurAbsent):
        maison.acces.renforcer(sans.session_id, "000000")
    telephone = maison.installer(courriel)
    ouverte = maison.entrer(courriel, telephone.neuf())
    maison.horloge.avancer(minutes=5)
    assert not maison.identite(ouverte).renforcee
    maison.acces.renforcer(ouverte.session_id, telephone.neuf(), adresse=ICI)
    assert maison.identite(ouverte).renforcee
    maison.horloge.avancer(minutes=4, seconds=59)
    assert maison.identite(ouverte).renforcee
    maison.horloge.avancer(seconds=1)
    assert not maison.identite(ouverte).renforcee


def test_a_code_of_somebody_else_opens_nothing(maison: Maison) -> None:
    courriel = maison.compte()
    maison.installer(courriel)
    autre = maison.installer(maison.compte("gestionnaire-2"))
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel, autre.neuf(), adresse=AILLEURS)
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel, autre.secours[0], adresse=AILLEURS)
