"""A finished run -> the figures that README and docs show: `make figures`.

`docs/report.png`: the first screen of the report of demo_clips. Takes a Chromium program and the package
playwright (in the development tools).
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

REPORT = Path("data/reports/demo_clips/report.html")
PICTURE = Path(__file__).parent / "report.png"
WIDTH, HEIGHT, COLOURS = 1180, 1080, 64
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def first_screen(page: Path, program: str) -> bytes:
    """Return a picture of what a reader sees first of a page, PNG."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        view = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        view.goto(page.resolve().as_uri())
        taken = view.screenshot()
        browser.close()
    return taken


def main() -> None:
    """Write the pictures, or say what is missing."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    report = Path(sys.argv[1]) if len(sys.argv) > 1 else REPORT
    if program is None:
        raise SystemExit(f"figures: none of the programs {', '.join(PROGRAMS)} here; install Chromium")
    if not report.is_file():
        raise SystemExit(f"figures: {report}: no such file; `make repro` makes it")
    with Image.open(io.BytesIO(first_screen(report, program))) as picture:
        picture.convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
