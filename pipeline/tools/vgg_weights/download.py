"""A large file over HTTP -> disk: resumed where it broke off, its length and sha256 checked, atomic.

The unfinished part is kept beside the target as `.<name>.part`, together with what the server
said of the file, so that a part of one version is never continued with another.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from tqdm import tqdm

from pipeline.location import url_refusal

logger = logging.getLogger(__name__)

BLOCK = 1 << 20
TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""


class DownloadError(RuntimeError):
    """Report a download that failed: the address, what was found, what was expected."""


@dataclass(frozen=True)
class Source:
    """What is to be fetched.

    url: http or https. sha256: of the whole file, hex; None: not checked. length: in bytes; None:
    what the server says.
    """

    url: str
    sha256: str | None = None
    length: int | None = None


def download(
    source: Source,
    target: Path,
    attempts: int = 5,
    pause: float = 2.0,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Fetch a file and return its sha256; a file that is there already and fits is kept.

    attempts: connections in a row that bring nothing before it gives up. pause: seconds before the
    second one, doubled each time.

    Raises:
        DownloadError: the address is not http(s), the server refuses, or the length or the sha256
            is not the one expected.
        OSError: the disk is full or not writable.
    """
    if not source.url.startswith(("http://", "https://")):
        raise DownloadError(f"{source.url}: expected an address that starts with https:// or http://")
    target.parent.mkdir(parents=True, exist_ok=True)
    part, notes = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.part.json")
    with FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_file():
            return _verify(source, target, target, "delete or rename it to fetch it again")
        failed = 0
        while True:
            before = _length(part)
            try:
                if _transfer(source, part, notes):
                    break
                reason = "the connection broke off"
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
                reason = str(getattr(error, "reason", error))
            failed = 0 if _length(part) > before else failed + 1
            if failed >= attempts:
                raise DownloadError(
                    f"{source.url}: {reason}; {_length(part):,} bytes are kept in {part}, "
                    "the next call goes on there"
                )
            logger.warning("%s: %s after %s bytes, trying again", source.url, reason, f"{_length(part):,}")
            sleep(pause * 2 ** max(0, failed - 1))
        try:
            digest = _verify(source, part, target, "the part is deleted, the next call starts anew")
        except DownloadError:
            part.unlink()
            raise
        finally:
            notes.unlink(missing_ok=True)
        part.replace(target)
        return digest


def _transfer(source: Source, part: Path, notes: Path) -> bool:
    """Fetch what is missing through one connection; say whether the file is complete."""
    have = _length(part)
    known = _read_notes(notes, source.url) if have else {}
    if have and not known:
        have = 0  # a part of nobody knows what
    headers = {"User-Agent": "emobed", "Accept-Encoding": "identity"}
    if have:
        if have == known.get("length"):
            return True
        headers["Range"] = f"bytes={have}-"
        if known.get("tag"):
            headers["If-Range"] = str(known["tag"])
    try:
        response = urllib.request.build_opener(_Redirects).open(
            urllib.request.Request(source.url, headers=headers), timeout=TIMEOUT
        )
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # the part is longer than the file
            part.unlink(missing_ok=True)
            return False
        if error.code in (408, 429) or error.code >= 500:
            raise
        raise DownloadError(f"{source.url}: the server answered {error.code} {error.reason}") from None
    with response:
        start, length = _extent(response, have)
        if source.length is not None and length is not None and length != source.length:
            raise DownloadError(f"{source.url}: {length:,} bytes long, expected {source.length:,}")
        length = length if length is not None else source.length
        _write_notes(notes, source.url, length, response.headers)
        with part.open("r+b" if start else "wb") as file:
            # a server that ignores the range sends the file from its start
            file.seek(start)
            file.truncate()
            _copy(response, file, start, length, part.name)
    # Without any length the end of the connection is the end of the file.
    return length is None or _length(part) >= length


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow a server to another address, but not from a public one to this machine or its network."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        """Return the next request.

        Raises:
            DownloadError: it is neither https nor http, or to an address that only this machine reaches.
        """
        refused = url_refusal(newurl)
        if refused and not (newurl.startswith(("http://", "https://")) and url_refusal(req.full_url)):
            raise DownloadError(f"{req.full_url} sends on to {refused}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _copy(response: Any, file: Any, start: int, length: int | None, name: str) -> None:
    bar = tqdm(desc=name, initial=start, total=length, unit="B", unit_scale=True, disable=None)
    with bar:
        # read1 gives what has arrived: read would lose a block when the connection breaks in it
        while block := response.read1(BLOCK):
            file.write(block)
            bar.update(len(block))


def _extent(response: Any, have: int) -> tuple[int, int | None]:
    """Return where the answer's bytes start and the length of the whole file, if it is said."""
    if response.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) > have:
            raise http.client.HTTPException("the server sent another range than it was asked for")
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length")
    return 0, None if length is None else int(length)


def _verify(source: Source, path: Path, target: Path, advice: str) -> str:
    """Return the sha256 of a complete file.

    Raises:
        DownloadError: its length or its sha256 is not the one expected.
    """
    length = _length(path)
    if source.length is not None and length != source.length:
        raise DownloadError(f"{target}: {length:,} bytes long, expected {source.length:,}; {advice}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if source.sha256 is not None and digest != source.sha256.lower():
        raise DownloadError(f"{target}: its sha256 is {digest}, expected {source.sha256.lower()}; {advice}")
    return digest


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _read_notes(notes: Path, url: str) -> dict[str, Any]:
    """Return what the server said of the part; nothing if it is of another address."""
    try:
        known = json.loads(notes.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) and known.get("url") == url else {}


def _write_notes(notes: Path, url: str, length: int | None, headers: Any) -> None:
    etag = headers.get("ETag", "")
    # only a strong tag says that the bytes are the same (RFC 9110, 13.1.5)
    tag = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")
    notes.write_text(json.dumps({"url": url, "length": length, "tag": tag}) + "\n", encoding="utf-8")
