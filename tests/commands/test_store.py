"""`emobed store`: what it counts, finds and deletes, and its exit codes."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipeline import housekeeping
from pipeline.features.store import UnitStore
from stages.commands.app import app
from tests.commands.checkout import key, make_checkout


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
    assert found.missing == dict.fromkeys(("audio", "faces", "embeddings", "video", "given", "models"), 0)
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
    used = housekeeping.used_keys

    def slow(root):
        store.put("audio", key(7), b"new")
        os.utime(store.path("audio", key(7)), (housekeeping.time.time() + 1,) * 2)
        return used(root)

    monkeypatch.setattr(housekeeping, "used_keys", slow)
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
        "emobed: params.yaml: no such file; run from the root of the repository\n",
    )


@pytest.mark.parametrize("command", [(), ("store",), ("store", "prune"), ("check",)])
def test_help_names_the_exit_codes(command):
    code, text = emobed(*command, "--help")
    assert code == 0
    assert "Exit code" in text or "status" in text


def test_a_wrong_command_line_is_exit_code_2(store):
    assert emobed("store", "prune", "--older-than", "-1")[0] == 2
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
