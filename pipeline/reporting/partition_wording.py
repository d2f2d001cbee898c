"""Folds and speakers in several partitions -> what the page says of who is tested."""

from __future__ import annotations

from pipeline.reporting.inputs import ReportInputs


def partitions(inputs: ReportInputs) -> str:
    """Say who is in train, dev and test, and whose labels are hidden, where it is not as the corpus came."""
    return " ".join(sentence for sentence in (_who(inputs), _hidden(inputs)) if sentence)


def _hidden(inputs: ReportInputs) -> str:
    own = inputs.corpus.partitions
    if own.labelled_speakers is None:
        return ""
    who = f"{own.labelled_speakers} speaker{'' if own.labelled_speakers == 1 else 's'} of train"
    return (
        f"Labels of all but {who} are hidden from everything that learns; the result is of the first draw of "
        f"{own.label_draws} (seed {own.label_seed})."
    )


def _who(inputs: ReportInputs) -> str:
    if inputs.folds:
        return (
            f"Cross-validation: {len(inputs.folds)} folds by "
            f"{'session' if inputs.corpus.partitions.sessions else 'speaker'}, balanced by number of "
            "recordings. Each fold tests on one group of speakers, chooses settings and post-processing on "
            "another, and trains on the rest; labels, scaling and models are made anew in each."
            f"{_labelled(inputs)} For new "
            "recordings no single one of these models is the result: average the predictions of all folds’ "
            "models, or set partitions.method to given, with test speakers in train, and train once more."
        )
    if inputs.corpus.partitions.method == "speaker_disjoint" and inputs.shared is not None:
        return (
            f"Partition: speaker-disjoint. In the corpus as it came {inputs.shared.sentence()}; each is now "
            f"whole in the one with most of their recordings: {inputs.shared.moves()} moved."
        )
    return ""


def _labelled(inputs: ReportInputs) -> str:
    """Say how many recordings with labels each fold tests, where some have none."""
    sizes = inputs.fold_sizes
    if "labelled" not in sizes or (sizes["labelled"] == sizes["recordings"]).all():
        return ""
    counts = ", ".join(
        f"{fold} {own} of {every}"
        for fold, own, every in zip(sizes["fold"], sizes["labelled"], sizes["recordings"], strict=True)
    )
    return f" Of the recordings that are tested these have labels: {counts}; they were dealt evenly."


def not_disjoint(inputs: ReportInputs) -> str:
    """Warn of speakers in several partitions, where nothing was done about it."""
    if inputs.corpus.partitions.method != "given" or inputs.rendered:
        return ""
    cause = ""
    if inputs.shared is not None and inputs.shared.shared:
        cause = f"{inputs.shared.sentence()}: the partition is not speaker-independent"
    elif inputs.corpus.layout == "omg" and inputs.shared is None:
        cause = (
            "Some YouTube links of OMG-Emotion occur in more than one official partition: the partition is "
            "not speaker-independent"
        )
    path = f"corpora.{inputs.name}.partitions.method"
    return f"{cause}. {path}: speaker_disjoint in params.yaml makes it so." if cause else ""
