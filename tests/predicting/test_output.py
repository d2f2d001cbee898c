"""An output that is ended at any moment is gone on with: no row twice, none lost, nothing mixed."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from pipeline.predicting import formats, growing_table, journal
from pipeline.predicting.block import NUMBER, TEXT, Block, Column
from pipeline.predicting.failed_list import FAILED
from pipeline.predicting.formats import CSV, SHOWN
from pipeline.predicting.growing_table import Table, WriteError
from pipeline.predicting.journal import ResumeError
from pipeline.predicting.medium import Failure
from pipeline.predicting.output import Output
from pipeline.predicting.printed import Printed
from tests.predicting.blocks import block

FILES = [f"{name}.wav" for name in "abcd"]
MADE = {"recognisers": ["r"], "hop": None}


def table(path):
    return Table.at(path)


def run(path, files=FILES, *, resume=True, made=MADE, failing=(), more=None):
    """Write the files that are not finished, as `predict` does; returns those that were."""
    tables = [table(path)] + ([table(more)] if more else [])
    with Output(tuple(tables), made, resume) as out:
        finished = {mark.file for mark in out.past}
        for file in files:
            if file in failing:
                out.fail(Failure(file, "cannot be decoded"))
            elif file not in finished:
                problems = [Failure(file, "no face")] if file == "c.wav" else []
                out.write(file, (1, 2), [block(file, rows=3)] * len(tables), problems)
        out.complete()
    return finished - {None}


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def whole(request, tmp_path):
    """Return the path of an output and the bytes that a run without an end has."""
    run(tmp_path / f"whole.{request.param}", more=tmp_path / f"whole_more.{request.param}")
    return tmp_path / f"out.{request.param}", *(
        (tmp_path / f"{name}.{request.param}").read_bytes() for name in ("whole", "whole_more")
    )


def killed(path, more, call: int, where: str) -> bool:
    """Run in a process that is killed at its n-th write, before, behind, or in the midst; whether it was."""
    child = os.fork()
    if child == 0:
        count = 0

        def dying(write, half):
            def wrapped(self, data, *others):
                nonlocal count
                count += 1
                if count == call:
                    if where == "behind":
                        write(self, data, *others)
                    elif where == "amid":
                        half(self, data)
                    os.kill(os.getpid(), signal.SIGKILL)
                return write(self, data, *others)

            return wrapped

        def half_of_a_table(self, data):
            self._file.write(data[: len(data) // 2])
            self._file.flush()

        def half_of_a_line(self, entry):
            self._file.write(b'{"ends": [12')
            self._file.flush()

        def half_of_a_parquet(stream, target):
            target.with_name(f".{target.name}.tmp").write_bytes(b"PAR1")

        growing_table.Table._append = dying(growing_table.Table._append, half_of_a_table)
        journal.Journal._note = dying(journal.Journal._note, half_of_a_line)
        growing_table.parquet_from_stream = dying(formats.parquet_from_stream, half_of_a_parquet)
        try:
            run(path, more=more)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status != 0


@pytest.mark.parametrize("where", ["before", "amid", "behind"])
def test_killed_at_every_write_and_gone_on_with(whole, where):
    path, expected, expected_more = whole
    more = path.with_stem("more")
    call = 1
    while True:
        for own in path.parent.glob("*out.*"), path.parent.glob("*more.*"):
            for file in own:
                if not file.name.startswith("whole"):
                    file.unlink()
        if not killed(path, more, call, where):
            break
        run(path, more=more)
        assert path.read_bytes() == expected, call
        assert more.read_bytes() == expected_more, call
        call += 1
    assert call > 14  # the journal's first line, the columns, four files with two tables and a mark, the end


def test_killed_again_and_again(whole):
    """Each attempt gets one write further than the last, whatever was kept."""
    path, expected, _ = whole
    more = path.with_stem("more")
    attempts = 0
    while killed(path, more, 6, ("before", "amid", "behind")[attempts % 3]):
        attempts += 1
        assert attempts < 50
    assert path.read_bytes() == expected
    assert attempts > 1


@pytest.mark.parametrize("whole", ["csv", "jsonl"], indirect=True)  # Parquet grows elsewhere
def test_a_machine_that_went_down_goes_back_to_what_is_there(whole):
    """The journal reached the disk, the rows did not."""
    path, expected, _ = whole
    run(path)
    path.write_bytes(expected[: len(expected) * 5 // 8])
    assert run(path) < set(FILES)
    assert path.read_bytes() == expected


def test_what_is_finished_is_not_done_again_and_new_files_are_added(whole):
    path, expected, _ = whole
    run(path, FILES[:2])
    assert run(path) == set(FILES[:2])
    assert path.read_bytes() == expected
    assert run(path) == set(FILES)
    assert path.read_bytes() == expected


def test_a_failed_file_is_tried_again_and_its_list_goes_when_it_is_done(tmp_path):
    path = tmp_path / "out.csv"
    run(path, failing=["b.wav"])
    lines = (tmp_path / FAILED).read_text().splitlines()
    assert lines == ["file,reason,table", "b.wav,cannot be decoded,out.csv", "c.wav,no face,out.csv"]
    assert run(path) == {"a.wav", "c.wav", "d.wav"}
    assert (tmp_path / FAILED).read_text().splitlines() == ["file,reason,table", "c.wav,no face,out.csv"]


def test_a_file_of_that_name_that_is_no_list_of_failures_stays_and_is_said_before_anything_is_done(tmp_path):
    (tmp_path / FAILED).write_text("mine\n")
    with pytest.raises(ResumeError, match=r"failed.csv: is there already and no list of what failed"):
        run(tmp_path / "out.csv", ["a.wav"], failing=["a.wav"])
    assert [path.name for path in tmp_path.iterdir()] == [FAILED]
    assert (tmp_path / FAILED).read_text() == "mine\n"


def test_a_list_of_an_earlier_version_is_written_anew(tmp_path):
    (tmp_path / FAILED).write_text("file,reason\nold.wav,gone\n")
    run(tmp_path / "out.csv", ["a.wav"], failing=["a.wav"])
    assert "old.wav" not in (tmp_path / FAILED).read_text()


@pytest.mark.parametrize("place", [0, 1])
def test_no_table_has_the_name_of_the_list_of_failures(tmp_path, place):
    paths = [tmp_path / "out.csv", tmp_path / "more.csv"]
    paths[place] = tmp_path / FAILED
    with pytest.raises(ResumeError, match=r"failed.csv: is the name of the list of what failed"):
        run(paths[0], more=paths[1])
    assert not list(tmp_path.iterdir())


def test_tables_of_one_folder_share_a_list_of_failures_and_none_loses_its_lines(tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.jsonl"
    run(first, ["a.wav", "b.wav"], failing=["a.wav"])
    run(second, ["a.wav"])
    run(second, ["d.wav"], failing=["d.wav"])
    expected = [
        "file,reason,table",
        "a.wav,cannot be decoded,first.csv",
        "d.wav,cannot be decoded,second.jsonl",
    ]
    assert (tmp_path / FAILED).read_text().splitlines() == expected
    run(first, ["a.wav"])
    assert (tmp_path / FAILED).read_text().splitlines() == [expected[0], expected[2]]
    run(second, ["d.wav"])
    assert not (tmp_path / FAILED).exists()


def test_other_recognisers_or_options_are_refused(tmp_path):
    path = tmp_path / "out.csv"
    run(path, FILES[:1])
    with pytest.raises(ResumeError, match=r'out.csv: was begun with recognisers \["r"\], now it is \["s"\]'):
        run(path, made={**MADE, "recognisers": ["s"]})
    with pytest.raises(ResumeError, match=r"was begun with hop null, now it is 0\.4"):
        run(path, made={**MADE, "hop": 0.4})


@pytest.mark.parametrize("whole", ["csv", "jsonl"], indirect=True)  # Parquet grows elsewhere
def test_a_table_that_somebody_changed_is_refused(whole):
    path, _, _ = whole
    run(path, FILES[:2])
    text = path.read_bytes()
    path.write_bytes(text.replace(b"a.wav", b"x.wav", 1))
    with pytest.raises(ResumeError, match=f"{path}: somebody changed it since it was written"):
        run(path)


def test_an_output_without_a_journal_is_neither_gone_on_with_nor_written_over(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("mine\n")
    with pytest.raises(ResumeError, match=r"has no journal labels.csv.run.jsonl beside it"):
        run(path)
    with pytest.raises(ResumeError, match="is there already and no earlier output"):
        run(path, resume=False)
    assert path.read_text() == "mine\n"


def test_an_unfinished_output_is_not_written_over_and_a_finished_one_is(tmp_path):
    path = tmp_path / "out.csv"
    assert killed(path, None, 8, "before")
    with pytest.raises(ResumeError, match="ended with 2 files finished: --resume goes on with it"):
        run(path, resume=False)
    run(path)
    run(path, ["d.wav"], resume=False)
    assert path.read_text().count("wav") == 3


def test_two_runs_do_not_write_one_output(tmp_path):
    with (
        Output((table(tmp_path / "out.csv"),), MADE),
        pytest.raises(ResumeError, match="another `emobed predict`"),
    ):
        run(tmp_path / "out.csv")


@pytest.mark.parametrize(
    "text", ["nonsense\n", '{"journal": 99, "made": {}}\n', '{"journal": 1, "made": {}}\n[]\n']
)
def test_a_journal_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "out.csv").write_text("")
    (tmp_path / "out.csv.run.jsonl").write_text(text)
    with pytest.raises(ResumeError, match=r"out.csv.run.jsonl: (not the journal|of another version)"):
        run(tmp_path / "out.csv")


def test_a_table_whose_name_is_no_utf8_has_its_lines_once(tmp_path):
    for _ in range(2):
        run(tmp_path / "out\udcff.csv", ["a.wav"], failing=["a.wav"])
    assert (tmp_path / FAILED).read_text().splitlines()[1:] == ["a.wav,cannot be decoded,out\\udcff.csv"]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    places = [tmp_path / "file/out.csv", tmp_path / ("n" * 249 + ".csv"), Path("/proc/emobed.csv")]
    for path in places:
        with pytest.raises(ResumeError, match="cannot be written"):
            run(path, resume=False)


@pytest.mark.parametrize("place", [0, 1])
def test_no_table_has_the_name_of_a_journal(tmp_path, place):
    paths = [tmp_path / "out.csv", tmp_path / "more.csv"]
    paths[place] = tmp_path / "out.csv.run.jsonl"
    with pytest.raises(ResumeError, match=r"out.csv.run.jsonl: is the name of the journal of another table"):
        run(paths[0], more=paths[1])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_disk_that_is_full_is_said_with_the_output_and_gone_on_with(tmp_path, ending):
    """A limit on the length of files stands for the disk: the system refuses to write in the same way."""
    run(tmp_path / f"whole.{ending}")
    full, path = tmp_path / f"whole.{ending}", tmp_path / f"out.{ending}"
    child = os.fork()
    if child == 0:
        length = len(block(FILES[0], rows=3).columns) * 90  # the rows of a file or two, and no more
        resource.setrlimit(resource.RLIMIT_FSIZE, (length, length))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            run(path)
        except WriteError as error:
            good = str(error).startswith(f"{path}: cannot be written (File too large); --resume goes on")
            os._exit(0 if good else 2)
        os._exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    run(path)
    assert path.read_bytes() == full.read_bytes()


def test_the_file_that_is_full_is_named_and_not_another(tmp_path):
    out = Output((Table.at(tmp_path / "out.csv"), Table.at(tmp_path / "more.csv")), {})
    with out:
        out.tables[1]._file.close()
        out.tables[1]._file = Path("/dev/full").open("wb")  # noqa: SIM115  (the table closes it)
        with pytest.raises(WriteError, match=r"more\.csv: cannot be written \(No space left on device\)"):
            out.write("a.wav", (1, 2), [block("a.wav", rows=1)] * 2)
        out.tables[1]._file = None


def test_people_see_three_digits_and_programs_all():
    values = np.array([0.123456789, np.nan, -1.0])
    columns = {
        "arousal": Column(NUMBER, values),
        "emotion": Column(TEXT, np.array(["a", None, "b"], object)),
    }
    own = Block.indexed("a.wav", np.arange(3.0), np.arange(3.0) + 1, columns, {})
    assert [line.split(",")[3:] for line in SHOWN.body(own).decode().splitlines()] == [
        ["0.123", "a"], ["", ""], ["-1.000", "b"],
    ]  # fmt: skip
    assert SHOWN.head(own.schema) == CSV.head(own.schema)
    assert b"0.123456789" in CSV.body(own)


def test_what_cannot_be_printed_is_said():
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        Printed(full) as out,
        pytest.raises(WriteError, match="the table cannot be printed"),
    ):
        out.write("a.wav", (1, 2), [block("a.wav", rows=3)])
