"""Tasks -> results, on this machine or on a Dask cluster: the one place where work is spread.

On this machine tasks go to processes (joblib, loky), one thread each, since the processes are the
parallel part and openSMILE's core has no threads. On a cluster they go to the workers of a Dask
scheduler, one at a time per worker process and one thread each. Results come as they are finished, in any
order. Whoever calls keeps them: a worker needs no access to the store.

Tasks that read other people's files are guarded (`run_guarded`): each is done in a process that may die or
hang without taking anything along. Trainings are not (`run_tasks`): what ends one of them ends the stage, but
on a cluster, where a worker that goes away takes nothing along: Dask gives its tasks to another.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.running.cluster import on_cluster
from pipeline.running.gathered import gathered, repeat
from pipeline.running.guarded import Lost, end_with, run_here
from pipeline.running.shared_tasks import arguments_of


class WorkerError(RuntimeError):
    """Report that a process on this machine died at work: how, what to do."""


def run_tasks(
    function: Callable[..., Any],
    common: tuple[Any, ...],
    tasks: Iterable[Any],
    *,
    workers: int,
    scheduler: str | None = None,
) -> Generator[Any, None, None]:
    """Give `function(*common, task)` of each task as it is finished, in any order.

    Closed before its end, it ends what is at work.

    function: importable on the workers. common: arguments that all tasks share; sent once. tasks: taken
    from the iterable as they are handed out, perhaps in another thread, so that large ones need not be in
    memory together; those that are a `Piece` share something with some of the others.
    workers: processes on this machine; on a cluster its workers count. scheduler: address of a Dask
    scheduler, None for this machine.

    Raises:
        ClusterError: Dask is not installed, the scheduler does not answer or went away, a worker runs
            other code, or a task kills every worker that it is given to.
        WorkerError: a process died, for lack of memory perhaps.
    """
    if scheduler is not None:
        yield from on_cluster(function, common, tasks, scheduler)
        return
    try:
        results = _processes(workers, function, ((*common, *arguments_of(task)) for task in tasks))
        while _begun:
            list(_begun.pop())
        with _closed_silently(results):
            for result, said in results:
                repeat(said)
                yield result
    except BrokenExecutor as error:
        how = re.search(r"\{.+\}", str(error))  # `{SIGKILL(-9)}`
        raise WorkerError(
            f"a process at work died {how[0] if how else ''}: if it was for lack of memory, fewer "
            "runtime.workers or runtime.models_at_once need less. What is finished is kept: run again"
        ) from error


@contextmanager
def _closed_silently(results: Generator[Any, None, None]) -> Iterator[None]:
    """End what is at work at the end of a block; joblib would warn that it is not finished."""
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()


_begun: list[Iterator[Any]] = []
"""What processes do ahead of their first tasks; joblib ends it if nobody holds it."""


def begin(module: str, workers: int) -> None:
    """Start the processes of the next `run_tasks` of as many workers, which import a module meanwhile.

    For work that is sure to come, before this process imports or reads what takes as long.
    """
    if workers > 1:
        _begun.append(_processes(workers, import_module, ((module,) for _ in range(workers)), value=False))


def _processes(
    workers: int, function: Callable[..., Any], calls: Iterable[tuple[Any, ...]], value: bool = True
) -> Generator[tuple[Any, list[logging.LogRecord]], None, None]:
    """Give what a function returns for each call, and what is logged meanwhile; the first begin at once.

    value: whether it returns anything that can travel.
    """
    import joblib

    parent = {"initializer": end_with, "initargs": (os.getpid(),)}
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1, **parent):
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        here = Path.cwd()
        results: Generator[tuple[Any, list[logging.LogRecord]], None, None] = parallel(
            joblib.delayed(_in_folder)(here, value, function, *call) for call in calls
        )
        return results


def run_guarded(
    function: Callable[..., Any],
    common: tuple[Any, ...],
    tasks: Iterable[Any],
    *,
    workers: int,
    time_limit: float | None = None,
    scheduler: str | None = None,
) -> Iterator[Any | Lost]:
    """Give `function(*common, task)` of each task as it is finished, in any order, or the task as `Lost`.

    As `run_tasks`, but a task whose process dies, twice, or takes longer than `time_limit` (seconds) is lost
    and the others are done: `run_here` says how. On a cluster each worker has a process beside it for that.

    Raises:
        ClusterError: as `run_tasks`.
    """
    if scheduler is None:
        yield from run_here(function, common, tasks, workers=workers, time_limit=time_limit)
    else:
        yield from on_cluster(_alone, (function, common, time_limit, Path.cwd()), tasks, scheduler)


def _alone(
    function: Callable[..., Any],
    common: tuple[Any, ...],
    time_limit: float | None,
    folder: Path,
    task: Any,
) -> Any | Lost:
    """Do one guarded task on a worker of a cluster, in the folder of who asks if it is here.

    Files are then found under the names, and named by the words, of a local run.
    """
    # Dask's nannies start workers as daemons, which may have no processes of their own; `end_with` ends ours
    multiprocessing.current_process().daemon = False
    here = folder if folder.is_dir() else None
    (outcome,) = run_here(function, common, [task], workers=1, time_limit=time_limit, folder=here)
    return outcome


def _in_folder(
    folder: Path, value: bool, function: Callable[..., Any], *arguments: Any
) -> tuple[Any, list[logging.LogRecord]]:
    """Call a function in the folder of who asks: joblib keeps its processes, which may be in another."""
    os.chdir(folder)
    with gathered() as said:
        result = function(*arguments)
    return result if value else None, said
