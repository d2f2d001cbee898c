"""Tasks -> results, on this machine or on a Dask cluster: the one place where work is spread.

On this machine tasks go to processes (joblib, loky), one thread each, since the processes are the
parallel part and openSMILE's core has no threads. On a cluster they go to the workers of a Dask
scheduler, one at a time per worker process and one thread each. Results come as they are finished, in any
order. Whoever calls keeps them: a worker needs no access to the store.

Tasks that read other people's files are guarded (`run_guarded`): each is done in a process that may die or
hang without taking anything along. Trainings are not (`run_tasks`): what ends one of them ends the stage, but
on a cluster, where a worker that goes away takes nothing along: Dask gives its tasks to another.

A worker whose code or packages
are not those of this process is refused, since its results would be kept under keys that say otherwise.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from pipeline.running.gathered import gathered, repeat
from pipeline.running.guarded import THREADS, Lost, end_with, run_here

CONNECT_TIMEOUT = 5.0
"""Seconds after which a scheduler that does not answer is given up."""
RETRIES = 2
"""Times a task is tried again after an error, such as a network share that was away for a moment."""
IN_FLIGHT_PER_THREAD = 2
"""Tasks handed to the cluster per thread of it: none waits for work, and few results wait in memory."""
FEWEST_IN_FLIGHT = 4
"""Tasks handed over even to a cluster without workers, so that one that grows by itself grows."""
PACKAGES = (
    "av",
    "facenet-pytorch",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "opensmile",
    "pyarrow",
    "torch",
)
"""Packages that take part in results."""

logger = logging.getLogger(__name__)
_ONE_AT_A_TIME = threading.Lock()


SETTERS = (
    ("torch", "set_num_threads", "get_num_threads"),
    ("cv2", "setNumThreads", "getNumThreads"),
)
"""Modules with a number of threads of their own, and the functions that set and get it."""


class Shared:
    """Something that several tasks need: each worker of a cluster gets it once, while it is held here."""

    def __init__(self, value: Any) -> None:
        """Hold a value."""
        self.value = value


class Piece(NamedTuple):
    """A task that shares something with some of the others: `function(*common, shared.value, own)`."""

    shared: Shared
    own: Any


class ClusterError(RuntimeError):
    """Report that the cluster cannot be used: what is wrong, what to do."""


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
        yield from _on_cluster(function, common, tasks, scheduler)
        return
    try:
        results = _processes(workers, function, ((*common, *_arguments(task)) for task in tasks))
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
        yield from _on_cluster(_alone, (function, common, time_limit, Path.cwd()), tasks, scheduler)


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


def _arguments(task: Any) -> tuple[Any, ...]:
    """Return what a function is called with for a task, after what is common to all."""
    return (task.shared.value, task.own) if isinstance(task, Piece) else (task,)


def _in_folder(
    folder: Path, value: bool, function: Callable[..., Any], *arguments: Any
) -> tuple[Any, list[logging.LogRecord]]:
    """Call a function in the folder of who asks: joblib keeps its processes, which may be in another."""
    os.chdir(folder)
    with gathered() as said:
        result = function(*arguments)
    return result if value else None, said


def _on_cluster(
    function: Callable[..., Any], common: tuple[Any, ...], tasks: Iterable[Any], address: str
) -> Iterator[Any]:
    with _client(address) as client:
        from distributed import as_completed

        def sent(value: Any) -> Any:
            # a task of its own rather than scattered data: if the worker that holds it dies, it is made again
            return client.submit(_together, value, pure=False, retries=RETRIES)

        of_all, left, here = sent(common), iter(tasks), environment()
        of_some: WeakKeyDictionary[Shared, Any] = WeakKeyDictionary()

        def arguments(task: Any) -> tuple[Any, ...]:
            if not isinstance(task, Piece):
                return (task,)
            if task.shared not in of_some:
                of_some[task.shared] = sent(task.shared.value)
            return of_some[task.shared], task.own

        def hand_out(count: int) -> list[Any]:
            calls = ((here, function, of_all, *arguments(task)) for task in islice(left, count))
            return [client.submit(_one_task, *call, pure=False, retries=RETRIES) for call in calls]

        finished = as_completed(hand_out(_wanted_in_flight(client)), loop=client.loop)
        for future in finished:
            result = future.result()
            future.release()
            del future
            finished.update(hand_out(max(0, _wanted_in_flight(client) - finished.count())))
            yield result


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """Connect to a scheduler; turn what Dask raises into a sentence."""
    try:
        import distributed
    except ModuleNotFoundError:
        raise ClusterError(
            "runtime.backend: dask needs the packages dask and distributed, here and on the workers: "
            "`pip install -c constraints.txt -e '.[cluster]'`"
        ) from None
    from concurrent.futures import CancelledError

    try:
        client = distributed.Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"runtime.scheduler: no Dask scheduler answers at {address} within {CONNECT_TIMEOUT:g} s; "
            "start one (`dask scheduler`, docs/cluster.md), name its address, or set runtime.backend to local"
        ) from error
    with client:
        if not client.nthreads():
            logger.warning("the Dask scheduler at %s has no workers yet: waiting for the first", address)
        try:
            yield client
        except distributed.KilledWorker as error:
            raise ClusterError(
                f"{address}: a task ended every worker that it was given to, for lack of memory perhaps "
                f"({error}); the workers' logs say more. What is finished is kept"
            ) from error
        except (CancelledError, distributed.comm.CommClosedError) as error:
            raise ClusterError(
                f"{address}: the scheduler went away; start it again and run again: what is finished is kept"
            ) from error


def _wanted_in_flight(client: Any) -> int:
    return max(FEWEST_IN_FLIGHT, IN_FLIGHT_PER_THREAD * sum(client.nthreads().values()))


def _together(shared: Any) -> Any:
    """Hold on a worker what tasks share."""
    return shared


def _one_task(
    expected: dict[str, str], function: Callable[..., Any], common: tuple[Any, ...], *task: Any
) -> Any:
    """Run one task on a worker: nothing beside it in this process, one thread."""
    require_environment(expected)
    # openSMILE and torch's thread count are one per process, so tasks take turns in it
    with _ONE_AT_A_TIME, one_thread():
        return function(*common, *task)


@contextmanager
def one_thread(libraries: Any = None) -> Iterator[None]:
    """Compute in one thread, as the processes of `run_tasks` do: sums over more threads round differently.

    Libraries that are loaded inside read their number of threads from the environment. libraries: those that
    are loaded, `threadpoolctl.ThreadpoolController()`, for whoever comes here so often that looking for them
    each time (some 10 ms) would cost more than the work.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    counts = [
        (sys.modules[module], setter, getattr(sys.modules[module], getter)())
        for module, setter, getter in SETTERS
        if module in sys.modules
    ]
    try:
        os.environ |= dict.fromkeys(THREADS, "1")
        for module, setter, _ in counts:
            getattr(module, setter)(1)
        with _limited(libraries):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        for module, setter, count in counts:
            getattr(module, setter)(count)


def _limited(libraries: Any) -> AbstractContextManager[Any]:
    if libraries is not None:
        return libraries.limit(limits=1)
    if "numpy" not in sys.modules:  # then none of them is loaded
        return nullcontext()
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(1)


def require_environment(expected: dict[str, str]) -> None:
    """Refuse to work with other code or packages than the process that asks.

    Raises:
        ClusterError: something differs; what, and both versions.
    """
    here = environment()
    different = [
        f"{name} is {here.get(name)}, wanted {wanted}"
        for name, wanted in expected.items()
        if here.get(name) != wanted
    ]
    if different:
        raise ClusterError(
            f"a Dask worker runs other code than this process: {'; '.join(different)}. Start the workers "
            "from the same commit and constraints.txt"
        )


@lru_cache(maxsize=1)
def environment() -> dict[str, str]:
    """Return what results depend on beside their inputs: the code's sha256 and packages' versions."""
    found = {"python": ".".join(map(str, sys.version_info[:2])), "pipeline": _code_sha256()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _code_sha256() -> str:
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for kind in ("*.py", "*.[ch]") for path in root.rglob(kind)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
