"""Traces are added, never changed, and go when their time comes; so does all that is kept."""

from datetime import timedelta

import psycopg
import pytest
from comptes_joues import ADMIN, AILLEURS, ICI, PHRASE, Maison

from oi_service.acces.refus import CodeRefuse, IdentifiantsRefuses
from oi_service.acces.traces import NATURES, FiltresTraces, Nature


def natures(maison: Maison, **filtres: object) -> list[Nature]:
    page = maison.acces.traces(FiltresTraces(**filtres))  # type: ignore[arg-type]
    return [trace.nature for trace in reversed(page.traces)]


def test_comings_and_goings_are_traced(maison: Maison) -> None:
    courriel = maison.compte()
    for mot in ("faux", "faux aussi"):
        with pytest.raises(IdentifiantsRefuses):
            maison.acces.connecter(courriel, mot, adresse=AILLEURS, agent="")
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.connecter("motdepasse@tape.ici", PHRASE, adresse=AILLEURS, agent="")
    telephone = maison.installer(courriel)
    ouverte = maison.entrer(courriel, telephone.neuf())
    with pytest.raises(CodeRefuse):
        maison.acces.renforcer(ouverte.session_id, "0", adresse=ICI)
    maison.acces.renforcer(ouverte.session_id, telephone.neuf(), adresse=ICI)
    identite = maison.identite(ouverte)
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.changer_mot_de_passe(identite, "faux", PHRASE, adresse=ICI)
    maison.acces.changer_mot_de_passe(identite, PHRASE, "une barque sur la Garonne", adresse=ICI)
    maison.acces.renouveler_codes_secours(identite, adresse=ICI)
    maison.acces.creer_jeton(
        identite, "x", ["gestionnaire_oi"], timedelta(days=9), lecture_seule=True, adresse=ICI
    )
    [jeton] = maison.acces.jetons("gestionnaire-1")
    maison.acces.revoquer_jeton("gestionnaire-1", jeton.id, adresse=ICI)
    maison.acces.deconnecter(ouverte.jeton, adresse=ICI)
    assert natures(maison) == [
        "acces_enregistre",
        "activation",
        "connexion_refusee",
        "connexion_refusee",
        "connexion_refusee",
        "connexion",
        "second_facteur_installe",
        "connexion",
        "renforcement_refuse",
        "renforcement",
        "mot_de_passe_refuse",
        "mot_de_passe_change",
        "codes_secours_tires",
        "jeton_cree",
        "jeton_revoque",
        "deconnexion",
    ]
    refusee = maison.acces.traces(FiltresTraces(nature="connexion_refusee")).traces
    assert [(t.identifiant, t.adresse) for t in refusee] == [
        (None, AILLEURS),
        ("gestionnaire-1", AILLEURS),
        ("gestionnaire-1", AILLEURS),
    ]
    assert [t.objet["raison"] for t in refusee] == [
        "compte_inconnu",
        "mot_de_passe",
        "mot_de_passe",
    ]
    entree = maison.acces.traces(FiltresTraces(nature="connexion")).traces[0]
    assert entree.objet == {"session": str(ouverte.session_id), "moyen": "code"}


def test_what_an_administrator_does_bears_their_name(maison: Maison) -> None:
    maison.compte()
    ouverte = maison.entrer("gestionnaire-1@oi.example")
    par, acces = ADMIN.acteur, maison.acces
    acces.fermer_session("gestionnaire-1", ouverte.session_id, par=par, adresse=AILLEURS)
    maison.entrer("gestionnaire-1@oi.example")
    acces.fermer_toutes("gestionnaire-1", par=par, adresse=AILLEURS)
    acces.fermer_toutes("gestionnaire-1", par=par)  # Nothing was open: nothing happened.
    acces.rectifier("gestionnaire-1", nom="Autre", par=par)
    acces.retirer_second_facteur("gestionnaire-1", par=par)
    acces.reactiver("gestionnaire-1", par=par)
    acces.effacer("gestionnaire-1", par=par)
    traces = acces.traces(FiltresTraces(identifiant=par)).traces
    assert [t.nature for t in reversed(traces)] == [
        "session_fermee",
        "session_fermee",
        "acces_rectifie",
        "second_facteur_retire",
        "reactivation",
        "acces_efface",
    ]
    assert {t.objet["compte"] for t in traces} == {"gestionnaire-1"}
    subies = acces.traces(FiltresTraces(identifiant="gestionnaire-1", nature="reactivation"))
    assert [t.identifiant for t in subies.traces] == [par]


def test_traces_of_others_are_added_and_paged(maison: Maison) -> None:
    for rang in range(7):
        maison.horloge.avancer(minutes=1)
        maison.acces.tracer(
            "refus" if rang % 2 else "export",
            f"compte-{rang % 3}",
            role="auditeur",
            adresse=ICI + "\x1b" + "9" * 99,
            objet={"adresse": "/api/v1/journal", "rang": rang},
        )
    page = maison.acces.traces(limite=3)
    assert [t.objet["rang"] for t in page.traces] == [6, 5, 4]
    assert page.traces[0].adresse is not None
    assert "\x1b" not in page.traces[0].adresse
    assert len(page.traces[0].adresse) == 64
    suite = maison.acces.traces(limite=3, avant=page.suivant)
    assert [t.objet["rang"] for t in suite.traces] == [3, 2, 1]
    fin = maison.acces.traces(limite=3, avant=suite.suivant)
    assert ([t.objet["rang"] for t in fin.traces], fin.suivant) == ([0], None)
    instant = maison.horloge.instant
    assert natures(maison, nature="export", du=instant - timedelta(minutes=2)) == [
        "export",
        "export",
    ]
    assert natures(maison, au=instant - timedelta(minutes=5)) == ["export"]
    assert natures(maison, identifiant="compte-1", nature="refus") == ["refus"]


def test_every_nature_is_said_in_french() -> None:
    assert set(NATURES) == set(Nature.__args__)  # type: ignore[attr-defined]


def test_nobody_changes_a_trace(maison: Maison, base: str) -> None:
    maison.compte()
    gestes = (
        "UPDATE acces.trace SET nature = 'refus'",
        "DELETE FROM acces.trace",
        "TRUNCATE acces.trace",
    )
    # The application has no right to; the owner meets the trigger.
    for role, refuse in (("oi_application", "42501"), ("none", "OI100")):
        with psycopg.connect(base, autocommit=True) as conn:
            conn.execute(f"SET ROLE {role}")
            for geste in gestes:
                with pytest.raises(psycopg.Error) as refus:
                    conn.execute(geste)
                assert refus.value.sqlstate == refuse
    assert len(maison.acces.traces().traces) == 2


def test_the_application_cannot_pretend_to_purge(maison: Maison, base: str) -> None:
    maison.compte()
    with psycopg.connect(base, autocommit=True) as conn:
        conn.execute("SET ROLE oi_application")
        conn.execute("SET acces.retention = 'oui'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("DELETE FROM acces.trace")
        # Nor drop what is recent by the one way that it has.
        conn.execute("SELECT acces.purger_traces(now() + interval '100 years')")
    # The clock of the test is behind that of the base: these are old for it.
    assert maison.acces.traces().traces == ()


def test_recent_traces_stay_whatever_is_asked(maison: Maison, base: str) -> None:
    with psycopg.connect(base, autocommit=True) as conn:
        for mois in (5, 7):
            conn.execute(
                "INSERT INTO acces.trace (instant, nature, objet) "
                "VALUES (now() - make_interval(months => %s), 'refus', '{}')",
                (mois,),
            )
        conn.execute("SET ROLE oi_application")
        assert conn.execute("SELECT acces.purger_traces(now())").fetchone() == (1,)
    assert len(maison.acces.traces().traces) == 1


def test_the_night_drops_what_was_kept_long_enough(maison: Maison) -> None:
    courriel = maison.compte()
    code = maison.acces.enregistrer("gestionnaire-2", "autre@oi.example", "Jamais venue")
    ouverte = maison.entrer(courriel)
    maison.acces.creer_jeton(
        maison.identite(ouverte), "x", ["gestionnaire_oi"], timedelta(days=1), lecture_seule=True
    )
    assert maison.acces.purger() == type(maison.acces.purger())(0, 0, 0, 0)
    maison.horloge.avancer(days=91)
    purge = maison.acces.purger()
    assert (purge.traces, purge.sessions, purge.activations, purge.jetons) == (0, 1, 1, 0)
    maison.horloge.avancer(days=300)
    purge = maison.acces.purger()
    assert (purge.traces, purge.jetons) == (5, 1)
    assert code not in str(maison.acces.traces())


def test_a_second_factor_awaited_in_vain_is_dropped(maison: Maison) -> None:
    courriel = maison.compte()
    maison.installer(courriel)
    maison.entrer(courriel)
    maison.horloge.avancer(minutes=6)
    assert maison.acces.purger().sessions == 1
