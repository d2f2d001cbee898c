"""Parameters -> the methods paragraph of a results section."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from pipeline.catalogue.systems import DEFAULT, REFERENCE, SYSTEMS, WEIGHTS, label
from pipeline.catalogue.tasks import TASKS
from pipeline.features.extractor import entry_of
from pipeline.params import Corpus, Learning
from pipeline.params.features import OnnxFace, OnnxWaveform
from pipeline.reporting.answer import enrolled_speakers
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.matched_methods import matched_methods
from pipeline.reporting.word_methods import word_methods
from pipeline.reporting.wording import SPEAKER_SCALING, counted, number
from pipeline.wording import listed

LOSSES = {
    "mse": "mean squared error",
    "cross_entropy": "cross-entropy",
    "binary_cross_entropy": "binary cross-entropy",
}


def methods(inputs: ReportInputs) -> list[str]:
    """Return sentences on features, labels, networks, selection, post-processing and statistics."""
    corpus = inputs.corpus
    if not corpus.scenarios:
        return _features(corpus)
    sentences = [*_features(corpus), *_labels(inputs), *_learning(inputs), *_selection(inputs)]
    if inputs.emotion_trained:
        sentences.append(
            f"The features of {listed(inputs.emotion_trained)} come from a network that was trained on "
            "emotion: scores with them rest on its labels too."
        )
    return sentences


def _features(corpus: Corpus) -> list[str]:
    grid, back = corpus.grid, corpus.grid.alignment == "end"
    over = (
        "each utterance"
        if grid.utterances
        else f"windows of {grid.window:g} s every {grid.hop:g} s{', which end at the label time' * back}"
        if grid.window
        else f"rows every {grid.hop:g} s"
    )
    sentences = []
    if "audio" in corpus.extract:
        audio = corpus.audio
        rate = audio.sampling_rate_hz
        at = "at the rate of each file" if rate == "native" else f"at {rate:,} Hz"
        level = str(audio.level).replace("_", " ")
        what = f"{audio.feature_set} {level} of {over} (openSMILE)"
        if audio.network == "onnx":
            what = f"{_own_network(audio.onnx)}, over {over}"
        sentences.append(f"Audio ({at}, channels averaged): {what}.")
    if "video" in corpus.extract:
        faces, embedding, pooling = corpus.video.faces, corpus.video.embedding, corpus.video.pooling
        network = (
            _own_network(embedding.onnx)
            if embedding.network == "onnx"
            else entry_of("embed_faces", corpus).words
        )
        tracked = ", looked for in the whole picture once a second" if faces.mode == "track" else ""
        whose = {
            "largest": "one face followed",
            "followed": "the face of the person who is seen most",
            "all": "all faces",
        }[faces.keep]
        sentences.append(
            f"Video: {whose} by MTCNN at {faces.frame_rate_hz:g} Hz{tracked}; {network}; "
            f"{listed(list(pooling.statistics))} over {over}; where no face is found: {pooling.no_face}."
        )
    if "text" in corpus.extract:
        text = corpus.text
        rest = "are left out" if text.unknown_words == "left_out" else "count as zeros"
        sentences.append(
            f"Text: the mean of the vectors that {PurePath(str(text.file)).name} has of the words of {over}"
            f"{', in small letters' if text.lower_case else ''}; words without one {rest}."
        )
    for name, table in corpus.features.items():
        pooled = f", {listed(list(table.statistics))} over {over}" if table.statistics else ""
        sentences.append(f"{name}: feature table {table.path} that came with the corpus{pooled}.")
    return sentences


def _own_network(onnx: OnnxFace | OnnxWaveform | None) -> str:
    assert onnx is not None, "refused with the parameters"
    return f"the output {onnx.output} of the ONNX network {PurePath(onnx.file).name}"


def _threshold(inputs: ReportInputs) -> str:
    above = inputs.corpus.learning.threshold
    if above == "dev":
        return "the threshold with the highest weighted accuracy on dev, of each class and model"
    return number(above)


def _labels(inputs: ReportInputs) -> list[str]:
    labels = inputs.corpus.labels
    if TASKS[inputs.corpus.task].classes:
        names = counted(len(inputs.class_names), "class").replace("classs", "classes")
    if TASKS[inputs.corpus.task].several:
        return [
            f"Labels: any number of {names} each, none of them included; a label is predicted where its "
            f"probability is above {_threshold(inputs)}. The loss of a label weighs as often more as it is "
            "rarer than its absence in train; scores are weighted accuracies, the mean recall of present and "
            "absent labels."
        ]
    if inputs.corpus.task == "classification":
        return [f"Labels: one of {names} each."]
    gold = (
        "the corpus’ own gold standard"
        if labels.gold_standard == "given"
        else "the raters’ mean, each weighted by the mean CCC with the others"
    )
    how = "estimated on train and dev" if inputs.delay["estimated"] else "given"
    classes = labels.triplet_classes
    split = (
        classes if isinstance(classes, str) else "thresholds " + listed([f"{value:g}" for value in classes])
    )
    return [
        f"Labels: {gold}, moved by an annotation delay of {inputs.delay['seconds']} s ({how}) against the "
        "features; predictions are moved back before they are scored."
        + (f" Classes of the triplet loss: {split}." if _weighs("beta", inputs.corpus.learning) else "")
    ]


def _weighs(weight: str, learning: Learning) -> bool:
    """Tell whether a system that is trained has the loss of this weight, `alpha` or `beta`."""
    without = {REFERENCE, "triplet" if weight == "alpha" else "joint"}
    some = any(SYSTEMS[name].grid == WEIGHTS and name not in without for name in learning.systems)
    some |= weight == "beta" and "graded_triplet" in learning.systems
    return some and max(getattr(learning, weight)) > 0


def _learning(inputs: ReportInputs) -> list[str]:
    corpus = inputs.corpus
    learning = corpus.learning
    network, optimiser = learning.network, learning.optimiser
    way = "bidirectional " if network.bidirectional else ""
    clip = "" if optimiser.clip_norm is None else f", gradient norm at most {optimiser.clip_norm:g}"
    stop = (
        ""
        if optimiser.patience is None
        else f", stopped after {optimiser.patience} epochs without a better dev score"
    )
    weights = (
        f"weights averaged over the last {optimiser.average_epochs}"
        if optimiser.weights == "average"
        else "the epoch with the best dev score kept"
    )
    scaling = learning.scaling.method
    scaled = scaling if isinstance(scaling, str) else listed([f"{v} ({k})" for k, v in scaling.items()])
    speaker = learning.scaling.speaker
    centred = ""
    if speaker != "none":
        few = ", those of train by a varying number of them" if learning.scaling.enrolment == "varied" else ""
        centred = (
            f", {SPEAKER_SCALING[speaker]} each speaker by that speaker’s own recordings without labels, "
            f"test speakers included{enrolled_speakers(inputs)}{few}"
        )
    if (most := learning.scaling.clip) is not None:
        centred += f", limited to ±{most:g} standard deviations"
    triplet = learning.triplet
    margin = f", margin {triplet.margin:g}" if triplet.form == "hinge" else ""
    units = "utterances" if corpus.grid.utterances else "sequences"
    sentences = [f"Features were scaled on train ({scaled.replace('_', ' ')}{centred})."]
    weights_of = {name: _weighs(name, learning) for name in ("alpha", "beta")}
    if any(SYSTEMS[name].network for name in learning.systems):
        each = " of each modality" if any(weights_of.values()) else ""
        sentences.append(
            f"Networks: {way}GRU, {counted(network.encoder_layers, 'layer')} in each encoder and "
            f"{counted(network.shared_layers, 'layer')} shared, {network.hidden} units each. Adam, learning "
            f"rate {optimiser.learning_rate:g}, L2 {optimiser.weight_decay:g}, batches of {optimiser.batch} "
            f"{units}{each}, {counted(optimiser.epochs, 'epoch')}{clip}{stop}, {weights}. Loss: "
            f"{_loss(learning)}."
        )
    if weights_of["beta"]:
        sentences.append(
            f"Triplet loss: {triplet.form}{margin}, {triplet.reduction} over anchors, batch-hard across "
            "modalities."
        )
        if learning.by_votes:
            who = "all systems" if triplet.distance == "label" else label("graded_triplet")
            sentences.append(
                f"Pairs of {who} are positive as far as the classes that their raters saw overlap, and "
                "negative as far as they do not"
                f"{'; the margin grows with their distance' if triplet.form == 'hinge' else ''}."
            )
    grid = [
        f"{symbol} (weight of the {what} loss) in {_values(getattr(learning, name))}"
        for name, symbol, what in (("alpha", "α", "auxiliary"), ("beta", "β", "triplet"))
        if weights_of[name]
    ]
    if grid:
        sentences.append(f"Grid: {', '.join(grid)}.")
    sentences += [
        f"{counted(len(learning.seeds), 'seed')} ({_values(learning.seeds)}).".capitalize(),
        *_controls(learning),
    ]
    sentences.append(f"Systems: {listed([label(name) for name in learning.systems])}.")
    return [*sentences, *_systems(learning, corpus.grid.utterances)]


def _systems(learning: Learning, utterances: bool) -> list[str]:
    """Return the values that systems with a grid of their own choose from."""
    sentences = []
    for name in learning.systems:
        # those of the default are regions of one grid, and learning.triplet is the loss
        own = None if name in DEFAULT else getattr(learning, name, None)
        if name == "emotion_words":
            sentences += word_methods(learning.emotion_words)
        elif name == "matched":
            sentences += matched_methods(learning.matched, utterances=utterances)
        elif own is not None:
            values = [f"{key.replace('_', ' ')} {_written(value)}" for key, value in own.model_dump().items()]
            sentences.append(f"{label(name)}: {', '.join(values)}.")
    return sentences


def _controls(learning: Learning) -> list[str]:
    """Say what classic may choose from, and what the controls are."""
    own = learning.classic.settings
    weights = sum(a > 0 for a in learning.alpha) * sum(b > 0 for b in learning.beta)
    count = max(1, weights) if own == "equal" else 1 + len(own)
    sentences = [
        f"{label(name).capitalize()}: {label(entry.control_of)} with {entry.differs}."
        for name, entry in SYSTEMS.items()
        if name in learning.systems and entry.control_of
    ]
    if REFERENCE in learning.systems and count > 1:
        name = label(REFERENCE).capitalize()
        sentences.insert(
            0, f"{name} was chosen among {count} pairs of learning rate and L2, these and others."
        )
    return sentences


def _loss(learning: Learning) -> str:
    if learning.loss == "ccc":
        over = "all frames of a batch" if learning.ccc == "batch" else "each sequence"
        return f"1 − CCC over {over}"
    return LOSSES[learning.loss]


def _selection(inputs: ReportInputs) -> list[str]:
    corpus = inputs.corpus
    partitions = corpus.partitions
    sentences = []
    if inputs.folds:
        sentences.append(
            f"Cross-validation in {len(inputs.folds)} folds by "
            f"{'session' if partitions.sessions else 'speaker'}; in each fold the setting of each system was "
            "chosen on a group of speakers that is neither trained nor tested on."
        )
    else:
        made = "made speaker-disjoint" if partitions.method == "speaker_disjoint" else "as given"
        sentences.append(
            f"Partitions {made}; each system’s setting is the one with the best mean over seeds on dev."
        )
    sentences += _hidden(corpus)
    chain = corpus.postprocessing
    steps = [f"median filter of {_values(chain.median_windows)} s"] if chain.median_windows else []
    steps += ["centring"] if chain.centring else []
    steps += ["scaling"] if chain.scaling else []
    steps += [f"shift by {_values(chain.shifts)} s"] if chain.shifts else []
    if not TASKS[corpus.task].classes and steps:
        sentences.append(
            f"Post-processing, fitted on dev and frozen for test: {listed(steps)}; a step is kept only where "
            "it helps there."
        )
    evaluation = corpus.evaluation
    sentences.append(
        f"Statistics: {evaluation.confidence * 100:g} % intervals with Student’s t, from the jackknife over "
        "recordings, or speakers who have several, and the standard error over seeds; p values are "
        "two-sided, verdicts are corrected by Holm’s method."
    )
    return sentences


def _hidden(corpus: Corpus) -> list[str]:
    """Say whose labels were hidden."""
    own, shares = corpus.partitions, [share for share in corpus.partitions.label_shares if share < 1]
    drawn = f"{counted(own.label_draws, 'draw')} (seed {own.label_seed})"
    if own.labelled_speakers is not None:
        return [
            f"Labels of all but {counted(own.labelled_speakers, 'training speaker')} were hidden, chosen at "
            "random; results are of the first "
            f"of {drawn}."
        ]
    if shares:
        return [
            f"Everything was trained again with the labels of {_values(shares)} of the training speakers, "
            f"{drawn} each; settings were chosen on dev in each draw."
        ]
    return []


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return _values(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, int | float) else str(value).replace("_", " ")


def _values(values: Sequence[float]) -> str:
    return "{" + ", ".join(f"{value:g}" for value in values) + "}"
