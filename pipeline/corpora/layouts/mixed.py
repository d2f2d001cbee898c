"""Recordings of several corpora -> one corpus: audio of one, video of another, or of two halves of one.

    corpora.<name>.sources    source: corpus (and half) that recordings are taken from

A recording is named `<source>/<recording>`, its speaker `<source>/<speaker>`; it keeps only the media of the
modalities that scenarios name for its source (`audio@heard`: the sound of `heard`). Paths are relative to
the root of the checkout, or absolute, or URLs. Batches of the two modalities are drawn
independently (Han et al. 2021), so the sources need to share no more than classes or dimensions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.corpora.interface import Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.layouts.known import layout_of
from pipeline.corpora.layouts.mixed_parts import Part, halves, kept_rows, renamed, trimmed, unwanted
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Recording, read_manifest
from pipeline.location import Location

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths

PARAMS = "params.yaml"


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout of a mixed corpus.

    corpus: its parameters. paths: where it was registered before, since a clone that holds the media of one
    source keeps the recordings of the others. corpora: all corpora by name, its sources among them.
    """
    parts = [_part(corpus, paths, name, corpora) for name in corpus.sources]
    reader = _Mixed(corpus, tuple(parts), paths)
    return CorpusLayout(
        expected="one of its sources' corpora: "
        + ", ".join(f"{part.name} ({part.corpus})" for part in parts),
        found=reader.found,
        list_recordings=reader.list_recordings,
        annotation_files=reader.annotation_files,
        read_traces=reader.read_traces,
        parameters=(
            list(corpus.dimensions),
            [[p.name, p.corpus, p.half, list(p.modalities), list(p.reader.parameters)] for p in parts],
        ),
    )


def _part(corpus: Corpus, paths: Paths, name: str, corpora: Mapping[str, Corpus]) -> Part:
    source = corpus.sources[name]
    own = corpora[source.corpus]
    named = tuple(modality for modality in corpus.extract if f"{modality}@{name}" in corpus.inputs)
    return Part(
        name,
        source.corpus,
        own.root,
        layout_of(own, replace(paths, corpus=source.corpus), corpora),
        source.half,
        named if corpus.scenarios else corpus.extract,
        own.media_folders,
    )


@dataclass(frozen=True)
class _Mixed:
    corpus: Corpus
    parts: tuple[Part, ...]
    paths: Paths

    def found(self, root: Location) -> bool:
        """Say whether a source is here; True also before the first registration: it says what is absent."""
        return not self._registered() or any(part.found(root) for part in self._used())

    def list_recordings(self, root: Location, wanted: Wanted) -> Listing:
        """List the recordings of the sources' halves.

        Raises:
            ValueError: a source is neither here nor registered, its list cannot be used, or
                cross-validation would see a speaker under two names.
        """
        registered = self._registered()
        self._require_own_speakers()
        recordings: list[Recording] = []
        missing: list[str] = []
        kept: dict[str, Recording] = {}
        problems = [
            Problem("", PARAMS, f"source '{part.name}' is named by no scenario: left out")
            for part in self.parts
            if not part.modalities
        ]
        for part in self._used():
            rows = part.rows(registered)
            if not part.found(root):
                if not rows:
                    raise ValueError(
                        f"corpora.{self.paths.corpus}.sources.{part.name}: corpus {part.corpus} is not at "
                        f"{root / part.root}, expected {part.reader.expected}"
                    )
                kept |= {row.recording: trimmed(row, part.modalities) for row in rows.values()}
                continue
            listing = part.reader.list_recordings(
                root / part.root,
                replace(wanted, extract=part.modalities, features={}, media_folders=part.media_folders),
            )
            speakers = self._speakers(part, listing.recordings, registered)
            chosen = [item for item in listing.recordings if speakers is None or item.speaker in speakers]
            here = {item.recording: taken for item in chosen if (taken := part.take(item)) is not None}
            recordings += here.values()
            if part.half is None:
                missing += [f"{part.name}/{name}" for name in listing.missing]
            kept |= kept_rows(part, rows, here, speakers)
            about = here.keys() | (set(listing.missing) if part.half is None else set())
            problems += [
                renamed(part, item)
                for item in listing.problems
                if (not item.recording or item.recording in about) and not unwanted(part, item, here)
            ]
        return Listing(
            sorted(recordings, key=lambda item: item.recording), sorted(missing), problems, kept=kept
        )

    def annotation_files(self, root: Location) -> list[Location]:
        """Return the annotation files of the sources that are here."""
        files = [
            path
            for part in self._used()
            if part.found(root)
            for path in part.reader.annotation_files(root / part.root)
        ]
        return list(dict.fromkeys(files))

    def read_traces(self, root: Location, recordings: Collection[str]) -> Annotations:
        """Read the traces, as `mixed_traces.read_mixed_traces`."""
        from pipeline.corpora.layouts.mixed_traces import read_mixed_traces

        here = [part for part in self._used() if part.found(root)]
        return read_mixed_traces(self.corpus, self.paths, self._used(), here, root, recordings)

    def _used(self) -> list[Part]:
        return [part for part in self.parts if part.modalities]

    def _registered(self) -> dict[str, Recording]:
        rows = read_manifest(self.paths.manifest) if self.paths.manifest.is_file() else []
        return {row.recording: row for row in rows}

    def _speakers(
        self, part: Part, listed: Sequence[Recording], registered: Mapping[str, Recording]
    ) -> set[str] | None:
        """Return the source's speakers that are in its half; None: all.

        Speakers whose media are absent here count as they do where the manifest was made, so that the
        halves are the same on every clone.
        """
        if part.half is None:
            return None
        known = [(item.speaker, item.partition) for item in listed]
        if not part.reader.csv_is_the_list:
            known += [
                (row.speaker.removeprefix(f"{same.name}/"), row.partition)
                for same in self.parts
                if same.corpus == part.corpus
                for row in same.rows(registered).values()
            ]
        return halves(known)[part.half]

    def _require_own_speakers(self) -> None:
        """Refuse folds by speaker where one person has two names."""
        method = self.corpus.partitions.method
        if method == "given":
            return
        used = self._used()
        for place, one in enumerate(used):
            for two in used[place + 1 :]:
                if one.corpus == two.corpus and {one.half, two.half} != {"first", "second"}:
                    raise ValueError(
                        f"corpora.{self.paths.corpus}.partitions.method: found {method}, and sources "
                        f"{one.name} and {two.name} take the same speakers of {one.corpus} under two names; "
                        "give them the halves first and second, or set given"
                    )
