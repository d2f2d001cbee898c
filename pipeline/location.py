"""Where a corpus and its media lie: a path, or a URL that fsspec reads (`s3://bucket/corpus`).

A `RemotePath` has the few methods of `pathlib.Path` that reading a corpus needs, so that code takes a
`Location` and does not ask which one it is. fsspec is imported when the first URL is used: local
corpora never wait for it. Credentials and endpoints come from the environment (for S3 `AWS_*`).
`universal_pathlib` does not take its place: joined, neither an absolute path nor another URL wins there and a
path in front of a URL stays, it imports fsspec with itself, and what is refused here it reads.

A URL may stand in a table that somebody else wrote, so only some protocols are read (`SCHEMES`), and of
hosts that a URL names none of this machine or its network, unless `EMOBED_URL_HOSTS` names it.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

SCHEMES = ("s3", "gs", "gcs", "az", "abfs", "abfss", "ssh", "sftp", "https", "http")
"""Protocols that are read; `file:`, for one, would read anything on this machine."""
NO_LISTING = ("http", "https")
"""Protocols whose folders cannot be listed reliably: each file is asked for by itself."""
HOSTED = (*NO_LISTING, "ssh", "sftp")
"""Protocols whose URLs name a host; the others name a bucket, and the environment its server."""
HOSTS = "EMOBED_URL_HOSTS"
"""The environment variable with hosts (`host` or `host:port`, separated by commas) that may be private."""


class RemoteError(OSError):
    """Report a URL that cannot be read: which, why. Not bad media: the network may be back in a minute."""


@dataclass(frozen=True, order=True)
class RemotePath:
    """A file or folder behind a URL; `/` joins as paths do, and an absolute path or URL wins."""

    url: str

    def __str__(self) -> str:
        """Return the URL."""
        return self.url

    def as_posix(self) -> str:
        """Return the URL."""
        return self.url

    def absolute(self) -> Self:
        """Return the URL, which is absolute."""
        return self

    @property
    def name(self) -> str:
        """Return the last part."""
        return self.url.rstrip("/").rpartition("/")[2]

    def __truediv__(self, other: Location | str) -> Location:
        """Return `other` below this URL."""
        other = as_location(other) if isinstance(other, str) else other
        if isinstance(other, RemotePath) or other.is_absolute():
            return other
        return RemotePath(f"{self.url.rstrip('/')}/{other.as_posix()}")

    def __rtruediv__(self, other: PurePath | str) -> Self:
        """Return this URL: it is absolute."""
        return self

    def is_file(self) -> bool:
        """Say whether there is such a file.

        Raises:
            RemoteError: it cannot be found out.
        """
        found = self.info()
        return found is not None and found.get("type") != "directory"

    def iterdir(self) -> list[Self]:
        """Return the files and folders in this one; none if there is no such folder.

        Raises:
            RemoteError: it cannot be found out, or the protocol (http) has no listings.
        """
        if urlsplit(self.url).scheme in NO_LISTING:
            raise RemoteError(f"{self.url}: a folder behind http cannot be listed; name a file")
        return [
            type(self)(f"{self.url.rstrip('/')}/{name}") for name in sorted(_listing(self.url.rstrip("/")))
        ]

    def info(self) -> dict[str, Any] | None:
        """Return what the server says of the file (`size`, `ETag`, ...), None if there is none.

        A folder is listed once per process: 5,000 recordings cost a handful of requests.

        Raises:
            RemoteError: it cannot be found out.
        """
        if urlsplit(self.url).scheme in NO_LISTING:
            return _info(self.url)
        folder, _, name = self.url.rpartition("/")
        return _listing(folder).get(name)

    def stamp(self) -> tuple[int, str] | None:
        """Return length in bytes and what changes with the content (ETag, else time of change)."""
        info = self.info()
        if info is None or info.get("type") == "directory":
            return None
        changed = next(
            (info[k] for k in ("ETag", "etag", "LastModified", "mtime", "created") if info.get(k)), ""
        )
        return int(info.get("size") or 0), str(changed)

    def open(self, mode: str = "r", **options: Any) -> Any:
        """Open the file for reading, as `Path.open` does.

        Raises:
            RemoteError: no such file, or it cannot be read, or may not be.
        """
        import fsspec

        _require_allowed(self.url)
        with_fsspec = fsspec.open(self.url, mode, **options, **_options(self.url))
        try:
            return with_fsspec.open()
        except Exception as error:
            raise _remote_error(self.url, error) from error


Location = Path | RemotePath


def as_location(text: str | PurePath | RemotePath) -> Location:
    """Return a path, or a `RemotePath` if the text has a protocol; `Path` would fold `//` into `/`."""
    if isinstance(text, RemotePath):
        return text
    return RemotePath(text) if isinstance(text, str) and "://" in text else Path(text)


def url_refusal(url: str) -> str:
    """Say why a URL is not read, empty if it may be: its protocol, or a host that is not public."""
    scheme = url.partition(":")[0].lower()
    # fsspec takes `a::b` for a chain of protocols; an address of IPv6 has colons too
    if scheme not in SCHEMES or "::" in re.sub(r"\[[^]/]*\]", "", url):
        return f"{url}: the protocol '{scheme}' is not read, expected one of {', '.join(SCHEMES)}"
    if scheme not in HOSTED:
        return ""
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError as error:
        return f"{url}: not a URL ({error})"
    allowed = {each.strip().lower() for each in os.environ.get(HOSTS, "").split(",")}
    if host is None:
        return f"{url}: names no host"
    if host in allowed or f"{host}:{port}" in allowed:
        return ""
    private = [address for address in _addresses(host) if not ipaddress.ip_address(address).is_global]
    if not private:
        return ""
    return (
        f"{url}: {host} ({private[0]}) is an address of this machine or its network, expected a public one; "
        f"{HOSTS}={host}{f':{port}' if port else ''} in the environment allows it"
    )


@lru_cache(maxsize=1024)
def _addresses(host: str) -> tuple[str, ...]:
    """Return the addresses of a host; none where names are not resolved here, but by a proxy."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(str(address[0]).partition("%")[0] for *_, address in found)


def _require_allowed(url: str) -> None:
    if refused := url_refusal(url):
        raise RemoteError(refused)


def _options(url: str) -> dict[str, Any]:
    """Return fsspec's options: where a server sends on to another address, that is looked at as well."""
    if urlsplit(url).scheme not in NO_LISTING:
        return {}
    return {"client_kwargs": {"trace_configs": [_redirects()]}}


@lru_cache(maxsize=1)
def _redirects() -> Any:
    import aiohttp

    async def look(session: Any, context: Any, request: Any) -> None:
        target = request.response.headers.get("Location") or request.response.headers.get("URI") or ""
        _require_allowed(urljoin(str(request.url), target))

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(look)
    return trace


@lru_cache(maxsize=1024)
def _listing(folder: str) -> dict[str, dict[str, Any]]:
    """Return the entries of a folder by name; none if there is no such folder."""
    files, path = _file_system(folder)
    try:
        entries = files.ls(path, detail=True, refresh=True)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except Exception as error:
        raise _remote_error(folder, error) from error
    return {str(entry["name"]).rstrip("/").rpartition("/")[2]: entry for entry in entries}


def _info(url: str) -> dict[str, Any] | None:
    files, path = _file_system(url)
    try:
        return dict(files.info(path))
    except FileNotFoundError as error:
        if refused := _refused(error):
            raise refused from None
        return None
    except Exception as error:
        raise _remote_error(url, error) from error


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec

    _require_allowed(url)
    try:
        files, path = fsspec.core.url_to_fs(url, **_options(url))
    except (ImportError, ValueError) as error:
        raise _remote_error(url, error) from error
    return files, path


def _refused(error: BaseException | None) -> RemoteError | None:
    """Return the refusal of an address among an error and its causes: fsspec calls it a missing file."""
    while error is not None and not isinstance(error, RemoteError):
        error = error.__cause__ or error.__context__
    return error


def _remote_error(url: str, error: Exception) -> RemoteError:
    refused = _refused(error)
    return refused or RemoteError(f"{url}: cannot be read ({type(error).__name__}: {error})")
