"""The pickle of a state dict -> what it describes, by reading its opcodes: nothing is ever unpickled.

A pickle is a program. Of its opcodes, those that a state dict of float32 tensors is written with are
understood, and of the names that it may call four; anything else is refused. What a small file could grow
by is refused too: lengths are those of the bytes at hand, tuples do not nest, and a memo holds what was put
into it.
"""

from __future__ import annotations

import pickle
import pickletools
import reprlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

FLOAT_STORAGE = "FloatStorage"
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
LITERALS = {
    "BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING",
    "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT",
}  # fmt: skip


@dataclass(frozen=True)
class Storage:
    """Values that lie elsewhere: under which key, and how many they should be."""

    key: str
    values: int


@dataclass(frozen=True)
class Tensor:
    """What a tensor is of its storage; offset and stride count values."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def described(stream: IO[bytes]) -> Any:
    """Return the object of the pickle that begins here; tensors are `Tensor`. Leaves the stream behind it.

    stream: bytes in memory: a length that reaches past them is refused before anything is allocated.

    Raises:
        pickle.UnpicklingError: it is not written as a state dict of float32 tensors is.
        LookupError, TypeError, ValueError: it is no pickle, or one that breaks off.
    """
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}
    for opcode, given, _ in pickletools.genops(stream):
        name = opcode.name
        argument: Any = given
        if name in ("PROTO", "FRAME", "STOP"):
            continue
        if name == "MARK":
            marks.append(len(stack))
        elif name in LITERALS:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name == "GLOBAL":
            stack.append(_known(argument))
        elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if argument is None else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "TUPLE":
            stack.append(_tuple(_since(stack, marks)))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            stack.append(_tuple(_last(stack, int(name[-1]))))
        elif name in ("APPEND", "APPENDS"):
            items = _since(stack, marks) if name == "APPENDS" else _last(stack, 1)
            _top(stack, list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = _since(stack, marks) if name == "SETITEMS" else _last(stack, 2)
            _set(_top(stack, dict), list(zip(items[::2], items[1::2], strict=True)))
        elif name == "BUILD":  # attributes of the dict, such as the versions of the modules
            _last(stack, 1)
            _top(stack, OrderedDict)
        elif name == "BINPERSID":
            stack.append(_storage(stack.pop()))
        elif name == "REDUCE":
            call, arguments = _last(stack, 2)
            stack.append(_called(call, arguments))
        else:
            raise pickle.UnpicklingError(f"it uses {name}")
    (found,) = stack
    return found


def _since(stack: list[Any], marks: list[int]) -> list[Any]:
    """Take what lies above the last mark."""
    return _last(stack, len(stack) - marks.pop())


def _last(stack: list[Any], count: int) -> list[Any]:
    if not 0 <= count <= len(stack):
        raise pickle.UnpicklingError("it takes more than it has put")
    taken = stack[len(stack) - count :]
    del stack[len(stack) - count :]
    return taken


def _top(stack: list[Any], kind: type) -> Any:
    if not isinstance(stack[-1], kind):
        raise pickle.UnpicklingError(f"it fills a {type(stack[-1]).__name__}, expected a {kind.__name__}")
    return stack[-1]


def _tuple(items: list[Any]) -> tuple[Any, ...]:
    """Return a tuple that holds at most tuples without tuples: deeper ones take for ever to compare."""
    if any(isinstance(inner, tuple) for item in items if isinstance(item, tuple) for inner in item):
        raise pickle.UnpicklingError("it holds tuples in tuples in tuples")
    return tuple(items)


def _set(target: dict[str, Any], items: list[Any]) -> None:
    for key, value in items:
        if not isinstance(key, str):
            raise pickle.UnpicklingError(f"it has the key {reprlib.repr(key)}, expected a name")
        target[key] = value


def _known(name: str) -> str:
    """Return a name that may be called: of it only the name is needed.

    Raises:
        pickle.UnpicklingError: it is none of those that a state dict of float32 needs.
    """
    name = name.replace(" ", ".")
    if name not in _CALLS and name != "torch.FloatStorage":
        raise pickle.UnpicklingError(f"it names {name}")
    return name


def _storage(pid: Any) -> Storage:
    """Return which storage is meant: ("storage", its type, key, device, number of values[, None])."""
    match pid:
        case ("storage", "torch.FloatStorage", str(key), str(), int(values)):
            return Storage(key, values)
        case ("storage", "torch.FloatStorage", str(key), str(), int(values), None):
            return Storage(key, values)
    raise pickle.UnpicklingError(f"it holds the storage {reprlib.repr(pid)}")


def _called(call: Any, arguments: Any) -> Any:
    if not isinstance(call, str) or call not in _CALLS or not isinstance(arguments, tuple):
        raise pickle.UnpicklingError("it calls what is no function")
    return _CALLS[call](*arguments)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_rest: Any) -> Tensor:
    numbers = (offset, *size, *stride)
    if not isinstance(storage, Storage) or not all(type(number) is int for number in numbers):
        raise pickle.UnpicklingError("it holds a tensor without a storage, or whose sizes are no numbers")
    return Tensor(storage, offset, tuple(size), tuple(stride))


def _parameter(tensor: Any, *_rest: Any) -> Any:
    return tensor


def _ordered(pairs: Any = ()) -> OrderedDict[str, Any]:
    """Return an ordered dict; Python 2 wrote its items into the call, as a list of lists."""
    found: OrderedDict[str, Any] = OrderedDict()
    _set(found, [(key, value) for key, value in pairs])
    return found


_CALLS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _ordered,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
}
