"""A finished run -> the figures that README and docs show: `make figures`.

`docs/report.png`: the first screen of the report of demo_clips. README.md: what stands between the marks
`<!-- made by make figures: NAME -->` and `<!-- end -->`, the main tables and those of crossmodal training.
Takes a Chromium program and the package playwright (in the development tools).
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.reporting.summary import summary

REPORT = Path("data/reports/demo_clips/report.html")
PICTURE = Path(__file__).parent / "report.png"
WIDTH, HEIGHT, COLOURS = 1180, 1080, 64
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


CORPORA = ("demo_sessions", "demo_clips")
SHOWN = ("summary", "retrieval-audio-video-emotion", "retrieval-video-audio-emotion")
"""Tables of the report of demo_clips that README shows."""
README = Path(__file__).parents[1] / "README.md"
CELLS = """id => [...document.getElementById(id).rows].map(row => [...row.cells].map(cell => {
  const copy = cell.cloneNode(true);
  copy.querySelectorAll(".hidden").forEach(extra => extra.remove());
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
        raise ValueError(f"README.md: expected one place between {begin.strip()} and {end}")
    return place.sub(lambda _: f"{begin}{block}\n{end}", text)


def main_tables() -> str:
    """Return what a run of the demo prints at its end."""
    params = load_params(Path("params.yaml"))
    parts = [summary(Paths(name), params.corpus(name)) for name in CORPORA]
    last = f"all corpora: {Paths('').reports / 'index.html'}"
    return "```text\n" + "\n\n".join([*parts, last]) + "\n```"


def main() -> None:
    """Write the pictures and README's blocks, or say what is missing."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    report = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT
    if program is None:
        raise SystemExit(f"figures: none of the programs {', '.join(PROGRAMS)} here; install Chromium")
    if not report.is_file():
        raise SystemExit(f"figures: {report}: no such file; `make repro` makes it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        view.goto(report.resolve().as_uri())
        taken = view.screenshot()  # what a reader sees first
        tables = {name: markdown(view.evaluate(CELLS, name)) for name in SHOWN}
        browser.close()
    with Image.open(io.BytesIO(taken)) as picture:
        picture.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)
    text = replaced(README.read_text(encoding="utf-8"), "main tables", main_tables())
    for name, table in tables.items():
        text = replaced(text, name, table)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
