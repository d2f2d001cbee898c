from __future__ import annotations

import dataclasses
import html
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pandas as pd
import pytest

from pipeline.reporting.answer import answer
from pipeline.reporting.page import build_report
from pipeline.reporting.score_tables import main_tables, summary_table
from tests.reporting.made_up_report import ODD, made_up_inputs


class Page(HTMLParser):
    """Collect what a browser would load, the tags and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.names: list[str | None] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        names = ("src", "href", "xlink:href", "srcset", "data", "action")
        self.loads += [found[name] for name in names if name in found]
        self.ids += [found["id"]] if "id" in found else []
        if tag == "svg":
            self.names.append(found.get("aria-label"))

    def handle_data(self, data):
        self.text += data


def small(corpus):
    report = corpus.report.model_copy(update={"tsne_points": 60})
    return corpus.model_copy(update={"report": report, "scenarios": corpus.scenarios[:1]})


@pytest.fixture(scope="module")
def sessions(tmp_path_factory, params):
    folder = tmp_path_factory.mktemp("sessions")
    corpus = small(params.corpus("demo_sessions"))
    inputs = made_up_inputs(folder, "demo_sessions", corpus, options={"frames": 120})
    build_report(inputs, folder / "report.html", folder / "figures")
    return inputs, folder, (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def clips(tmp_path_factory, params):
    folder = tmp_path_factory.mktemp("clips")
    inputs = made_up_inputs(folder, "demo_clips", small(params.corpus("demo_clips")))
    build_report(inputs, folder / "report.html", folder / "figures")
    return inputs, folder, (folder / "report.html").read_text()


def test_the_page_loads_nothing(sessions, clips):
    """Links lead inside the page, or to what lies beside it; drawings refer to their own parts."""
    own = ("#", "results.csv", "results.tex", "figures/", "../index.html", "data:image/png;base64,")
    for _, folder, text in (sessions, clips):
        page = Page(text)
        assert page.loads
        assert [load for load in page.loads if not load.startswith(own)] == []
        assert not {"img", "link", "iframe", "object", "embed"} & set(page.tags)
        assert page.tags.count("script") == 2
        assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", text)
        assert all(page.names)
        assert len(page.ids) == len(set(page.ids))
        assert {load[1:] for load in page.loads if load.startswith("#")} <= set(page.ids)
        assert str(folder) not in text  # no absolute path
        assert len(text) < 3_000_000


def test_odd_names_are_escaped(sessions):
    _, _, text = sessions
    assert text.count("<script") == 2
    assert html.escape('odd <script>alert("x")</script>', quote=False)[:12] in text
    assert ODD in Page(text).text


def test_odd_classes_reasons_and_names_of_corpora_are_escaped_in_page_and_figures(tmp_path, params):
    corpus = small(params.corpus("demo_clips"))
    classes = (
        ODD,
        "</title></style><img src=x onerror=alert(1)>",
        "{{ 7 * 7 }}",
        "]]>",
        "-->",
        "&lt;",
        "a\"b'",
    )
    problems = pd.DataFrame({"recording": [ODD], "reason": ["<svg onload=alert(1)>"]})
    inputs = made_up_inputs(
        tmp_path, "demo_clips", corpus, class_names=classes, problems=problems, embeddings={}, curves={}
    )
    inputs = dataclasses.replace(inputs, name=f"{ODD}</title>")
    build_report(inputs, tmp_path / "report.html", tmp_path / "figures")
    page = Page((tmp_path / "report.html").read_text())
    assert not {"img", "iframe"} & set(page.tags)
    assert page.tags.count("script") == 2
    assert page.tags.count("svg") == len(list((tmp_path / "figures_svg").glob("*.svg"))) > 0
    assert ODD in page.text
    assert "<svg onload=alert(1)>" in page.text
    for path in (tmp_path / "figures_svg").glob("*.svg"):
        figure = ElementTree.fromstring(path.read_text())
        assert not [tag for tag in figure.iter() if "script" in str(tag.tag) or "onload" in tag.attrib]


def test_odd_recording_names_can_be_drawn(tmp_path, params):
    corpus = small(params.corpus("demo_sessions"))
    inputs = made_up_inputs(
        tmp_path, "demo_sessions", corpus, options={"frames": 60}, embeddings={}, curves={}
    )
    traces = {name: table.replace({"recording": {"test_1": ODD}}) for name, table in inputs.traces.items()}
    odd = type(inputs)(**{**vars(inputs), "traces": traces})
    build_report(odd, tmp_path / "report.html", tmp_path / "figures")
    assert (tmp_path / "figures/audio-video.arousal.traces.png").stat().st_size > 10_000


def test_the_numbers_on_the_page_are_those_of_the_results(sessions):
    inputs, _, text = sessions
    row = inputs.results.query(
        "target == 'audio' and dimension == 'valence' and system == 'joint' and metric == 'ccc'"
        " and partition == 'test' and postprocessed == 1"
    ).squeeze()
    shown = f"{row['mean']:.3f} ± {row['std']:.3f}".replace("0.", ".")
    assert shown in text
    tables = main_tables(inputs)
    assert [table.caption for table in tables] == ["audio → arousal", "audio → valence"]
    systems = ["classic", "joint", "triplet", "EmoBed", "chance: a constant"]
    assert [line[0].text for line in tables[0].rows] == systems
    names = [column.name for column in tables[1].columns]
    assert names == ["system", "test", "95 % interval", "test, raw", "dev", "setting"]
    assert tables[1].rows[1][1].text == shown
    raw = inputs.results.query(
        "target == 'audio' and dimension == 'valence' and system == 'joint' and metric == 'ccc'"
        " and partition == 'test' and postprocessed == 0"
    ).squeeze()
    assert tables[1].rows[1][3].value == raw["mean"]
    interval = inputs.intervals.query(
        "target == 'audio' and dimension == 'valence' and system == 'joint' and metric == 'ccc'"
        " and partition == 'test' and postprocessed == 1"
    ).squeeze()
    assert interval["value"] == pytest.approx(row["mean"], abs=1e-5)
    assert interval["low"] < interval["value"] < interval["high"]
    low_to_high = f"{interval['low']:.3f} to {interval['high']:.3f}".replace("0.", ".")
    assert tables[1].rows[1][2].text == low_to_high


def test_everything_asked_for_is_there(sessions, clips):
    _, folder, text = sessions
    for wanted in (
        "How well does each modality alone predict emotion",
        "frames and seeds as given and independent",
        "Speakers",
        "Networks: GRU",
        "Emotion retrieval across modalities",
        "Faces found",
        "97.6 %",
        "Recordings that could not be processed",
        "listed, but not on disk",
        "moved by an annotation delay of 2.4 s",
        "learning.optimiser.epochs",
        "2.14.1",
        "rendered demo",
    ):
        assert wanted in text, wanted
    names = {path.name for path in (folder / "figures").iterdir()}
    start = "audio-video.arousal"
    assert {
        f"{start}.{kind}.png"
        for kind in ("curves", "loss_weights", "traces", "space.classic", "space.emobed")
    } <= names
    _, folder, text = clips
    assert (folder / "figures/audio-video.emotion.confusion.emobed.png").is_file()
    assert "z-test of proportions (two-sided) is the paper’s test" in text
    assert "Lowest scores, EmoBed" in text  # of sessions each speaker has one: the table of speakers says it
    assert "ECE" in text
    assert "annotation delay" not in text.lower()


def test_same_inputs_same_bytes(clips):
    inputs, folder, text = clips
    build_report(inputs, folder / "again.html", folder / "again")
    assert (folder / "again.html").read_text() == text
    for path in sorted((folder / "figures").iterdir()):
        assert (folder / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_sections_drawn_by_workers_have_the_same_bytes(tmp_path, params):
    corpus = params.corpus("demo_sessions")
    corpus = corpus.model_copy(update={"report": corpus.report.model_copy(update={"tsne_points": 60})})
    inputs = made_up_inputs(tmp_path, "demo_sessions", corpus, options={"frames": 60})
    pages = []
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        build_report(inputs, folder / "report.html", folder / "figures", workers)
        pages.append((folder / "report.html").read_bytes())
    assert len(corpus.scenarios) * len(corpus.dimensions) > 1
    assert pages[0] == pages[1]


def test_a_test_partition_without_gold_is_said(tmp_path, params):
    corpus = small(params.corpus("demo_sessions"))
    inputs = made_up_inputs(
        tmp_path, "demo_sessions", corpus, options={"frames": 60, "labelled": ("dev",)}, embeddings={}
    )
    build_report(inputs, tmp_path / "report.html", tmp_path / "figures")
    text = (tmp_path / "report.html").read_text()
    assert inputs.partition == "dev"
    assert "No gold standard on test" in text
    assert "no labels" in text
    assert "The test partition has no gold standard" in text
    assert "No other partition than dev has a gold standard, and dev chose the settings" in text
    assert "corpora.demo_sessions.partitions.method" in text
    assert "established" in text
    section = text[text.index('<h2 id="comparison">') : text.index('<h2 id="experiments">')]
    for word in ("sign-flip", "Fisher", "Holm", "▲", "▼"):  # intervals, and no test of them
        assert word not in section, word
    # sentences, summary and table of scores: dev at settings that the others chose
    row = inputs.left_out.query(
        "dimension == 'arousal' and system == 'emobed' and postprocessed == 1"
    ).squeeze()
    assert summary_table(inputs).rows[0][2].value == row["mean"]
    table = main_tables(inputs)[0]
    place = [column.name for column in table.columns].index("dev, left out")
    assert table.columns[place + 1].name == "95 % interval"
    emobed = next(cells for cells in table.rows if cells[0].text == "EmoBed")
    assert emobed[place].value == pytest.approx(row["mean"])
    assert f"{row['mean']:.3f}".replace("0.", ".") in answer(inputs).scores[1]


def test_one_seed_and_few_embeddings_leave_out_what_cannot_be_shown_and_say_so(tmp_path, params):
    corpus = small(params.corpus("demo_sessions"))
    inputs = made_up_inputs(tmp_path, "demo_sessions", corpus, options={"frames": 60}, curves={}, traces={})
    first, second = inputs.embeddings
    one_seed = inputs.embeddings[first].query("seed == 1")
    few = inputs.embeddings[second].groupby(["system", "seed", "modality"]).head(2)
    page = dataclasses.replace(inputs, embeddings={first: one_seed, second: few})
    build_report(page, tmp_path / "report.html", tmp_path / "figures")
    text = " ".join(Page((tmp_path / "report.html").read_text()).text.split())
    assert "Before: classic is not drawn: its encoders were trained apart" in text
    assert "No retrieval for classic: its encoders were trained apart" in text
    assert "After: EmoBed. Embeddings of test, first seed" in text
    assert text.count("is not drawn: there are 4 embeddings, and t-SNE needs 5 or more") == 2


def test_without_any_gold_faces_or_systems_there_is_still_a_page(tmp_path, params):
    corpus = small(params.corpus("demo_sessions"))
    learning = corpus.learning.model_copy(update={"alpha": (0.0,), "beta": (0.0,), "seeds": (1,)})
    inputs = made_up_inputs(
        tmp_path,
        "demo_sessions",
        corpus.model_copy(update={"learning": learning}),
        options={"frames": 60, "labelled": ()},
        embeddings={},
        faces=pd.DataFrame(columns=["partition", "frames", "found"]),
        failures=pd.DataFrame(columns=["recording", "stage", "reason"]),
        problems=pd.DataFrame(columns=["recording", "reason"]),
    )
    build_report(inputs, tmp_path / "report.html", tmp_path / "figures")
    text = (tmp_path / "report.html").read_text()
    assert "nothing could be scored" in text
    assert "no failures" in text
    assert "There is nothing to compare" in text


def test_the_papers_figures_stand_beside_ours_on_the_papers_corpora_only(tmp_path, params):
    corpus = small(params.corpus("demo_clips"))
    inputs = made_up_inputs(tmp_path, "omg", corpus, rendered=False, embeddings={})
    build_report(inputs, tmp_path / "report.html", tmp_path / "figures")
    text = (tmp_path / "report.html").read_text()
    assert ".417" in text
    assert "compare with our dev column" in text
    assert "not speaker-independent" in text
    table = main_tables(inputs)[0]
    assert [row[-1].text for row in table.rows[:4]] == [".365", ".402", "–", ".417"]
    own = type(inputs)(**{**vars(inputs), "corpus": corpus.model_copy(update={"layout": "table"})})
    assert "paper" not in [column.name for column in main_tables(own)[0].columns]
