"""Forms: what was typed, what is wrong with it, and where to go next."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from api.errors import VersionAbsente, defauts, statut_de
from api.pages.gabarits import templates
from oi_service.errors import Refusal

M = TypeVar("M", bound=BaseModel)

_CHAMPS_MAX = 60
#: Digits of the largest version, of the largest rank of a line: what is longer, nobody was shown.
_CHIFFRES_MAX = 9
_SUITE_MAX = 2000
#: Addresses where nobody wants to arrive once signed in.
_ENTREES = ("/connexion", "/activation", "/deconnexion", "/renforcement")


@dataclass(frozen=True, slots=True)
class Defaut:
    """What is wrong, and in which field when it is about one."""

    message: str
    champ: str | None = None


class SaisieRefusee(Exception):
    """What was typed cannot be understood; it never leaves the pages."""

    def __init__(self, defauts: Sequence[Defaut]) -> None:
        super().__init__()
        self.defauts = defauts


class FormulaireSansVersion(VersionAbsente):
    """Ce formulaire ne dit plus quel état du dossier vous aviez sous les yeux : relisez ce qui
    suit, puis renvoyez-le. Rien n’a été enregistré.
    """


def nombre_cache(ecrit: str) -> int | None:
    """Read a number that a page wrote for itself; ``None`` when it is not one of ours."""
    juste = ecrit.isascii() and ecrit.isdecimal() and len(ecrit) <= _CHIFFRES_MAX
    return int(ecrit) if juste else None


def version_vue(ecrite: str) -> int:
    """Read the version that a form was made from.

    Raises: FormulaireSansVersion; without it, what others did meanwhile would be overwritten.
    """
    version = nombre_cache(ecrite)
    if version is None:
        raise FormulaireSansVersion
    return version


class Formulaire:
    """The fields that a browser sent."""

    def __init__(self, recus: FormData) -> None:
        self._recus = recus

    def texte(self, nom: str) -> str:
        """Return a text, without what no keyboard writes."""
        return "".join(c for c in self.secret(nom) if c.isprintable()).strip()

    def secret(self, nom: str) -> str:
        """Return a text as it was typed."""
        recu = self._recus.get(nom)
        return recu if isinstance(recu, str) else ""

    def liste(self, nom: str) -> list[str]:
        """Return every value of a field that may have several."""
        return [recu for recu in self._recus.getlist(nom) if isinstance(recu, str) and recu]

    def lire(self, modele: type[M], **champs: object) -> M:
        """Build what a form asks; empty fields are left out.

        Raises: SaisieRefusee.
        """
        donnes = {nom: recu for nom, recu in champs.items() if recu not in ("", None)}
        try:
            return modele.model_validate(donnes)
        except ValidationError as refus:
            found = [{**d, "loc": ("body", *d["loc"])} for d in refus.errors()]
            raise SaisieRefusee([_defaut(d.pointer, d.message) for d in defauts(found)]) from None


def _defaut(pointer: str, message: str) -> Defaut:
    champ = pointer.removeprefix("#/").partition("/")[0]
    return Defaut(f"{message[:1].upper()}{message[1:]}", champ)


async def formulaire(request: Request) -> Formulaire:
    """Read a form; who may send it was asked before."""
    return Formulaire(await request.form(max_files=0, max_fields=_CHAMPS_MAX))


FormulaireRecu = Annotated[Formulaire, Depends(formulaire)]


# --- Answers -------------------------------------------------------------------------------------


def page(
    request: Request,
    gabarit: str,
    refus: Refusal | SaisieRefusee | None = None,
    http: int = 200,
    **contexte: Any,
) -> HTMLResponse:
    """Render a page, with what is wrong at its head."""
    dits: Sequence[Defaut] = ()
    if isinstance(refus, SaisieRefusee):
        dits, http = refus.defauts, HTTPStatus.UNPROCESSABLE_ENTITY
    elif refus is not None:
        dits, http = [Defaut(str(refus))], statut_de(type(refus))[0]
    return templates().TemplateResponse(
        request, gabarit, {"defauts": dits, **contexte}, status_code=http
    )


def vers(chemin: str, **requete: str | None) -> RedirectResponse:
    """Send a browser somewhere else, that it asks by GET."""
    dits = {nom: valeur for nom, valeur in requete.items() if valeur}
    return RedirectResponse(f"{chemin}?{urlencode(dits)}" if dits else chemin, status_code=303)


def suite_locale(recue: str | None) -> str | None:
    """Return where to go next, if it is a page of this service; ``None`` for anything else.

    Browsers take two slashes, straight or not, for the start of another site, and skip control
    characters.
    """
    if not recue or len(recue) > _SUITE_MAX or not recue.isascii() or not recue.isprintable():
        return None
    if not recue.startswith("/") or recue.startswith("//") or "\\" in recue:
        return None
    lue = urlsplit(recue)
    if lue.scheme or lue.netloc or lue.path.startswith(_ENTREES):
        return None
    return recue
