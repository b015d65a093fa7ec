"""Our gateway keeps the core of the exchange profile: the suite says so, over real TLS."""

import subprocess
import sys
from pathlib import Path

import pytest
from our_gateway import standing

ROOT = Path(__file__).parent.parent.parent
CORE = (
    "ENV-*", "DUP-0[1-4]", "DUP-11", "RPL-0[1236]", "RCP-0[1236]", "ERR-*", "ORD-*", "SIG-0[1-9]",
    "TRU-*", "SEC-0[1-3]", "RTY-0[1-3]", "RTY-10", "RCP-09", "SIG-23", "SCH-10",
)  # fmt: skip


@pytest.mark.parametrize("side", ["cn", "vn"])
def test_a_side_is_conformant(side: str, tmp_path: Path):
    with standing(side, tmp_path) as gateway:
        chosen = [word for glob in CORE for word in ("--case", glob)]
        command = [sys.executable, "-m", "conformance", "run", "--target", str(gateway.file)]
        done = subprocess.run(
            [*command, *chosen, "--out", str(tmp_path / "report")],
            check=False, cwd=ROOT, capture_output=True, text=True, timeout=240,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert "CONFORMANT" in (tmp_path / "report" / "badge.svg").read_text("utf-8").upper()
    assert (tmp_path / "report" / "report.html").stat().st_size > 10_000
