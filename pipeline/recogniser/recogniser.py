"""A recogniser: a folder that the stage `export` wrote, read, and what it says of recordings.

Every way to a prediction ends in `predict_rows`: features are scaled, the networks of all seeds read them,
predictions are moved back by the annotation delay and post-processed as on the corpus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue.tasks import TASKS
from pipeline.params import Corpus, modality_of
from pipeline.recogniser.description import WEIGHTS, Description
from pipeline.recogniser.enrolment import Enrolment, known_of
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.folder import read_folder
from pipeline.recogniser.networks import unpack
from pipeline.recogniser.prediction import Prediction, segments
from pipeline.store.rows import Rows

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.learning.scaling import Enrolled
    from pipeline.recogniser.file_features import FileFeatures
    from pipeline.recogniser.models_of_setting import ModelsOfSetting
    from pipeline.recogniser.stream import Stream

    Speaker = Enrolment | Enrolled | Mapping[str, Enrolled]

# torch and pandas are imported where something is computed: together they take two seconds


@dataclass(frozen=True, eq=False)
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
    _makers: dict[str, FileFeatures] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu", networks: str | Path | None = None) -> Self:
        """Load a recogniser.

        folder: one of those that the stage export wrote. device: cpu, cuda or auto, for networks that make
        features. networks: a folder with files that features need and that did not come with the recogniser.

        Raises:
            RecogniserError: it cannot be used; which file, what was found, what would be right.
        """
        from pipeline.running.device import resolve

        folder = Path(folder)
        description = read_folder(folder)
        try:
            device = resolve(device)
        except ValueError as error:
            raise RecogniserError(str(error)) from None
        elsewhere = None if networks is None else Path(networks)
        corpus = unpack(description.made_corpus, description.needed, description.networks, folder, elsewhere)
        from pipeline.learning.model_file import ModelFileError, read_models
        from pipeline.recogniser.feature_makers import require_known_names
        from pipeline.recogniser.models_of_setting import ModelsOfSetting
        from pipeline.recogniser.soundness import require_running, require_whole

        path = folder / WEIGHTS
        try:
            tensors, about = read_models(path)
            require_whole(path, tensors, about, description)
            models = ModelsOfSetting.of(
                path, tensors, about, description.system, description.setting, description.seeds
            )
        except ModelFileError as error:
            raise RecogniserError(str(error)) from None
        require_running(path, models)
        made = cls(folder, description, corpus, models, device)
        require_known_names(made)
        return made

    def __repr__(self) -> str:
        """Return what it is, and not its weights."""
        about = self.description
        return f"<Recogniser {about.name} of {about.corpus}: {about.dimension} from {'+'.join(about.needed)}>"

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
            RecogniserError: features cannot be made here, from a file, or as they were in training.
        """
        name = modality or self.needed[0]
        return self.own_features(name, self._maker(name).rows(Path(file)))

    def signal_features(self, signal: NDArray[Any], rate: int, said: set[str] | None = None) -> Rows:
        """Return the features of sound that is in memory, as those of a file that holds it.

        signal: (samples,) or (channels, samples), floating point within [-1, 1] or integers (int8,
        int16, int32) at full scale.
        rate: of the signal, Hz; whatever it is, features are made at the rate of training. said: warnings
        that were given of other parts of the recording, and are not given again.

        Raises:
            MediaError: the signal cannot be used, as it could not be in a file.
            RecogniserError: it is none, or the recogniser hears no sound.
        """
        return self.own_features(self.needed[0], self._maker(self.needed[0]).signal_rows(signal, rate, said))

    def transcript_features(self, words: str) -> Rows:
        """Return the features of what was said.

        Raises:
            RecogniserError: the recogniser reads no words.
        """
        return self.own_features(self.needed[0], self._maker(self.needed[0]).transcript_rows(words))

    def predict(
        self, file: str | Path | Mapping[str, str | Path], *, enrolment: Speaker | None = None
    ) -> pd.DataFrame:
        """Predict a file; the table has the index (file, start, end).

        file: for a fusion one that has all modalities, or one for each, `{"audio": ..., "video": ...}`.
        enrolment: as for `predict_rows`.

        Raises:
            MediaError: the file cannot be used.
            RecogniserError: features cannot be made here, or as they were in training.
        """
        files = file if isinstance(file, Mapping) else dict.fromkeys(self.needed, file)
        if missing := [name for name in self.needed if name not in files]:
            raise RecogniserError(
                f"{self.name}: predicts from {' and '.join(self.needed)}, found no file of {missing[0]}"
            )
        rows = {name: self.features(files[name], name) for name in self.needed}
        return self._table(self.predict_rows(rows, enrolment), files[self.needed[0]])

    def predict_signal(
        self, signal: NDArray[Any], rate: int, *, enrolment: Speaker | None = None
    ) -> pd.DataFrame:
        """Predict sound that is in memory; in the index (file, start, end) the file is empty.

        signal, rate: as for `signal_features`. enrolment: as for `predict_rows`.

        Raises:
            MediaError, RecogniserError: as `signal_features`.
        """
        return self._table(self.predict_rows(self.signal_features(signal, rate), enrolment), "")

    def predict_transcript(self, words: str) -> pd.DataFrame:
        """Predict from what was said; in the index (file, start, end) the file is empty.

        Raises:
            RecogniserError: the recogniser reads no words.
        """
        return self._table(self.predict_rows(self.transcript_features(words)), "")

    def embed(self, file: str | Path, *, enrolment: Speaker | None = None) -> pd.DataFrame:
        """Return the embedding of each row, in columns `<seed>.<place>`: every seed has a space of its own.

        enrolment: as for `predict_rows`.

        Raises:
            MediaError: the file cannot be used.
            RecogniserError: the system has no embeddings.
        """
        import pandas as pd

        from pipeline.catalogue.systems import SYSTEMS

        maker = self._maker(self.needed[0])  # refuses first what no file has
        if SYSTEMS[self.description.system].encoders == "none":
            raise RecogniserError(
                f"{self.name}: {self.description.system} is a system without encoders and has no embeddings; "
                "export one that has (export.system: emobed)"
            )
        rows = self.own_features(self.needed[0], maker.rows(Path(file)))
        known = known_of(enrolment, self.models)
        own = known.get(self.needed[0]) if isinstance(known, Mapping) else known
        vectors = self.models.embed(rows, enrolment=own)  # (seeds, rows, embedding)
        places = range(vectors.shape[2])
        columns = [f"{seed}.{place}" for seed in self.description.seeds for place in places]
        index = segments(str(file), *self._times(rows, len(rows)))
        return pd.DataFrame(np.concatenate(list(vectors), axis=1), index, columns)

    def predict_rows(self, rows: Rows | Mapping[str, Rows], enrolment: Speaker | None = None) -> Prediction:
        """Predict one recording from its features.

        rows: of the target, or for a fusion of each modality, `{"audio": rows, "video": rows}`. enrolment:
        what is known of the speaker (`pipeline.recogniser.enrolment`), or recordings of the speaker or their
        statistics, where the models were trained on features that were scaled for each speaker; None: nothing
        is known, as of a stranger, which is logged, once.

        Raises:
            ValueError: the features are not those of training, or several rows of what predicts utterances.
            RecogniserError: the speaker was enrolled for another recogniser.
        """
        of_each = (rows,) if isinstance(rows, Rows) else rows.values()
        if self.corpus.grid.utterances and (most := max((len(own) for own in of_each), default=1)) > 1:
            raise ValueError(
                f"{self.name}: predicts utterances, each from one row, found {most} rows, which its networks "
                "would read as one sequence: call it for each row"
            )
        scaled = self.models.scaled(rows, enrolment=known_of(enrolment, self.models))
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
            self._beyond(scaled, given), self.description.domain, TASKS[self.task].several,
            self.description.thresholds, self.description.label_range,
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

    def own_features(self, modality: str, rows: Rows) -> Rows:
        """Return features that were made with the recogniser's parameters.

        Raises:
            RecogniserError: the networks expect others: parameters and weights are not of one recogniser.
        """
        from pipeline.recogniser.feature_makers import require_names

        require_names(self, modality, rows.names)
        return rows

    def require_made(self, modality: str) -> None:
        """Refuse a modality whose features cannot be made here, or not as they were in training.

        Raises:
            RecogniserError: they cannot.
        """
        self._maker(modality)

    def stream(
        self,
        rate: int | None = None,
        *,
        window: float | None = None,
        hop: float | None = None,
        enrolment: Speaker | None = None,
    ) -> Stream:
        """Begin with a recording that comes in pieces; the values are those of `predict` on the whole.

        rate: of the sound that is pushed, Hz; None where the recogniser hears none. window, hop: seconds, of
        a recogniser of utterances, each of whose windows is an utterance of its own; of others those of
        training. enrolment: as for `predict_rows`.

        Raises:
            RecogniserError: features or networks need the whole recording, or window and hop cannot be.
            MediaError: no rate of sound.
        """
        from pipeline.recogniser.streaming import stream_of

        return stream_of(self, rate, window, hop, enrolment)

    def _maker(self, modality: str) -> FileFeatures:
        from pipeline.recogniser.feature_makers import maker_of

        if modality not in self._makers:
            self._makers[modality] = maker_of(self, modality)
        return self._makers[modality]

    def _table(self, prediction: Prediction, file: str | Path) -> pd.DataFrame:
        return prediction.table(str(file), self.dimension, self.classes)

    def _times(self, rows: Rows, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return start and end of each row's segment, seconds: from its label time to the next one."""
        hop = self.corpus.grid.hop
        if hop is not None:
            start = np.arange(count, dtype=np.float64) * hop
            return start, start + hop
        return rows.start, np.where(rows.end > rows.start, rows.end, np.nan)
