from fractions import Fraction

import numpy as np

from pipeline.features.media.clock import seconds


def test_stamps_are_rounded_as_fractions_are():
    rng = np.random.default_rng(0)
    stamps = [int(stamp) for stamp in rng.integers(-(2**62), 2**62, 500)]
    for base in (Fraction(1, 16_000), Fraction(1001, 30_000), Fraction(1, 14_112_000), Fraction(1)):
        assert [seconds(stamp, base) for stamp in stamps] == [float(stamp * base) for stamp in stamps]
