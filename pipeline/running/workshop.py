"""Where work is done and where its results are kept: one object for whoever hands work out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pipeline.running.guarded import Lost
from pipeline.running.parallel import begin, run_guarded, run_tasks
from pipeline.store.units import UnitStore

PIPELINE = __name__.removesuffix(".running.workshop")
"""The package of all rooms; in a wheel it has another name."""


@dataclass(frozen=True)
class Workshop:
    """Where, and on what, work is done; nothing in it changes a result.

    store: of finished units. workers: processes on this machine. scheduler: address of a Dask scheduler,
    whose workers do the work instead; None: this machine. device: `runtime.device` (auto, cpu or cuda), which
    whoever computes in torch resolves. time_limit: seconds that a recording may take; None: any number.
    """

    store: UnitStore
    workers: int = 1
    scheduler: str | None = None
    device: str = "cpu"
    time_limit: float | None = None

    def alone(self) -> Workshop:
        """Return it with this process alone: for work that takes less than handing it to another does."""
        return replace(self, workers=1, scheduler=None)

    def of(self, tasks: int) -> Workshop:
        """Return it with no more processes than there are tasks, and one at least."""
        return replace(self, workers=max(1, min(self.workers, tasks)))

    def local(self) -> Workshop:
        """Return it without the cluster: for work that takes less than sending its rows elsewhere does."""
        return replace(self, scheduler=None)

    def begin(self, module: str) -> None:
        """Let the processes of the next `run_tasks` import a module ahead; on a cluster nothing is begun.

        module: as it is called within the pipeline, `scoring.evaluation`: in a wheel that lies elsewhere.
        """
        if self.scheduler is None:
            begin(f"{PIPELINE}.{module}", self.workers)

    def run_tasks(
        self, function: Callable[..., Any], common: tuple[Any, ...], tasks: Iterable[Any]
    ) -> Generator[Any, None, None]:
        """Give `function(*common, task)` of each task, as `parallel.run_tasks` does."""
        return run_tasks(function, common, tasks, workers=self.workers, scheduler=self.scheduler)

    def run_guarded(
        self, function: Callable[..., Any], common: tuple[Any, ...], tasks: Iterable[Any]
    ) -> Iterator[Any | Lost]:
        """Give `function(*common, task)` of each task, or the task as `Lost`: `parallel.run_guarded`."""
        limit = self.time_limit
        return run_guarded(
            function, common, tasks, workers=self.workers, scheduler=self.scheduler, time_limit=limit
        )
