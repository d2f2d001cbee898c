"""Errors of validation -> sentences for whoever edits params.yaml: YAML path, value found, what is right.

pydantic speaks of types (`tuple`, `constrained-float`, one error per member of a union); a user thinks in
lists, numbers and words, and wants one sentence per wrong value.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

Path = tuple[int | str, ...]
"""Keys and places in lists, from the top of the file."""

EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a group of keys",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "dataclass_type": "a path",
    "model_type": "a group of keys",
    "path_type": "a path",
    "string_too_short": "some text",
    "string_type": "text",
    "tuple_type": "a list, such as [a, b]",
}
"""What is right where pydantic refuses a type."""
UNIONS = (typing.Union, types.UnionType, typing.Annotated)
"""Annotations of which a value is one member."""


MOVED: Mapping[Path, str] = {
    ("learning", "label_shares"): "partitions.label_shares",
    ("report", "groups"): "evaluation.groups",
}
"""Group and key of earlier releases -> where the key is now."""


class Wrong(NamedTuple):
    """One wrong value: where it stands, what pydantic calls the fault, and its words and numbers."""

    path: Path
    kind: str
    message: str
    context: Mapping[str, Any]


def sentences(errors: Iterable[Any], raw: Any, model: type[BaseModel]) -> list[str]:
    """Return one sentence per wrong value, in the order of the file.

    errors: of a pydantic ValidationError. raw: what was validated. model: what it should have been.
    """
    by_path: dict[Path, list[Wrong]] = {}
    for error in errors:
        loc = error["loc"]
        if loc[-1:] == ("[key]",):  # of a mapping: its location has the key in pydantic's words
            path = _in_file(loc[:-2], raw, missing=False)
            wrong = Wrong(path, "key", error["msg"], {"key": error["input"]})
        else:
            path = _in_file(loc, raw, error["type"] == "missing")
            wrong = Wrong(path, error["type"], error["msg"], error.get("ctx", {}))
        by_path.setdefault(path, []).append(wrong)
    # of a list or group with a wrong value inside that value speaks: pydantic counts it as missing, or tries
    # another member of a union
    inner = {path[:length] for path in by_path for length in range(len(path))}
    return [
        sentence
        for path, found in by_path.items()
        for sentence in _sentences(path, found, raw, model)
        if path not in inner
    ]


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """Return `; did you mean '<the nearest known word>'?`, or nothing where none is near."""
    near = difflib.get_close_matches(str(word), [str(name) for name in known], n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def no_system(found: str, special: str, systems: Iterable[str]) -> str:
    """Return what is wrong with a system that is named; nothing where it is trained.

    special: the word that may stand in its place. systems: those that are trained.
    """
    known = [special, *systems]
    if found in known:
        return ""
    return (
        f"found '{found}', expected {special}, or one of learning.systems: "
        f"{', '.join(known[1:])}{did_you_mean(found, known)}"
    )


def _sentences(path: Path, found: Sequence[Wrong], raw: Any, model: type[BaseModel]) -> Iterator[str]:
    """Give one sentence about a value, or one about each of several that do not fit together."""
    together = [wrong for wrong in found if "problems" in wrong.context]
    for wrong in together:
        for key, sentence in wrong.context["problems"]:
            yield f"{'.'.join(map(str, (*path, *([key] if key else []))))}: {sentence}"
    if found and not together:
        yield _sentence(path, found, raw, model)


def _sentence(path: Path, found: Sequence[Wrong], raw: Any, model: type[BaseModel]) -> str:
    where = ".".join(map(str, path)) or "(top level)"
    first = found[0]
    if first.kind == "missing":
        return f"{where}: is missing{_expected_key(path, model)}"
    if first.kind == "extra_forbidden":
        if moved := MOVED.get(path[-2:]):
            return f"{where}: is now {moved}; move the value there"
        known = sorted(_fields(path[:-1], model))
        return f"{where}: unknown key{did_you_mean(path[-1], known) or '; expected ' + _list(known)}"
    if first.kind == "key":
        return f"{where}: found the key {_shown(first.context['key'])}, expected text; put it in quotes"
    own = [wrong.message for wrong in found if wrong.kind in ("value_error", "assertion_error")]
    if own:
        return f"{where}: " + "; ".join(message.removeprefix("Value error, ") for message in own)
    value = _at(raw, path)
    if isinstance(value, list | dict):  # of the members of a union those that have the value's shape speak
        found = [wrong for wrong in found if wrong.kind != "literal_error"] or found
    expected = list(dict.fromkeys(_expected(wrong) for wrong in found))
    hint = ""
    if isinstance(value, str):
        words = [word.strip("' ") for w in found for word in str(w.context.get("expected", "")).split(",")]
        words = [part.strip("' ") for word in words for part in word.split(" or ")]
        hint = did_you_mean(value, [word for word in words if word])
    return f"{where}: found {_shown(value)}, expected {' or '.join(expected)}{hint}"


def _expected(wrong: Wrong) -> str:
    """Say what would have been right."""
    limits = wrong.context
    match wrong.kind:
        case "literal_error":
            return str(limits["expected"]).replace("'", "")
        case "greater_than":
            return f"a number above {limits['gt']:g}"
        case "greater_than_equal":
            return f"a number of {limits['ge']:g} or more"
        case "less_than":
            return f"a number below {limits['lt']:g}"
        case "less_than_equal":
            return f"a number of at most {limits['le']:g}"
        case "too_short":
            return f"a list of at least {limits['min_length']}"
        case "too_long":
            return f"a list of at most {limits['max_length']}"
    return EXPECTED.get(wrong.kind, wrong.message)


def _expected_key(path: Path, model: type[BaseModel]) -> str:
    """Say that a key was perhaps mistyped: the unknown one beside it is said by itself."""
    if not path or isinstance(path[-1], int):
        return ", expected a value"
    described = _fields(path[:-1], model).get(path[-1])
    return f" ({described})" if described else ""


def _in_file(loc: Sequence[int | str], raw: Any, missing: bool) -> Path:
    """Leave out of pydantic's location what is no key of the file: the names of a union's members."""
    path: list[int | str] = []
    node = raw
    last = len(loc) - 1
    for place, part in enumerate(loc):
        inside = (
            part in node if isinstance(node, dict) else isinstance(node, list) and part in range(len(node))
        )
        if inside:
            node = node[part]
        elif not (missing and place == last):
            continue
        path.append(part)
    return tuple(path)


def _at(raw: Any, path: Path) -> Any:
    for part in path:
        raw = raw[part]
    return raw


def _fields(path: Path, model: type[BaseModel]) -> dict[str, str]:
    """Return the keys that are allowed at a path, with their description; none where it is no group."""
    kind: Any = model
    for part in path:
        group = _group(kind)
        if group is not None and part in group.model_fields:
            kind = group.model_fields[str(part)].annotation
        else:  # a mapping by name, or a list: its values
            kind = _inside(kind)
    group = _group(kind)
    return {} if group is None else {name: f.description or "" for name, f in group.model_fields.items()}


def _inside(kind: Any) -> Any:
    """Return the annotation of the values of a mapping or list, also where it is one member of a union."""
    arguments = [each for each in typing.get_args(kind) if each is not Ellipsis]
    if typing.get_origin(kind) in UNIONS:
        return next((inside for each in arguments if (inside := _inside(each)) is not None), None)
    return arguments[-1] if arguments and typing.get_origin(kind) is not typing.Literal else None


def _group(kind: Any) -> type[BaseModel] | None:
    """Return the group of keys among the members of an annotation."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if typing.get_origin(kind) in UNIONS:
        return next((group for each in typing.get_args(kind) if (group := _group(each))), None)
    return None


def _list(words: Sequence[str]) -> str:
    return f"one of {', '.join(words)}" if words else "none here"


def _shown(value: Any) -> str:
    """Show a value as YAML would, shortened."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a group of keys"
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
