"""Batches and what is minimised, against the same written plainly, one utterance at a time."""

import numpy as np
import pytest
import torch

from pipeline.learning.systems.matched.drawing import Drawing
from pipeline.learning.systems.matched.learner import Matched
from pipeline.learning.systems.matched.training import Training
from pipeline.learning.systems.matched.windows import Windows
from tests.learning.systems.matched.small import settings
from tests.learning.systems.matched.test_distances import naive_median, naive_mmd
from tests.learning.systems.partly_labelled import some_clips, some_sessions
from tests.learning.systems.test_torch_systems import experiment


@pytest.mark.parametrize("labelled", [True, False])
def test_the_other_batch_has_none_of_this_one(labelled):
    data = Matched().prepare(experiment(some_clips()), settings("demo_clips"))
    drawing = Drawing(data, settings("demo_clips"), 5, labelled=labelled)
    for _ in range(10):
        batch = drawing.draw()
        others = drawing.others(batch)
        # a batch may reach over two passes, and nothing is in it twice
        assert len(set(batch.recordings)) == len(batch.recordings) == len(set(others.recordings)) > 8
        assert not set(batch.recordings) & set(others.recordings)
        assert set(batch.recordings) <= set(data.seen if labelled else data.unlabelled)


def test_label_times_have_labels_and_those_of_unlabelled_recordings_are_any():
    corpus = some_sessions()
    gap = (corpus.labels["recording"] == "train_1") & (corpus.labels["time"] < 4)
    corpus.labels.loc[gap, "label"] = np.nan
    given = settings(optimiser={"batch": 4})
    data = Matched().prepare(experiment(corpus), given)
    assert data.shape.frames == 8  # 1.6 s of 0.2 s
    drawing = Drawing(data, given, 1, labelled=True)
    seen = [drawing.draw() for _ in range(20)]
    for batch in seen:
        assert len(batch.times) == 10
        assert all(np.isfinite(data.train.labels[i][k]) for i, k in zip(*batch, strict=True))
    assert min(batch.times.min() for batch in seen) == 0
    free = Drawing(data, given, 1, labelled=False).draw()
    assert set(free.recordings) <= {2, 3, 4}


def encoded(network, features, place, time, frames):
    """Return the utterance of one label time, of batch size one and without padding."""
    begin = max(0, time - frames + 1)
    values = torch.from_numpy(features[place][begin : time + 1])
    padded = torch.nn.functional.pad(values, (0, 0, 0, frames - len(values)))
    return Windows(padded[None], torch.tensor([len(values)]))


@pytest.mark.parametrize(
    ("make", "kind", "unpaired"),
    [
        (some_sessions, "demo_sessions", "other_batch"),
        (some_clips, "demo_clips", "other_batch"),
        (some_clips, "demo_clips", "other_class"),
    ],
)
def test_what_is_minimised_is_the_sum_written_plainly(make, kind, unpaired):
    corpus = make()
    del corpus.video.rows["train_2"]  # labelled, without the other modality
    given = settings(kind, {"unpaired": unpaired, "omega": 0.3, "alpha": [0.7], "beta": [2.0]})
    data = Matched().prepare(experiment(corpus), given)
    run_ = Training(data, given, 0.7, 2.0, 2, "cpu", "matched")
    total, labels, rest = run_._losses(0.0)
    network, widths = run_.network, data.shape.widths
    parts = [[array[:, :6] for array in data.train.features], [array[:, 6:] for array in data.train.features]]
    assert widths == (6, 9)

    def latents(batch):
        windows = [
            [encoded(network, own, i, k, data.shape.frames) for i, k in zip(*batch, strict=True)]
            for own in parts
        ]
        return windows, [
            torch.cat([encoder(own) for own in of_view])
            for encoder, of_view in zip(network.encoders.values(), windows, strict=True)
        ]

    def without_labels(drawing, batch, by_class):
        windows, z = latents(batch)
        both = torch.from_numpy(data.present[batch.recordings].all(1))
        rec = 0.0
        for place, decoder in enumerate(network.decoders.values()):
            of_view = [
                (decoder(z[place][i : i + 1], own).item(), int(own.lengths[0]))
                for i, own in enumerate(windows[place])
                if data.present[batch.recordings[i], place]
            ]
            rec += sum(loss * count for loss, count in of_view) / sum(count for _, count in of_view)

        def distance(p, q):
            return naive_mmd(p.double(), q.double(), naive_median(p.double(), q.double()))

        pair = distance(z[0][both], z[1][both])
        if by_class:
            codes = torch.tensor([data.train.labels[i][0] for i in batch.recordings])
            each = [
                distance(z[0][both & (codes == c)], z[1][both & (codes != c)])
                for c in codes.unique()
                if min(int((codes == c).sum()), int((codes != c).sum())) > 1
            ]
            return 0.7 * rec + 2.0 * (pair - np.mean(each))
        _, others = latents(drawing.others(batch))
        return 0.7 * rec + 2.0 * (pair - distance(z[0][both], others[1]))

    drawing = Drawing(data, given, 2, labelled=True)
    batch = drawing.draw()
    missing = drawing.missing(batch) | ~torch.from_numpy(data.present[batch.recordings, 1])
    assert missing.any()
    assert not missing.all()
    _, z = latents(batch)
    heard = torch.stack([network.missing["auxiliary"] if gone else z[1][i] for i, gone in enumerate(missing)])
    outputs = network.head(torch.cat((z[0], heard), dim=1))
    wanted = torch.tensor([data.train.labels[i][k] for i, k in zip(*batch, strict=True)])
    if make is some_clips:
        expected = torch.nn.functional.cross_entropy(outputs, wanted.long())
    else:
        p, y = outputs[:, 0], wanted
        cov = ((p - p.mean()) * (y - y.mean())).mean()
        expected = 1 - 2 * cov / (p.var(correction=0) + y.var(correction=0) + (p.mean() - y.mean()) ** 2)
    assert labels.item() == pytest.approx(expected.item(), rel=1e-4)
    own = without_labels(drawing, batch, unpaired == "other_class")
    unlabelled = Drawing(data, given, 2, labelled=False)
    own += 0.3 * without_labels(unlabelled, unlabelled.draw(), False)
    assert rest.item() == pytest.approx(own, rel=2e-4)
    assert total.item() == pytest.approx(labels.item() + rest.item(), rel=1e-6)
