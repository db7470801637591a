"""One table, from refusals and malformed requests to `application/problem+json` (RFC 9457).

The package fastapi-problem was looked at: it answers for exceptions that derive from its own, and
shows validation errors as pydantic words them. Ours belong to a domain that knows no status, and
every message is French, so nothing of it would remain in use.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from http import HTTPStatus
from string import Formatter
from typing import Any

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from aggregates.commande import DONNEE_INTERDITE
from api.deps import ESSAI, ConnuLeIllisible
from api.web import adresse_de
from oi_service.acces.identite import Identite
from oi_service.acces.refus import CodeRefuse
from oi_service.errors import (
    Busy,
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    NotFound,
    Refusal,
    RuleBroken,
    StaleVersion,
    TooManyRequests,
    Unauthenticated,
)
from oi_service.money import euros
from oi_service.pieces import DepotImpossible, PieceAlteree, PieceIrrecevable, PieceTropLourde
from oi_service.reseau import AdresseTropLongue, EntetesTropLongs, HoteInconnu
from projections.curseurs import CurseurInvalide


class VersionAbsente(Refusal):
    """Cet acte porte sur un dossier qui existe : indiquez dans l’en-tête If-Match la version que
    vous aviez sous les yeux, telle que la donne l’en-tête ETag de sa lecture.
    """


class SaisieInvalide(Refusal):
    """La demande est mal formée. {premiere}."""


class BaseIndisponible(Refusal):
    """La base de données ne répond pas : renvoyez la demande dans un instant avec la même clé
    d’idempotence, elle ne sera pas enregistrée deux fois.
    """


class ErreurInterne(Refusal):
    """Une erreur du service a interrompu la demande. Elle est notée dans son journal technique."""


#: Family of refusals, status, and what is common to the family. The first that fits counts.
FAMILLES: tuple[tuple[type[Refusal], int, str], ...] = (
    (Unauthenticated, 401, "Connexion nécessaire"),
    (Forbidden, 403, "Accès réservé"),
    (NotFound, 404, "Élément introuvable"),
    (RuleBroken, 409, "Règle de gestion non respectée"),
    (Conflict, 409, "Fait contraire déjà enregistré"),
    (StaleVersion, 412, "Version dépassée"),
    (PieceTropLourde, 413, "Pièce trop lourde"),
    (AdresseTropLongue, 414, "Adresse trop longue"),
    (PieceIrrecevable, 415, "Pièce irrecevable"),
    (HoteInconnu, 421, "Nom inconnu"),
    (IdempotencyKeyReused, 422, "Clé d’idempotence déjà employée"),
    (SaisieInvalide, 422, "Demande mal formée"),
    (CurseurInvalide, 422, "Curseur de liste invalide"),
    (ConnuLeIllisible, 422, "Connaissance illisible"),
    (VersionAbsente, 428, "Version attendue absente"),
    (TooManyRequests, 429, "Trop de demandes"),
    (EntetesTropLongs, 431, "En-têtes trop longs"),
    (ErreurInterne, 500, "Erreur du service"),
    (PieceAlteree, 500, "Pièce altérée"),
    (Busy, 503, "Service occupé"),
    (BaseIndisponible, 503, "Service indisponible"),
    (DepotImpossible, 507, "Dépôt impossible"),
)

#: What the frame itself refuses, before any of our code: code, title, sentence.
_DU_CADRE = {
    400: ("corps_illisible", "Corps illisible", "Le corps de la demande ne peut pas être lu."),
    404: ("page_inconnue", "Adresse inconnue", "Rien ne se trouve à cette adresse."),
    405: (
        "methode_non_admise",
        "Méthode non admise",
        "Cette adresse n’admet pas cette méthode ; l’en-tête Allow donne celles qu’elle admet.",
    ),
    408: (
        "corps_trop_lent",
        "Corps trop lent",
        (
            "Le corps de la demande arrive trop lentement : rien n’a été enregistré, recommencez "
            "avec une meilleure connexion."
        ),
    ),
    413: ("corps_trop_grand", "Corps trop grand", "Le corps de la demande est trop grand."),
}

#: What may be answered to any request, and to any that has a body.
TOUTES = (414, 429, 431)
CORPS = (400, 408, 413)

#: Seconds after which a busy service is worth asking again.
REESSAYER_APRES = 1

_METHODES = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


class ErreurDeSaisie(BaseModel):
    """Un défaut de la demande, à sa place."""

    model_config = ConfigDict(extra="forbid")

    pointer: str = Field(
        description="Où : `#/plan/fse` dans le corps, sinon `en-tete/…`, `requete/…`, `chemin/…`.",
        examples=["#/plan/fse"],
    )
    message: str
    valeur: str | None = Field(default=None, description="Ce qui a été reçu, abrégé.")


class Probleme(BaseModel):
    """Un refus et sa raison (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(examples=["/problemes/disponible_insuffisant"])
    code: str = Field(description="Stable : un programme peut s’y fier.")
    title: str
    detail: str = Field(description="La phrase à montrer à la personne.")
    status: int
    article: str | None = Field(default=None, description="Texte que le refus applique.")
    details: dict[str, Any] | None = Field(
        default=None, description="Faits du refus ; les montants sont des chaînes en euros."
    )
    errors: list[ErreurDeSaisie] | None = None


def refus(*statuts: int) -> dict[int | str, dict[str, Any]]:
    """Declare the refusals of a route: ``responses=refus(404, 409)``."""
    return {
        statut: {"$ref": f"#/components/responses/{statut}", "description": _titres(statut)}
        for statut in statuts
    }


def composants() -> dict[str, Any]:
    """Return the ``components.responses`` that `refus` points to."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Probleme"}}}
    return {
        str(statut): {"description": _titres(statut), "content": content}
        for statut in dict.fromkeys((*(statut for _, statut, _ in FAMILLES), *CORPS))
    }


def _titres(statut: int) -> str:
    titres = [titre for _, autre, titre in FAMILLES if autre == statut]
    if statut in CORPS:
        titres.append(_DU_CADRE[statut][1])
    return " ; ".join(titres)


def schemas() -> dict[str, Any]:
    """Return the schemas of a refusal; the frame only knows models that a route declares."""
    template = "#/components/schemas/{model}"
    _, definitions = models_json_schema([(Probleme, "serialization")], ref_template=template)
    found: dict[str, Any] = definitions["$defs"]
    return found


def statut_de(refusal: type[Refusal]) -> tuple[int, str]:
    """Return the status and the title of a class of refusals."""
    return next((s, t) for famille, s, t in FAMILLES if issubclass(refusal, famille))


class PageDeProbleme(BaseModel):
    """Un motif de refus, expliqué : ce vers quoi pointe `type`."""

    model_config = ConfigDict(extra="forbid")

    code: str
    title: str
    status: int
    phrase: str = Field(description="La phrase montrée à la personne ; « … » tient lieu des faits.")
    article: str | None


class ProblemeInconnu(NotFound):
    """Aucun refus ne porte le code « {code} »."""


def expliquer(code: str) -> PageDeProbleme:
    """Explain a kind of refusal.

    Raises: ProblemeInconnu.
    """
    known = {refusal.code(): refusal for refusal in connus()}
    if code not in known:
        raise ProblemeInconnu(code=code)
    refusal = known[code]
    status, title = statut_de(refusal)
    parts = Formatter().parse(" ".join((refusal.__doc__ or "").split()))
    phrase = "".join(text + _place(name, spec) for text, name, spec, _ in parts)
    return PageDeProbleme(
        code=code, title=title, status=status, phrase=phrase, article=refusal.article
    )


def _place(nom: str | None, forme: str | None) -> str:
    """Say what stands in a sentence where a value goes, with the words that agree with it."""
    if not nom:
        return ""
    return f"… {forme.replace('(s)', 's')}" if forme and "(s)" in forme else "…"


def connus() -> Iterator[type[Refusal]]:
    """Return every kind of refusal that an answer may carry."""
    waiting = [famille for famille, _, _ in FAMILLES]
    while waiting:
        refusal = waiting.pop()
        yield refusal
        waiting.extend(refusal.__subclasses__())


def installer(app: FastAPI) -> None:
    """Give an application its answers to everything that is refused."""
    app.add_exception_handler(Refusal, sur_refus)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(HTTPException, _on_frame)
    app.add_exception_handler(ClientDisconnect, _on_gone)
    app.add_exception_handler(psycopg.OperationalError, _on_database_away)
    app.add_exception_handler(Exception, _on_bug)


def _problem(
    status: int, code: str, title: str, detail: str, headers: Mapping[str, str] = {}, **more: Any
) -> Response:
    body = Probleme(
        type=f"/problemes/{code}", code=code, title=title, detail=detail, status=status, **more
    )
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status,
        headers,
        media_type="application/problem+json",
    )


def probleme(refusal: Refusal, **more: Any) -> Response:
    """Answer a refusal."""
    status, title = statut_de(type(refusal))
    if refusal.defauts:
        more["errors"] = [
            ErreurDeSaisie(pointer=lieu, message=dit) for lieu, dit in refusal.defauts
        ]
    headers = {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(REESSAYER_APRES)
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = str(refusal.details["secondes"])
    return _problem(
        status,
        refusal.code(),
        title,
        str(refusal),
        headers,
        article=refusal.article,
        details=_details(refusal) or None,
        **more,
    )


def _details(refusal: Refusal) -> dict[str, Any]:
    """Write the facts of a refusal for a program; its sentence says which of them are amounts."""
    fields = Formatter().parse(type(refusal).__doc__ or "")
    amounts = {name for _, name, spec, _ in fields if spec == "euros"}
    return {
        name: euros(value) if name in amounts else _plain(value)
        for name, value in refusal.details.items()
    }


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def sur_refus(request: Request, refusal: Exception) -> Response:
    """Answer a refusal to a program, and trace it when it is one of access."""
    assert isinstance(refusal, Refusal)
    tracer_refus(request, refusal)
    return probleme(refusal)


def tracer_refus(request: Request, refusal: Refusal) -> None:
    """Trace that somebody asked for what is not for them, once, whatever the door.

    A wrong code is already in the traces, and a trial asks for nothing.
    """
    if not isinstance(refusal, Forbidden) or isinstance(refusal, CodeRefuse):
        return
    if hasattr(request.state, ESSAI):
        return
    qui: Identite | None = getattr(request.state, "identite", None)
    request.app.state.service.acces.tracer(
        "refus",
        None if qui is None else qui.identifiant,
        adresse=adresse_de(request),
        objet={
            "code": refusal.code(),
            "methode": request.method,
            "chemin": request.url.path[:_CHEMIN_TRACE],
        },
    )


_CHEMIN_TRACE = 200


def _on_database_away(_request: Request, _error: Exception) -> Response:
    return probleme(BaseIndisponible())


def _on_bug(_request: Request, _error: Exception) -> Response:
    return probleme(ErreurInterne())


def _on_frame(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    code, title, detail = _DU_CADRE.get(
        error.status_code, (f"http_{error.status_code}", "Demande refusée", "Demande refusée.")
    )
    return _problem(error.status_code, code, title, detail, headers)


def _on_gone(request: Request, _error: Exception) -> Response:
    # Nobody is there to read it: it only keeps a departure from passing for a bug.
    return _on_frame(request, HTTPException(HTTPStatus.BAD_REQUEST))


def _methods(request: Request) -> Iterator[str]:
    """Return every method of an address; the frame only knows those of the first route it meets."""
    app: FastAPI = request.scope["app"]
    for method in _METHODES:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in app.routes):
            yield method


# --- Malformed requests --------------------------------------------------------------------------


def saisie_invalide(message: str, *loc: str | int, received: object) -> RequestValidationError:
    """Return what to raise when a route, and not pydantic, finds that a request is malformed."""
    return RequestValidationError(
        [{"type": "value_error", "loc": loc, "input": received, "ctx": {"error": message}}]
    )


_LIEUX = {"header": "en-tete", "query": "requete", "path": "chemin", "cookie": "cookie"}

#: What pydantic finds, in French; the braces are filled by the context that it gives.
_MESSAGES = {
    "missing": "ce champ est obligatoire",
    "extra_forbidden": "ce champ n’est pas connu : vérifiez son nom",
    "json_invalid": "ce n’est pas du JSON valide, à partir du caractère n° {position}",
    "string_type": "une chaîne de caractères est attendue",
    "string_unicode": "la chaîne contient des caractères qui ne sont pas de l’Unicode",
    "string_vide": "ce texte ne peut pas être vide",
    "string_too_short": "la chaîne doit compter au moins {min_length} caractères",
    "string_too_long": "la chaîne doit compter au plus {max_length} caractères",
    "string_pattern_mismatch": "{forme}",
    "literal_error": "valeurs possibles : {expected}",
    "enum": "valeurs possibles : {expected}",
    "uuid_type": "un identifiant UUID est attendu",
    "uuid_parsing": "un identifiant UUID est attendu",
    "int_type": "un nombre entier est attendu",
    "int_parsing": "un nombre entier est attendu",
    "int_parsing_size": "ce nombre est trop grand",
    "int_from_float": "un nombre entier est attendu",
    "bool_type": "true ou false est attendu",
    "bool_parsing": "true ou false est attendu",
    "greater_than": "la valeur doit être supérieure à {gt}",
    "greater_than_equal": "la valeur doit être au moins {ge}",
    "less_than": "la valeur doit être inférieure à {lt}",
    "less_than_equal": "la valeur doit être au plus {le}",
    "too_short": "il en faut au moins {min_length}",
    "too_long": "il en faut au plus {max_length}",
    "list_type": "une liste est attendue",
    "tuple_type": "une liste est attendue",
    "dict_type": "un objet JSON est attendu",
    "model_type": "un objet JSON est attendu",
    "model_attributes_type": "un objet JSON est attendu, sous le type application/json",
    "value_error": "{error}",
    DONNEE_INTERDITE: "{error}",
}
#: What a text must look like, in words; a test asks it of every regular expression of a door.
FORMES = {
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$": (
        "un code est attendu : lettres sans accent, chiffres, « _ », « . » ou « - », sans espace, "
        "64 caractères au plus"
    ),
    r"^[0-9a-f]{64}$": ("une empreinte SHA-256 est attendue : 64 caractères, de 0 à 9 et de a à f"),
    r"^[0-9]{1,3}(\.[0-9]{1,4})?$": (
        "un pourcentage de 0 à 100 est attendu, avec quatre décimales au plus"
    ),
    r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?$": (
        "un nombre positif ou nul est attendu : neuf chiffres et quatre décimales au plus"
    ),
    r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$": (
        "un nombre positif ou nul est attendu : douze chiffres et quatre décimales au plus"
    ),
    r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$": (
        "une part de 0 à 1 est attendue, avec six décimales au plus : 0.6 pour 60 %"
    ),
    r"^[!-~]([ -~]{0,198}[!-~])?$": (
        "une graine est attendue : 200 caractères au plus, sans accent, sans espace au début ni à "
        "la fin"
    ),
    r"^[A-Z]{2}[0-9]{2}•+[0-9]{3}$": (
        "un IBAN masqué est attendu : son début et sa fin, comme FR76••••189"
    ),
    r"^[^\s@]{1,64}@[^\s@]{1,190}$": (
        "une adresse de courriel est attendue, comme accueil@association.example"
    ),
    r"^\+?[0-9][0-9 .()-]{5,28}$": "un numéro de téléphone est attendu, comme 01 23 45 67 89",
    r"^[^\x00]+$": "ce texte contient un caractère nul",
    r"^/api/v1(/[A-Za-z0-9.$_-]+)+$": (
        "une adresse de ce service est attendue, comme /api/v1/operations"
    ),
    r'^"\d{1,9}"$': 'une version entre guillemets est attendue, comme "3"',
}
_INCONNU = "cette valeur n’est pas admise"
#: Characters of a received value that an answer repeats.
_ABREGE = 100
#: What is received there is personal: no answer repeats it, which somebody would then keep.
_SANS_ECHO = re.compile(r"/api/v1/personnes\b")


def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if any(_is_missing_version(defect) for defect in error.errors()):
        return probleme(VersionAbsente())
    errors = defauts(error.errors())
    if _SANS_ECHO.match(request.url.path):
        errors = [e.model_copy(update={"valeur": None}) for e in errors]
    first = f"{errors[0].pointer} : {errors[0].message}"
    if len(errors) > 1:
        first = f"{len(errors)} défauts ; le premier, {first}"
    refusal = SaisieInvalide(premiere=first)
    status, title = statut_de(SaisieInvalide)
    return _problem(status, refusal.code(), title, str(refusal), errors=errors)


def defauts(found: Sequence[Any]) -> list[ErreurDeSaisie]:
    """Say in French, each at its place, what pydantic found; a place starts with ``body``."""
    return [_error(defect) for defect in _without_echoes(found)]


def _without_echoes(found: Sequence[Any]) -> list[Any]:
    """Drop "too few" from a list whose only fault is that one of its items is wrong."""
    places = [tuple(defect["loc"]) for defect in found]
    return [
        defect
        for defect, place in zip(found, places, strict=True)
        if defect["type"] != "too_short"
        or not any(len(p) > len(place) and p[: len(place)] == place for p in places)
    ]


def _is_missing_version(defect: Mapping[str, Any]) -> bool:
    return defect["type"] == "missing" and tuple(defect["loc"]) == ("header", "If-Match")


def _error(defect: Mapping[str, Any]) -> ErreurDeSaisie:
    kind, loc = defect["type"], defect["loc"]
    context = dict(defect.get("ctx") or {})
    if kind == "json_invalid":
        # The frame puts the place of the fault where the path of a field is expected.
        context["position"] = loc[1] + 1
        loc = loc[:1]
    if "expected" in context:
        context["expected"] = str(context["expected"]).replace(" or ", " ou ")
    if kind == "string_too_short" and context["min_length"] == 1:
        kind = "string_vide"
    context["forme"] = FORMES.get(context.get("pattern", ""), _INCONNU)
    message = _MESSAGES.get(kind, _INCONNU).format(**context)
    # What was received is worth repeating when it is one value, is not the missing one, and may be
    # written.
    muets = {"missing", "json_invalid", DONNEE_INTERDITE}
    shown = None if kind in muets else _shown(defect.get("input"))
    return ErreurDeSaisie(pointer=_pointer(loc), message=message, valeur=shown)


def _pointer(loc: Sequence[str | int]) -> str:
    place, *path = loc
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
    return "/".join(["#" if place == "body" else _LIEUX.get(str(place), str(place)), *steps])


def _shown(value: object) -> str | None:
    if not isinstance(value, str | int | float):
        return None
    text = value if isinstance(value, str) else str(value)
    # Half of a surrogate pair has no bytes: it is shown as a question mark.
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _ABREGE else f"{text[:_ABREGE]}…"
