"""Systems that keep their numbers in `state_dict`, as plain data; and what runs through them, counted.

A torch module, an optimiser, a schedule, or a dict of such things is stored as the tree of its `state_dict`, never as a
pickle. Nothing here imports torch: where a script has not imported it, there is none to store, to seed or to count.
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from netgain.errors import IntegrityError
from netgain.wire import DTYPES, pack, unpack

System = Any
TREE, PLAIN = b"T", b"P"
SEEDS = 1 << 63


class Level(BaseException):
    """A control has spent what it has to: raised between two batches. No `except Exception` of a script swallows it."""


class StatefulCodec:
    """Systems with a `state_dict` as the tree of their arrays; anything else as JSON values and arrays.

    Reading one fills a copy of a blank system, which is made once per process.

    Args:
        blank: makes a system of the same shape, whose numbers do not matter.
    """

    def __init__(self, blank: Callable[[], System]) -> None:
        self._make = blank
        self._blank: System = None

    def encode(self, system: System) -> bytes:
        """Bytes of a system.

        Raises:
            IntegrityError: it holds something that is neither plain nor an array.
        """
        if not _stateful(system):
            return PLAIN + pack(system)
        return TREE + pack(_tree(_states(system)))

    def decode(self, data: bytes) -> System:
        """The system of `encode`, a new one each time."""
        if data[:1] == PLAIN:
            return unpack(data[1:])
        if data[:1] != TREE:
            raise IntegrityError(f"a system that begins with {data[:1]!r}", fix="restore the object from a copy")
        if self._blank is None:
            self._blank = self._make()
        system = copy.deepcopy(self._blank)  # as one piece: an optimiser keeps pointing at the copied weights
        _load(system, _grown(unpack(data[1:])))
        return system


def _stateful(system: System) -> bool:
    parts = system.values() if isinstance(system, Mapping) and system else [system]
    return all(hasattr(one, "state_dict") and hasattr(one, "load_state_dict") for one in parts)


def _states(system: System) -> Any:
    if isinstance(system, Mapping):
        return {name: one.state_dict() for name, one in system.items()}
    return system.state_dict()


def _load(system: System, states: Any) -> None:
    parts = [(one, states[name]) for name, one in system.items()] if isinstance(system, Mapping) else [(system, states)]
    for one, state in parts:
        one.load_state_dict(state)


def _tree(value: Any) -> Any:
    """Plain data: dicts as pairs, since an optimiser's have numbers for keys; tensors as arrays with their type."""
    if isinstance(value, Mapping):
        return ["dict", [[key, _tree(value[key])] for key in value]]
    if isinstance(value, list | tuple):
        return ["tuple" if isinstance(value, tuple) else "list", [_tree(one) for one in value]]
    if hasattr(value, "detach"):
        return ["tensor", str(value.dtype).removeprefix("torch."), _bits(value.detach().cpu().contiguous())]
    return ["is", value]


def _bits(tensor: Any) -> Any:
    """The tensor as an array; a type that has no plain form, such as bfloat16, as its raw bytes and their shape."""
    if str(tensor.dtype).removeprefix("torch.") in DTYPES:
        return tensor.numpy()
    import torch

    return {"shape": list(tensor.shape), "bytes": tensor.flatten().view(torch.uint8).numpy()}


def _grown(tree: Any) -> Any:
    kind, *rest = tree
    if kind == "dict":
        return {key: _grown(one) for key, one in rest[0]}
    if kind in ("list", "tuple"):
        return [_grown(one) for one in rest[0]] if kind == "list" else tuple(_grown(one) for one in rest[0])
    return _tensor(*rest) if kind == "tensor" else rest[0]


def _tensor(name: str, bits: Any) -> Any:
    import torch

    if isinstance(bits, Mapping):
        return torch.from_numpy(bits["bytes"].copy()).view(getattr(torch, name)).reshape(bits["shape"])
    return torch.from_numpy(bits.copy()).to(getattr(torch, name))


def seed_everything(rng: np.random.Generator) -> None:
    """Seed what a script may draw from without saying so: `random`, NumPy's global generator, and torch's.

    Not covered: generators that the script made itself when it was imported, and operations of an accelerator that are
    not deterministic.
    """
    seed = int(rng.integers(SEEDS))
    random.seed(seed)
    np.random.seed(seed % (1 << 32))
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)
        torch.set_num_threads(1)


class Rows:
    """How many rows, or tokens, went through modules of torch.

    Attributes:
        seen: so far.
        enough: at which the next batch raises `Level`; None: never.
    """

    def __init__(self, enough: float | None = None) -> None:
        self.seen = 0
        self.enough = enough
        self._depth = 0

    def before(self, module: Any, given: Any) -> None:
        """A module is called."""
        if self._depth == 0 and self.enough is not None and self.seen >= self.enough:
            raise Level
        self._depth += 1

    def after(self, module: Any, given: tuple[Any, ...], *rest: Any) -> None:
        """A module has answered, or failed: counted where no other one called it, and where it has weights.

        Torch leaves the named arguments out where the module failed; the last of `rest` is what it gave.
        """
        self._depth -= 1
        if self._depth == 0 and next(module.parameters(), None) is not None:
            self.seen += rows_of(given, rest[0] if len(rest) > 1 else {})


def rows_of(given: tuple[Any, ...], named: Mapping[str, Any]) -> int:
    """Tokens of a batch of whole numbers, else its rows; what has no shape counts as one."""
    batch = next((one for one in (*given, *named.values()) if hasattr(one, "is_floating_point")), None)
    if batch is None or not len(batch.shape):
        return 1
    return int(batch.shape[0] if batch.is_floating_point() else batch.numel())


@contextmanager
def counted(enough: float | None = None) -> Iterator[Rows | None]:
    """Count what goes through modules of torch inside; None where the script has no torch."""
    if (torch := sys.modules.get("torch")) is None:
        yield None
        return
    rows, hooks = Rows(enough), torch.nn.modules.module
    begun = hooks.register_module_forward_pre_hook(rows.before)
    ended = hooks.register_module_forward_hook(rows.after, with_kwargs=True, always_call=True)
    try:
        yield rows
    finally:
        begun.remove()
        ended.remove()
