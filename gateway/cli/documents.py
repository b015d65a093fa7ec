"""`gateway decode`, `encode`, `describe`: one document, without a server."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli import offline, talk

if TYPE_CHECKING:
    from gateway.codec.formats import Decoded, Formats
    from gateway.model.values import Canonical

File = Annotated[Path, typer.Argument(help="A document; - is stdin.")]
Format = Annotated[str | None, typer.Option("--from", help="Its format; detected without.")]

_MASK = "***"


def decode(file: File, stated: Format = None, as_json: talk.Json = False) -> None:
    """Decode a document: canonical JSON on stdout. --json adds format, table, transport
    values and findings around it; `encode` takes both forms."""
    with talk.failures(as_json):
        import msgspec

        (decoded,) = offline.decoded(offline.tables(), [file], [stated] if stated else [])
        document = msgspec.json.encode(decoded.document, order="deterministic")
    if not as_json:
        talk.tell_findings(decoded.findings)
        talk.give(document + b"\n")
        return
    talk.give_json(
        {
            "format": decoded.format,
            "table": decoded.table,
            "head": decoded.head,
            "document": json.loads(document),
            "findings": talk.findings_as_json(decoded.findings),
        }
    )


def encode(
    file: File,
    to: Annotated[str, typer.Option("--to", help="The format to make, such as cn.mt1401.")],
    params: offline.Params = None,
    values: offline.Values = [],  # noqa: B006  typer copies it
    config: offline.OptionalConfig = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Where the table allows it, leave unfed leaves empty.")
    ] = False,
    as_json: talk.Json = False,
) -> None:
    """Encode a canonical document (what `decode` printed): the result on stdout."""
    with talk.failures(as_json):
        formats = offline.tables()
        document, head = _canonical(formats, to, talk.read(file))
        from gateway.model.manifest import Manifest

        if isinstance(document, Manifest):
            setting = offline.setting(formats, values, config, draft=draft)
            document, supplied = _supplied(setting, to, document, params, numbered=bool(head))
            head = {**supplied, **head}
        encoded = formats.encode(to, document, head, draft=draft)
    if as_json:
        talk.give_json(
            {
                "format": encoded.format,
                "draft": encoded.draft,
                "content": encoded.content.decode("utf-8"),
                "findings": talk.findings_as_json(encoded.findings),
            }
        )
    else:
        talk.tell_findings(encoded.findings)
        talk.give(encoded.content)


def _canonical(formats: "Formats", to: str, content: bytes) -> "tuple[Canonical, dict[str, str]]":
    """Read a canonical document of the kind that a format holds, bare or as --json gave it."""
    import msgspec

    from gateway.errors import DocumentError, Finding
    from gateway.model.manifest import Manifest
    from gateway.model.response import Answer, Response

    kind: Any = {"manifest": Manifest, "response": Response, "answer": Answer}[
        formats.header(to).canonical
    ]
    try:
        raw = msgspec.json.decode(content)
        wrapped = raw if isinstance(raw, dict) and "document" in raw else {"document": raw}
        head = msgspec.convert(wrapped.get("head", {}), dict[str, str])
        return msgspec.json.decode(msgspec.json.encode(wrapped["document"]), type=kind), head
    except msgspec.ValidationError as fault:
        reason, _, path = str(fault).partition(" - at ")
        finding = Finding("schema-invalid", "schema", path.strip("`"), reason)
        raise DocumentError("schema-invalid", finding) from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise DocumentError("malformed", Finding("malformed", "json", "", str(fault))) from fault


def _supplied(
    setting: Any, to: str, document: Any, params: Path | None, *, numbered: bool
) -> "tuple[Canonical, dict[str, str]]":
    """Complete a manifest with what no document holds. numbered: it has its numbers already."""
    from gateway.api.intake import read_parameters
    from gateway.codec.project import project
    from gateway.codec.sources import SubmissionSources
    from gateway.model.parameters import Parameters

    sources = SubmissionSources(
        read_parameters(talk.read(params)) if params else Parameters(),
        profile=setting.profile,
        gates=setting.gates,
        allocate=lambda what, key: None if numbered else setting.allocate(to, what, key),
        register=setting.register,
    )
    supplied = setting.formats.supply(to, document, sources)
    return project(supplied.document, setting.disclose), supplied.head


def describe(
    file: File,
    stated: Format = None,
    unmasked: Annotated[
        bool, typer.Option("--unmasked", help="Show personal values too. Mind who looks.")
    ] = False,
    as_json: talk.Json = False,
) -> None:
    """Show a document as a table, one line a leaf; personal values are masked."""
    with talk.failures(as_json):
        (decoded,) = offline.decoded(offline.tables(), [file], [stated] if stated else [])
        rows = _rows(decoded, unmasked=unmasked)
    if as_json:
        named = [{"path": p, "value": v, "canonical": c} for p, v, c in rows]
        talk.give_json({"format": decoded.format, "table": decoded.table, "rows": named})
        return
    talk.say(f"{decoded.format}, read by the table {decoded.table}")
    talk.table(("path", "value", "canonical"), rows)
    talk.tell_findings(decoded.findings)


def _rows(decoded: "Decoded", *, unmasked: bool) -> list[tuple[str, str, str]]:
    """Return (path, value, canonical path) of every leaf that the document holds."""
    from gateway.codec.compile_trace import replay
    from gateway.codec.problems import canonical_place

    plan = decoded.trace.plan
    if plan is None:
        return _plain_rows(decoded, unmasked=unmasked)
    rows = []
    for number, indexes, texts in replay(decoded.trace, plan.entries):
        entry = plan.entries[number]
        if entry.leaf is None:
            continue
        hidden = entry.row.personal and not unmasked
        value = _MASK if hidden else " ".join(text for text in texts if text)
        rows.append((entry.row.path, value, canonical_place(entry, indexes)))
    return rows


def _plain_rows(decoded: "Decoded", *, unmasked: bool) -> list[tuple[str, str, str]]:
    """Flatten a canonical document; personal subtrees are taken out whole."""
    import msgspec

    from gateway.codec.project import project

    shown = decoded.document if unmasked else project(decoded.document, frozenset())
    rows: list[tuple[str, str, str]] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                walk(below, f"{path}.{key}".lstrip("."))
        elif isinstance(value, list):
            for index, below in enumerate(value):
                walk(below, f"{path}[{index}]")
        else:
            rows.append((path, str(value), path))

    walk(msgspec.to_builtins(shown), "")
    return rows
