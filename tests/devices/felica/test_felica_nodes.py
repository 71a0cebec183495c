from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.devices.felica.protocol.chip_errors import DataFileInvalid, NodeListInvalid
from benchd.devices.felica.protocol.codes import (
    ROOT,
    Area,
    Node,
    Service,
    ordered,
    read_node,
    read_system,
)
from benchd.devices.felica.protocol.tree import MOST_NODES, check_tree, without_repeats
from benchd.devices.felica.verdict.nodes import read_catalogue, shipped_catalogue

CATALOGUE = shipped_catalogue()
HANDSET_SYSTEMS = (0x0003, 0xFE00, 0xFE0F, 0xFFFF, 0x8008)


@pytest.mark.parametrize("system", HANDSET_SYSTEMS)
def test_what_is_known_of_a_system_is_a_tree(system: int) -> None:
    known = CATALOGUE.nodes(system)
    check_tree(frozenset(known))
    assert len(set(known)) == len(known)


@pytest.mark.parametrize(
    ("system", "node", "owner"),
    [
        ("0003", "090F", "交通系ICカード"),
        ("0003", "188B", "Suica"),
        ("0003", "1A48", "ICOCA"),
        ("0003", "9608", "ICOCA"),
        ("0003", "F008", "交通系ICカード"),
        ("0003", "0000-FFFE", "交通系ICカード"),
        ("FE00", "170F", "楽天Edy"),
        ("FE00", "1048", "楽天Edy"),
        ("FE00", "3C0B", "美和ロック keymo"),
        ("FE00", "3C08", "美和ロック"),
        ("FE00", "35CB", "QUICPay"),
        ("FE00", "9048", None),
        ("FE00", "0000-FFFE", None),
        ("FE0F", "7008", "おサイフケータイ コンテナ"),
        ("8008", "0117", "八達通"),
        ("1234", "1008", None),
    ],
)
def test_owners(system: str, node: str, owner: str | None) -> None:
    found = CATALOGUE.owner(read_system(system), read_node(node))
    assert (found.ja if found else None) == owner


def test_owners_of_residue_are_each_named_once_and_the_unknown_too() -> None:
    residue = [(0xFE00, Service(code=code)) for code in (0x110B, 0x170F, 0x9048, 0x9088)]
    owners = CATALOGUE.owners(residue)
    assert [owner.en for owner in owners] == ["Edy", "unknown owner (system FE00)"]
    assert [owner.ja for owner in owners] == ["楽天Edy", "所有者不明（システム FE00）"]


@pytest.mark.parametrize(
    "text", ["90F", "090f", "0000-FFF", "FFFE-0000", "0x0F", "", "090F-", "-", "1001", "1008-10FF"]
)
def test_texts_that_are_no_node(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_node(text)


codes = st.integers(0, 0xFFFF)
nodes = st.one_of(
    codes.filter(lambda code: code & 0x3F > 1).map(lambda code: Service(code=code)),
    st.tuples(codes, codes).map(lambda ends: Area(start=min(ends) & 0xFFC1, end=max(ends))),
)


@given(node=nodes)
def test_nodes_are_read_as_they_are_written(node: Node) -> None:
    assert read_node(node.text) == node


@given(found=st.frozensets(nodes, max_size=8))
def test_a_tree_is_what_has_a_root_and_no_areas_that_cross(found: frozenset[Node]) -> None:
    areas = [node for node in found if isinstance(node, Area)]
    crossing = any(
        a != b and a.start <= b.end and b.start <= a.end and not (a.holds(b) or b.holds(a))
        for a in areas
        for b in areas
    )
    outside = any(not ROOT.holds(node) for node in found)
    try:
        check_tree(found | {ROOT})
    except NodeListInvalid:
        assert crossing or outside
    else:
        assert not crossing
        assert not outside


def test_no_tree_without_root() -> None:
    with pytest.raises(NodeListInvalid, match="root"):
        check_tree(frozenset({Service(code=0x1008)}))


def test_order_puts_an_area_before_what_it_holds() -> None:
    found = frozenset({Service(code=0x1008), Area(start=0x1000, end=0x10FF), ROOT})
    assert [node.text for node in ordered(found)] == ["0000-FFFE", "1000-10FF", "1008"]


def test_lists_with_repeats_or_without_bounds() -> None:
    with pytest.raises(NodeListInvalid, match="1008 stands twice"):
        without_repeats([ROOT, Service(code=0x1008), Service(code=0x1008)])
    with pytest.raises(NodeListInvalid, match="more than"):
        without_repeats(Service(code=code) for code in range(MOST_NODES + 1))
    assert len(without_repeats(Service(code=code) for code in range(MOST_NODES))) == MOST_NODES


CATALOGUE_FILE = """
version = 1
[sources]
somebody = "a test"
[[system]]
code = "FE00"
en = "common"
ja = "共通"
sources = ["somebody"]
[[owner]]
system = "FE00"
en = "Owner"
ja = "持ち主"
nodes = [{ code = "1008", en = "", ja = "", sources = ["somebody"] }]
"""
TWICE = """[[system]]
code = "FE00"
en = "x"
ja = "x"
sources = ["somebody"]
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"1008"', '"1001"', "owner[1].nodes[1].code: a service such as 090F"),
        ('sources = ["somebody"] }]', "sources = [] }]", "owner[1].nodes[1].sources"),
        ('sources = ["somebody"] }]', 'sources = ["x"] }]', "the sources that are named"),
        ('"持ち主"', '""', "owner[1].ja"),
        ('system = "FE00"', 'system = "FE01"', "an owner's system isn't among"),
        ("version = 1", "version = 2", "version: Input should be 1"),
        ("[[system]]", TWICE + "[[system]]", "stands twice"),
    ],
)
def test_catalogues_that_are_none(old: str, new: str, says: str) -> None:
    read_catalogue(CATALOGUE_FILE, "good.toml")
    with pytest.raises(DataFileInvalid) as invalid:
        read_catalogue(CATALOGUE_FILE.replace(old, new, 1), "bad.toml")
    assert str(invalid.value).startswith("bad.toml: ")
    assert says in str(invalid.value)
