"""The engine of extraction: what fails is listed, what is finished is kept, what is there is not redone."""

import errno
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from pipeline.features.embeddings.vgg_architecture import WeightsError
from pipeline.features.extraction.engine import ExtractionError, build_table
from pipeline.features.extraction.jobs import Job
from pipeline.features.extractor import Given, Reads
from pipeline.features.media.opening import MediaError
from pipeline.location import RemoteError
from pipeline.running.workshop import Workshop
from pipeline.store.adopt import adopt
from pipeline.store.kept_tables import _valid_of_file, kept_folder
from pipeline.store.rows import Rows
from pipeline.store.tables import Failure, FeatureTable
from pipeline.store.units import UnitStore
from tests.deadly_tasks import do
from tests.toy_extractor import toy_stage


def compute(given: Given) -> Rows:
    """Read a number from the medium; a medium called bad cannot be read."""
    with (given.path.parent / "log").open("a") as log:
        log.write(given.recording + "\n")
    text = given.path.read_text()
    if text == "bad":
        raise MediaError(f"{given.path}: cannot be decoded")
    return Rows(
        np.zeros(1), np.ones(1), np.full((1, 1), float(text), np.float32), np.ones(1, bool), ("number",)
    )


STAGE = toy_stage(compute)


def make_jobs(folder: Path, **media: str) -> list[Job]:
    folder.mkdir(exist_ok=True)
    for name, text in media.items():
        (folder / name).write_text(text)
    return jobs_of(folder, **media)


def jobs_of(folder: Path, **media: str) -> list[Job]:
    return [Job(name, f"{name}-{text}".ljust(64, "0"), folder / name) for name, text in media.items()]


def build(tmp_path, jobs, share=0.0, workers=1, stage=STAGE, scheduler=None, time_limit=None):
    build_table(
        replace(stage, max_failed_share=share),
        jobs,
        tmp_path / "table",
        Workshop(UnitStore(tmp_path / "store"), workers, scheduler, time_limit=time_limit),
        {},
    )
    table = FeatureTable.open(tmp_path / "table")
    return {name: float(table.read(name).values[0, 0]) for name in table.recordings}


def computed(tmp_path) -> list[str]:
    log = tmp_path / "media" / "log"
    names = sorted(log.read_text().split()) if log.exists() else []
    log.unlink(missing_ok=True)
    return names


@pytest.mark.parametrize("workers", [1, 2])
def test_each_recording_is_computed_once_and_one_more_costs_one(tmp_path, workers):
    media = {"a": "1", "b": "2", "c": "3"}
    assert build(tmp_path, make_jobs(tmp_path / "media", **media), workers=workers) == {
        "a": 1,
        "b": 2,
        "c": 3,
    }
    assert computed(tmp_path) == ["a", "b", "c"]
    assert build(tmp_path, make_jobs(tmp_path / "media", **media, d="4"), workers=workers)["d"] == 4
    assert computed(tmp_path) == ["d"]


def test_workers_do_not_change_a_byte(tmp_path):
    jobs = make_jobs(tmp_path / "media", **{f"r{i}": str(i) for i in range(9)})
    for name, workers in (("one", 1), ("two", 2)):
        (tmp_path / name).mkdir()
        build(tmp_path / name, jobs, workers=workers)
    for path in (tmp_path / "one/table").iterdir():
        assert path.read_bytes() == (tmp_path / "two/table" / path.name).read_bytes()


def test_failures_are_all_named_at_the_end_and_the_others_kept(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="bad", c="3", d="bad")
    with pytest.raises(ExtractionError, match=r"2 of 4 recordings failed(.|\n)*b: .*decoded\n  d: .*decoded"):
        build(tmp_path, jobs, share=0.25)
    assert computed(tmp_path) == ["a", "b", "c", "d"]
    assert (tmp_path / "table/failures.csv").read_text().count("extract_test") == 2
    # allowed now: only the failed ones are tried again, and they are listed in the table
    assert build(tmp_path, jobs, share=0.5) == {"a": 1, "c": 3}
    assert computed(tmp_path) == ["b", "d"]
    assert [f.recording for f in FeatureTable.open(tmp_path / "table").failures()] == ["b", "d"]


def test_a_check_refuses_finished_rows_without_computing_them_again(tmp_path):
    def refuse(path, valid):
        assert valid.tolist() == [True]
        if path.name == "b":
            raise MediaError("too large")

    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    build(tmp_path, jobs)
    computed(tmp_path)
    stage = toy_stage(compute, refuse)
    assert build(tmp_path, jobs, share=0.5, stage=stage) == {"a": 1}
    assert computed(tmp_path) == []
    assert FeatureTable.open(tmp_path / "table").failures() == [Failure("b", "extract_test", "too large")]


def test_a_check_reads_the_kept_table_and_of_a_damaged_one_the_units(tmp_path):
    seen = []

    def note(path, valid):
        seen.append((path.name, valid.tolist()))

    jobs, store = make_jobs(tmp_path / "media", a="1", b="2"), UnitStore(tmp_path / "store")
    build(tmp_path, jobs)
    adopt(tmp_path / "table", store, "test")
    unit = store.path("test", jobs[0].key)
    blob = unit.read_bytes()
    unit.write_bytes(b"damaged")
    stage = toy_stage(compute, note)
    computed(tmp_path)
    assert build(tmp_path, jobs, stage=stage) == {"a": 1, "b": 2}
    assert (computed(tmp_path), sorted(seen)) == ([], [("a", [True]), ("b", [True])])
    assert unit.read_bytes() == b"damaged"  # nobody had to read it
    unit.write_bytes(blob)
    (file,) = kept_folder(store, tmp_path / "table").glob("*.parquet")
    payload = file.read_bytes()
    file.unlink()  # a link to the table's own file: not to be written through
    file.write_bytes(payload[:-1] + b"x")
    seen.clear()
    _valid_of_file.cache_clear()
    assert build(tmp_path, jobs, stage=stage) == {"a": 1, "b": 2}
    assert sorted(seen) == [("a", [True]), ("b", [True])]


def test_absent_media_are_a_clear_refusal_unless_their_units_are_there(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    build(tmp_path, jobs)
    (tmp_path / "media/a").unlink()
    assert build(tmp_path, jobs) == {"a": 1, "b": 2}
    other = [Job(job.recording, "other" + job.key[5:], job.path) for job in jobs]
    with pytest.raises(
        ExtractionError, match=r"media of 1 of 2 recordings are not on this machine .*: a\. .*git checkout"
    ):
        build(tmp_path, other)


def test_media_that_only_the_main_checkout_holds_are_named_with_the_way_out(tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    copy.mkdir()
    monkeypatch.chdir(tmp_path)
    make_jobs(tmp_path / "media", a="1")
    jobs = [Job("a", "k" * 64, Path("media/a"))]
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))  # as in `dvc exp run --temp`
    with pytest.raises(ExtractionError, match=r"`root` .* absolute path, or run without --temp") as caught:
        build(Path(), jobs)
    assert f"the first: {tmp_path}/media/a" in str(caught.value)
    assert "git checkout" not in str(caught.value)


def test_a_file_that_register_never_saw_is_a_failure_not_a_refusal(tmp_path):
    jobs = [*make_jobs(tmp_path / "media", a="1"), Job("b", "k" * 64, tmp_path / "media/b", seen=False)]

    def missing(given):
        if not given.path.is_file():
            raise MediaError(f"{given.path}: no such file")
        return compute(given)

    assert build(tmp_path, jobs, share=0.5, stage=toy_stage(missing)) == {"a": 1}


def test_a_unit_damaged_on_disk_is_made_anew(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    build(tmp_path, jobs)
    computed(tmp_path)
    path = UnitStore(tmp_path / "store").path("test", jobs[0].key)
    path.write_bytes(path.read_bytes()[:-3] + b"xyz")
    assert build(tmp_path, jobs) == {"a": 1, "b": 2}
    assert computed(tmp_path) == ["a"]


def test_pulled_rows_become_units(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    build(tmp_path, jobs)
    other = UnitStore(tmp_path / "other")
    assert adopt(tmp_path / "table", other, "test") == 2
    assert adopt(tmp_path / "table", other, "test") == 0
    for job in jobs:
        assert other.get("test", job.key) == UnitStore(tmp_path / "store").get("test", job.key)
    assert adopt(tmp_path / "nowhere", other, "test") == 0


class OwnError(Exception):
    """An exception that cannot be sent to another process."""

    def __init__(self, first, second):
        super().__init__(f"{first}\n  and {second} of {object()!r}")


THROWN = {
    "unicode": lambda: b"\xfc".decode(),
    "value": lambda: int("x"),
    "index": lambda: [][0],
    "key": lambda: {}["date"],
    "memory": lambda: bytearray(1 << 60),
    "empty": lambda: throw(RuntimeError()),
    "own": lambda: throw(OwnError("one", "two")),
    "os": lambda: throw(PermissionError(13, "Permission denied")),
    "exit": lambda: sys.exit(3),
    "surrogate": lambda: throw(ValueError("B\udcfcr")),
    "group": lambda: throw(ExceptionGroup("several", [ValueError("a")])),
}
SAID = """recording,stage,reason
empty,s,media/empty: cannot be used (RuntimeError)
exit,s,media/exit: cannot be used (SystemExit: 3)
group,s,media/group: cannot be used (ExceptionGroup: several (1 sub-exception))
index,s,media/index: cannot be used (IndexError: list index out of range)
key,s,media/key: cannot be used (KeyError: 'date')
memory,s,media/memory: needs more memory than there is (MemoryError)
os,s,media/os: cannot be used (PermissionError: [Errno 13] Permission denied)
own,s,media/own: cannot be used (OwnError: one and two of <object object>)
surrogate,s,media/surrogate: cannot be used (ValueError: B\\udcfcr)
unicode,s,media/unicode: cannot be used (UnicodeDecodeError: 'utf-8' codec can't decode byte 0xfc in \
position 0: invalid start byte)
value,s,media/value: cannot be used (ValueError: invalid literal for int() with base 10: 'x')
"""


def throw(error):
    raise error


def throwing(given: Given) -> Rows:
    if given.recording in THROWN:
        THROWN[given.recording]()
    return compute(given)


def refusing(path: Path, valid) -> None:
    throwing(Given(path.read_text(), path))


@pytest.fixture(scope="module")
def scheduler():
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


@pytest.mark.parametrize("where", ["one worker", "two workers", "Dask"])
def test_whatever_a_recording_throws_is_its_failure_and_the_others_are_done(
    tmp_path, monkeypatch, request, where, caplog
):
    monkeypatch.chdir(tmp_path)
    scheduler = request.getfixturevalue("scheduler") if where == "Dask" else None
    workers = 2 if where == "two workers" else 1
    jobs = make_jobs(Path("media"), a="1", **dict.fromkeys(THROWN, "0"), z="2")
    caplog.set_level("DEBUG", "emobed.tracebacks")
    found = build(Path(), jobs, 1.0, workers, toy_stage(throwing, name="s", kind="k"), scheduler)
    assert found == {"a": 1, "z": 2}
    assert Path("table/failures.csv").read_text() == SAID
    assert caplog.text.count("Traceback (most recent call last)") == len(THROWN)
    assert "in throwing" in caplog.text
    # at the end all are named, and the others are kept
    with pytest.raises(ExtractionError, match=r"11 of 13 recordings failed(.|\n)*  value: .*'x'") as caught:
        build(Path(), jobs, 0.5, workers, toy_stage(throwing, name="s", kind="k"), scheduler)
    assert all(f"\n  {name}: media/{name}: " in str(caught.value) for name in THROWN)
    assert Path("table/failures.csv").read_text() == SAID
    assert (computed(Path()), len(UnitStore(Path("store")).keys("k"))) == (["a", "z"], 2)


def test_whatever_a_check_throws_is_the_failure_of_its_recording(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    assert build(tmp_path, jobs, stage=STAGE) == {"a": 1, "b": 2}
    (tmp_path / "media/b").write_text("index")
    stage = toy_stage(compute, refusing)
    assert build(tmp_path, jobs, 0.5, stage=stage) == {"a": 1}
    (failure,) = FeatureTable.open(tmp_path / "table").failures()
    assert failure.reason == f"{tmp_path}/media/b: cannot be used (IndexError: list index out of range)"


def deadly(given: Given) -> Rows:
    folder = given.path.parent / "did"
    folder.mkdir(exist_ok=True)
    do(folder, given.recording)
    return compute(given)


@pytest.mark.parametrize("where", ["one worker", "two workers", "Dask"])
def test_a_recording_that_ends_or_hangs_its_process_is_a_failure_and_the_others_are_done(
    tmp_path, monkeypatch, request, where
):
    monkeypatch.chdir(tmp_path)
    scheduler = request.getfixturevalue("scheduler") if where == "Dask" else None
    jobs = make_jobs(Path("media"), a="1", crashes="2", hangs="3", z="4")
    stage, workers = toy_stage(deadly, name="s", kind="k"), 2 if where == "two workers" else 1
    assert build(Path(), jobs, 0.5, workers, stage, scheduler, time_limit=1.5) == {"a": 1, "z": 4}
    assert Path("table/failures.csv").read_text() == (
        "recording,stage,reason\n"
        "crashes,s,media/crashes: ended the process that read it (signal 11)\n"
        "hangs,s,media/hangs: took longer than 1.5 s (runtime.time_limit)\n"
    )


def test_without_a_decoder_one_worker_needs_no_process(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    stage = toy_stage(own_pid, reads=Reads())
    assert set(build(tmp_path, jobs, stage=stage).values()) == {float(os.getpid())}


def test_without_a_decoder_others_help_from_some_recordings_on(tmp_path, monkeypatch):
    """Before, they take longer to start than they save."""
    jobs = make_jobs(tmp_path / "media", a="1", b="2", c="3")
    stage = toy_stage(own_pid, reads=Reads())
    assert set(build(tmp_path / "few", jobs, workers=2, stage=stage).values()) == {os.getpid()}
    monkeypatch.setattr("pipeline.features.extraction.engine.FEW", 3)
    assert os.getpid() not in build(tmp_path / "many", jobs, workers=2, stage=stage).values()


def own_pid(given: Given) -> Rows:
    pid = np.full((1, 1), os.getpid(), np.float32)
    return Rows(np.zeros(1), np.ones(1), pid, np.ones(1, bool), ("pid",))


def once_away(given: Given) -> Rows:
    note = given.path.with_suffix(".seen")
    if not note.exists():
        note.touch()
        raise OSError("the share is away")
    return compute(given)


def test_a_share_that_was_away_for_a_moment_is_read_again(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    assert build(tmp_path, jobs, stage=toy_stage(once_away, name="s", kind="k")) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        WeightsError("w.safetensors: no such file"),
        RemoteError("s3://bucket/a: cannot be read"),
        ModuleNotFoundError("No module named 'opensmile'"),
    ],
)
def test_what_would_meet_every_recording_stops_the_stage(tmp_path, error):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    with pytest.raises(type(error), match=re.escape(str(error))):
        build(tmp_path, jobs, 1.0, stage=toy_stage(partial(refuse_all, error), name="s", kind="k"))
    assert not (tmp_path / "table").exists()


def refuse_all(error: Exception, given: Given) -> Rows:
    raise error


def test_a_store_that_cannot_be_written_stops_the_stage(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    (tmp_path / "store").write_text("no folder")
    with pytest.raises(OSError, match="store"):
        build(tmp_path, jobs, 1.0)


def threads(given: Given) -> Rows:
    """Return the number of threads that torch would compute with."""
    import torch

    count = np.full((1, 1), torch.get_num_threads(), np.float32)
    return Rows(np.zeros(1), np.ones(1), count, np.ones(1, bool), ("threads",))


@pytest.mark.parametrize("names", ["a", "ab"])
def test_one_recording_is_computed_in_one_thread_as_many_are(tmp_path, names):
    """Sums over two threads round differently: an added recording would not be as it is among many."""
    code = (
        "import sys; from pathlib import Path; from tests.features.extraction import test_engine as t\n"
        "import os; folder = Path(sys.argv[1])\n"
        "if sys.argv[3] == 'loaded': import torch; torch.set_num_threads(2)\n"
        "jobs = t.make_jobs(folder / 'media', **dict.fromkeys(sys.argv[2], '1'))\n"
        "found = t.build(folder, jobs, workers=2, stage=t.toy_stage(t.threads))\n"
        "assert set(found.values()) == {1.0}, found\n"
        "assert os.environ['OMP_NUM_THREADS'] == '2' and 'OPENBLAS_NUM_THREADS' not in os.environ\n"
        "if sys.argv[3] == 'loaded': assert torch.get_num_threads() == 2\n"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    environment.pop("OPENBLAS_NUM_THREADS", None)
    for state in ("loaded", "not loaded"):
        command = [sys.executable, "-c", code, str(tmp_path / state), names, state]
        (tmp_path / state).mkdir()
        subprocess.run(command, check=True, env=environment, cwd=Path(__file__).parents[3])


def test_a_damaged_unit_is_made_anew_in_one_thread(tmp_path):
    """It is found damaged in two places: where a finished unit is checked, and where the table is written."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for check in (None, lambda path, valid: None):
            folder = tmp_path / str(check is None)
            folder.mkdir()
            stage = toy_stage(threads, check, name="s", kind="k")
            jobs = make_jobs(folder / "media", a="1")
            assert build(folder, jobs, stage=stage) == {"a": 1.0}
            path = UnitStore(folder / "store").path("k", jobs[0].key)
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-1] + b"?")
            assert build(folder, jobs, stage=stage) == {"a": 1.0}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
