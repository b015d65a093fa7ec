"""The clauses of docs/exchange-profile.md, as `conformance/spec/clauses.csv` lists them.

Run it to write the list anew; reasons that stand in it are kept.
"""

import csv
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROFILE = ROOT / "docs" / "exchange-profile.md"
LIST = ROOT / "conformance" / "spec" / "clauses.csv"
CLAUSE = re.compile(r"^\| (XP-[A-Z]+-\d{3}) \| (.*) \|$", re.MULTILINE)


def clauses() -> dict[str, str]:
    """Return the strongest word by clause id."""
    found = {}
    for name, text in CLAUSE.findall(PROFILE.read_text("utf-8")):
        words = set(re.findall(r"\b(MUST|SHOULD|MAY)\b", text))
        found[name] = next((w for w in ("MUST", "SHOULD", "MAY") if w in words), "TEXT")
    return found


def listed() -> dict[str, tuple[str, str]]:
    """Return level and reason by clause id, from the list."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return {row["id"]: (row["level"], row["reason"]) for row in csv.DictReader(file)}


def main() -> None:
    kept = listed() if LIST.exists() else {}
    with LIST.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "level", "reason"))
        for name, level in clauses().items():
            writer.writerow((name, level, kept.get(name, ("", ""))[1]))


if __name__ == "__main__":
    main()
