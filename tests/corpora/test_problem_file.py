"""problems.csv and back."""

from __future__ import annotations

from pipeline.corpora.problem_file import format_problems, read_problems
from pipeline.corpora.problems import NoLabel, NotOnDisk, Problem


def test_a_missing_medium_is_told_from_other_problems_after_reading(tmp_path):
    problems = [
        NotOnDisk.at("a", "a.wav"),
        Problem("b", "b.wav", "listed, but not on disk any more, I think"),
        NoLabel("", "recordings.csv", "no label of emotion where the cell is NA (1): labels.absent"),
    ]
    path = tmp_path / "problems.csv"
    path.write_bytes(format_problems(problems))
    assert path.read_text().splitlines() == [
        "recording,file,reason",
        ",recordings.csv,no label of emotion where the cell is NA (1): labels.absent",
        'a,a.wav,"listed, but not on disk"',
        'b,b.wav,"listed, but not on disk any more, I think"',
    ]
    found = read_problems(path)
    assert found == sorted(problems)
    assert [type(item) for item in found] == [Problem, NotOnDisk, Problem]


def test_no_file_is_no_problem(tmp_path):
    assert read_problems(tmp_path / "problems.csv") == []
