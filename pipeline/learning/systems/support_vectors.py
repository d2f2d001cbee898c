"""Linear support vectors on single rows: regression as in AVEC 2016's baseline, or classes one against all.

`min 1/2 |w|^2 + C sum loss`, squared (epsilon-insensitive or hinge) loss, with an offset that is
regularised as a weight of a constant feature, by liblinear (Fan et al. 2008). Without an insensitive zone the
loss of a regression is that of ridge regression, which is solved in closed form: exactly, where liblinear
stops at 1e-4 of its first gradient, and in a tenth of its time or less. Neither draws random numbers:
there is one model per C, under the first seed. C is the setting, so it is chosen on dev as all settings are.
Where an utterance may have several classes, there is a plane for each, whose errors count as much for labels
as for their absence, and what is on its positive side (sigmoid of the distance above .5) is predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special
import torch
from numpy.typing import NDArray

from pipeline.learning.row_learner import RowData, RowLearner, RowPredictor, class_scores
from pipeline.learning.system import Variant, setting_of, setting_values
from pipeline.params import Learning

if TYPE_CHECKING:
    from pipeline.onnx_graph import Graph

VERSION = 2
"""Raised when the same data and parameters would give other models."""
NEGLIGIBLE = 1e-12
"""Penalty of a ridge regression, as a share of the sum of squares of its features, below which normal
equations of features that follow from others are singular in float64."""
ITERATIONS = 10_000
"""At most, of liblinear's Newton steps."""


@dataclass(frozen=True)
class Hyperplanes(RowPredictor):
    """weight: (1 or classes seen, features + 1), the offset last; seen: codes, empty for regression.

    several: a row may have any number of the classes, all of which have a plane.
    """

    weight: NDArray[np.float64]
    seen: tuple[int, ...]
    classes: int
    several: bool = False

    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return values (1, frames, 1), or softmax or sigmoid of distances to planes (no probabilities)."""
        # row by row: the same bytes however many rows are predicted at once
        rows = views["target"].astype(np.float64)
        distances = np.stack([(rows * plane[:-1]).sum(1) + plane[-1] for plane in self.weight], axis=1)
        if self.several:
            distances = scipy.special.expit(distances)
        elif self.seen:
            if len(self.weight) == 1:  # two classes: one plane, the second class on its positive side
                distances = np.concatenate((-distances, distances), axis=1)
            distances = class_scores(scipy.special.softmax(distances, axis=1), self.seen, self.classes)
        return distances[None].astype(np.float32)

    def to_onnx(self, graph: Graph, views: Mapping[str, str]) -> list[str]:
        """Add the planes to an ONNX graph; see `pipeline.learning.learner.Portable`."""
        from onnx import TensorProto

        planes = self.weight
        if self.seen and len(planes) == 1 and not self.several:
            planes = np.concatenate((-planes, planes))
        rows = graph.add("Cast", views["target"], to=TensorProto.DOUBLE)
        found = graph.add("MatMul", rows, graph.constant(planes[:, :-1].T.copy()))
        found = graph.add("Add", found, graph.constant(planes[:, -1].copy()))
        if self.several:
            found = graph.add("Sigmoid", found)
        elif self.seen:
            places = np.zeros((len(self.seen), self.classes))
            places[np.arange(len(self.seen)), list(self.seen)] = 1
            found = graph.add("MatMul", graph.add("Softmax", found, axis=-1), graph.constant(places))
        return [graph.add("Cast", found, to=TensorProto.FLOAT)]


class SupportVectors(RowLearner):
    """Trains one model per C."""

    system = "support_vectors"
    version = VERSION

    def settings(self, learning: Learning) -> list[str]:
        """Return one setting per C."""
        return [setting_of(C=cost) for cost in sorted(learning.support_vectors.C)]

    def seeds(self, learning: Learning) -> Sequence[int]:
        """Return the first seed: nothing is drawn."""
        return learning.seeds[:1]

    def options(self, learning: Learning) -> dict[str, Any]:
        """Return the width of the insensitive zone."""
        return {"epsilon": learning.support_vectors.epsilon}

    def fit(self, data: RowData, learning: Learning, variant: Variant) -> dict[str, torch.Tensor]:
        """Fit one plane, or one per class."""
        from sklearn.svm import LinearSVC, LinearSVR  # takes a second, which predicting need not wait for

        cost, epsilon = setting_values(variant.setting)["C"], learning.support_vectors.epsilon
        if not data.classes and epsilon == 0:
            plane = ridge(data.features.astype(np.float64), data.labels, cost)
            return {"planes": torch.from_numpy(plane[None]), "seen": torch.tensor([], dtype=torch.int64)}
        options = {"C": cost, "dual": False, "max_iter": ITERATIONS}
        if data.several:
            return self._fit_sets(data, LinearSVC, options)
        if data.classes:
            model = LinearSVC(loss="squared_hinge", **options)
        else:
            model = LinearSVR(loss="squared_epsilon_insensitive", epsilon=epsilon, **options)
        model.fit(data.features.astype(np.float64), data.labels)
        planes = np.column_stack((np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)))
        seen = [int(code) for code in model.classes_] if data.classes else []
        return {"planes": torch.from_numpy(planes), "seen": torch.tensor(seen, dtype=torch.int64)}

    def _fit_sets(self, data: RowData, kind: Any, options: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """Fit a plane for each class; one that all or no rows have is always or never predicted."""
        planes = np.zeros((data.classes, data.features.shape[1] + 1))
        for plane, labels in zip(planes, data.matrix.T, strict=True):
            if labels.all() or not labels.any():
                plane[-1] = 1.0 if labels.all() else -1.0
                continue
            model = kind(loss="squared_hinge", class_weight="balanced", **options)
            model.fit(data.features.astype(np.float64), labels)
            plane[:-1], plane[-1] = model.coef_[0], model.intercept_[0]
        return {"planes": torch.from_numpy(planes), "seen": torch.arange(data.classes)}

    def predictor(
        self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]
    ) -> Hyperplanes:
        """Return the planes of the one model that there is per setting."""
        (own,) = weights
        seen, several = tuple(own["seen"].tolist()), about.get("several", False)
        return Hyperplanes(own["planes"].numpy(), seen, about["classes"], several)


def ridge(features: NDArray[np.float64], labels: NDArray[np.float64], cost: float) -> NDArray[np.float64]:
    """Return the plane that minimises `1/2 |w|^2 + C sum (label - w x)^2`, (features + 1,), the offset last.

    features: (rows, features). labels: (rows,).
    """
    from scipy.linalg import lstsq
    from sklearn.linear_model import ridge_regression

    rows = np.column_stack((features, np.ones(len(features))))
    penalty = 1 / (2 * cost)
    if penalty < NEGLIGIBLE * np.square(rows).sum():  # it tends to the smallest plane of least squares
        return np.asarray(lstsq(rows, labels, cond=max(rows.shape) * np.finfo(float).eps)[0])
    return np.asarray(ridge_regression(rows, labels, penalty, solver="cholesky"))


LEARNER = SupportVectors()
