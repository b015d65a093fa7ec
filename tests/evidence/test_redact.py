"""A redacted copy proves what it shows, hides the rest, and cannot be made to say more."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import DocumentError
from gateway.evidence.redact import Redacted, Shown, redact, seal, verify

SECRET = bytes(range(32))
OTHER = bytes(32)
DOCUMENT = {
    "id": "MT-1",
    "crew": [{"name": "Trần Văn Mẫu", "document": "C1234567"}, {"name": "李样"}],
    "note/odd~name": {"": None},
    "lines": [],
    "mass": 18.5,
}
CONTENT = json.dumps(DOCUMENT).encode()

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
documents = st.dictionaries(
    texts,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=12,
    ),
    max_size=5,
)


def fields_of(value: object, path: str = "") -> dict[str, object]:
    """Flatten, naively."""
    if isinstance(value, dict) and value:
        parts = [(k.replace("~", "~0").replace("/", "~1"), v) for k, v in value.items()]
    elif isinstance(value, list) and value:
        parts = [(str(n), v) for n, v in enumerate(value)]
    else:
        return {path: value}
    found: dict[str, object] = {}
    for name, each in parts:
        found |= fields_of(each, f"{path}/{name}")
    return found


def test_what_is_shown_is_proven_and_what_is_hidden_is_not_there():
    copy = redact(CONTENT, SECRET, ["/crew/0", "/mass"])
    assert verify(copy, seal(CONTENT, SECRET)) == {
        "/crew/1/name": "李样",
        "/id": "MT-1",
        "/lines": [],
        "/note~1odd~0name/": None,
    }
    assert sum(isinstance(field, bytes) for field in copy.fields) == 3
    octets = repr(copy).encode()
    assert b"C1234567" not in octets
    assert b"document" not in octets


@settings(max_examples=80, deadline=None)
@given(documents, st.data())
def test_any_document_and_any_choice(document, data):
    content = json.dumps(document).encode()
    sealed = seal(content, SECRET)
    flat = fields_of(document)
    hidden = data.draw(st.sets(st.sampled_from(sorted(flat)))) if flat else set()
    copy = redact(content, SECRET, hidden)
    kept = {p: v for p, v in flat.items() if not any(within(p, h) for h in hidden)}
    assert verify(copy, sealed) == kept
    assert len(copy.fields) == len(flat)
    assert seal(json.dumps(document, indent=2, sort_keys=True).encode(), SECRET) == sealed
    assert seal(content, OTHER) != sealed
    for at, field in enumerate(copy.fields):
        for worse in worsened(field):
            fields = (*copy.fields[:at], worse, *copy.fields[at + 1 :])
            refused(Redacted(fields), sealed)
        refused(Redacted(copy.fields[:at] + copy.fields[at + 1 :]), sealed)


def within(path: str, pointer: str) -> bool:
    return path == pointer or path.startswith(f"{pointer}/")


def worsened(field: Shown | bytes) -> list[Shown | bytes]:
    if isinstance(field, bytes):
        return [field[:-1] + bytes([field[-1] ^ 1]), field[:-1], Shown("/x", b"1", OTHER)]
    return [
        Shown(field.path + "x", field.value, field.salt),
        Shown(field.path, b'"other"', field.salt),
        Shown(field.path, field.value, OTHER),
        Shown(field.path, field.value + field.salt, b""),
        OTHER,
    ]


def refused(copy: Redacted, sealed: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        verify(copy, sealed)
    assert caught.value.findings[0].rule == "redact-seal"


def test_shown_fields_out_of_order_are_refused_even_under_a_seal_of_their_own():
    """Who chooses the seal too could show one path twice."""
    copy = redact(CONTENT, SECRET, [])
    twice = Redacted((copy.fields[0], copy.fields[0]))
    from gateway.merkle import leaf_hash, root

    first = copy.fields[0]
    leaf = leaf_hash(first.salt + first.path.encode() + b"\x00" + first.value)
    refused(twice, root([leaf, leaf]))


def test_a_path_that_is_not_there_is_refused():
    with pytest.raises(DocumentError) as caught:
        redact(CONTENT, SECRET, ["/crew/0/nam"])
    assert caught.value.code == "reference-unknown"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[" * 100_000, b'{"a":NaN}', b"\xff", b'{"a":1e999}', b"9" * 30]
)
def test_what_is_no_document_is_refused(content):
    with pytest.raises(DocumentError) as caught:
        seal(content, SECRET)
    assert caught.value.code == "malformed"
