"""Tree arithmetic against a naive reading of RFC 9162 and against published values."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import merkle

# The eight inputs and the roots of the reference implementations of Certificate Transparency
# (RFC 6962 and RFC 9162 define the same tree).
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSIONS = {  # (index, size) -> proof
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCIES = {
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


# The definitions of RFC 9162 2.1.1, 2.1.3.1 and 2.1.4.1, word for word, over whole lists.


def naive_root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: Sequence[bytes], *, known: bool = True) -> list[bytes]:
    if m == len(leaves):
        return [] if known else [naive_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*naive_proof(m, leaves[:k], known=known), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], known=False), naive_root(leaves[:k])]


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def tree(leaves: Sequence[bytes]) -> merkle.Nodes:
    """Return a look-up that holds complete subtrees and nothing else."""
    nodes: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        return nodes[level, index]

    for index, leaf in enumerate(leaves):
        for level, at, value in merkle.grown(index, leaf, node):
            assert (level, at) not in nodes
            nodes[level, at] = value
    return node


def numbered(count: int) -> list[bytes]:
    return [merkle.leaf_hash(bytes([n])) for n in range(count)]


def changed(value: bytes, at: int) -> bytes:
    octets = bytearray(value)
    octets[at // 8 % len(octets)] ^= 1 << at % 8
    return bytes(octets)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert merkle.root([merkle.leaf_hash(x) for x in INPUTS[:size]]).hex() == ROOTS[size]


def test_proofs_are_the_published_ones() -> None:
    node = tree([merkle.leaf_hash(x) for x in INPUTS])
    for (index, size), proof in INCLUSIONS.items():
        assert tuple(p.hex() for p in merkle.inclusion(index, size, node)) == proof
    for (old, new), proof in CONSISTENCIES.items():
        assert tuple(p.hex() for p in merkle.consistency(old, new, node)) == proof


def test_each_small_tree_is_the_naive_one_and_all_its_proofs_hold() -> None:
    leaves = numbered(33)
    node = tree(leaves)
    roots = [naive_root(leaves[:n]) for n in range(34)]
    for new in range(34):
        assert merkle.subtree(0, new, node) == merkle.root(leaves[:new]) == roots[new]
        for index in range(new):
            proof = merkle.inclusion(index, new, node)
            assert list(proof) == naive_path(index, leaves[:new])
            assert merkle.verify_inclusion(leaves[index], index, new, proof, roots[new])
        for old in range(new + 1):
            proof = merkle.consistency(old, new, node)
            assert list(proof) == (naive_proof(old, leaves[:new]) if old else [])
            assert merkle.verify_consistency(old, new, roots[old], roots[new], proof)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data())
def test_an_inclusion_proof_holds_for_its_leaf_alone(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(n.to_bytes(2)) for n in range(size)]
    node, root = tree(leaves), naive_root(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion(index, size, node)
    leaf = leaves[index]
    assert list(proof) == naive_path(index, leaves)
    assert merkle.verify_inclusion(leaf, index, size, proof, root)
    bit = data.draw(st.integers(0, 255))
    other = data.draw(st.integers(-2, size + 2).filter(lambda n: n != index))
    assert not merkle.verify_inclusion(leaf, other, size, proof, root)
    assert not merkle.verify_inclusion(changed(leaf, bit), index, size, proof, root)
    assert not merkle.verify_inclusion(leaf, index, size, proof, changed(root, bit))
    assert not merkle.verify_inclusion(leaf, index, size, (*proof, leaf), root)
    for at in range(len(proof)):
        worse = [*proof[:at], changed(proof[at], bit), *proof[at + 1 :]]
        assert not merkle.verify_inclusion(leaf, index, size, worse, root)
        assert not merkle.verify_inclusion(leaf, index, size, proof[:at], root)
        short = [*proof[:at], proof[at][:-1], *proof[at + 1 :]]
        assert not merkle.verify_inclusion(leaf, index, size, short, root)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.data())
def test_a_consistency_proof_holds_for_its_two_trees_alone(new: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(n.to_bytes(2)) for n in range(new)]
    old = data.draw(st.integers(0, new))
    node, roots = tree(leaves), (naive_root(leaves[:old]), naive_root(leaves))
    proof = merkle.consistency(old, new, node)
    assert merkle.verify_consistency(old, new, *roots, proof)
    bit = data.draw(st.integers(0, 255))
    assert not merkle.verify_consistency(old, new, changed(roots[0], bit), roots[1], proof)
    if old:
        assert not merkle.verify_consistency(old, new, roots[0], changed(roots[1], bit), proof)
    assert not merkle.verify_consistency(old, new, *roots, (*proof, roots[0]))
    for at in range(len(proof)):
        worse = [*proof[:at], changed(proof[at], bit), *proof[at + 1 :]]
        assert not merkle.verify_consistency(old, new, *roots, worse)
        assert not merkle.verify_consistency(old, new, *roots, proof[:at])


@pytest.mark.proves(
    attack="A side rewrites a leaf that an older head covers",
    code="-",
    behaviour="No proof of consistency leads from the older head to the new one",
)
@settings(max_examples=60, deadline=None)
@given(st.integers(2, 200), st.data())
def test_a_rewritten_past_has_no_consistency_proof(new: int, data: st.DataObject) -> None:
    """The old head is of other leaves: no honest or borrowed proof joins the two."""
    leaves = numbered(new)
    old = data.draw(st.integers(1, new))
    victim = data.draw(st.integers(0, old - 1))
    rewritten = [*leaves[:victim], changed(leaves[victim], 7), *leaves[victim + 1 :]]
    proof = merkle.consistency(old, new, tree(rewritten))
    honest = merkle.consistency(old, new, tree(leaves))
    seen, shown = naive_root(leaves[:old]), naive_root(rewritten)
    assert not merkle.verify_consistency(old, new, seen, shown, proof)
    assert not merkle.verify_consistency(old, new, seen, shown, honest)


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (0, 0), (3, 3), (4, 3)])
def test_no_inclusion_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="inclusion"):
        merkle.inclusion(index, size, tree(numbered(5)))
    leaf = numbered(1)[0]
    assert not merkle.verify_inclusion(leaf, index, size, (), leaf)


@pytest.mark.parametrize(("old", "new"), [(-1, 1), (3, 2)])
def test_no_consistency_backwards(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="consistency"):
        merkle.consistency(old, new, tree(numbered(5)))
    assert not merkle.verify_consistency(old, new, merkle.EMPTY, merkle.EMPTY, ())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9), st.integers(0, 9), st.lists(st.binary(max_size=33), max_size=5))
def test_any_path_from_outside_is_judged_not_raised(a: int, b: int, path: list[bytes]) -> None:
    leaves = numbered(9)
    assert not merkle.verify_inclusion(leaves[0], a, b, path, leaves[1])
    assert not merkle.verify_consistency(a, b, leaves[0], leaves[1], path)
