"""The body of a request -> a file that is there while it is predicted, and then no more."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePath
from typing import NamedTuple

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from pipeline.predicting.inputs import MEDIA, TEXT
from pipeline.running.errors import one_line
from pipeline.serving.limits import Limits

FIELD = "file"
ENDINGS = (*MEDIA, TEXT)
"""Endings that the file keeps; what is in it decides, whatever it is called."""
OVERHEAD = 10_000
"""Bytes of a form around its file, at most."""
SHOWN = 120
"""Characters of a file's name that answers repeat."""


class Upload(NamedTuple):
    """A file that was sent. name: what its sender calls it, for people. size: bytes."""

    path: Path
    name: str
    size: int


@asynccontextmanager
async def uploaded(request: Request, limits: Limits) -> AsyncIterator[Upload]:
    """Give the one file of a form; however this ends, no copy of it is left.

    Raises:
        HTTPException: it is too large (413), took too long to arrive (408), broke off (400), or there is none
            (400).
    """
    try:
        async with asyncio.timeout(limits.time):
            form = await _form(request, limits)
    except TimeoutError:
        raise HTTPException(
            408, f"the file took longer than {limits.time:g} s to arrive", {"connection": "close"}
        ) from None
    except ClientDisconnect:  # nobody is there to read the answer; without one the log would have a traceback
        raise HTTPException(400, "the file broke off") from None
    try:
        file = form.get(FIELD)
        if not isinstance(file, UploadFile):
            raise HTTPException(400, f"expected a form (multipart/form-data) with a file named '{FIELD}'")
        name = one_line(PurePath(file.filename or "").name)[:SHOWN] or "the file"
        ending = PurePath(name).suffix.lower()
        with tempfile.TemporaryDirectory(prefix="emobed-") as folder:
            path = Path(folder) / f"recording{ending if ending in ENDINGS else ''}"
            size = await asyncio.to_thread(_copy, file, path)
            yield Upload(path, name, size)
    finally:
        await form.close()


async def _form(request: Request, limits: Limits) -> FormData:
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise HTTPException(400, f"expected a form (multipart/form-data) with a file named '{FIELD}'")
    _require_size(int(request.headers.get("content-length") or 0), limits)
    parser = MultiPartParser(
        request.headers, _counted(request, limits), max_files=1, max_fields=1, max_part_size=1024
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, f"not a form that can be read: {error.message}") from None


async def _counted(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """Give the body as it comes, until there is too much of it."""
    count = 0
    async for piece in request.stream():
        count += len(piece)
        _require_size(count, limits)
        yield piece


def _require_size(count: int, limits: Limits) -> None:
    if count > limits.size + OVERHEAD:
        raise HTTPException(
            413,
            f"more than {limits.size / 1e6:g} MB, which this server takes at most",
            {"connection": "close"},
        )


def _copy(file: UploadFile, path: Path) -> int:
    with path.open("wb") as target:
        shutil.copyfileobj(file.file, target, 1 << 20)
        return target.tell()
