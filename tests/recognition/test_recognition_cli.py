"""`gateway recognition` on folders: data, words, width and exit codes."""

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from recognition_crossing import EDITIONS, ORGANISMS, RULES, SET
from recognition_worlds import START, WORLDS, hours
from typer.testing import CliRunner

from gateway.cli import app
from gateway.model.evidence import canonical
from gateway.signing.issue import Purpose, Subject, leaf

RUNNER = CliRunner(env={"COLUMNS": "80", "GATEWAY_LANG": "en"})
AT = "2026-05-13T01:00:00Z"
FILES = {
    "set.toml": SET,
    "rules.toml": RULES,
    "organisms.csv": ORGANISMS,
    "hs-editions.csv": EDITIONS,
}


@pytest.fixture
def desk(tmp_path):
    """Return a folder with rules and the statements of a world."""

    def fill(name: str, rules: str = RULES, folder: str = "rules"):
        for part in (folder, "evidence"):
            (tmp_path / part).mkdir(exist_ok=True)
        for file, text in {**FILES, "rules.toml": rules}.items():
            (tmp_path / folder / file).write_text(text, "utf-8")
        statements = WORLDS[name].crossing.evidence()
        for number, each in enumerate(statements[:-2]):
            (tmp_path / "evidence" / f"{number}.json").write_bytes(canonical(each))
        rest = [json.loads(canonical(each)) for each in statements[-2:]]
        (tmp_path / "evidence" / "rest.json").write_text(json.dumps(rest), "utf-8")
        return tmp_path

    return fill


def run(folder, command: str, *more: str, at: str = AT, unsigned: bool = True):
    given = ["recognition", command, "--rules", str(folder / "rules")]
    given += ["--evidence", str(folder / "evidence")] + (["--at", at] if at else [])
    return RUNNER.invoke(app, [*given, *(["--allow-unsigned"] if unsigned else []), *more])


def test_a_recognised_claim_exits_with_nothing_to_do(desk) -> None:
    said = run(desk("recognised"), "decide", "--json")
    assert said.exit_code == 0
    (decision,) = json.loads(said.stdout)["decisions"]
    assert decision["outcome"] == "RECOGNISED"
    assert len(decision["proof"]) == 64


@pytest.mark.parametrize(
    ("lang", "words"), [("vi", "Có sai lệch"), ("zh", "存在不符"), ("en", "Discrepant")]
)
def test_a_table_fits_eighty_columns_in_three_languages(desk, lang: str, words: str) -> None:
    said = run(desk("plate"), "decide", "--lang", lang)
    assert said.exit_code == 1
    assert words in said.stdout
    assert "PLATE" in said.stdout
    assert all(len(line) <= 80 for line in said.stdout.splitlines())


def test_an_unsigned_set_needs_the_flag(desk) -> None:
    said = run(desk("recognised"), "decide", "--json", unsigned=False)
    assert said.exit_code == 1
    assert json.loads(said.stdout)["findings"][0]["rule"] == "ruleset-unsigned"


def test_reasons_are_explained_with_the_remedy(desk) -> None:
    said = run(desk("plate"), "explain", "--lang", "vi")
    assert "Ai xử lý: cả hai bên" in said.stdout
    assert "biển số" in said.stdout.lower()
    once = said.stdout.count("[PLATE]")
    assert once == 1


def test_a_replay_and_a_what_if(desk) -> None:
    folder = desk("withdrawn")
    said = run(folder, "replay", "--json", at="")
    assert [step["outcome"] for step in json.loads(said.stdout)["steps"]] == [
        "RECOGNISED",
        "REVOKED",
    ]
    folder = desk("too light")
    desk("too light", RULES.replace("abs_kg = 20", "abs_kg = 5000"), "wider")
    found = run(folder, "whatif", "--other-rules", str(folder / "wider"), "--json")
    (changed,) = json.loads(found.stdout)["changed"]
    assert (changed["before"]["outcome"], changed["after"]["outcome"]) == (
        "DISCREPANT",
        "RECOGNISED",
    )
    assert run(folder, "whatif").exit_code == 2
    assert "1 of 1 claims" in run(folder, "whatif", "--other-rules", str(folder / "wider")).output
    given = ["recognition", "diff-rulesets", str(folder / "rules"), str(folder / "wider")]
    differ = RUNNER.invoke(app, [*given, "--json"])
    assert differ.exit_code == 1
    (change,) = json.loads(differ.stdout)["changes"]
    assert change["path"].endswith("tolerance.abs_kg")
    assert RUNNER.invoke(app, [*given[:3], given[2]]).exit_code == 0


def test_a_receipt_is_made_and_verified(desk) -> None:
    folder = desk("plate")
    made = run(folder, "receipt", "--claim", "UCR20260001/1/PHYTO", "--side", "VN")
    (folder / "receipt.json").write_text(made.stdout, "utf-8")
    good = run(folder, "verify-receipt", str(folder / "receipt.json"), "--json", at="")
    assert good.exit_code == 0
    assert json.loads(good.stdout)["differences"] == []
    lie = json.loads(made.stdout) | {"outcome": "RECOGNISED"}
    (folder / "receipt.json").write_text(json.dumps(lie), "utf-8")
    bad = run(folder, "verify-receipt", str(folder / "receipt.json"), at="")
    assert bad.exit_code == 1
    assert "differences: outcome" in bad.stdout
    (folder / "receipt.json").write_text('{"payloadType": "x", "payload": "?"}', "utf-8")
    assert run(folder, "verify-receipt", str(folder / "receipt.json"), at="").exit_code == 1


def pair(folder, name: str):
    made = leaf(
        Subject("VN", "Test", "", f"{name} statement"), Purpose.STATEMENT, START - hours(48), 3650
    )
    key, cert = folder / f"{name}.key", folder / f"{name}.pem"
    key.write_bytes(made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    from cryptography import x509

    cert.write_bytes(x509.load_der_x509_certificate(made.der).public_bytes(Encoding.PEM))
    return str(key), str(cert)


def test_a_set_that_both_sides_signed_needs_no_flag(desk) -> None:
    folder = desk("recognised")
    (vn_key, vn), (cn_key, cn) = (pair(folder, name) for name in ("vn", "cn"))
    sign = ["recognition", "sign-rules", str(folder / "rules")]
    one = RUNNER.invoke(app, [*sign, "--key", vn_key, "--cert", vn])
    envelope = folder / "rules" / "ruleset.dsse.json"
    envelope.write_bytes(one.stdout_bytes)
    alone = run(folder, "decide", "--cert", vn, "--cert", cn, "--json", unsigned=False)
    assert alone.exit_code == 1
    assert json.loads(alone.stdout)["findings"][0]["rule"] == "both-sides"
    both = RUNNER.invoke(app, [*sign, "--key", cn_key, "--cert", cn, "--onto", str(envelope)])
    envelope.write_bytes(both.stdout_bytes)
    said = run(folder, "decide", "--cert", vn, "--cert", cn, "--json", unsigned=False)
    assert said.exit_code == 0, said.output
    (folder / "rules" / "rules.toml").write_text("nonsense", "utf-8")
    assert run(folder, "decide", "--cert", vn, "--cert", cn, unsigned=False).exit_code == 0


@pytest.mark.parametrize("content", ["", "[1]", '{"kind": "ISSUE"}', "[" * 5000])
def test_a_file_that_is_no_statement_is_named(desk, content: str) -> None:
    folder = desk("recognised")
    (folder / "evidence" / "bad.json").write_text(content, "utf-8")
    said = run(folder, "decide", "--json")
    assert said.exit_code == 1
    assert json.loads(said.stdout)["findings"][0]["path"].startswith("bad.json")


def test_wrong_use_is_wrong_use(desk) -> None:
    folder = desk("recognised")
    assert run(folder, "decide", at="yesterday").exit_code == 2
    assert run(folder, "decide", "--lang", "fr").exit_code == 2
    assert run(folder, "receipt", "--claim", "x", "--side", "VN").exit_code == 2
    assert run(folder, "receipt", "--claim", "x", "--side", "XX").exit_code == 2
    given = ["recognition", "decide", "--rules", "nowhere", "--evidence", "nowhere", "--at", AT]
    assert RUNNER.invoke(app, [*given, "--allow-unsigned"]).exit_code == 2
