"""Compiles a planned table to straight-line Python and runs it.

The source is made once per table (`Compiled.source` shows it) and executed once. A run that
meets a ConversionError is done again with converters that note what they refuse, so that all
findings come at once and the quick path pays nothing for it.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import partial
from types import CodeType
from typing import Any
from unicodedata import normalize

from gateway.codec import compile_run
from gateway.codec.compile_decode import Decoder
from gateway.codec.compile_encode import Encoder
from gateway.codec.compile_pattern import UncoveredError
from gateway.codec.compile_plan import Leaf, Plan
from gateway.codec.compile_quick_decode import QuickDecoder
from gateway.codec.compile_quick_encode import QuickEncoder
from gateway.codec.compile_quick_write import fitting
from gateway.codec.compile_run import EnoughError, UnusualError, collecting, odd_text
from gateway.codec.compile_source import Source, plain
from gateway.codec.compile_trace import Trace
from gateway.codec.convert import ConversionError
from gateway.codec.convert_quantities import short
from gateway.codec.convert_texts import plain as decimal_text
from gateway.codec.wire import Base, Record, value_of
from gateway.model import manifest, response, values
from gateway.model.values import Canonical

_CALLED = (
    "NOTHING", "as_text", "attribute", "by", "compare", "digits", "form", "lack",
    "leave", "left", "long", "many", "miss", "present", "meant", "recalled", "text", "typed",
    "unescaped", "unlike", "unusual",
)  # fmt: skip
_METHODS = {"m": "match", "all": "findall", "scan": "scanner"}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A table ready to run. source: the generated code, for people."""

    plan: Plan
    source: str
    _code: CodeType
    _names: dict[str, Any]
    _decode: Callable[..., Any]
    _encode: Callable[..., Any]
    _quick: Callable[..., Any] | None = None
    _put: Callable[..., Any] | None = None

    def decode(
        self, wire: Any, octets: bytes | memoryview | None = None
    ) -> tuple[Canonical | None, dict[str, str], Trace]:
        """Decode an lxml root that fits the schema, or a record. None when a value is refused.

        wire: or what makes it, when it is needed. octets: of an XML root, its canonical form,
        where it is at hand: the usual document is read from it. Look at the trace's `problems`
        before the document is used.
        """
        if octets is not None and self._quick is not None:
            quick = self._usual(self._quick, str(octets, "utf-8"))
            if quick is not None:
                return quick
        return self._whole(wire() if callable(wire) else wire)

    def _usual(
        self, read: Callable[..., Any], octets: str
    ) -> tuple[Canonical, dict[str, str], Trace] | None:
        """Return what the quick decoder reads, None when it leaves the document to the whole."""
        head: dict[str, str] = {}
        trace = Trace(self.plan)
        try:
            return read(octets, head, trace), head, trace
        except (UnusualError, ConversionError):
            return None

    def _whole(self, wire: Any) -> tuple[Canonical | None, dict[str, str], Trace]:
        head: dict[str, str] = {}
        trace = Trace(self.plan)
        try:
            return self._decode(wire, head, trace), head, trace
        except ConversionError:
            trace = Trace(self.plan)
            with suppress(EnoughError):
                self._again(trace)["decode"](wire, {}, trace)
            return None, head, trace

    def encode(
        self, document: Canonical, head: Mapping[str, str]
    ) -> tuple[list[str] | Record, Trace]:
        """Encode to pieces of canonical XML, or to a record. Look at the trace's `problems`
        first."""
        trace = Trace(self.plan)
        try:
            if self._put is not None:
                return self._put(document, head, trace), trace
            return self._output(self._encode(document, head, trace)), trace
        except ConversionError:
            trace = Trace(self.plan)
            with suppress(EnoughError):
                return self._output(self._again(trace)["encode"](document, head, trace)), trace
            return self._output("" if self.plan.table.header.engine == "xml" else {}), trace

    @staticmethod
    def _output(made: str | Record) -> list[str] | Record:
        return [made] if isinstance(made, str) else made

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
    patterns: dict[str, str] = {}
    if header.engine == "xml":
        for writer in (QuickDecoder, QuickEncoder):
            source.add(_quick(writer, plan, patterns))
    text = source.text().rstrip("\n") + "\n"
    code = compile(text, f"<{plan.table.id}>", "exec")
    names = _names(plan) | _methods(patterns)
    made = dict(names)
    exec(code, made)  # noqa: S102  our own generated source
    return Compiled(
        plan, text, code, names, made["decode"], made["encode"], made.get("quick"), made.get("put")
    )


def _quick(
    writer: type[QuickDecoder | QuickEncoder], plan: Plan, patterns: dict[str, str]
) -> Source:
    """Return the quick code of one direction, empty for a table that patterns do not cover."""
    source = Source()
    made = writer(plan, source)
    try:
        made.write()
    except UncoveredError:
        return Source()
    patterns |= made.patterns
    return source


def _methods(patterns: Mapping[str, str]) -> dict[str, Any]:
    """Return what generated code calls for a pattern: its name begins with what it does."""
    return {
        name: getattr(re.compile(pattern), _METHODS[name.rstrip("0123456789_")])
        for name, pattern in patterns.items()
    }


def leaves(plan: Plan) -> list[Leaf]:
    """Return all rows of a plan that carry a value."""
    return [leaf for scope in plan.root.walk() for leaf in scope.leaves]


def _names(plan: Plan) -> dict[str, Any]:
    names: dict[str, Any] = {name: getattr(compile_run, name) for name in _CALLED}
    names |= {"Base": Base, "value_of": value_of, "nfc": partial(normalize, "NFC"), "odd": odd_text}
    names |= {"Decimal": Decimal, "plain": decimal_text, "short": short}
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
            names[f"known{leaf.number}"] = leaf.converter.quick.known
            names[f"wires{leaf.number}"] = fitting(leaf)
            names[f"write{leaf.number}"] = leaf.converter.quick.write
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
