"""A corpus -> everything that is wrong with its recordings, before hours of extraction are spent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import NamedTuple

import pandas as pd

from pipeline.catalogue.systems import BY_WORDS
from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts.known import NONE, layout_of
from pipeline.corpora.missing import count_missing, missing_sentence
from pipeline.corpora.partitions import shared_speakers
from pipeline.corpora.problems import Expected, NotOnDisk, Problem
from pipeline.corpora.recording import Recording, read_manifest
from pipeline.corpora.registered_groups import listed_groups
from pipeline.features.imported.table_times import against_the_medium
from pipeline.features.media.inspection import rates_note
from pipeline.features.prerequisites import require_files
from pipeline.labels.coverage import label_problems
from pipeline.labels.gold_by_recording import require
from pipeline.labels.overview import NOTHING, Overview, overview
from pipeline.learning.systems.emotion_words.vectors import class_vectors, require_known, require_two
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.tools.checking_features import check_features
from pipeline.tools.checking_media import look_at_media
from pipeline.tools.checking_systems import check_systems
from pipeline.tools.checking_text import check_text
from pipeline.tools.finding import Finding

NOT_HERE = "registered, but its media are not on this machine"
MOST_NOTES = 10
"""What extraction would mend or choose is said for this many files; the others are counted."""


class Checked(NamedTuple):
    """How many recordings there are, what is wrong, sorted, who is where, and sentences that sum it up."""

    recordings: int
    findings: list[Finding]
    overview: Overview = NOTHING
    notes: tuple[str, ...] = ()


def check(
    corpus: Corpus,
    paths: Paths,
    workers: int = 1,
    advance: Callable[[], None] = lambda: None,
    corpora: Mapping[str, Corpus] = NONE,
    time_limit: float | None = None,
) -> Checked:
    """Look at every recording that is registered or in the corpus' folder.

    workers: processes. advance: called after each recording, for a bar. corpora: all corpora by name; a
    mixed one takes its sources from them. time_limit: seconds that a recording may take, None: any number.

    Raises:
        ValueError: there is neither the corpus nor a manifest, or a list of the corpus cannot be used.
    """
    reader, root = layout_of(corpus, paths, corpora), paths.root / corpus.root
    registered = read_manifest(paths.manifest) if paths.manifest.is_file() else []
    if not reader.found(root):
        if not registered:
            raise ValueError(reader.not_there(paths.corpus, root))
        return Checked(len(registered), [Finding(item.recording, "", NOT_HERE) for item in registered])
    wanted = Wanted.of(corpus)
    found = reader.read(root, wanted)
    findings = [Finding(*problem) for problem in found.problems if not isinstance(problem, Expected)]
    names = {item.recording for item in found.recordings}
    of_features, times, empty = check_features(corpus, paths, reader, root, names)
    findings += of_features
    listed = {item.recording for item in found.recordings} | set(found.missing)
    if reader.csv_is_the_list:  # a row that is gone is a recording that is gone
        registered = [item for item in registered if item.recording in listed]
    findings += [Finding(r.recording, "", NOT_HERE) for r in registered if r.recording not in listed]
    # what the listing missed is not missed again by the look
    absent = {
        (problem.recording, problem.file) for problem in found.problems if isinstance(problem, NotOnDisk)
    }
    durations: dict[str, float | None] = {}
    mended: list[str] = []
    rates_hz: dict[str, int] = {}
    for item, own, duration, said, rate_hz in look_at_media(
        found.recordings, root, corpus, workers, time_limit
    ):
        findings += [finding for finding in own if (finding.recording, finding.file) not in absent]
        mended += said
        if rate_hz is not None:
            rates_hz[item.recording] = rate_hz
        durations[item.recording] = duration
        advance()
    findings += [Finding(*problem) for problem in against_the_medium(times, durations)]
    transcripts = check_text(corpus, found.recordings, root)
    findings += [
        Finding(*problem)
        for problem in transcripts.problems
        if (problem.recording, problem.file) not in absent
    ]
    for dimension in corpus.dimensions if corpus.scenarios else ():  # without, no label is asked for
        traces = found.traces[found.traces["dimension"] == dimension]
        given = corpus.labels.gold_standard == "given"
        if len(traces):
            try:
                require(paths, dimension, traces, given)
            except ValueError as error:  # but the times of what there is are looked at
                findings.append(Finding("", "", str(error)))
                given = not given
        findings += [
            Finding(name, "", reason)
            for name, reason in label_problems(
                traces,
                {item.recording: item.partition for item in found.recordings},
                [dimension],
                durations,
                continuous=corpus.grid.hop is not None,
                max_gap=corpus.labels.max_gap,
                given=given,
                no_label=found.no_label,
            )
        ]
    if corpus.evaluation.groups:
        try:
            listed_groups(corpus, paths, corpora)
        except ValueError as error:
            findings.append(Finding("", "", str(error)))
    known = {item.recording: item for item in (*registered, *found.recordings)}
    notes = _notes(corpus, paths.corpus, found.problems, list(known.values()))
    notes += tuple(f"{item.file}: {item.reason}" for item in found.problems if isinstance(item, Expected))
    if corpus.layout == "table" and corpus.grid.hop is None:
        notes += tuple(_forgotten(corpus, found.recordings, found.traces, found.no_label))
    notes += (*found.notes, *rates_note(rates_hz), *empty, *transcripts.notes, *_not_asked_for(corpus))
    mended.sort()
    notes += tuple(mended[:MOST_NOTES])
    if len(mended) > MOST_NOTES:
        notes += (f"{len(mended) - MOST_NOTES} more of this kind",)
    seen = NOTHING
    try:
        require_files(corpus, paths)
        _require_words(corpus, paths, found.classes)
        seen = overview(corpus, paths.corpus, found.recordings, found.traces, found.classes, durations)
        untrained = check_systems(corpus, found.recordings, found.traces, found.classes)
        seen.doubts.extend(untrained.doubts)
        if listed.issuperset(item.recording for item in registered):  # a colleague may have the labels
            findings += [Finding("", "", sentence) for sentence in (*seen.wrong, *untrained.wrong)]
    except ValueError as error:
        findings.append(Finding("", "", str(error)))
    return Checked(len(listed | known.keys()), sorted(set(findings)), seen, notes)


def _require_words(corpus: Corpus, paths: Paths, classes: Sequence[str]) -> None:
    """Refuse classes that a system asked for cannot name.

    Raises:
        ValueError: a class has no word vector, `zero_shot` or `few_shot` names none, or too few are left.
    """
    own = corpus.learning.emotion_words
    if own.vectors is None or not any(name in BY_WORDS for name in corpus.learning.systems):
        return
    class_vectors(classes, own.vectors, paths.root)
    for key, named in (("zero_shot", own.zero_shot), ("few_shot", own.few_shot)):
        require_known(named, classes, key)
    require_two(own, classes)


def _forgotten(
    corpus: Corpus,
    recordings: Sequence[Recording],
    traces: pd.DataFrame,
    no_label: Set[tuple[str, str]],
) -> Iterator[str]:
    """Say how an empty cell becomes one that was meant so."""
    for dimension in corpus.dimensions if corpus.scenarios else ():
        known = set(traces.loc[traces["dimension"] == dimension, "recording"])
        empty = [
            item for item in recordings
            if item.recording not in known and (item.recording, dimension) not in no_label
        ]  # fmt: skip
        if empty:
            yield (
                f"{len(empty)} recordings have no {dimension}: where that is meant so, as of recordings that "
                "only learning without labels uses, NA in the cell says it (docs/labels.md)"
            )


def _not_asked_for(corpus: Corpus) -> Iterator[str]:
    """Name what says how systems by words are trained where none of them is."""
    own = corpus.learning.emotion_words
    if not any(name in BY_WORDS for name in corpus.learning.systems):
        for key, named in (("zero_shot", own.zero_shot), ("few_shot", own.few_shot)):
            if named:
                yield (
                    f"learning.emotion_words.{key} names {', '.join(named)}, and no system by words is under "
                    "learning.systems: all learn from all classes"
                )


def _notes(
    corpus: Corpus, name: str, problems: Sequence[Problem], recordings: Sequence[Recording]
) -> tuple[str, ...]:
    """Count what is missing and who is in several partitions, with what to set against it."""
    notes = []
    if missing := count_missing(problems, recordings):
        notes.append(missing_sentence(missing))
    shared, method = shared_speakers(recordings), corpus.partitions.method
    if shared.shared and method == "given":
        notes.append(
            f"{shared.sentence()}; corpora.{name}.partitions.method: speaker_disjoint in params.yaml would "
            f"move {shared.moves()}"
        )
    if shared.shared and method == "speaker_disjoint":
        notes.append(f"{shared.sentence()}; speaker_disjoint moves {shared.moves()}")
    return tuple(notes)
