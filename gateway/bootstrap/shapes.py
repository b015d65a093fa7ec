"""Every shape that is read from JSON is learned once, before there is a second thread.

msgspec describes a type when it is first used. Two threads that use it first at the same time
crash the process: the second one reads a description that is half made (msgspec 0.22; seen as
a segmentation fault when several documents came right after a start).
"""

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import msgspec

from gateway.flows.submit import Submitted

_PLAIN: tuple[type, ...] = (Submitted,)
"""Dataclasses that are read from JSON; structs are found by themselves."""


def learn() -> int:
    """Let msgspec describe all structs that are imported; return how many they are."""
    shapes = [*_below(msgspec.Struct), *filter(is_dataclass, _PLAIN)]
    for shape in shapes:
        msgspec.json.Decoder(shape)
    return len(shapes)


def _below(base: type[Any]) -> Iterator[type[Any]]:
    for shape in base.__subclasses__():
        yield shape
        yield from _below(shape)
