"""Where a corpus and its media lie: a path, or a URL that fsspec reads (`s3://bucket/corpus`).

A `RemotePath` has the few methods of `pathlib.Path` that reading a corpus needs, so that code takes a
`Location` and does not ask which one it is. fsspec is imported when the first URL is used: local
corpora never wait for it. Credentials and endpoints come from the environment (for S3 `AWS_*`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, Self
from urllib.parse import urlsplit

NO_LISTING = ("http", "https")
"""Protocols whose folders cannot be listed reliably: each file is asked for by itself."""


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
            RemoteError: no such file, or it cannot be read.
        """
        import fsspec

        with_fsspec = fsspec.open(self.url, mode, **options)
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


def forget_listings() -> None:
    """Forget which files were found behind URLs: the next question goes to the server."""
    _listing.cache_clear()


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
    except FileNotFoundError:
        return None
    except Exception as error:
        raise _remote_error(url, error) from error


def _file_system(url: str) -> tuple[Any, str]:
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise _remote_error(url, error) from error
    return files, path


def _remote_error(url: str, error: Exception) -> RemoteError:
    return RemoteError(f"{url}: cannot be read ({type(error).__name__}: {error})")
