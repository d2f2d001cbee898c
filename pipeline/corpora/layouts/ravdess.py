"""RAVDESS -> clips of 24 actors with one of eight classes, which their names tell.

    Actor_<actor>/<modality>-<channel>-<emotion>-<intensity>-<statement>-<repetition>-<actor>.{mp4,wav}

Folders of actors lie below the root, or below folders in it as the archives are named. Modality 01 (picture
and sound), 02 (picture) and 03 (sound) of otherwise equal numbers are one performance, so one recording,
named by the other six numbers. Source: Livingstone and Russo, doi 10.1371/journal.pone.0196391.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from pipeline.corpora.interface import ANY, GOLD, Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.layouts.named_files import NamedMedia, Wrong, files_in, named_media
from pipeline.corpora.recording import Partition
from pipeline.params import Corpus
from pipeline.paths import Paths

CLASSES = ("neutral", "calm", "happy", "sad", "anger", "fear", "disgust", "surprise")
"""By the number of an emotion, which counts from 01; in the words that other corpora have for the same."""
NAME = re.compile(r"(0[123])-(0[12]-(\d\d)-0[12]-0[12]-0[12]-(0[1-9]|1\d|2[0-4]))")
FOLDER = re.compile(r"Actor_\d\d")
GROUPS = {
    "sex": (5, {"1": "male", "0": "female"}),
    "channel": (0, {"01": "speech", "02": "song"}),
    "intensity": (2, {"01": "normal", "02": "strong"}),
    "statement": (3, {"01": "kids", "02": "dogs"}),
}
"""Column of groups -> place of its number in the name of a recording, and the words for it."""
EXPECTED = (
    "<modality>-<channel>-<emotion>-<intensity>-<statement>-<repetition>-<actor>, as 01-01-06-01-02-01-12"
)


def found(root: Path) -> bool:
    """Say whether `root` has folders of actors."""
    return root.is_dir() and bool(_folders(root))


def list_recordings(root: Path, wanted: Wanted = ANY) -> Listing:
    """List the performances; actors 1 to 16 are train, 17 to 20 dev, 21 to 24 test.

    No partition is official. Sound is that of 03, else of 01; pictures those of 01, else of 02.
    """
    media = _media(root, wanted)
    return Listing(list(media.recordings(wanted, _partition_and_speaker)), problems=media.problems)


def read_traces(root: Path, recordings: Collection[str]) -> Annotations:
    """Read the classes, which are in the names."""
    from pipeline.corpora.traces import trace_table

    names = sorted(recordings)
    codes = [int(name.split("-")[1]) - 1 for name in names]
    every = len(names)
    traces = trace_table(names, ["emotion"] * every, [GOLD] * every, [0.0] * every, codes)
    return Annotations(traces, classes=CLASSES)


def read_groups(root: Path, column: str) -> dict[str, str]:
    """Read which group each recording is of: sex, channel, intensity or statement.

    Raises:
        KeyError: there is no such group.
    """
    if column not in GROUPS:
        raise KeyError(f"RAVDESS has no group '{column}', expected some of {', '.join(GROUPS)}")
    place, words = GROUPS[column]
    numbers = {name: name.split("-")[place] for name in _media(root, ANY).media}
    if column == "sex":  # odd actors are male
        numbers = {name: str(int(number) % 2) for name, number in numbers.items()}
    return {name: words[number] for name, number in numbers.items()}


def _media(root: Path, wanted: Wanted) -> NamedMedia:
    paths = [path for folder in _folders(root) for path in files_in(root, folder, (".mp4", ".wav"))]
    # what is no name of RAVDESS goes with the first, which counts it
    modality = {path: path.name[:2] for path in paths}
    sound = sorted(
        (path for path in paths if modality[path] != "02"), key=lambda path: modality[path] != "03"
    )
    pictures = sorted(path for path in paths if modality[path] in ("01", "02"))
    pictures.sort(key=lambda path: modality[path])
    return named_media(root, {"audio": sound, "video": pictures}, _name, wanted)


def _folders(root: Path) -> list[str]:
    """Return the folders of actors, relative to `root`: those in it before those below archives'."""
    return [
        path.relative_to(root).as_posix()
        for pattern in ("Actor_*", "*/Actor_*")
        for path in sorted(root.glob(pattern))
        if FOLDER.fullmatch(path.name) and path.is_dir()
    ]


def _name(path: Path) -> str | Wrong:
    numbers = NAME.fullmatch(path.stem)
    if numbers is None:
        return Wrong(f"found a name that is none of RAVDESS, expected {EXPECTED}")
    if not 1 <= int(numbers[3]) <= len(CLASSES):
        known = ", ".join(f"{number:02} {name}" for number, name in enumerate(CLASSES, 1))
        return Wrong(f"found emotion {numbers[3]}, expected one of {known}")
    return numbers[2]


def _partition_and_speaker(name: str) -> tuple[Partition, str]:
    actor = int(name[-2:])
    partition: Partition = "train" if actor <= 16 else "dev" if actor <= 20 else "test"
    return partition, f"Actor_{actor:02}"


LAYOUT = CorpusLayout(
    obtain="RAVDESS is at https://doi.org/10.5281/zenodo.1188976; docs/corpora.md says how it lies on disk.",
    expected="the folders Actor_01 to Actor_24 of RAVDESS",
    found=found,
    list_recordings=list_recordings,
    annotation_files=lambda root: [],
    read_traces=read_traces,
    read_groups=read_groups,
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout, which is the same for every corpus."""
    return LAYOUT
