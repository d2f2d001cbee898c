"""Feature rows and gold standard -> the delay at which features predict the gold standard best.

For each delay of 0, hop, 2 hops ... a ridge regression from the features at time t to the gold
standard at t + delay is cross-validated over speakers; r is Pearson's within each held out recording,
averaged over recordings, and the score is the information that it amounts to, -1/2 log(1 - r^2) nats.
The mean over modalities and dimensions is the curve, and a parabola through its peak gives the delay
below the hop. Information rather than r, because a pair with r = .9 locates its peak much better than
one with r = .5 and should count accordingly: simulated with the demo's raters, the spread of the
estimate falls from .12 s to .09 s.

Windows that are centred on t smooth the curve without moving its peak. Windows that end at t move it half
a window towards 0: the delay found is that of labels behind these windows, not that of the raters. Every
delay is scored on the same frames, those that have a gold standard at the longest delay: so the Gram
matrices are the same for all delays, and only the right sides differ. Features and gold standard are
centred within each recording: what differs between speakers says nothing about time. Source:
Mariooryad and Busso, doi 10.1109/TAFFC.2014.2334294, who maximise the mutual information too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]
FOLDS = 8
# More directions than this cost time and sharpen nothing: the peak is broad.
COMPONENTS = 128
# Ridge penalties tried, per frame of training; features are scaled to unit variance.
PENALTIES = (0.01, 0.1, 1.0, 10.0)
# The parabola is fitted to the points this near to the peak, seconds, at least one hop.
PEAK = 0.4
# An r of 1 would be infinite information.
HIGHEST = 0.999999
SEED = 0


@dataclass(frozen=True)
class RecordingRows:
    """Features of one recording that the search may use.

    speaker: recordings of one speaker are held out together. frames: the label frame of each row,
    (rows,). values: (rows, features).
    """

    speaker: str
    frames: NDArray[np.int64]
    values: Array


@dataclass(frozen=True)
class DelayEstimate:
    """The delay found, and what it was read from.

    seconds: the peak of the parabola. standard_error: of the peak, seconds, by the jackknife over
    recordings. delays: the delays tried, seconds, (delays,). scores: mean information at each delay,
    nats, (delays,). parts: r at each delay, by `<modality>.<dimension>`.
    """

    seconds: float
    standard_error: float
    delays: Array
    scores: Array
    parts: dict[str, Array]


def estimate_delay(
    features: Mapping[str, Mapping[str, RecordingRows]],
    gold_standard: Mapping[str, Mapping[str, Array]],
    hop: float,
    longest: int,
) -> DelayEstimate:
    """Search the delay between features and gold standard.

    Args:
        features: by modality, then recording. Train and dev only: test must stay unseen.
        gold_standard: by dimension, then recording, on the label grid, (frames,).
        hop: seconds.
        longest: the longest delay tried, hops, at least 2.

    Raises:
        ValueError: nothing to search on: fewer than two speakers with features and gold standard
            that are longer than the longest delay.
    """
    curves = {
        f"{modality}.{dimension}": _curves(recordings, traces, longest, f"{modality}, {dimension}")
        for modality, recordings in features.items()
        for dimension, traces in gold_standard.items()
    }
    if not curves or longest < 2:
        raise ValueError(
            f"estimate found {len(curves)} pairs of modality and dimension and {longest + 1} delays, "
            "expected a pair (extract features first) and three delays"
        )
    delays: Array = np.arange(longest + 1, dtype=np.float64) * hop
    scores = _information(curves, None)
    peak = _peak(delays, scores, hop)
    if peak in (delays[0], delays[-1]):
        logger.warning("annotation_delay: the best delay, %.2f s, is the first or last tried", peak)
    names = sorted({name for each in curves.values() for name in each})
    without = np.array([_peak(delays, _information(curves, name), hop) for name in names])
    error = np.sqrt((len(names) - 1) * without.var())
    parts = {part: _mean(each) for part, each in curves.items()}
    return DelayEstimate(peak, float(error), delays, scores, parts)


def _information(curves: Mapping[str, Mapping[str, Array]], left_out: str | None) -> Array:
    """Return the mean information at each delay, (delays,), without one of the recordings."""
    means = [_mean({name: r for name, r in each.items() if name != left_out}) for each in curves.values()]
    return np.mean([-0.5 * np.log(1 - np.clip(r, 0, HIGHEST) ** 2) for r in means], axis=0)


def _mean(curves: Mapping[str, Array]) -> Array:
    return np.stack(list(curves.values())).mean(axis=0)


def _curves(
    recordings: Mapping[str, RecordingRows], traces: Mapping[str, Array], longest: int, what: str
) -> dict[str, Array]:
    """Return the cross-validated r of each recording at each delay, (delays,)."""
    names, speakers, inputs, targets = [], [], [], []
    for name in sorted(recordings.keys() & traces.keys()):
        rows, trace = recordings[name], traces[name]
        usable = (rows.frames + longest < len(trace)) & np.isfinite(rows.values).all(axis=1)
        if usable.sum() < 3:
            continue
        target = trace[rows.frames[usable][:, None] + np.arange(longest + 1)]  # (rows, delays)
        rated = np.isfinite(target).all(axis=1)  # a gold standard may have holes
        if rated.sum() < 3:
            continue
        usable[usable], target = rated, target[rated]
        names.append(name)
        speakers.append(rows.speaker)
        inputs.append(_centred(rows.values[usable].astype(np.float64)))
        targets.append(_centred(target))
    if len(set(speakers)) < 2:
        raise ValueError(
            f"estimate found {len(set(speakers))} speakers with features and gold standard "
            f"in train and dev ({what}), expected two or more longer than max_delay"
        )
    scores = _cross_validate(_reduced(inputs), targets, _folds(speakers))
    return dict(zip(names, scores, strict=True))


def _cross_validate(inputs: Sequence[Array], targets: Sequence[Array], folds: Sequence[int]) -> Array:
    """Return r with the best penalty: (recordings, delays).

    inputs: per recording (rows, features). targets: per recording (rows, delays). folds: the fold
    of each recording.
    """
    grams = [values.T @ values for values in inputs]
    sides = [values.T @ target for values, target in zip(inputs, targets, strict=True)]
    rows = np.array([len(values) for values in inputs])
    fold_of = np.asarray(folds)
    scores = np.zeros((len(PENALTIES), len(inputs), targets[0].shape[1]))
    for fold in sorted(set(folds)):
        train = np.flatnonzero(fold_of != fold).tolist()
        strengths, directions = np.linalg.eigh(sum(grams[place] for place in train))
        side = directions.T @ sum(sides[place] for place in train)  # (features, delays)
        for number, penalty in enumerate(PENALTIES):
            weights = directions @ (side / (strengths + penalty * rows[train].sum())[:, None])
            for place in np.flatnonzero(fold_of == fold).tolist():
                scores[number, place] = _pearson(inputs[place] @ weights, targets[place])
    means = scores.mean(axis=1)  # (penalties, delays)
    best: Array = scores[means.max(axis=1).argmax()]
    return best


def _reduced(inputs: Sequence[Array]) -> list[Array]:
    """Return the features scaled to unit variance, in at most `COMPONENTS` principal directions."""
    joined = np.concatenate(inputs)
    scale = np.sqrt((joined**2).mean(axis=0))
    # Within a recording constant up to rounding: it carries no time.
    varies = scale > 1e-6 * np.maximum(np.abs(joined).max(axis=0, initial=0.0), 1e-12)
    joined = joined[:, varies] / scale[varies]
    if joined.shape[1] > COMPONENTS:
        from sklearn.utils.extmath import randomized_svd

        rank = min(COMPONENTS, len(joined))
        directions = randomized_svd(joined, n_components=rank, random_state=SEED)[2]
        joined = joined @ directions.T
    return np.split(joined, np.cumsum([len(values) for values in inputs])[:-1])


def _folds(speakers: Sequence[str]) -> list[int]:
    """Return the fold of each recording: speakers are dealt out in order of their names."""
    order = {speaker: place for place, speaker in enumerate(sorted(set(speakers)))}
    return [order[speaker] % FOLDS for speaker in speakers]


def _centred(values: Array) -> Array:
    return values - values.mean(axis=0)


def _pearson(left: Array, right: Array) -> Array:
    """Return r of each column, (columns,); 0 where one of both is constant."""
    left, right = _centred(left), _centred(right)
    norm = np.sqrt((left**2).sum(axis=0) * (right**2).sum(axis=0))
    product: Array = (left * right).sum(axis=0)
    return np.divide(product, norm, out=np.zeros_like(product), where=norm > 0)


def _peak(delays: Array, scores: Array, hop: float) -> float:
    """Return the delay at the top of a parabola through the points around the highest score."""
    top = int(scores.argmax())
    if top in (0, len(delays) - 1):
        return float(delays[top])
    near = np.abs(delays - delays[top]) <= max(PEAK, hop) + hop / 2
    bend, slope, _ = np.polyfit(delays[near] - delays[top], scores[near], 2)
    if bend >= 0:
        return float(delays[top])
    low, high = delays[near][[0, -1]]
    return float(np.clip(delays[top] - slope / (2 * bend), low, high))
