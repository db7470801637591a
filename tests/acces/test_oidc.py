"""Sign-in at a provider, against one that listens on this machine: who comes in, who does not."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from bases import base_neuve
from comptes_joues import AGENT, ICI, Horloge, Maison, maison_ouverte
from fournisseur_oidc import (
    CLIENT,
    SECRET,
    Cle,
    FournisseurDEssai,
    fournisseur_ouvert,
    par_secret,
    sans_signature,
)

from oi_service.acces import fournisseur as vu_d_ici
from oi_service.acces.fournisseur import (
    ConnexionRefusee,
    FournisseurInjoignable,
    Reglages,
    ReponseNonVerifiee,
    adresse_sure,
)
from oi_service.acces.oidc import (
    Arrivee,
    CompteDejaLie,
    CourrielNonVerifie,
    Depart,
    Oidc,
    PersonneInconnue,
    Retour,
    TentativeInconnue,
)
from oi_service.acces.refus import IdentifiantsRefuses
from oi_service.lieux import Lieux

RETOUR = "http://localhost:8000/connexion/oidc/retour"
COURRIEL = "gestionnaire-1@oi.example"
Claims = dict[str, Any]


@pytest.fixture(scope="module")
def machine() -> Iterator[FournisseurDEssai]:
    with fournisseur_ouvert() as chez:
        yield chez


@pytest.fixture
def chez(machine: FournisseurDEssai) -> FournisseurDEssai:
    """The provider as it is before it lies."""
    machine.oublier()
    machine.retours.add(RETOUR)
    machine.personnes["sujet-1"] = {"email": COURRIEL, "email_verified": True}
    machine.present = "sujet-1"
    return machine


@pytest.fixture(scope="module")
def habitee(
    serveur: str, modele: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Maison]:
    """A house with two accounts, that the tests of this file share."""
    with pytest.MonkeyPatch.context() as patch, base_neuve(serveur, modele) as base:
        lieux = Lieux.sous(tmp_path_factory.mktemp("lieux"))
        with maison_ouverte(base, lieux, Horloge(patch)) as maison:
            maison.compte("gestionnaire-1")
            maison.compte("gestionnaire-2")
            yield maison


@pytest.fixture
def maison(habitee: Maison, monkeypatch: pytest.MonkeyPatch) -> Maison:
    """The house as it was before anybody came by the provider."""
    habitee.horloge = Horloge(monkeypatch)
    with habitee.service.journal.pool.connection() as conn:
        conn.execute("DELETE FROM acces.oidc_tentative")
        conn.execute("DELETE FROM acces.oidc_session")
        conn.execute("DELETE FROM acces.oidc_lien")
    return habitee


class Navigateur:
    """A browser: it goes to the provider, comes back, and says what it was told to say."""

    def __init__(self, oidc: Oidc) -> None:
        self.oidc = oidc

    def partir(self, suite: str = "/maquette") -> Depart:
        return self.oidc.commencer(suite, RETOUR)

    def revenir(self, depart: Depart) -> Retour:
        vers = httpx2.get(depart.adresse).headers["location"]
        assert vers.startswith(f"{RETOUR}?")
        dit = dict(parse_qsl(urlsplit(vers).query))
        return Retour(
            etat=dit.get("state", ""),
            navigateur=depart.navigateur,
            code=dit.get("code", ""),
            emetteur=dit.get("iss"),
            erreur=dit.get("error"),
        )

    def entrer(self) -> Arrivee:
        return self.oidc.conclure(self.revenir(self.partir()), RETOUR)


def reglages(chez: FournisseurDEssai, **autres: Any) -> Reglages:
    donnes = {
        "emetteur": chez.emetteur,
        "client": CLIENT,
        "secret": SECRET,
        "portees": "openid email",
        "nom": "Annuaire fictif",
        "courriels_verifies": False,
    }
    return Reglages(**{**donnes, **autres})


def ouvrir(maison: Maison, chez: FournisseurDEssai, **autres: Any) -> Navigateur:
    return Navigateur(Oidc(maison.service.journal.pool, reglages(chez, **autres)))


@pytest.fixture
def navigateur(maison: Maison, chez: FournisseurDEssai) -> Navigateur:
    return ouvrir(maison, chez)


# --- Coming in -----------------------------------------------------------------------------------


def test_a_person_comes_in_by_the_provider(maison: Maison, navigateur: Navigateur) -> None:
    arrivee = navigateur.entrer()
    assert (arrivee.identifiant, arrivee.suite) == ("gestionnaire-1", "/maquette")
    assert arrivee.preuve == {"acr": "eidas1", "amr": ["pwd", "totp"], "premiere_venue": True}
    assert not navigateur.entrer().preuve["premiere_venue"]
    assert maison.service.acces.fiche("gestionnaire-1")


def test_what_is_kept_of_a_proof_is_readable(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    chez.changer_identite = lambda c: {**c, "acr": "a\x00" * 500, "amr": ["pwd", 7, {}] * 500}
    preuve = navigateur.entrer().preuve
    assert preuve["acr"] == "a\N{REPLACEMENT CHARACTER}" * 50
    assert preuve["amr"] == ["pwd"] * 100
    chez.changer_identite = lambda c: {**c, "acr": 1, "amr": "pwd"}
    assert navigateur.entrer().preuve == {"premiere_venue": False}


@pytest.mark.parametrize("rang", [0, 1])
def test_keys_of_both_kinds_are_believed(
    navigateur: Navigateur, chez: FournisseurDEssai, rang: int
) -> None:
    chez.signer = chez.cles[rang].signer
    assert navigateur.entrer().identifiant == "gestionnaire-1"


def test_the_address_serves_once_then_the_subject_alone(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    navigateur.entrer()
    # At the provider, the address becomes that of another account, and even unverified.
    chez.personnes["sujet-1"] = {"email": "gestionnaire-2@oi.example", "email_verified": False}
    assert navigateur.entrer().identifiant == "gestionnaire-1"


def test_an_address_given_to_somebody_else_there_does_not_bring_them_in(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    navigateur.entrer()
    chez.personnes["sujet-2"] = chez.personnes["sujet-1"]
    chez.present = "sujet-2"
    with pytest.raises(CompteDejaLie, match="Annuaire fictif"):
        navigateur.entrer()
    # An administrator says that it is the same person after all.
    assert navigateur.oidc.delier("gestionnaire-1")
    assert not navigateur.oidc.delier("gestionnaire-1")
    assert navigateur.entrer().identifiant == "gestionnaire-1"


def test_first_sign_ins_at_once_make_one_link(navigateur: Navigateur) -> None:
    retours = [navigateur.revenir(navigateur.partir()) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        venus = pool.map(lambda retour: navigateur.oidc.conclure(retour, RETOUR), retours)
    assert {venu.identifiant for venu in venus} == {"gestionnaire-1"}


def test_whoever_has_no_account_here_is_told_whom_to_ask(
    maison: Maison, navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    chez.personnes["sujet-9"] = {"email": "Inconnue@ailleurs.example", "email_verified": True}
    chez.present = "sujet-9"
    with pytest.raises(PersonneInconnue, match=r"inconnue@ailleurs\.example.* l’administrateur"):
        navigateur.entrer()
    assert {f.courriel for f in maison.acces.fiches()}.isdisjoint({"inconnue@ailleurs.example"})
    assert _lignes(maison, "oidc_lien") == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"email": COURRIEL},
        {"email": COURRIEL, "email_verified": False},
        {"email": COURRIEL, "email_verified": "true"},
        {"email_verified": True},
        {"email": None, "email_verified": True},
        {"email": [COURRIEL], "email_verified": True},
        {"email": COURRIEL + "\x00", "email_verified": True},
        {
            "email": COURRIEL.replace("i", "\N{LATIN SMALL LETTER DOTLESS I}"),
            "email_verified": True,
        },
    ],
)
def test_an_address_that_nobody_verified_brings_nobody_in(
    navigateur: Navigateur, chez: FournisseurDEssai, claims: Claims
) -> None:
    chez.personnes["sujet-1"] = claims
    with pytest.raises(CourrielNonVerifie):
        navigateur.entrer()


def test_an_operator_may_trust_all_the_addresses_of_a_provider(
    maison: Maison, chez: FournisseurDEssai
) -> None:
    chez.personnes["sujet-1"] = {"email": "Gestionnaire-1@OI.example"}
    confiant = ouvrir(maison, chez, courriels_verifies=True)
    assert confiant.entrer().identifiant == "gestionnaire-1"


def test_a_suspended_account_opens_no_session(
    maison: Maison, navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    maison.compte("gestionnaire-3")
    maison.suspendre("gestionnaire-3")
    chez.personnes["sujet-1"] = {"email": "gestionnaire-3@oi.example", "email_verified": True}
    venu = navigateur.entrer()
    with pytest.raises(IdentifiantsRefuses):
        maison.acces.ouvrir_par_fournisseur(
            venu.identifiant, fournisseur="oidc", renforcee=False, adresse=ICI, agent=AGENT
        )


# --- What the provider tells apart ---------------------------------------------------------------


def test_the_address_may_be_told_apart_from_the_token(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    chez.dans_le_jeton = frozenset()
    assert navigateur.entrer().identifiant == "gestionnaire-1"
    assert chez.demandes.count("/oidc/infos") == 1
    # Once the link is made, nothing more is asked of them.
    navigateur.entrer()
    assert chez.demandes.count("/oidc/infos") == 1


def test_the_address_may_be_told_in_a_signed_answer(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    chez.dans_le_jeton = frozenset()
    chez.dire_infos = lambda infos: (
        "application/jwt; charset=utf-8",
        chez.cles[1].signer({**infos, "iss": chez.emetteur, "aud": CLIENT}),
    )
    assert navigateur.entrer().identifiant == "gestionnaire-1"


@pytest.mark.parametrize(
    "dire",
    [
        lambda *_: ("application/json", '{"sub": "sujet-2", "email": "x@y.example"}'),
        lambda _, infos: ("application/jwt", Cle("rsa-1").signer(infos)),
        lambda _, infos: ("application/jwt", sans_signature(infos)),
        lambda chez, infos: ("application/jwt", chez.cles[0].signer({**infos, "aud": "autre"})),
        lambda chez, infos: ("application/jwt", chez.cles[0].signer({**infos, "iss": "autre"})),
        lambda chez, infos: ("application/jwt", chez.cles[0].signer({**infos, "exp": 1})),
    ],
)
def test_what_is_told_of_another_or_by_another_is_refused(
    navigateur: Navigateur,
    chez: FournisseurDEssai,
    dire: Callable[[FournisseurDEssai, Claims], tuple[str, str]],
) -> None:
    chez.dans_le_jeton = frozenset()
    chez.dire_infos = lambda infos: dire(chez, infos)
    with pytest.raises(ReponseNonVerifiee):
        navigateur.entrer()


# --- Tokens that are not what they should be -----------------------------------------------------


@pytest.mark.parametrize(
    "faux",
    [
        {"nonce": "n" * 43},
        {"nonce": None},
        {"iss": "https://ailleurs.example"},
        {"iss": None},
        {"aud": "un-autre-service"},
        {"aud": ["un-autre-service"]},
        {"aud": None},
        {"aud": [CLIENT, "un-autre-service"]},
        {"aud": [CLIENT, "un-autre-service"], "azp": "un-autre-service"},
        {"azp": "un-autre-service"},
        {"exp": 1},
        {"exp": None},
        {"exp": float("nan")},
        {"iat": 10**11},
        {"iat": None},
        {"nbf": 10**11},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "s" * 256},
        {"sub": "sujet-1\x00"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_a_token_meant_for_something_else_is_refused(
    maison: Maison, navigateur: Navigateur, chez: FournisseurDEssai, faux: Claims
) -> None:
    chez.changer_identite = lambda claims: {
        nom: valeur for nom, valeur in {**claims, **faux}.items() if valeur is not None
    }
    with pytest.raises(ReponseNonVerifiee):
        navigateur.entrer()
    # And it made no link.
    chez.changer_identite = lambda claims: claims
    chez.personnes["sujet-1"] = {}
    with pytest.raises(CourrielNonVerifie):
        navigateur.entrer()


def test_several_audiences_are_admitted_when_the_token_is_ours(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    chez.changer_identite = lambda c: {**c, "aud": [CLIENT, "autre"], "azp": CLIENT}
    assert navigateur.entrer().identifiant == "gestionnaire-1"


def test_headers_that_mean_nothing_here_are_ignored(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    chez.signer = lambda claims: chez.cle.signer(claims, x5t="e30", maison="fictive")
    assert navigateur.entrer().identifiant == "gestionnaire-1"


@pytest.mark.parametrize("retard", [-50, 50, 110])
def test_two_clocks_may_differ_by_a_minute(
    maison: Maison, navigateur: Navigateur, chez: FournisseurDEssai, retard: int
) -> None:
    chez.changer_identite = lambda c: {**c, "iat": c["iat"] - retard, "exp": c["exp"] - retard}
    assert navigateur.entrer().identifiant == "gestionnaire-1"


@pytest.mark.parametrize("retard", [-70, 130])
def test_and_by_no_more(navigateur: Navigateur, chez: FournisseurDEssai, retard: int) -> None:
    chez.changer_identite = lambda c: {**c, "iat": c["iat"] - retard, "exp": c["exp"] - retard}
    with pytest.raises(ReponseNonVerifiee):
        navigateur.entrer()


@pytest.mark.parametrize(
    "signer",
    [
        lambda _, claims: Cle("rsa-1").signer(claims),
        lambda _, claims: Cle("inconnue").signer(claims),
        lambda _, claims: Cle("ec-1", "ES256").signer(claims),
        lambda _, claims: sans_signature(claims),
        lambda _, claims: par_secret(claims, SECRET.encode(), "rsa-1"),
        lambda chez, claims: par_secret(claims, chez.cles[0].pem(), "rsa-1"),
        # Keys that the token brings with itself, or says where to look for.
        lambda _, claims: _avec_sa_cle(claims),
        lambda _, claims: Cle("ailleurs").signer(claims, jku="https://ailleurs.example/cles"),
        lambda chez, claims: chez.cles[0].signer(claims, crit=["exp"]),
        lambda chez, claims: chez.cles[0].signer(claims) + "A",
        lambda chez, claims: chez.cles[0].signer(claims).rpartition(".")[0] + ".",
        lambda *_: "pas un jeton",
        lambda *_: "e30.e30.",
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(
    navigateur: Navigateur,
    chez: FournisseurDEssai,
    signer: Callable[[FournisseurDEssai, Claims], str],
) -> None:
    chez.signer = lambda claims: signer(chez, claims)
    with pytest.raises(ReponseNonVerifiee):
        navigateur.entrer()


@pytest.mark.parametrize("jeton", ["", "\ud800.e30.e30", "é", None, 7, ["e30"]])
def test_an_answer_without_a_token_opens_nothing(
    navigateur: Navigateur, chez: FournisseurDEssai, jeton: Any
) -> None:
    chez.signer = lambda _: jeton
    with pytest.raises(FournisseurInjoignable, match="jeton d’identité"):
        navigateur.entrer()


def _avec_sa_cle(claims: Claims) -> str:
    intruse = Cle("intruse")
    return intruse.signer(claims, jwk=intruse.publique())


def test_keys_may_change_without_notice(
    maison: Maison,
    navigateur: Navigateur,
    chez: FournisseurDEssai,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    navigateur.entrer()
    chez.cles = [Cle("rsa-2")]
    # Asked for a moment ago, they are not asked for again: nobody makes us insist.
    with pytest.raises(ReponseNonVerifiee):
        navigateur.entrer()
    assert chez.demandes.count("/oidc/cles") == 1
    monkeypatch.setattr(vu_d_ici, "REPIT", 0.0)
    assert navigateur.entrer().identifiant == "gestionnaire-1"


# --- Coming back ---------------------------------------------------------------------------------


def test_a_return_serves_once(navigateur: Navigateur) -> None:
    retour = navigateur.revenir(navigateur.partir())
    navigateur.oidc.conclure(retour, RETOUR)
    with pytest.raises(TentativeInconnue):
        navigateur.oidc.conclure(retour, RETOUR)


def test_a_code_serves_once(navigateur: Navigateur) -> None:
    # Somebody saw a return go by, and brings its code back with a state of their own.
    vu = navigateur.revenir(navigateur.partir())
    navigateur.oidc.conclure(vu, RETOUR)
    sien = navigateur.revenir(navigateur.partir())
    with pytest.raises(ConnexionRefusee, match="a déjà servi"):
        navigateur.oidc.conclure(replace(sien, code=vu.code), RETOUR)


def test_a_code_stolen_before_it_served_does_not_serve_elsewhere(navigateur: Navigateur) -> None:
    # PKCE: the verifier of another attempt does not go with the challenge of this one.
    vole = navigateur.revenir(navigateur.partir())
    sien = navigateur.revenir(navigateur.partir())
    with pytest.raises(ConnexionRefusee):
        navigateur.oidc.conclure(replace(sien, code=vole.code), RETOUR)


@pytest.mark.parametrize(
    "change",
    [{"navigateur": ""}, {"navigateur": "n" * 43}, {"etat": ""}, {"etat": "é" * 43}],
)
def test_a_return_in_another_browser_is_refused(
    navigateur: Navigateur, change: dict[str, str]
) -> None:
    retour = navigateur.revenir(navigateur.partir())
    with pytest.raises(TentativeInconnue):
        navigateur.oidc.conclure(replace(retour, **change), RETOUR)


def test_a_return_ten_minutes_later_is_refused(maison: Maison, navigateur: Navigateur) -> None:
    retour = navigateur.revenir(navigateur.partir())
    navigateur.partir()
    maison.horloge.avancer(minutes=10)
    with pytest.raises(TentativeInconnue):
        navigateur.oidc.conclure(retour, RETOUR)
    # Those that nobody brought back go with the next one that begins.
    navigateur.partir()
    assert _lignes(maison, "oidc_tentative") == 1


def test_a_return_begun_with_another_provider_is_refused(
    maison: Maison, navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    retour = navigateur.revenir(navigateur.partir())
    autre = ouvrir(maison, chez, emetteur="https://ailleurs.example")
    with pytest.raises(TentativeInconnue):
        autre.oidc.conclure(retour, RETOUR)


@pytest.mark.parametrize("iss", ["https://ailleurs.example", None])
def test_the_code_of_another_provider_is_refused(navigateur: Navigateur, iss: str | None) -> None:
    retour = navigateur.revenir(navigateur.partir())
    with pytest.raises(ReponseNonVerifiee, match="un autre service de connexion"):
        navigateur.oidc.conclure(replace(retour, emetteur=iss), RETOUR)


def test_a_provider_need_not_name_itself(navigateur: Navigateur, chez: FournisseurDEssai) -> None:
    chez.changer_description = lambda d: {
        nom: d[nom] for nom in d if not nom.startswith("authorization_response")
    }
    chez.changer_retour = lambda r: {nom: r[nom] for nom in r if nom != "iss"}
    assert navigateur.entrer().identifiant == "gestionnaire-1"


@pytest.mark.parametrize(
    ("erreur", "phrase"),
    [
        ("access_denied", "refusée ou abandonnée"),
        ("temporarily_unavailable", "indisponible"),
        ("<script>alert(1)</script>", "il n’a pas dit pourquoi"),
    ],
)
def test_what_the_provider_refuses_is_said_in_french(
    navigateur: Navigateur, erreur: str, phrase: str
) -> None:
    retour = replace(navigateur.revenir(navigateur.partir()), code="", erreur=erreur)
    with pytest.raises(ConnexionRefusee, match=phrase) as refus:
        navigateur.oidc.conclure(retour, RETOUR)
    assert "script" not in str(refus.value)


def test_a_return_without_a_code_asks_the_provider_nothing(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    retour = replace(navigateur.revenir(navigateur.partir()), code="")
    with pytest.raises(ConnexionRefusee, match="pas dit pourquoi"):
        navigateur.oidc.conclure(retour, RETOUR)
    assert "/oidc/jetons" not in chez.demandes


def test_nobody_at_the_provider_opens_nothing(
    navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    chez.present = None
    with pytest.raises(ConnexionRefusee):
        navigateur.entrer()


# --- The provider itself -------------------------------------------------------------------------


@pytest.mark.parametrize("methodes", [["client_secret_basic"], ["client_secret_post"]])
def test_the_secret_goes_where_the_provider_wants_it(
    navigateur: Navigateur, chez: FournisseurDEssai, methodes: list[str]
) -> None:
    chez.changer_description = lambda d: {**d, "token_endpoint_auth_methods_supported": methodes}
    assert navigateur.entrer().identifiant == "gestionnaire-1"


def test_a_wrong_secret_is_the_administrator_s_business(
    maison: Maison, chez: FournisseurDEssai
) -> None:
    with pytest.raises(FournisseurInjoignable, match="prévenez l’administrateur"):
        ouvrir(maison, chez, secret="un autre").entrer()  # noqa: S106


@pytest.mark.parametrize(
    ("change", "raison"),
    [
        ({"issuer": "https://ailleurs.example"}, "un autre nom"),
        ({"token_endpoint": "http://ailleurs.example/jetons"}, "token_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"jwks_uri": None}, "jwks_uri"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ("{", "ne se lit pas"),
        ("[" * 100_000, "ne se lit pas"),
        ("[]", "ne se lit pas"),
        ('"' + "x" * 2**18 + '"', "trop longue"),
    ],
)
def test_a_provider_that_describes_itself_badly_is_not_followed(
    navigateur: Navigateur, chez: FournisseurDEssai, change: Any, raison: str
) -> None:
    chez.changer_description = lambda d: change if isinstance(change, str) else {**d, **change}
    with pytest.raises(FournisseurInjoignable, match=raison):
        navigateur.partir()


@pytest.mark.parametrize(
    "cles", [[], [{"kty": "RSA"}], [{"kty": "oct", "k": "c2VjcmV0"}], ["cle"], "cles", None]
)
def test_keys_that_are_none_verify_nothing(
    navigateur: Navigateur, chez: FournisseurDEssai, cles: Any
) -> None:
    depart = navigateur.partir()
    chez.publier_les_cles = lambda _: cles
    with pytest.raises(FournisseurInjoignable, match="ses clés ne se lisent pas"):
        navigateur.oidc.conclure(navigateur.revenir(depart), RETOUR)


def test_a_slow_provider_is_left_after_a_while(
    navigateur: Navigateur, chez: FournisseurDEssai, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each byte comes in time; all of them would take minutes.
    monkeypatch.setattr(vu_d_ici, "DELAI", 0.3)
    chez.lenteur = 0.05
    with pytest.raises(FournisseurInjoignable, match="à temps"):
        navigateur.partir()
    # It is left alone for a moment: nobody waits for it in turn.
    chez.lenteur = 0.0
    deja = len(chez.demandes)
    with pytest.raises(FournisseurInjoignable, match="à temps"):
        navigateur.partir()
    assert len(chez.demandes) == deja
    monkeypatch.setattr(vu_d_ici, "REPIT", 0.0)
    assert navigateur.entrer().identifiant == "gestionnaire-1"


def test_a_provider_that_is_down_is_said(maison: Maison, chez: FournisseurDEssai) -> None:
    with pytest.raises(FournisseurInjoignable, match="la liaison est coupée"):
        ouvrir(maison, chez, emetteur="http://127.0.0.1:9").partir()


def test_a_description_is_asked_for_once(navigateur: Navigateur, chez: FournisseurDEssai) -> None:
    for _ in range(3):
        navigateur.entrer()
    assert chez.demandes.count("/oidc/.well-known/openid-configuration") == 1
    assert chez.demandes.count("/oidc/cles") == 1


@pytest.mark.parametrize(
    ("adresse", "sure"),
    [
        ("https://fi.example", True),
        ("http://localhost:9400/x", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:80", True),
        ("http://fi.example", False),
        ("http://127.0.0.1.example", False),
        ("http://localhost.example", False),
        ("https://compte@fi.example", False),
        ("https://", False),
        ("//fi.example", False),
        ("file:///etc/passwd", False),
        ("https://[", False),
    ],
)
def test_only_addresses_that_nobody_stands_in_front_of(adresse: str, sure: bool) -> None:  # noqa: FBT001
    assert adresse_sure(adresse) is sure


# --- The end -------------------------------------------------------------------------------------


def test_a_session_ends_at_the_provider_too(
    maison: Maison, navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    venu = navigateur.entrer()
    ouverte = maison.acces.ouvrir_par_fournisseur(
        venu.identifiant, fournisseur="oidc", renforcee=False, adresse=ICI, agent=AGENT
    )
    navigateur.oidc.retenir(ouverte.session_id, venu)
    fin = navigateur.oidc.adresse_de_deconnexion(ouverte.session_id, "http://localhost/connexion")
    assert fin is not None
    assert fin.startswith(f"{chez.emetteur}/fin?id_token_hint=")
    chez.apres_la_fin.add("http://localhost/connexion")
    assert httpx2.get(fin).headers["location"].startswith("http://localhost/connexion?state=")
    assert navigateur.oidc.adresse_de_deconnexion(ouverte.session_id, "http://localhost/") is None


def test_what_ends_a_session_goes_with_it(maison: Maison, navigateur: Navigateur) -> None:
    for _ in range(2):
        venu = navigateur.entrer()
        ouverte = maison.acces.ouvrir_par_fournisseur(
            venu.identifiant, fournisseur="oidc", renforcee=False, adresse=ICI, agent=AGENT
        )
        navigateur.oidc.retenir(ouverte.session_id, venu)
        maison.acces.deconnecter(ouverte.jeton)
    assert _lignes(maison, "oidc_session") == 1


def test_a_forgotten_person_leaves_no_link(
    maison: Maison, navigateur: Navigateur, chez: FournisseurDEssai
) -> None:
    maison.compte("gestionnaire-4")
    chez.personnes["sujet-1"] = {"email": "gestionnaire-4@oi.example", "email_verified": True}
    navigateur.entrer()
    maison.acces.effacer("gestionnaire-4")
    assert _lignes(maison, "oidc_lien") == 0


def _lignes(maison: Maison, table: str) -> int:
    with maison.service.journal.pool.connection() as conn:
        row = conn.execute(f"SELECT count(*) FROM acces.{table}".encode()).fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])
