"""The application: a page, `POST /predict`, a web socket for what comes live, and what it says of itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from importlib.resources import files

from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect

from pipeline import serving
from pipeline.serving.access import Access
from pipeline.serving.answers import Answer, Problem, Server
from pipeline.serving.limits import Limits, Slots
from pipeline.serving.live import BUSY, session
from pipeline.serving.predictions import PredictionError
from pipeline.serving.served import Served
from pipeline.serving.uploads import ENDINGS, FIELD, uploaded

logger = logging.getLogger(__name__)

PAGE = {
    "": ("index.html", "text/html"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "style.css": ("style.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
    "curves.js": ("curves.js", "text/javascript"),
    "sound.js": ("sound.js", "text/javascript"),
    "capture.js": ("capture.js", "text/javascript"),
}
"""Path -> file of the page and its type."""
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {
                        FIELD: {
                            "type": "string",
                            "format": "binary",
                            "description": f"a recording: {', '.join(kind[1:] for kind in ENDINGS)}",
                        }
                    },
                }
            }
        },
    }
}
PROBLEMS = {
    400: "no form with a file",
    403: "asked by another name, or by another site's page",
    408: "the file took too long to arrive",
    413: "the file is too large",
    422: "no recogniser can predict the file",
    503: "as many as are taken at once are being predicted; try again after `Retry-After` seconds",
}


def application(served: Served, limits: Limits, version: str, names: Iterable[str] = ()) -> FastAPI:
    """Return an application that serves recognisers.

    version: of the package, for its description. names: by which the server may be asked, beside localhost
    and addresses.
    """
    app = FastAPI(
        title="EmoBed",
        version=version,
        summary="Emotion recognisers: predictions for a recording, or for sound and pictures as they come.",
        docs_url=None,  # they load from elsewhere
        redoc_url=None,
    )
    app.add_middleware(Access, names=tuple(names))
    uploads, lives = Slots(limits.sessions), Slots(limits.sessions)
    about = Server(
        version=version,
        recognisers=list(served.about),
        fusions=list(served.fusions),
        max_bytes=limits.size,
        time_limit=limits.time,
        live_length=limits.length,
        live_pictures_hz=served.pictures_hz,
    )

    @app.get("/about")
    async def _about() -> Server:
        """Say which recognisers are here and how much is taken."""
        return about

    @app.post(
        "/predict",
        openapi_extra=FORM,
        responses={code: {"model": Problem, "description": what} for code, what in PROBLEMS.items()},
    )
    async def _predict(request: Request) -> Answer:
        """Predict a recording with all recognisers; it is deleted when the answer is made."""
        begun = time.monotonic()
        with uploads:
            async with uploaded(request, limits) as upload:
                arrived = time.monotonic()
                try:
                    found = await asyncio.to_thread(served.predict, upload.path, limits.time)
                except PredictionError as error:
                    raise HTTPException(422, f"{upload.name}: {error}") from None
            took = arrived - begun, time.monotonic() - arrived
            logger.info("file: %d bytes, %.1f s to arrive, %.1f s to predict", upload.size, *took)
            if all(each.error for each in found):
                said = "; ".join(dict.fromkeys(each.error or "" for each in found))
                raise HTTPException(422, f"{upload.name}: {said}")
            return Answer(file=upload.name, predictions=found)

    @app.websocket("/live")
    async def _live(socket: WebSocket) -> None:
        await socket.accept()
        try:
            with lives:
                length = await session(socket, served, limits)
        except HTTPException as busy:
            with suppress(WebSocketDisconnect):
                await socket.send_json({"error": busy.detail})
                await socket.close(BUSY)
            return
        logger.info("live: %.1f s", length)

    folder = files(serving) / "page"
    for path, (name, kind) in PAGE.items():
        app.add_api_route(f"/{path}", _file((folder / name).read_bytes(), kind), include_in_schema=False)
    return app


def _file(content: bytes, kind: str) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return Response(content, media_type=kind)

    return answer
