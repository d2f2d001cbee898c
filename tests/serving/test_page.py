"""The page in headless Chromium, with a made-up microphone and camera, where the machine has a browser."""

from __future__ import annotations

import itertools
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import uvicorn

from pipeline.serving.answers import Predicted
from pipeline.serving.app import application
from pipeline.serving.folders import Folders
from pipeline.serving.limits import Limits
from pipeline.serving.predictions import PredictionError
from pipeline.serving.served import Served
from pipeline.serving.streams import LiveTimes
from tests.serving.made_up import AROUSAL, EMOTION, MadeUp
from tests.tiny_recognisers import sound, write_wav

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: the page is not tried in a browser"
)
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    return write_wav(tmp_path_factory.mktemp("speech") / "speech.wav", sound(5, 4.0, np.array([0, 1, 0])))


@pytest.fixture(scope="module")
def browser(speech):
    sync_api = pytest.importorskip("playwright.sync_api")
    flags = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={speech}",
    ]
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()


@contextmanager
def serving(served: Served, limits: Limits = Limits()) -> Iterator[str]:  # noqa: B008
    """Serve in a thread; gives the address."""
    server = uvicorn.Server(uvicorn.Config(application(served, limits, "1.2"), port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture
def opened(browser):
    """Return a function that opens a page; at the end nothing was complained of or asked of others."""
    contexts, complaints, loaded, own = [], [], [], []

    def open_page(address, width=1280, height=900, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: loaded.append(request.url))
        own.append(address)
        page.goto(address)
        page.locator("#limits:has-text('MB')").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in loaded if not url.startswith((*own, "blob:"))] == []


def until(condition: Callable[[], bool]) -> None:
    """Wait for it; the page's policy forbids Playwright to wait in it."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def told(page) -> None:
    page.locator("#told").check()


def upload(page, path) -> None:
    told(page)
    page.locator("#file").set_input_files(path)
    page.locator("#status:has-text(': predicted')").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_file_s_curves_and_bars_are_shown_for_everybody(opened, speech, tmp_path, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with serving(MadeUp()) as address:
        page = opened(address, width=width, scheme=scheme)
        assert "Article 50(3)" in page.locator("#notice").inner_text()
        assert page.locator("#choose").is_disabled()
        before = axe.Axe().run(page).response["violations"]
        upload(page, speech)
        assert page.locator(".curve .line").get_attribute("d").count("L") == 30
        assert page.locator(".curve .band").get_attribute("d").startswith("M")
        assert "90 % interval" in page.locator(".result").first.inner_text()
        assert "3.4 % of the features" in page.locator(".result").first.inner_text()
        assert [row.split() for row in page.locator(".classes tr").all_inner_texts()] == [
            ["anger", "0.20"],
            ["joy", "0.80"],
        ]
        widths = page.evaluate("[...document.querySelectorAll('.bar div')].map((bar) => bar.clientWidth)")
        assert widths[1] == pytest.approx(4 * widths[0], rel=0.05)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = [*before, *axe.Axe().run(page).response["violations"]]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []
        with page.expect_download() as kept:
            page.locator("#save").click()
        kept.value.save_as(tmp_path / "a.csv")
        lines = (tmp_path / "a.csv").read_text().splitlines()
        assert len(lines) == 1 + 31 + 1
        assert lines[0].startswith('"file","recogniser","start","end","arousal"')
        assert {line.split(",")[0] for line in lines[1:]} == {'"speech.wav"'}


@pytest.mark.parametrize(
    ("said", "shown", "marked"),
    [("anger;fear", "anger, fear", ["anger", "fear"]), ("joy", "joy", ["joy"]), ("none", "none of them", [])],
)
def test_any_number_of_classes_is_shown_and_marked(opened, speech, said, shown, marked):
    shares = {"anger": 0.3, "fear": 0.25, "joy": 0.2}
    several = EMOTION.model_copy(update={"task": "multilabel", "classes": list(shares)})
    rows = [{"start": 0.0, "end": 4.0, "emotion": said, "valid": True}
            | {f"emotion.{name}": share for name, share in shares.items()}]  # fmt: skip

    class Several(MadeUp):
        def predict(self, path, limit):
            return [Predicted(recogniser=several.name, rows=rows)]

    with serving(Several(about=(several,))) as address:
        page = opened(address)
        told(page)
        page.locator("#file").set_input_files(speech)
        page.locator(".classes").wait_for()
        assert page.locator(".value").inner_text() == shown
        assert page.locator(".classes .named th").all_inner_texts() == marked
        assert "there may be several, or none" in page.locator(".result").inner_text()


def test_the_keyboard_is_enough(opened, speech):
    with serving(MadeUp()) as address:
        page = opened(address)
        page.on("filechooser", lambda chooser: chooser.set_files(speech))
        assert "First tick the box" in page.locator("#first").inner_text()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert page.locator("#first").is_hidden()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.locator("#status:has-text(': predicted')").wait_for()
        assert page.locator(".result").count() == 2
        page.locator("#choose:enabled").wait_for()
        assert page.evaluate("document.activeElement.id") == "choose"  # and the next file may follow


def test_a_microphone_s_sound_is_predicted_as_it_comes(opened):
    served = MadeUp()
    with serving(served) as address:
        page = opened(address)
        told(page)
        page.locator("#microphone").click()
        page.locator(".curve").wait_for()
        until(lambda: page.locator(".curve .line").get_attribute("d").count("L") > 8)
        assert page.evaluate("document.activeElement.id") == "stop"
        page.keyboard.press("Enter")
        page.locator("#stop").wait_for(state="hidden")
        page.locator("#microphone:enabled").wait_for()
        assert page.evaluate("document.activeElement.id") == "microphone"
        assert re.fullmatch(r"stopped after \d+ s", page.locator("#status").inner_text())
        assert page.locator("#problem").is_hidden()
        (stream,) = served.streams
        until(lambda: stream.closed)
        heard = sum(map(len, stream.heard)) / stream.rate_hz
        assert heard > 1.6
        assert max(abs(piece).max() for piece in stream.heard) > 0.1  # the sound of the made-up microphone
        points = page.locator(".curve .line").get_attribute("d").count("L")
        assert points >= int(heard / 0.2) - 1  # also what came when it was stopped
        assert served.seen == []  # all recognisers of sound heard it live: nothing is uploaded


def test_a_camera_s_film_is_uploaded_when_it_is_stopped(opened):
    served = MadeUp()
    with serving(served) as address:
        page = opened(address)
        told(page)
        page.locator("#camera").click()
        page.locator("#preview").wait_for(state="visible")
        page.wait_for_timeout(1500)
        page.locator("#stop").click()
        page.locator("#status:has-text(': predicted')").wait_for()
        assert page.locator("#preview").is_hidden()
        ((path, content),) = served.seen
        assert path.suffix in (".webm", ".mp4")
        assert len(content) > 5000


@pytest.mark.slow
def test_recognisers_hear_the_microphone_live(opened, tiny_recognisers):
    folders = [tiny_recognisers / f"audio+video.{name}" for name in ("arousal", "emotion")]
    served = Folders.read(folders, times=LiveTimes(1.0, 0.5)).load(60.0)
    with serving(served) as address:
        page = opened(address)
        told(page)
        page.locator("#microphone").click()
        until(lambda: page.locator(".curve .line").count() == 1)
        until(lambda: page.locator(".curve .line").get_attribute("d").count("L") > 10)
        page.locator(".classes").wait_for()
        arousal, emotion = page.locator(".result").all_inner_texts()
        assert re.search(r"−?\d\.\d\d at \d+\.\d s, \d+\.\d s ago", arousal)
        assert re.search(r"from \d+\.[05] to \d+\.[05] s, \d+\.\d s ago", emotion)
        shares = [float(row.split()[-1]) for row in page.locator(".classes tr").all_inner_texts()]
        assert sum(shares) == pytest.approx(1, abs=0.03)
        page.locator("#stop").click()
        page.locator("#microphone:enabled").wait_for()
        assert page.locator("#problem").is_hidden()
        values = page.locator(".curve .line").get_attribute("d")
        assert "NaN" not in values
        # the sound rises and falls: so does the curve
        heights = [float(point.split()[1]) for point in re.split("[ML]", values)[1:]]
        assert max(heights) - min(heights) > 20


def test_a_camera_s_pictures_are_predicted_as_they_come(opened):
    served = MadeUp(about=(AROUSAL, EMOTION.model_copy(update={"live": True, "live_window": 3.0})))
    with serving(served) as address:
        page = opened(address)
        told(page)
        page.locator("#camera").click()
        page.locator(".classes").wait_for()
        until(lambda: len(served.streams[0].seen) > 4)
        assert page.locator("#preview").is_visible()
        shown = page.locator(".result").nth(1).inner_text()
        assert re.search(r"joy from \d+\.\d to \d+\.\d s, \d\.\d s ago", shown)
        page.locator("#stop").click()
        page.locator("#microphone:enabled").wait_for()
        assert page.locator("#preview").is_hidden()
        (stream,) = served.streams
        until(lambda: stream.closed)
        assert {picture.shape for picture, _ in stream.seen} == {(480, 640, 3)}
        assert len({picture.tobytes() for picture, _ in stream.seen}) > 2  # it moves
        times = [time for _, time in stream.seen]
        assert times == sorted(times)
        assert min(b - a for a, b in itertools.pairwise(times)) >= 0.19  # no more than are looked at
        heard = sum(map(len, stream.heard)) / stream.rate_hz
        assert times[-1] == pytest.approx(heard, abs=0.8)  # one clock
        assert served.seen == []  # nothing is uploaded


def test_a_microphone_is_recorded_for_recognisers_of_whole_recordings(opened):
    whole = EMOTION.model_copy(update={"modality": "audio", "needed": ["audio"]})
    served = MadeUp(about=(whole,))
    with serving(served) as address:
        page = opened(address)
        told(page)
        page.locator("#microphone").click()
        page.locator("#status:has-text('1 s')").wait_for()
        page.locator("#stop").click()
        page.locator("#status:has-text(': predicted')").wait_for()
        ((path, content),) = served.seen
        assert (path.suffix, content[:4]) == (".wav", b"RIFF")
        assert served.streams == []


def test_what_goes_wrong_is_said(browser, speech):
    served = MadeUp(fails=("not media",))
    with serving(served, Limits(size=1_000_000)) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        page.locator("#limits:has-text('MB')").wait_for()
        told(page)
        page.locator("#file").set_input_files(speech)
        page.locator("#problem:has-text('speech.wav: not media')").wait_for()
        page.locator("#file").set_input_files(
            {"name": "b.wav", "mimeType": "audio/wav", "buffer": bytes(2_000_000)}
        )
        page.locator("#problem:has-text('takes 1 MB at most')").wait_for()
        assert len(served.seen) == 1
        context.close()


def test_predictions_keep_the_name_of_their_file_when_the_next_one_fails(browser, speech):
    served = MadeUp()
    with serving(served) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        page.locator("#limits:has-text('MB')").wait_for()
        upload(page, speech)
        assert page.locator("#results-title").inner_text() == "Predictions: speech.wav"
        served.error = PredictionError("no recogniser can")
        page.locator("#file").set_input_files({"name": "b.wav", "mimeType": "audio/wav", "buffer": b"b"})
        page.locator("#problem:has-text('no recogniser can')").wait_for()
        assert page.locator("#results-title").inner_text() == "Predictions: speech.wav"
        context.close()
