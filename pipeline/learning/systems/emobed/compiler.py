"""C source -> a shared library for a processor, by the machine's C compiler."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCES = tuple(Path(__file__).with_name(name) for name in ("compiled_layers", "compiled_steps"))
FLAGS = (
    "-O2", "-fno-fast-math", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
    "-fvisibility=hidden", "-shared", "-fPIC",
)  # fmt: skip
"""-O3 makes a second version of loops over rows, for which GCC keeps sums in memory: half as fast."""
NATIVE = {
    **dict.fromkeys(("x86_64", "amd64", "i386", "i686", "s390x"), "-march=native"),
    **dict.fromkeys(("arm64", "aarch64", "ppc64le"), "-mcpu=native"),
}
"""What asks for this machine's processor, where compilers agree on that."""
COMPILERS = ("cc", "gcc", "clang")
SECONDS = 300
"""Most that a compiler may take; it takes some seconds on an idle machine."""
SECONDS_TO_SAY = 60
"""Most that it may take to say its version."""


class NotCompiledError(RuntimeError):
    """Report that there are no compiled functions on this machine, and why."""


class CompilerFailedError(NotCompiledError):
    """Report that a compiler said no; where its disk was full, it may succeed in another folder."""


@dataclass(frozen=True)
class Compiler:
    """A compiler's command with its arguments, and what tells it from others and from its other versions."""

    command: tuple[str, ...]
    digest: str

    @classmethod
    def found(cls) -> Compiler:
        """Return the compiler that the variable CC names, with arguments if it has any, or the usual one.

        Raises:
            NotCompiledError: there is none, or it does not answer.
        """
        command = _command()
        said = _run([*command, "--version"], {}, SECONDS_TO_SAY)
        about = "\n".join([*command, said.stdout])
        return cls(command, hashlib.sha256(about.encode()).hexdigest()[:8])

    def compile(self, folder: Path, processor: str | None = None) -> Path:
        """Compile `SOURCES` into a file of the folder, and return it.

        processor: flags of the compiler for another one than this machine's.

        Raises:
            NotCompiledError: the compiler does not start or takes too long.
            CompilerFailedError: it fails.
        """
        made = folder / "made.so"
        own = NATIVE.get(platform.machine().lower(), "") if processor is None else processor
        sources = [str(path) for source in SOURCES for path in sorted(source.glob("*.c"))]
        command = [*self.command, *own.split(), *FLAGS, *sources, "-o", str(made), "-lm"]
        # ccache would take what was made on another machine for that one's native processor
        own_settings = {"LC_ALL": "C", "TMPDIR": str(folder), "CCACHE_DISABLE": "1"}
        done = _run(command, own_settings, SECONDS)
        if done.returncode or not made.is_file():
            said = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()
            wrong = next((line for line in said if "error" in line), said[0])
            raise CompilerFailedError(f"`{shlex.join(self.command)}` failed: {wrong}")
        return made


def _command() -> tuple[str, ...]:
    named = os.environ.get("CC", "").strip()
    if not named:
        usual = next(filter(shutil.which, COMPILERS), None)
        if usual is None:
            raise NotCompiledError(
                f"there is no C compiler ({', '.join(COMPILERS)}); install one, as by `apt install gcc`, or "
                "name it in the variable CC"
            )
        return (usual,)
    if shutil.which(named):  # a path may have spaces
        return (named,)
    try:
        words = shlex.split(named)
    except ValueError as error:
        raise NotCompiledError(f"CC is `{named}`, which is not a command: {error}") from None
    if not words or shutil.which(words[0]) is None:
        raise NotCompiledError(f"CC is `{named}`, and there is no such program; name a C compiler in it")
    return tuple(words)


def _run(
    command: Sequence[str], settings: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run a program, and end all that it started if it takes too long or this process is interrupted.

    Raises:
        NotCompiledError: it does not start, or takes too long.
    """
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding="utf-8", errors="replace", env=os.environ | settings, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise NotCompiledError(f"`{command[0]}` does not start: {error}") from None
    with process:
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise NotCompiledError(f"`{shlex.join(command)}` took more than {seconds} s") from None
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)
