"""Media files -> one opened stream and its clock: the one place that opens media.

All times are presentation time stamps minus one origin per file, the container's start time, so
that the sound and the pictures of a file keep their common clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import av

from pipeline.features.media.riff import packet_options
from pipeline.location import Location, RemoteError, RemotePath

Kind = Literal["audio", "video"]
KINDS: tuple[Kind, Kind] = ("audio", "video")
WORDS: dict[Kind, str] = {"audio": "sound", "video": "video"}
"""What sentences call the streams of a kind."""


class MediaError(Exception):
    """Report a media file that cannot be used: the reason in words. Bad media are data, not a crash."""


class NoStreamError(MediaError):
    """Report a media file without any stream of the kind that is wanted."""


@contextmanager
def open_media(path: Location) -> Iterator[av.container.InputContainer]:
    """Open a media file, behind a URL through fsspec, and close it again.

    Raises:
        MediaError: the file is missing, empty, not media or breaks off while it is read.
        RemoteError: a URL whose server does not answer.
    """
    _require_file(path)
    if (path.stamp() or (0,))[0] == 0 if isinstance(path, RemotePath) else path.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty")
    with named(path), ExitStack() as stack:
        # PyAV reads what it needs of a remote file, through read and seek
        source: Any = stack.enter_context(path.open("rb")) if isinstance(path, RemotePath) else str(path)
        # old cameras and editors write tags in other encodings than UTF-8
        opened = av.open(source, options=packet_options(path), metadata_errors="replace")
        yield stack.enter_context(opened)


def _require_file(path: Location) -> None:
    """Refuse what is no file, before a decoder waits for a pipe or reads a device without an end.

    Raises:
        MediaError: there is nothing, or something else.
    """
    try:
        if path.is_file():
            return
        other = not isinstance(path, RemotePath) and path.exists()
    except RemoteError:
        raise
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise MediaError(f"{path}: cannot be opened ({why})") from None
    raise MediaError(
        f"{path}: is no file but a folder, a pipe or a device" if other else f"{path}: no such file"
    )


@contextmanager
def named(path: Location) -> Iterator[None]:
    """Turn whatever a demuxer, decoder or resampler throws into a `MediaError` of this file.

    Beside FFmpeg's own errors PyAV raises ValueError, IndexError and others on malformed input.

    Raises:
        MediaError: something was raised in the block.
    """
    try:
        yield
    except av.FFmpegError as error:  # its MemoryError too: a header that asks for impossible amounts
        raise MediaError(f"{path}: cannot be decoded ({error.strerror})") from error
    except (MediaError, RemoteError, MemoryError):
        raise
    except Exception as error:
        raise MediaError(f"{path}: cannot be decoded ({type(error).__name__}: {error})") from error


def origin(container: av.container.InputContainer) -> float:
    """Return the file's start on its own clock, seconds."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base


def streams_of(container: av.container.InputContainer, kind: Kind) -> list[Any]:
    """Return the streams of a kind, the one to read first; cover art is no video.

    The first is the one that the file marks as default, as players take it, else the first in the file.
    """
    default, cover = av.stream.Disposition.default, av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams if stream.type == kind]
    streams = [stream for stream in streams if not stream.disposition & cover]
    return sorted(streams, key=lambda stream: not stream.disposition & default)


def stream_of(path: Location, container: av.container.InputContainer, kind: Kind) -> Any:
    """Return the stream of a kind that is read.

    Raises:
        NoStreamError: there is none.
        MediaError: there is none that can be decoded.
    """
    streams = streams_of(container, kind)
    if not streams:
        raise NoStreamError(f"{path}: has no {WORDS[kind]} stream")
    if streams[0].codec_context is None:
        raise MediaError(f"{path}: its {WORDS[kind]} stream is of a codec that is not known")
    return streams[0]


def choice(container: av.container.InputContainer, kind: Kind) -> list[str]:
    """Say which of several streams of a kind is read; nothing where there is one."""
    streams = streams_of(container, kind)
    if len(streams) < 2:
        return []
    place = 1 + sorted(stream.index for stream in streams).index(streams[0].index)
    why = "its default" if streams[0].disposition & av.stream.Disposition.default else "none is its default"
    return [f"has {len(streams)} {WORDS[kind]} streams: number {place} is read ({why})"]
