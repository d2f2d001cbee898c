"""One ARFF file of features, as AVEC 2016 distributes them -> rows with their times.

Columns that are no features stand among the others under varying names and are told by them
(`NOT_FEATURES`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from pipeline.corpora.arff import TIMES, ArffError, Attribute, open_arff
from pipeline.features.imported.given_rows import RESERVED, finite_rows
from pipeline.features.media.opening import MediaError
from pipeline.location import Location
from pipeline.store.rows import Rows

NOT_FEATURES = TIMES | {"name", "class", "instance_name"}
"""In small letters."""
NUMBERS = ("numeric", "real", "integer")


def read_arff(path: Location, exclude: Collection[str] = ()) -> Rows:
    """Read the rows of one recording; start and end are the row's time, seconds.

    exclude: features that are left out. A missing value (`?`) is NaN. `valid`: at least one feature is a
    finite number.

    Raises:
        MediaError: no such file, or it is not such a table: what was found, where, and what was expected.
    """
    try:
        file = open_arff(path)
        time, features = _time_and_features(file.attributes)
        times, *columns = file.numbers([time, *features])
    except FileNotFoundError:
        raise MediaError(f"{path}: no such file") from None
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ArffError as error:
        raise MediaError(f"{path}: {error}") from None
    kept = {
        file.attributes[place].name: column
        for place, column in zip(features, columns, strict=True)
        if file.attributes[place].name not in exclude
    }
    values = np.empty((len(times), len(kept)), np.float32)
    for place, column in enumerate(kept.values()):
        values[:, place] = column
    return finite_rows(str(path), times, times, values, tuple(kept))


def _time_and_features(attributes: Sequence[Attribute]) -> tuple[int, list[int]]:
    """Return the places of the time and of the features.

    Raises:
        ArffError: a feature is no number, has a name that is taken or occurs twice; there is not one time,
            or no feature.
    """
    seen: set[str] = set()
    for line, name, kind in attributes:
        if name.lower() not in NOT_FEATURES and kind.lower() not in NUMBERS:
            raise ArffError(
                f"line {line}: attribute '{name}' is '{kind}', expected numeric, or one of "
                f"{', '.join(sorted(NOT_FEATURES))}, which are no features"
            )
        if name in RESERVED or name in seen:
            why = "is used by feature tables themselves" if name in RESERVED else "occurs twice"
            raise ArffError(f"line {line}: the attribute name '{name}' {why}; rename it")
        seen.add(name)
    names = [name for _, name, _ in attributes]
    times = [place for place, name in enumerate(names) if name.lower() in TIMES]
    if len(times) != 1:
        raise ArffError(
            f"found {len(times)} time columns among {len(names)} attributes "
            f"({', '.join(names[:4])}{', ...' if len(names) > 4 else ''}), expected frameTime or timeStamp"
        )
    features = [place for place, name in enumerate(names) if name.lower() not in NOT_FEATURES]
    if not features:
        raise ArffError(f"found no features among the attributes {', '.join(names)}")
    return times[0], features
