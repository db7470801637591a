"""Sessions and tokens: what they open, until when, and all that closes them at once."""

from datetime import timedelta

import pytest
from comptes_joues import AGENT, AILLEURS, ICI, PHRASE, Maison

from oi_service.acces.identite import Attribution
from oi_service.acces.refus import (
    ActivationRefusee,
    CodeRefuse,
    CompteSansAcces,
    CourrielDejaPris,
    CourrielIllisible,
    DureeDeJetonRefusee,
    IdentifiantsRefuses,
    JetonAbsent,
    JetonSansRole,
    MotDePasseRefuse,
    RemplacementNonConfirme,
    SecondFacteurAbsent,
    SecondFacteurNonPrepare,
    SessionAbsente,
)
from oi_service.ids import new_id

AUTRE_PHRASE = "une barque sur la Garonne"
AN = timedelta(days=365)


def test_a_session_that_sleeps_ends(maison: Maison) -> None:
    ouverte = maison.entrer(maison.compte())
    for _ in range(5):
        maison.horloge.avancer(minutes=29)
        assert maison.acces.identite_de_session(ouverte.jeton)
    maison.horloge.avancer(minutes=30)
    assert maison.acces.identite_de_session(ouverte.jeton) is None
    assert maison.acces.sessions("gestionnaire-1") == []


def test_a_session_ends_after_half_a_day_even_awake(maison: Maison) -> None:
    ouverte = maison.entrer(maison.compte())
    for _ in range(12 * 6 - 1):
        maison.horloge.avancer(minutes=10)
        assert maison.acces.identite_de_session(ouverte.jeton)
    maison.horloge.avancer(minutes=10)
    assert maison.acces.identite_de_session(ouverte.jeton) is None


def test_a_session_is_written_once_a_minute(maison: Maison) -> None:
    ouverte = maison.entrer(maison.compte())

    def vue() -> float:
        [session] = maison.acces.sessions("gestionnaire-1")
        return (session.vue_le - session.ouverte_le).total_seconds()

    for secondes, attendue in ((59, 0), (1, 60), (30, 60), (30, 120)):
        maison.horloge.avancer(seconds=secondes)
        maison.identite(ouverte)
        assert vue() == attendue


def test_a_token_of_nobody_opens_nothing(maison: Maison) -> None:
    ouverte = maison.entrer(maison.compte())
    for jeton in ("", "x", ouverte.jeton + "x", ouverte.jeton[:-1], "\udcff", "a\0", "é" * 9999):
        assert maison.acces.identite_de_session(jeton) is None
        assert maison.acces.identite_de_jeton(f"oi_{jeton}") is None
        maison.acces.deconnecter(jeton)
    assert maison.identite(ouverte)


def test_leaving_closes_one_session(maison: Maison) -> None:
    courriel = maison.compte()
    une, autre = maison.entrer(courriel), maison.entrer(courriel)
    maison.acces.deconnecter(une.jeton, adresse=ICI)
    assert maison.acces.identite_de_session(une.jeton) is None
    assert maison.identite(autre)
    assert [s.id for s in maison.acces.sessions("gestionnaire-1")] == [autre.session_id]


def test_sessions_are_listed_and_closed(maison: Maison) -> None:
    courriel = maison.compte()
    une = maison.acces.connecter(
        courriel, PHRASE, adresse=ICI, agent="Un\x1b[31m agent" + "x" * 999
    )
    maison.horloge.avancer(seconds=1)
    autre = maison.entrer(courriel, adresse=AILLEURS)
    vues = maison.acces.sessions("gestionnaire-1")
    assert [(s.id, s.adresse) for s in vues] == [
        (autre.session_id, AILLEURS),
        (une.session_id, ICI),
    ]
    assert vues[1].agent.startswith("Un\N{REPLACEMENT CHARACTER}[31m agent")
    assert len(vues[1].agent) == 300
    with pytest.raises(SessionAbsente):  # One closes one's own.
        maison.acces.fermer_session("gestionnaire-2", une.session_id)
    maison.acces.fermer_session("gestionnaire-1", une.session_id)
    assert maison.acces.identite_de_session(une.jeton) is None
    with pytest.raises(SessionAbsente):
        maison.acces.fermer_session("gestionnaire-1", une.session_id)
    with pytest.raises(SessionAbsente):
        maison.acces.renforcer(une.session_id, "000000")
    troisieme = maison.entrer(courriel)
    assert maison.acces.fermer_toutes("gestionnaire-1", sauf=troisieme.session_id) == 1
    assert maison.acces.identite_de_session(autre.jeton) is None
    assert maison.identite(troisieme)
    assert maison.acces.fermer_toutes("gestionnaire-1") == 1
    assert maison.acces.identite_de_session(troisieme.jeton) is None


def test_a_suspended_account_is_out_at_once(maison: Maison) -> None:
    ouverte = maison.entrer(maison.compte())
    jeton = maison.acces.creer_jeton(
        maison.identite(ouverte), "export", ["gestionnaire_oi"], AN, lecture_seule=True
    )
    assert maison.acces.identite_de_jeton(jeton)
    maison.suspendre("gestionnaire-1")
    assert maison.acces.identite_de_session(ouverte.jeton) is None
    assert maison.acces.identite_de_jeton(jeton) is None
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.ouvrir_par_fournisseur(
            "gestionnaire-1", fournisseur="fictif", renforcee=False, adresse=ICI, agent=AGENT
        )


def test_roles_are_those_of_the_day(maison: Maison) -> None:
    courriel = maison.compte("compte-1", "gestionnaire_oi")
    jour = maison.horloge.instant.date()
    demain = jour + timedelta(days=1)
    maison.attribuer("compte-1", "directeur_plie", ("agenais", "albret"), au=jour)
    maison.attribuer("compte-1", "comptable_oi", ("agenais",), du=demain, au=demain)
    ouverte = maison.entrer(courriel)
    gestionnaire = Attribution("gestionnaire_oi")
    directeur = Attribution("directeur_plie", frozenset({"agenais", "albret"}))
    assert maison.identite(ouverte).attributions == (gestionnaire, directeur)
    maison.horloge.avancer(days=1)
    ouverte = maison.entrer(courriel)
    comptable = Attribution("comptable_oi", frozenset({"agenais"}))
    identite = maison.identite(ouverte)
    assert identite.attributions == (gestionnaire, comptable)
    assert identite.second_facteur_a_installer
    maison.horloge.avancer(days=1)
    assert maison.identite(maison.entrer(courriel)).attributions == (gestionnaire,)


def test_the_day_is_that_of_paris(maison: Maison) -> None:
    courriel = maison.compte("compte-1", "gestionnaire_oi")
    demain = maison.horloge.instant.date() + timedelta(days=1)
    maison.attribuer("compte-1", "comptable_oi", du=demain)
    maison.horloge.avancer(hours=14, minutes=59)  # 22:59 UTC, 23:59 in Paris
    ouverte = maison.entrer(courriel)
    assert len(maison.identite(ouverte).attributions) == 1
    maison.horloge.avancer(minutes=1)
    assert len(maison.identite(ouverte).attributions) == 2


def test_who_moves_money_or_opens_doors_installs_a_second_factor(maison: Maison) -> None:
    for role in ("valideur_oi", "ordonnateur_oi", "comptable_oi", "administrateur"):
        courriel = maison.compte(f"{role}-1".replace("_", "-"), role)
        assert maison.identite(maison.entrer(courriel)).second_facteur_a_installer
        telephone = maison.installer(courriel)
        ouverte = maison.entrer(courriel, telephone.neuf())
        assert not maison.identite(ouverte).second_facteur_a_installer


def test_installing_proves_the_factor_and_closes_the_other_sessions(maison: Maison) -> None:
    courriel = maison.compte()
    autre, ouverte = maison.entrer(courriel), maison.entrer(courriel)
    identite = maison.identite(ouverte)
    with pytest.raises(SecondFacteurNonPrepare):
        maison.acces.installer_second_facteur(identite, "000000")
    with pytest.raises(SecondFacteurAbsent):
        maison.acces.renouveler_codes_secours(identite)
    prepare = maison.acces.preparer_second_facteur(identite)
    assert prepare.uri.startswith("otpauth://totp/Registre%20OI:gestionnaire-1%40oi.example?")
    assert prepare.qr_svg.startswith("<svg")
    assert "style=" not in prepare.qr_svg
    with pytest.raises(CodeRefuse):
        maison.acces.installer_second_facteur(identite, "000000")
    assert not maison.acces.fiche("gestionnaire-1").second_facteur
    maison.installer(courriel)
    assert maison.acces.identite_de_session(autre.jeton) is None


def test_a_second_factor_is_replaced_on_its_own_proof(maison: Maison) -> None:
    courriel = maison.compte()
    ancien = maison.installer(courriel)
    ouverte = maison.entrer(courriel, ancien.neuf())
    maison.horloge.avancer(minutes=6)
    identite = maison.identite(ouverte)
    with pytest.raises(RemplacementNonConfirme):
        maison.acces.preparer_second_facteur(identite)
    with pytest.raises(RemplacementNonConfirme):
        maison.acces.renouveler_codes_secours(identite)
    maison.acces.renforcer(ouverte.session_id, ancien.neuf())
    codes = maison.acces.renouveler_codes_secours(maison.identite(ouverte))
    assert len(codes) == 10
    assert not set(codes) & set(ancien.secours)
    maison.acces.preparer_second_facteur(maison.identite(ouverte))
    maison.horloge.avancer(minutes=6)
    with pytest.raises(RemplacementNonConfirme):
        maison.acces.installer_second_facteur(maison.identite(ouverte), "000000")
    # What is prepared replaces nothing until it is proved.
    assert maison.entrer(courriel, ancien.neuf())
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel, ancien.secours[0])
    assert maison.entrer(courriel, codes[0])


def test_an_administrator_takes_a_lost_factor_away(maison: Maison) -> None:
    courriel = maison.compte("compte-1", "ordonnateur_oi")
    telephone = maison.installer(courriel)
    ouverte = maison.entrer(courriel, telephone.neuf())
    maison.acces.retirer_second_facteur("compte-1", par="administrateur-1", adresse=AILLEURS)
    assert maison.acces.identite_de_session(ouverte.jeton) is None
    assert maison.identite(maison.entrer(courriel)).second_facteur_a_installer
    assert maison.acces.fiche("compte-1").codes_secours == 0
    with pytest.raises(CompteSansAcces):
        maison.acces.retirer_second_facteur("compte-2")


def test_changing_a_password_closes_the_other_sessions(maison: Maison) -> None:
    courriel = maison.compte()
    autre, ouverte = maison.entrer(courriel), maison.entrer(courriel)
    identite = maison.identite(ouverte)
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.changer_mot_de_passe(identite, "faux", AUTRE_PHRASE)
    with pytest.raises(MotDePasseRefuse):
        maison.acces.changer_mot_de_passe(identite, PHRASE, "motdepasse1234")
    assert maison.acces.identite_de_session(autre.jeton)
    maison.acces.changer_mot_de_passe(identite, PHRASE, AUTRE_PHRASE)
    assert maison.acces.identite_de_session(autre.jeton) is None
    assert maison.acces.identite_de_session(ouverte.jeton)
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel)
    assert maison.acces.connecter(courriel, AUTRE_PHRASE, adresse=ICI, agent=AGENT)


def test_an_account_is_given_a_new_activation(maison: Maison) -> None:
    courriel = maison.compte()
    telephone = maison.installer(courriel)
    attente = maison.entrer(courriel)
    ouverte = maison.entrer(courriel, telephone.neuf())
    code = maison.acces.reactiver("gestionnaire-1", par="administrateur-1")
    assert maison.acces.identite_de_session(ouverte.jeton) is None
    with pytest.raises(IdentifiantsRefuses):  # Half way in is out too.
        maison.acces.terminer_connexion(attente.jeton, telephone.neuf(), adresse=ICI)
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel)
    remplace = maison.acces.reactiver("gestionnaire-1")
    with pytest.raises(ActivationRefusee):
        maison.acces.activer(courriel, code, AUTRE_PHRASE)
    maison.acces.activer(courriel, remplace, AUTRE_PHRASE)
    # A new password is no new second factor.
    encore = maison.acces.connecter(courriel, AUTRE_PHRASE, adresse=ICI, agent=AGENT)
    assert encore.second_facteur_demande
    with pytest.raises(CompteSansAcces):
        maison.acces.reactiver("compte-2")


def test_a_token_says_what_it_is_and_ends(maison: Maison) -> None:
    courriel = maison.compte("compte-1", "gestionnaire_oi")
    attribution = maison.attribuer("compte-1", "comptable_oi")
    identite = maison.identite(maison.entrer(courriel))
    jeton = maison.acces.creer_jeton(
        identite, " Tableau de bord ", ["comptable_oi"], timedelta(days=90), lecture_seule=True
    )
    assert jeton.startswith("oi_")
    assert len(jeton) == len("oi_") + 43
    par_jeton = maison.acces.identite_de_jeton(jeton)
    assert par_jeton is not None
    assert par_jeton.attributions == (Attribution("comptable_oi"),)
    assert (par_jeton.moyen, par_jeton.lecture_seule) == ("jeton", True)
    assert not par_jeton.renforcee
    assert par_jeton.session_id is None
    [connu] = maison.acces.jetons("compte-1")
    assert (connu.nom, connu.roles, connu.lecture_seule) == (
        "Tableau de bord",
        ["comptable_oi"],
        True,
    )
    assert connu.dernier_usage == maison.horloge.instant
    maison.retirer("compte-1", attribution)
    par_jeton = maison.acces.identite_de_jeton(jeton)
    assert par_jeton is not None
    assert par_jeton.attributions == ()
    maison.horloge.avancer(days=90)
    assert maison.acces.identite_de_jeton(jeton) is None
    assert maison.acces.jetons("compte-1") == []


def test_a_token_gives_no_role_that_is_not_held(maison: Maison) -> None:
    identite = maison.identite(maison.entrer(maison.compte()))
    with pytest.raises(JetonSansRole, match="ordonnateur_oi"):
        maison.acces.creer_jeton(identite, "x", ["ordonnateur_oi"], AN, lecture_seule=False)
    with pytest.raises(JetonSansRole):
        maison.acces.creer_jeton(identite, "x", [], AN, lecture_seule=False)
    for duree in (timedelta(hours=23), AN + timedelta(seconds=1), timedelta(days=-1)):
        with pytest.raises(DureeDeJetonRefusee):
            maison.acces.creer_jeton(identite, "x", ["gestionnaire_oi"], duree, lecture_seule=False)


def test_a_token_is_revoked_by_its_account(maison: Maison) -> None:
    identite = maison.identite(maison.entrer(maison.compte()))
    jeton = maison.acces.creer_jeton(identite, "x", ["gestionnaire_oi"], AN, lecture_seule=False)
    [connu] = maison.acces.jetons("gestionnaire-1")
    with pytest.raises(JetonAbsent):
        maison.acces.revoquer_jeton("gestionnaire-2", connu.id)
    maison.acces.revoquer_jeton("gestionnaire-1", connu.id)
    assert maison.acces.identite_de_jeton(jeton) is None
    with pytest.raises(JetonAbsent):
        maison.acces.revoquer_jeton("gestionnaire-1", connu.id)
    with pytest.raises(JetonAbsent):
        maison.acces.revoquer_jeton("gestionnaire-1", new_id())


def test_a_program_does_not_touch_the_second_factor(maison: Maison) -> None:
    identite = maison.identite(maison.entrer(maison.compte()))
    jeton = maison.acces.creer_jeton(identite, "x", ["gestionnaire_oi"], AN, lecture_seule=False)
    programme = maison.acces.identite_de_jeton(jeton)
    assert programme is not None
    maison.acces.preparer_second_facteur(identite)
    for geste in (
        lambda: maison.acces.preparer_second_facteur(programme),
        lambda: maison.acces.installer_second_facteur(programme, "000000"),
        lambda: maison.acces.renouveler_codes_secours(programme),
    ):
        with pytest.raises(SessionAbsente):
            geste()


def test_a_token_is_no_session_nor_the_other_way(maison: Maison) -> None:
    ouverte = maison.entrer(maison.compte())
    jeton = maison.acces.creer_jeton(
        maison.identite(ouverte), "x", ["gestionnaire_oi"], AN, lecture_seule=False
    )
    assert maison.acces.identite_de_session(jeton) is None
    assert maison.acces.identite_de_jeton(ouverte.jeton) is None


def test_a_provider_vouches_for_an_account(maison: Maison) -> None:
    maison.ouvrir_au_journal("gestionnaire-1", "gestionnaire_oi")
    maison.acces.enregistrer("gestionnaire-1", "agente@oi.example", "Agente fictive")
    for renforcee in (True, False):
        ouverte = maison.acces.ouvrir_par_fournisseur(
            "gestionnaire-1", fournisseur="fictif", renforcee=renforcee, adresse=ICI, agent=AGENT
        )
        assert maison.identite(ouverte).renforcee is renforcee


def test_a_person_is_corrected(maison: Maison) -> None:
    courriel = maison.compte()
    maison.compte("gestionnaire-2")
    ouverte = maison.entrer(courriel)
    maison.acces.rectifier("gestionnaire-1", nom=" Autre nom fictif ")
    assert maison.identite(ouverte).nom == "Autre nom fictif"
    maison.acces.rectifier("gestionnaire-1", courriel="Nouvelle@oi.example")
    assert maison.entrer("nouvelle@oi.example")
    with pytest.raises(CourrielDejaPris):
        maison.acces.rectifier("gestionnaire-1", courriel="gestionnaire-2@oi.example")
    with pytest.raises(CourrielIllisible):
        maison.acces.rectifier("gestionnaire-1", courriel="\u1c89@oi.example")
    with pytest.raises(CompteSansAcces):
        maison.acces.rectifier("compte-9", nom="x")


def test_a_person_is_forgotten(maison: Maison) -> None:
    courriel = maison.compte()
    maison.installer(courriel)
    cles = list((maison.service.lieux.cles / "comptes").iterdir())
    assert len(cles) == 1
    attente = maison.entrer(courriel)
    assert maison.acces.effacer("gestionnaire-1", par="administrateur-1")
    assert not maison.acces.effacer("gestionnaire-1")
    assert list((maison.service.lieux.cles / "comptes").iterdir()) == []
    assert maison.acces.fiches() == []
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.terminer_connexion(attente.jeton, "000000", adresse=ICI)
    with pytest.raises(IdentifiantsRefuses):
        maison.entrer(courriel)
    # What they did keeps its author; what names them is gone.
    traces = maison.acces.traces().traces
    assert courriel not in str(traces)
    assert traces[0].nature in {"connexion_refusee", "acces_efface"}
