"""The hash tree, held against the definitions of RFC 9162 written out by hand, and against lies."""

from __future__ import annotations

from hashlib import sha256

import pytest

from benchd.signing.merkle import leads_to, leaf_hash, root_and_path, root_of


def node(left: bytes, right: bytes) -> bytes:
    """HASH(0x01 || left || right), 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


ENTRIES = [f"d{number}".encode() for number in range(7)]
A, B, C, D, E, F, J = (sha256(b"\x00" + entry).digest() for entry in ENTRIES)
"""As the example of 2.1.5 names the leaves; MTH({d[n]}) = HASH(0x00 || d[n])."""
G, H, I = node(A, B), node(C, D), node(E, F)  # noqa: E741 - the RFC's letters
K, L = node(G, H), node(I, J)
HASH = node(K, L)


def test_the_root_over_nothing_is_the_hash_of_nothing() -> None:
    """MTH({}) = HASH()."""
    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_hash_of_an_entry_is_no_nodes() -> None:
    """The first two of the known leaves of Certificate Transparency's test vectors: "" and 00."""
    assert (
        leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert (
        leaf_hash(b"\0").hex() == "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
    )


@pytest.mark.parametrize(
    ("size", "root"),
    [
        (1, A),
        (2, G),
        (3, node(G, C)),
        (4, K),
        (5, node(K, E)),
        (6, node(K, I)),
        (7, HASH),
    ],
)
def test_the_root_splits_at_the_largest_power_of_two(size: int, root: bytes) -> None:
    assert root_of([leaf_hash(entry) for entry in ENTRIES[:size]]) == root


@pytest.mark.parametrize(
    ("index", "path"), [(0, [B, H, L]), (3, [C, G, L]), (4, [F, J, K]), (6, [I, K])]
)
def test_the_paths_of_the_rfcs_example(index: int, path: list[bytes]) -> None:
    """2.1.5: the inclusion proofs for d0, d3, d4 and d6 in the tree of seven."""
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    assert root_and_path(leaves, index) == (HASH, path)
    assert leads_to(HASH, leaves[index], path, index=index, size=7)


def test_each_path_leads_to_its_root_and_no_other_place_leaf_size_or_length_does() -> None:
    for size in range(1, 34):
        leaves = [leaf_hash(bytes([number])) for number in range(size)]
        root = root_of(leaves)
        for index, leaf in enumerate(leaves):
            same, path = root_and_path(leaves, index)
            assert same == root
            assert leads_to(root, leaf, path, index=index, size=size)
            for other in range(-1, size + 1):
                held = leads_to(root, leaf, path, index=other, size=size)
                assert held == (other == index)
            assert not leads_to(root, leaf_hash(b"other"), path, index=index, size=size)
            assert not leads_to(root, leaf, [*path, root], index=index, size=size)
            assert not path or not leads_to(root, leaf, path[:-1], index=index, size=size)
            assert not leads_to(bytes(32), leaf, path, index=index, size=size)
