"""What every stage script does around its one library call: parameters, lock, log, errors."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.params import Corpus, Params, load_params
from pipeline.paths import Paths, main_checkout
from pipeline.running.errors import one_line
from pipeline.running.one_thread import one_thread
from pipeline.running.workshop import Workshop
from pipeline.store.roots import registered
from pipeline.store.units import UnitStore
from stages.ending import one_sentence

logger = logging.getLogger("emobed")


@dataclass(frozen=True)
class Context:
    """What a stage script works with."""

    name: str
    params: Params
    paths: Paths
    home: Path

    @property
    def corpus(self) -> Corpus:
        """Return the parameters of the corpus."""
        return self.params.corpus(self.name)

    @property
    def store(self) -> UnitStore:
        """Return the store of finished units, in the main checkout."""
        return UnitStore(self.home / self.params.runtime.store)

    @property
    def workshop(self) -> Workshop:
        """Return where work is done, as `runtime` says."""
        runtime = self.params.runtime
        return Workshop(self.store, runtime.workers, runtime.cluster, runtime.device, runtime.time_limit)


def run(stage: Callable[[Context], None]) -> None:
    """Run a stage for the corpus named on the command line; one sentence and exit 1 if it cannot.

    Ctrl-C: one sentence and exit 130.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    name = Path(sys.argv[0]).stem
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python -m stages.{name} CORPUS")
    _run(stage, f"{name}@{sys.argv[1]}", sys.argv[1])


def run_over_all(stage: Callable[[Context], None]) -> None:
    """Run a stage that is one for all corpora, which its context has in `params` alone; else as `run`."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    name = Path(sys.argv[0]).stem
    if len(sys.argv) != 1:
        raise SystemExit(f"usage: python -m stages.{name}")
    _run(stage, name, "")


def _run(stage: Callable[[Context], None], who: str, corpus: str) -> None:
    home = main_checkout()
    log = home / ".emobed/log" / f"{one_line(who).replace('/', '_')}.log"
    with one_sentence(who, log, logger.error, "what is finished is kept: `dvc repro` goes on from there"):
        paths = Paths(corpus)
        context = Context(paths.corpus, load_params(paths.params), paths, home)
        if corpus:
            context.params.corpus(corpus)  # names those that there are, before anything is looked for
        alone, store = _alone(who), context.store
        # work is spread over processes; small products over threads would only wait for each other
        with alone, store.in_use(), registered(store, Path()), one_thread():
            stage(context)


def _alone(name: str) -> FileLock:
    """Wait until no other process runs this stage here, for instance one whose `dvc` was killed."""
    folder = Path(".emobed/locks")
    folder.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(folder / f"{name}.lock"), folder / f"{name}.pid"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pid = holder.read_text().strip() if holder.exists() else "unknown"
        logger.warning("%s is already running here (process %s); waiting for it to end", name, pid)
        lock.acquire()
    holder.write_text(str(os.getpid()))
    return lock
