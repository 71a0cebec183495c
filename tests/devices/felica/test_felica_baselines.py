"""What is known of nodes, what a chip is held against, and how a picture of one is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from chip_model import EDY, IN_USE, PHONE_PMM, UNUSED, ModelChip, ModelField
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from scan_rig import KEY, SIGNER, scan, signed, survey

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
from benchd.devices.felica.protocol.generation import is_handset_chip
from benchd.devices.felica.protocol.tree import MOST_NODES, check_tree, without_repeats
from benchd.devices.felica.verdict.baselines import (
    Baselines,
    captured_digests,
    load_baselines,
    parse_baselines,
    signed_bytes,
)
from benchd.devices.felica.verdict.capture import capture_baseline, signed_capture
from benchd.devices.felica.verdict.judge import judge
from benchd.devices.felica.verdict.node_listing import SystemNodes
from benchd.devices.felica.verdict.nodes import read_catalogue, shipped_catalogue
from benchd.devices.felica.verdict.scan import Survey
from benchd.domain.chip import BaselineKind, ChipVerdict
from benchd.domain.errors import BenchdError, UsageRefused
from benchd.lab.simulator.chips import BASELINE
from benchd.signing.private_key import SigningKey

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


def test_no_tree_without_root_and_no_list_with_repeats_or_without_bounds() -> None:
    with pytest.raises(NodeListInvalid, match="root"):
        check_tree(frozenset({Service(code=0x1008)}))
    with pytest.raises(NodeListInvalid, match="1008 stands twice"):
        without_repeats([ROOT, Service(code=0x1008), Service(code=0x1008)])
    with pytest.raises(NodeListInvalid, match="more than"):
        without_repeats(Service(code=code) for code in range(MOST_NODES + 1))
    assert len(without_repeats(Service(code=code) for code in range(MOST_NODES))) == MOST_NODES


def test_order_puts_an_area_before_what_it_holds() -> None:
    found = frozenset({Service(code=0x1008), Area(start=0x1000, end=0x10FF), ROOT})
    assert [node.text for node in ordered(found)] == ["0000-FFFE", "1000-10FF", "1008"]


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
TWICE = '[[system]]\ncode = "FE00"\nen = "x"\nja = "x"\nsources = ["somebody"]\n'


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


GOOD = """
[[baseline]]
name = "model-x"
version = 3
kind = "observed"
ic_types = ["18", "1A"]
provenance = "Model X, whose screen said 未利用, on 2026-11-24"

[[baseline.system]]
code = "FE00"
nodes = ["0000-FFFE"]
[[baseline.system]]
code = "FE0F"
optional = true
nodes = ["0000-FFFE", "1000-7FFF", "1008"]
"""


def test_what_is_shipped_is_inferred_and_of_every_handset_chip_but_one() -> None:
    shipped = load_baselines(CATALOGUE)
    assert {baseline.kind for baseline in shipped.all} == {BaselineKind.INFERRED}
    for baseline in shipped.all:
        assert baseline.provenance.startswith("Not verified on a handset.")
        assert 0x0003 not in baseline.systems
        assert baseline.systems.keys() - baseline.optional in ({0xFE00}, {0xFFFF})
        assert baseline.systems.get(0xFE00, {ROOT}) == {ROOT}
    without = [ic for ic in range(256) if is_handset_chip(ic) and not shipped.of(ic)]
    assert without == [0x16]
    assert not any(shipped.of(ic) for ic in range(256) if not is_handset_chip(ic))
    assert Baselines(all=()).of(0x18) == ()


def test_a_baseline_says_all_of_this() -> None:
    (baseline,) = parse_baselines(signed(GOOD), "x.toml", CATALOGUE, signer=SIGNER)
    assert baseline.label == "model-x v3"
    assert baseline.kind is BaselineKind.OBSERVED
    assert baseline.ic_types == {0x18, 0x1A}
    assert "未利用" in baseline.provenance
    assert baseline.systems[0xFE00] == {ROOT}
    assert read_node("1008") in baseline.systems[0xFE0F]
    assert baseline.optional == {0xFE0F}


ANOTHER_RACK = SigningKey(Ed25519PrivateKey.generate())
SIGNED = signed(GOOD)
TYPED = {
    "nothing signed": GOOD,
    "another rack's": signed_capture(GOOD.lstrip(), sign=ANOTHER_RACK.sign, catalogue=CATALOGUE),
    "a node more": SIGNED.replace('["0000-FFFE"]', '["0000-FFFE", "9040-907F"]'),
    "another chip": SIGNED.replace('"1A"', '"1B"'),
    "another name": SIGNED.replace("model-x", "model-y"),
    "another provenance": SIGNED.replace("Model X", "Model Y"),
    "less of it needed": SIGNED.replace("optional = true", "optional = false"),
    "a signature made for something else": signed_capture(
        GOOD.lstrip(), sign=lambda message: KEY.sign(message[1:]), catalogue=CATALOGUE
    ),
}


@pytest.mark.parametrize("case", TYPED)
def test_row_9_what_says_observed_without_the_racks_signature_is_only_inferred(case: str) -> None:
    [baseline] = parse_baselines(TYPED[case], "x.toml", CATALOGUE, signer=SIGNER)
    assert baseline.kind is BaselineKind.INFERRED
    [baseline] = parse_baselines(SIGNED, "x.toml", CATALOGUE)
    assert baseline.kind is BaselineKind.INFERRED, "nor was anything observed without a key"


def test_a_rotation_names_just_what_this_rack_has_captured(tmp_path: Path) -> None:
    texts = {"ours": SIGNED, "theirs": TYPED["another rack's"], "typed": GOOD}
    files = [tmp_path / f"{name}.toml" for name in texts]
    for file, text in zip(files, texts.values(), strict=True):
        file.write_text(text)
    [ours] = parse_baselines(SIGNED, "x.toml", CATALOGUE, signer=SIGNER)
    digest = hashlib.sha256(signed_bytes(ours)).hexdigest()
    assert captured_digests(files, SIGNER) == {digest}


def test_row_9_a_simulated_baseline_that_says_observed_is_only_inferred() -> None:
    text = BASELINE.read_text().replace('"simulated"', '"observed"')
    assert text != BASELINE.read_text()
    found = parse_baselines(text, "x.toml", CATALOGUE, signer=SIGNER)
    assert {baseline.kind for baseline in found} == {BaselineKind.INFERRED}


def test_captured_baselines_go_before_shipped_ones(tmp_path: Path) -> None:
    simulated, captured = tmp_path / "simulated.toml", tmp_path / "captured.toml"
    simulated.write_text(GOOD.replace("observed", "simulated").replace("model-x", "rack"))
    captured.write_text(signed(GOOD))
    kinds = [
        baseline.kind
        for baseline in load_baselines(CATALOGUE, [simulated, captured], signer=SIGNER).of(0x1A)
    ]
    seen_first = [BaselineKind.OBSERVED, BaselineKind.SIMULATED]
    assert kinds == seen_first + 2 * [BaselineKind.INFERRED]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"observed"', '"seen"', "baseline[1].kind: allowed are observed, inferred, simulated"),
        ('"observed"', "1", "baseline[1].kind: allowed are"),
        ("version = 3", "version = 0", "baseline[1].version: Input should be greater"),
        ("version = 3", 'version = "3"', "baseline[1].version: Input should be a valid integer"),
        ("version = 3", "", "baseline[1].version: Field required"),
        ("version = 3", "version = 3\nextra = 1", "baseline[1].extra: Extra inputs"),
        ('"model-x"', '"Model X"', "baseline[1].name: String should match"),
        ('"1A"', '"1a"', "baseline[1].ic_types[2]: the IC type of a handset's chip"),
        ('"1A"', '"20"', 'allowed here: "06", "07", "10" to "1F"'),
        ('"1A"', "26", "baseline[1].ic_types[2]"),
        ('["18", "1A"]', "[]", "baseline[1].ic_types: "),
        ("Model X, whose screen said 未利用, on 2026-11-24", " ", "baseline[1].provenance"),
        ("Model X", "Model \\u0007X", "baseline[1].provenance: printable characters only"),
        ('"FE00"', '"fe00"', "baseline[1].system[1].code: a system code such as FE00"),
        ('"FE0F"', '"FE00"', "baseline[1]: a system stands twice"),
        ('["0000-FFFE"]', "[]", "baseline[1].system[1].nodes: "),
        ('["0000-FFFE"]', '["0000"]', "baseline[1].system[1].nodes[1]: a service such as 090F"),
        ('["0000-FFFE"]', '["9000-90FF"]', "system[1]: the root area isn't among the nodes"),
        ('"1008"', '"1000-7FFF"', "system[2]: a node stands twice"),
        ('"1008"', '"7000-8FFF"', "system[2]: 7000-8FFF lies outside the area around it"),
        ("optional = true", "optional = 1", "system[2].optional: Input should be a valid boolean"),
        ('code = "FE00"', 'code = "FE00"\noptional = true', "baseline[1]: a system that isn't"),
        ("[[baseline]]", "[baseline]", "baseline: Input should be a valid list"),
        ("[[baseline]]", "[[baseline", "not TOML: "),
        (GOOD, "", "baseline: Field required"),
    ],
)
def test_files_that_are_no_baselines(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(DataFileInvalid) as invalid:
        load_baselines(CATALOGUE, [path])
    assert str(invalid.value).startswith(f"{path}: ")
    assert says in str(invalid.value)
    assert invalid.value.exit_code == 2


def test_every_mistake_is_told_at_once() -> None:
    bad = GOOD.replace('"observed"', '"seen"').replace('"1A"', '"20"').replace('"fe0f"', '"x"')
    with pytest.raises(DataFileInvalid) as invalid:
        parse_baselines(bad, "x.toml", CATALOGUE)
    assert len(invalid.value.mistakes) == 2


@pytest.mark.parametrize(
    ("system", "node", "owner"),
    [
        ("FE00", "110B", "Edy"),
        ("FE00", "1048", "Edy"),
        ("FE00", "67C0-68FF", "WAON"),
        ("0003", "090F", "Japanese transit cards"),
    ],
)
def test_no_baseline_lets_a_known_service_pass(system: str, node: str, owner: str) -> None:
    text = GOOD.replace('code = "FE00"\nnodes = ["0000-FFFE"]', f'code = "{system}"\nnodes = []')
    text = text.replace("nodes = []", f'nodes = ["0000-FFFE", "{node}"]')
    with pytest.raises(DataFileInvalid, match=rf"{system}/{node} is a node of {owner}"):
        parse_baselines(text, "x.toml", CATALOGUE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + GOOD, r"model-x stands in .* already"),
        (GOOD.replace("model-x", "mobile-4.1-cleared"), r"stands in baselines\.toml already"),
    ],
)
def test_names_are_allowed_once(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "twice.toml"
    path.write_text(text)
    with pytest.raises(DataFileInvalid, match=says):
        load_baselines(CATALOGUE, [path])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path / "absent.toml", "can't be read: No such file"),
        (tmp_path, "can't be read: Is a directory"),
    ):
        with pytest.raises(DataFileInvalid, match=says):
            load_baselines(CATALOGUE, [path])
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"# \xff")
    with pytest.raises(DataFileInvalid, match="not UTF-8 at byte 2"):
        load_baselines(CATALOGUE, [binary])
    binary.write_bytes(b"#" * (1 << 20) + b"#")
    with pytest.raises(DataFileInvalid, match="more than 1048576 bytes"):
        load_baselines(CATALOGUE, [binary])


OWN_AREA = {**UNUSED, 0xFE00: (*UNUSED[0xFE00], (0x9040, 0x907F), 0x9048)}


def capture(found: Survey, **label: str) -> str:
    values = {"name": "model-x", "model": "Model X", "screen": "未利用", **label}
    return capture_baseline(found, seen_on=date(2026, 11, 24), catalogue=CATALOGUE, **values)


def test_what_was_captured_is_the_baseline_of_the_same_chip(tmp_path: Path) -> None:
    chip = ModelChip(systems=dict(OWN_AREA))
    assert scan(ModelField([chip])).verdict is ChipVerdict.IN_USE
    path = tmp_path / "captured.toml"
    path.write_text(signed(capture(survey(ModelField([chip])), model='Model "X" \\ 五')))
    baselines = load_baselines(CATALOGUE, [path], signer=SIGNER)
    found = scan(ModelField([chip]), baselines=baselines)
    assert found.verdict is ChipVerdict.UNUSED
    assert (found.baseline, found.baseline_kind) == ("model-x v1", BaselineKind.OBSERVED)
    (captured,) = [baseline for baseline in baselines.all if baseline.name == "model-x"]
    assert captured.provenance == 'Model "X" \\ 五, whose screen said 未利用, on 2026-11-24'
    assert captured.ic_types == {PHONE_PMM[1]}
    assert captured.optional == frozenset()
    assert chip.serial.hex() not in path.read_text().lower()
    more = ModelChip(systems={**OWN_AREA, 0xFE00: (*OWN_AREA[0xFE00], 0x9088)})
    assert scan(ModelField([more]), baselines=baselines).verdict is ChipVerdict.IN_USE


@pytest.mark.parametrize(
    ("label", "fault", "says"),
    [
        *(
            ({"screen": screen}, UsageRefused, "whose screen says 未利用 or Unused")
            for screen in ("利用中", "In use", "", "未利用ではない")
        ),
        *(
            ({"model": model}, UsageRefused, "printable characters")
            for model in ("", " ", "x" * 129, "Model\nX", "Model\x1b[2J")
        ),
        ({"name": 'x"\n[[baseline]]'}, DataFileInvalid, "name"),
    ],
)
def test_a_label_that_cannot_be_kept_makes_no_baseline(
    label: dict[str, str], fault: type[BenchdError], says: str
) -> None:
    with pytest.raises(fault, match=says):
        capture(survey(ModelField([ModelChip()])), **label)


def test_the_longest_name_of_a_model_is_kept_whole() -> None:
    text = capture(survey(ModelField([ModelChip()])), model="x" * 128)
    assert f'"{"x" * 128}, whose screen said' in text


def test_a_chip_in_use_makes_no_baseline_whatever_its_screen_says() -> None:
    with pytest.raises(DataFileInvalid, match="FE00/110B is a node of Edy"):
        capture(survey(ModelField([ModelChip(systems={0xFE00: EDY})])))
    with pytest.raises(DataFileInvalid, match="is a node of Japanese transit cards"):
        capture(survey(ModelField([ModelChip(systems=dict(IN_USE))])))


SURVEYS: dict[str, Callable[[], Survey]] = {
    "silence": lambda: survey(ModelField()),
    "one look": lambda: survey(ModelField([ModelChip()]), passes=1),
    "field on": lambda: survey(ModelField([ModelChip()]), power_cycle=False),
    "nodes by name only": lambda: survey(
        ModelField([ModelChip(commands=frozenset({0x00, 0x02, 0x0C}))])
    ),
    "one system not whole": lambda: survey(
        ModelField([ModelChip(commands=frozenset({0x00, 0x0C, 0x1A, 0x02}))])
    ),
}


@pytest.mark.parametrize("case", SURVEYS)
def test_a_survey_that_carries_no_baseline(case: str) -> None:
    with pytest.raises(UsageRefused):
        capture(SURVEYS[case]())


def inferred(name: str, **systems: list[str]) -> str:
    told = [f'[[baseline.system]]\ncode = "{code}"\nnodes = {systems[code]}' for code in systems]
    head = GOOD.partition("\n[[baseline.system]]")[0].replace("observed", "inferred")
    return "\n".join([head.replace("model-x", name), *told]).replace("'", '"')


LACKS_A_SYSTEM = inferred("all-nodes", FE0F=["0000-FFFE", "1008"], FE00=["0000-FFFE"])
HAS_A_NODE_MORE = inferred("all-systems", FE0F=["0000-FFFE"])


@pytest.mark.parametrize(
    "texts", [(LACKS_A_SYSTEM, HAS_A_NODE_MORE), (HAS_A_NODE_MORE, LACKS_A_SYSTEM)]
)
def test_the_one_with_the_least_residue_is_taken_whatever_is_missing(
    texts: tuple[str, str],
) -> None:
    """Else a chip of a model with more systems would be told as one in use."""
    parsed = [parse_baselines(text, "x.toml", CATALOGUE) for text in texts]
    known = Baselines(all=tuple(baseline for of_text in parsed for baseline in of_text))
    chip = {0xFE0F: SystemNodes(nodes=frozenset({ROOT, read_node("1008")}), complete=True)}
    found = judge(0x18, chip, baselines=known, catalogue=CATALOGUE)
    assert found.baseline is not None
    assert found.baseline.name == "all-nodes"
    assert found.verdict is ChipVerdict.UNREADABLE
    assert "FE00" in found.detail
