"""Where the suite's own files are: in a checkout, or in the installed package."""

from pathlib import Path

_HERE = Path(__file__).parent


def folder(name: str) -> Path:
    """Return `spec`, `fixtures`, `vectors` (beside this file) or `xsd` (published schemas).

    FileNotFoundError when the installation is incomplete.
    """
    for place in (_HERE / name, _HERE / "_resources" / name, _HERE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(name)
