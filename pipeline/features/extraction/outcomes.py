"""One job -> a finished unit in the store, or why there is none."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extraction.jobs import Job, Stage
from pipeline.features.extractor import Finished, NotReadyError
from pipeline.features.media.opening import MediaError
from pipeline.location import RemoteError
from pipeline.running.cluster import RETRIES
from pipeline.running.device import resolve
from pipeline.running.environment import ClusterError
from pipeline.running.errors import one_line, unusable, way_to
from pipeline.running.guarded import Lost
from pipeline.running.one_thread import one_thread
from pipeline.store.damage import Damage
from pipeline.store.kept_tables import KeptTable
from pipeline.store.packing import Unit
from pipeline.store.rows import Rows, from_bytes, to_bytes
from pipeline.store.tables import Failure
from pipeline.store.units import StoreError, UnitStore

NOT_OF_A_RECORDING = (StoreError, NotReadyError, RemoteError, ClusterError, ImportError)
"""What would meet every recording alike, or may be over in a minute: it stops the stage."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Failed(NamedTuple):
    """A failure, and where the exception came from if nobody expected it: a traceback."""

    failure: Failure
    way: str = ""


class UnitGoneError(StoreError):
    """Report a unit that was in the store and is not any more, or is damaged."""


@dataclass(frozen=True)
class KeptUnit:
    """What limits are about in a unit that was finished before: of the kept table, else of the store.

    Its properties raise UnitGoneError where neither has it.
    """

    stage: Stage
    store: UnitStore
    kept: KeptTable
    job: Job

    @property
    def damage(self) -> Damage:
        """Return the damage of the medium."""
        found = self.kept.damage(self._unit)
        return self._rows.damage if found is None else found

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Return which rows describe the recording, (rows,); of the kept table one column is read."""
        found = self.kept.valid(self._unit)
        return self._rows.valid if found is None else found

    @property
    def _unit(self) -> Unit:
        return Unit(self.job.recording, self.job.key)

    @cached_property
    def _rows(self) -> Rows:
        payload = self.store.get(self.stage.kind, self.job.key)
        if payload is None:
            raise UnitGoneError(f"{self.store.path(self.stage.kind, self.job.key)}: no such unit any more")
        return from_bytes(payload)


def done(stage: Stage, store: UnitStore, device: str, job: Job) -> Unit | Failed:
    """Return a job's unit, made unless it is in the store, or its failure.

    device: `runtime.device`, resolved where something is computed.
    """
    payload = store.get(stage.kind, job.key)
    if payload is not None:
        return checked(stage, job, from_bytes(payload))
    both = _with_following(stage, store, device, job)
    made = computed(stage, device, job) if both is None else (both[0], to_bytes(both[0]))
    if isinstance(made, Failed):
        return made
    rows, payload = made
    store.put(stage.kind, job.key, payload)
    outcome = checked(stage, job, rows)
    if both is not None and stage.following is not None and isinstance(outcome, Unit):
        store.put(stage.following.kind, stage.following.key(job), to_bytes(both[1]))
    return outcome


def _with_following(stage: Stage, store: UnitStore, device: str, job: Job) -> tuple[Rows, Rows] | None:
    """Return a job's rows and those of the stage that follows; None if it is done or they do not go together.

    None too if the recording fails: where each stage works by itself, it comes out which of them it fails.
    """
    after = stage.following
    if after is None or store.has(after.kind, after.key(job)):
        return None
    try:
        with one_thread():
            return after.extractor.extract_both(stage.extractor, job.given(), resolve(device))
    except (Exception, SystemExit) as error:
        if not of_the_recording(error):
            raise
        return None


def payload_of(stage: Stage, device: str, job: Job) -> tuple[str, bytes | Failed]:
    """Compute a job far from the store: its recording, and its unit's payload or why there is none."""
    made = computed(stage, device, job)
    return job.recording, made if isinstance(made, Failed) else made[1]


def computed(stage: Stage, device: str, job: Job) -> tuple[Rows, bytes] | Failed:
    """Return a job's rows and their bytes; whatever a decoder throws is a failure of the recording.

    An OSError may be over in a moment, such as a network share that is away: it is tried again.

    Raises:
        Exception: one that is not of the recording.
    """
    device = resolve(device)
    for left in reversed(range(RETRIES + 1)):
        try:
            # wherever that is: among many, alone, or anew since its unit was damaged
            with one_thread():
                rows = stage.extractor.extract(job.given(), device)
            return rows, to_bytes(rows)
        except (Exception, SystemExit) as error:
            if not of_the_recording(error):
                raise
            if not left or not isinstance(error, OSError):
                return _failed(stage, job, error)
    raise AssertionError("unreachable: the last attempt returns")


def checked(stage: Stage, job: Job, finished: Finished) -> Unit | Failed:
    """Return a finished unit, or the failure of a recording whose limits it does not keep.

    Raises:
        UnitGoneError: of `finished`.
    """
    try:
        stage.extractor.check(job.path, finished)
    except (Exception, SystemExit) as error:
        if not of_the_recording(error):
            raise
        return _failed(stage, job, error)
    return Unit(job.recording, job.key)


def lost(stage: Stage, job: Job, task: Lost) -> Failed:
    """Return the failure of a recording whose process ended or took too long."""
    return Failed(Failure(job.recording, stage.name, f"{one_line(str(job.path))}: {task.reason}"))


def of_the_recording(error: BaseException) -> bool:
    """Say whether an exception is about one recording, or would meet all others too."""
    disk_full = isinstance(error, OSError) and error.errno in DISK_FULL
    return not disk_full and not isinstance(error, NOT_OF_A_RECORDING)


def _failed(stage: Stage, job: Job, error: BaseException) -> Failed:
    """Return the failure of a recording in a sentence, and for developers the way to it."""
    if isinstance(error, MediaError):
        return Failed(Failure(job.recording, stage.name, one_line(str(error))))
    reason = f"{one_line(str(job.path))}: {unusable(error)}"
    way = way_to(error)
    return Failed(Failure(job.recording, stage.name, reason), way)
