"""Two real gateways over mutual TLS, the Chinese one signing with SM2."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from gateway import demo
from gateway.safexml import parse

SAMPLES = Path(__file__).parent.parent / "samples"
METHOD = "{http://www.w3.org/2000/09/xmldsig#}SignatureMethod"


def methods(file: Path, role: str) -> set[str]:
    """Return how the documents of a role are signed that a side stored."""
    query = (
        "SELECT payload.content FROM document JOIN payload ON payload.digest = document.digest"
        " WHERE document.role = ?"
    )
    with closing(sqlite3.connect(file)) as database:
        found = [content for (content,) in database.execute(query, (role,))]
    return {
        element.get("Algorithm", "").rpartition("#")[2]
        for content in found
        for element in parse(content).iter(METHOD)
    }


def test_a_truck_crosses_with_sm2_on_the_chinese_side(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "electronics", tmp_path / "docs" / "electronics")
    work = tmp_path / "demo"
    assert demo.run(tmp_path / "docs", work, sm2=True) == 0
    assert methods(work / "vn" / "gateway.db", "wire") == {"sm2-sm3"}
    assert methods(work / "cn" / "gateway.db", "receipt") == {"ecdsa-sha256"}
