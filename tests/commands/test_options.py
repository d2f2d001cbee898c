"""Numbers on the command line that are none, or beyond any sense, are a wrong command line."""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.models import OptionInfo
from typer.testing import CliRunner

from stages.commands.app import app
from stages.commands.predict import predict
from stages.commands.serve import serve


def numbers(command: Callable[..., Any]) -> Iterator[tuple[str, OptionInfo]]:
    """Give the options of a command that take a number with a fraction."""
    for name, hint in typing.get_type_hints(command, include_extras=True).items():
        kind, *others = typing.get_args(hint) or (hint,)
        if float in (kind, *typing.get_args(kind)):
            yield f"--{name.replace('_', '-')}", next(own for own in others if isinstance(own, OptionInfo))


@pytest.mark.parametrize("command", [predict, serve])
def test_every_number_has_two_finite_ends(command):
    found = dict(numbers(command))
    assert "--time-limit" in found
    for name, option in found.items():
        ends = (option.min, option.max)
        assert None not in ends, name
        assert all(math.isfinite(end) for end in ends), name
        for value in ("nan", "inf", "-inf", str(option.max * 10), str(option.min - 1)):
            done = CliRunner().invoke(app, [command.__name__, "nowhere", "nothing.wav", f"{name}={value}"])
            assert done.exit_code == 2, (name, value, done.output)
            assert name in done.stderr, (name, value)
