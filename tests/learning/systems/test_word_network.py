"""The network of `emotion_words` and its loss against loops written plainly in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.learning.systems.emotion_words.learner import part_of
from pipeline.learning.systems.emotion_words.losses import binary_loss, positive_weights
from pipeline.learning.systems.emotion_words.network import Modality, Part, WordNetwork
from pipeline.params.emotion_words import EmotionWords as Parameters


def random_tensor(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def naive_directions(lstm, sequence):
    """Return the output of two layers of cells written out, (frames, 2 hidden), for (frames, features)."""
    rows = list(sequence)
    for layer in range(2):
        found = []
        for suffix, order in (("", 1), ("_reverse", -1)):
            w_x, w_h, b_x, b_h = (
                getattr(lstm, f"{kind}_l{layer}{suffix}")
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h = c = torch.zeros(lstm.hidden_size).double()
            outputs = []
            for x in rows[::order]:
                i, f, g, o = (w_x @ x + b_x + w_h @ h + b_h).split(lstm.hidden_size)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                outputs.append(h)
            found.append(outputs[::order])
        rows = [torch.cat(both) for both in zip(*found, strict=True)]
    return torch.stack(rows)


def test_both_directions_are_summed_at_the_last_frame_that_is_one():
    modality = Modality(Part(3, 4, 2, True), dropout=0.5).double().eval()
    sequences = [random_tensor(frames, 3, seed=frames) for frames in (5, 1, 3)]
    padded = torch.full((3, 5, 3), 7.0).double()  # whatever lies behind an end is ignored
    for row, own in zip(padded, sequences, strict=True):
        row[: len(own)] = own
    found = modality.vectors(padded, torch.tensor([5, 1, 3]))
    for vector, own in zip(found, sequences, strict=True):
        last = naive_directions(modality.encoder, own)[-1]
        torch.testing.assert_close(vector, last[:4] + last[4:])
    # padded steps would have counted
    last = modality.encoder(padded)[0][:, -1]
    assert (found - last[:, :4] - last[:, 4:])[1:].abs().min() > 1e-4


def test_a_modality_that_is_missing_is_a_dropped_term():
    network = WordNetwork({"target": Part(3, 4, 2, True), "auxiliary": Part(2, 5, 2, True)}, seed=1).double()
    assert network.weight.tolist() == [0.5, 0.5]
    with torch.no_grad():
        network.weight.copy_(torch.tensor([0.7, -0.2], dtype=torch.float64))
    words = random_tensor(3, 2)
    lengths = torch.ones(4, dtype=torch.int64)
    views = {
        "target": (random_tensor(4, 1, 3), lengths),
        "auxiliary": (random_tensor(4, 1, 2, seed=1), lengths),
    }
    there = torch.tensor([[1, 1, 0, 1], [1, 0, 1, 1]]).double()
    found = network.logits(network.closeness(views, words), there)
    for i in range(4):
        terms = []
        for place, (view, own) in enumerate(network.modalities.items()):
            own.requires_grad_(False)
            u = own.vectors(*(part[i : i + 1] for part in views[view]))[0]
            for c in range(3):
                towards = own.map.weight @ words[c] + own.map.bias
                terms.append((place, c, sum(float(a) * float(b) for a, b in zip(u, towards, strict=True))))
        for c in range(3):
            by_place = {place: value for place, code, value in terms if code == c}
            if i == 1:
                expected = by_place[0]
            elif i == 2:
                expected = by_place[1]
            else:
                expected = 0.7 * by_place[0] - 0.2 * by_place[1]
            assert found[i, c].item() == pytest.approx(expected, rel=1e-9)


def test_text_of_the_vectors_own_size_takes_them_as_they_are():
    own = Parameters(vectors="pad", hidden={"text": 3, "audio": 3})
    assert not part_of("text", 9, 3, own).mapped
    assert part_of("audio", 9, 3, own).mapped
    assert part_of("text", 9, 4, own).mapped
    assert part_of("pulse", 9, 3, own).hidden == 100
    modality = Modality(part_of("text@heard", 9, 3, own))
    words = torch.randn(5, 3)
    torch.testing.assert_close(modality.map(words), words)


def test_the_loss_is_that_of_a_naive_loop():
    labels = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0], [np.nan] * 3], np.float32)
    weights = positive_weights(labels)
    np.testing.assert_allclose(weights, [1, 1, 1])  # two of four; nobody carries the last
    np.testing.assert_allclose(positive_weights(labels[:1].repeat(3, 0)), [1, 1, 1])
    np.testing.assert_allclose(positive_weights(labels[[0, 1, 1, 3, 4]]), [3, 1, 1])
    logits, weights = random_tensor(4, 3), torch.tensor([3.0, 0.5, 1.0]).double()
    total = 0.0
    for i in range(4):
        for c in range(3):
            p = 1 / (1 + np.exp(-float(logits[i, c])))
            y = labels[i, c]
            total -= float(weights[c]) * y * np.log(p) + (1 - y) * np.log(1 - p)
    found = binary_loss(logits, torch.from_numpy(labels[:4]).double(), weights)
    assert float(found) == pytest.approx(total / 12, rel=1e-9)
