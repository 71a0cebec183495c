from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scan_rig import KEY, SIGNER, signed

from benchd.devices.felica.protocol.chip_errors import DataFileInvalid
from benchd.devices.felica.protocol.codes import ROOT, read_node
from benchd.devices.felica.protocol.generation import is_handset_chip
from benchd.devices.felica.verdict.baselines import Baselines, load_baselines, parse_baselines
from benchd.devices.felica.verdict.capture import signed_capture
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.domain.chip import BaselineKind
from benchd.lab.simulator.chips import BASELINE
from benchd.signing.key import SigningKey

CATALOGUE = shipped_catalogue()
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


def test_what_is_shipped_is_inferred_and_says_so() -> None:
    shipped = load_baselines(CATALOGUE)
    assert {baseline.kind for baseline in shipped.all} == {BaselineKind.INFERRED}
    for baseline in shipped.all:
        assert baseline.provenance.startswith("Not verified on a handset.")
        assert 0x0003 not in baseline.systems
        assert baseline.systems.keys() - baseline.optional in ({0xFE00}, {0xFFFF})
        assert baseline.systems.get(0xFE00, {ROOT}) == {ROOT}


def test_shipped_baselines_are_of_every_handset_chip_but_one() -> None:
    shipped = load_baselines(CATALOGUE)
    without = [ic for ic in range(256) if is_handset_chip(ic) and not shipped.of(ic)]
    assert without == [0x16]
    assert not any(shipped.of(ic) for ic in range(256) if not is_handset_chip(ic))


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


def test_row_9_without_a_key_nothing_was_observed() -> None:
    [baseline] = parse_baselines(SIGNED, "x.toml", CATALOGUE)
    assert baseline.kind is BaselineKind.INFERRED


def test_row_9_a_simulated_baseline_that_says_observed_is_only_inferred() -> None:
    text = BASELINE.read_text().replace('"simulated"', '"observed"')
    assert text != BASELINE.read_text()
    found = parse_baselines(text, "x.toml", CATALOGUE, signer=SIGNER)
    assert {baseline.kind for baseline in found} == {BaselineKind.INFERRED}


def test_captured_baselines_go_before_shipped_ones(tmp_path: Path) -> None:
    simulated = tmp_path / "simulated.toml"
    simulated.write_text(GOOD.replace("observed", "simulated").replace("model-x", "rack"))
    captured = tmp_path / "captured.toml"
    captured.write_text(signed(GOOD))
    all_kinds = load_baselines(CATALOGUE, [simulated, captured], signer=SIGNER)
    assert [b.kind for b in all_kinds.of(0x1A)] == [
        BaselineKind.OBSERVED,
        BaselineKind.SIMULATED,
        BaselineKind.INFERRED,
        BaselineKind.INFERRED,
    ]


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


def test_names_are_allowed_once(tmp_path: Path) -> None:
    path = tmp_path / "twice.toml"
    path.write_text(GOOD + GOOD)
    with pytest.raises(DataFileInvalid, match=r"model-x stands in .* already"):
        load_baselines(CATALOGUE, [path])
    path.write_text(GOOD.replace("model-x", "mobile-4.1-cleared"))
    with pytest.raises(DataFileInvalid, match=r"stands in baselines\.toml already"):
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


def test_an_ic_type_that_nobody_knows() -> None:
    assert Baselines(all=()).of(0x18) == ()
