"""Models that go on from frame to frame against the same models on whole recordings."""

import numpy as np
import pytest

from pipeline.learning.stepping import NotSteppedError, stepper_of
from tests.recogniser.test_onnx_models import KINDS, SYSTEMS, loaded, trained  # noqa: F401  (a fixture)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "bidirectional"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_steps_of_any_length_predict_as_the_whole_does(trained, system, kind):  # noqa: F811
    models = loaded(trained(kind)[1], system)
    random = np.random.default_rng(3)
    views = {
        view: random.normal(size=(60, len(scaler.arrays["centre"]))).astype(np.float32)
        for view, scaler in models.scalers.items()
    }
    whole = models.predictor.predict(views)
    for sizes in ((1,) * 60, (60,), (7, 1, 30, 22)):
        step, parts, begin = stepper_of(models.predictor), [], 0
        for size in sizes:
            parts.append(step({view: own[begin : begin + size] for view, own in views.items()}))
            begin += size
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=2e-6)


@pytest.mark.parametrize("system", ["emobed", "multi_task", "late_fusion", "early_fusion"])
def test_a_network_that_runs_backwards_is_refused_with_the_reason(trained, system):  # noqa: F811
    models = loaded(trained("bidirectional")[1], system)
    with pytest.raises(NotSteppedError, match=r"bidirectional .*backwards from its end.* with false"):
        stepper_of(models.predictor)
