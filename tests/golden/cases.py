"""All golden numbers: one case for each VERSION of pipeline/, which tests/test_golden.py finds by itself."""

from tests.golden import (
    corpora,
    emotion_words,
    learner,
    matched,
    networks,
    onnx_networks,
    pictures,
    rows,
    sound,
    tables,
    taught,
    words,
)  # fmt: skip
from tests.golden.comparison import Case

CASES = (
    Case("pipeline.features.audio.functionals", sound.numbers),
    Case("pipeline.features.audio.onnx_waveform", onnx_networks.waveform),
    Case("pipeline.features.faces.detection", pictures.detected),
    Case("pipeline.features.faces.following", pictures.tracked, "track"),
    Case("pipeline.features.faces.following", pictures.kept, "keep"),
    Case("pipeline.features.embeddings.onet", pictures.onet),
    Case("pipeline.features.embeddings.vgg_fc7", pictures.vgg_face),
    Case("pipeline.features.embeddings.fer", onnx_networks.fer),
    Case("pipeline.features.embeddings.onnx_faces", onnx_networks.faces),
    Case("pipeline.features.embeddings.landmarks", pictures.geometry),
    Case("pipeline.features.pooling.pooling", pictures.pooled),
    Case("pipeline.features.text.word_vectors", words.numbers),
    Case("pipeline.features.imported.given_units", tables.numbers),
    Case("pipeline.learning.systems.emobed.grid", learner.numbers),
    Case("pipeline.learning.torch_learner", networks.loop),
    Case("pipeline.learning.systems.late_fusion", networks.late),
    Case("pipeline.learning.systems.taught.learner", taught.numbers),
    Case("pipeline.learning.systems.emotion_words.learner", emotion_words.numbers),
    Case("pipeline.learning.systems.matched.learner", matched.numbers),
    Case("pipeline.learning.systems.random_forest", rows.forest),
    Case("pipeline.learning.systems.support_vectors", rows.support_vectors),
    Case("pipeline.corpora.register", corpora.traces),
    Case("pipeline.corpora.hashes", corpora.hashes),
    Case("pipeline.corpora.rendering.render", corpora.rendering),
)
