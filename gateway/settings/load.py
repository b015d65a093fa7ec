"""Read, override, check: every problem at once, each with where it comes from."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.settings.sections import Settings
from gateway.settings.values import Section

PREFIX = "GATEWAY__"
"""Of the variables that override: GATEWAY__SECTION__KEY."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. path: `section.key`. origin: a file or a variable."""

    path: str
    text: str
    origin: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text} ({self.origin})" if self.path else self.text


class SettingsError(Exception):
    """The settings cannot be used. `problems` holds all that was found."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and where each value comes from."""

    settings: Settings
    file: Path
    _origins: Mapping[str, str]

    def origin(self, path: str) -> str:
        """Return where `section.key` was set: a variable, the file, or `default`."""
        return self._origins.get(path, "default")


def load(file: Path, environ: Mapping[str, str]) -> Loaded:
    """Read the settings file and what the environment overrides.

    A variable's name is taken without regard to case and to `-` or `_`; a value that starts
    with `[` or `{` is read as TOML. SettingsError with every problem.
    """
    tables = _read(file)
    origins = {path: str(file) for path in _leaves(tables, "")}
    problems = [
        problem
        for name, value in sorted(environ.items())
        if name.startswith(PREFIX)
        for problem in _override(tables, name, value, origins)
    ]
    try:
        settings = Settings.model_validate(tables, context={"folder": file.absolute().parent})
    except ValidationError as error:
        problems += [_problem(each, origins, file) for each in error.errors()]
        raise SettingsError(*problems) from None
    if problems:
        raise SettingsError(*problems)
    return Loaded(settings, file, origins)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        text = "there is no such file; `gateway init` writes one"
        raise SettingsError(Problem("", f"{file}: {text}", str(file))) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(Problem("", f"{file}: {error}", str(file))) from None


def _leaves(value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [path]
    below = (_leaves(each, f"{path}.{key}" if path else key) for key, each in value.items())
    return [leaf for leaves in below for leaf in leaves]


def _override(
    tables: dict[str, Any], name: str, value: str, origins: dict[str, str]
) -> list[Problem]:
    """Put a variable's value into the tables; what is wrong with its name or value."""
    origin = f"environment {name}"
    table, path = tables, []
    *sections, last = (word.lower() for word in name.removeprefix(PREFIX).split("__"))
    for word in sections:
        path.append(_key(table, word))
        table = table.setdefault(path[-1], {})
        if not isinstance(table, dict):
            return [Problem(".".join(path), "is a value, not a section", origin)]
    path.append(_key(table, last))
    try:
        read = tomllib.loads(f"v = {value}")["v"] if value[:1] in ("[", "{") else value
    except tomllib.TOMLDecodeError as error:
        return [Problem(".".join(path), f"is not TOML: {error}", origin)]
    table[path[-1]] = read
    origins[".".join(path)] = origin
    return []


def _key(table: Mapping[str, Any], word: str) -> str:
    """Return the key that a word of a variable's name stands for."""
    return next((key for key in table if key.lower().replace("-", "_") == word), word)


def _problem(error: ErrorDetails, origins: Mapping[str, str], file: Path) -> Problem:
    steps = error["loc"]
    path = "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")
    origin = next((o for known, o in origins.items() if _within(path, known)), str(file))
    if error["type"] == "extra_forbidden":
        return Problem(path, f"is unknown{_meant(steps)}", origin)
    if error["type"] == "missing":
        return Problem(path, "is missing", origin)
    text = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return Problem(path, text, origin)


def _within(path: str, known: str) -> bool:
    return path == known or path.startswith((f"{known}.", f"{known}["))


def _meant(steps: tuple[int | str, ...]) -> str:
    """Return ` - did you mean ...?` for a key that nearly is one, else what is known."""
    kind: Any = Settings
    for step in steps[:-1]:
        kind = _below(kind, step)
    names = [field.alias or name for name, field in kind.model_fields.items()]
    near = difflib.get_close_matches(str(steps[-1]), names, n=1)
    return f": did you mean `{near[0]}`?" if near else f"; known are: {', '.join(names)}"


def _below(kind: Any, step: int | str) -> Any:
    """Return the type that stands under a key or index of a section, a table or a list."""
    if isinstance(kind, type) and issubclass(kind, Section):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        kind = fields[str(step)].annotation
        return get_args(kind)[0] if get_origin(kind) is UnionType else kind
    return get_args(kind)[1 if get_origin(kind) is dict else 0]
