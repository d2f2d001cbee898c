"""Jobs of one stage -> finished units in the store and a feature table: the engine of all extractions.

A job that is done already is taken from the store. Bad media are data: they are listed with their
reason, the others go on, and above the allowed share the stage fails at its end and names them all.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.corpora.recording import Recording
from pipeline.features.extraction.absent import way_out
from pipeline.features.extraction.jobs import Job, Stage, media_jobs, table_jobs
from pipeline.features.extraction.outcomes import (
    Failed,
    KeptUnit,
    UnitGoneError,
    checked,
    done,
    lost,
    payload_of,
)
from pipeline.params import Corpus
from pipeline.running.device import resolve
from pipeline.running.guarded import Lost
from pipeline.running.progress import tracked
from pipeline.running.workshop import Workshop
from pipeline.store.kept_tables import KeptTable
from pipeline.store.packing import Place, Unit
from pipeline.store.rows import Rows, from_bytes
from pipeline.store.table_index import EMOTION_TRAINED
from pipeline.store.tables import Failure, FeatureTable, write_failures, write_table

logger = logging.getLogger(__name__)
tracebacks = logging.getLogger("emobed.tracebacks")
"""Where the way to unexpected exceptions goes, on level DEBUG: stages keep it in a file."""


FEW = 200
"""Recordings below which, where rows are read and no media, processes take longer to start than to help."""


class ExtractionError(RuntimeError):
    """Report that too many recordings failed, or that media are not on this machine."""


def extract(
    stage: Stage,
    corpus: Corpus,
    recordings: Sequence[Recording],
    directory: Path,
    shop: Workshop,
    table: FeatureTable | None = None,
) -> None:
    """Run a stage's extractor over a corpus; its feature table goes into `directory`.

    table: whose rows the extractor reads, if it reads some.

    Raises:
        NotReadyError: the extractor lacks something, such as its weights.
        ClusterError, ExtractionError, StoreError, ValueError: as `build_table`.
    """
    about, read = stage.extractor.fingerprint(), {} if table is None else table.index["about"]
    if table is None:
        jobs = media_jobs(stage.extractor, recordings, corpus)
    else:
        jobs = table_jobs(stage.extractor, table, recordings, corpus)
    if stage.extractor.emotion_trained or read.get(EMOTION_TRAINED):
        about |= {EMOTION_TRAINED: True}
    build_table(stage, jobs, directory, shop, about)


def build_table(
    stage: Stage,
    jobs: Sequence[Job],
    directory: Path,
    shop: Workshop,
    about: Mapping[str, Any],
    failed: Sequence[Failure] = (),
) -> None:
    """Compute what the store lacks and write the stage's feature table.

    A recording that ends its process, or takes longer than the workshop's limit, has failed.

    about: what the table says of itself. failed: recordings for which there is no job, and why.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: more than the allowed share of the recordings failed, or media of recordings
            without finished units are not on this machine.
        NotReadyError: the extractor lacks something, such as its weights.
        StoreError: the store cannot be written.
        ValueError: there is something to compute on a GPU, and there is none.
    """
    store = shop.store
    finished = store.keys(stage.kind)
    _require_media(stage, jobs, finished)
    kept = KeptTable.open(store, directory)
    failures = list(failed)
    units: list[Unit] = []
    # closed whatever happens, so that no process works on for nobody
    with closing(_outcomes(stage, jobs, shop, finished, kept)) as outcomes:
        for outcome in tracked(outcomes, stage.name, "recordings", len(jobs)):
            if isinstance(outcome, Failed):
                failures.append(outcome.failure)
                if outcome.way:
                    tracebacks.debug("%s: %s\n%s", stage.name, outcome.failure.recording, outcome.way)
            else:
                units.append(outcome)
    count = len(jobs) + len(failed)
    if len(failures) > stage.max_failed_share * count:
        directory.mkdir(parents=True, exist_ok=True)
        write_failures(directory / "failures.csv", failures)
        lines = "\n".join(f"  {failure.recording}: {failure.reason}" for failure in sorted(failures))
        raise ExtractionError(
            f"{stage.name}: {len(failures)} of {count} recordings failed, allowed is a share of "
            f"{stage.max_failed_share:g} (max_failed_share); the others are kept:\n{lines}"
        )
    for failure in sorted(failures):
        logger.warning("%s: %s left out: %s", stage.name, failure.recording, failure.reason)
    by_name = {job.recording: job for job in jobs}

    def read(unit: Unit) -> Rows:
        payload = store.get(stage.kind, unit.key)
        if payload is None:  # damaged since it was made: make it again
            outcome = done(stage, store, _device(stage, shop), by_name[unit.recording])
            payload = store.get(stage.kind, unit.key)
            if payload is None:
                reason = outcome.failure.reason if isinstance(outcome, Failed) else "it is damaged again"
                raise ExtractionError(
                    f"{stage.name}: {unit.recording}: its unit in the store was damaged and could not be "
                    f"made anew: {reason}. If the recording is a colleague's: `dvc checkout {directory}` "
                    "(after `dvc pull`), then `dvc repro`, which takes the unit from there"
                )
        return from_bytes(payload)

    write_table(directory, units, read, failures, about, kept)


def _require_media(stage: Stage, jobs: Sequence[Job], finished: Set[str]) -> None:
    absent = [
        job
        for job in jobs
        if stage.needs_media and job.seen and job.key not in finished and not job.path.is_file()
    ]
    if absent:
        path = absent[0].path
        otherwise = (
            f"Put the media where the manifest says (the first: {path}), or go back to the parameters that "
            "the shared features were made with: `git checkout params.yaml dvc.lock stages/dvc.lock && "
            "dvc checkout`"
        )
        raise ExtractionError(
            f"{stage.name}: the media of {len(absent)} of {len(jobs)} recordings are not on this machine and "
            f"there are no features of them with these parameters: {_names(absent)}. "
            f"{way_out(path, otherwise)}"
        )


def _outcomes(
    stage: Stage, jobs: Sequence[Job], shop: Workshop, finished: Set[str], kept: KeptTable
) -> Generator[Unit | Failed]:
    """Give each job's outcome as it is finished."""
    store, device, fresh = shop.store, _device(stage, shop), list[Job]()
    # one file of the kept table after the other: each is read once for all of its recordings
    for job in sorted(jobs, key=lambda job: kept.file_of(job.recording)):
        if job.key not in finished:
            fresh.append(job)
            continue
        try:
            yield checked(stage, job, KeptUnit(stage, store, kept, job))
        except UnitGoneError:
            fresh.append(job)
    # recordings of one row group one after the other: it is read once for all of them
    fresh.sort(key=_place)
    if not fresh:
        return
    stage = replace(stage, extractor=stage.extractor.prepared(job.given() for job in fresh))
    if stage.extractor.in_stage:
        yield from (done(stage, store, device, job) for job in fresh)
    elif shop.scheduler is not None:
        yield from _on_cluster(stage, fresh, shop, resolve(device))
    elif not stage.needs_media and (shop.workers == 1 or len(fresh) < FEW):
        yield from (done(stage, store, device, job) for job in fresh)
    else:
        for outcome in shop.run_guarded(done, (stage, store, device), fresh):
            yield lost(stage, outcome.task, outcome) if isinstance(outcome, Lost) else outcome


def _device(stage: Stage, shop: Workshop) -> str:
    return shop.device if stage.extractor.on_device else "cpu"


def _place(job: Job) -> tuple[Any, ...]:
    if isinstance(job.source, Place):
        return (str(job.source.path), *job.source[1:])
    return (job.recording,)


def _on_cluster(stage: Stage, jobs: Sequence[Job], shop: Workshop, device: str) -> Iterator[Unit | Failed]:
    """Give the outcomes of jobs computed elsewhere; only this process writes the store."""
    by_name = {job.recording: job for job in jobs}
    for finished in shop.run_guarded(payload_of, (stage, device), (job.travelling() for job in jobs)):
        if isinstance(finished, Lost):
            yield lost(stage, by_name[finished.task.recording], finished)
            continue
        name, outcome = finished
        if isinstance(outcome, Failed):
            yield outcome
            continue
        shop.store.put(stage.kind, by_name[name].key, outcome)
        yield done(stage, shop.store, device, by_name[name])


def _names(jobs: Sequence[Job], most: int = 5) -> str:
    names = [job.recording for job in jobs[:most]]
    return ", ".join(names) + (f" and {len(jobs) - most} more" if len(jobs) > most else "")
