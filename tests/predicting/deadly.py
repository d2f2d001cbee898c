"""A file that takes its process with it, in a module that a process imports at once."""

from __future__ import annotations

import os
import signal
import time

from pipeline.predicting.medium import Medium
from pipeline.predicting.work import Outcome, Work, predict_medium


def predict_or_die(work: Work, medium: Medium) -> Outcome:
    if "deadly" in medium.name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hanging" in medium.name:
        time.sleep(600)
    return predict_medium(work, medium)
