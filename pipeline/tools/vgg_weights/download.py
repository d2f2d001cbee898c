"""A large file over HTTP -> disk, by pooch: its sha256 compared before it gets its name.

Pooch does not go on with half a file; a connection that breaks is tried again from the start.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from pipeline.location import url_refusal
from pipeline.store.digest import sha256_of

logger = logging.getLogger(__name__)

TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""
ATTEMPTS = 5


class DownloadError(RuntimeError):
    """Report a download that failed: the address, what was found, what was expected."""


def download(
    url: str, target: Path, sha256: str | None = None, pause: Callable[[float], None] = time.sleep
) -> str:
    """Fetch a file and return its sha256; a file that is there already and fits is kept.

    url: http or https. sha256: of the whole file, hex; None: not checked. pause: waits for a number of
    seconds before the next attempt.

    Raises:
        DownloadError: the address is not http(s), the server refuses or cannot be reached, or the sha256 is
            not the one expected.
        OSError: the disk is full or not writable.
    """
    if not url.startswith(("http://", "https://")):
        raise DownloadError(f"{url}: expected an address that starts with https:// or http://")
    expected = sha256 and sha256.lower()
    if not target.is_file():
        _fetch(url, target, expected, pause)
    found = sha256_of(target)
    if expected not in (None, found):
        raise DownloadError(
            f"{target}: its sha256 is {found}, expected {expected}; delete or rename it to fetch it again"
        )
    return found


def _fetch(url: str, target: Path, sha256: str | None, pause: Callable[[float], None]) -> None:
    """Fetch a file that is not there; under its name it is whole, and of the hash expected.

    Raises:
        DownloadError, OSError: as `download`.
    """
    import pooch
    import requests
    from tqdm import tqdm

    broken = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    pooch.get_logger().setLevel(logging.ERROR)
    for attempt in range(1, ATTEMPTS + 1):
        with tqdm(desc=target.name, total=1, unit="B", unit_scale=True, disable=None) as bar:
            downloader = pooch.HTTPDownloader(
                progressbar=bar,
                timeout=TIMEOUT,
                headers={"Accept-Encoding": "identity"},
                hooks={"response": look_at},
            )
            try:
                known = sha256 and f"sha256:{sha256}"
                pooch.retrieve(url, known, target.name, target.parent, downloader=downloader)
                return
            except requests.RequestException as error:
                if error.response is None:
                    reason, again = str(error), isinstance(error, broken)
                else:
                    code = error.response.status_code
                    reason = f"the server answered {code} {error.response.reason}"
                    again = code in (408, 429) or code >= 500
            except ValueError as error:  # the hash
                raise DownloadError(f"{url}: {error}") from None
        if not again or attempt == ATTEMPTS:
            raise DownloadError(f"{url}: {reason}")
        logger.warning("%s: %s; it is tried again from the start", url, reason)
        pause(2.0**attempt)


def look_at(response: Any, **_options: Any) -> None:
    """Refuse a server that sends on from a public address to one of this machine or its network.

    Raises:
        DownloadError: it sends on to there, or to something that is neither https nor http.
    """
    if not response.is_redirect:
        return
    target = urljoin(response.url, response.headers["location"])
    refused = url_refusal(target)
    if refused and not (target.startswith(("http://", "https://")) and url_refusal(response.url)):
        raise DownloadError(f"{response.url} sends on to {refused}")
