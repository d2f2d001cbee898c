"""Media files -> decoded sound and pictures' clock: what audio.py and frames.py share.

All times are presentation time stamps minus one origin per file, the container's start time, so
that the sound and the pictures of a file keep their common clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av


class MediaError(Exception):
    """Report a media file that cannot be used: the reason in words. Bad media are data, not a crash."""


@contextmanager
def open_media(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a media file and close it again.

    Raises:
        MediaError: the file is missing, empty, not media or breaks off while it is read.
    """
    if not path.is_file():
        raise MediaError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty")
    try:
        with av.open(str(path)) as container:
            yield container
    except av.FFmpegError as error:
        raise MediaError(f"{path}: cannot be decoded ({error.strerror})") from error


def origin(container: av.container.InputContainer) -> float:
    """Return the file's start on its own clock, seconds."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base
