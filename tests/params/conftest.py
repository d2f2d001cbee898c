"""Parameters of the tests, changed in some places and read."""

from __future__ import annotations

import pytest

from pipeline.params import load_params
from tests.parameters import write_parameters


@pytest.fixture
def load(tmp_path):
    """Return a function that reads them: `load(corpora__own__grid__hop=0.2)`."""

    def load(**changes):
        def change(params):
            for path, value in changes.items():
                *parents, last = path.split("__")
                node = params
                for key in parents:
                    node = node[key]
                node[last] = value

        return load_params(write_parameters(tmp_path, change))

    return load
