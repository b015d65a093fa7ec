"""Notes: what the translation report must say beside its rows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One remark for the report.

    code: joined, merged, derived, narrowed, defaulted or left-out. path: canonical path with
    indexes. text: a short sentence in English, never a personal value.
    """

    code: str
    path: str
    text: str
