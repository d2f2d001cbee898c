"""How every figure looks, and how it becomes bytes: colours, sizes, deterministic SVG and PNG."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pipeline.catalogue.systems import SYSTEMS

# Okabe and Ito's colours, told apart with every common colour blindness.
SYSTEM_COLOURS = {entry.name: entry.colour for entry in SYSTEMS.values()}
CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#595959", "#B8A900")
GOLD_COLOUR = "#000000"
WIDTH = 4.7
"""Inches: 450 CSS pixels, so that 10 point text stays above 7.5 point on a phone of 390."""
PNG_DPI = 160
POINTS = 72
"""Units of an SVG per inch."""
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (3, 1, 1, 1, 1, 1)),
)
"""Of lines, so that they are told apart without colour."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Of classes, so that they are told apart without colour."""
SHADED = "#e3e3e3"
ON_DARK, ON_LIGHT = "#fefefe", "#010101"
"""Text on a coloured cell: hardly other than white and black, which change with the page's colours."""
STYLE: dict[str, Any] = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.edgecolor": "#444444",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.use": True,
    # Recordings and classes may have a $ in their names.
    "text.parse_math": False,
    # Of traces with thousands of points: what moves a line by less than this, pixels, is left out.
    "path.simplify_threshold": 0.3,
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and coloured
    # Ids in the SVG are hashes of this and the content: same figure, same bytes.
    "svg.hashsalt": "emobed",
}


class NotDrawnError(ValueError):
    """Report a figure that cannot be drawn, in the words that end the sentence `... is not drawn: `."""


class Picture(NamedTuple):
    """A figure ready for the page: name of its files, SVG element, text in its stead, caption.

    panels: JSON of what a pointer may read, see `Panel`.
    """

    name: str
    svg: str
    caption: str
    panels: str


class Panel(NamedTuple):
    """Axes whose lines can be read by a pointer.

    lines: (line, its name). across: what the x axis is. ticks: names of the x values 0, 1, 2, ... if they
    have some.
    """

    axes: Axes
    lines: Sequence[tuple[Line2D, str]]
    across: str
    ticks: Sequence[str] = ()


@contextmanager
def style() -> Iterator[None]:
    """Apply the figures' style, and only it, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)  # type: ignore[arg-type]  # keys are checked at run time
        yield


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure, inches; drawn without pyplot, so that nothing is kept open."""
    return Figure(figsize=(width, height))


def of_svg(folder: Path) -> Path:
    """Return where the SVG of figures goes whose PNG is in `folder`, all of which `dvc plots show` shows."""
    return folder.with_name(f"{folder.name}_svg")


def picture(
    figure: Figure, folder: Path, name: str, alt: str, caption: str, panels: Sequence[Panel] = ()
) -> Picture:
    """Write a figure as `<folder>/<name>.png`, and return it as SVG element for the page.

    The SVG by itself goes into a folder of its own, `of_svg`. Call within `style()`. No date is written: same
    figure, same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for place, panel in enumerate(panels):
        for number, (line, _) in enumerate(panel.lines):
            line.set_gid(f"line-{place}-{number}")
    figure.savefig(folder / f"{name}.png", dpi=PNG_DPI, metadata={"Software": None})
    figure.set_layout_engine("none")  # laid out once: the SVG has the places of the PNG
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    of_svg(folder).mkdir(parents=True, exist_ok=True)
    (of_svg(folder) / f"{name}.svg").write_text(buffer.getvalue(), encoding="utf-8")
    prefix = re.sub(r"[^\w-]", "-", name)
    return Picture(name, _element(buffer.getvalue(), prefix, alt), caption, _readable(figure, prefix, panels))


def _element(svg: str, prefix: str, alt: str) -> str:
    """Return a figure's SVG as element of a page: no preamble, own ids, named for who cannot see it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<style type=\"text/css\">.*?</style>", "", svg, flags=re.DOTALL)  # is in the page's
    svg = re.sub(r'\bid="', f'id="{prefix}.', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\g<1>#{prefix}.", svg)
    svg = TAG.sub(lambda tag: LONG_NUMBER.sub(lambda number: f"{float(number[0]):.2f}", tag[0]), svg)
    svg = POINTS_OF_ONE_STYLE.sub(_styled_once, svg)
    size = re.compile(r' width="[\d.]+pt" height="[\d.]+pt"')
    named = f' role="img" aria-label="{escape(alt, quote=True)}"'
    return re.sub(r"\n\s*", "\n", size.sub(lambda _: named, svg, count=1)).strip()


TAG, LONG_NUMBER = re.compile(r"<[^>]*>"), re.compile(r"\d+\.\d{3,}")
"""Places are rounded where they stand, in tags; numbers that are read, such as a tick of 0.001, are not."""
POINTS_OF_ONE_STYLE = re.compile(
    r'(<g clip-path="[^"]*")>((?:\s*<use [^>]*?( style="[^"]*")/>)(?:\s*<use [^>]*?\3/>)*)'
)
"""Markers that look alike, in one group."""


def _styled_once(points: re.Match[str]) -> str:
    """Return a group of points whose common style is said once."""
    return f"{points[1]}{points[3]}>{points[2].replace(points[3], '')}"


def _readable(figure: Figure, prefix: str, panels: Sequence[Panel]) -> str:
    """Return JSON of the panels: places in units of the SVG, limits of the axes, lines by id."""
    width, height = figure.get_size_inches() * POINTS
    found = []
    for place, panel in enumerate(panels):
        box = panel.axes.get_position()
        places = (box.x0 * width, (1 - box.y1) * height, box.width * width, box.height * height)
        found.append(
            {
                "box": [round(float(value), 2) for value in places],
                "x": [float(value) for value in panel.axes.get_xlim()],
                "y": [float(value) for value in panel.axes.get_ylim()],
                "across": panel.across,
                "ticks": list(panel.ticks),
                "lines": [
                    {"id": f"{prefix}.line-{place}-{number}", "name": name, "colour": str(line.get_color())}
                    for number, (line, name) in enumerate(panel.lines)
                ],
            }
        )
    return json.dumps(found)
