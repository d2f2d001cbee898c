"""Jobs of one stage -> finished units in the store and a feature table: the engine of all extractions.

A job that is done already is taken from the store. Bad media are data: they are listed with their
reason, the others go on, and above the allowed share the stage fails at its end and names them all.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.vgg_architecture import WeightsError
from pipeline.features.extraction.absent import way_out
from pipeline.features.media.opening import MediaError
from pipeline.location import Location, RemoteError
from pipeline.running.device import resolve
from pipeline.running.errors import one_line, unusable, way_to
from pipeline.running.parallel import RETRIES, ClusterError, Lost, one_thread
from pipeline.running.progress import tracked
from pipeline.running.workshop import Workshop
from pipeline.store.damage import Damage
from pipeline.store.kept_tables import KeptTable
from pipeline.store.packing import Place, Unit
from pipeline.store.rows import Rows, from_bytes, to_bytes
from pipeline.store.tables import Failure, write_failures, write_table
from pipeline.store.units import StoreError, UnitStore

NOT_OF_A_RECORDING = (StoreError, WeightsError, RemoteError, ClusterError, ImportError)
"""What would meet every recording alike, or may be over in a minute: it stops the stage."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

logger = logging.getLogger(__name__)
tracebacks = logging.getLogger("emobed.tracebacks")
"""Where the way to unexpected exceptions goes, on level DEBUG: stages keep it in a file."""


class ExtractionError(RuntimeError):
    """Report that too many recordings failed, or that media are not on this machine."""


class Loaded(NamedTuple):
    """Rows of the table that a stage reads, read already: they travel with their job to another machine."""

    rows: Rows

    def read(self) -> Rows:
        """Return the rows."""
        return self.rows


class _Failed(NamedTuple):
    """A failure, and where the exception came from if nobody expected it: a traceback."""

    failure: Failure
    way: str = ""


@dataclass(frozen=True)
class Job:
    """One recording's share of a stage.

    key: the unit's key. path: the medium. source: the recording's rows in the table the stage reads.
    seen: whether `register` has ever hashed the medium, so that a missing file is one that somebody
    else holds and not a wrong path.
    """

    recording: str
    key: str
    path: Location
    source: Place | Loaded | None = None
    seen: bool = True


@dataclass(frozen=True)
class Stage:
    """What a stage does to a recording.

    name: as in dvc.yaml. kind: of its units. compute: job -> rows, raises MediaError; any other exception
    of it is a failure of the recording as well. check: refuses a recording by the `valid` of its rows,
    check_damage: by what its medium lacks; both raise MediaError (their limits are not part of the key).
    needs_media: False if its jobs can be done without the media. decodes: False if compute runs no decoder,
    which may crash or hang: a single worker is then this process. device: `runtime.device` if compute takes
    one (`device=`).
    """

    name: str
    kind: str
    compute: Callable[..., Rows]
    check: Callable[[Job, NDArray[np.bool_]], None] | None = None
    check_damage: Callable[[Job, Damage], None] | None = None
    needs_media: bool = True
    decodes: bool = True
    device: str | None = None

    def ready(self) -> Stage:
        """Return the stage with its device decided on this machine, which imports torch.

        Raises:
            ValueError: cuda is wanted and there is no GPU.
        """
        if self.device is None:
            return self
        return replace(self, compute=partial(self.compute, device=resolve(self.device)), device=None)


def build_table(
    stage: Stage,
    jobs: Sequence[Job],
    directory: Path,
    shop: Workshop,
    *,
    max_failed_share: float,
    about: Mapping[str, Any],
) -> None:
    """Compute what the store lacks and write the stage's feature table.

    A recording that ends its process, or takes longer than the workshop's limit, has failed.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: more than `max_failed_share` of the recordings failed, or media of
            recordings without finished units are not on this machine.
        StoreError: the store cannot be written.
        ValueError: there is something to compute on a GPU, and there is none.
    """
    store = shop.store
    finished = store.keys(stage.kind)
    absent = [
        job
        for job in jobs
        if stage.needs_media and job.seen and job.key not in finished and not job.path.is_file()
    ]
    if absent:
        path = absent[0].path
        otherwise = (
            f"Put the media where the manifest says (the first: {path}), or go back to the parameters that "
            "the shared features were made with: `git checkout params.yaml dvc.lock && dvc checkout`"
        )
        raise ExtractionError(
            f"{stage.name}: the media of {len(absent)} of {len(jobs)} recordings are not on this machine and "
            f"there are no features of them with these parameters: {_names(absent)}. "
            f"{way_out(path, otherwise)}"
        )
    kept = KeptTable.open(store, directory)
    failures: list[Failure] = []
    units: list[Unit] = []
    # closed whatever happens, so that no process works on for nobody
    with closing(_outcomes(stage, jobs, shop, finished, kept)) as outcomes:
        for outcome in tracked(outcomes, stage.name, "recordings", len(jobs)):
            if isinstance(outcome, _Failed):
                failures.append(outcome.failure)
                if outcome.way:
                    tracebacks.debug("%s: %s\n%s", stage.name, outcome.failure.recording, outcome.way)
            else:
                units.append(outcome)
    if len(failures) > max_failed_share * len(jobs):
        directory.mkdir(parents=True, exist_ok=True)
        write_failures(directory / "failures.csv", failures)
        lines = "\n".join(f"  {failure.recording}: {failure.reason}" for failure in sorted(failures))
        raise ExtractionError(
            f"{stage.name}: {len(failures)} of {len(jobs)} recordings failed, allowed is a share of "
            f"{max_failed_share:g} (max_failed_share); the others are kept:\n{lines}"
        )
    for failure in sorted(failures):
        logger.warning("%s: %s left out: %s", stage.name, failure.recording, failure.reason)

    def read(unit: Unit) -> Rows:
        payload = store.get(stage.kind, unit.key)
        if payload is None:  # damaged since it was made: make it again
            job = next(job for job in jobs if job.recording == unit.recording)
            outcome = _one(stage, store, job)
            payload = store.get(stage.kind, unit.key)
            if payload is None:
                reason = outcome.failure.reason if isinstance(outcome, _Failed) else "it is damaged again"
                raise ExtractionError(
                    f"{stage.name}: {unit.recording}: its unit in the store was damaged and could not be "
                    f"made anew: {reason}. If the recording is a colleague's: `dvc checkout {directory}` "
                    "(after `dvc pull`), then `dvc repro`, which takes the unit from there"
                )
        return from_bytes(payload)

    write_table(directory, units, read, failures, about, kept)


def _outcomes(
    stage: Stage,
    jobs: Sequence[Job],
    shop: Workshop,
    finished: Set[str],
    kept: KeptTable,
) -> Generator[Unit | _Failed]:
    """Give each job's outcome as it is finished."""
    store, fresh = shop.store, list[Job]()
    # one file of the kept table after the other: each is read once for all of its recordings
    for job in sorted(jobs, key=lambda job: kept.file_of(job.recording)):
        if job.key not in finished:
            fresh.append(job)
        elif stage.check is None and stage.check_damage is None:
            yield Unit(job.recording, job.key)
        elif (found := _kept(stage, kept, Unit(job.recording, job.key))) is not None:
            yield _checked(stage, job, *found)
        else:  # reading a finished unit takes less than handing it to another process
            yield _one(stage, store, job)
    # recordings of one row group one after the other: it is read once for all of them
    fresh.sort(key=_place)
    if not fresh:
        return
    if shop.scheduler is not None:
        yield from _on_cluster(stage.ready(), fresh, shop)
    elif not stage.decodes and (shop.workers == 1 or len(fresh) == 1):
        yield from (_one(stage, store, job) for job in fresh)
    else:
        for outcome in shop.run_guarded(_one, (stage, store), fresh):
            yield _lost(stage, outcome.task, outcome) if isinstance(outcome, Lost) else outcome


def _kept(stage: Stage, kept: KeptTable, unit: Unit) -> tuple[NDArray[np.bool_] | None, Damage] | None:
    """Return what a stage checks of a unit, if the kept table held it: the file is read for `valid` only."""
    damage = kept.damage(unit)
    if damage is None:
        return None
    valid = None if stage.check is None else kept.valid(unit)
    return None if stage.check is not None and valid is None else (valid, damage)


def _place(job: Job) -> tuple[Any, ...]:
    if isinstance(job.source, Place):
        return (str(job.source.path), *job.source[1:])
    return (job.recording,)


def _on_cluster(stage: Stage, jobs: Sequence[Job], shop: Workshop) -> Iterator[Unit | _Failed]:
    """Give the outcomes of jobs computed elsewhere; only this process writes the store."""
    by_name = {job.recording: job for job in jobs}
    for finished in shop.run_guarded(_payload, (stage,), map(_travelling, jobs)):
        if isinstance(finished, Lost):
            yield _lost(stage, by_name[finished.task.recording], finished)
            continue
        name, outcome = finished
        job = by_name[name]
        if isinstance(outcome, _Failed):
            # in the words of a local run, so that the failure table has the same bytes
            there, here = one_line(str(job.path.absolute())), one_line(str(job.path))
            reason = outcome.failure.reason.replace(there, here)
            yield outcome._replace(failure=outcome.failure._replace(reason=reason))
            continue
        shop.store.put(stage.kind, job.key, outcome)
        yield _one(stage, shop.store, job)


def _travelling(job: Job) -> Job:
    """Return a job that another machine can do: an absolute path, and the rows it starts from."""
    source = None if job.source is None else Loaded(job.source.read())
    return replace(job, path=job.path.absolute(), source=source)


def _payload(stage: Stage, job: Job) -> tuple[str, bytes | _Failed]:
    """Compute a job on a worker: its recording, and its unit's payload or why there is none."""
    computed = _computed(stage, job)
    return job.recording, computed if isinstance(computed, _Failed) else computed[1]


def _one(stage: Stage, store: UnitStore, job: Job) -> Unit | _Failed:
    payload = store.get(stage.kind, job.key)
    if payload is not None:
        rows = from_bytes(payload)
    else:
        computed = _computed(stage.ready(), job)
        if isinstance(computed, _Failed):
            return computed
        rows, payload = computed
        store.put(stage.kind, job.key, payload)
    return _checked(stage, job, rows.valid, rows.damage)


def _computed(stage: Stage, job: Job) -> tuple[Rows, bytes] | _Failed:
    """Return a job's rows and their bytes; whatever a decoder throws is a failure of the recording.

    An OSError may be over in a moment, such as a network share that is away: it is tried again.

    Raises:
        Exception: one that is not of the recording.
    """
    for left in reversed(range(RETRIES + 1)):
        try:
            # wherever that is: among many, alone, or anew since its unit was damaged
            with one_thread():
                rows = stage.compute(job)
            return rows, to_bytes(rows)
        except (Exception, SystemExit) as error:
            if not _of_the_recording(error):
                raise
            if not left or not isinstance(error, OSError):
                return _failed(stage, job, error)
    raise AssertionError("unreachable: the last attempt returns")


def _checked(stage: Stage, job: Job, valid: NDArray[np.bool_] | None, damage: Damage) -> Unit | _Failed:
    try:
        if stage.check_damage is not None:
            stage.check_damage(job, damage)
        if stage.check is not None and valid is not None:
            stage.check(job, valid)
    except (Exception, SystemExit) as error:
        if not _of_the_recording(error):
            raise
        return _failed(stage, job, error)
    return Unit(job.recording, job.key)


def _of_the_recording(error: BaseException) -> bool:
    """Say whether an exception is about one recording, or would meet all others too."""
    disk_full = isinstance(error, OSError) and error.errno in DISK_FULL
    return not disk_full and not isinstance(error, NOT_OF_A_RECORDING)


def _failed(stage: Stage, job: Job, error: BaseException) -> _Failed:
    """Return the failure of a recording in a sentence, and for developers the way to it."""
    if isinstance(error, MediaError):
        return _Failed(Failure(job.recording, stage.name, one_line(str(error))))
    reason = f"{one_line(str(job.path))}: {unusable(error)}"
    way = way_to(error)
    return _Failed(Failure(job.recording, stage.name, reason), way)


def _lost(stage: Stage, job: Job, lost: Lost) -> _Failed:
    return _Failed(Failure(job.recording, stage.name, f"{one_line(str(job.path))}: {lost.reason}"))


def _names(jobs: Sequence[Job], most: int = 5) -> str:
    names = [job.recording for job in jobs[:most]]
    return ", ".join(names) + (f" and {len(jobs) - most} more" if len(jobs) > most else "")
