"""Write a changed settings file: only one that loads, and only when nobody changed it since."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.errors import Finding, StateError
from gateway.settings import Settings, SettingsError, load
from gateway.settings.edit import NotFoundError


def rewritten(file: Path, environ: Mapping[str, str], change: Callable[[str], str]) -> Settings:
    """Change a settings file and return what it says now; the former one stays as FILE.old.

    StateError `precondition-failed`, rule `settings-edit`: a table is not written in the way
    that can be changed here, or the result would not load. Nothing is changed then.
    """
    before = file.read_text(encoding="utf-8")
    new = file.with_name(file.name + ".new")
    try:
        new.write_text(change(before), encoding="utf-8")
        settings = load(new, environ).settings
    except (NotFoundError, SettingsError) as fault:
        new.unlink(missing_ok=True)
        finding = Finding("precondition-failed", "settings-edit", str(file), str(fault)[:300])
        raise StateError("precondition-failed", finding) from fault
    file.with_name(file.name + ".old").write_text(before, encoding="utf-8")
    os.replace(new, file)
    return settings
