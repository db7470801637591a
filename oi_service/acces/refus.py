"""Refusals at the door. None of them says which part of what was given is wrong."""

from oi_service.errors import (
    Conflict,
    Forbidden,
    NotFound,
    RuleBroken,
    TooManyRequests,
    Unauthenticated,
)


class AccesRefuse(Unauthenticated):
    """Ce qui est donné ne prouve pas qui vous êtes."""


class IdentifiantsRefuses(AccesRefuse):
    """Le courriel, le mot de passe ou le code ne convient pas."""


class ActivationRefusee(AccesRefuse):
    """Ce code d’activation ne convient pas : il sert une seule fois, avec le courriel du compte et
    avant son terme. Un administrateur en donne un autre.
    """


class TropDEssais(TooManyRequests):
    """Trop d’essais : recommencez dans {secondes} secondes."""


class CodeRefuse(Forbidden):
    """Ce code ne convient pas : attendez le suivant, un code ne sert qu’une fois."""


class SecondFacteurAbsent(Forbidden):
    """Ce compte n’a pas de second facteur : installez-le d’abord."""


class RemplacementNonConfirme(Forbidden):
    """Un second facteur est déjà installé : donnez d’abord un de ses codes pour le remplacer."""


class SecondFacteurNonPrepare(Conflict):
    """Aucun second facteur n’est en cours d’installation : recommencez depuis le début."""


class MotDePasseRefuse(RuleBroken):
    """Ce mot de passe ne convient pas : {raison}."""


class CompteSansAcces(NotFound):
    """Aucun accès n’est enregistré pour le compte « {identifiant} »."""


class CompteDejaEnregistre(Conflict):
    """Un accès est déjà enregistré pour le compte « {identifiant} »."""


class CourrielDejaPris(Conflict):
    """Un autre compte a déjà ce courriel."""


class CourrielIllisible(RuleBroken):
    """Ce courriel ne se lit pas : il a la forme prenom.nom@organisme.fr."""


class SessionAbsente(NotFound):
    """Cette session n’est pas ouverte."""


class JetonAbsent(NotFound):
    """Ce jeton n’existe pas, ou il est déjà révoqué."""


class JetonSansRole(RuleBroken):
    """Un jeton ne peut pas donner un rôle que le compte ne tient pas aujourd’hui : {roles}."""


class DureeDeJetonRefusee(RuleBroken):
    """Un jeton dure d’un jour à {jours} jours."""
