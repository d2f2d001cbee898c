"""Delay and post-processing in a stream against the same on the whole recording."""

import numpy as np
import pytest
import torch

from pipeline.learning.dev_scores import shift_back
from pipeline.recogniser.description import FittedChain
from pipeline.recogniser.stream_outputs import StreamOutputs
from pipeline.scoring.chain import Chain

CHAINS = {
    "none": None,
    "affine": (FittedChain(gain=2.0, offset=0.5),) * 2,
    "median": (FittedChain(median=7), FittedChain(median=3, shift=1)),
    "all": (FittedChain(median=5, shift=9, gain=1.5), FittedChain(shift=2, offset=-1.0)),
}


def whole(outputs, delay, chains):
    moved = shift_back(torch.from_numpy(outputs)[:, None, :, None], delay)[:, 0, :, 0].numpy()
    if chains is None:
        return moved
    fitted = [Chain(median=c.median, shift=c.shift, gain=c.gain, offset=c.offset) for c in chains]
    return np.stack([chain.apply(own) for chain, own in zip(fitted, moved, strict=True)])


@pytest.mark.parametrize("kind", CHAINS)
@pytest.mark.parametrize("delay", [0, 4])
@pytest.mark.parametrize("lag", [0, 3, 20])
@pytest.mark.parametrize("frames", [1, 2, 6, 60])
def test_predictions_are_those_of_the_whole(kind, delay, lag, frames):
    """lag: label times by which outputs come later than their time does."""
    outputs = np.random.default_rng(frames).normal(size=(2, frames))
    expected = whole(outputs, delay, CHAINS[kind])
    stream = StreamOutputs(2, delay, CHAINS[kind])
    parts = []
    for time in range(frames):
        if time >= lag:
            stream.push(outputs[:, time - lag : time - lag + 1])
        parts.append(stream.known(time + 1))
        assert stream.next <= time + 1, "a prediction before its time has come"
        if time >= lag:
            ahead = max(chain.median // 2 for chain in stream.chains)
            assert stream.next >= min(time - lag + delay, time) + 1 - ahead, "later than it must be"
    stream.push(outputs[:, max(frames - lag, 0) :])
    parts.append(stream.finish())
    np.testing.assert_allclose(np.concatenate(parts, axis=1), expected, atol=1e-12)


def test_what_is_kept_does_not_grow():
    stream = StreamOutputs(2, 4, CHAINS["all"])
    for time in range(500):
        stream.push(np.zeros((2, 1)))
        stream.known(time + 1)
    assert stream._kept.shape[1] <= 4 + 9 + 5 + 2
