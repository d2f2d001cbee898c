"""A package that is not installed -> the extra of this project that brings it."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

PACKAGE = "emobed"
EXTRA = re.compile(r"""^([\w.-]+).*;.*\bextra == ["']([\w-]+)["']""")
NOT_FOR_USERS = "dev"


def extra_for(error: BaseException) -> str | None:
    """Return what to install after an import that failed; None if no extra of ours would help.

    Of several extras that bring the package it is the one of its name, or the first by name.
    """
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    wanted = _canonical(error.name.partition(".")[0])
    try:
        listed = requires(PACKAGE) or []
    except PackageNotFoundError:  # a copy of the code that nobody installed
        return None
    brought = [found.groups() for found in map(EXTRA.match, listed) if found]
    extras = sorted({extra for name, extra in brought if _canonical(name) == wanted} - {NOT_FOR_USERS})
    if not extras:
        return None
    return f"pip install '{PACKAGE}[{wanted if wanted in extras else extras[0]}]' brings it"


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
