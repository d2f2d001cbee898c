"""What several components of a configuration do to the same frames -> done by one of them, the same numbers.

For each window every component of functionals copies its frames, with what is noted of each, and that takes
longer than a mean of them. The sets of openSMILE have some for a mean, or a count of peaks, alone: another
one computes it as well. Contours that are smoothed alike are smoothed, and copied, together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.features.audio.smile_configuration import BETWEEN, INSTANCE, INSTANCES, SECTION

OPTION = re.compile(r"([^=\s]+)\s*=\s*(.*?)\s*$")
SIMPLE = {"Moments": "amean", "Peaks2": "numPeaks"}
"""Functionals, and an output of each that is the same whatever other outputs are asked for."""
UNASKED = {"Moments": {"variance", "stddev", "skewness", "kurtosis"}}
"""Outputs that come where nothing is said of them."""
PEAKS = ("norm", "relThresh", "dynRelThresh", "absThresh", "noClearPeakList")
"""Options by which peaks are found and counted."""
NO_OUTPUTS = {*PEAKS, "doRatioLimit"}
SHARED = ("frameMode", "frameSize", "frameStep", "frameCenterSpecial", "functNameAppend", "preserveFields")
"""Options by which rows, and the names in them, are of the same kind."""
READ, WRITTEN, LEVEL = "reader.dmLevel", "writer.dmLevel", ".dmLevel"
"""Options that name levels; some components have further readers."""
ASKED = "asked"
"""The component, and its level, that gives of joined functionals what is asked for, in its order."""


def joined(text: str, sink: str, names: Iterable[str]) -> str:
    """Return a configuration in which functionals are joined where that changes no number.

    text: of `configuration`. sink: the component that reads rows. names: of the values of a row, in order.
    """
    graph = _Graph(text)
    count = len(graph.types)
    functionals = [name for name, kind in graph.types.items() if kind == "cFunctionals"]
    for name in functionals:
        graph.smooth_together([name])
    for guest in functionals:
        for host in functionals:
            if guest != host and host in graph.types and graph.take_in(host, guest):
                break
    if len(graph.types) == count:
        return text
    graph.select(sink, names)
    return graph.text()


class _Graph:
    """The components of a configuration. types, options: by the component's name, in order."""

    def __init__(self, text: str) -> None:
        self.types: dict[str, str] = {}
        self.options: dict[str, dict[str, str]] = {}
        section = ""
        for line in text.splitlines():
            option = OPTION.match(line)
            if found := SECTION.match(line):
                section = found[1]
            elif option and (instance := INSTANCE.match(line)):
                self.types[instance[1]] = option[2]
            elif option:
                self.options.setdefault(section, {})[option[1]] = option[2]

    def text(self) -> str:
        """Return the configuration."""
        lines = [f"[{INSTANCES}:cComponentManager]"]
        lines += [f"instance[{name}].type = {kind}" for name, kind in self.types.items()]
        for name, options in self.options.items():
            lines += ["", f"[{name}:{self.types.get(name, 'cComponentManager')}]"]
            lines += [f"{option} = {value}" for option, value in options.items()]
        return "\n".join(lines) + "\n"

    def take_in(self, host: str, guest: str) -> bool:
        """Let a component of functionals compute what another does, if it can; return whether it does."""
        kind = self._simple(guest)
        if kind is None or not self._alike(host, guest, kind):
            return False
        if self._levels(host) != self._levels(guest) and not self.smooth_together([host, guest]):
            return False
        self.options[host][f"{kind}.{SIMPLE[kind]}"] = "1"
        own, others = (self.options[name][WRITTEN] for name in (host, guest))
        self._remove(guest)
        for options in self.options.values():
            for option, value in options.items():
                levels = BETWEEN.split(value)
                if option.endswith(LEVEL) and others in levels:
                    levels = [own if level == others else level for level in levels]
                    options[option] = ";".join(dict.fromkeys(levels))
        return True

    def smooth_together(self, functionals: list[str]) -> bool:
        """Let one component smooth what some read, if all of it is smoothed alike and read by nobody else.

        Returns whether it does.
        """
        levels = [level for name in functionals for level in self._levels(name)]
        writers = {options.get(WRITTEN): name for name, options in self.options.items()}
        smoothers = [writers.get(level, "") for level in levels]
        if len(smoothers) < 2 or any(self.types.get(name) != "cContourSmoother" for name in smoothers):
            return False
        how = [_without(self.options[name], READ, WRITTEN) for name in smoothers]
        elsewhere = {
            level
            for name, options in self.options.items()
            for option, value in options.items()
            if name not in functionals and option.endswith(LEVEL) and option != WRITTEN
            for level in BETWEEN.split(value)
        }
        if any(one != how[0] for one in how) or not elsewhere.isdisjoint(levels):
            return False
        first = self.options[smoothers[0]]
        first[READ] = ";".join(level for name in smoothers for level in self._levels(name))
        for name in smoothers[1:]:
            self._remove(name)
        for name in functionals:
            self.options[name][READ] = first[WRITTEN]
        return True

    def select(self, sink: str, names: Iterable[str]) -> None:
        """Let a sink read what is asked for, by its names."""
        ring = {"growDyn": "0", "isRb": "1", "nT": "5"}
        self.options[ASKED] = {READ: self.options[sink][READ], WRITTEN: ASKED, "selected": ";".join(names)}
        self.options[ASKED] |= {f"writer.levelconf.{option}": value for option, value in ring.items()}
        self.options[sink][READ] = ASKED
        kind = self.types.pop(sink)
        self.types |= {ASKED: "cDataSelector", sink: kind}

    def _simple(self, name: str) -> str | None:
        """Return the functional of a component that computes nothing but a simple output of it."""
        options = self.options[name]
        kind = options.get("functionalsEnabled", "")
        asked = set(UNASKED.get(kind, ()))
        for option, value in options.items():
            of, _, output = option.partition(".")
            if of == kind and output not in NO_OUTPUTS:
                asked = asked - {output} if value == "0" else asked | {output}
        return kind if kind in SIMPLE and asked == {SIMPLE[kind]} else None

    def _alike(self, host: str, guest: str, kind: str) -> bool:
        """Return whether a component gives the same simple output as another, of whatever both read."""
        own, others = self.options[host], self.options[guest]
        enabled = BETWEEN.split(own["functionalsEnabled"])
        # what is read together is computed of all of it: nothing but the functional itself
        if kind not in enabled or (self._levels(host) != self._levels(guest) and enabled != [kind]):
            return False
        same = [*SHARED, *(f"{kind}.{option}" for option in PEAKS)]
        same += [] if kind == "Moments" or f"{kind}.norm" in others else ["masterTimeNorm"]
        zeros = own.get("nonZeroFuncts", "0") == others.get("nonZeroFuncts", "0")
        return zeros and all(own.get(option) == others.get(option) for option in same)

    def _levels(self, name: str) -> list[str]:
        """Return the levels that a component reads."""
        read = self.options.get(name, {}).get(READ, "")
        return [level for level in BETWEEN.split(read) if level]

    def _remove(self, name: str) -> None:
        del self.types[name], self.options[name]


def _without(options: dict[str, str], *names: str) -> dict[str, str]:
    return {option: value for option, value in options.items() if option not in names}
