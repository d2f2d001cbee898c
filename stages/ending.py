"""How a program of ours ends when it cannot go on: one sentence and an exit code, whatever happened.

An exception that carries a sentence for the user is printed as it is. Any other is a fault of ours or of
something that nobody thought of: it is named with where it happened, and its traceback is kept in a file.
"""

from __future__ import annotations

import linecache
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType

from pipeline import __name__ as LIBRARY  # noqa: N812  (in a wheel `emobed.pipeline`)
from pipeline.running.errors import in_words, one_line, place_of, way_to
from pipeline.running.extras import extra_for
from stages import __name__ as PROGRAM  # noqa: N812

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended, as shells say it."""
HOUSE = Path(__file__).resolve().parents[1]

tracebacks = logging.getLogger("emobed.tracebacks")


class _Tracebacks(logging.Handler):
    """A file of tracebacks, which is there only if there are some and the disk takes them."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        self.path = path
        self.written = False

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            mode = "a" if self.written else "w"
            with self.path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
                file.write(record.getMessage() + "\n")
            self.written = True


@contextmanager
def one_sentence(
    who: str,
    log: Path,
    say: Callable[[str], None],
    go_on: str,
    passing: tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """Turn what is raised inside into a sentence and an exit code.

    who: begins the sentence. log: file for tracebacks. say: prints a sentence. go_on: what to do after
    Ctrl-C. passing: exceptions that somebody else handles. With EMOBED_DEBUG set exceptions are raised as
    they are.
    """
    if any(isinstance(own, _Tracebacks) and own.path == log for own in tracebacks.handlers):
        yield  # whoever began with it around this says it, once
        return
    file, level, propagate = _Tracebacks(log), tracebacks.level, tracebacks.propagate
    tracebacks.addHandler(file)
    tracebacks.setLevel(logging.DEBUG)
    tracebacks.propagate = False
    try:
        yield
    except KeyboardInterrupt as interrupt:
        say(f"{who}: stopped by Ctrl-C; {go_on}")
        _close(interrupt)
        raise SystemExit(INTERRUPTED) from None
    except passing:
        raise
    except Exception as error:
        if os.environ.get("EMOBED_DEBUG"):
            raise
        where = f"{who}: {place_of(error)}"
        if meant_for_users(error):
            say(f"{where}{error}")
        elif extra := extra_for(error):
            say(f"{where}{error}; {extra}")
        else:
            place = _place(error.__traceback__)
            tracebacks.debug("%s\n%s", who, way_to(error))
            say(f"{where}{_unexpected(error)}{place}; EMOBED_DEBUG=1 shows the traceback")
        _close(error)
        raise SystemExit(1) from None
    finally:
        if file.written:  # also of recordings that failed
            say(f"{who}: the tracebacks of what nobody expected are in {log}")
        tracebacks.removeHandler(file)
        tracebacks.setLevel(level)
        tracebacks.propagate = propagate


def _close(error: BaseException | None) -> None:
    """Let go of what the functions that an exception ended had opened, such as a table half read.

    It would stay open to the interpreter's end, and a thread that reads ahead in it take the process down.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def meant_for_users(error: BaseException) -> bool:
    """Say whether an exception carries a sentence of ours.

    Those of our own classes do, and those that a `raise` in our code made of ValueError, RuntimeError or
    OSError; what a library or a conversion such as `int("x")` throws does not.
    """
    if type(error).__module__.startswith((f"{LIBRARY}.", f"{PROGRAM}.")):
        return True
    frames = list(_frames(error.__traceback__))
    if not frames or not isinstance(error, ValueError | RuntimeError | OSError):
        return False
    frame, line = frames[-1]
    path = frame.f_code.co_filename
    return _ours(path) and linecache.getline(path, line).lstrip().startswith("raise")


def _unexpected(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"needs more memory than there is ({in_words(error)})"
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror} ({type(error).__name__})"
    return in_words(error)


def _place(way: TracebackType | None) -> str:
    """Return the recording and the file that our innermost function worked on, as far as they show."""
    found: dict[str, str] = {}
    for frame, _ in reversed(list(_frames(way))):
        if not _ours(frame.f_code.co_filename):
            continue
        for name, value in frame.f_locals.items():
            recording = value if name == "recording" else getattr(value, "recording", None)
            if isinstance(recording, str) and recording:
                found.setdefault("recording", recording)
            if name in ("path", "file", "directory") and isinstance(value, str | Path):
                found.setdefault("file", str(value))
    return one_line(f", at {', '.join(f'{what} {value}' for what, value in found.items())}") if found else ""


def _frames(way: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    yield from traceback.walk_tb(way)


def _ours(path: str) -> bool:
    return Path(path).is_relative_to(HOUSE / "pipeline") or Path(path).is_relative_to(HOUSE / "stages")
