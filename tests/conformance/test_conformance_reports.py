"""Reports, known failures and signed bundles of a run."""

import json
import xml.etree.ElementTree as ET
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from conformance.crypto.keys import Wanted, make
from conformance.engine import case as cases
from conformance.engine.expected import Expected, settle
from conformance.engine.results import Result, Run, Verdict
from conformance.report import bundle, write
from conformance.resources import folder

CATALOGUE = cases.load(folder("spec") / "cases")
TODAY = date(2026, 11, 24)
KEY = make(Wanted("tester"))


def a_run(**verdicts: Verdict) -> Run:
    """A run with one result a verdict, for ENV-01, ENV-08 and so on."""
    run = Run("a <target> & more", "core-rx", datetime(2026, 1, 2, tzinfo=UTC), 1)
    for name, verdict in verdicts.items():
        case = CATALOGUE[name.replace("_", "-")]
        run.results.append(Result(case.id, case.id, case.area, case.level, verdict, "why <&>"))
    return run


def test_reports_are_complete_and_well_formed(tmp_path: Path):
    run = a_run(ENV_01=Verdict.PASS, ENV_08=Verdict.FAIL, DUP_01=Verdict.INCONCLUSIVE)
    write(run, CATALOGUE, tmp_path)
    report = json.loads((tmp_path / "report.json").read_bytes())
    assert report["conformant"] is False
    assert [r["verdict"] for r in report["results"]] == ["PASS", "FAIL", "INCONCLUSIVE"]
    junit = ET.parse(tmp_path / "junit.xml").getroot()
    assert (junit.get("failures"), junit.get("errors")) == ("1", "1")
    ET.parse(tmp_path / "tar.xml")
    ET.parse(tmp_path / "badge.svg")
    statement = json.loads((tmp_path / "statement.json").read_bytes())
    assert statement["predicate"]["result"] == "FAILED"
    assert statement["predicate"]["failedTests"] == ["ENV-08"]


def test_the_page_stands_alone_and_speaks_three_languages(tmp_path: Path):
    write(a_run(ENV_01=Verdict.PASS), CATALOGUE, tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "http://" not in page
    assert "src=" not in page
    assert "a &lt;target&gt; &amp; more" in page
    assert all(CATALOGUE["ENV-01"].title[lang] in page for lang in ("en", "vi", "zh"))


@pytest.mark.parametrize(
    ("verdict", "conformant"),
    [(v, v in (Verdict.PASS, Verdict.WARN, Verdict.EXPECTED)) for v in Verdict],
)
def test_which_verdicts_of_a_must_let_a_run_pass(verdict: Verdict, conformant: bool):
    assert a_run(ENV_01=Verdict.PASS, ENV_08=verdict).conformant is (
        conformant or verdict is Verdict.NOT_APPLICABLE
    )


def known(case: str, expires: date = date(2027, 1, 1)) -> Expected:
    return Expected(case, "agreed with the counterpart", expires)


def test_a_known_failure_does_not_spoil_the_run():
    run = a_run(ENV_01=Verdict.PASS, ENV_08=Verdict.FAIL)
    assert settle(run, [known("ENV-0[8]")], TODAY) == []
    assert run.results[1].verdict is Verdict.EXPECTED
    assert run.conformant


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (known("ENV-08", date(2026, 11, 24)), "expired"),
        (known("ENV-01"), "passes"),
        (known("SIG-99"), "nothing that ran"),
    ],
)
def test_a_list_that_is_not_true_spoils_the_run(entry: Expected, words: str):
    run = a_run(ENV_01=Verdict.PASS, ENV_08=Verdict.FAIL)
    assert any(words in line for line in settle(run, [entry], TODAY))
    assert not run.conformant


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    write(a_run(ENV_01=Verdict.PASS), CATALOGUE, tmp_path / "reports")
    bundle.write(tmp_path / "reports", KEY, tmp_path / "run.zip")
    return tmp_path / "run.zip"


def test_a_bundle_proves_its_files(packed: Path):
    assert "report.json" in bundle.verify(packed, KEY.certificate)


def test_a_bundle_of_somebody_else_is_not_believed(packed: Path):
    with pytest.raises(bundle.BundleError, match="signature"):
        bundle.verify(packed, make(Wanted("another")).certificate)


@pytest.mark.parametrize("name", ["report.json", "report.html", "MANIFEST.json"])
def test_a_changed_file_is_found(packed: Path, tmp_path: Path, name: str):
    changed = tmp_path / "changed.zip"
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.namelist():
            octets = old.read(entry)
            new.writestr(entry, octets + b" " if entry == name else octets)
    with pytest.raises(bundle.BundleError):
        bundle.verify(changed, KEY.certificate)


@pytest.mark.parametrize("name", ["../evil", "a/b", "extra.txt"])
def test_a_file_too_many_is_found(packed: Path, name: str):
    with zipfile.ZipFile(packed, "a") as opened:
        opened.writestr(name, b"x")
    with pytest.raises(bundle.BundleError):
        bundle.verify(packed, KEY.certificate)


def test_what_is_no_bundle_says_so(tmp_path: Path):
    path = tmp_path / "x.zip"
    path.write_bytes(b"not a zip")
    with pytest.raises(bundle.BundleError):
        bundle.verify(path, KEY.certificate)
