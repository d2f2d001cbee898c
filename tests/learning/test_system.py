import subprocess
import sys

import pytest

from pipeline.catalogue.systems import METHOD, REFERENCE, SYSTEMS, in_order
from pipeline.learning.system import Variant, setting_of, setting_rank, setting_values
from pipeline.reporting.settings_shown import shown_setting


@pytest.mark.parametrize("value", [0.1, 0.1 + 0.2, 1.0, 1e-5, 123456789.0, 1 / 3, 10])
def test_a_setting_is_read_back_exactly(value):
    assert setting_values(setting_of(C=value, gamma=2)) == {"C": value, "gamma": 2.0}


def test_settings_are_short_text():
    assert setting_of() == ""
    assert setting_values("") == {}
    assert setting_of(alpha=0.3, beta=1.0) == "alpha=0.3 beta=1"
    assert setting_of(C=1e-5) == "C=1e-05"


@pytest.mark.parametrize(
    "setting", ["alpha", "alpha=", "=1", "alpha=0.3,beta=1", "a=1  b=2", "a=1 a=2", "a=x", " "]
)
def test_what_is_no_setting_is_refused(setting):
    with pytest.raises(ValueError, match="setting '"):
        setting_values(setting)


def test_settings_are_ordered_by_value_not_as_text():
    settings = [setting_of(alpha=alpha, beta=beta) for alpha in (0.3, 3, 10) for beta in (1, 20)]
    assert sorted(reversed(settings), key=setting_rank) == settings
    assert sorted(settings) != settings


def test_the_name_of_a_model_leaves_out_an_empty_setting():
    assert Variant("emobed", "alpha=0.3 beta=0.1", 2).name == "emobed alpha=0.3 beta=0.1 seed=2"
    assert Variant("classic", "", 1).name == "classic seed=1"


def test_the_table_has_what_others_ask_of_it():
    assert {REFERENCE, METHOD} <= set(SYSTEMS)
    assert len({entry.label for entry in SYSTEMS.values()}) == len(SYSTEMS)
    # fusions of modalities, marked wherever they are shown, have the colour of a system of one modality
    assert len({(entry.colour, entry.needs) for entry in SYSTEMS.values()}) == len(SYSTEMS)
    assert in_order(reversed(SYSTEMS)) == list(SYSTEMS)
    assert shown_setting("alpha=0.3 C=1") == "α 0.3, C 1"
    assert shown_setting("") == "–"


def test_the_table_imports_no_learner():
    code = (
        "import sys, pipeline.catalogue.systems\n"
        "print(sorted({'torch', 'pandas', 'sklearn'} & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
