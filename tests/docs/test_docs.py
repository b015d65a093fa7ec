"""What the documents say is there: links, commands, targets, folders, steps, error codes."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import app
from gateway.codec import convert, rules, transform
from gateway.codec.table import COLUMNS, Header
from gateway.errors import CODES
from gateway.model.states import MessageState

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OWN = [doc for doc in DOCS if doc.name not in ("exchange-profile.md", "decisions.md")]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CALL = re.compile(r"(?:-m |`|^|\| )gateway +([a-z][^\n`]*)", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
RUNNER = CliRunner()


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def slug(heading: str) -> str:
    """Return the anchor of a heading as Markdown viewers make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("doc", DOCS, ids=named)
def test_links_lead_somewhere(doc: Path) -> None:
    for target in LINK.findall(FENCE.sub("", doc.read_text("utf-8"))):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        place = (doc.parent / file).resolve() if file else doc
        assert place.exists(), target
        assert place.is_relative_to(ROOT), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", place.read_text("utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, target


def calls() -> list[str]:
    """Return every `gateway COMMAND ...` of the documents, continued lines joined."""
    found = set()
    for doc in DOCS:
        text = doc.read_text("utf-8").replace("\\\n", " ")
        found |= {match.split("  #")[0].strip() for match in CALL.findall(text)}
    return sorted(found)


def words(call: str) -> list[str]:
    """Split a call as a shell does, up to a redirection, a pipe or `...`."""
    plain = re.split(r"\s(?:2?>|\||\.\.\.)", call + " ")[0]
    return shlex.split(plain)


def test_commands_are_found_at_all() -> None:
    assert {"serve", "translate", "decode", "message", "map", "keys", "doctor"} <= {
        call.split()[0] for call in calls()
    }


@pytest.mark.parametrize("call", calls())
def test_commands_exist_with_their_options(call: str) -> None:
    command: typer.core.TyperGroup | object = typer.main.get_command(app)
    path = []
    given = words(call)
    while given and (below := getattr(command, "commands", {}).get(given[0])) is not None:
        path.append(given.pop(0))
        command = below
    assert path, f"no command: gateway {call}"
    assert RUNNER.invoke(app, [*path, "--help"]).exit_code == 0
    known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    used = {word.partition("=")[0] for word in given if word.startswith("-") and word != "-"}
    assert used <= known | {"--help", "--json"}, call


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    said = set()
    for doc in DOCS:
        said |= set(re.findall(r"(?:`|^)make ([a-z-]+)", doc.read_text("utf-8"), re.MULTILINE))
    assert {"demo", "test", "bench"} <= said <= targets


def test_paths_in_the_documents_exist() -> None:
    top = "gateway|mappings|xsd|tests|benchmarks|keys_example|docs"
    for doc in OWN:
        text = FENCE.sub("", doc.read_text("utf-8"))
        for path in re.findall(rf"`((?:{top})/[\w./\-*]*)`", text):
            if "zz.gatepass" not in path:  # the walk-through's own files
                assert list(ROOT.glob(path.rstrip("/"))), f"{doc.name}: {path}"


def architecture() -> str:
    return (ROOT / "docs" / "architecture.md").read_text("utf-8")


def test_architecture_names_every_part_and_no_other() -> None:
    parts = {
        f"gateway/{path.name}"
        for path in (ROOT / "gateway").iterdir()
        if (path / "__init__.py").is_file() or path.suffix == ".py"
    } - {"gateway/__init__.py"}
    named_parts = set(re.findall(r"`(gateway/[a-z_]+(?:\.py)?)`", architecture()))
    assert named_parts == parts


def steps_of(module: Path) -> list[tuple[str, ...]]:
    """Return the numbered steps of a module's docstring, as words."""
    text = ast.get_docstring(ast.parse(module.read_text("utf-8"))) or ""
    return [tuple(line.split()) for line in text.splitlines() if re.match(r"\s*\d ", line)]


def flows_with_steps() -> Iterator[Path]:
    for module in [*sorted((ROOT / "gateway" / "flows").glob("*.py")), ROOT / "gateway/worker.py"]:
        if steps_of(module):
            yield module


@pytest.mark.parametrize("module", list(flows_with_steps()), ids=named)
def test_steps_are_those_of_the_code(module: Path) -> None:
    lines = [tuple(line.split()) for line in architecture().splitlines()]
    steps = steps_of(module)
    starts = [n for n, line in enumerate(lines) if line == steps[0]]
    assert any(lines[n : n + len(steps)] == steps for n in starts), named(module)


def table_words(doc: str, heading: str) -> set[str]:
    """Return the words in backticks of the table below a heading."""
    text = (ROOT / "docs" / doc).read_text("utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return set(re.findall(r"`([^`]+)`", "\n".join(rows)))


def test_error_codes_are_those_of_the_code() -> None:
    assert table_words("operations.md", "Error codes") == set(CODES)


def test_every_state_says_what_to_do() -> None:
    assert set(MessageState) <= table_words("operations.md", "States, and what to do")


def test_header_keys_columns_and_converters_are_those_of_the_code() -> None:
    assert set(Header.__struct_fields__) <= table_words("mapping-guide.md", "Header keys")
    assert set(COLUMNS) <= table_words("mapping-guide.md", "Columns")
    said = {word.partition(":")[0].partition("[")[0] for word in
            table_words("mapping-guide.md", "Converters")}  # fmt: skip
    assert said == set(convert.names())


def test_the_walk_through_names_what_exists() -> None:
    text = (ROOT / "docs" / "mapping-guide.md").read_text("utf-8")
    (stated,) = re.findall(r"^after_decode = \[\"([a-z-]+)\"\]$", text, re.MULTILINE)
    (rule,) = re.findall(r"^rules = \[\"([a-z0-9:-]+)\"\]$", text, re.MULTILINE)
    assert transform.known(stated)
    assert rules.known(rule)
