"""What every process of `emobed predict` needs, imported while the command line is read: two seconds."""

from __future__ import annotations


def import_networks() -> None:
    """Import PyTorch, pandas, and what loads recognisers."""
    from pipeline.predicting import work
    from pipeline.recogniser import models_of_setting, recogniser

    assert all((work, models_of_setting, recogniser))
