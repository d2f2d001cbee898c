"""Partitions of one or two recordings, or of none, through all stages: a page that says what it leaves out.

Some 25 s.
"""

from __future__ import annotations

import pytest

from tests.own_tables import OwnTables, clips


def two_seeds(own):
    own["learning"]["seeds"] = [1, 2]
    own["learning"]["optimiser"] |= {"epochs": 3, "average_epochs": 2}


@pytest.mark.parametrize(("dev", "test"), [(2, 2), (2, 1), (1, 1), (0, 1), (2, 0), (0, 0)])
def test_a_page_whatever_is_in_dev_and_test(tmp_path, dev, test):
    own = OwnTables(tmp_path, change=two_seeds)
    emotions = ["happy", "sad"] * 4 + ["happy", "sad"][:dev] + ["happy", "sad"][:test]
    own.write(*clips(emotions, ["train"] * 8 + ["dev"] * dev + ["test"] * test))
    if dev + test == 0:
        with pytest.raises(ValueError, match="expected recordings in dev or test"):
            own.run()
        return
    own.run()
    page = own.paths.report.read_text()
    assert "Learning curves" in page
    nothing_chosen = "nothing was chosen: each system is represented by its setting with the smallest values"
    assert (nothing_chosen in page) == (dev == 0)
    assert ("chosen on dev" in page) == (dev > 0)
    if test:
        assert "Before: classic is not drawn: " in page
        assert "finds all of them whatever the embedding" in page


def test_figures_that_nothing_can_be_drawn_of_are_left_out_with_a_sentence(tmp_path):
    """Neither dev nor test is labelled."""
    own = OwnTables(tmp_path, change=two_seeds)
    own.write(*clips(["happy", "sad"] * 4 + ["", ""], ["train"] * 8 + ["dev", "test"]))
    own.run()
    page = own.paths.report.read_text()
    assert "The map of scores over the settings is not drawn: neither dev nor test has scores." in page
    assert not list(own.paths.figures.glob("*.loss_weights.png"))
