"""Parameters -> the methods paragraph of a results section."""

from __future__ import annotations

from pipeline.catalogue.tasks import TASKS
from pipeline.params import Corpus
from pipeline.reporting.feature_methods import feature_methods
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.learning_methods import learning_methods, value_set, weighs
from pipeline.reporting.wording import counted, number
from pipeline.wording import listed


def methods(inputs: ReportInputs) -> list[str]:
    """Return sentences on features, labels, networks, selection, post-processing and statistics."""
    corpus = inputs.corpus
    if not corpus.scenarios:
        return feature_methods(corpus)
    sentences = [*feature_methods(corpus), *_labels(inputs), *learning_methods(inputs), *_selection(inputs)]
    if inputs.emotion_trained:
        sentences.append(
            f"The features of {listed(inputs.emotion_trained)} come from a network that was trained on "
            "emotion: scores with them rest on its labels too."
        )
    return sentences


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
        + (f" Classes of the triplet loss: {split}." if weighs("beta", inputs.corpus.learning) else "")
    ]


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
    steps = [f"median filter of {value_set(chain.median_windows)} s"] if chain.median_windows else []
    steps += ["centring"] if chain.centring else []
    steps += ["scaling"] if chain.scaling else []
    steps += [f"shift by {value_set(chain.shifts)} s"] if chain.shifts else []
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
            f"Everything was trained again with the labels of {value_set(shares)} of the training speakers, "
            f"{drawn} each; settings were chosen on dev in each draw."
        ]
    return []
