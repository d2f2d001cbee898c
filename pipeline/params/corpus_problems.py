"""What does not fit together in one corpus of params.yaml: key, what was found, what is expected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.catalogue.layouts import WITH_GROUPS, WITH_SEVERAL
from pipeline.catalogue.systems import not_learning, too_many
from pipeline.catalogue.tasks import TASKS
from pipeline.location import RemotePath
from pipeline.params.features import MODALITIES
from pipeline.params.group import Problem, is_multiple, named_twice
from pipeline.params.scenario import NAME, modality_of, source_of
from pipeline.params.sentences import did_you_mean

if TYPE_CHECKING:
    from pipeline.params.corpus import Corpus


def layout_problems(corpus: Corpus) -> Iterator[Problem]:
    """Refuse what the layout does not know."""
    if isinstance(corpus.root, RemotePath) and corpus.layout != "table":
        yield Problem(
            "root",
            f"{corpus.root} is a URL, which layout table can read; layout {corpus.layout} needs a folder",
        )
    if corpus.audformat is not None and corpus.layout != "audformat":
        yield Problem("audformat", f"is for layout audformat, found layout {corpus.layout}")
    if corpus.evaluation.groups and corpus.layout not in WITH_GROUPS:
        yield Problem(
            "evaluation.groups",
            f"found {list(corpus.evaluation.groups)}, expected []: layout {corpus.layout} knows no "
            f"groups of recordings (layouts {', '.join(WITH_GROUPS)} do)",
        )
    if corpus.layout == "mixed" and corpus.root != Path():
        yield Problem(
            "root", f"of layout mixed is '.', found {corpus.root}; its sources have their own roots"
        )


def modality_problems(corpus: Corpus) -> Iterator[Problem]:
    """Refuse names that are twice, or that nothing stands behind."""
    names = {"dimensions": corpus.dimensions, "extract": corpus.extract}
    for key, values in (*names.items(), ("scenarios", [s.name for s in corpus.scenarios])):
        if sentence := named_twice(values):
            yield Problem(key, sentence)
    for key, group in (("features", corpus.features), ("sources", corpus.sources)):
        for name in group:
            if not NAME.fullmatch(name):
                yield Problem(
                    key,
                    f"the name '{name}' should be small letters, digits and _, beginning with a letter",
                )
    for name in sorted(set(corpus.extract) & corpus.features.keys()):
        yield Problem(
            "features",
            f"{name} is under extract and under features: give the table another name, or leave "
            f"{name} out of extract",
        )
    for name in corpus.extract:
        if name not in MODALITIES:
            yield Problem(
                "extract",
                f"'{name}' has no extractor, expected some of {list(MODALITIES)}"
                f"{did_you_mean(name, MODALITIES)}; tables of features go under features",
            )
    for name in dict.fromkeys(map(modality_of, corpus.inputs)):
        if name not in corpus.modalities:
            yield Problem(
                "scenarios",
                f"'{name}' is neither under extract nor under features, "
                f"expected one of {list(corpus.modalities)}{did_you_mean(name, corpus.modalities)}",
            )


def system_problems(corpus: Corpus) -> Iterator[Problem]:
    """Refuse scenarios of more modalities than a system that is asked for can learn from."""
    for scenario in corpus.scenarios:
        count = len(scenario.modalities)
        if names := too_many(corpus.learning.systems, count):
            yield Problem(
                "scenarios",
                f"{scenario.name} has {count} modalities, and {', '.join(names)} under learning.systems "
                "can learn from 2: leave them out there, or name two modalities here",
            )

    several = corpus.learning.several
    if several and not TASKS[corpus.task].classes and len(corpus.dimensions) < 2:
        yield Problem(
            "learning.systems",
            f"{', '.join(several)} learns the other dimension too, expected both arousal and valence "
            f"under dimensions, found {list(corpus.dimensions)}",
        )

    if names := not_learning(corpus.learning.systems, corpus.task):
        yield Problem(
            "learning.systems",
            f"{', '.join(names)} cannot learn task {corpus.task}: leave them out",
        )
    if corpus.learning.triplet.distance == "label" and corpus.task == "multilabel":
        yield Problem(
            "learning.triplet.distance",
            "found label, expected class for task multilabel: votes are for one",
        )
    if corpus.learning.matched.unpaired == "other_class" and corpus.task != "classification":
        yield Problem(
            "learning.matched.unpaired",
            f"found other_class, expected other_batch for task {corpus.task}: it has no one class",
        )


def source_problems(corpus: Corpus) -> Iterator[Problem]:
    """Refuse sources that are none, and a mixed corpus without them."""
    if corpus.layout != "mixed":
        if corpus.sources:
            yield Problem("sources", f"are for layout mixed, found layout {corpus.layout}")
        if any(source_of(name) for name in corpus.inputs):
            yield Problem("scenarios", "a source (@) can be named in layout mixed only")
        return
    if not corpus.sources or corpus.features:
        yield Problem(
            "",
            "layout mixed needs `sources` (name: the corpus it takes recordings from) and `features: {}`",
        )
        return
    for name in corpus.inputs:
        if source_of(name) not in corpus.sources:
            yield Problem(
                "scenarios",
                f"'{name}' names no source, expected {modality_of(name)}@ and one of "
                f"{sorted(corpus.sources)}",
            )


def task_problems(corpus: Corpus) -> Iterator[Problem]:
    """Refuse a loss, a layout or dimensions that the task has not."""
    loss, task = corpus.learning.loss, TASKS[corpus.task]
    if loss not in task.losses:
        yield Problem(
            "learning.loss", f"found {loss}, expected {' or '.join(task.losses)} for task {task.name}"
        )
    if task.several and corpus.layout not in WITH_SEVERAL:
        yield Problem(
            "task",
            f"found {task.name}, expected another: layout {corpus.layout} knows one label per utterance "
            f"(layouts {', '.join(WITH_SEVERAL)} know several)",
        )
    if corpus.layout == "cmu_mosei" and not task.several:
        yield Problem("task", f"found {task.name}, expected multilabel for layout cmu_mosei")
    if not task.classes:
        if "emotion" in corpus.dimensions:
            yield Problem("dimensions", "task regression predicts arousal and/or valence, found emotion")
        return
    if corpus.dimensions != ("emotion",):
        yield Problem("dimensions", f"task {task.name} predicts [emotion], found {list(corpus.dimensions)}")
    if corpus.labels.gold_standard != "given":
        yield Problem(
            "labels.gold_standard",
            f"found raters, expected given for task {task.name}: classes are not weighted by CCC",
        )


def grid_problems(corpus: Corpus) -> Iterator[Problem]:
    """Refuse windows, shifts and sub-sequences that do not fit the label times."""
    hop = corpus.grid.hop
    classes = TASKS[corpus.task].classes
    if corpus.grid.utterances and not classes:
        yield Problem("grid", f"task {corpus.task} needs window and hop in seconds, found null")
    if not corpus.grid.utterances and classes:
        yield Problem("grid", f"task {corpus.task} needs window and hop null (one row per utterance)")
    pooled = [*corpus.extract, *(name for name, files in corpus.features.items() if files.statistics)]
    if corpus.grid.window is None and hop is not None and pooled:
        yield Problem(
            "grid",
            f"found window null and hop {hop:g}, expected both in seconds or both null (one row per "
            f"utterance): {pooled[0]} is pooled over windows; tables without statistics need none",
        )
    # its configuration fixes `frameMode = full`: the core gives one row whatever the windows
    audio = corpus.audio
    whole = audio.network == "opensmile" and audio.feature_set == "emobase"
    if whole and audio.level == "functionals" and corpus.grid.window:
        yield Problem(
            "audio.feature_set",
            "emobase has functionals of whole recordings only, and grid.window is "
            f"{corpus.grid.window} s; set audio.level to lld_statistics, or choose another feature set",
        )
    if hop is None or classes:
        return
    for window in corpus.postprocessing.median_windows:
        if window < hop:
            yield Problem(
                "postprocessing.median_windows",
                f"found {window:g} s, expected a hop ({hop:g} s) or more: a median over one value "
                "changes nothing",
            )
    for shift in corpus.postprocessing.shifts:
        if not is_multiple(shift, hop):
            yield Problem(
                "postprocessing.shifts",
                f"found {shift:g} s, expected whole hops of {hop:g} s: a trace is moved by whole rows",
            )
    sequences = corpus.learning.sequences
    if not isinstance(sequences, str):
        for key, seconds in (("length", sequences.length), ("hop", sequences.hop)):
            if seconds < hop:
                yield Problem(
                    f"learning.sequences.{key}",
                    f"found {seconds:g} s, expected a hop of the grid ({hop:g} s) or more",
                )
        if corpus.learning.loss == "ccc" and corpus.learning.ccc == "sequence" and sequences.length < 2 * hop:
            yield Problem(
                "learning.ccc",
                f"found sequence with sub-sequences of {sequences.length:g} s, one frame each: a CCC "
                f"needs two; set learning.sequences.length to {2 * hop:g} or more, or ccc to batch",
            )


def text_problems(corpus: Corpus) -> Iterator[Problem]:
    """Refuse words without vectors, and words of parts of a recording."""
    if "text" not in corpus.extract:
        return
    if corpus.text.file is None:
        yield Problem(
            "text.file",
            "found null, expected the path of a file of word vectors, or of the wheel of the package "
            "wordllama, since text is under extract (docs/own-corpus.md)",
        )
    if not corpus.grid.utterances:
        yield Problem(
            "extract",
            "names text, whose transcripts have no times: expected window and hop null (one row per "
            "utterance) in grid, or no text",
        )


def scaling_problems(corpus: Corpus) -> Iterator[Problem]:
    """Refuse methods that miss a modality or name none."""
    method = corpus.learning.scaling.method
    if isinstance(method, str):
        return
    for name in method:
        if name not in corpus.modalities:
            yield Problem(
                f"learning.scaling.method.{name}",
                f"'{name}' is neither under extract nor under features, expected one of "
                f"{list(corpus.modalities)}{did_you_mean(name, corpus.modalities)}",
            )
    for name in dict.fromkeys(map(modality_of, corpus.inputs)):
        if name in corpus.modalities and name not in method:
            yield Problem(
                "learning.scaling.method",
                f"found {dict(method)}, expected a method for '{name}' too, which scenarios name",
            )
