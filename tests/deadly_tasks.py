"""Tasks for `test_processes.py`, in a module that a process imports at once."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path


def do(folder: Path, task: str) -> str:
    with (folder / task).open("a") as file:
        file.write(f"{os.getpid()}\n")
    if task == "sleeps":
        time.sleep(600)
    if task == "hangs":  # in C, with the interpreter's lock held
        ctypes.PyDLL(None).sleep(600)
    if task == "crashes":
        ctypes.string_at(0)
    if task == "aborts":
        os.abort()
    if task == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "leaves":
        os._exit(3)
    if task == "once" and len((folder / task).read_text().split()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)  # as if a neighbour had taken the memory
    if task == "throws":
        raise KeyError("of the function")
    if task == "interrupts":
        raise KeyboardInterrupt
    return task.upper()


def alive(pid: int) -> bool:
    """Say whether there is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found


def interruptible() -> None:
    """Let Ctrl-C through in a process that is started: what a shell runs in the background ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
