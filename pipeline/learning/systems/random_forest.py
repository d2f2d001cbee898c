"""A forest of randomised trees on single rows (Breiman 2001), for regression or classes.

The depth of the trees is the setting, so it is chosen on dev as all settings are. Trees are kept as arrays,
not pickled: a model file holds numbers only. Where an utterance may have several classes, one forest learns
all of them; the share p of a class becomes `w p / (w p + 1 - p)` with its weight w (absent / present labels
of train), as if labels were as frequent as their absence: what is above .5 is predicted, and a rare class
would never be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.row_learner import RowData, RowLearner, RowPredictor, class_scores
from pipeline.learning.seeding import stream_seed
from pipeline.learning.system import Variant, setting_of, setting_values
from pipeline.params import Learning

if TYPE_CHECKING:
    from pipeline.onnx_graph import Graph

VERSION = 1
"""Raised when the same data and parameters would give other models."""
LEAF = -1
"""Child of a node that has none."""


@dataclass(frozen=True)
class Forest:
    """The nodes of all trees of one model, one tree behind the other.

    starts: the first node of each tree, (trees,). feature, threshold: (nodes,); left, right: places within
    the tree, `LEAF` at a leaf. value: (nodes, 1 or classes seen). seen: their codes, empty for regression.
    weight: of a label of each class, (classes,), where a row may have several; else empty.
    """

    starts: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    value: NDArray[np.float64]
    seen: NDArray[np.int64]
    weight: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def require_trees(self) -> None:
        """Refuse arrays in which the way down a tree would lead elsewhere, or never end.

        Raises:
            ValueError: what is no tree.
        """
        nodes = len(self.left)
        per_node = (self.right, self.feature, self.threshold, self.value)
        starts = self.starts
        first_is_first = len(starts) and starts[0] == 0 and (np.diff(starts) > 0).all() and starts[-1] < nodes
        if any(len(array) != nodes for array in per_node) or not first_is_first or self.value.ndim != 2:
            raise ValueError("the arrays of a forest do not fit together")
        sizes = np.diff([*starts, nodes])
        place = np.arange(nodes) - np.repeat(starts, sizes)
        inner = self.left != LEAF
        for child in (self.left[inner], self.right[inner]):
            # each child stands behind its parent, so that every way ends
            if not ((child > place[inner]) & (child < np.repeat(sizes, sizes)[inner])).all():
                raise ValueError("a tree of a forest has a node whose children do not stand behind it")
        if not (self.feature[inner] >= 0).all():
            raise ValueError("a tree of a forest asks for a feature before the first")

    def require_features(self, count: int) -> None:
        """Refuse trees that ask for features behind the last, whether a row comes to that node or not.

        Raises:
            ValueError: which feature.
        """
        last = int(self.feature.max())
        if last >= count:
            raise ValueError(f"a tree of a forest asks for feature {last + 1} of {count}")

    def outputs(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the mean over trees of the values of the leaves, (rows, 1 or classes seen)."""
        total = np.zeros((len(rows), self.value.shape[1]))
        for start in self.starts:
            node = np.zeros(len(rows), np.int64)
            inside = np.flatnonzero(self.left[start + node] != LEAF)
            while len(inside):
                here = start + node[inside]
                goes_left = rows[inside, self.feature[here]] <= self.threshold[here]
                node[inside] = np.where(goes_left, self.left[here], self.right[here])
                inside = inside[self.left[start + node[inside]] != LEAF]
            total += self.value[start + node]
        mean = total / len(self.starts)
        if len(self.weight):
            positive = self.weight * mean
            mean = positive / (positive + 1 - mean)
        return mean

    def to_onnx(self, graph: Graph, rows: str, outputs: int) -> str:
        """Add the trees to an ONNX graph and return their mean, float32 (frames, outputs)."""
        from pipeline.learning.onnx_graph import TREES

        ends = np.append(self.starts[1:], len(self.left))
        tree = np.repeat(np.arange(len(self.starts)), ends - self.starts)
        node = np.arange(len(self.left)) - self.starts[tree]
        leaf = self.left == LEAF
        codes = self.seen if len(self.seen) else np.zeros(1, np.int64)
        many = int(leaf.sum()), len(codes)
        mean = graph.add(
            "TreeEnsembleRegressor", rows, domain=TREES, n_targets=outputs, aggregate_function="SUM",
            nodes_treeids=tree.tolist(), nodes_nodeids=node.tolist(),
            nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
            nodes_featureids=np.where(leaf, 0, self.feature).tolist(),
            nodes_values=_no_greater(np.where(leaf, 0.0, self.threshold)).tolist(),
            nodes_truenodeids=np.where(leaf, 0, self.left).tolist(),
            nodes_falsenodeids=np.where(leaf, 0, self.right).tolist(),
            target_treeids=np.repeat(tree[leaf], many[1]).tolist(),
            target_nodeids=np.repeat(node[leaf], many[1]).tolist(),
            target_ids=np.tile(codes, many[0]).tolist(),
            target_weights=(self.value[leaf] / len(self.starts)).ravel().astype(np.float32).tolist(),
        )  # fmt: skip
        if not len(self.weight):
            return mean
        one = graph.constant(np.ones(1, np.float32))
        positive = graph.add("Mul", mean, graph.constant(self.weight.astype(np.float32)))
        return graph.add("Div", positive, graph.add("Add", positive, graph.add("Sub", one, mean)))


def _no_greater(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the largest float32 that is no greater: a float32 is then on the same side of the threshold."""
    nearest = values.astype(np.float32)
    return np.where(nearest > values, np.nextafter(nearest, np.float32(-np.inf)), nearest)


@dataclass(frozen=True)
class Forests(RowPredictor):
    """One forest per seed; classes: how many, 0 for regression."""

    forests: tuple[Forest, ...]
    classes: int

    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return values (seeds, frames, 1), or shares of the classes (seeds, frames, classes).

        Raises:
            ValueError: a tree asks for a feature that rows do not have.
        """
        found = []
        for forest in self.forests:
            forest.require_features(views["target"].shape[1])
            outputs = forest.outputs(views["target"])
            found.append(
                class_scores(outputs, forest.seen.tolist(), self.classes) if self.classes else outputs
            )
        return np.stack(found).astype(np.float32)

    def to_onnx(self, graph: Graph, views: Mapping[str, str]) -> list[str]:
        """Add the forests to an ONNX graph; see `pipeline.learning.learner.Portable`."""
        return [forest.to_onnx(graph, views["target"], self.classes or 1) for forest in self.forests]


class RandomForest(RowLearner):
    """Trains one forest per depth and seed."""

    system = "random_forest"
    version = VERSION

    def settings(self, learning: Learning) -> list[str]:
        """Return one setting per depth."""
        return [setting_of(depth=depth) for depth in sorted(learning.random_forest.depth)]

    def options(self, learning: Learning) -> dict[str, Any]:
        """Return the number of trees."""
        return {"trees": learning.random_forest.trees}

    def fit(self, data: RowData, learning: Learning, variant: Variant) -> dict[str, torch.Tensor]:
        """Grow a forest."""
        # takes a second, which predicting need not wait for
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestClassifier if data.classes else RandomForestRegressor
        forest = kind(
            n_estimators=learning.random_forest.trees,
            max_depth=int(setting_values(variant.setting)["depth"]),
            random_state=stream_seed(variant.seed, "forest") % 2**32,
        )
        forest.fit(data.features, data.matrix.astype(np.float64) if data.several else data.labels)
        if data.several:
            return _weights_of_sets(forest, data)
        return _weights(forest, bool(data.classes))

    def predictor(self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]) -> Forests:
        """Return the forests of one depth."""
        forests = tuple(Forest(**{name: own.numpy() for name, own in each.items()}) for each in weights)
        for forest in forests:
            forest.require_trees()
        return Forests(forests, about["classes"])


def _weights(forest: Any, classes: bool) -> dict[str, torch.Tensor]:
    """Return the arrays of `Forest`."""
    trees = [tree.tree_ for tree in forest.estimators_]
    value = np.concatenate([tree.value[:, 0, :] for tree in trees])
    return _arrays(trees, value, forest.classes_ if classes else np.zeros(0))


def _weights_of_sets(forest: Any, data: RowData) -> dict[str, torch.Tensor]:
    """Return the arrays of `Forest` of a forest that learned a matrix: shares of classes at each node."""
    trees = [tree.tree_ for tree in forest.estimators_]
    present = [own.tolist().index(1.0) if 1.0 in own else None for own in forest.classes_]
    value = np.stack(
        [
            np.concatenate([tree.value[:, code, place] for tree in trees])
            if place is not None
            else np.zeros(sum(tree.node_count for tree in trees))
            for code, place in enumerate(present)
        ],
        axis=1,
    )
    found = _arrays(trees, value, np.arange(data.classes))
    return found | {"weight": torch.tensor(data.positive_weight, dtype=torch.float64)}


def _arrays(trees: Sequence[Any], value: NDArray[np.float64], seen: NDArray[Any]) -> dict[str, torch.Tensor]:
    """Return the arrays of `Forest`. value: (nodes, 1 or classes seen). seen: their codes."""
    starts = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])
    arrays = {
        "starts": starts,
        "left": np.concatenate([tree.children_left for tree in trees]),
        "right": np.concatenate([tree.children_right for tree in trees]),
        "feature": np.concatenate([tree.feature for tree in trees]),
        "threshold": np.concatenate([tree.threshold for tree in trees]),
        "value": value,
        "seen": seen,
    }
    real = ("threshold", "value")
    return {
        name: torch.from_numpy(array.astype(np.float64 if name in real else np.int64))
        for name, array in arrays.items()
    }


LEARNER = RandomForest()
