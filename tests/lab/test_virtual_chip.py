"""A virtual chip byte by byte: what it answers, its silence, and what a clear makes of it."""

import tomllib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.domain.clear_provider import ClearOutcome
from benchd.domain.errors import UsageRefused
from benchd.lab.simulator.chips.chip import SHORTEST_ANSWER_S, VirtualChip
from benchd.lab.simulator.chips.chip_plan import ChipPlan, ClearStory
from benchd.lab.simulator.chips.clearing import clear
from benchd.lab.simulator.chips.commands import COMMANDS
from benchd.lab.simulator.chips.profiles import content_profile
from benchd.lab.simulator.clear_provider import simulated

ALL_CODES = [0x00, *COMMANDS]
ROOT = "0000feff"


def chip(profile: str = "in_use", ic_type: str = "18", owner: str = "one") -> VirtualChip:
    return VirtualChip(ChipPlan(profile=profile, ic_type=ic_type), owner)


def frame(code: int, body: bytes) -> bytes:
    return bytes([len(body) + 2, code]) + body


def ask(of: VirtualChip, code: int, body: str, system: int = 0) -> bytes | None:
    """What follows the IDm in the answer to a command to this system."""
    idm = of.idm(of.systems[system])
    said = of.answer(frame(code, idm + bytes.fromhex(body)))
    if said is None:
        return None
    assert said[0] == len(said)
    assert said[1] == code + 1
    assert said[2:10] == idm
    return said[10:]


def listed(of: VirtualChip, system: int) -> list[bytes]:
    """All nodes of a system, by Search Service Code."""
    found: list[bytes] = []
    while True:
        node = ask(of, 0x0A, len(found).to_bytes(2, "little").hex(), system)
        assert node is not None
        if node == b"\xff\xff":
            return found
        found.append(node)


def code_list(of: VirtualChip, system: int) -> list[bytes]:
    """All nodes of a system, by Request Code List."""
    found: list[bytes] = []
    for packet in range(of.ic.first_packet, 64):
        said = ask(of, 0x1A, "0000" + packet.to_bytes(2, "little").hex(), system)
        assert said is not None
        assert said[:2] == b"\0\0"
        areas, rest = said[3], said[4:]
        found += [rest[4 * i : 4 * i + 4] for i in range(areas)]
        services = rest[4 * areas + 1 :]
        assert len(services) == 2 * rest[4 * areas]
        found += [services[i : i + 2] for i in range(0, len(services), 2)]
        if said[2] == 0:
            return found
    raise AssertionError("no end")


def test_polling_finds_each_system_under_its_own_idm() -> None:
    phone = chip()
    for system, code in enumerate(("fe00", "0003", "fe0f")):
        said = phone.answer(bytes.fromhex(f"0600{code}0100"))
        assert said is not None
        assert said[:2] == b"\x14\x01"
        assert said[2:10] == phone.idm(phone.systems[system])
        assert said[10:18].hex() == "01188b868fbecbff"
        assert said[18:].hex() == code
    assert [phone.idm(system)[0] for system in phone.systems] == [0x01, 0x11, 0xF1]


@pytest.mark.parametrize(
    ("wanted", "found"), [("ffff", "fe00"), ("feff", "fe00"), ("ff03", "0003")]
)
def test_polling_takes_ff_for_any_byte(wanted: str, found: str) -> None:
    said = chip().answer(bytes.fromhex(f"0600{wanted}0100"))
    assert said is not None
    assert said[18:].hex() == found


def test_polling_gives_what_the_request_code_asks_for_and_nothing_else() -> None:
    answers = [chip().answer(bytes.fromhex(f"0600ffff{code}00")) for code in ("00", "01", "02")]
    assert [said and said[18:].hex() for said in answers] == ["", "fe00", "0083"]


SILENCE: dict[str, str] = {
    "a system that it hasn't": "0600000b0000",
    "a request code that there isn't": "0600ffff0300",
    "a number of slots that there isn't": "0600ffff0002",
    "a byte too many": "0700ffff000000",
    "one too few": "0500ffff00",
    "a length that isn't true": "0700ffff0000",
}


@pytest.mark.parametrize("polling", SILENCE)
def test_polling_that_isnt_exact_is_met_with_silence(polling: str) -> None:
    assert chip().answer(bytes.fromhex(SILENCE[polling])) is None


ANSWERS: dict[str, tuple[VirtualChip, int, int, str, str | None]] = {
    "the systems of a phone in use": (chip(), 0, 0x0C, "", "03 fe00 0003 fe0f"),
    "those of a cleared one": (chip("cleared"), 0, 0x0C, "", "02 fe00 fe0f"),
    "what a cleared one has": (chip("cleared"), 0, 0x1A, "00000000", "0000 00 01 0000feff 00"),
    "a code list of no area": (chip(), 0, 0x1A, "34120000", "ffa6"),
    "a code list's packet that there isn't": (chip(), 0, 0x1A, "0000ff00", "ffa6"),
    "which services are there": (chip(), 0, 0x02, "03 0000 cb67 3412", "03 0100 0100 ffff"),
    "of a cleared one": (chip("cleared"), 0, 0x02, "03 0000 cb67 3412", "03 0100 ffff ffff"),
    "with both keys": (chip(), 0, 0x32, "02 cb67 3412", "0000 41 02 0100 ffff 0100 ffff"),
    "a count of none": (chip(), 0, 0x02, "00", None),
    "a count of too many": (chip(), 0, 0x02, "21" + "0000" * 33, None),
    "a count above what follows": (chip(), 0, 0x02, "02 0000", None),
    "a count below what follows": (chip(), 0, 0x02, "01 0000 00", None),
    "free blocks of an area": (chip("cleared"), 0, 0x0E, "01 0000", "01 fb04"),
    "own blocks of a service": (chip(), 1, 0x0E, "02 0f09 3412", "02 1400 ffff"),
    "two open blocks": (chip(), 1, 0x06, "01 0f09 02 8000 8013", "0000 02" + "00" * 32),
    "one with a long number": (chip(), 1, 0x06, "01 0f09 01 000000", "0000 01" + "00" * 16),
    "a block behind a key": (chip(), 1, 0x06, "01 0c09 01 8000", "ffa5"),
    "one of a service that isn't there": (chip(), 1, 0x06, "01 4f09 01 8000", "ffa6"),
    "no such block": (chip(), 1, 0x06, "01 0f09 02 8000 8014", "02a8"),
    "no such service in the list": (chip(), 1, 0x06, "01 0f09 01 8100", "01a3"),
    "too many blocks": (chip(), 1, 0x06, "01 0f09 10" + "8000" * 16, "ffa2"),
    "what it is made of": (chip(), 0, 0x3A, "", "0000 0e 1801020308475001d70077202501"),
    "its versions": (chip(), 0, 0x3C, "0000", "0000 00 0041 01 0041"),
    "an old one has no code list": (chip(ic_type="14"), 0, 0x1A, "00000000", None),
    "an old one has no block information": (chip(ic_type="14"), 0, 0x0E, "01 0000", None),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_is_answered_to_a_command(case: str) -> None:
    of, system, code, body, answer = ANSWERS[case]
    assert ask(of, code, body, system) == (None if answer is None else bytes.fromhex(answer))


@pytest.mark.parametrize(
    ("of", "counts"), [(chip(), [129, 71, 13]), (chip("cleared"), [1, 13])], ids=("used", "cleared")
)
def test_a_phone_has_as_many_nodes_as_the_published_one(of: VirtualChip, counts: list[int]) -> None:
    assert [len(listed(of, system)) for system in range(len(of.systems))] == counts
    assert listed(of, 0)[0].hex() == ROOT
    assert len(listed(chip(ic_type="14"), 0)) == 129


@pytest.mark.parametrize("profile", ["in_use", "cleared"])
@pytest.mark.parametrize("ic_type", ["18", "1B"])
def test_both_ways_of_listing_agree(profile: str, ic_type: str) -> None:
    phone = chip(profile, ic_type)
    for system in range(len(phone.systems)):
        assert sorted(listed(phone, system)) == sorted(code_list(phone, system))


def test_a_code_list_of_an_area_has_what_is_in_it() -> None:
    said = ask(chip(), 0x1A, "c1670000")  # WAON's inner area
    assert said is not None
    assert said[:8] == bytes.fromhex("0000 00 01 c167ff68")
    assert said[8] == 23


def test_a_chip_that_counts_packets_from_one_gives_the_first_twice() -> None:
    packets = [ask(chip(ic_type="1B"), 0x1A, f"0000{packet}00") for packet in ("00", "01", "02")]
    assert packets[0] == packets[1] != packets[2]


def test_its_mode_and_its_issue_are_told() -> None:
    phone = chip()
    phone.mode = 1
    assert ask(phone, 0x04, "") == b"\x01"
    assert ask(phone, 0x3E, "0000") == b"\0\0"
    assert ask(phone, 0x04, "") == b"\0"
    phone.mode = 2
    phone.power_up()
    assert phone.mode == 0
    issue = phone.answer(frame(0x22, phone.primary_idm + b"\0\0"))
    assert issue is not None
    assert len(issue) == 26


@pytest.mark.parametrize("plan", [ChipPlan(silent=True), ChipPlan(retired=True)])
def test_a_silent_or_retired_chip_says_nothing(plan: ChipPlan) -> None:
    assert VirtualChip(plan, "one").answer(bytes.fromhex("0600ffff0000")) is None


def test_another_chips_idm_is_met_with_silence() -> None:
    one, other = chip(owner="one"), chip(owner="other")
    assert one.primary_idm != other.primary_idm
    assert one.answer(frame(0x0C, other.primary_idm)) is None
    before = one.primary_idm
    one.swap()
    assert one.answer(frame(0x0C, before)) is None


def test_writing_and_authentication_are_met_with_silence() -> None:
    phone = chip()
    for code in (0x08, 0x10, 0x12, 0x14, 0x16, 0x20, 0x40, 0x80, 0xF0):
        assert phone.answer(frame(code, phone.primary_idm + bytes(18))) is None


@given(st.binary(max_size=40))
def test_no_bytes_whatever_upset_it(data: bytes) -> None:
    said = chip().answer(data)
    assert said is None or said[1] == data[1] + 1


@given(st.sampled_from(ALL_CODES), st.binary(max_size=48))
def test_no_parameters_whatever_upset_it(code: int, body: bytes) -> None:
    phone = chip()
    prefix = b"" if code == 0 else phone.primary_idm
    said = phone.answer(frame(code, prefix + body))
    assert said is None or (said[0] == len(said) <= 0xFF and said[1] == code + 1)


@given(st.sampled_from(sorted(set(COMMANDS) - {0x06})), st.binary(min_size=1, max_size=4))
def test_a_byte_too_many_is_met_with_silence(code: int, more: bytes) -> None:
    bodies = {0x02: "010000", 0x0A: "0000", 0x0E: "010000", 0x1A: "00000000", 0x32: "010000"}
    body = bodies.get(code, "0000" if code in (0x22, 0x3C, 0x3E) else "")
    assert ask(chip(), code, body) is not None
    assert ask(chip(), code, body + more.hex()) is None


def test_an_old_chip_takes_the_longer_the_more_it_is_asked() -> None:
    old, new = chip(ic_type="14"), chip()
    one, many = (frame(0x02, bytes(8) + bytes([n]) + bytes(2 * n)) for n in (1, 30))
    assert new.answer_s(one) == new.answer_s(many) == SHORTEST_ANSWER_S
    assert SHORTEST_ANSWER_S < old.answer_s(one) < old.answer_s(many) < 0.2


def test_a_plan_must_name_what_there_is() -> None:
    with pytest.raises(UsageRefused, match="in_use, transit_left, cleared"):
        chip("cleaned")
    with pytest.raises(UsageRefused, match="IC type 99"):
        chip(ic_type="99")


def test_the_simulated_baseline_is_the_profile_of_a_cleared_chip() -> None:
    """And no chip of another profile fits into it."""
    text = (resources.files("benchd.lab.simulator.chips") / "baseline.toml").read_text()
    (baseline,) = tomllib.loads(text)["baseline"]
    assert baseline["kind"] == "simulated"
    allowed = {system["code"]: set(system["nodes"]) for system in baseline["system"]}
    cleared = {system.code: set(system.nodes) for system in content_profile("cleared").systems}
    assert allowed == cleared
    in_use = {system.code: set(system.nodes) for system in content_profile("in_use").systems}
    assert all(in_use[code] >= nodes for code, nodes in cleared.items())
    assert sum(map(len, in_use.values())) > sum(map(len, cleared.values()))


def in_use(story: ClearStory) -> VirtualChip:
    return VirtualChip(ChipPlan(profile="in_use", clear=story), "one")


def test_a_clear_leaves_root_areas_and_the_same_idm() -> None:
    of = in_use(ClearStory.WORKS)
    before = of.primary_idm
    assert clear(of).outcome is ClearOutcome.DONE
    assert (of.profile, of.node_count, of.primary_idm) == ("cleared", 14, before)
    assert clear(of).outcome is ClearOutcome.ALREADY_INITIAL


@pytest.mark.parametrize(
    ("story", "outcome"),
    [
        (ClearStory.LIES, ClearOutcome.DONE),
        (ClearStory.UNSUPPORTED, ClearOutcome.UNSUPPORTED),
        (ClearStory.NEEDS_OPERATOR, ClearOutcome.NEEDS_OPERATOR),
        (ClearStory.FATAL, ClearOutcome.FATAL),
    ],
)
def test_what_is_only_said_changes_nothing(story: ClearStory, outcome: ClearOutcome) -> None:
    of = in_use(story)
    for _ in range(2):
        assert clear(of).outcome is outcome
        assert (of.profile, of.node_count) == ("in_use", 213)


def test_a_swap_leaves_another_idm() -> None:
    of = in_use(ClearStory.SWAPS)
    before = of.primary_idm
    assert clear(of).outcome is ClearOutcome.DONE
    assert of.profile == "cleared"
    assert of.primary_idm != before


@pytest.mark.parametrize("story", [ClearStory.RETRY_ONCE, ClearStory.HALFWAY])
def test_the_second_try_may_do(story: ClearStory) -> None:
    of = in_use(story)
    assert clear(of).outcome is ClearOutcome.RETRYABLE
    assert of.node_count > 100
    assert of.profile == "in_use"
    assert (of.node_count == 213) == (story is ClearStory.RETRY_ONCE)
    assert clear(of).outcome is ClearOutcome.DONE
    assert of.node_count == 14


def test_a_silent_chip_is_not_cleared() -> None:
    of = VirtualChip(ChipPlan(profile="in_use", silent=True), "one")
    assert clear(of).outcome is ClearOutcome.RETRYABLE
    assert of.profile == "in_use"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"control": "control.sock"},
        {"control": "control.sock", "slots": {"A1": "1"}},
        {"control": "control.sock", "slots": {"A1": 0}},
        {"control": "control.sock", "slots": {"A 1": 1}},
        {"control": 1, "slots": {"A1": 1}},
        {"control": "control.sock", "slots": {"A1": 1}, "more": True},
    ],
)
def test_the_providers_options_are_checked(options: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allowed are control"):
        simulated("any", options, tmp_path)
