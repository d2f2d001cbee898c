"""The list of hard media, all of them."""

from __future__ import annotations

from tests.features.hard_media import (
    clocks,
    containers,
    damage,
    geometry,
    joined,
    lengths,
    levels,
    not_media,
    rates,
    streams,
)

ALL = [
    *containers.CASES,
    *levels.CASES,
    *clocks.CASES,
    *rates.CASES,
    *streams.CASES,
    *geometry.CASES,
    *lengths.CASES,
    *damage.CASES,
    *joined.CASES,
    *not_media.CASES,
]
BY_NAME = {case.name: case for case in ALL}
assert len(BY_NAME) == len(ALL), "two cases have one name"
