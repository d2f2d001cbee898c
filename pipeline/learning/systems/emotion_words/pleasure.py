"""Words for emotions -> pleasure, arousal and dominance, as people judged them.

The values are the means that J. A. Russell and A. Mehrabian report of what people felt who read a description
with each adjective: *Evidence for a three-factor theory of emotions*, Journal of Research in Personality 11,
1977, pp. 273-294, DOI 10.1016/0092-6566(77)90037-X. Each lies between -1 and 1. `neutral` is no adjective of
theirs: it is the origin of the three scales, which is where they place the absence of emotion.
"""

from __future__ import annotations

ADJECTIVES = {
    "angry": (-0.51, 0.59, 0.25),
    "disgusted": (-0.60, 0.35, 0.11),
    "fearful": (-0.64, 0.60, -0.43),
    "happy": (0.81, 0.51, 0.46),
    "sad": (-0.63, -0.27, -0.33),
    "surprised": (0.40, 0.67, -0.13),
    "neutral": (0.0, 0.0, 0.0),
}
NOUNS = {
    "anger": "angry",
    "disgust": "disgusted",
    "fear": "fearful",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprised",
}
"""How corpora name the same emotions."""
PLEASURE = ADJECTIVES | {noun: ADJECTIVES[adjective] for noun, adjective in NOUNS.items()}
"""Word -> (pleasure, arousal, dominance)."""
