"""Checks of receipts and refusals as documents: signed, bound, complete."""

import re
from collections.abc import Callable, Mapping

from conformance.engine.building import Bench
from conformance.engine.case import Verify
from conformance.engine.results import FailedError, UndecidedError
from conformance.wire import answers
from conformance.wire.answers import Answer, Receipt, Refusal
from conformance.wire.codes import FAMILIES, retriable


def _answers(bench: Bench, step: Verify) -> list[Answer | None]:
    sent = bench.sent[step.of]
    if any(reply.status == 0 for reply in sent.replies):
        raise UndecidedError(f"no answer: {sent.replies[0].fault}")
    session = bench.session
    return [answers.read(r.body, session.receipt_pins, session.now()) for r in sent.replies]


def _receipts(bench: Bench, step: Verify) -> list[Receipt]:
    found = []
    for answer in _answers(bench, step):
        if answer is None or answer.receipt is None:
            raise FailedError("there is no receipt")
        found.append(answer.receipt)
    return found


def _refusals(bench: Bench, step: Verify) -> list[Refusal]:
    found = []
    for answer in _answers(bench, step):
        if answer is None or answer.refusal is None:
            raise FailedError("there is no refusal document")
        found.append(answer.refusal)
    return found


def receipt_given(bench: Bench, step: Verify) -> None:
    """HTTP 200 with a receipt that is valid against its schema (XP-RCP-001, 002)."""
    _receipts(bench, step)
    for reply, answer in zip(bench.sent[step.of].replies, _answers(bench, step), strict=True):
        if reply.status != 200:
            raise FailedError(f"a receipt with HTTP {reply.status}")
        if answer and answer.problems:
            raise FailedError(f"the receipt breaks its schema: {answer.problems[0]}")


def receipt_binds(bench: Bench, step: Verify) -> None:
    """The receipt holds the digest of this message and the parties (XP-RCP-002, 006)."""
    target, sent = bench.session.target, bench.sent[step.of]
    wanted = (sent.digest, target.party, target.we)
    for receipt in _receipts(bench, step):
        stated = (receipt.digest, receipt.sender, receipt.recipient)
        if stated != wanted:
            raise FailedError(f"the receipt says {stated}, not {wanted}")


def receipt_names(bench: Bench, step: Verify) -> None:
    """A receipt names the message by the id that its sender gave it."""
    sent = bench.sent[step.of]
    for answer in _answers(bench, step):
        named = answer.receipt.message_id if answer and answer.receipt else sent.message_id
        if named != sent.message_id:
            raise FailedError(f"the receipt names {named}")


def signed(bench: Bench, step: Verify) -> None:
    """The receipt or refusal is signed with a pinned receipt key (XP-RCP-005, XP-ERR-001)."""
    for answer in _answers(bench, step):
        if answer is None:
            raise FailedError("neither a receipt nor a refusal")
        if answer.signature.code:
            judged = answer.signature
            raise FailedError(f"not signed as it must be: {judged.code} ({judged.reason})")


def error_schema(bench: Bench, step: Verify) -> None:
    """Every refusal is a document that is valid against its schema (XP-ERR-001, 002)."""
    _refusals(bench, step)
    for answer in _answers(bench, step):
        if answer and answer.problems:
            raise FailedError(f"the refusal breaks its schema: {answer.problems[0]}")


def error_code(bench: Bench, step: Verify) -> None:
    """Its code is of the registry, with the family that belongs to it (XP-ERR-004)."""
    for refusal in _refusals(bench, step):
        if refusal.code not in FAMILIES:
            raise FailedError(f"unknown code {refusal.code}")
        if refusal.family != FAMILIES[refusal.code]:
            raise FailedError(f"{refusal.code} says family {refusal.family}")


def error_retriable(bench: Bench, step: Verify) -> None:
    """Its retriable flag is the truth about its code (XP-ERR-004)."""
    for refusal in _refusals(bench, step):
        if refusal.retriable is not retriable(refusal.code):
            raise FailedError(f"{refusal.code} says retriable {refusal.retriable}")


def languages(bench: Bench, step: Verify) -> None:
    """The refusal speaks Vietnamese, Chinese and English, and Chinese is Chinese."""
    for refusal in _refusals(bench, step):
        texts = dict(refusal.texts)
        if missing := {"vi", "zh", "en"} - {lang for lang, text in texts.items() if text}:
            raise FailedError(f"no text in {', '.join(sorted(missing))}")
        if not re.search("[\u4e00-\u9fff]", texts["zh"]):
            raise FailedError("the zh text holds no Chinese character")


def findings(bench: Bench, step: Verify) -> None:
    """The refusal reports at least `count` findings, none of them twice (XP-ERR-005)."""
    for refusal in _refusals(bench, step):
        different = {(f.rule, f.path, f.found, f.expected) for f in refusal.findings}
        if len(different) < step.count:
            raise FailedError(f"{len(different)} findings, expected at least {step.count}")


def located(bench: Bench, step: Verify) -> None:
    """A finding says where: its path holds the words of `path` (XP-ERR-005)."""
    for refusal in _refusals(bench, step):
        if not any(step.path in f.path and step.rule in f.rule for f in refusal.findings):
            shown = ", ".join(f"{f.rule} at {f.path}" for f in refusal.findings) or "no finding"
            raise FailedError(f"no finding {step.rule} at {step.path}: {shown}")


def refusal_binds(bench: Bench, step: Verify) -> None:
    """The refusal names this message and its digest (XP-ERR-003)."""
    sent = bench.sent[step.of]
    for refusal in _refusals(bench, step):
        if (refusal.message_id, refusal.digest) != (sent.message_id, sent.digest):
            raise FailedError(f"the refusal names {refusal.message_id} {refusal.digest}")


def missing(bench: Bench, step: Verify) -> None:
    """The receipt's `Missing` lists exactly the numbers in `text` (XP-ORD-004)."""
    for receipt in _receipts(bench, step):
        listed = " ".join(map(str, receipt.missing))
        if listed != step.text:
            raise FailedError(f"Missing lists `{listed}`, expected `{step.text}`")


CHECKS: Mapping[str, Callable[[Bench, Verify], None]] = {
    check.__name__.replace("_", "-"): check
    for check in (
        receipt_given, receipt_binds, receipt_names, signed, error_schema, error_code,
        error_retriable,
        languages, findings, located, refusal_binds, missing,
    )
}  # fmt: skip
"""By the name that cases use."""
