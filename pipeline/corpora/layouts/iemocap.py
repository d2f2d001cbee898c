"""IEMOCAP -> utterances of five sessions with four or six classes, valence and arousal.

    Session<1-5>/dialog/EmoEvaluation/<dialog>.txt            times, class, valence, activation, dominance
    Session<1-5>/sentences/wav/<dialog>/<utterance>.wav
    Session<1-5>/sentences/video/<dialog>/<utterance>.mp4     not distributed: one face each
    Session<1-5>/sentences/text/<dialog>/<utterance>.txt      not distributed: words

`emobed iemocap cut` makes what is not distributed of the films and transcripts of whole dialogues.

Layout `iemocap4` has the four classes of most of the literature (anger, happy with excited in it, neutral,
sad), `iemocap6` six (anger, excited, frustrated, happy, neutral, sad). An utterance of another class, or on
which the raters did not agree (`xxx`), has no class. Valence and arousal (there: activation) are means of
raters from 1 to 5. Source: Busso et al., doi 10.1007/s10579-008-9076-6.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import ANY, GOLD, Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.layouts.iemocap_files import NAME, Utterance, evaluations, sessions, utterances
from pipeline.corpora.problems import NoLabel, NotOnDisk, Problem
from pipeline.corpora.recording import Medium, Partition, Recording
from pipeline.corpora.transcripts import SUFFIX, TEXT
from pipeline.params import Corpus
from pipeline.paths import Paths

FOUR = {"ang": "anger", "hap": "happy", "exc": "happy", "neu": "neutral", "sad": "sad"}
SIX = FOUR | {"exc": "excited", "fru": "frustrated"}
CODES = ("ang", "dis", "exc", "fea", "fru", "hap", "neu", "oth", "sad", "sur", "xxx")
"""All that EmoEvaluation has."""
MEDIA = {"audio": ("wav", ".wav"), "video": ("video", ".mp4"), TEXT: ("text", SUFFIX)}
"""Folder below `sentences` and suffix."""
PARTITION: Mapping[str, Partition] = {"Ses04": "dev", "Ses05": "test"}
GROUPS = {"sex": {"F": "female", "M": "male"}, "kind": {"impro": "improvised", "script": "scripted"}}


def found(root: Path) -> bool:
    """Say whether `root` has evaluations of a session."""
    return root.is_dir() and bool(evaluations(root))


def list_recordings(root: Path, wanted: Wanted = ANY) -> Listing:
    """List the utterances with a medium that is wanted; sessions 1 to 3 are train, 4 dev, 5 test.

    No partition is official: `partitions.sessions` keeps a session in one fold.
    """
    problems: list[Problem] = []
    recordings, missing = [], []
    lacking: Counter[str] = Counter()
    inside = Inside(root, wanted.media_folders)
    wanted_media = [modality for modality in MEDIA if modality in wanted.extract]
    listed = list(utterances(root, lambda file, what: problems.append(Problem("", file, what))))
    for one in listed:
        media = {}
        for modality, path in paths_of(one).items():
            if not (root / path).is_file():
                lacking[modality] += 1
            elif refused := inside.refusal(path):
                problems.append(Problem(one.name, path.as_posix(), f"{refused}: left out"))
            else:
                media[modality] = Medium(path)
        if wanted_media and not any(modality in media for modality in wanted_media):
            missing.append(one.name)
            problems.append(NotOnDisk.at(one.name, paths_of(one)[wanted_media[0]].as_posix()))
            continue
        recordings.append(Recording(one.name, PARTITION.get(one.session, "train"), one.speaker, media))
    problems += [
        Problem(
            "",
            f"sentences/{MEDIA[modality][0]}",
            f"{lacking[modality]} of {len(listed)} utterances have no {modality}"
            + ("" if modality == "audio" else "; `emobed iemocap cut` makes what the films have"),
        )
        for modality in wanted_media
        if lacking[modality]
    ]
    absent = [f"Session{number}" for number in range(1, 6) if root / f"Session{number}" not in sessions(root)]
    if absent:
        problems.append(Problem("", "", f"{', '.join(absent)} not there, expected five sessions"))
    return Listing(sorted(recordings, key=lambda item: item.recording), sorted(missing), problems)


def read_traces(root: Path, recordings: Collection[str], classes: Mapping[str, str] = FOUR) -> Annotations:
    """Read class, valence and arousal of the named utterances.

    classes: code -> class; other codes of EmoEvaluation are no label, and counted. What single raters said of
    these classes stands beside it.
    """
    from pipeline.corpora.traces import trace_table

    names = tuple(dict.fromkeys(classes.values()))
    rows: list[tuple[str, str, float, str]] = []
    problems: list[Problem] = []
    none: Counter[str] = Counter()
    no_label = set()
    for one in utterances(root, lambda file, what: None):  # the listing has said it
        if one.name not in recordings:
            continue
        rows += [(one.name, "valence", one.valence, GOLD), (one.name, "arousal", one.activation, GOLD)]
        # of two codes of one class the rater means it once
        said = dict.fromkeys((rater, classes[code]) for rater, code in one.votes if code in classes)
        rows += [(one.name, "emotion", float(names.index(word)), rater) for rater, word in said]
        if one.code in classes:
            rows.append((one.name, "emotion", float(names.index(classes[one.code])), GOLD))
        elif one.code in CODES:
            none[one.code] += 1
            no_label.add((one.name, "emotion"))
        else:
            reason = (
                f"line {one.line}: found emotion '{one.code}', expected one of {', '.join(CODES)}: left out"
            )
            problems.append(Problem(one.name, one.file, reason))
    if none:
        counts = ", ".join(f"{code} ({count})" for code, count in sorted(none.items()))
        problems.append(
            NoLabel("", "dialog/EmoEvaluation", f"no label of emotion where the code is {counts}")
        )
    every = len(rows)
    recording, dimension, value, rater = zip(*rows, strict=True) if rows else ((), (), (), ())
    traces = trace_table(recording, dimension, rater, [0.0] * every, value)
    return Annotations(traces, problems, classes=names, no_label=frozenset(no_label))


def read_groups(root: Path, column: str) -> dict[str, str]:
    """Read which group each utterance is of: sex, kind (improvised, scripted) or session.

    Raises:
        KeyError: there is no such group.
    """
    if column not in (*GROUPS, "session"):
        raise KeyError(f"IEMOCAP has no group '{column}', expected some of {', '.join(GROUPS)}, session")
    groups = {}
    for one in utterances(root, lambda file, what: None):
        parts = NAME.fullmatch(one.name)
        assert parts is not None  # of every utterance that is given
        groups[one.name] = {
            "sex": GROUPS["sex"][parts[4]],
            "kind": GROUPS["kind"][parts[3]],
            "session": one.session,
        }[column]
    return groups


def paths_of(one: Utterance) -> dict[str, Path]:
    """Return where the media of an utterance lie, by modality, relative to the root."""
    session = f"Session{one.session[-1]}"
    return {
        modality: Path(session, "sentences", folder, one.dialog, f"{one.name}{suffix}")
        for modality, (folder, suffix) in MEDIA.items()
    }


LAYOUT = CorpusLayout(
    obtain=(
        "IEMOCAP is given to researchers: https://sail.usc.edu/iemocap; docs/corpora.md says how "
        "it lies on disk."
    ),
    expected="the folders Session1 to Session5 of IEMOCAP, with dialog/EmoEvaluation/*.txt in them",
    found=found,
    list_recordings=list_recordings,
    annotation_files=evaluations,
    read_traces=read_traces,
    read_groups=read_groups,
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout with four or six classes, by its name."""
    classes = SIX if corpus.layout == "iemocap6" else FOUR
    return replace(LAYOUT, read_traces=partial(read_traces, classes=classes), parameters=(classes,))
