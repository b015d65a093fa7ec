"""What a run leaves behind: pages, files, statements."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from conformance.engine.case import Case
from conformance.engine.results import Run
from conformance.report import page, plain


def write(run: Run, cases: Mapping[str, Case], folder: Path) -> None:
    """Write all reports of a run into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "report.json": plain.as_json(run, cases),
        "report.html": page.as_page(run, cases),
        "junit.xml": plain.as_junit(run),
        "tar.xml": plain.as_tar(run),
        "badge.svg": plain.as_badge(run),
        "summary.md": plain.as_summary(run),
    }
    digests = {name: hashlib.sha256(octets).hexdigest() for name, octets in files.items()}
    files["statement.json"] = plain.as_statement(run, digests)
    for name, octets in files.items():
        (folder / name).write_bytes(octets)
