"""What mutual recognition keeps, on both databases."""

from dataclasses import replace

from store_sample import at

from gateway.flows.ports_recognition import ClaimRow, Doubt, KeptStatement, ReceiptRow
from gateway.store import Store

CLAIM = ClaimRow("c/1/PHYTO", "c", "RECOGNISED", "r", "s", "", "RECOGNISED", "", 0, at(0), b"{}")


def kept(name: str, seconds: float = 0, **changes: object) -> KeptStatement:
    made = KeptStatement(name, "VN", "quarantine", at(seconds), False, b"{}")
    return replace(made, **changes)  # type: ignore[arg-type]


def add(store: Store, *statements: KeptStatement, keys=(("plate", "1"),)) -> None:
    def work(tx):
        return [tx.keep_statement(each, keys) for each in statements]

    store.commit(work)


def test_a_statement_is_kept_once_and_found_by_its_keys(store: Store) -> None:
    add(store, kept("a"), kept("b", 1), keys=(("plate", "1"), ("plate", "1"), ("seal", "2")))
    assert not store.commit(lambda tx: tx.keep_statement(kept("a", 9), [("plate", "3")]))
    assert store.read(lambda tx: tx.statement("a")) == kept("a")
    assert store.read(lambda tx: tx.statement("none")) is None
    assert store.read(lambda tx: tx.statements(["b", "a", "none"])) == (kept("a"), kept("b", 1))

    def by(*keys, limit: int = 9):
        return store.read(lambda tx: tx.statements_by(keys, limit))

    assert by(("plate", "1")) == {"a", "b"}
    assert by(("plate", "1"), limit=1) == frozenset(), "a key of too many joins nothing"
    assert by(("plate", "3"), ("seal", "1")) == by() == frozenset()
    assert by(*((("plate", str(n))) for n in range(450))) == {"a", "b"}


def test_what_the_counterpart_lacks(store: Store) -> None:
    add(store, kept("b", 2), kept("a", 3), kept("p", 1, private=True))
    add(store, kept("t", 0, delivered_at=at(0)))
    names = [each.digest for each in store.read(lambda tx: tx.undelivered(5))]
    assert names == ["b", "a"]
    store.commit(lambda tx: tx.set_envelope("b", b"signed"))
    store.commit(lambda tx: tx.set_delivered(["b", "t"], at(9)))
    assert [e.digest for e in store.read(lambda tx: tx.undelivered(5))] == ["a"]
    found = store.read(lambda tx: tx.statement("b"))
    assert found == kept("b", 2, envelope=b"signed", delivered_at=at(9))
    assert store.read(lambda tx: tx.statement("t")).delivered_at == at(0)


def test_claims_of_a_case_are_replaced_together(store: Store) -> None:
    other = replace(CLAIM, claim="d/1/PHYTO", case_id="d", due=500)
    store.commit(lambda tx: tx.put_claims(["c"], [CLAIM, other]))
    assert store.read(lambda tx: tx.claim("c/1/PHYTO")) == CLAIM
    assert store.read(lambda tx: tx.claims_in(["d", "none"])) == (other,)
    assert store.read(lambda tx: tx.due_claims(499, 5)) == ()
    assert store.read(lambda tx: tx.due_claims(500, 5)) == (other,)
    merged = replace(CLAIM, agreement="MISSING_EVIDENCE", updated=at(5))
    store.commit(lambda tx: tx.put_claims(["c", "d"], [merged]))
    assert store.read(lambda tx: tx.claim("d/1/PHYTO")) is None
    assert store.read(lambda tx: tx.open_claims(5)) == (merged,)
    for word in ("AGREED", "DIVERGENT"):
        settled = replace(merged, agreement=word)
        store.commit(lambda tx, row=settled: tx.put_claims(["c"], [row]))
        assert store.read(lambda tx: tx.open_claims(5)) == ()


def test_receipts_are_a_chain_for_each_side(store: Store) -> None:
    first = ReceiptRow("c", "VN", 0, "d0", at(0), b"0")
    second = replace(first, number=1, digest="d1")
    theirs = replace(first, side="CN")
    for row in (second, first, theirs):
        assert store.commit(lambda tx, row=row: tx.keep_receipt(row))
    assert not store.commit(lambda tx: tx.keep_receipt(replace(first, digest="other")))
    assert store.read(lambda tx: tx.receipts("c", "VN")) == (first, second)
    assert store.read(lambda tx: tx.receipts("c", "CN")) == (theirs,)


def test_doubts_are_listed_oldest_first(store: Store) -> None:
    doubt = Doubt("a", "b", 700, 100, "lead", "plate", at(1))
    older = replace(doubt, right="c", at=at(0))
    store.commit(lambda tx: tx.put_doubts([doubt, older, replace(doubt, why="score")]))
    assert store.read(lambda tx: tx.doubts(5)) == (older, replace(doubt, why="score"))
