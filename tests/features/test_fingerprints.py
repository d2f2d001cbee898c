"""Keys of units: whatever changes a number changes the key. Parameters are found in the models themselves."""

from __future__ import annotations

import copy
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from pipeline.features.audio import functionals as audio
from pipeline.features.audio import onnx_waveform
from pipeline.features.embeddings import fer, landmarks, onet, onnx_faces, vgg_fc7
from pipeline.features.faces import detection as faces
from pipeline.features.imported import given_units
from pipeline.features.pooling import pooling
from pipeline.features.text import word_vectors
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.emobed import grid as learning_grid
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.emobed.network import Architecture
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.learning.training import unit_keys
from pipeline.params import Embedding, FeatureFiles
from pipeline.params.emotion_words import EmotionWords
from pipeline.params.features import OnnxFace, OnnxWaveform
from pipeline.params.group import Group
from pipeline.params.systems import Matched, Taught
from pipeline.params.words import OneOf
from pipeline.store import housekeeping
from pipeline.store.units import unit_key

Groups = dict[str, Group]


class Kind(NamedTuple):
    """A kind of units. groups: the parameters that its stage reads. key: of a unit, from them.

    limits: parameters that change no number of a unit, dotted, and why.
    """

    module: Any
    groups: Callable[[Any], Groups]
    key: Callable[[Groups], str]
    limits: dict[str, str] = {}
    version: str = "VERSION"


def model_key(groups: Groups) -> str:
    """Return the key of the one model of a grid of one point, of fixed data; identities are given."""
    one_model = {"alpha": (0.3,), "beta": (0.1,), "seeds": (1,), "systems": ("emobed",)}
    learning = groups["learning"].model_copy(update=one_model)
    one = (np.zeros((3, 2), np.float32),)
    part = Sequences(("r",), ("train",), ("s",), one, (np.zeros(3, np.float32),), (np.zeros(3, int),), one)
    data = TrainingData(Architecture(2, 2, 1, 1, 4, False, 1), part, part, part, 0)
    (key,) = unit_keys(EmoBed(), data, learning, "cpu").values()
    return key


STAGE_ONLY = "decides whether the stage fails at its end"
REFUSES = "refuses a finished unit, or does not"
FILE = "the key holds the sha256 of the file instead"
READ = "the key holds the sha256 of the file, which is looked at below"
OTHER = "of another extractor, which has a key of its own"
SAID = "said of the table, changes no number"
HERE = str(Path(__file__))
"""A file to be hashed: what is in it, a key does not ask."""
FACE = OnnxFace(file=HERE, output="y", side=64, mean=(1.0,), scale=(2.0,), colour="rgb", emotion_trained=True)
SOUND = OnnxWaveform(file=HERE, output="y", emotion_trained=True, standardise=True)


def audio_of(corpus: Any, **changed: Any) -> Groups:
    """Return the groups of extract_audio, with a network that could be chosen."""
    return {"audio": corpus.audio.model_copy(update={"onnx": SOUND} | changed), "grid": corpus.grid}


def embedding_of(corpus: Any, **changed: Any) -> Groups:
    """Return the group of embed_faces, with a network that could be chosen."""
    return {"embedding": corpus.video.embedding.model_copy(update={"onnx": FACE} | changed)}


def fields(group: str, model: type[Group], why: str) -> dict[str, str]:
    return {f"{group}.{name}": why for name in model.model_fields}


ENTRY = FeatureFiles(path="a.csv", statistics=("mean",), max_failed_share=0.0)
KINDS = {
    "audio": Kind(
        audio,
        audio_of,
        lambda g: unit_key(**audio.fingerprint(g["audio"], g["grid"])),
        {"audio.max_failed_share": STAGE_ONLY, "audio.max_damaged_share": REFUSES, "audio.network": OTHER}
        | fields("audio.onnx", OnnxWaveform, OTHER),
    ),
    "audio onnx": Kind(
        onnx_waveform,
        lambda corpus: audio_of(corpus, network="onnx"),
        lambda g: unit_key(**onnx_waveform.OnnxWaveforms(g["audio"], g["grid"]).fingerprint()),
        {"audio.max_failed_share": STAGE_ONLY, "audio.max_damaged_share": REFUSES}
        | dict.fromkeys(("audio.network", "audio.feature_set", "audio.level"), OTHER)
        | {"audio.onnx.file": READ, "audio.onnx.emotion_trained": SAID},
    ),
    "text": Kind(
        word_vectors,
        lambda corpus: {"text": corpus.text},
        lambda g: unit_key(**word_vectors.WordVectors(g["text"]).fingerprint()),
        {"text.max_failed_share": STAGE_ONLY, "text.file": READ},
    ),
    "faces": Kind(
        faces,
        lambda corpus: {"faces": corpus.video.faces},
        lambda g: unit_key(**faces.fingerprint(g["faces"])),
        {
            "faces.max_failed_share": STAGE_ONLY,
            "faces.min_found_share": REFUSES,
            "faces.max_damaged_share": REFUSES,
        },
    ),
    "embeddings": Kind(
        onet,
        embedding_of,
        lambda g: unit_key(**onet.Onet(g["embedding"], 5.0).fingerprint()),
        {"embedding.weights": READ, "embedding.fer.output": OTHER, "embedding.precision": OTHER}
        | fields("embedding.onnx", OnnxFace, OTHER),
    ),
    "embeddings fer": Kind(
        fer,
        lambda corpus: embedding_of(corpus, network="fer", weights=HERE),
        lambda g: unit_key(**fer.Fer(g["embedding"], 5.0).fingerprint()),
        {"embedding.weights": READ, "embedding.activation": OTHER, "embedding.precision": OTHER}
        | fields("embedding.onnx", OnnxFace, OTHER),
    ),
    "embeddings onnx": Kind(
        onnx_faces,
        lambda corpus: embedding_of(corpus, network="onnx"),
        lambda g: unit_key(**onnx_faces.OnnxFaces(g["embedding"], 5.0).fingerprint()),
        dict.fromkeys(
            ("embedding.network", "embedding.activation", "embedding.fer.output", "embedding.precision"),
            OTHER,
        )
        | {
            "embedding.weights": READ,
            "embedding.onnx.file": READ,
            "embedding.onnx.emotion_trained": SAID,
        },
    ),
    "video": Kind(
        pooling,
        lambda corpus: {"pooling": corpus.video.pooling, "grid": corpus.grid},
        lambda g: unit_key(**pooling.fingerprint(g["pooling"], g["grid"])),
    ),
    "given": Kind(
        given_units,
        lambda corpus: {"features": ENTRY, "grid": corpus.grid},
        lambda g: unit_key(**given_units.fingerprint(g["features"], g["grid"])),
        {
            "features.max_failed_share": STAGE_ONLY,
            "features.path": FILE,
            "features.modality": "words in the report only",
            "features.include": REFUSES,
        },
    ),
    "models": Kind(
        learning_grid,
        lambda corpus: {"learning": corpus.learning},
        model_key,
        dict.fromkeys(
            (
                "learning.alpha",
                "learning.beta",
                "learning.seeds",
                "learning.systems",
                "learning.classic.settings",
            ),
            "a model has its own identity in its key",
        )
        | dict.fromkeys(
            (
                "learning.random_forest.trees",
                "learning.random_forest.depth",
                "learning.support_vectors.C",
                "learning.support_vectors.epsilon",
                "learning.multi_task.weight",
                "learning.late_fusion.weight",
                *fields("learning.taught", Taught, ""),
                *fields("learning.emotion_words", EmotionWords, ""),
                *fields("learning.matched", Matched, ""),
            ),
            "of other systems, tested beside them",
        )
        | {
            "learning.threshold": "a model gives probabilities; which labels they name is written beside them"
        },
    ),
}


def leaves(group: Any, path: str) -> Iterator[str]:
    for name in type(group).model_fields:
        value = getattr(group, name)
        if isinstance(value, Group):
            yield from leaves(value, f"{path}.{name}")
        elif list(choices(said(group, name))) != [value] or has_kinds(said(group, name)[0]):
            yield f"{path}.{name}"  # one that has a choice


def has_kinds(annotation: Any) -> bool:
    """Tell whether values are of one type or another, such as a word or a number."""
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def said(group: Group, name: str) -> tuple[Any, ...]:
    """Return the type of a parameter and what stands beside it."""
    field = type(group).model_fields[name]
    return (field.annotation, *field.metadata)


def choices(annotation: Any) -> Iterator[Any]:
    """Return all values that a type, or one of several, names, however deep."""
    if typing.get_origin(annotation) is typing.Literal:
        yield from typing.get_args(annotation)
    if isinstance(annotation, OneOf):
        yield from annotation.words
    if isinstance(annotation, type) and issubclass(annotation, Group):
        yield dict.fromkeys(annotation.model_fields, 1.0)
    for part in annotation if isinstance(annotation, tuple) else typing.get_args(annotation):
        yield from choices(part)


def others(value: Any, annotation: Any) -> Iterator[Any]:
    """Return values to try instead of `value`; some are not allowed."""
    yield from choices(annotation)
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value * 2, value / 2, value * 0.9, 0.5)
    elif isinstance(value, tuple):
        yield from ((*value, choice) for choice in (*choices(annotation), "x", 0.5))
        if value:
            last = value[-1]
            yield from (value[:-1], (*value[:-1], last * 0.9 if isinstance(last, float) else last))
    elif isinstance(value, str):
        yield from (value + "x", (), 1.5)
    elif isinstance(value, dict):
        yield from ({**value, "x": 7}, {**value, "x": 0.5})
    elif value is None:
        yield from (1, 1.0, "x")


def changed(groups: Groups, path: str) -> Groups:
    """Return the groups with another legal value of one parameter."""
    first, *names = path.split(".")
    group: Any = groups[first]
    for name in names[:-1]:
        group = getattr(group, name)
    annotation = said(group, names[-1])
    for value in others(getattr(group, names[-1]), annotation):
        raw = groups[first].model_dump()
        node = raw
        for name in names[:-1]:
            node = node[name]
        node[names[-1]] = copy.deepcopy(value)
        try:
            new = type(groups[first]).model_validate(raw)
        except ValueError:
            continue
        if new != groups[first]:
            return groups | {first: new}
    raise AssertionError(f"{path}: add a value to `others` that is allowed there")


def test_every_kind_of_unit_is_here():
    assert {name.partition(" ")[0] for name in KINDS} == {*housekeeping.TABLES, "models"}


@pytest.mark.parametrize("corpus", ["demo_sessions", "demo_clips"])
@pytest.mark.parametrize("name", KINDS)
def test_each_parameter_changes_the_key_unless_it_changes_no_number(params, name, corpus):
    kind = KINDS[name]
    groups = kind.groups(params.corpora[corpus])
    before = kind.key(groups)
    paths = {path for group, value in groups.items() for path in leaves(value, group)}
    assert kind.limits.keys() <= paths
    # null for both or for none: `grid` changes as a whole
    for path in sorted(paths - kind.limits.keys()):
        if path.startswith("grid.") and groups["grid"].utterances:
            continue
        assert kind.key(changed(groups, path)) != before, (
            f"{path} is not in the key of {name} units: put it into the fingerprint; if it changes no number "
            "of a unit, name it in `limits` here"
        )
    for path, why in kind.limits.items():
        if why != READ:
            assert kind.key(changed(groups, path)) == before, f"{path} ({why}) is in the key: not a limit"


@pytest.mark.parametrize("name", KINDS)
def test_the_version_is_in_the_key(params, monkeypatch, name):
    kind = KINDS[name]
    groups = kind.groups(params.corpora["demo_sessions"])
    before = kind.key(groups)
    version = getattr(kind.module, kind.version)
    raised = {k: v + 1 for k, v in version.items()} if isinstance(version, dict) else version + 1
    monkeypatch.setattr(kind.module, kind.version, raised)
    assert kind.key(groups) != before


def test_landmarks_have_a_version_of_their_own(monkeypatch):
    before = landmarks.Landmarks().fingerprint()
    monkeypatch.setattr(landmarks, "VERSION", landmarks.VERSION + 1)
    assert landmarks.Landmarks().fingerprint() != before


def test_windows_and_utterances_have_different_keys(params):
    sessions, clips = (params.corpora[name] for name in ("demo_sessions", "demo_clips"))
    for name in ("audio", "audio onnx", "video", "given"):
        kind = KINDS[name]
        groups = kind.groups(sessions)
        assert kind.key(groups) != kind.key(groups | {"grid": clips.grid}), name


def test_the_weights_themselves_are_in_the_key(tmp_path):
    def key(content: bytes) -> str:
        path = tmp_path / f"{content.decode()}.safetensors"
        path.write_bytes(content)
        embedding = Embedding(network="vgg_face", activation="post_relu", weights=str(path), margin=0.0)
        return unit_key(**vgg_fc7.VggFace(embedding, 5.0).fingerprint())

    assert key(b"one") != key(b"two")


@pytest.mark.parametrize("name", ["audio onnx", "embeddings fer", "embeddings onnx"])
def test_the_network_itself_is_in_the_key(params, tmp_path, name):
    kind = KINDS[name]
    groups = kind.groups(params.corpora["demo_sessions"])

    def key(content: bytes) -> str:
        path = tmp_path / f"{content.decode()}.onnx"
        path.write_bytes(content)
        (group,) = groups.keys() - {"grid"}
        named = {"weights": str(path)} if name.endswith("fer") else {}
        onnx = groups[group].onnx.model_copy(update={"file": str(path)})
        return kind.key(groups | {group: groups[group].model_copy(update=named | {"onnx": onnx})})

    assert key(b"one") != key(b"two")


def test_extractors_of_one_stage_have_different_keys(params):
    keys = [kind.key(kind.groups(params.corpora["demo_sessions"])) for kind in KINDS.values()]
    assert len(set(keys)) == len(keys)
