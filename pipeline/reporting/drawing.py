"""How every figure looks, and how it becomes bytes: colours, sizes, deterministic SVG and PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from pipeline.learning.systems.table import SYSTEMS

# Okabe and Ito's colours, told apart with every common colour blindness.
SYSTEM_COLOURS = {entry.name: entry.colour for entry in SYSTEMS.values()}
CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#595959", "#B8A900")
GOLD_COLOUR = "#000000"
WIDTH = 4.7
"""Inches: 450 CSS pixels, so that 10 point text stays above 7.5 point on a phone of 390."""
PNG_DPI = 160
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
    "svg.fonttype": "path",
    # Ids in the SVG are hashes of this and the content: same figure, same bytes.
    "svg.hashsalt": "emobed",
}


class NotDrawnError(ValueError):
    """Report a figure that cannot be drawn, in the words that end the sentence `... is not drawn: `."""


class Picture(NamedTuple):
    """A figure ready for the page: name of its PNG, data URI, size in CSS pixels, text in its stead."""

    name: str
    uri: str
    width: int
    height: int
    alt: str
    caption: str


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


def picture(figure: Figure, folder: Path, name: str, alt: str, caption: str) -> Picture:
    """Write a figure as `<folder>/<name>.png` and return it as SVG for the page.

    Call within `style()`. No date is written: same figure, same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=PNG_DPI, metadata={"Software": None})
    figure.set_layout_engine("none")  # laid out once: the SVG has the places of the PNG
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    uri = "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
    width, height = figure.get_size_inches() * 96
    return Picture(name, uri, round(width), round(height), alt, caption)
