"""`python -m conformance.verifier FILE --anchors DIR [--json]`

Exit codes: 0 nothing failed, 1 a check failed, 2 wrong use.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from conformance.verifier import keys
from conformance.verifier.bundle import verify


def main() -> int:
    """Verify a file and say what was found."""
    asked = argparse.ArgumentParser(prog="python -m conformance.verifier", description=__doc__)
    asked.add_argument("file", type=Path)
    asked.add_argument("--anchors", type=Path, required=True)
    asked.add_argument("--json", action="store_true")
    wanted = asked.parse_args()
    try:
        anchors, content = keys.load(wanted.anchors), wanted.file.read_bytes()
    except (OSError, ValueError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    checks = verify(content, anchors)
    failed = next((check for check in checks if check.outcome == "failed"), None)
    if wanted.json:
        found = {"ok": failed is None, "checks": [asdict(check) for check in checks]}
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        for check in checks:
            line = f"{check.outcome:8} {check.name:12} {check.subject} {check.rule} {check.found}"
            sys.stdout.write(line.rstrip() + "\n")
        sys.stdout.write(f"FAILED: {failed.name} {failed.rule}\n" if failed else "OK\n")
    return 1 if failed else 0


sys.exit(main())
