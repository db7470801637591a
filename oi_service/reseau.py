"""What the network is around the service: who stands before it, and under which names it is called.

Read once from the environment; docs/exploitation.md explains each name.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from limits import RateLimitItem, parse
from pydantic_settings import BaseSettings, SettingsConfigDict

from oi_service.errors import Forbidden, Refusal

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
Plage = ipaddress.IPv4Network | ipaddress.IPv6Network

#: What the service answers to when it is alone on its machine.
_HOTES_LOCAUX = "localhost,127.0.0.1,[::1]"


class ReglageIllisible(Refusal):
    """{variable} : « {recu} » n’est pas {attendu}."""


class MandataireTropLarge(Refusal):
    """OI_MANDATAIRES : « {recu} » couvre le monde entier, donc n’importe qui pourrait dire d’où il
    vient. Donnez l’adresse du serveur qui termine TLS.
    """


class AdresseExposee(Refusal):
    """OI_ADRESSE={adresse} ferait écouter le service au-delà de cette machine, en clair : déclarez
    dans OI_MANDATAIRES le serveur qui termine TLS devant lui, ou gardez 127.0.0.1.
    """


class OrigineEtrangere(Forbidden):
    """Cette demande vient de la page d’un autre site : refaites-la depuis le service lui-même."""


class AccesDirect(Forbidden):
    """Le service ne se joint pas directement : passez par son adresse publique."""


class HoteInconnu(Refusal):
    """Le service ne répond pas sous ce nom : employez son adresse habituelle."""


class AdresseTropLongue(Refusal):
    """L’adresse demandée est trop longue : demandez moins de choses à la fois."""


class EntetesTropLongs(Refusal):
    """Les en-têtes de la demande sont trop longs : effacez les cookies de ce site, puis
    recommencez.
    """


class _Variables(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="OI_", extra="ignore")

    adresse: str = "127.0.0.1"
    mandataires: str = ""
    hotes: str = _HOTES_LOCAUX
    origines: str = ""
    debit: str = "1200/minute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reseau:
    """The settings of the network, understood.

    ``adresse``: where the service listens. ``mandataires``: who may say whom a request comes from.
    ``hotes``: values of Host it answers to. ``origines``: other sites whose pages may write here.
    ``debit``: requests that one account, or one address that no account goes with, may make.
    """

    adresse: Ip
    mandataires: tuple[Plage, ...]
    hotes: frozenset[str]
    origines: tuple[str, ...]
    debit: RateLimitItem

    def admet(self, adresse: str | None) -> bool:
        """Tell whether who speaks to the service directly may: this machine, or a proxy.

        Without a proxy, the service only listens on this machine: everybody who comes may.
        """
        if not self.mandataires:
            return True
        try:
            vue = ipaddress.ip_address(adresse or "")
        except ValueError:
            return False
        return vue.is_loopback or any(vue in plage for plage in self.mandataires)


def lire_reseau() -> Reseau:
    """Read the environment.

    Raises: ReglageIllisible, MandataireTropLarge, AdresseExposee.
    """
    lu = _Variables()
    adresse = _adresse(lu.adresse)
    mandataires = tuple(_plage(recu) for recu in _liste(lu.mandataires))
    # In clear, a browser keeps no `__Host-` cookie: nobody could sign in, and whoever listens on
    # the way would read everything. There is therefore no setting that allows it.
    if not adresse.is_loopback and not mandataires:
        raise AdresseExposee(adresse=lu.adresse)
    return Reseau(
        adresse=adresse,
        mandataires=mandataires,
        hotes=frozenset(hote.lower() for hote in _liste(lu.hotes)),
        origines=tuple(_origine(recue) for recue in _liste(lu.origines)),
        debit=_debit(lu.debit),
    )


def _liste(recue: str) -> Iterator[str]:
    return (morceau.strip() for morceau in recue.split(",") if morceau.strip())


def _adresse(recue: str) -> Ip:
    try:
        return ipaddress.ip_address(recue)
    except ValueError:
        raise ReglageIllisible(
            variable="OI_ADRESSE", recu=recue, attendu="une adresse IP"
        ) from None


def _plage(recue: str) -> Plage:
    try:
        plage = ipaddress.ip_network(recue, strict=False)
    except ValueError:
        raise ReglageIllisible(
            variable="OI_MANDATAIRES", recu=recue, attendu="une adresse IP ni un réseau"
        ) from None
    if plage.prefixlen == 0:
        raise MandataireTropLarge(recu=recue)
    return plage


def _origine(recue: str) -> str:
    schema, deux_points, reste = recue.partition("://")
    if schema != "https" or not deux_points or not reste or set(reste) & set("/?#@* "):
        raise ReglageIllisible(
            variable="OI_ORIGINES",
            recu=recue,
            attendu="une origine de la forme https://autre.exemple.fr",
        )
    return recue


def _debit(recu: str) -> RateLimitItem:
    try:
        return parse(recu)
    except ValueError:
        raise ReglageIllisible(
            variable="OI_DEBIT", recu=recu, attendu="un débit de la forme 1200/minute"
        ) from None
