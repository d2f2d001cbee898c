"""Feature files that came with a corpus -> what is wrong with them, where their rows lie, what is empty."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

import numpy as np

from pipeline.corpora.cell_numbers import LARGEST
from pipeline.corpora.csd import SUFFIX
from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import CorpusLayout, Wanted
from pipeline.corpora.registered_features import missing_files, not_there
from pipeline.corpora.text_table import without_path
from pipeline.features.imported.table_times import RowTimes
from pipeline.features.media.opening import MediaError
from pipeline.location import Location
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.running.errors import unusable
from pipeline.tools.finding import Finding


def check_features(
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
