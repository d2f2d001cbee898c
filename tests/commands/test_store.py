"""`emobed store`: what it counts, finds and deletes, and its exit codes."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipeline.store import housekeeping
from pipeline.store.units import UnitStore
from stages.commands.app import app
from stages.commands.store import _bytes
from tests.commands.checkout import DAY, key, make_checkout


@pytest.fixture
def store(tmp_path, monkeypatch) -> UnitStore:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return make_checkout(tmp_path)


def emobed(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def flip(path, place=-1):
    blob = bytearray(path.read_bytes())
    blob[place] ^= 255
    path.chmod(0o644)
    path.write_bytes(bytes(blob))


def test_status_counts_what_is_in_use_and_what_is_stale(store, tmp_path):
    found = housekeeping.status(store, tmp_path)
    size = store.path("audio", key(0)).stat().st_size
    audio, models = found.kinds["audio"], found.kinds["models"]
    assert (audio.units, audio.used, audio.stale) == (5, 3, 2)
    assert (audio.payload, audio.stale_payload) == (5 * size, 2 * size)
    assert (models.units, models.used, models.stale) == (1, 1, 0)
    assert found.missing == dict.fromkeys(
        ("audio", "text", "faces", "embeddings", "video", "given", "models"), 0
    )
    code, text = emobed("store", "status")
    assert code == 0
    line = next(line for line in text.splitlines() if line.startswith("audio"))
    assert line.split()[1:4] == ["5", "3", "2"]


def test_a_unit_that_a_table_names_and_the_store_lacks_is_counted(store, tmp_path):
    store.path("audio", key(1)).unlink()
    assert housekeeping.status(store, tmp_path).missing["audio"] == 1


def test_verify_is_content_with_whole_units_and_tables(store):
    assert emobed("store", "verify") == (0, "all units and feature tables are whole\n")


def test_verify_names_a_damaged_unit_and_removes_it_when_asked(store):
    path = store.path("audio", key(2))
    flip(path)
    code, text = emobed("store", "verify")
    assert code == 1
    assert f"damaged unit: {path}" in text
    assert path.exists()
    assert emobed("store", "verify", "--remove")[0] == 1
    assert not path.exists()
    assert emobed("store", "verify")[0] == 0


def test_verify_names_a_damaged_table_and_removes_it_when_asked(store, tmp_path):
    directory = tmp_path / "data/features/demo_sessions/audio"
    (part,) = directory.glob("*.parquet")
    part.unlink()
    part.write_bytes(b"other")
    code, text = emobed("store", "verify")
    assert code == 1
    assert "part-000-of-001.parquet: damaged (its sha256 is not the one in index.json)" in text
    assert emobed("store", "verify", "--remove")[0] == 1
    assert not directory.exists()
    assert len(store.keys("audio")) == 5


def test_prune_shows_first_and_deletes_only_what_is_stale_and_old(store):
    code, text = emobed("store", "prune")
    assert code == 0
    assert text.startswith("1 stale units older than 30 days, ")
    assert "would be deleted (add --yes)" in text
    assert len(store.keys("audio")) == 5
    assert emobed("store", "prune", "--yes")[0] == 0
    # of the two old ones, one is in use; the model is old and in use
    assert store.keys("audio") == {key(0), key(1), key(2), key(4)}
    assert store.keys("models") == {key(9)}
    assert emobed("store", "prune", "--older-than", "0", "--yes")[0] == 0
    assert store.keys("audio") == {key(0), key(1), key(2)}


def test_prune_never_deletes_what_is_put_while_it_runs(store, tmp_path, monkeypatch):
    checkouts = housekeeping.checkouts

    def slow(*arguments):
        store.put("audio", key(7), b"new")
        os.utime(store.path("audio", key(7)), (housekeeping.time.time() + 1,) * 2)
        return checkouts(*arguments)

    monkeypatch.setattr(housekeeping, "checkouts", slow)
    housekeeping.prune(store, tmp_path, 0, delete=True)
    assert key(7) in store.keys("audio")


def test_prune_refuses_while_a_stage_runs(store):
    with store.in_use():
        code, text = emobed("store", "prune", "--yes", "--older-than", "0")
    assert code == 1
    assert "a stage is running and uses the store" in text
    assert len(store.keys("audio")) == 5
    assert emobed("store", "prune", "--yes", "--older-than", "0")[0] == 0


def test_prune_refuses_where_an_index_cannot_be_read(store, tmp_path):
    (tmp_path / "data/models/demo_sessions/audio+video.arousal/units.json").write_text("[")
    code, text = emobed("store", "prune", "--yes", "--older-than", "0")
    assert code == 1
    assert "units.json: cannot be read" in text
    assert len(store.keys("audio")) == 5


def test_prune_removes_what_dead_writers_left_and_not_what_a_live_one_writes(store):
    folder = store.path("audio", key(0)).parent
    dead, alive = folder / f".{key(0)}.4194999.abcdef01", folder / f".{key(0)}.{os.getpid()}.abcdef02"
    for path in (dead, alive):
        path.write_bytes(b"half")
        os.utime(path, (housekeeping.time.time() - 3600,) * 2)
    assert "and 1 leftovers" in emobed("store", "prune", "--yes")[1]
    assert not dead.exists()
    assert alive.exists()


def test_outside_a_checkout_one_sentence_and_exit_code_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, text = emobed("store", "status")
    assert (code, text) == (
        1,
        "emobed: params.yaml: no such file; run from the root of the repository (a checkout of EmoBed)\n",
    )


@pytest.mark.parametrize("command", [(), ("store",), ("store", "prune"), ("check",)])
def test_help_names_the_exit_codes(command):
    code, text = emobed(*command, "--help")
    assert code == 0
    assert "Exit code" in text or "status" in text


def aged(store, **days):
    """Put audio units 16 and up with ages in days; returns the size of one."""
    for number, age in days.items():
        path = store.path("audio", key(int(number[1:])))
        store.put("audio", path.name, bytes(1000))
        os.utime(path, (housekeeping.time.time() - age * DAY,) * 2)
    return path.stat().st_size


def held(store):
    return sum(entry.payload for entry in housekeeping.status(store, store.root).kinds.values())


def test_max_size_deletes_what_was_not_used_for_longest_until_the_store_is_below(store):
    one = aged(store, u16=3, u17=50, u18=1, u19=200)
    used = {key(0), key(1), key(2)}
    limit = f"{(held(store) - 2 * one) / 1000:.3f}kB"
    assert emobed("store", "prune", "--max-size", limit)[1].startswith(
        "2 stale units older than 0 days, 2.1 kB"
    )
    assert emobed("store", "prune", "--max-size", limit, "--yes")[0] == 0
    # 3 is stale, of 40 days and small; 200, 50, then 40 days old: two large ones are enough
    assert store.keys("audio") == used | {key(3), key(4), key(16), key(18)}
    assert emobed("store", "prune", "--max-size", "1GB", "--yes")[1].startswith("0 stale units")


def test_max_size_never_deletes_what_is_in_use_and_says_so(store):
    aged(store, u16=3)
    code, text = emobed("store", "prune", "--max-size", "10 B", "--yes")
    assert code == 1
    assert "cannot get below 10 B: " in text
    assert "are in use and never deleted\n" in text
    assert store.keys("audio") == {key(0), key(1), key(2)}
    assert store.keys("models") == {key(9)}


def test_max_size_and_older_than_both_hold(store):
    aged(store, u16=3, u17=50)
    code, text = emobed("store", "prune", "--max-size", "10B", "--older-than", "45", "--yes")
    assert code == 1
    assert "are stale and younger than 45 days" in text
    assert store.keys("audio") == {*map(key, range(5)), key(16)}


@pytest.mark.parametrize(
    "text", ["20", "", "GB", "20Gbit", "-1GB", "20 apples", "1e400GB", "nanGB", "20GB 3MB"]
)
def test_a_size_that_is_none_is_one_sentence(store, text):
    code, said = emobed("store", "prune", "--max-size", text, "--yes", "--older-than", "0")
    assert code == 2
    said = " ".join(said.replace("│", " ").split())
    assert "is no size; expected a number and a unit (kB, MB, GB, TB), such as 500MB or 20GB" in said
    assert len(store.keys("audio")) == 5


@pytest.mark.parametrize(
    ("text", "size"),
    [("20GB", 20e9), ("500 MB", 5e8), ("1.5TB", 1.5e12), ("2GiB", 2 * 2**30), ("3kb", 3000), ("0GB", 0)],
)
def test_sizes_with_units(text, size):
    assert _bytes(text) == size


def test_a_unit_that_is_read_again_is_not_the_oldest(store):
    aged(store, u16=50, u17=60)
    assert store.get("audio", key(17)) == bytes(1000)
    assert emobed("store", "prune", "--older-than", "45", "--yes")[0] == 0
    assert key(17) in store.keys("audio")
    assert key(16) not in store.keys("audio")


def test_a_wrong_command_line_is_exit_code_2(store):
    assert emobed("store", "prune", "--older-than", "-1")[0] == 2
    assert emobed("store", "prune", "--older-than", "nan")[0] == 2
    assert emobed("nonsense")[0] == 2


def test_repull_without_a_remote_says_so_and_deletes_nothing(store, tmp_path):
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], cwd=tmp_path, check=True)
    table = tmp_path / "data/features/demo_sessions/audio"
    before = sorted(table.iterdir())
    (tmp_path / "dvc.lock").write_text(
        "stages:\n  a:\n    outs:\n    - {path: data/features/demo_sessions/audio, md5: 0.dir}\n"
    )
    code, text = emobed("store", "repull", "data/features/demo_sessions/audio")
    assert code == 1
    assert "no DVC remote is configured to fetch it from" in text
    assert "fetched" not in text
    assert sorted(table.iterdir()) == before


def test_repull_deletes_nothing_that_is_no_out(store, tmp_path):
    table = tmp_path / "data/features/demo_sessions/audio"
    before = sorted(table.iterdir())
    (tmp_path / "dvc.lock").write_text("stages:\n  a:\n    outs:\n    - {path: data/other, md5: 0.dir}\n")
    code, text = emobed("store", "repull", "data/features/demo_sessions/audio")
    assert code == 1
    assert "data/features/demo_sessions/audio: no out in dvc.lock; expected one of data/other" in text
    assert sorted(table.iterdir()) == before
