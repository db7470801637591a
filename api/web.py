"""What stands between the network and the doors: headers of every answer, limits of every request.

Plain ASGI, outermost first as `api.app` stacks it. It knows neither accounts nor facts.
"""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Largest body that is read, documents apart. A thousand dépenses with all their fields weigh under
#: 2 MB.
CORPS_MAX = 8 * 2**20

#: Nothing but our own files, and no script but ours: what is injected in a page does nothing.
SECURITE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; script-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class EnTetesDeSecurite:
    """Adds the same headers to every answer, errors and static files included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITE)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class TeteSansCorps:
    """Answers HEAD as GET would; the server itself keeps the body back."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


class CorpsBorne:
    """Stops reading a body that is too large; the frame's own limit answers in English text.

    ``depot`` is where a document is deposited: the store reads no more of it than it accepts.
    """

    def __init__(self, app: ASGIApp, depot: str) -> None:
        self._app = app
        self._depot = depot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope.get("path") == self._depot:
            await self._app(scope, receive, send)
            return
        read = 0

        async def receive_within_limit() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > CORPS_MAX:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        await self._app(scope, receive_within_limit, send)
