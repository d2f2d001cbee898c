"""Checkouts that share a store: none prunes what another one uses."""

import json
import os
import platform
import shutil
import time

import pytest

from pipeline.store import housekeeping
from pipeline.store import roots as store_roots
from pipeline.store.roots import checkouts, registered, used_keys
from pipeline.store.units import UnitStore
from tests.commands.checkout import DAY, key
from tests.commands.test_store import emobed
from tests.parameters import write_parameters


@pytest.fixture
def store(tmp_path):
    return UnitStore(tmp_path / "shared")


@pytest.fixture
def here(tmp_path, store):
    return make(tmp_path / "here", store, 1, 2)


def make(root, store, *units):
    """Make a checkout whose one table names these units, and register it as a stage does."""
    root.mkdir()
    (root / "params.yaml").write_text("{}")
    run(root, store, *units)
    return root


def run(root, store, *units):
    """Do what a stage does that makes a table of these units."""
    with store.in_use(), registered(store, root):
        for unit in units:
            store.put("audio", key(unit), b"unit")
        name(root, *units)


def name(root, *units):
    table = root / "data/features/corpus/audio"
    table.mkdir(parents=True, exist_ok=True)
    recordings = {f"r{unit}": {"key": key(unit)} for unit in units}
    (table / "index.json").write_text(json.dumps({"recordings": recordings}))


def elsewhere(monkeypatch, name="node7"):
    monkeypatch.setattr(platform, "node", lambda: name)


def prune(store, root, **options):
    housekeeping.prune(store, root, 0, delete=True, **options)
    return {number for number in range(99) if store.has("audio", key(number))}


def standings(store, root, **options):
    return [(each.root.name, each.standing) for each in checkouts(store, root, **options)]


def test_prune_in_one_checkout_keeps_what_the_other_uses(store, here, tmp_path):
    there = make(tmp_path / "there", store, 2, 3)
    store.put("audio", key(4), b"nobody's")
    assert prune(store, here) == {1, 2, 3}
    assert prune(store, there) == {1, 2, 3}
    assert standings(store, here) == [("here", "this checkout"), ("there", "in use")]


def test_what_the_other_uses_is_read_from_its_tables_too(store, here, tmp_path):
    there = make(tmp_path / "there", store, 2, 3)
    store.put("audio", key(5), b"pulled, and adopted by hand")
    name(there, 5)
    assert prune(store, here) == {1, 2, 3, 5}


def test_an_out_that_dvc_deleted_to_make_it_again_is_in_use(store, here, tmp_path):
    there = make(tmp_path / "there", store, 3)
    for root in (here, there):
        shutil.rmtree(root / "data")
    assert prune(store, here) == {1, 2, 3}
    run(here, store, 2)
    assert prune(store, here) == {2, 3}


def test_a_stage_that_failed_leaves_the_list_as_it_was(store, here, tmp_path):
    def fail():
        shutil.rmtree(here / "data")
        raise RuntimeError

    with pytest.raises(RuntimeError), registered(store, here):
        fail()
    assert prune(store, here) == {1, 2}


def test_a_checkout_that_is_gone_counts_no_longer_and_is_said_once(store, here, tmp_path):
    shutil.rmtree(make(tmp_path / "there", store, 3))
    assert standings(store, here) == [("here", "this checkout"), ("there", "gone")]
    assert prune(store, here) == {1, 2}
    assert standings(store, here) == [("here", "this checkout")]


def test_a_checkout_without_a_stage_for_long_counts_no_longer(store, here, tmp_path):
    there = make(tmp_path / "there", store, 3)
    (entry,) = [path for path in (store.root / ".roots").glob("*.root.json") if "there" in path.read_text()]
    entry.write_text(json.dumps(json.loads(entry.read_text()) | {"used": time.time() - 91 * DAY}))
    assert standings(store, here)[1] == ("there", "not used")
    assert standings(store, here, forget_after=92)[1] == ("there", "in use")
    assert prune(store, here, forget_after=92) == {1, 2, 3}
    assert prune(store, here) == {1, 2}
    # its own tables always count, however long ago
    store.put("audio", key(3), b"unit")
    assert prune(store, there) == {1, 2, 3}


def test_a_checkout_on_another_machine_counts_until_its_age_limit(store, here, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        elsewhere(patched)
        there = make(tmp_path / "there", store, 3)
    shutil.rmtree(there)
    assert standings(store, here)[1] == ("there", "not seen from here")
    assert prune(store, here) == {1, 2, 3}
    assert prune(store, here, forget_after=0) == {1, 2}


def test_the_same_path_on_two_machines_is_two_checkouts(store, here, monkeypatch):
    """Each node of a cluster has its own /scratch."""
    with monkeypatch.context() as patched:
        elsewhere(patched)
        run(here, store, 8)
    run(here, store, 1)
    assert standings(store, here) == [("here", "this checkout"), ("here", "in use")]
    assert prune(store, here) == {1, 8}


def test_a_checkout_that_may_not_be_looked_into_counts(store, here, tmp_path, monkeypatch):
    there = make(tmp_path / "there", store, 3)
    stat = type(there).stat

    def closed(path, **options):
        if there in path.parents:
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    monkeypatch.setattr(type(there), "stat", closed)
    assert standings(store, here)[1] == ("there", "not seen from here")
    assert prune(store, here) == {1, 2, 3}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"root": 3}', '{"root": "/x", "host": "h", "used": "y"}']
)
def test_a_register_that_cannot_be_read_stops_prune(store, here, content):
    store.put("audio", key(4), b"nobody's")
    (store.root / ".roots/x.root.json").write_text(content)
    with pytest.raises(ValueError, match=r"x\.root\.json: cannot be read; delete it, then run a stage in"):
        prune(store, here)
    assert store.has("audio", key(4))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"recordings": {"r": {}}}', '{"recordings": 3}'])
def test_a_table_of_another_checkout_that_cannot_be_read_stops_prune(store, here, tmp_path, content):
    there = make(tmp_path / "there", store, 3)
    (there / "data/features/corpus/audio/index.json").write_text(content)
    with pytest.raises(ValueError, match=r"there/.*/index\.json: cannot be read; run `dvc checkout --force"):
        prune(store, here)
    assert store.has("audio", key(3))


def test_what_a_killed_stage_left_of_the_register_is_removed(store, here):
    left, written = store.root / ".roots/.a.root.json.0f", store.root / ".roots/.b.root.json.0e"
    for path, age in ((left, 100), (written, 0)):
        path.write_text("{")
        os.utime(path, (time.time() - age,) * 2)
    assert prune(store, here) == {1, 2}
    assert not left.exists()
    assert written.exists()


def test_units_that_fell_out_of_use_today_are_young(store, here):
    old = time.time() - 300 * DAY
    for number in (1, 2):
        os.utime(store.path("audio", key(number)), (old, old))
    run(here, store, 2)
    housekeeping.prune(store, here, 30, delete=True)
    assert store.has("audio", key(1))
    housekeeping.prune(store, here, 0, delete=True)
    assert not store.has("audio", key(1))


def test_registering_again_reads_no_table_that_did_not_change(store, here, monkeypatch):
    read = []
    monkeypatch.setattr(store_roots, "used_keys", lambda root: read.append(root) or used_keys(root))
    with registered(store, here):
        pass
    assert read == []
    run(here, store, 1)
    assert read == [here]


def test_the_commands_know_the_other_checkout(tmp_path, monkeypatch, store, here):
    for number, root in enumerate((here, tmp_path / "there")):
        root.mkdir(exist_ok=True)
        write_parameters(root, lambda params: params["runtime"].update(store=str(store.root)))
        run(root, store, number + 5)
    store.put("audio", key(4), b"nobody's")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.chdir(here)
    code, text = emobed("store", "status")
    assert code == 0
    assert text.splitlines()[-2].startswith(
        f"  this checkout: {here} on {platform.node()}, last stage 0 days"
    )
    assert text.splitlines()[-1].startswith(f"  in use: {tmp_path / 'there'} on ")
    assert next(line for line in text.splitlines() if line.startswith("audio")).split()[1:4] == [
        "5",
        "2",
        "3",
    ]
    assert emobed("store", "prune", "--older-than", "0", "--yes")[0] == 0
    assert store.keys("audio") == {key(5), key(6)}
    shutil.rmtree(tmp_path / "there")
    assert f"  gone, counts no longer: {tmp_path / 'there'} on " in emobed("store", "status")[1]
    assert "counts no longer: gone" in emobed("store", "prune", "--older-than", "0", "--yes")[1]
    assert store.keys("audio") == {key(5)}
