"""What identifies a trained model: its system, the setting of the system, and a seed.

A setting is text that any system can have: `name=value` pairs with single spaces between them, such as
`alpha=0.3 beta=0.1` or `C=0.01`, or nothing for a system without a choice. Whoever needs numbers of it parses
it and asks for no name in particular.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

NAME = re.compile(r"[A-Za-z_]\w*")


class Variant(NamedTuple):
    """One model; `system` is a name in `pipeline.catalogue.systems`."""

    system: str
    setting: str
    seed: int

    @property
    def name(self) -> str:
        """Return what the model is called, for example `emobed alpha=0.3 beta=0.1 seed=2`."""
        return " ".join(part for part in (self.system, self.setting, f"seed={self.seed}") if part)


def by_seed(variants: Iterable[Variant]) -> list[list[Variant]]:
    """Return the models of each seed together, for systems whose models of a seed share what they learn."""
    found: dict[int, list[Variant]] = {}
    for variant in variants:
        found.setdefault(variant.seed, []).append(variant)
    return list(found.values())


def setting_of(**values: float) -> str:
    """Write a setting that `setting_values` reads back exactly, in the order of the arguments."""
    return " ".join(f"{name}={_written(value)}" for name, value in values.items())


def setting_values(setting: str) -> dict[str, float]:
    """Return the values of a setting by name, in its order; nothing for an empty one.

    Raises:
        ValueError: it is no list of `name=number`, or names a value twice.
    """
    values: dict[str, float] = {}
    for pair in setting.split(" ") if setting else ():
        name, _, number = pair.partition("=")
        try:
            values[name] = float(number)
        except ValueError:
            name = ""
        if not NAME.fullmatch(name):
            raise ValueError(f"setting '{setting}': found '{pair}', expected pairs such as alpha=0.3")
    if setting.count("=") != len(values):
        raise ValueError(f"setting '{setting}': a value is named twice")
    return values


def setting_rank(setting: str) -> tuple[tuple[str, float], ...]:
    """Return a sort key: settings of a system by their values, as numbers."""
    return tuple(setting_values(setting).items())


def _written(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))
