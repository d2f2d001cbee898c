"""The models of a recogniser at a place in a recording: rows as they come -> outputs; states are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.learning.given_features import require_names
from pipeline.learning.scaling import Scaler
from pipeline.learning.speaker_statistics import SpeakerStatistics, Values
from pipeline.learning.stepping import stepper_of
from pipeline.scoring.domain import share_beyond
from pipeline.store.rows import Rows

if TYPE_CHECKING:
    from pipeline.learning.scaling import Enrolled
    from pipeline.recogniser.models_of_setting import ModelsOfSetting


class SteppedModels:
    """Scales rows and lets the networks of all seeds go on."""

    def __init__(
        self, models: ModelsOfSetting, enrolment: Enrolled | Mapping[str, Enrolled] | None = None
    ) -> None:
        """Begin with a recording; enrolment: as for `ModelsOfSetting.predict`.

        Raises:
            NotSteppedError: the models need the whole recording.
            ValueError: the models need `enrolment`.
        """
        self.models = models
        by_name = {modality: view for view, modality in models.about["modalities"].items()}
        self.views = {name: by_name[name] for name in models.needed}
        self.speakers = {}
        for name, view in self.views.items():
            own = enrolment.get(name) if isinstance(enrolment, Mapping) else enrolment
            scaler = models.scalers[view]
            if scaler.speaker != "none":
                models.say_without_enrolment(own, scaler.speaker)
            self.speakers[name] = _known(scaler, own)
        self.step = stepper_of(models.predictor)
        self._outside = dict.fromkeys(self.views.values(), 0.0)
        self._rows = dict.fromkeys(self.views.values(), 0)

    @property
    def beyond(self) -> float:
        """Return the share of values beyond those that train's usually have, so far; NaN if not known."""
        if not set(self._rows) <= set(self.models.limits) or not all(self._rows.values()):
            return float("nan")
        return float(np.mean([self._outside[view] / count for view, count in self._rows.items()]))

    def go_on(self, rows: Mapping[str, Rows]) -> NDArray[np.float64]:
        """Return the outputs of the next rows, (seeds, frames), not shifted back.

        rows: of each modality that is needed, equally many.
        """
        scaled = {}
        for name, own in rows.items():
            view = self.views[name]
            require_names(own.names, self.models.about, view)
            scaled[view] = self.models.scalers[view].apply(Values(own.values, own.valid), self.speakers[name])
            if view in self.models.limits and own.valid.any():
                count = int(own.valid.sum())
                share = share_beyond(scaled[view], own.valid, self.models.limits[view])
                self._outside[view] += share * count
                self._rows[view] += count
        return self.step(scaled)[..., 0].astype(np.float64)


def _known(scaler: Scaler, enrolment: Enrolled | None) -> Enrolled:
    """Return what the scaling needs to know of the speaker, measured once."""
    if scaler.speaker == "none" or enrolment is None:
        return ()
    return enrolment if isinstance(enrolment, SpeakerStatistics) else scaler.statistics(enrolment)
