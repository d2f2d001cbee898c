"""Media files -> decoded sound and pictures' clock: what audio.py and frames.py share.

All times are presentation time stamps minus one origin per file, the container's start time, so
that the sound and the pictures of a file keep their common clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import av

from pipeline.location import Location, RemotePath


class MediaError(Exception):
    """Report a media file that cannot be used: the reason in words. Bad media are data, not a crash."""


@contextmanager
def open_media(path: Location) -> Iterator[av.container.InputContainer]:
    """Open a media file, behind a URL through fsspec, and close it again.

    Raises:
        MediaError: the file is missing, empty, not media or breaks off while it is read.
        RemoteError: a URL whose server does not answer.
    """
    if not path.is_file():
        raise MediaError(f"{path}: no such file")
    if (path.stamp() or (0,))[0] == 0 if isinstance(path, RemotePath) else path.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty")
    try:
        with ExitStack() as stack:
            # PyAV reads what it needs of a remote file, through read and seek
            source: Any = stack.enter_context(path.open("rb")) if isinstance(path, RemotePath) else str(path)
            yield stack.enter_context(av.open(source))
    except av.FFmpegError as error:
        raise MediaError(f"{path}: cannot be decoded ({error.strerror})") from error


def origin(container: av.container.InputContainer) -> float:
    """Return the file's start on its own clock, seconds."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base
