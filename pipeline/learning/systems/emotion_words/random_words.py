"""The control `emotion_words_random`: what is learned where the words say nothing of their emotions.

Each class has a vector in a direction drawn at random, anew for each seed. Of classes that were seen in
training this may be as good. What it tells of one that was not, it tells by its fitting no other class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.learning.seeding import numpy_stream
from pipeline.learning.systems.emotion_words.learner import EmotionWords, WordsData


class RandomWords(EmotionWords):
    """Networks that score vectors drawn at random, by the target alone."""

    system = "emotion_words_random"

    @property
    def systems(self) -> tuple[str, ...]:
        """Return the control."""
        return (self.system,)

    def vectors(self, data: WordsData, seed: int) -> NDArray[np.float32]:
        """Return vectors of random directions, all of the mean length of the words'."""
        drawn = np.stack(
            [
                numpy_stream(seed, "random words", name).normal(size=data.words.shape[1])
                for name in data.classes
            ]
        )
        # not each of its own: one of length 0 would be the word itself
        length = np.linalg.norm(data.words, axis=1).mean()
        return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True) * length).astype(np.float32)


LEARNER = RandomWords()
