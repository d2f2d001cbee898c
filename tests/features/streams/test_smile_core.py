"""The end of a core of openSMILE, whatever it is doing."""

import threading
import time

import pytest
from opensmile.core.lib import OpenSmileException

from pipeline.features.streams.smile_core import _end


class Core:
    """Runs until it is aborted, and begins late; as openSMILE does, it refuses to abort what does not run."""

    def __init__(self, late: float, ends_itself: bool) -> None:
        self.late, self.ends_itself = late, ends_itself
        self.running, self.aborted, self.freed = False, threading.Event(), False

    def run(self) -> None:
        time.sleep(self.late)
        if self.ends_itself:
            return
        self.running = True
        self.aborted.wait(10)
        self.running = False

    def abort(self) -> None:
        if not self.running:
            raise OpenSmileException(3, "openSMILE must be in the running state for aborting")
        self.aborted.set()

    def free(self) -> None:
        self.freed = True


@pytest.mark.parametrize("late", [0.0, 0.1])
@pytest.mark.parametrize("ends_itself", [False, True])
def test_a_core_ends_before_it_runs_while_it_runs_and_after_it_ran(late, ends_itself):
    core = Core(late, ends_itself)
    thread = threading.Thread(target=core.run, daemon=True)
    thread.start()
    _end(core, thread)
    assert core.freed
    assert not thread.is_alive()
