"""How settings of systems are shown, and which of them are on the map of their grid."""

from __future__ import annotations

from pipeline.catalogue.systems import SYMBOLS, SYSTEMS
from pipeline.learning.system import setting_values


def on_map(system: str, setting: str) -> bool:
    """Say whether a setting is on the map of its grid: of no control, and with no value of its own."""
    entry = SYSTEMS[system]
    return entry.control_of is None and not set(entry.own) & setting_values(setting).keys()


def shown_setting(setting: str) -> str:
    """Write a setting for the page, `α 0.3, β 0.1`; a dash for an empty one."""
    values = setting_values(setting).items()
    return ", ".join(f"{SYMBOLS.get(name, name)} {value:g}" for name, value in values) or "–"
