"""A corpus -> everything that is wrong with its recordings, before hours of extraction are spent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.catalogue.systems import BY_WORDS
from pipeline.corpora.csd import SUFFIX
from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import CorpusLayout, Wanted
from pipeline.corpora.layouts.known import NONE, layout_of
from pipeline.corpora.missing import count_missing, missing_sentence
from pipeline.corpora.partitions import shared_speakers
from pipeline.corpora.problems import Expected, NotOnDisk, Problem
from pipeline.corpora.recording import Recording, read_manifest
from pipeline.corpora.registered_features import missing_files, not_there
from pipeline.corpora.registered_groups import listed_groups
from pipeline.corpora.text_table import LARGEST, without_path
from pipeline.features.imported.table_times import RowTimes, against_the_medium
from pipeline.features.media.inspection import Inspection, compare, inspect, rates_note
from pipeline.features.media.opening import KINDS, Kind, MediaError
from pipeline.features.prerequisites import require_files
from pipeline.labels.coverage import label_problems
from pipeline.labels.gold_by_recording import require
from pipeline.labels.overview import NOTHING, Overview, overview
from pipeline.learning.systems.emotion_words.vectors import class_vectors, require_known, require_two
from pipeline.location import Location
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.running.errors import unusable
from pipeline.running.parallel import Lost, run_guarded
from pipeline.tools.checking_systems import check_systems
from pipeline.tools.checking_text import check_text

MOST_NOTES = 10
"""What extraction would mend or choose is said for this many files; the others are counted."""


class Finding(NamedTuple):
    """One thing that is wrong: recording (empty: the corpus), file relative to its root, reason in words."""

    recording: str
    file: str
    reason: str


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
    of_features, times, empty = _features(corpus, paths, reader, root, names)
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
    for item, own, duration, said, rate_hz in _look(found.recordings, root, corpus, workers, time_limit):
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


NOT_HERE = "registered, but its media are not on this machine"


def _features(
    corpus: Corpus, paths: Paths, reader: CorpusLayout, root: Location, recordings: Set[str]
) -> tuple[list[Finding], list[RowTimes], list[str]]:
    """Look for feature files, and in tables for their recordings; files of one recording are not opened.

    Returns findings, where the rows of the recordings lie, if rows have times, and notes on empty columns.
    """
    wanted = Wanted.of(corpus)
    times: list[RowTimes] = []
    notes: list[str] = []
    files = reader.list_features(root, wanted.features) if wanted.features else []
    inside = Inside(root, wanted.media_folders)
    findings = [Finding(*problem) for problem in missing_files(files, recordings)]
    for name, path in wanted.features.items():
        own = [file for file in files if file.features == name]
        if not own:
            findings.append(Finding("", path, not_there(paths.corpus, name, root, path, reader)))
        if own and all(file.file.endswith(SUFFIX) for file in own):
            # imported here, as below: h5py
            from pipeline.tools.checking_csd import check_csd

            problems, said = check_csd(corpus, name, own, root, recordings)
            findings += [Finding(*problem) for problem in problems]
            notes += said
            continue
        tables = [file for file in own if not file.recording]
        held: set[str] = set()
        refused = False
        for file in tables:
            if outside := inside.refusal(Path(file.file)):
                findings.append(Finding("", file.file, outside))
                refused = True
                continue
            # imported here: most corpora have no tables, and need not wait for pyarrow
            from pipeline.features.imported.table_columns import Choice, FeatureTableError
            from pipeline.features.imported.table_features import UNKNOWN
            from pipeline.features.imported.table_rows import open_table

            try:
                table = open_table(root / file.file, Choice.of(corpus, name, root, asked=True))
                names, features = set(), table.columns.features
                filled = np.zeros(len(features), np.bool_)
                for recording, read in table.recordings():
                    names.add(recording)
                    if recording not in recordings:
                        continue
                    try:
                        rows = read()
                    except MediaError as error:
                        findings.append(
                            Finding(recording, file.file, without_path(str(error), root / file.file))
                        )
                        continue
                    filled |= np.isfinite(rows.values).any(axis=0)
                    if corpus.grid.hop is not None and table.columns.times:
                        times.append(RowTimes(recording, name, file.file, rows.start, rows.end))
            except FeatureTableError as error:
                findings.append(Finding("", file.file, without_path(str(error), root / file.file)))
                refused = True
                continue
            except Exception as error:  # noqa: BLE001  (Arrow has exceptions of its own)
                findings.append(Finding("", file.file, unusable(error)))
                refused = True
                continue
            held |= names
            if names & recordings and not filled.any():
                findings.append(Finding("", file.file, "no row has a number, expected features"))
            elif not filled.all() and names & recordings:
                bare = [feature for feature, some in zip(features, filled, strict=True) if not some]
                shown = ", ".join(bare[:3]) + (f" and {len(bare) - 3} more" if len(bare) > 3 else "")
                notes.append(f"{file.file}: no row has a number (of at most {LARGEST:.1e}) in {shown}")
            findings += [Finding(recording, file.file, UNKNOWN) for recording in names - recordings]
        # which recordings a table has that cannot be read, nobody knows
        if tables and not refused:
            findings += [Finding(recording, path, "no rows of it") for recording in recordings - held]
    return findings, times, notes


def _look(
    recordings: Sequence[Recording], root: Location, corpus: Corpus, workers: int, time_limit: float | None
) -> Iterator[Looked]:
    """Look at the media in guarded processes: a file that ends or hangs one is a finding."""
    media = []
    for item in recordings:
        if any(item.medium(kind) for kind in _kinds(corpus)):
            media.append(item)
        else:
            yield item, [], None, [], None
    for outcome in run_guarded(_recording, (root, corpus), media, workers=workers, time_limit=time_limit):
        if isinstance(outcome, Lost):
            item = outcome.task
            files = " and ".join(str(item.medium(each)) for each in _kinds(corpus) if item.medium(each))
            yield item, [Finding(item.recording, files, outcome.reason)], None, [], None
        else:
            yield outcome


def _kinds(corpus: Corpus) -> list[Kind]:
    """Return the modalities that are extracted from media which a decoder opens."""
    return [kind for kind in KINDS if kind in corpus.extract]


Looked = tuple[Recording, list[Finding], float | None, list[str], int | None]
"""A recording, its findings, its length in seconds, what extraction would mend or choose, its rate."""


def _recording(root: Location, corpus: Corpus, item: Recording) -> Looked:
    """Look at the media of one recording that are extracted.

    Returns its findings, its length in seconds, what extraction would mend or choose, and the sampling rate.
    """
    seen: dict[Kind, Inspection] = {}
    findings, notes = [], []
    for modality in _kinds(corpus):
        path = item.medium(modality)
        if path is None:
            continue
        try:
            seen[modality] = inspect(root / path, modality, corpus)
        except Exception as error:  # noqa: BLE001  (a decoder may throw anything)
            seen[modality] = Inspection(None, [unusable(error)])
        findings += [Finding(item.recording, path.as_posix(), text) for text in seen[modality].problems]
        notes += [f"{item.recording}: {path.as_posix()}: {text}" for text in seen[modality].notes]
    if len(seen) == 2:
        findings += [Finding(item.recording, "", text) for text in compare(seen["audio"], seen["video"])]
    lengths = [each.duration for each in seen.values() if each.duration is not None]
    rate_hz = seen["audio"].rate_hz if "audio" in seen else None
    return item, findings, max(lengths, default=None), notes, rate_hz
