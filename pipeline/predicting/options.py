"""What is asked for on a command line -> whether recognisers can do it, or why not."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.catalogue.systems import SYSTEMS
from pipeline.corpora.spelling import is_there
from pipeline.predicting.speaker import by_speaker, speaker_of
from pipeline.recogniser.description import Description
from pipeline.recogniser.enrolment import Enrolment
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.file_features import require_stages
from pipeline.recogniser.folder import read_folder

NEAR = 1e-9
"""Seconds: what differs by less is the same duration."""


class OptionError(ValueError):
    """Report an option that these recognisers or inputs do not allow: why, what would be right."""


@dataclass(frozen=True)
class Options:
    """What is asked for.

    out: the table; None: printed as csv. embeddings: their table. plots: folder of pictures. window, hop:
    seconds; None: those of training. workers: processes. time_limit: seconds that a file may take. root:
    folder below which files that tables name lie; None: that of the table. max_failed_share: of the files.
    enrol: folder with recordings of the speaker. speaker: who is enrolled.
    """

    out: Path | None = None
    embeddings: Path | None = None
    plots: Path | None = None
    window: float | None = None
    hop: float | None = None
    workers: int = 1
    device: str = "cpu"
    resume: bool = False
    max_failed_share: float = 0.0
    root: Path | None = None
    time_limit: float | None = None
    enrol: Path | None = None
    speaker: str | None = None


def require_together(options: Options) -> None:
    """Refuse options that need a table on disk where there is none.

    Raises:
        OptionError: there is none, or both tables are one file, or pictures would go into a file.
    """
    if options.plots is not None and is_there(options.plots) and not options.plots.is_dir():
        raise OptionError(f"--plot {options.plots}: is a file, expected a folder")
    if options.out is None:
        for name, given in (("--resume", options.resume), ("--embeddings", options.embeddings)):
            if given:
                raise OptionError(f"{name} needs --out: what is printed cannot be gone on with")
        return
    for name, other, wanted in (
        ("--embeddings", options.embeddings, "two files"),
        ("--plot", options.plots, "a file and a folder"),
    ):
        if other is not None and real_path(other) == real_path(options.out):
            raise OptionError(f"{name} and --out are both {options.out}, expected {wanted}")


def require_possible(folder: Path, about: Description, options: Options) -> None:
    """Refuse what a recogniser cannot do for any file.

    folder, about: the recogniser and what is said of it.

    Raises:
        OptionError: why, and what would be right.
    """
    _require_files(folder, about)
    _require_times(folder, about, options)
    if options.embeddings is not None and SYSTEMS[about.system].encoders == "none":
        raise OptionError(
            f"--embeddings: {folder} is a system without encoders ({about.system}) and has no embeddings; "
            "export one that has (export.system: emobed)"
        )


def _require_files(folder: Path, about: Description) -> None:
    """Refuse recognisers whose features no file has.

    Raises:
        OptionError: why.
    """
    try:
        require_stages(about.made_corpus, about.needed)
    except RecogniserError as error:
        raise OptionError(f"{folder}: {error}") from None


def _require_times(folder: Path, about: Description, options: Options) -> None:
    """Refuse windows other than those of training, and a hop for whole utterances.

    Raises:
        OptionError: why, and what would be right.
    """
    grid = about.made_corpus.grid
    if options.window is not None and grid.window is None:
        raise OptionError(
            f"--window: {folder} predicts a file as a whole; name its parts in a table with start and end"
        )
    if options.window is not None and abs(options.window - (grid.window or 0.0)) > NEAR:
        raise OptionError(
            f"--window {options.window:g}: {folder} learnt from windows of {grid.window:g} s, and features "
            "of other windows are other features; train one with this window (grid.window)"
        )
    if options.hop is not None and grid.hop is None:
        raise OptionError(
            f"--hop: {folder} predicts a file as a whole and has no trace to read at other times"
        )
    if options.hop is not None and options.hop <= 0:
        raise OptionError(f"--hop {options.hop:g}: expected seconds above 0")


def known_speaker(folders: Sequence[Path], options: Options, say: Callable[[str], None]) -> Enrolment | None:
    """Return what is known of the speaker of all inputs, or say that nothing is where it matters.

    Raises:
        OptionError: both ways to name a speaker, or recognisers that do not ask for one.
        InputError, RecogniserError: as `speaker_of`.
    """
    about = [read_folder(folder) for folder in folders]
    asked = options.enrol is not None or options.speaker is not None
    scaled = [own.name for own in about if by_speaker(own)]
    if options.enrol is not None and options.speaker is not None:
        raise OptionError("--enrol and --speaker both say who speaks, expected one of them")
    if asked and not scaled:
        raise OptionError(
            "--enrol and --speaker are for recognisers that scale by speaker, and none of these does "
            "(scaling.speaker: none)"
        )
    if not asked and scaled:
        say(
            f"{', '.join(scaled)}: features are scaled by speaker, and nobody is known: expect lower scores "
            "than with --enrol or --speaker"
        )
    absolute = [folder.absolute() for folder in folders]
    return speaker_of(absolute, options.device, options.enrol, options.speaker, say, options.time_limit)


def real_path(path: Path) -> str:
    """Return the one name of a file, whatever links lead to it."""
    return os.path.realpath(path)
