"""Which of several baselines a chip is held against."""

from __future__ import annotations

import pytest

from benchd.devices.felica.protocol.codes import ROOT, read_node
from benchd.devices.felica.verdict.baselines import Baselines, parse_baselines
from benchd.devices.felica.verdict.judge import judge
from benchd.devices.felica.verdict.node_listing import SystemNodes
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.domain.chip import ChipVerdict

CATALOGUE = shipped_catalogue()
HEAD = """
[[baseline]]
name = "{name}"
version = 1
kind = "inferred"
ic_types = ["18"]
provenance = "constructed"
"""
SYSTEM = """
[[baseline.system]]
code = "{code}"
nodes = {nodes}
"""


def baseline(name: str, **systems: list[str]) -> str:
    told = [SYSTEM.format(code=code, nodes=nodes) for code, nodes in systems.items()]
    return HEAD.format(name=name) + "".join(told).replace("'", '"')


NODE = "1008"
LACKS_A_SYSTEM = baseline("all-nodes", FE0F=["0000-FFFE", NODE], FE00=["0000-FFFE"])
HAS_A_NODE_MORE = baseline("all-systems", FE0F=["0000-FFFE"])


@pytest.mark.parametrize(
    "texts", [(LACKS_A_SYSTEM, HAS_A_NODE_MORE), (HAS_A_NODE_MORE, LACKS_A_SYSTEM)]
)
def test_the_one_with_the_least_residue_is_taken_whatever_is_missing(
    texts: tuple[str, str],
) -> None:
    """Else a chip of a model with more systems would be told as one in use."""
    known = Baselines(
        all=tuple(one for text in texts for one in parse_baselines(text, "x.toml", CATALOGUE))
    )
    nodes = frozenset({ROOT, read_node(NODE)})
    chip = {0xFE0F: SystemNodes(nodes=nodes, complete=True)}
    found = judge(0x18, chip, baselines=known, catalogue=CATALOGUE)
    assert found.baseline is not None
    assert found.baseline.name == "all-nodes"
    assert found.verdict is ChipVerdict.UNREADABLE
    assert "FE00" in found.detail
