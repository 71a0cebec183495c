"""Every verdict that the air alone can give, of chips that behave."""

from __future__ import annotations

from typing import Any

import pytest
from chip_model import (
    CARD_PMM,
    CONTAINER,
    EDY,
    IN_USE,
    OLD_PMM,
    PHONE_PMM,
    ROOT,
    SERIAL,
    TRANSIT,
    UNUSED,
    ModelChip,
    ModelField,
    NodeCode,
    old_chip,
)
from scan_rig import scan, with_baseline

from benchd.devices.felica.verdict.node_listing import MOST_ASKED
from benchd.domain.chip import BaselineKind, ChipScan, ChipVerdict
from benchd.domain.evidence_json import to_json
from benchd.proof.evidence.chip_evidence import ChipEvidence

UNFUSED = {0xFFFF: (ROOT,)}


def verdict_of(found: ChipScan) -> ChipVerdict:
    assert found.detail.isprintable()
    assert 0 < len(found.detail) < 160
    return found.verdict


def test_unused_chip() -> None:
    field = ModelField([ModelChip()])
    found = scan(field)
    assert verdict_of(found) is ChipVerdict.UNUSED
    assert found.baseline == "mobile-4.1-cleared v1"
    assert found.baseline_kind is BaselineKind.INFERRED
    assert found.chip == f"hash of {SERIAL.hex()}"
    assert found.ic_type == 0x18
    assert [(s.code, len(s.nodes), s.residue) for s in found.systems] == [
        ("FE00", 1, ()),
        ("FE0F", 13, ()),
    ]
    assert found.polled == ("FFFF", "FE00", "0003", "FE0F", "8008")
    assert (found.passes, found.power_cycled, field.power_cycles) == (2, True, 1)
    assert (found.owners_en, found.owners_ja) == ((), ())
    assert found.reader == "Model Reader"
    assert found.elapsed_s == pytest.approx(field.now)


def test_chip_in_use() -> None:
    field = ModelField([ModelChip(systems=dict(IN_USE))])
    found = scan(field)
    assert verdict_of(found) is ChipVerdict.IN_USE
    reads_no_block = {0x00, 0x02, 0x0A, 0x0C, 0x1A}
    assert {frame[1] for frame in field.sent} <= reads_no_block, "nor does it write"
    systems = {system.code: system for system in found.systems}
    assert systems["FE00"].nodes[0] == "0000-FFFE"
    assert "0000-FFFE" not in systems["FE00"].residue
    assert "170F" in systems["FE00"].residue
    assert "1008" in systems["FE00"].residue, "a node that needs a key and isn't listed, too"
    assert systems["0003"].residue == systems["0003"].nodes, "the system itself is residue"
    assert systems["FE0F"].residue == ()
    assert found.owners_en == ("Edy", "Japanese transit cards")
    assert found.owners_ja == ("楽天Edy", "交通系ICカード")
    evidence = str(to_json(ChipEvidence.of(found)))
    assert SERIAL.hex()[2:] not in evidence.replace(str(found.chip), "")


@pytest.mark.parametrize(
    "more",
    [
        {0xFE00: (ROOT, 0x9048)},
        {0xFE00: (ROOT, (0x9040, 0x907F))},
        {0xFE00: (ROOT, (0x9041, 0x907F))},
        {0x0003: (ROOT,)},
        {0x8008: (ROOT,)},
        {0x1234: (ROOT,)},
        {0xFE0F: (*CONTAINER, 0xB088)},
        {0xFE0F: (ROOT, (0x1000, 0x6FFF))},
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_the_smallest_residue_is_residue(more: dict[int, tuple[NodeCode, ...]], old: bool) -> None:
    chip = old_chip({0xFE00: (ROOT,), **more}) if old else ModelChip(systems={**UNUSED, **more})
    assert verdict_of(scan(ModelField([chip]))) is ChipVerdict.IN_USE


NAMED_ONLY = frozenset({0x00, 0x02, 0x0C})
WITHOUT_SEARCH = frozenset({0x00, 0x02, 0x0C, 0x1A})
BARE = {0xFE00: (ROOT,)}
USED = {0xFE00: EDY}
FORM_0, FORM_1 = frozenset({0}), frozenset({1})
APPLE_PMM = bytes.fromhex("01168B868FBECBFF")
A_CARD = "a card, not a handset's chip (IC type 20)"
FELL_SILENT = "the chip fell silent at command "
NO_LIST = "the chip doesn't list all nodes of system "
CHIPS: dict[str, tuple[dict[str, Any], str, str]] = {
    "never set up": ({"systems": UNFUSED}, "unused", ""),
    "used, never set up": ({"systems": {**UNUSED, 0xFFFF: (ROOT, 0x1008)}}, "in_use", ""),
    "common area hidden": (
        {"systems": {0xFE0F: CONTAINER}, "hidden": frozenset()},
        "unreadable",
        "system FE00 of baseline mobile-4.1-cleared v1 is absent",
    ),
    # Unlisted nodes can't be seen on it, so that it may be in use but never unused.
    "old, asked by name": (
        {"systems": BARE, "pmm": OLD_PMM, "commands": NAMED_ONLY},
        "unreadable",
        NO_LIST + "FE00",
    ),
    "asked by name": ({"systems": BARE, "commands": NAMED_ONLY}, "unreadable", NO_LIST + "FE00"),
    # The list of the root area alone is whole; what else it leaves out, nobody knows.
    "bare, not searched": ({"systems": BARE, "commands": WITHOUT_SEARCH}, "unused", ""),
    "not searched": ({"commands": WITHOUT_SEARCH}, "unreadable", NO_LIST + "FE0F"),
    "polling only": ({"commands": frozenset({0x00})}, "unreadable", FELL_SILENT + "0C"),
    "its systems only": ({"commands": frozenset({0x00, 0x0C})}, "unreadable", FELL_SILENT + "02"),
    "one form of polling": ({"polling_forms": FORM_0}, "unused", ""),
    "the other form": ({"polling_forms": FORM_1}, "unused", ""),
    "one form, in use": ({"polling_forms": FORM_0, "systems": IN_USE}, "in_use", ""),
    "the other, in use": ({"polling_forms": FORM_1, "systems": IN_USE}, "in_use", ""),
    "a card": ({"systems": {0x0003: TRANSIT}, "pmm": CARD_PMM}, "unreadable", A_CARD),
    "a card that looks unused": ({"pmm": CARD_PMM}, "unreadable", A_CARD),
    "no baseline": (
        {"systems": BARE, "pmm": APPLE_PMM},
        "unreadable",
        "no baseline for IC type 16",
    ),
    "no baseline, in use": (
        {"systems": USED, "pmm": APPLE_PMM},
        "in_use",
        "6 nodes beyond the root areas",
    ),
}


@pytest.mark.parametrize("case", CHIPS)
def test_the_verdict_of_each_chip(case: str) -> None:
    how, verdict, detail = CHIPS[case]
    found = scan(ModelField([ModelChip(**how)]))
    assert verdict_of(found) == verdict
    assert detail in {"", found.detail}
    if case == "never set up":
        assert found.baseline == "mobile-4.1-never-set-up v1"
    if case == "no baseline":
        assert (found.baseline, found.baseline_kind) == (None, None)


def test_residue_whose_owner_nobody_knows_is_said_to_be_that() -> None:
    found = scan(ModelField([ModelChip(systems={0xFE00: (ROOT, 0x9048)})]))
    assert found.owners_en == ("unknown owner (system FE00)",)
    assert found.owners_ja == ("所有者不明（システム FE00）",)


def test_a_chip_that_was_never_set_up_beside_one_that_was() -> None:
    found = scan(ModelField([ModelChip(systems={**UNUSED, **UNFUSED})]))
    assert verdict_of(found) is ChipVerdict.UNUSED
    assert [system.code for system in found.systems] == ["FE00", "FE0F", "FFFF"]


def test_old_chip_is_searched_node_by_node() -> None:
    field = ModelField([old_chip({0xFE00: (ROOT,)})])
    found = scan(field)
    assert verdict_of(found) is ChipVerdict.UNUSED
    assert found.baseline == "mobile-1-to-4-cleared v1"
    assert {frame[1] for frame in field.sent} == {0x00, 0x0A, 0x0C}
    found = scan(ModelField([old_chip({0xFE00: EDY, 0x0003: TRANSIT})]))
    assert verdict_of(found) is ChipVerdict.IN_USE
    assert [len(system.nodes) for system in found.systems] == [len(TRANSIT), len(EDY)]


@pytest.mark.parametrize("pmm", [OLD_PMM, PHONE_PMM])
def test_chip_that_can_only_be_asked_for_nodes_by_name(pmm: bytes) -> None:
    field = ModelField([ModelChip(systems=dict(USED), pmm=pmm, commands=NAMED_ONLY)])
    found = scan(field)
    assert verdict_of(found) is ChipVerdict.IN_USE
    assert found.owners_en == ("Edy",)
    assert max(frame[10] for frame in field.sent if frame[1] == 0x02) == MOST_ASKED


def test_long_lists_come_in_parts_whose_packets_may_count_from_one() -> None:
    nodes = (ROOT, *range(0x1008, 0x7008, 0x40))
    field = ModelField([ModelChip(systems={0xFE00: nodes}, per_packet=50)])
    found = scan(field)
    assert verdict_of(found) is ChipVerdict.IN_USE
    assert len(found.systems[0].nodes) == len(nodes)
    assert not [frame for frame in field.sent if frame[1] == 0x0A], "residue needs no second list"
    found = scan(ModelField([ModelChip(systems=dict(USED), per_packet=3, first_packet=1)]))
    assert verdict_of(found) is ChipVerdict.IN_USE
    assert len(found.systems[0].nodes) == len(EDY)


def test_new_chip_that_refuses_its_list_is_searched() -> None:
    def refuse(request: bytes, answer: bytes | None) -> bytes | None:
        return bytes((12, 0x1B)) + request[2:10] + b"\xff\xa6" if request[1] == 0x1A else answer

    assert verdict_of(scan(ModelField([ModelChip()], fault=refuse))) is ChipVerdict.UNUSED
    in_use = ModelField([ModelChip(systems={0xFE00: EDY})], fault=refuse)
    assert verdict_of(scan(in_use)) is ChipVerdict.IN_USE


def test_a_list_that_leaves_something_out_is_caught_by_the_search() -> None:
    def cut(request: bytes, answer: bytes | None) -> bytes | None:
        if request[1] != 0x1A or answer is None:
            return answer
        body = b"\x1b" + request[2:10] + bytes.fromhex("0000 00 01 0000feff 00")
        return bytes((len(body) + 1,)) + body

    field = ModelField([ModelChip(systems={0xFE00: (ROOT, 0x9048)})], fault=cut)
    assert verdict_of(scan(field)) is ChipVerdict.IN_USE


def test_nothing_answers() -> None:
    field = ModelField()
    found = scan(field)
    assert verdict_of(found) is ChipVerdict.SILENT
    assert (found.chip, found.ic_type, found.systems, found.passes) == (None, None, (), 2)
    assert found.polled == ("FFFF", "FE00", "0003", "FE0F", "8008")
    assert {frame[4] for frame in field.sent} == {0, 1}, "both forms of Polling"
    assert field.now < 5


OBSERVED = """
[[baseline]]
name = "seen"
version = 2
kind = "observed"
ic_types = ["18"]
provenance = "a test"

[[baseline.system]]
code = "FE00"
nodes = ["0000-FFFE", "9040-907F"]
"""


def test_the_baseline_that_fits_best_is_named() -> None:
    baselines = with_baseline(OBSERVED)
    chip = ModelChip(systems={0xFE00: (ROOT, (0x9040, 0x907F))})
    found = scan(ModelField([chip]), baselines=baselines)
    assert verdict_of(found) is ChipVerdict.UNUSED
    assert (found.baseline, found.baseline_kind) == ("seen v2", BaselineKind.OBSERVED)
    assert found.baseline_sha256 == baselines.all[0].sha256 != ""
    found = scan(ModelField([ModelChip()]), baselines=baselines)
    assert (found.baseline, found.baseline_kind) == (
        "mobile-4.1-cleared v1",
        BaselineKind.INFERRED,
    )
    found = scan(ModelField([ModelChip(systems={0xFE00: (ROOT,)})]), baselines=baselines)
    assert found.baseline_kind is BaselineKind.OBSERVED, "of two that fit, the one that was seen"


def test_no_pass_at_all_is_no_scan_and_the_field_stays_on_unless_asked() -> None:
    with pytest.raises(ValueError, match="at least one pass"):
        scan(ModelField([ModelChip()]), passes=0)
    field = ModelField([ModelChip()])
    found = scan(field, passes=1, power_cycle=False)
    assert (found.passes, found.power_cycled, field.power_cycles) == (1, False, 0)


def test_the_hash_is_the_chips_whichever_system_answers() -> None:
    one = ModelChip(systems={0xFE00: (ROOT,), 0x0003: TRANSIT})
    other = ModelChip(systems={0x0003: TRANSIT, 0xFE00: (ROOT,)})
    assert scan(ModelField([one])).chip == scan(ModelField([other])).chip
