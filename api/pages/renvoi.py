"""A form that came without the session or the code that it asks for: kept, to be sent again.

Nothing of it stays in the service: the page that answers holds it, in hidden fields of a form of
the same address. Only a browser that shows a session, open or over, is given back what it sent.
Who typed is thus known without being told, and a form that another site posts, which comes without
our cookie, is never turned into a page of ours that somebody could send.
"""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from api.errors import statut_de
from api.pages.formulaires import page
from api.pages.pieces_jointes import FICHIERS_MAX
from api.porte import (
    RENVOI,
    RempliParUnAutre,
    RenforcementRequis,
    SecondFacteurAInstaller,
    cookie,
)
from oi_service.acces.acces import Acces
from oi_service.acces.refus import RemplacementNonConfirme
from oi_service.errors import Refusal, Unauthenticated
from oi_service.pieces import nom_lisible

#: Forms that hold a password or a code: no page ever repeats what was typed there.
SECRETES = (
    "/connexion",
    "/activation",
    "/renforcement",
    "/compte/mot-de-passe",
    "/compte/second-facteur",
    "/compte/codes-de-secours",
)
#: The largest form there is (a plan, a grid), and more characters than it can hold.
_CHAMPS_MAX = 3000
_TEXTE_MAX = 2**20
_MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Attente:
    """What a refusal waits for, and the page where a person does it; ``None``: by leaving first."""

    titre: str
    phrase: str
    geste: str
    lien: str | None


_CONNEXION = Attente(
    "Votre session est terminée",
    "Votre session s’est terminée pendant que vous écriviez.",
    "Se connecter",
    "/connexion",
)
_RENFORCEMENT = Attente(
    "Confirmez votre identité",
    "Ce que vous envoyez se signe, et demande un code récent de votre second facteur.",
    "Donner un code",
    "/renforcement",
)
_INSTALLATION = Attente(
    "Installez un second facteur",
    "Votre rôle demande un second facteur, que votre compte n’a pas encore.",
    "Installer un second facteur",
    "/compte/second-facteur",
)
_DEPART = Attente("Un autre compte est ouvert", str(RempliParUnAutre()), "Se déconnecter", None)


def attente_de(refus: Refusal) -> Attente | None:
    """Return what would lift a refusal; ``None`` when sending again would change nothing."""
    match refus:
        case Unauthenticated():
            return _CONNEXION
        case RenforcementRequis() | RemplacementNonConfirme():
            return _RENFORCEMENT
        case SecondFacteurAInstaller():
            return _INSTALLATION
        case RempliParUnAutre():
            return _DEPART
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Fichiers:
    """The files of a field, which no page can give back: they are chosen again."""

    champ: str
    noms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gardee:
    """A form as it was sent, and where to send it again."""

    action: str
    multipart: bool
    champs: tuple[tuple[str, str], ...]
    fichiers: tuple[Fichiers, ...]


async def page_de_renvoi(request: Request, refus: Refusal, attente: Attente) -> Response | None:
    """Give a form back to who sent it; ``None`` when nothing of it may be repeated."""
    if request.method != "POST" or request.url.path.startswith(SECRETES):
        return None
    remplie_dans = await run_in_threadpool(_session_montree, request)
    if remplie_dans is None:
        return None
    gardee = await _garder(request, remplie_dans)
    statut, _ = statut_de(type(refus))
    return page(request, "renvoi.html", http=statut, attente=attente, gardee=gardee)


def _session_montree(request: Request) -> UUID | None:
    """Return the session that a browser shows, even one that is over."""
    jeton = request.cookies.get(cookie(request))
    acces: Acces = request.app.state.service.acces
    return None if jeton is None else acces.session_connue(jeton)


async def _garder(request: Request, session_id: UUID) -> Gardee:
    """Read a form again, or for the first time. Raises: HTTPException."""
    async with request.form(max_files=FICHIERS_MAX, max_fields=_CHAMPS_MAX) as recus:
        champs = tuple((nom, v) for nom, v in recus.multi_items() if isinstance(v, str))
        fichiers = _fichiers(recus)
    if sum(len(nom) + len(valeur) for nom, valeur in champs) > _TEXTE_MAX:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # Sent again, then refused again: it was typed in the first session, not in that of now.
    requete = {RENVOI: str(session_id), **request.query_params}
    chemin = quote(request.scope["path"])
    return Gardee(
        action=f"{chemin}?{urlencode(requete)}",
        multipart=media == _MULTIPART,
        champs=champs,
        fichiers=fichiers,
    )


def _fichiers(recus: FormData) -> tuple[Fichiers, ...]:
    noms: dict[str, list[str]] = {}
    for champ, recu in recus.multi_items():
        # A browser sends one without a name when none is chosen.
        if isinstance(recu, UploadFile) and recu.filename:
            court = recu.filename.replace("\\", "/").rpartition("/")[2]
            noms.setdefault(champ, []).append(nom_lisible(court))
    return tuple(Fichiers(champ, tuple(dits)) for champ, dits in noms.items())
