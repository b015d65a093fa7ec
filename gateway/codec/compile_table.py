"""Compiles a planned table to straight-line Python and runs it.

The source is made once per table (`Compiled.source` shows it) and executed once. A run that
meets a ConversionError is done again with converters that note what they refuse, so that all
findings come at once and the quick path pays nothing for it.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from types import CodeType
from typing import Any

from gateway.codec import compile_run
from gateway.codec.compile_decode import Decoder
from gateway.codec.compile_encode import Encoder
from gateway.codec.compile_plan import Leaf, Plan
from gateway.codec.compile_run import EnoughError, Trace, collecting, odd_text
from gateway.codec.compile_source import Source, plain
from gateway.codec.convert import ConversionError
from gateway.codec.convert_texts import nfc
from gateway.codec.wire import Base, Record, value_of
from gateway.model import manifest, response, values
from gateway.model.values import Canonical

_CALLED = (
    "NOTHING", "as_text", "attribute", "by", "compare", "digits", "form", "lack",
    "leave", "left", "long", "many", "miss", "present", "recalled", "text", "typed", "unlike",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compiled:
    """A table ready to run. source: the generated code, for people."""

    plan: Plan
    source: str
    _code: CodeType
    _names: dict[str, Any]
    _decode: Callable[..., Any]
    _encode: Callable[..., Any]

    def decode(self, wire: Any) -> tuple[Canonical | None, dict[str, str], Trace]:
        """Decode an lxml root that fits the schema, or a record. None when a value is refused.

        Look at the trace's `problems` before the document is used.
        """
        head: dict[str, str] = {}
        trace = Trace(self.plan)
        try:
            return self._decode(wire, head, trace), head, trace
        except ConversionError:
            trace = Trace(self.plan)
            with suppress(EnoughError):
                self._again(trace)["decode"](wire, {}, trace)
            return None, head, trace

    def encode(self, document: Canonical, head: Mapping[str, str]) -> tuple[str | Record, Trace]:
        """Encode to canonical XML text, or to a record. Look at the trace's `problems` first."""
        trace = Trace(self.plan)
        try:
            return self._encode(document, head, trace), trace
        except ConversionError:
            trace = Trace(self.plan)
            with suppress(EnoughError):
                return self._again(trace)["encode"](document, head, trace), trace
            return "" if self.plan.table.header.engine == "xml" else {}, trace

    def _again(self, trace: Trace) -> dict[str, Any]:
        names = dict(self._names)
        for leaf in leaves(self.plan):
            if leaf.converter is not None:
                number = leaf.number
                failed = "" if leaf.arity == 1 else ("",) * leaf.arity
                names[f"d{number}"] = collecting(names[f"d{number}"], number, trace, None)
                names[f"e{number}"] = collecting(names[f"e{number}"], number, trace, failed)
        exec(self._code, names)  # noqa: S102  our own generated source
        return names


def compile_plan(plan: Plan) -> Compiled:
    """Compile a plan that was built without findings."""
    source = Source()
    header = plan.table.header
    source.line(f'"""{plan.table.id}, generated from its table; not to be edited."""')
    source.line()
    if header.engine == "xml":
        prefix = f"{{{header.namespace}}}" if header.namespace else ""
        for name in sorted({node.name for node in plan.node.walk() if node.name[0] != "@"}):
            source.line(f'T_{plain(name)} = "{prefix}{name}"')
        source.line()
    source.line()
    Decoder(plan, source).write()
    Encoder(plan, source).write()
    text = source.text().rstrip("\n") + "\n"
    code = compile(text, f"<{plan.table.id}>", "exec")
    names = _names(plan)
    made = dict(names)
    exec(code, made)  # noqa: S102  our own generated source
    return Compiled(plan, text, code, names, made["decode"], made["encode"])


def leaves(plan: Plan) -> list[Leaf]:
    """Return all rows of a plan that carry a value."""
    return [leaf for scope in plan.root.walk() for leaf in scope.leaves]


def _names(plan: Plan) -> dict[str, Any]:
    names: dict[str, Any] = {name: getattr(compile_run, name) for name in _CALLED}
    names |= {"Base": Base, "value_of": value_of, "nfc": nfc, "odd": odd_text}
    for module in (values, manifest, response):
        names |= {n: v for n, v in vars(module).items() if isinstance(v, type)}
    for leaf in leaves(plan):
        for name, node in zip(leaf.names, leaf.nodes, strict=True):
            if node.type is not None and node.type.pattern is not None:
                names[f"match_{name}"] = re.compile(node.type.pattern).fullmatch
        if leaf.converter is not None:
            names[f"d{leaf.number}"] = _decoding(leaf, leaf.converter.decode)
            names[f"e{leaf.number}"] = leaf.converter.encode
            names[f"k{leaf.number}"] = leaf.converter
            names[f"loses{leaf.number}"] = leaf.converter.loses
            names[f"keeps{leaf.number}"] = leaf.converter.keeps
    return names


def _decoding(leaf: Leaf, decode: Callable[..., Any]) -> Callable[..., Any]:
    """Make an enumeration's member where the model has one."""
    kind = leaf.type
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        return decode

    def member(*texts: str) -> Enum:
        value = decode(*texts)
        try:
            return kind(value)
        except ValueError as error:
            expected = " ".join(str(m.value) for m in kind)
            raise ConversionError("code-unknown", "enumeration", "", expected) from error

    return member
