"""A finished run -> the figures that README and docs show: `make figures`.

`docs/report.png`: the first screen of the report of demo_clips; `docs/report.pdf`: all of it. README.md and
docs/use.md: what stands between the marks `<!-- made by make figures: NAME -->` and `<!-- end -->`, the
main tables, those of crossmodal training and of what a teacher gives, and those of enrolment. Takes a
Chromium program and the package playwright (in the development tools).
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
from PIL import Image
from playwright.sync_api import sync_playwright

from pipeline.catalogue.systems import METHOD, REFERENCE, label, rank
from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.reporting.summary import summary
from pipeline.reporting.wording import counted, number

REPORTS = Path("data/reports")
PICTURE = Path(__file__).parent / "report.png"
SAMPLE = PICTURE.with_suffix(".pdf")
LARGEST_SAMPLE = 1_000_000
"""Bytes of what lies in git."""
SHEET = {"format": "A4", "scale": 0.7, "print_background": True}
WIDTH, HEIGHT, COLOURS = 1180, 1080, 64
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


CORPORA = ("demo_sessions", "demo_clips", "demo_few")
FEW = ("1", "3", "5")
"""Recordings of a speaker that may be too few."""
SHOWN = {
    "summary": "demo_clips",
    "retrieval-audio-video-emotion": "demo_clips",
    "retrieval-video-audio-emotion": "demo_clips",
    "teaching-taught": "demo_few",
}
"""Tables that README shows, and of whose report."""
PICTURED = "demo_clips"
"""Whose report's first screen is the picture."""
README = Path(__file__).parents[1] / "README.md"
USE = Path(__file__).parent / "use.md"
ENROLMENT = ("enrolment", "enrolment-least")
"""Tables of docs/use.md."""
CELLS = """id => [...document.getElementById(id).rows].map(row => [...row.cells].map(cell => {
  const copy = cell.cloneNode(true);
  copy.querySelectorAll(".hidden").forEach(extra => extra.remove());
  copy.querySelectorAll("br").forEach(end => end.replaceWith(" "));
  return copy.textContent;
}))"""


def markdown(rows: list[list[str]]) -> str:
    """Return a table, its head first."""
    lines = [f"| {' | '.join(' '.join(cell.split()) for cell in row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def replaced(text: str, name: str, block: str) -> str:
    """Return a text with what stands between its marks of a name.

    Raises:
        ValueError: the text has not exactly one such place.
    """
    begin, end = f"<!-- made by make figures: {name} -->\n", "<!-- end -->"
    place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(place.findall(text)) != 1:
        raise ValueError(f"expected one place between {begin.strip()} and {end}")
    return place.sub(lambda _: f"{begin}{block}\n{end}", text)


def main_tables() -> str:
    """Return what a run of the demo prints at its end."""
    params = load_params(Path("params.yaml"))
    parts = [summary(Paths(name), params.corpus(name)) for name in CORPORA]
    last = f"all corpora: {Paths('').reports / 'index.html'}"
    return "```text\n" + "\n\n".join([*parts, last]) + "\n```"


def enrolment_tables(paths: Paths) -> dict[str, str]:
    """Return the tables of docs/use.md on recordings of the speaker to come, of demo_clips.

    The first has the UAR of the reference, of EmoBed and of the system that was exported; the second the
    system that gains least from few recordings, of all.
    """
    table = pd.read_csv(paths.enrolment, dtype={"enrolled": str}).query("metric == 'uar'")
    counts = [name for name in dict.fromkeys(table["enrolled"]) if name != "all"]
    every = f"all {table['most'].max()}"
    rows = [["UAR", "partition", "system", *counts, every]]
    least = [["gain in UAR", "partition", *(counted(int(count), "recording") for count in FEW)]]
    for (target, partition), own in table.groupby(["target", "partition"]):
        (exported,) = {
            str(json.loads(path.read_text(encoding="utf-8"))["system"])
            for path in paths.recognisers.glob(f"{target}+*.emotion/recogniser.json")
        }
        for system in sorted({REFERENCE, METHOD, exported}, key=rank):
            values = own[own["system"] == system].set_index("enrolled")["value"]
            name = label(system) + (" (exported)" if system == exported else "")
            rows.append([target, partition, name, *(number(values[count]) for count in (*counts, "all"))])
        cells = []
        for count in FEW:
            row = own[own["enrolled"] == count].nsmallest(1, "gain").iloc[0]
            low, high = number(row["gain_low"], signed=True), number(row["gain_high"], signed=True)
            cells.append(f"{label(row['system'])} {number(row['gain'], signed=True)} ({low} to {high})")
        least.append([target, partition, *cells])
    return dict(zip(ENROLMENT, (markdown(rows), markdown(least)), strict=True))


def main() -> None:
    """Write the pictures and README's blocks, or say what is missing."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    reports = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORTS
    pages = {name: reports / name / "report.html" for name in (PICTURED, *SHOWN.values())}
    if program is None:
        raise SystemExit(f"figures: none of the programs {', '.join(PROGRAMS)} here; install Chromium")
    for page in pages.values():
        if not page.is_file():
            raise SystemExit(f"figures: {page}: no such file; `make repro` makes it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        view.goto(pages[PICTURED].resolve().as_uri())
        taken = view.screenshot()  # what a reader sees first
        printed = view.pdf(**SHEET)
        tables = {}
        for name, corpus in SHOWN.items():
            view.goto(pages[corpus].resolve().as_uri())
            tables[name] = markdown(view.evaluate(CELLS, name))
        browser.close()
    if len(printed) > LARGEST_SAMPLE:
        raise SystemExit(f"figures: {SAMPLE}: {len(printed)} bytes, expected at most {LARGEST_SAMPLE}")
    SAMPLE.write_bytes(printed)
    with Image.open(io.BytesIO(taken)) as picture:
        picture.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)
    text = replaced(README.read_text(encoding="utf-8"), "main tables", main_tables())
    for name, table in tables.items():
        text = replaced(text, name, table)
    README.write_text(text, encoding="utf-8")
    text = USE.read_text(encoding="utf-8")
    for name, table in enrolment_tables(Paths("demo_clips")).items():
        text = replaced(text, name, table)
    USE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
