"""The table of extractors held against the parameters and the interface."""

import pytest

from pipeline.catalogue.extractors import EXTRACTORS
from pipeline.features.extraction.jobs import IN_KEYS
from pipeline.features.extractor import Extractor, MediumExtractor, extractor_of
from pipeline.features.media.inspection import FIRST
from pipeline.store.roots import TABLES
from tests.stage_imports import stage_names


def test_names_are_unique_within_a_stage():
    assert len({(entry.stage, entry.name) for entry in EXTRACTORS}) == len(EXTRACTORS)


@pytest.mark.parametrize("stage", dict.fromkeys(entry.stage for entry in EXTRACTORS))
def test_each_stage_finds_its_extractor(params, stage):
    assert stage in stage_names()
    found = extractor_of(stage, params.corpora["demo_sessions"])
    assert isinstance(found, Extractor)
    assert found.reads.medium or found.reads.table
    assert found.reads.table is None or found.reads.table in IN_KEYS.keys() & TABLES.keys()
    # whoever opens sound or pictures first is asked about them by `emobed check`
    first = found.reads.medium in FIRST and found.reads.table is None
    assert isinstance(found, MediumExtractor) == first == (stage in FIRST.values())
    assert not found.emotion_trained
