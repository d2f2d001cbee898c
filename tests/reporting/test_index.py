from __future__ import annotations

import pandas as pd

from pipeline.reporting.index import build_index
from tests.reporting.test_page import Page

NAMES = [
    "target",
    "auxiliary",
    "dimension",
    "system",
    "setting",
    "postprocessed",
    "partition",
    "metric",
    "mean",
    "n",
    "fold",
    "std",
    "seeds",
    "folds",
    "selection",
]


def report(folder, rows, page=True):
    folder.mkdir(parents=True)
    pd.DataFrame(rows, columns=NAMES).to_csv(folder / "results.csv", index=False)
    if page:
        (folder / "report.html").write_text("x")


def rows(metric, mean, n_test=9, postprocessed=1):
    return [
        (
            "audio",
            "video",
            "arousal",
            system,
            "",
            postprocessed,
            part,
            metric,
            mean + plus,
            n,
            "",
            0.1,
            3,
            1,
            "",
        )
        for system, plus in (("classic", 0.0), ("emobed", 0.1))
        for part, n in (("dev", 9), ("test", n_test))
    ]


def test_the_index_leads_to_every_report_that_is_there(tmp_path):
    report(tmp_path / "b_corpus", rows("ccc", 0.2))
    report(tmp_path / "a_corpus", rows("f1_macro_pr", 0.4, n_test=0, postprocessed=0))
    report(tmp_path / "features", [])
    report(tmp_path / "unfinished", rows("ccc", 0.9), page=False)
    build_index(tmp_path)
    text = (tmp_path / "index.html").read_text()
    page = Page(text)
    assert [load for load in page.loads if not load.startswith("#")] == [
        "a_corpus/report.html", "b_corpus/report.html", "features/report.html",
    ]  # fmt: skip
    assert "a_corpusaudio (with video) → arousalF1dev.400EmoBed .500EmoBed .500" in page.text
    assert "b_corpusaudio (with video) → arousalCCCtest.200EmoBed .300EmoBed .300" in page.text
    assert "features only" in page.text
    build_index(tmp_path)
    assert (tmp_path / "index.html").read_text() == text
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["index.html"]


def test_the_index_shows_the_system_that_another_modality_helps(tmp_path):
    taught = [tuple("taught" if cell == "emobed" else cell for cell in row) for row in rows("ccc", 0.2)]
    report(tmp_path / "taught", taught)
    report(tmp_path / "alone", [row for row in rows("ccc", 0.4) if row[3] == "classic"])
    build_index(tmp_path)
    text = Page((tmp_path / "index.html").read_text()).text
    assert "CCCtest.200taught .300taught .300" in text
    assert "CCCtest.400– (no system that another modality helps" in text
