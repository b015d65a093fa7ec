"""Answers of the single window: one per declaration, given once, silent while disputed."""

from itertools import count

import pytest
from msgspec.structs import replace
from rules_documents import contract, eda, ident, manifest, response, waybill

from gateway.codec.answers import Declared, Due, answers, declared
from gateway.model.manifest import Manifest
from gateway.model.response import AnswerError, Response
from gateway.model.status import Received, fold
from gateway.model.values import Moment, Precision

A, B = Declared("GW-A", ("A",)), Declared("GW-B", ("B",))
BOTH = Declared("GW", ("A", "B"))
T1, T2, T3 = (f"2026-05-14T09:30:0{n}.000" for n in (1, 2, 3))


def due(
    *responses: Response,
    declarations: tuple[Declared, ...] = (A, B),
    profile: dict[str, str] | None = None,
) -> dict[str, Due]:
    received = [Received(each, f"m{n}", f"{n:064x}") for n, each in enumerate(responses, 1)]
    waybills = [waybill for each in declarations for waybill in each.waybills]
    view = fold(received, waybills, {each.reference: each.waybills for each in declarations})
    numbers = count(1)
    made = answers(view, received, declarations, profile or {}, lambda: f"id-{next(numbers)}")
    return {each.declaration: each for each in made}


def functions(found: dict[str, Due]) -> dict[str, str]:
    return {name: each.answer.function for name, each in found.items()}


def test_trap_54_two_declarations_get_one_answer_each() -> None:
    found = due(response(A="01", B="03", words="示例原因"))
    assert functions(found) == {"GW-A": "99", "GW-B": "00"}
    assert found["GW-B"].answer.errors == (
        AnswerError(code="CC020_03", name="B: 示例原因 (Hải quan trả lại)"),
    )
    assert found["GW-A"].answer.errors == ()
    assert found["GW-B"].answer.received_at is None
    assert len({each.answer.message_id for each in found.values()}) == 2


def test_trap_55_one_declaration_names_the_refused_waybill_only() -> None:
    found = due(response(A="01", B="03"), declarations=(BOTH,))
    assert functions(found) == {"GW": "00"}
    assert [error.name for error in found["GW"].answer.errors] == ["B: Hải quan trả lại"]


def test_an_error_for_each_refused_waybill() -> None:
    found = due(response(A="13", B="03"), declarations=(BOTH,))
    assert {error.code for error in found["GW"].answer.errors} == {"CC020_13", "CC020_03"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-05-13T00:30:00.123", "2026-05-12T23:30:00"),  # the trap: another day in Ha Noi
        ("2026-05-14T09:30:03.999", "2026-05-14T08:30:03"),
        ("2026-01-01T00:59:59.999", "2025-12-31T23:59:59"),
    ],
)
def test_trap_65_received_at_in_ha_noi_without_milliseconds(sent: str, expected: str) -> None:
    answer = due(response(sent, A="01"))["GW-A"].answer
    assert answer.received_at == Moment(precision=Precision.SECOND, local=expected, offset=420)
    assert answer.document_year == int(expected[:4])


def test_trap_56_nothing_new_is_said_when_accepted_comes_after_released() -> None:
    released = due(response(T2, A="11"))["GW-A"]
    both = due(response(T2, A="11"), response(T1, A="01"))["GW-A"]
    assert released.key == both.key == "99"


def test_trap_57_a_refusal_is_said_after_an_acceptance() -> None:
    first = due(response(T1, A="01"))["GW-A"]
    second = due(response(T1, A="01"), response(T2, A="03"))["GW-A"]
    assert (first.answer.function, second.answer.function) == ("99", "00")
    assert first.key != second.key


def test_trap_58_a_disputed_declaration_gets_no_answer() -> None:
    assert functions(due(response(T1, A="01", B="01"), response(T1, A="03"))) == {"GW-B": "99"}


@pytest.mark.parametrize("code", ["T", "E3", "M1", "M2", "M3"])
def test_what_says_nothing_to_the_declarant_is_not_answered(code: str) -> None:
    assert due(response(transmission=code)) == {}


@pytest.mark.parametrize("code", ["D", "E1"])
def test_what_was_received_is_answered(code: str) -> None:
    assert functions(due(response(transmission=code))) == {"GW-A": "99", "GW-B": "99"}
    assert functions(due(response(overall="0"))) == {"GW-A": "99", "GW-B": "99"}


@pytest.mark.parametrize("code", ["E2", "E4"])
def test_a_failed_transmission_is_told_as_what_it_is(code: str) -> None:
    found = due(response(transmission=code))
    assert functions(found) == {"GW-A": "00", "GW-B": "00"}
    assert found["GW-A"].answer.errors[0].code == f"CC020_{code}"


def test_trap_61_an_acceptance_after_a_failed_transmission_is_an_acceptance() -> None:
    found = due(response(T1, transmission="E4"), response(T2, A="01"))
    assert functions(found) == {"GW-A": "99", "GW-B": "00"}


def test_trap_63_the_whole_messages_words_reach_a_waybill_without_its_own() -> None:
    found = due(response(overall="03", words="整批退单", A="01"))
    assert functions(found) == {"GW-A": "99", "GW-B": "00"}
    assert found["GW-B"].answer.errors[0].name == "B: 整批退单 (Hải quan trả lại)"


def test_the_words_are_those_of_the_code_that_stands() -> None:
    accepted, returned = response(A="01", words="接受"), response(A="03", words="退单")
    found = due(response(T1, A="03", words="旧"), replace(returned, waybills=(
        *returned.waybills, *accepted.waybills
    )))  # fmt: skip
    assert found == {}
    later = due(response(T1, A="03", words="旧"), response(T2, A="01", words="新"))
    assert later["GW-A"].answer.errors[0].name == "A: 旧 (Hải quan trả lại)"


def test_trap_64_an_unknown_code_gets_no_answer() -> None:
    assert due(response(A="99")) == {}


def test_parties_and_type_come_from_the_profile() -> None:
    profile = {"answer.documentType": "BNN&PTNT0300002", "answer.recipient": "BNN"}
    answer = due(response(A="01"), profile=profile)["GW-A"].answer
    assert (answer.document_type, answer.recipient.name) == ("BNN&PTNT0300002", "BNN")
    assert answer.sender.name == "GATEWAY"


def sent(*documents: Manifest) -> Manifest:
    """Give the waybills of documents numbers W0, W1 ... as they were sent."""
    found = [w for document in documents for w in document.consignments]
    return manifest(*(replace(w, contract=contract(f"W{n}")) for n, w in enumerate(found)))


def test_a_declaration_is_named_by_its_number_else_its_reference_else_its_waybill() -> None:
    document = sent(eda(number="300000000017", ref="REF"), eda(ref="REF-B", plate="29H1"), eda())
    assert declared(document) == (
        Declared("300000000017", ("W0",)),
        Declared("REF-B", ("W1",)),
        Declared("W2", ("W2",)),
    )


def test_waybills_of_one_declaration_belong_together() -> None:
    document = manifest(
        *(
            waybill(contract=contract(n), references=(ident("vn.declarant-ref", "R"),))
            for n in ("W1", "W2")
        )
    )
    assert declared(document) == (Declared("R", ("W1", "W2")),)
