"""`emotion_words`: emotions as word vectors that learned maps carry into each modality's space.

One training gives two systems: `emotion_words` predicts from the target alone, `emotion_words_all` from all
modalities that a recording has. The classes of `emotion_words.zero_shot` are no part of the training, and are
scored by their vectors all the same.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.capacity import Capacity
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.learner import LeftOutError
from pipeline.learning.one_by_one import OneByOne
from pipeline.learning.scaling import Scaler
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant, by_seed
from pipeline.learning.systems.emotion_words.few_shot import lessons
from pipeline.learning.systems.emotion_words.held_out import carrying, left_out, require_some
from pipeline.learning.systems.emotion_words.network import Part
from pipeline.learning.systems.emotion_words.predictor import WORDS, WordEnsemble, probabilities
from pipeline.learning.systems.emotion_words.recordings import WordRecordings, carried, label_matrix
from pipeline.learning.systems.emotion_words.training import Lesson, WordTraining, logits_of
from pipeline.learning.systems.emotion_words.vectors import class_vectors, require_known
from pipeline.learning.trained_model import TrainedModel
from pipeline.params import Learning, modality_of
from pipeline.params.emotion_words import EmotionWords as Parameters
from pipeline.running.one_thread import one_thread

logger = logging.getLogger(__name__)

VERSION = 3
"""Raised when the same data and parameters would give other models."""
ALONE, ALL = "emotion_words", "emotion_words_all"
OTHER = 100
"""Units of a modality that `emotion_words.hidden` does not name."""


@dataclass(frozen=True)
class WordsData:
    """What models learn from, and what they predict.

    classes: names by code. words: their vectors, (classes, values). unseen: names of those that nothing is
    learned of; rare: of those that few recordings are learned of. several: a recording may carry any number
    of classes. evaluation: what is predicted; evaluated: the same recordings with all modalities. scalers: by
    view, where the features are scaled otherwise than for other systems.
    """

    classes: tuple[str, ...]
    words: NDArray[np.float32]
    unseen: tuple[str, ...]
    parts: dict[str, Part]
    train: WordRecordings
    evaluation: Sequences
    evaluated: WordRecordings
    rare: tuple[str, ...] = ()
    several: bool = False
    scalers: Mapping[str, Scaler] = field(default_factory=dict)

    @property
    def seen(self) -> NDArray[np.int64]:
        """Return the codes of the classes that are learned."""
        return np.array([k for k, name in enumerate(self.classes) if name not in self.unseen], np.int64)

    @property
    def dev(self) -> WordRecordings:
        """Return the labelled recordings of dev."""
        known = np.isfinite(self.evaluated.labels[:, 0])
        dev = [i for i, name in enumerate(self.evaluation.partitions) if name == "dev" and known[i]]
        return self.evaluated.select(dev)


class EmotionWords(OneByOne):
    """Networks of all modalities, each used with the target alone and with all."""

    version = VERSION
    system = ALONE

    @property
    def systems(self) -> tuple[str, ...]:
        """Return both."""
        return (ALONE, ALL)

    def variants(self, learning: Learning) -> list[Variant]:
        """Return one model per seed of each system that is asked for."""
        return [
            Variant(system, "", seed)
            for system in self.systems
            if system in learning.systems
            for seed in self.seeds(learning)
        ]

    def epochs(self, learning: Learning) -> int:
        """Return the most epochs of a model."""
        return learning.emotion_words.epochs

    def vectors(self, data: WordsData, seed: int) -> NDArray[np.float32]:
        """Return the vectors of the classes for the models of a seed."""
        return data.words

    def prepare(self, data: ExperimentData, learning: Learning) -> WordsData:
        """Return what is learned from, without the recordings of classes that are not.

        Raises:
            LeftOutError: dev has no recording by which to stop.
            NotReadyError: a class has no vector.
            ValueError: `zero_shot` or `few_shot` names no class, or leaves fewer than two.
        """
        own = learning.emotion_words
        assert own.vectors is not None, "refused with the parameters"
        words = class_vectors(data.classes, own.vectors)
        require_known(own.zero_shot, data.classes, "zero_shot")
        require_known(own.few_shot, data.classes, "few_shot")
        scalers: dict[str, Scaler] = {}
        known = carried(data)
        require_some(known, data.classes, own)
        if gone := left_out(known, data.classes, own):
            logger.info(
                "emotion words: %d of %d labelled recordings of train and %d of %d of dev take no part "
                "(learning.emotion_words.zero_shot, few_shot)",
                *(count for part in known.values() for count in (len(gone & part.keys()), len(part))),
            )
            data = data.without(gone)
            scalers = {view: item.scaler for view, item in data.views.items()}
        found = WordsData(
            data.classes,
            words,
            tuple(own.zero_shot),
            {
                view: part_of(item.modality, len(item.features), words.shape[1], own)
                for view, item in data.views.items()
            },
            _training(data),
            data.evaluation,
            _evaluated(data),
            tuple(own.few_shot),
            data.several,
            scalers,
        )
        dev = dict(zip(found.dev.names, found.dev.labels, strict=True))
        if not dev.keys() - carrying(dev, data.classes, own.learned_last):
            raise LeftOutError(
                f"{self.system} is left out: its training is stopped by the score on dev, and dev has no "
                "recording with a label that it may look at"
            )
        return found

    def depends_on(self, data: WordsData, learning: Learning, device: str) -> dict[str, Any]:
        """Return what each model depends on."""
        return {
            "torch": torch.__version__,
            "numpy": np.__version__,
            "device": device,
            "parameters": learning.emotion_words.model_dump(mode="json", exclude={"vectors", "hidden"}),
            "parts": {view: dataclasses.asdict(part) for view, part in data.parts.items()},
            "classes": data.classes,
            "words": data.words.tolist(),
            "unseen": data.unseen,
            "several": data.several,
            "train": data.train.sha256(),
            "evaluated": data.evaluated.sha256(),
            "evaluation": data.evaluation.sha256(),
        }

    def programs(
        self, data: Any, learning: Learning, variants: Sequence[Variant], capacity: Capacity
    ) -> list[list[Variant]]:
        """Return the models of each seed: they share their network."""
        return by_seed(variants)

    def train(
        self, data: WordsData, learning: Learning, program: Sequence[Variant], device: str, marks: Path | None
    ) -> list[TrainedModel]:
        """Train the network of a seed; each system takes of it what it needs."""
        own, first = learning.emotion_words, program[0]
        with one_thread():
            words = self.vectors(data, first.seed)
            run = WordTraining(data.parts, words, own, first.seed, device, first.name)
            whole = Lesson(data.train, data.dev, data.seen, data.several, own.batch, own.learning_rate)
            curve = np.concatenate(
                [
                    run.learn(lesson, number, marks)
                    for number, lesson in enumerate(lessons(whole, data.classes, own))
                ]
            )
            return [_model(variant, run, curve, data) for variant in program]

    def train_one(
        self, data: WordsData, learning: Learning, variant: Variant, device: str, marks: Path | None
    ) -> TrainedModel:
        """Train the model of one variant."""
        return self.train(data, learning, [variant], device, marks)[0]

    def about(self, data: WordsData) -> dict[str, Any]:
        """Return the sizes of each modality, and which classes were never seen, or rarely."""
        return {
            "version": self.version,
            "parts": {view: dataclasses.asdict(part) for view, part in data.parts.items()},
            "unseen": list(data.unseen),
            "rare": list(data.rare),
            "several": data.several,
        }

    def logits(self, data: WordsData, model: TrainedModel) -> NDArray[np.float32]:
        """Return how close a trained model holds what it predicts to each class, (recordings, classes).

        Where a recording has one class its probabilities are relative to each other and do not tell it.
        """
        (network,) = self.predictor([model.weights], self.about(data)).networks
        parts = {view: data.parts[view] for view in network.modalities}
        features = {view: data.evaluated.features[view] for view in parts}
        evaluated = dataclasses.replace(data.evaluated, features=features)
        return logits_of(network, evaluated, parts, model.weights[WORDS])

    def predictor(
        self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]
    ) -> WordEnsemble:
        """Return the networks, of those modalities that they have weights of."""
        return WordEnsemble.of(weights, about)


def part_of(modality: str, width: int, values: int, own: Parameters) -> Part:
    """Return the sizes of a modality; modality: as scenarios call it.

    Text whose vectors have as many values as it has units takes them as they are, as in the paper.
    """
    name = modality_of(modality)
    hidden = own.hidden.get(name, OTHER)
    return Part(width, hidden, values, mapped=not (name == "text" and hidden == values))


def _model(variant: Variant, run: WordTraining, curve: NDArray[np.float64], data: WordsData) -> TrainedModel:
    """Return one system's part of a trained network, and its predictions."""
    views = tuple(data.parts) if variant.system == ALL else ("target",)
    places = [place for place, view in enumerate(data.parts) if view in views]
    weights = {
        name: tensor.cpu().clone()
        for name, tensor in run.network.state_dict().items()
        if name.startswith(tuple(f"modalities.{view}." for view in views))
    }
    weights |= {"weight": run.network.weight.detach().cpu()[places].clone(), WORDS: run.words.cpu().clone()}
    found = probabilities(torch.from_numpy(run.logits(data.evaluated, views)), data.several).numpy()
    frames = [len(own) for own in data.evaluation.gold]
    return TrainedModel(
        variant,
        weights,
        curve,
        tuple(np.repeat(row[None], n, axis=0) for row, n in zip(found, frames, strict=True)),
    )


def _training(data: ExperimentData) -> WordRecordings:
    """Return the labelled recordings of train that have any modality."""
    known = carried(data)["train"]
    views = {view: item.sequences.partition("train") for view, item in data.views.items()}
    names = [
        name for name in dict.fromkeys(n for own in views.values() for n in own.recordings) if name in known
    ]
    return WordRecordings.of(views, names, np.stack([known[name] for name in names]))


def _evaluated(data: ExperimentData) -> WordRecordings:
    """Return what is predicted, with all modalities."""
    views = {view: item.evaluation for view, item in data.views.items()}
    labels = label_matrix(data.evaluation.gold, len(data.classes), data.several)
    return WordRecordings.of(views, data.evaluation.recordings, labels)


LEARNER = EmotionWords()
