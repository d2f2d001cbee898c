"""A recogniser: a folder that the stage `export` wrote, read, and what it says of recordings.

Every way to a prediction ends in `predict_rows`: features are scaled, the networks of all seeds read them,
predictions are moved back by the annotation delay and post-processed as on the corpus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pipeline.params import Corpus, modality_of
from pipeline.recogniser.description import WEIGHTS, Description
from pipeline.recogniser.enrolment import Enrolment
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.folder import read_folder
from pipeline.recogniser.prediction import Prediction
from pipeline.store.rows import Rows

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.learning.scaling import Enrolled
    from pipeline.recogniser.models_of_setting import ModelsOfSetting

    Speaker = Enrolment | Enrolled | Mapping[str, Enrolled]

# torch and pandas are imported where something is computed: together they take two seconds


@dataclass(frozen=True)
class Recogniser:
    """A trained system that predicts one dimension from one modality, or for a fusion from several.

    description: what recogniser.json says. corpus: the parameters by which features are made. models: the
    networks, one per seed. device: where networks that make features compute.
    """

    folder: Path
    description: Description
    corpus: Corpus
    models: ModelsOfSetting
    device: str = "cpu"

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> Self:
        """Load a recogniser.

        folder: one of those that the stage export wrote. device: cpu, cuda or auto, for networks that make
        features.

        Raises:
            RecogniserError: it cannot be used; which file, what was found, what would be right.
        """
        folder = Path(folder)
        description = read_folder(folder)
        from pipeline.learning.model_file import ModelFileError
        from pipeline.recogniser.models_of_setting import ModelsOfSetting

        try:
            models = ModelsOfSetting.load(
                folder / WEIGHTS, description.system, description.setting, description.seeds
            )
        except ModelFileError as error:
            raise RecogniserError(str(error)) from None
        return cls(folder, description, description.made_corpus, models, device)

    @property
    def name(self) -> str:
        """Return the name of the experiment, such as `audio+video.arousal`."""
        return self.description.name

    @property
    def modality(self) -> str:
        """Return the target modality: the one that a prediction takes, or for a fusion the first of them."""
        return modality_of(self.needed[0])

    @property
    def needed(self) -> tuple[str, ...]:
        """Return the modalities that a prediction takes, the target first."""
        return self.description.needed

    @property
    def dimension(self) -> str:
        """Return what is predicted: arousal, valence or emotion."""
        return self.description.dimension

    @property
    def task(self) -> str:
        """Return regression or classification."""
        return self.description.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes by code; none for regression."""
        return self.description.classes

    @property
    def about(self) -> Mapping[str, Any]:
        """Return what recogniser.json says, as JSON has it."""
        return self.description.model_dump(mode="json")

    def features(self, file: str | Path, modality: str | None = None) -> Rows:
        """Return the features of a file as the stages of the corpus make them.

        modality: one of `needed`; None: the target.

        Raises:
            MediaError: the file cannot be used.
            RecogniserError: the features were given with the corpus and cannot be made from a file.
        """
        from pipeline.recogniser.file_features import file_rows
        from pipeline.running.device import resolve

        return file_rows(self.corpus, modality or self.needed[0], Path(file), resolve(self.device))

    def predict(self, file: str | Path, *, enrolment: Speaker | None = None) -> pd.DataFrame:
        """Predict a file; the table has the index (file, start, end).

        enrolment: as for `predict_rows`.

        Raises:
            MediaError: the file cannot be used.
            RecogniserError: the file has not what the recogniser needs.
        """
        rows = {name: self.features(file, name) for name in self.needed}
        return self.predict_rows(rows, enrolment).table(str(file), self.dimension, self.classes)

    def embed(self, file: str | Path, *, enrolment: Speaker | None = None) -> pd.DataFrame:
        """Return the embeddings of a file, the mean over seeds is not taken: columns `<seed>.<place>`.

        Raises:
            MediaError: the file cannot be used.
            ValueError: the system has no embeddings.
        """
        import pandas as pd

        rows = self.features(file)
        vectors = self.models.embed(rows, enrolment=_of(self._known(enrolment), self.needed[0]))
        columns = {
            f"{seed}.{place}": vectors[number, :, place]
            for number, seed in enumerate(self.description.seeds)
            for place in range(vectors.shape[2])
        }
        index = self._empty(rows).table(str(file), self.dimension, self.classes).index
        return pd.DataFrame(columns, index=index)

    def predict_rows(self, rows: Rows | Mapping[str, Rows], enrolment: Speaker | None = None) -> Prediction:
        """Predict one recording from its features.

        rows: of the target, or for a fusion of each modality, `{"audio": rows, "video": rows}`. enrolment:
        what is known of the speaker (`pipeline.recogniser.enrolment`), or recordings of the speaker or their
        statistics, where the models were trained on features that were scaled for each speaker; None: nothing
        is known, as of a stranger, which is logged, once.

        Raises:
            ValueError: the features are not those of training.
            RecogniserError: the speaker was enrolled for another recogniser.
        """
        scaled = self.models.scaled(rows, enrolment=self._known(enrolment))
        outputs = self.models.predict_scaled(scaled).astype(np.float64)
        chains = self.description.chains
        if chains is not None:
            from pipeline.scoring.chain import Chain

            fitted = [Chain(median=c.median, shift=c.shift, gain=c.gain, offset=c.offset) for c in chains]
            outputs = np.stack([chain.apply(own) for chain, own in zip(fitted, outputs, strict=True)])
        first = rows if isinstance(rows, Rows) else rows[self.needed[0]]
        others = () if isinstance(rows, Rows) else (rows[name] for name in self.needed)
        valid = first.valid[: outputs.shape[1]].copy()
        for other in others:
            valid &= other.valid[: len(valid)]
        given = {self.needed[0]: rows} if isinstance(rows, Rows) else rows
        return Prediction(
            *self._times(first, outputs.shape[1]), valid, outputs, self.description.calibration,
            self._beyond(scaled, given), self.description.domain,
        )  # fmt: skip

    def _beyond(self, scaled: Mapping[str, np.ndarray], rows: Mapping[str, Rows]) -> float:
        """Return the share of values beyond train's usual ones, mean over modalities; NaN if not known."""
        from pipeline.scoring.domain import share_beyond

        names = self.models.views_needed
        limits = self.models.limits
        if not set(scaled) <= set(limits):
            return float("nan")
        shares = [share_beyond(own, rows[names[view]].valid, limits[view]) for view, own in scaled.items()]
        return float(np.mean(shares))

    def _known(self, enrolment: Speaker | None) -> Any:
        if enrolment is None:
            return ()
        return enrolment.of(self.models) if isinstance(enrolment, Enrolment) else enrolment

    def _times(self, rows: Rows, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return start and end of each row's segment, seconds: of windows the time is their middle."""
        hop = self.corpus.grid.hop
        if hop is not None:
            start = np.arange(count) * hop
            return start, start + hop
        return rows.start, np.where(rows.end > rows.start, rows.end, np.nan)

    def _empty(self, rows: Rows) -> Prediction:
        outputs = np.zeros((1, len(rows), *([len(self.classes)] if self.classes else [])))
        return Prediction(*self._times(rows, len(rows)), rows.valid, outputs)


def _of(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else given
