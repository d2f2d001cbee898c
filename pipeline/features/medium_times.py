"""Times of labels or feature rows, and the length of their medium -> what is wrong with them, in seconds.

Files of annotations and features count time as their makers liked: in seconds, milliseconds, frames. What is
written there is compared with the medium at its beginning, inside, and at its end, by `check` and by the
stages alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.media.opening import MediaError

Array = NDArray[np.float64]
MAX_GAP = 1.0
"""Seconds without a row beyond which that is said, where no parameter says how many."""
STEPS = 3
"""Of their own usual distances that rows may lie apart as well."""
END = 1.0
"""Seconds by which times may end before the medium, or after it: containers and raters are not exact."""
END_SHARE = 0.05
"""Share of the medium by which times may end after it, where that is more."""
OTHER_MEDIUM = 1.5
"""Times that reach further than this times the medium (and `END`) are of another unit or another medium."""
LONGEST = 24 * 3600.0
"""Seconds that no recording of unknown length is believed to last."""
LONG, COARSE = 3600.0, 10.0
"""Of a recording of unknown length: whole numbers so far apart, up to beyond an hour, are no seconds."""
NAMED = 3
"""Holes that are named; the others are counted."""


class ImpossibleTimesError(MediaError):
    """Report rows with times that cannot be those of their medium: with another medium they may be."""


class TimeProblem(NamedTuple):
    """What is wrong with some times; impossible: they cannot be those of the medium, so none can be used."""

    sentence: str
    impossible: bool = False


def tolerance(start: Array, max_gap: float) -> float:
    """Return the seconds that rows may lie apart: `max_gap`, or a few of their own usual distances."""
    steps = np.diff(start)
    return max(max_gap, STEPS * float(np.median(steps))) if len(steps) else max_gap


def time_problems(
    what: str, start: Array, end: Array, duration: float | None, max_gap: float = MAX_GAP
) -> list[TimeProblem]:
    """Compare the times of one recording with its medium.

    what: begins the sentences, such as `labels of arousal`. start, end: seconds, rising, (rows,) each, at
    least one row; equal for points in time. duration: of the medium, seconds; None: unknown. max_gap:
    seconds.
    """
    wrong = _impossible(what, start, end, duration)
    if wrong is not None:
        return [wrong]
    found, last, allowed = [], float(end[-1]), tolerance(start, max_gap)
    if start[0] < -END:
        found.append(f"{what} begin at {_seconds(start[0])}, before the recording")
    elif start[0] > allowed:
        found.append(f"{what} begin at {_seconds(start[0])}")
    holes = np.flatnonzero(start[1:] - end[:-1] > allowed)
    if len(holes):
        named = ", ".join(f"from {_seconds(end[k])} to {_seconds(start[k + 1])}" for k in holes[:NAMED])
        more = f" and {len(holes) - NAMED} times more" if len(holes) > NAMED else ""
        found.append(f"{what}: none {named}{more}")
    if duration is not None:
        late = max(END, END_SHARE * duration)
        if last < duration - END or last > duration + late:
            found.append(f"{what} end at {_seconds(last)} of {_seconds(duration)}")
    return [TimeProblem(sentence) for sentence in found]


def longest_possible(lengths: Sequence[float]) -> float:
    """Return the longest of the lengths of one recording that can be its own beside the shortest, seconds."""
    most = OTHER_MEDIUM * min(lengths) + END
    return max(length for length in lengths if length <= most)


def disagreement(lengths: Mapping[str, float], media: Collection[str] = ()) -> str | None:
    """Say that the feature tables of one recording cannot be of the same recording; None: they can.

    lengths: by table, seconds. media: tables that were extracted from media: where there are some of them,
    the recording is as long as these.
    """
    own = [lengths[name] for name in lengths if name in media] or list(lengths.values())
    if not own or max(lengths.values()) <= OTHER_MEDIUM * longest_possible(own) + END:
        return None
    shortest, *others = sorted(lengths, key=lambda name: lengths[name])
    rest = ", ".join(f"{name} at {_seconds(lengths[name])}" for name in others)
    return (
        f"features of {shortest} end at {_seconds(lengths[shortest])}, {rest}: not the same recording or "
        "unit, expected seconds from the beginning of the recording"
    )


def require_possible(what: str, start: Array, end: Array, duration: float | None) -> None:
    """Refuse times that cannot be those of the medium, before anything is made as long as they say.

    Raises:
        ImpossibleTimesError: says how long they are and what they look like; arguments as of `time_problems`.
    """
    wrong = _impossible(what, start, end, duration)
    if wrong is not None:
        raise ImpossibleTimesError(wrong.sentence)


def _impossible(what: str, start: Array, end: Array, duration: float | None) -> TimeProblem | None:
    last = float(end[-1])
    if last < 0:
        return TimeProblem(f"{what} end at {_seconds(last)}, before the recording begins", impossible=True)
    whole = bool((start == np.round(start)).all())
    if duration is None:
        steps = np.diff(start)
        coarse = whole and last > LONG and len(steps) > 0 and float(np.median(steps)) >= COARSE
        if last <= LONGEST and not coarse:
            return None
        return TimeProblem(
            f"{what} end at {_seconds(last)}: the times look like milliseconds or numbers of frames, "
            "expected seconds",
            impossible=True,
        )
    if last <= OTHER_MEDIUM * duration + END:
        return None
    return TimeProblem(
        f"{what} end at {_seconds(last)} of {_seconds(duration)}: the times "
        f"{_guess(last / duration, whole)}, expected seconds",
        impossible=True,
    )


def _guess(ratio: float, whole: bool) -> str:
    """Say what times look like that are `ratio` times as long as the medium."""
    for name, factor in (("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)):
        if 0.5 < ratio / factor < 1.2:
            return f"look like {name}"
    if whole:
        return "look like numbers of frames" if ratio < 500 else "look like numbers of samples"
    return "are those of another recording or unit"


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if abs(value) >= 1000 else f"{value:.1f} s"
