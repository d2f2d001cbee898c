import pytest

from pipeline.catalogue.systems import DEFAULT, SYSTEMS
from pipeline.learning import training as module
from pipeline.learning.model_file import unit_to_bytes
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.learners import learner_of, learners_of
from pipeline.learning.training import unit_keys
from pipeline.params import Learning
from tests.learning.synthetic import MemoryCache, learning, shop
from tests.learning.systems.emobed.test_training import data
from tests.learning.train_models import train_models


def test_every_system_of_the_table_has_one_learner():
    trained = [name for learner in learners_of(SYSTEMS) for name in learner.systems]
    assert sorted(trained) == sorted(SYSTEMS)
    assert all(name in learner_of(name).systems for name in SYSTEMS)


def test_a_system_costs_only_itself():
    """One more in `learning.systems` trains its own models and leaves the bytes of the others."""
    cache = MemoryCache({})
    few = train_models(EmoBed(), data(), learning(systems=["classic", "joint"]), shop(cache))
    assert [model.variant.system for model in few] == ["classic"] * 2 + ["joint"] * 2
    assert cache.puts == 4
    more = train_models(EmoBed(), data(), learning(systems=["emobed", "classic", "joint"]), shop(cache))
    assert cache.puts == 6
    kept = [unit_to_bytes(model) for model in more if model.variant.system != "emobed"]
    assert kept == [unit_to_bytes(model) for model in few]
    alone = train_models(EmoBed(), data(), learning(systems=["emobed"]))
    assert [unit_to_bytes(m) for m in alone] == [
        unit_to_bytes(m) for m in more if m.variant.system == "emobed"
    ]


def test_all_are_trained_where_nothing_is_said():
    said = learning().model_dump(mode="json", exclude={"systems"})
    assert Learning.model_validate(said).systems == DEFAULT
    assert len(unit_keys(EmoBed(), data(), learning(), "cpu")) == 8


def test_a_unit_with_other_columns_in_its_curve_is_another(monkeypatch):
    new = unit_keys(EmoBed(), data(), learning(), "cpu")
    monkeypatch.setattr(module, "CURVES", module.CURVES[:-1])
    old = unit_keys(EmoBed(), data(), learning(), "cpu")
    assert new.keys() == old.keys()
    assert set(new.values()).isdisjoint(old.values())


def test_systems_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"found 'svm', expected some of \['classic', 'joint'"):
        learning(systems=["classic", "svm"])
    with pytest.raises(ValueError, match="names classic twice"):
        learning(systems=["classic", "classic"])
