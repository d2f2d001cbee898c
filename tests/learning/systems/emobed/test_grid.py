import dataclasses

import pytest

from pipeline.learning.capacity import Capacity
from pipeline.learning.model_file import unit_to_bytes
from pipeline.learning.system import Variant
from pipeline.learning.systems.emobed import grid
from pipeline.learning.systems.emobed.grid import activation_bytes, grid_points, plan_programs
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.emobed.network import Architecture
from tests.learning.synthetic import MemoryCache, learning, shop
from tests.learning.systems.emobed.test_training import data, made_up
from tests.learning.train_models import train_models


def payloads(models) -> list[bytes]:
    return [unit_to_bytes(model) for model in models]


def test_systems_are_regions_of_the_grid():
    names = {(p.alpha, p.beta): p.system for p in grid_points(learning())}
    assert names == {(0, 0): "classic", (0.3, 0): "joint", (0, 0.1): "triplet", (0.3, 0.1): "emobed"}
    points = [GridPoint(0.0, 0.0, 2), GridPoint(0.3, 0.0, 2), GridPoint(0.1 + 0.2, 1.0, 2)]
    assert [point.variant for point in points] == [
        ("classic", "", 2), ("joint", "alpha=0.3", 2), ("emobed", "alpha=0.30000000000000004 beta=1", 2),
    ]  # fmt: skip
    assert [GridPoint.of(point.variant) for point in points] == points
    with pytest.raises(ValueError, match=r"classic alpha=0\.3 seed=1.* are called .joint alpha"):
        GridPoint.of(Variant("classic", "alpha=0.3", 1))


def test_results_depend_neither_on_programs_nor_on_workers():
    expected = payloads(train_models(EmoBed(), data(), learning(), models_at_once=16))
    assert payloads(train_models(EmoBed(), data(), learning(), models_at_once=3)) == expected
    assert payloads(train_models(EmoBed(), data(), learning(), shop(workers=2))) == expected


def test_what_is_finished_is_not_trained_again():
    cache = MemoryCache({})
    first = payloads(train_models(EmoBed(), data(), learning(), shop(cache)))
    assert cache.puts == 8
    assert payloads(train_models(EmoBed(), data(), learning(), shop(cache))) == first
    assert cache.puts == 8
    larger = learning(seeds=[1, 2, 5], alpha=[0.0, 0.3, 1.0])
    models = train_models(EmoBed(), data(), larger, shop(cache))
    assert cache.puts == 21
    assert len(models) == 21  # of two settings of EmoBed, and so of classic
    new = ("alpha=1", "lr=")
    kept = (m for m in models if m.variant.seed != 5 and not m.variant.setting.startswith(new))
    assert payloads(kept) == first


def test_a_killed_training_goes_on():
    class Killed(MemoryCache):
        def put(self, kind, key, payload):
            if self.puts == 4:
                raise KeyboardInterrupt
            super().put(kind, key, payload)

    cache = Killed({})
    with pytest.raises(KeyboardInterrupt):
        train_models(EmoBed(), data(), learning(), shop(cache), models_at_once=2)
    resumed = MemoryCache(cache.units)
    models = train_models(EmoBed(), data(), learning(), shop(resumed), models_at_once=2)
    assert resumed.puts == 4
    assert payloads(models) == payloads(train_models(EmoBed(), data(), learning()))


def test_whatever_matters_changes_the_key():
    cache = MemoryCache({})
    train_models(EmoBed(), data(), learning(), shop(cache))
    changes = [
        (data(), learning(optimiser={"learning_rate": 0.01}), 8),
        (dataclasses.replace(data(), delay_frames=3), learning(), 8),
        (dataclasses.replace(data(), target=made_up(5, "train", 6, 50)), learning(), 8),
        (data(seed=77), learning(), 6),  # the classic models stay: they never see the auxiliary data
    ]
    for given, settings, trained in changes:
        fresh = MemoryCache(dict(cache.units))
        train_models(EmoBed(), given, settings, shop(fresh))
        assert fresh.puts == trained


def test_programs_keep_workers_busy_and_memory_bounded(monkeypatch):
    points = grid_points(learning())
    assert len(plan_programs(data(), learning(), points, Capacity(1, 16))) == 1
    assert [len(p) for p in plan_programs(data(), learning(), points, Capacity(2, 16))] == [4, 4]
    assert [len(p) for p in plan_programs(data(), learning(), points, Capacity(1, 3))] == [3, 3, 2]
    assert plan_programs(data(), learning(), [], Capacity(2, 16)) == []
    large = dataclasses.replace(
        data(),
        architecture=Architecture(88, 632, 2, 2, 120, False, 1),
        target=made_up(4, "train", 88, 1, frames=7500),
    )
    settings = learning(optimiser={"batch": 4})
    # of one modality: half of .8 GB a model of the compiled functions, of 1.1 GB without them
    monkeypatch.setattr(grid, "library", object)
    assert 4e8 < activation_bytes(large, settings) < 6e8
    monkeypatch.setattr(grid, "library", lambda: None)
    assert 6e8 < activation_bytes(large, settings) < 1e9
    assert {len(p) for p in plan_programs(large, settings, points, Capacity(1, 16))} == {2}
    on_gpu = Capacity(1, float("inf"), 6.4e10, "cuda")  # one program, of as many models as fit
    assert [len(p) for p in plan_programs(large, settings, points, on_gpu)] == [8]
    assert {len(p) for p in plan_programs(large, settings, points, on_gpu._replace(memory=1e9))} == {2}


def test_programs_of_unequal_modalities_hold_all_systems():
    (program,) = plan_programs(data(auxiliary=11), learning(), grid_points(learning()), Capacity(1, 16))
    assert {point.system for point in program} == {"classic", "joint", "triplet", "emobed"}
    mixed = train_models(EmoBed(), data(auxiliary=11), learning(), models_at_once=16)
    assert payloads(mixed) == payloads(
        train_models(EmoBed(), data(auxiliary=11), learning(), models_at_once=1)
    )


def test_a_classic_model_is_trained_anew_where_an_epoch_gets_more_steps():
    cache = MemoryCache({})
    train_models(EmoBed(), data(), learning(), shop(cache))  # 5 and 5 sequences, batches of 2: 3 steps
    for auxiliary, trained in ((6, 6), (7, 8)):  # 3 steps, 4 steps
        fresh = MemoryCache(dict(cache.units))
        train_models(EmoBed(), data(auxiliary=auxiliary), learning(), shop(fresh))
        assert fresh.puts == trained
