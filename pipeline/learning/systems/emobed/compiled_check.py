"""Whether compiled functions compute what they should: a compiler's arguments may make it careless."""

from __future__ import annotations

import ctypes

import numpy as np

BATCH, FRAMES, FEATURES, HIDDEN = 3, 4, 5, 17
CLOSE = 1e-5


def computes(loaded: ctypes.CDLL) -> bool:
    """Say whether a small GRU layer has the states that NumPy computes in double precision."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(BATCH, FRAMES, FEATURES)).astype(np.float32)
    shapes = ((3 * HIDDEN, FEATURES), (3 * HIDDEN,), (3 * HIDDEN, HIDDEN), (3 * HIDDEN,))
    weights = [random.normal(size=shape).astype(np.float32) for shape in shapes]
    sizes = (ctypes.c_long * 5)(1, BATCH, FRAMES, FEATURES, HIDDEN)
    strides = (ctypes.c_long * 7)(0, FRAMES * FEATURES, FEATURES, 0, 0, 0, 0)
    states = np.empty((BATCH, FRAMES, HIDDEN), np.float32)
    memory = np.empty(loaded.gru_bytes(sizes) + 64, np.uint8)
    aligned = -(-memory.ctypes.data // 64) * 64
    pointers = (ctypes.c_void_p * 4)(*(weight.ctypes.data for weight in weights))
    loaded.gru_forward(sizes, strides, inputs.ctypes.data, pointers, states.ctypes.data, None, aligned)
    return bool(np.allclose(states, _expected(inputs, weights), atol=CLOSE, rtol=0))


def _expected(inputs: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """Return the states of a layer, (batch, frames, hidden)."""
    w_ih, b_ih, w_hh, b_hh = (weight.astype(np.float64) for weight in weights)
    state, states = np.zeros((len(inputs), HIDDEN)), []
    for frame in inputs.swapaxes(0, 1).astype(np.float64):
        outer, inner = (
            np.split(x @ w.T + b, 3, axis=1) for x, w, b in ((frame, w_ih, b_ih), (state, w_hh, b_hh))
        )
        reset, update = (1 / (1 + np.exp(-outer[i] - inner[i])) for i in range(2))
        state = update * state + (1 - update) * np.tanh(outer[2] + reset * inner[2])
        states.append(state)
    return np.stack(states, axis=1)
