"""The page in a browser: headless Chromium, where the machine has one."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest

from pipeline.reporting.index import build_index
from pipeline.reporting.page import build_report
from tests.reporting.made_up_report import ODD, made_up_inputs
from tests.reporting.test_page import small

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: the page is not tried in a browser"
)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM)
        yield started
        started.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory, params):
    """Two reports beside each other and the page that leads to them; the inputs of the first."""
    folder = tmp_path_factory.mktemp("reports")
    for name in ("demo_clips", "demo_sessions"):
        corpus = small(params.corpus(name))
        learning = corpus.learning.model_copy(update={"alpha": (0.0, 0.1, 0.3), "seeds": (1, 2)})
        corpus = corpus.model_copy(
            update={"learning": learning, "dimensions": corpus.dimensions[:1], "extract": ("audio", "video")}
        )
        options = {"frames": 120} if name == "demo_sessions" else {}
        data = folder / "data" / name
        names = {"class_names": (ODD, *"bcdefg")} if name == "demo_clips" else {}
        inputs = made_up_inputs(data, name, corpus, options=options, **names)
        own = folder / name
        build_report(inputs, own / "report.html", own / "figures")
        shutil.copy(data / "data/reports" / name / "results.csv", own / "results.csv")
    shutil.rmtree(folder / "data")
    build_index(folder)
    return folder, inputs


@pytest.fixture
def opened(browser):
    """Return a function that opens a page; at the end nothing was complained of and nothing loaded."""
    contexts, complaints, loaded = [], [], []

    def open_page(path, width=1280, height=900, scheme="light", anchor=""):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: loaded.append(request.url))
        page.goto(path.as_uri() + anchor)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in loaded if not url.startswith(("file:", "data:", "blob:"))] == []


def open_all(page):
    page.evaluate("document.querySelectorAll('details').forEach((box) => { box.open = true; })")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["demo_sessions/report.html", "demo_clips/report.html", "index.html"])
def test_axe_finds_nothing_serious(reports, opened, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(reports[0] / name, scheme=scheme)
    open_all(page)
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in SERIOUS] == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["demo_sessions/report.html", "demo_clips/report.html", "index.html"])
def test_only_tables_scroll_sideways(reports, opened, name, width):
    page = opened(reports[0] / name, width=width)
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        "[...document.querySelectorAll('.scroll')].filter((b) => b.scrollWidth > b.clientWidth).length"
    )
    assert wide > 0 or width == 1280
    # what scrolls says so: shadows at its edges
    assert "linear-gradient" in page.evaluate(
        "getComputedStyle(document.querySelector('.scroll')).backgroundImage"
    )


def test_tables_are_sorted_by_pointer_and_keyboard(reports, opened):
    page = opened(reports[0] / "demo_sessions/report.html")
    table = page.locator("#scores-audio-video-arousal")
    rows = "[...document.querySelectorAll('#scores-audio-video-arousal tbody tr')]"
    column = f"{rows}.map((row) => row.cells[1].dataset.value)"
    before = [float(value) for value in page.evaluate(column)]
    header = table.locator("th").nth(1)
    assert header.get_attribute("aria-sort") == "none"
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert [float(value) for value in page.evaluate(column)] == sorted(before, reverse=True) != before
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert [float(value) for value in page.evaluate(column)] == sorted(before)
    # what has no value comes last, either way: chance has no dev score
    for _ in range(2):
        table.locator("th").nth(3).locator("button").click()
        assert table.locator("tbody tr").last.locator("td").first.inner_text() == "chance: a constant"
    table.locator("th").nth(0).locator("button").click()
    names = table.locator("tbody tr td:first-child").all_inner_texts()
    assert names == sorted(names, key=str.lower)
    assert page.locator("#said").inner_text() == "sorted by system, ascending"


def copied(page, table, how):
    page.locator(f".tabular:has(#{table}) button", has_text=how).click()
    page.wait_for_function("document.getElementById('said').textContent.includes('copied as')")
    text = page.evaluate("navigator.clipboard.readText()")
    page.evaluate("document.getElementById('said').textContent = ''")
    return text


def test_tables_are_copied_in_three_formats(reports, opened):
    folder, inputs = reports
    page = opened(folder / "demo_sessions/report.html")
    latex = (folder / "demo_sessions/results.tex").read_text()
    for key in ("scores-audio-video-arousal", "differences"):
        assert copied(page, key, "LaTeX") in latex
    rows = list(csv.reader(io.StringIO(copied(page, "scores-audio-video-arousal", "CSV"))))
    assert rows[0] == ["system", "test", "95 % interval", "test, raw", "dev", "setting"]
    wanted = "system == 'joint' and metric == 'ccc' and partition == 'test' and postprocessed == 1"
    mean = inputs.results.query(wanted)["mean"].iloc[0]
    assert rows[2][0] == "joint"
    assert float(re.match(r"\.\d+", rows[2][1])[0]) == pytest.approx(mean, abs=5e-4)
    markdown = copied(page, "scores-audio-video-arousal", "Markdown").splitlines()
    assert markdown[0] == "| system | test | 95 % interval | test, raw | dev | setting |"
    assert markdown[1] == "| --- | ---: | ---: | ---: | ---: | --- |"
    assert len(markdown) == len(rows) + 1


def test_odd_names_are_copied_and_stay_text(reports, opened):
    page = opened(reports[0] / "demo_clips/report.html", anchor="#audio-video-emotion")
    latex = copied(page, "classes-audio-video-emotion", "LaTeX")
    assert (
        r"\textless{}script\textgreater{}alert(''x'')\textless{}/script\textgreater{} \& \$name\$\_1" in latex
    )
    assert latex in (reports[0] / "demo_clips/results.tex").read_text()
    rows = list(csv.reader(io.StringIO(copied(page, "classes-audio-video-emotion", "CSV"))))
    assert rows[1][0] == ODD


def test_links_open_the_section_they_lead_to(reports, opened):
    path = reports[0] / "demo_sessions/report.html"
    box = "#audio-video-arousal"
    assert opened(path, anchor=box).locator(box).get_attribute("open") is not None
    page = opened(path)
    assert page.locator(box).get_attribute("open") is None
    page.locator(f"a[href='{box}']").first.click()
    page.wait_for_function(f"document.querySelector('{box}').open")
    assert page.locator(box).bounding_box()["y"] < 300
    for count in (0, 1):  # all were open: now closed, then open again
        page.locator(".open").click()
        assert page.locator("details.experiment[open]").count() == count
    index = opened(reports[0] / "index.html")
    index.locator("a", has_text="demo_clips").first.click()
    assert index.locator("h1").inner_text() == "demo_clips"


def test_everything_is_printed_and_no_figure_is_cut(reports, opened):
    page = opened(reports[0] / "demo_sessions/report.html")
    page.evaluate("window.seen = null; addEventListener('beforeprint', () => {"
                  " window.seen = document.querySelectorAll('details:not([open])').length; })")  # fmt: skip
    assert len(page.pdf(format="A4")) > 50_000
    assert page.evaluate("window.seen") == 0
    assert page.locator("details.experiment[open]").count() == 0  # and closed again
    page.emulate_media(media="print")
    open_all(page)
    style = page.evaluate(
        "(() => { const f = getComputedStyle(document.querySelector('figure')),"
        " b = getComputedStyle(document.querySelector('.figures'));"
        " return [f.breakInside, b.columnCount, b.columnWidth, b.display]; })()"
    )
    assert style == ["avoid", "auto", "auto", "block"]
    # a sheet of A4 less margins of 1 cm is 1047 pixels high
    assert max(box["height"] for box in map(lambda f: f.bounding_box(), page.locator("figure").all())) < 1000
    assert not page.locator(".tools").first.is_visible()
    # heads are repeated on each sheet: not where they may break, nor where a control stands in them
    head = page.evaluate(
        "(() => { const h = document.querySelector('thead'), s = getComputedStyle(h);"
        " const b = getComputedStyle(document.querySelector('thead button'));"
        " return [s.display, s.breakInside, b.display]; })()"
    )
    assert head == ["table-header-group", "avoid", "contents"]


def test_values_are_read_under_the_pointer_and_by_arrow_keys(reports, opened):
    folder, inputs = reports
    page = opened(folder / "demo_sessions/report.html", height=1500, anchor="#audio-video-arousal")
    figure = page.locator("figure[data-name$='traces']")
    figure.scroll_into_view_if_needed()
    box = figure.locator("svg").bounding_box()
    panel = json.loads(figure.get_attribute("data-panels"))[0]
    scale = box["width"] / float(figure.locator("svg").get_attribute("viewBox").split()[2])
    left, top, width, height = (scale * value for value in panel["box"])
    page.mouse.move(box["x"] + left + 0.6 * width, box["y"] + top + height / 2)
    text = figure.locator(".values").inner_text().replace("−", "-")
    time = float(re.search(r"time, s (\S+)", text)[1])
    assert time == pytest.approx(panel["x"][0] + 0.6 * (panel["x"][1] - panel["x"][0]), abs=0.2)
    title = figure.locator("svg text", has_text="(CCC").first.text_content()
    wanted = f"system == 'emobed' and recording == '{title.split()[0]}'"
    rows = inputs.traces["audio+video.arousal"].query(wanted)
    for name, column in (("EmoBed", "postprocessed"), ("EmoBed, raw", "raw"), ("gold standard", "gold")):
        shown = float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])
        assert shown == pytest.approx(np.interp(time, rows["time"], rows[column]), abs=0.03), name
    figure.locator("svg").focus()
    page.keyboard.press("ArrowRight")
    first = page.locator("#said").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator("#said").inner_text() != first
    assert "gold standard" in first
    page.keyboard.press("Escape")
    assert not figure.locator(".values").is_visible()


def test_figures_are_saved_as_svg_and_png_without_the_colours_of_a_dark_page(reports, opened, tmp_path):
    page = opened(reports[0] / "demo_sessions/report.html", scheme="dark", anchor="#audio-video-arousal")
    figure = page.locator("figure[data-name$='curves']").first
    name = figure.get_attribute("data-name")
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as download:
            figure.locator("button", has_text=kind).click()
        assert download.value.suggested_filename == f"{name}.{kind.lower()}"
        download.value.save_as(tmp_path / kind)
        data = (tmp_path / kind).read_bytes()
        assert data.startswith(start)
        assert len(data) > 5000
    assert (reports[0] / f"demo_sessions/figures_svg/{name}.svg").is_file()
    assert "fill: #ffffff" in (tmp_path / "SVG").read_text()
    ink = "getComputedStyle(document.querySelector(\"figure [style*='fill: #ffffff']\")).fill"
    assert page.evaluate(ink) == page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["demo_sessions", "demo_clips"])
def test_every_figure_is_saved_by_keyboard(reports, opened, name, width):
    page = opened(reports[0] / f"{name}/report.html", width=width)
    open_all(page)
    figures = page.locator("figure").all()
    assert len(figures) >= 4
    for figure in figures:
        for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
            button = figure.locator("button", has_text=kind)
            button.focus()
            box = button.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            with page.expect_download() as download:
                page.keyboard.press("Enter")
            saved = download.value
            assert saved.suggested_filename == f"{figure.get_attribute('data-name')}.{kind.lower()}"
            assert saved.path().read_bytes().startswith(start)
