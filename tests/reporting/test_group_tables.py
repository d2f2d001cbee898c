"""The groups on the page: what is shown of them, and names that are none of ours."""

from __future__ import annotations

import pytest

from pipeline.reporting.group_tables import GAP, TOO_FEW, group_tables
from pipeline.reporting.page import build_report
from tests.reporting.made_up_report import ODD, made_up_inputs
from tests.reporting.test_page import Page, small


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, params):
    corpus = small(params.corpus("demo_sessions"))
    corpus = corpus.model_copy(
        update={
            "evaluation": corpus.evaluation.model_copy(update={"groups": ("age", ODD)}),
            "learning": corpus.learning.model_copy(update={"alpha": (0.0, 0.3), "beta": (0.0, 0.3)}),
            "dimensions": corpus.dimensions[:1],
        }
    )

    def groups(speakers):
        ages = {name: ("18 to 30", "NA", "")[int(name.split("_")[1]) % 3] for name in speakers}
        return {"age": ages, ODD: {name: f"<b>{ODD}</b>" for name in speakers}}

    options = {"frames": 60, "recordings": 18, "groups": groups}
    folder = tmp_path_factory.mktemp("groups")
    return made_up_inputs(folder, "demo_sessions", corpus, options=options, embeddings={}, curves={})


def test_groups_and_their_gap_stand_in_a_table_of_each_column(inputs):
    age, odd = group_tables(inputs)
    assert [row[1].text for row in age.rows] == ["18 to 30", "NA", "not given", GAP]
    assert [row[-1].text for row in age.rows] == ["6", "6", "6", "–"]
    of = inputs.groups[inputs.groups["column"] == "age"]
    of = of[(of["system"] == "emobed") & (of["partition"] == "test") & (of["postprocessed"] == 1)]
    assert [row[4].value for row in age.rows] == of["value"].tolist()
    assert [row[5].value for row in age.rows] == of["low"].tolist()
    gap = of.iloc[-1]
    assert age.rows[-1][4].detail == f"{gap['group']} − {gap['minus']}"
    assert {gap["group"], gap["minus"]} == {"18 to 30", "NA"}
    assert [row[1].text for row in odd.rows] == [f"<b>{ODD}</b>", GAP]
    assert odd.rows[-1][3].text == TOO_FEW


def test_the_page_shows_them_as_text(inputs, tmp_path):
    build_report(inputs, tmp_path / "report.html", tmp_path / "figures")
    text = (tmp_path / "report.html").read_text()
    page = Page(text)
    assert page.tags.count("script") == 2
    assert f"<b>{ODD}</b>" in page.text
    assert "fewer than 6 recordings are too few" in " ".join(page.text.split())
    assert {"groups", "groups-1", "groups-2"} <= set(page.ids)
    assert "18 to 30" in (tmp_path / "results.tex").read_text()
