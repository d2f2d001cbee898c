"""Tasks -> results on the workers of a Dask scheduler, one at a time per worker process.

A worker whose code or packages are not those of this process is refused, since its results would be kept
under keys that say otherwise. One that goes away takes nothing along: Dask gives its tasks to another.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

from pipeline.running.environment import ClusterError, environment, require_environment
from pipeline.running.one_thread import one_thread
from pipeline.running.shared_tasks import Piece, Shared, arguments_of

CONNECT_TIMEOUT = 5.0
"""Seconds after which a scheduler that does not answer is given up."""
RETRIES = 2
"""Times a task is tried again after an error, such as a network share that was away for a moment."""
IN_FLIGHT_PER_THREAD = 2
"""Tasks handed to the cluster per thread of it: none waits for work, and few results wait in memory."""
FEWEST_IN_FLIGHT = 4
"""Tasks handed over even to a cluster without workers, so that one that grows by itself grows."""

logger = logging.getLogger(__name__)
_ONE_AT_A_TIME = threading.Lock()


def on_cluster(
    function: Callable[..., Any], common: tuple[Any, ...], tasks: Iterable[Any], address: str
) -> Iterator[Any]:
    """Give `function(*common, task)` of each task as it is finished, as `parallel.run_tasks` says.

    address: of the scheduler.

    Raises:
        ClusterError: as there.
    """
    with _client(address) as client:
        from distributed import as_completed

        def sent(value: Any) -> Any:
            # a task of its own rather than scattered data: if the worker that holds it dies, it is made again
            return client.submit(_together, value, pure=False, retries=RETRIES)

        of_all, left, here = sent(common), iter(tasks), environment()
        of_some: WeakKeyDictionary[Shared, Any] = WeakKeyDictionary()

        def arguments(task: Any) -> tuple[Any, ...]:
            if not isinstance(task, Piece):
                return arguments_of(task)
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
