"""Who may ask: requests by another name, or from another site's page, are refused before anything is read.

A page of another site, open in the same browser, can send requests to a server of this machine: under a name
of its own that it lets point here (DNS rebinding), or openly, as a form or a web socket. The first shows in
`Host`, the second in `Origin`, which browsers always send then.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

PORTS = {"http": 80, "https": 443}
REFUSED = 1008
"""Code of a web socket that is closed for who asks."""
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(self), geolocation=()",
    "cache-control": "no-store",
}
"""On every answer: the page loads nothing from elsewhere, is framed by nobody and kept nowhere."""


class Access:
    """An application that only its own pages and programs reach, by names that are its own.

    names: of this server, beside `localhost` and addresses, which nobody can let point elsewhere.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str] = ()) -> None:
        self.app = app
        self.names = {"localhost", *(name.lower().rstrip(".") for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on and complete its answer's headers."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(Headers(scope=scope))
        if refusal is None:
            await self.app(scope, receive, with_headers)
        elif scope["type"] == "websocket":
            await WebSocketClose(REFUSED, refusal)(scope, receive, send)
        else:
            await PlainTextResponse(refusal, 403)(scope, receive, with_headers)

    def _refusal(self, headers: Headers) -> str | None:
        """Say why a request is refused; None if it is not."""
        hosts = headers.getlist("host")
        asked = _host(hosts[0]) if len(hosts) == 1 else None
        if asked is None or not (asked in self.names or _is_address(asked)):
            return "this server does not go by that name; emobed serve --name NAME adds one"
        origins = headers.getlist("origin")
        if origins and (len(origins) > 1 or not _same(origins[0], hosts[0])):
            return "pages of other sites may not ask this server"
        return None


def _same(origin: str, host: str) -> bool:
    """Say whether a page of `origin` is one of the server that is asked as `host`."""
    try:
        page = urlsplit(origin)
        asked = urlsplit(f"//{host}")
        default = PORTS.get(page.scheme)
        return (
            default is not None
            and (page.hostname or "").rstrip(".") == (asked.hostname or "").rstrip(".") != ""
            and (page.port or default) == (asked.port or default)
        )
    except ValueError:
        return False


def _host(value: str) -> str | None:
    """Return the name or the address in a header `Host`, lower case, without its port."""
    try:
        parts = urlsplit(f"//{value}")
        _ = parts.port  # raises if it is no number
    except ValueError:
        return None
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return (parts.hostname or "").rstrip(".") or None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
