"""The guard of the hard and the fuzzed files sees what it is there for."""

from __future__ import annotations

import os
import signal
import time

from tests.guarded import ADDRESSES, Crashed, Guard, Hung, Raised


def misbehave(how: str) -> str:
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "hang":
        time.sleep(600)
    elif how == "raise":
        raise KeyError("date")
    elif how == "grow":
        return "grown" if bytearray(b"x") * (200 << 20) else ""
    elif how == "ask for everything":
        bytearray(ADDRESSES)
    return how


def test_a_crash_and_a_hang_are_results_and_the_next_input_is_done():
    asked = ["good", "crash", "good", "hang", "raise", "grow", "ask for everything", "good"]
    with Guard(misbehave, seconds=4) as guarded:
        outcomes = [guarded(how) for how in asked]
    assert [outcome.value for outcome in outcomes] == [
        "good", Crashed(-signal.SIGSEGV), "good", Hung(4), Raised("KeyError: 'date'"), "grown",
        Raised("MemoryError: "), "good",
    ]  # fmt: skip
    assert outcomes[5].grown > 150 << 20
    assert all(outcome.grown < 50 << 20 for outcome in (outcomes[0], outcomes[2], outcomes[7]))
