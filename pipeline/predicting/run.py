"""Words and options of a command line -> tables of predictions, and a count of what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import BinaryIO, NamedTuple

from pipeline.params import modality_of
from pipeline.predicting.formats import CSV, SHOWN
from pipeline.predicting.growing_table import Table
from pipeline.predicting.inputs import apart, listed
from pipeline.predicting.journal import ResumeError
from pipeline.predicting.medium import Failure, Medium
from pipeline.predicting.options import Options, known_speaker, real_path, require_possible, require_together
from pipeline.predicting.output import Output
from pipeline.predicting.printed import Printed
from pipeline.predicting.side_by_side import Facts, plan, unlike_training
from pipeline.predicting.speaker import digest
from pipeline.predicting.work import Outcome, Work, predict_medium, stamp_of
from pipeline.recogniser.description import Description
from pipeline.recogniser.folder import read_folder
from pipeline.running.errors import one_line
from pipeline.running.guarded import Lost
from pipeline.running.parallel import run_guarded
from pipeline.running.progress import tracked


class Verdict(NamedTuple):
    """How a run ended.

    files: all that were asked for. done: with rows, earlier runs' too. failed: which. unlike: files of this
    run that are unlike those of training, to one recogniser or more. earlier: files of earlier runs.
    """

    files: int
    done: int
    failed: tuple[Failure, ...]
    allowed_share: float
    unlike: int = 0
    earlier: int = 0

    @property
    def in_part(self) -> int:
        """Return the number of files of which not every recogniser, or not of every part, said something."""
        return max(0, len(self.failed) - (self.files - self.done))

    @property
    def enough(self) -> bool:
        """Say whether something was predicted and no more failed than may."""
        return self.done > 0 and len(self.failed) <= self.allowed_share * self.files


def predict_all(
    words: Sequence[str], options: Options, say: Callable[[str], None], printed: BinaryIO
) -> Verdict:
    """Predict all inputs with all recognisers.

    words: recognisers and inputs. say: prints a sentence for people. printed: takes the table where no file
    is named.

    Raises:
        InputError, NotOneTableError, OptionError, ResumeError: the command line cannot be followed as it is.
        NotReadyError, RecogniserError: a recogniser cannot be used.
        TableError: a table of files cannot be read.
        WriteError: the output cannot be written.
    """
    require_together(options)
    folders, paths = apart(words)
    about = [read_folder(folder) for folder in folders]
    for folder, own in zip(folders, about, strict=True):
        require_possible(folder, own, options)
    how = plan([facts_of(own) for own in about], options.hop)
    text = any(modality_of(name) == "text" for own in about for name in own.needed)
    inputs = listed(paths, root=options.root, text=text)
    for note in (*how.notes, *inputs.notes):
        say(note)
    speaker = known_speaker(folders, options, say)
    work = Work(
        tuple(folder.absolute() for folder in folders),
        how,
        inputs.columns,
        options.hop,
        options.device,
        options.embeddings is not None,
        None if options.plots is None else options.plots.absolute(),
        speaker,
        text,
    )
    with _output(options, about, work, printed) as out:
        done = {mark.file: mark.stamp for mark in out.past if mark.file is not None}
        todo = [medium for medium in inputs.media if not _finished(work, medium, done)]
        for failure in inputs.failures:
            out.fail(failure)
        count = earlier = len(inputs.media) - len(todo)
        unlike = 0
        if earlier:
            say(f"{earlier} of {len(inputs.media)} files are finished already")
        if others := len(done.keys() - {_key(medium) for medium in inputs.media}):
            which = "file that is" if others == 1 else "files that are"
            say(f"{options.out} keeps the rows of {others} {which} not among these inputs")
        for outcome in _outcomes(work, todo, options, printed):
            if isinstance(outcome, Lost):
                reason = outcome.reason.replace("runtime.time_limit", "--time-limit")
                out.fail(Failure(outcome.task.name, one_line(reason)))
            elif not outcome.blocks:
                out.fail(outcome.problems[0])
            else:
                out.write(_key(outcome.medium), outcome.stamp, outcome.blocks, outcome.problems)
                count += 1
                unlike += bool(unlike_training(outcome.blocks[0].columns, how.names))
        out.complete()
        failed = tuple(sorted(out.failures))
    files = len(inputs.media) + len(inputs.failures)
    return Verdict(files, count, failed, options.max_failed_share, unlike, earlier)


def facts_of(about: Description) -> Facts:
    """Return what tells a recogniser from others."""
    modalities = "+".join(modality_of(name) for name in about.needed)
    hop = about.made_corpus.grid.hop
    thresholds = about.calibrated_thresholds
    return Facts(about.name, about.corpus, modalities, about.dimension, about.classes, hop, thresholds)


def _output(
    options: Options, about: Sequence[Description], work: Work, printed: BinaryIO
) -> Output | Printed:
    if options.out is None:
        return Printed(printed, SHOWN if printed.isatty() else CSV)
    tables = [Table.at(path) for path in (options.out, options.embeddings) if path is not None]
    made = {
        "EmoBed": _version(),
        "recognisers": [f"{own.corpus}/{own.name} {own.sha256}" for own in about],
        "--hop": work.hop,
        "--embeddings": work.embeddings,
        "columns of tables": list(work.cells),
        "speaker": digest(work.enrolment),
    }
    return Output(tuple(tables), made, options.resume)


def _version() -> str:
    from importlib.metadata import version

    return version("emobed")


def _outcomes(
    work: Work, todo: Sequence[Medium], options: Options, printed: BinaryIO
) -> Iterator[Outcome | Lost]:
    """Give what becomes of each file as it is finished; a file that ends its process ends nothing else."""
    workers = max(1, min(options.workers, len(todo)))
    outcomes = run_guarded(predict_medium, (work,), todo, workers=workers, time_limit=options.time_limit)
    with closing(outcomes):  # type: ignore[type-var]
        shown = options.out is not None or not printed.isatty()
        yield from tracked(outcomes, "predict", "files", len(todo)) if shown else outcomes


def _finished(work: Work, medium: Medium, done: dict[str, tuple[int, ...]]) -> bool:
    """Say whether a file's rows are there.

    Raises:
        ResumeError: they are of another state of the file, or of its row in a table.
    """
    known = done.get(_key(medium))
    if known is not None and known != stamp_of(work, medium):
        raise ResumeError(
            f"{medium.path}: the file, or its row in the table, has changed since its rows were written; "
            "begin another output"
        )
    return known is not None


def _key(medium: Medium) -> str:
    return real_path(medium.path)
