"""Windows and sequence autoencoders: what they see, and what is behind the end."""

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.learning.batches import FRAMES_AT_ONCE
from pipeline.learning.systems.matched.autoencoders import (
    SequenceDecoder,
    SequenceEncoder,
    reversed_frames,
)
from pipeline.learning.systems.matched.windows import Windows, all_times, windows_up_to
from tests.learning.systems.matched.small import SHAPE
from tests.learning.systems.partly_labelled import tensors


def test_windows_end_at_their_time_and_begin_with_the_recording():
    features = torch.arange(24.0).view(2, 6, 2) + 1
    found = windows_up_to(features, torch.tensor([0, 1, 1]), torch.tensor([1, 5, 2]), 3)
    assert found.lengths.tolist() == [2, 3, 3]
    assert torch.equal(found.features[0], torch.cat((features[0, :2], torch.zeros(1, 2))))
    assert torch.equal(found.features[1], features[1, 3:6])
    assert torch.equal(found.features[2], features[1, :3])
    every = list(all_times([2, 3], FRAMES_AT_ONCE // 2))
    assert np.concatenate([own[0] for own in every]).tolist() == [0, 0, 1, 1, 1]
    assert np.concatenate([own[1] for own in every]).tolist() == [0, 1, 0, 1, 2]
    assert [len(own[0]) for own in every] == [2, 2, 1]


def sequence_parts():
    torch.manual_seed(0)
    return SequenceEncoder(5, SHAPE).double(), SequenceDecoder(5, SHAPE).double()


def test_what_is_behind_the_end_of_a_sequence_changes_nothing():
    encoder, decoder = sequence_parts()
    values, lengths = tensors(4, 7, 5), torch.tensor([7, 5, 1, 3])
    there = torch.arange(7) < lengths[:, None]
    clean, dirty = values * there[..., None], torch.where(there[..., None], values, 1e3)
    latents = encoder(Windows(clean, lengths))
    torch.testing.assert_close(encoder(Windows(dirty, lengths)), latents)
    error = decoder(latents, Windows(clean, lengths))
    torch.testing.assert_close(decoder(latents, Windows(dirty, lengths)), error)
    # and each by itself is what it is among longer ones
    own = [decoder(latents[i : i + 1], Windows(clean[i : i + 1], lengths[i : i + 1])) for i in range(4)]
    weighted = sum(loss.item() * int(length) for loss, length in zip(own, lengths, strict=True))
    assert error.item() == pytest.approx(weighted / 16, rel=1e-10)
    # the last frame that there is does count
    changed = clean.clone()
    changed[1, 4] += 1
    assert not torch.allclose(encoder(Windows(changed, lengths))[1], latents[1])


def test_the_decoder_tells_each_frame_from_those_after_it_and_the_latent():
    _, decoder = sequence_parts()
    values, lengths, latents = tensors(2, 7, 5), torch.tensor([7, 4]), tensors(2, 4, seed=1)
    turned = reversed_frames(Windows(values, lengths))
    assert torch.equal(turned[0], values[0].flip(0))
    assert torch.equal(turned[1, :4], values[1, :4].flip(0))
    assert (turned[1, 4:] == 0).all()
    found = decoder.reconstructed(latents, Windows(values, lengths))
    changed = values.clone()
    changed[0, 3] += 1  # frame 3 of 7 is the fourth from the end
    other = decoder.reconstructed(latents, Windows(changed, lengths))
    torch.testing.assert_close(other[0, :4], found[0, :4])  # told before it is read
    assert not torch.allclose(other[0, 4:], found[0, 4:])
    assert not torch.allclose(decoder.reconstructed(latents + 1, Windows(values, lengths))[:, 0], found[:, 0])


def test_a_sequence_is_told_from_its_latent():
    """Four sequences are learned by heart through two numbers, so that the latent says which it is."""
    shape = dataclasses.replace(SHAPE, hidden=16, latent=2, layers=1)
    torch.manual_seed(1)
    encoder, decoder = SequenceEncoder(5, shape), SequenceDecoder(5, shape)
    windows = Windows(tensors(4, 7, 5).float(), torch.tensor([7, 7, 5, 6]))
    windows = windows._replace(features=windows.features * windows.mask[..., None])
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-2)
    first = decoder(encoder(windows), windows).item()
    for _ in range(150):
        loss = decoder(encoder(windows), windows)
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss.item() < 0.1 * first
    turned = torch.roll(encoder(windows), 1, 0)
    assert decoder(turned, windows).item() > 2 * loss.item()
