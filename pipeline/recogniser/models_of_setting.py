"""A trained model file and features of one recording -> predictions or embeddings.

A prediction takes features of the target alone; only systems that fuse modalities (`needs` in their table)
take those of all. Scaling and the annotation delay are handled here, as they were in training. A model that
was trained on features scaled for each speaker (`scaling.speaker`) asks for enrolment: recordings of the
speaker, or what is kept of them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.catalogue.systems import SYSTEMS
from pipeline.learning.dev_scores import shift_back
from pipeline.learning.given_features import require_extraction, require_names
from pipeline.learning.learner import Predictor
from pipeline.learning.model_file import ModelFileError, read_models
from pipeline.learning.scaling import Enrolled, Scaler
from pipeline.learning.speaker_statistics import SpeakerStatistics, Values
from pipeline.learning.system import Variant, setting_values
from pipeline.learning.systems.learners import learner_of
from pipeline.params import view_names
from pipeline.recogniser.given_values import Features, checked, of_modality, require_a_number
from pipeline.recogniser.models_in_file import chosen_variants, limits_of, scalers_of, under
from pipeline.running.errors import one_line
from pipeline.scoring.domain import Limits
from pipeline.store.rows import Rows

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ModelsOfSetting:
    """The models of one system and setting, one per seed.

    scalers: by view. about: the description in the model file. said: warnings that were given, each once.
    limits: by view, what values of features are usual; only in a recogniser's file.
    """

    variants: tuple[Variant, ...]
    predictor: Predictor
    scalers: Mapping[str, Scaler]
    about: Mapping[str, Any]
    said: set[str] = field(default_factory=set, compare=False)
    limits: Mapping[str, Limits] = field(default_factory=dict)

    @classmethod
    def load(
        cls, path: Path, system: str, setting: str | None = None, seeds: Sequence[int] | None = None
    ) -> Self:
        """Load the models of a system at a setting such as `alpha=0.3 beta=0.1`.

        setting: None where the file holds one setting of the system. seeds: None for all that there are.

        Raises:
            ValueError: the setting is not of that form.
            ModelFileError: the file cannot be read, or does not hold such a model.
        """
        return cls.of(path, *read_models(path), system, setting, seeds)

    @classmethod
    def of(
        cls,
        path: Path,
        tensors: Mapping[str, torch.Tensor],
        about: Mapping[str, Any],
        system: str,
        setting: str | None = None,
        seeds: Sequence[int] | None = None,
    ) -> Self:
        """Return the models of a file that was read; arguments as for `load`.

        Raises:
            ValueError, ModelFileError: as `load`.
        """
        if setting is not None:
            setting_values(setting)
        try:
            variants = chosen_variants(path, about, system, setting, seeds)
            return cls._made(tensors, about, variants)
        except ModelFileError:
            raise
        except (LookupError, TypeError, AttributeError, RuntimeError, ValueError) as error:
            raise ModelFileError(
                f"{path}: not the description of a model of EmoBed, or of an earlier version of it "
                f"({type(error).__name__}: {one_line(str(error))})"
            ) from None

    @classmethod
    def _made(
        cls,
        tensors: Mapping[str, torch.Tensor],
        about: Mapping[str, Any],
        variants: tuple[Variant, ...],
    ) -> Self:
        weights = [under(f"{variant.name}/", tensors) for variant in variants]
        system = variants[0].system
        predictor = learner_of(system).predictor(weights, about["systems"][system])
        scalers = scalers_of(tensors, about, system)
        return cls(variants, predictor, scalers, about, limits=limits_of(tensors, about))

    @property
    def needed(self) -> tuple[str, ...]:
        """Return the modalities whose features a prediction takes, the target first."""
        every = tuple(self._modalities.values())
        return every if SYSTEMS[self.variants[0].system].needs == "all" else every[:1]

    @property
    def _modalities(self) -> dict[str, str]:
        """Return view -> modality, the target first (the file has them by name)."""
        known = self.about["modalities"]
        return {view: known[view] for view in view_names(len(known))}

    @property
    def views_needed(self) -> dict[str, str]:
        """Return view -> modality of those whose features a prediction takes."""
        return {self.view(name): name for name in self.needed}

    def features(self, modality: str = "target") -> tuple[str, ...]:
        """Return the names of the features that a modality was trained on, in their order.

        modality: by its name in the scenario, such as `video`, or as a view (`target`, `auxiliary`).

        Raises:
            ValueError: the models know no such modality.
        """
        return tuple(self.about["features"][self.view(modality)])

    def view(self, modality: str) -> str:
        """Return the view that a modality was in training."""
        views = self._modalities
        found = [view for view, name in views.items() if modality in (view, name)]
        if not found:
            raise ValueError(f"the models know no modality '{modality}', expected one of {[*views.values()]}")
        return str(found[0])

    @property
    def by_speaker(self) -> bool:
        """Say whether features are scaled by what is known of the speaker, so that enrolment matters."""
        return next(iter(self.scalers.values())).speaker != "none"

    def statistics(self, modality: str, recordings: Sequence[Rows]) -> SpeakerStatistics:
        """Return what enrolment keeps of a speaker's recordings, whose features of a modality these are.

        Raises:
            ValueError: the features are not those of training.
        """
        view = self.view(modality)
        for rows in recordings:
            require_names(rows.names, self.about, view)
        return self.scalers[view].statistics([Values(rows.values, rows.valid) for rows in recordings])

    def predict(
        self,
        features: Features | Mapping[str, Features],
        valid: NDArray[np.bool_] | Mapping[str, NDArray[np.bool_]] | None = None,
        enrolment: Enrolled | Mapping[str, Enrolled] | None = None,
        *,
        extraction: Mapping[str, Any] | None = None,
    ) -> NDArray[np.float32]:
        """Predict one recording from the features of the target modality, or of all that the system needs.

        features: rows, whose names are held against those of training; or their values alone, (frames,
        features), of which only the number can be; for a system that needs several modalities (`needed`)
        these by modality, `{"audio": rows, "video": rows}`. valid: (frames,), for values alone. enrolment:
        recordings of the same speaker, or their statistics, for a model trained with `speaker: centre` or
        `standardise`; the report's scores are with this one among them; an empty list predicts without, as
        for a stranger, and worse. extraction: what the features depend on
        besides the medium (`fingerprint` of `pipeline.features.audio.functionals`), held against that of
        training. Where features are given by modality, so are the others. Of modalities with different
        numbers of frames the shortest counts.
        Returns (seeds, frames)
        for regression, shifted back by the annotation delay; probabilities (seeds, frames, classes) for
        classification.

        Raises:
            ValueError: the features are not those of training or not of the modalities that the system
                needs, hold no number, or the model needs `enrolment`.
        """
        return self.predict_scaled(self.scaled(features, valid, enrolment, extraction=extraction))

    def scaled(
        self,
        features: Features | Mapping[str, Features],
        valid: NDArray[np.bool_] | Mapping[str, NDArray[np.bool_]] | None = None,
        enrolment: Enrolled | Mapping[str, Enrolled] | None = None,
        *,
        extraction: Mapping[str, Any] | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """Return what the networks read of each view, (frames, features); arguments and errors: `predict`."""
        given = features if isinstance(features, Mapping) else {self.needed[0]: features}
        by_view = {self.view(name): (name, own) for name, own in given.items()}
        views = [self.view(name) for name in self.needed]
        if not set(views) <= set(by_view):
            form = ", ".join(f"'{name}': ..." for name in self.needed)
            raise ValueError(
                f"{self.variants[0].system} predicts from {' and '.join(self.needed)} together, expected "
                f"features of each as {{{form}}}, found those of {' and '.join(given)} alone"
            )
        scaled = {}
        for view in views:
            name, own = by_view[view]
            origin = of_modality(extraction, name) if features is given else extraction
            known = of_modality(enrolment, name)
            scaled[view] = self._scaled(own, of_modality(valid, name), known, view, origin)
            require_a_number(own)
        return scaled

    def predict_scaled(self, scaled: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Predict one recording from what `scaled` returned; result: `predict`."""
        frames = min(map(len, scaled.values()))
        outputs = torch.from_numpy(
            self.predictor.predict({view: own[:frames] for view, own in scaled.items()})
        ).unsqueeze(1)
        shifted = shift_back(outputs, self.about["delay_frames"])[:, 0].numpy()  # (seeds, frames, outputs)
        return shifted if self.about["classes"] else shifted[..., 0]

    def embed(
        self,
        features: Features,
        modality: str = "target",
        valid: NDArray[np.bool_] | None = None,
        enrolment: Enrolled | None = None,
        *,
        extraction: Mapping[str, Any] | None = None,
    ) -> NDArray[np.float32]:
        """Return the embeddings of one recording, (seeds, frames, embedding), not shifted back.

        modality: which encoder, by the modality or its view. The auxiliary encoder of a system that sees one
        modality was never trained.
        Other arguments as for `predict`.

        Raises:
            ValueError: the features are not those of training, or the model needs `enrolment`.
        """
        view = self.view(modality)
        return self.predictor.embed(self._scaled(features, valid, enrolment, view, extraction), view)

    def _scaled(
        self,
        features: Features,
        valid: NDArray[np.bool_] | None,
        enrolment: Enrolled | None,
        view: str,
        extraction: Mapping[str, Any] | None,
    ) -> NDArray[np.float32]:
        """Return the features of a view, checked and scaled, (frames, features)."""
        if extraction is not None:
            require_extraction(extraction, self.about, view)
        if isinstance(features, Rows):
            require_names(features.names, self.about, view)
            values, valid = features.values, features.valid
        else:
            values = features
        scaler = self.scalers[view]
        given = checked(values, valid, len(scaler.arrays["centre"]))
        if scaler.speaker != "none":
            self.say_without_enrolment(enrolment, scaler.speaker)
        return scaler.apply(given, () if enrolment is None else enrolment)

    def say_without_enrolment(self, enrolment: Enrolled | None, speaker: str) -> None:
        """Refuse to predict without a word on enrolment; warn, once, where there is none on purpose.

        Raises:
            ValueError: enrolment is None.
        """
        trained = f"the model was trained on features scaled for each speaker (scaling.speaker: {speaker})"
        if enrolment is None:
            raise ValueError(
                f"{trained}: give `enrolment`, recordings of the same speaker as [Values(values, valid), "
                "...] or the statistics of an enrolment; [] predicts without, as for a stranger, and worse"
            )
        counts = enrolment.recordings if isinstance(enrolment, SpeakerStatistics) else [len(enrolment)]
        none = not any(counts)
        if none and not self.said:
            self.said.add("without enrolment")
            logger.warning(
                "%s and predicts without enrolment, as for a stranger: expect lower scores than the report's",
                trained,
            )
