"""Where the data files of the package are: mapping tables, layouts, schemas.

In a wheel they travel in `gateway/_resources`; in a checkout they stand beside `gateway/`.
"""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Return the folder of a kind of data file: `mappings`, `xsd` or `keys_example`."""
    packed = _PACKAGE / "_resources" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name
