"""What must not pass: chips that lie, break off, change or never end."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

import pytest
from chip_model import (
    CARD_PMM,
    EDY,
    IN_USE,
    OLD_COMMANDS,
    OLD_PMM,
    PHONE_PMM,
    ROOT,
    SERIAL,
    TRANSIT,
    UNUSED,
    Fault,
    ModelChip,
    ModelField,
    frame,
    le,
    old_chip,
    silent_to,
)
from scan_rig import scan

from benchd.devices.felica.protocol.chip_requests import LONGEST_LOOK_S
from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import ReaderFault, ReaderGone

NEITHER_CLEAN_NOR_SILENT = {ChipVerdict.IN_USE, ChipVerdict.INCONSISTENT, ChipVerdict.UNREADABLE}
OTHER_SERIAL = bytes.fromhex("01400F0E0D0C0B0A")
FELL_SILENT = "the chip fell silent in the middle of its scan"


def exchanges_of(chip: ModelChip, passes: int = 2) -> int:
    field = ModelField([chip])
    scan(field, passes=passes)
    return field.exchanges


def changed_at(moment: int, before: list[ModelChip], after: list[ModelChip]) -> ModelField:
    """A field in which other chips lie from one exchange on."""
    field = ModelField(before)

    def change(number: int) -> None:
        if number == moment:
            field.chips[:] = after

    field.before = change
    return field


def polled(system: int, change: Callable[[bytes], bytes | None]) -> Fault:
    """Another answer to whoever polls for this system."""
    asked = b"\0" + system.to_bytes(2)
    return lambda request, answer: (
        answer if request[1:4] != asked or answer is None else change(answer)
    )


@pytest.mark.parametrize("systems", [UNUSED, IN_USE])
@pytest.mark.parametrize("old", [False, True])
def test_a_chip_that_leaves_at_any_moment_is_neither_unused_nor_silent(
    systems: dict, old: bool
) -> None:
    def chip() -> ModelChip:
        kept = {code: nodes for code, nodes in systems.items() if not old or code != 0xFE0F}
        return old_chip(kept) if old else ModelChip(systems=kept)

    for moment in range(1, exchanges_of(chip())):
        field = changed_at(moment, [chip()], [])
        assert scan(field).verdict in NEITHER_CLEAN_NOR_SILENT, moment


@pytest.mark.parametrize("lost", [1, 2])
def test_short_silences_are_asked_again(lost: int) -> None:
    silences = [lost]

    def lose(request: bytes, answer: bytes | None) -> bytes | None:
        if request[1] in {0x0A, 0x0C, 0x1A} and silences[0]:
            silences[0] -= 1
            return None
        return answer

    assert scan(ModelField([ModelChip()], fault=lose)).verdict is ChipVerdict.UNUSED


def test_a_gap_that_hides_one_system() -> None:
    """The container isn't in the chip's own list: only its answer to Polling tells of it."""
    dark = [0]

    def gap(request: bytes, answer: bytes | None) -> bytes | None:
        if request[1:4] == b"\0\xfe\x0f" and not dark[0]:
            dark[0] = 8
        if dark[0]:
            dark[0] -= 1
            return None
        return answer

    chip = ModelChip(systems={**UNUSED, 0xFE0F: (ROOT, 0x1048)})
    assert scan(ModelField([chip])).verdict is ChipVerdict.IN_USE
    found = scan(ModelField([chip], fault=gap))
    assert (found.verdict, found.detail) == (ChipVerdict.UNREADABLE, FELL_SILENT)


CARD = ModelChip(systems={0x0003: TRANSIT}, pmm=CARD_PMM, serial=OTHER_SERIAL)
OTHER_CHIP = ModelChip(serial=OTHER_SERIAL)
NAMED_ONLY = frozenset({0x00, 0x02, 0x0C})


def stronger(request: bytes, answer: bytes | None) -> bytes | None:
    """The handset answers wherever it can, and the card beside it elsewhere."""
    return ModelChip().answer(request) or CARD.answer(request)


def both(request: bytes, answer: bytes | None) -> bytes | None:
    """Two answers to Polling in one."""
    return (answer or b"") + (OTHER_CHIP.answer(request) or b"") if request[1] == 0 else answer


def from_memory(form: int) -> tuple[list[ModelChip], Fault]:
    """A reader that answers every polling of this form with what it has kept."""
    chip = ModelChip(polling_forms=frozenset({form}))
    kept = chip.answer(bytes((6, 0, 0xFF, 0xFF, form, 0)))
    return [
        chip
    ], lambda request, answer: kept if request[1] == 0 and request[4] == form else answer


def only_wildcard(wanted: bool) -> Fault:
    return lambda request, answer: answer if (request[2:4] == b"\xff\xff") == wanted else None


def passing(moments: int, after: ModelChip) -> ModelField:
    """A field in which a chip lies for one whole pass, and then another."""
    return changed_at(exchanges_of(ModelChip(), passes=1) + moments, [ModelChip()], [after])


INCONSISTENT, UNREADABLE = ChipVerdict.INCONSISTENT, ChipVerdict.UNREADABLE
LISTS_0003 = ModelChip(systems={0xFE00: (ROOT,), 0x0003: TRANSIT})
LISTS_8008 = ModelChip(systems={**UNUSED, 0x8008: (ROOT,)})
WITHOUT_ROOT = ModelChip(systems={0xFE00: (0x1008,)}, commands=NAMED_ONLY)
FAULTY: dict[str, tuple[list[ModelChip], Fault, ChipVerdict, str]] = {
    "listed and does not answer": (
        *([LISTS_0003], polled(0x0003, lambda answer: None), UNREADABLE),
        "system 0003 is listed but doesn't answer",
    ),
    "a system with an IC type of its own": (
        *([ModelChip()], polled(0xFE0F, lambda answer: answer[:11] + b"\x14" + answer[12:])),
        *(INCONSISTENT, ""),
    ),
    "another system than the one asked for": (
        *([LISTS_8008], polled(0x8008, lambda answer: answer[:-2] + b"\xfe\x00"), UNREADABLE),
        "another system answers for 8008",
    ),
    "answers only the wildcard": ([ModelChip()], only_wildcard(True), UNREADABLE, ""),
    "never answers the wildcard": ([ModelChip()], only_wildcard(False), UNREADABLE, ""),
    "the stronger of two": (
        *([], stronger, INCONSISTENT),
        "two chips answer, or the chip has changed",
    ),
    "two answers in one": ([ModelChip()], both, INCONSISTENT, ""),
    "polling from memory": (*from_memory(0), UNREADABLE, ""),
    "polling with a system from memory": (*from_memory(1), UNREADABLE, ""),
    "denies its root area": (
        *([WITHOUT_ROOT], silent_to(()), UNREADABLE),
        "the chip denies its root area",
    ),
}


@pytest.mark.parametrize("case", FAULTY)
def test_what_contradicts_itself_is_no_clean_chip(case: str) -> None:
    chips, fault, verdict, detail = FAULTY[case]
    found = scan(ModelField(chips, fault=fault))
    assert found.verdict is verdict
    assert detail in {"", found.detail}


def test_a_chip_that_comes_late_or_goes_between_two_passes_is_not_unused() -> None:
    found = scan(changed_at(30, [], [ModelChip()]))
    assert (found.verdict, found.detail) == (
        INCONSISTENT,
        "the chip answered in one pass and not in another",
    )
    found = scan(passing(0, OTHER_CHIP))
    assert (found.verdict, found.detail) == (INCONSISTENT, "another chip answered in another pass")


def test_more_systems_than_a_chip_can_number() -> None:
    systems = dict.fromkeys(range(0x1000, 0x1010), (ROOT,))
    found = scan(ModelField([ModelChip(systems=dict(systems))]))
    assert found.verdict is ChipVerdict.IN_USE
    for seventeenth in (0xFFFF, 0x1010):
        found = scan(ModelField([ModelChip(systems={**systems, seventeenth: (ROOT,)})]))
        assert found.verdict is ChipVerdict.UNREADABLE


def test_each_pass_ends_with_a_look_at_who_is_there() -> None:
    field = passing(-1, OTHER_CHIP)
    assert scan(field, passes=1).verdict is ChipVerdict.INCONSISTENT
    assert field.sent[-1][1:4] == b"\0\xff\xff"


@pytest.mark.parametrize("unheard", [0x0A, 0x0C, 0x1A])
def test_commands_that_a_chip_does_not_hear(unheard: int) -> None:
    field = ModelField([ModelChip(systems=dict(IN_USE))], fault=silent_to({unheard}))
    assert scan(field).verdict in NEITHER_CLEAN_NOR_SILENT


def test_passes_that_differ() -> None:
    chip = ModelChip(systems={0xFE00: EDY})
    cleaned = ModelChip(systems={0xFE00: (ROOT,)})
    found = scan(changed_at(exchanges_of(chip, passes=1), [chip], [cleaned]))
    assert found.verdict is ChipVerdict.INCONSISTENT
    assert found.detail == "two passes show different nodes"
    assert (found.chip, found.systems, found.baseline, found.passes) == (None, (), None, 0)


@pytest.mark.parametrize("other_pmm", [PHONE_PMM, CARD_PMM])
def test_another_chip_at_any_moment(other_pmm: bytes) -> None:
    other = ModelChip(serial=OTHER_SERIAL, pmm=other_pmm)
    for moment in range(1, exchanges_of(ModelChip(), passes=1) + 1):
        found = scan(changed_at(moment, [ModelChip()], [other]))
        assert found.verdict in {ChipVerdict.INCONSISTENT, ChipVerdict.UNREADABLE}, moment


def test_handset_and_card_together() -> None:
    """They answer at once where both know the system, and one of them where it alone does."""
    found = scan(ModelField([ModelChip(), CARD]))
    assert found.verdict in {ChipVerdict.INCONSISTENT, ChipVerdict.UNREADABLE}


Answer = Callable[[bytes, int], bytes]
"""From the IDm and the index or packet that was asked for to a whole answer."""


def code_list(more: bool, areas: Sequence[tuple[int, int]], services: Sequence[int]) -> Answer:
    return lambda idm, index: frame(
        0x1B,
        idm,
        bytes((0, 0, more, len(areas))),
        *(le(start) + le(end) for start, end in areas),
        bytes((len(services),)),
        *(le(code) for code in services),
    )


def endless_list(idm: bytes, index: int) -> bytes:
    areas = [ROOT] if index == 0 else []
    services = [0x1008 + 0x40 * ((index * 3 + step) % 0x300) for step in range(3)]
    return code_list(True, areas, services)(idm, index)


def endless_search(idm: bytes, index: int) -> bytes:
    return frame(0x0B, idm, le(0) + le(0xFFFE) if index == 0 else le(index << 6 & 0xFFFF | 8))


def instead(code: int, answer: Answer) -> Fault:
    """One command's answers made up, all others true."""

    def fault(request: bytes, true: bytes | None) -> bytes | None:
        if request[1] != code:
            return true
        return answer(request[2:10], struct.unpack("<H", request[-2:])[0])

    return fault


CROSSING = code_list(False, [ROOT, (0x1000, 0x17FF), (0x1400, 0x1FFF)], [])
HUNDRED = frame(0x0D, SERIAL, bytes((100,)), *(le(code) for code in range(100)))
LISTS: dict[str, tuple[int, Answer, str]] = {
    "endless list": (0x1A, endless_list, "goes on after|more than|twice"),
    "the same for ever": (0x1A, code_list(True, [ROOT], []), "stands twice"),
    "empty and more": (0x1A, code_list(True, [], []), "is empty"),
    "no root": (0x1A, code_list(False, [], []), "root area isn't"),
    "two roots": (0x1A, code_list(False, [ROOT, ROOT], []), "twice"),
    "same service": (0x1A, code_list(False, [ROOT], [0x1008] * 2), "twice"),
    "areas cross": (0x1A, CROSSING, "1400-1FFF lies outside"),
    "beyond the root": (0x1A, code_list(False, [ROOT, (0x1000, 0xFFFF)], []), "outside"),
    "endless search": (0x0A, endless_search, "goes on after|more than"),
    "one service for ever": (0x0A, lambda idm, index: frame(0x0B, idm, le(8)), "twice"),
    "search without root": (
        *(0x0A, lambda idm, index: frame(0x0B, idm, le(0xFFFF if index else 0x1008))),
        "root area isn't",
    ),
    "no system": (0x0C, lambda idm, index: frame(0x0D, idm, b"\0"), "no system"),
    "a hundred systems": (0x0C, lambda idm, index: HUNDRED, "listed but doesn't answer"),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_that_no_chip_gives(case: str) -> None:
    code, answer, says = LISTS[case]
    old = old_chip({0xFE00: (ROOT,)})
    new = ModelChip(systems={0xFE00: (ROOT,)}, commands=OLD_COMMANDS | {0x1A})
    field = ModelField([new if code == 0x1A else old], fault=instead(code, answer))
    found = scan(field)
    assert found.verdict is ChipVerdict.UNREADABLE, found
    assert any(part in found.detail for part in says.split("|")), found.detail
    assert field.exchanges < 1200


def test_a_chip_that_takes_its_time_for_everything() -> None:
    chip = ModelChip(systems={0xFE00: (ROOT, *range(0x1008, 0x9008, 0x40))}, pmm=OLD_PMM)
    field = ModelField([chip], slowness_s=1.0)
    found = scan(field)
    assert found.verdict is ChipVerdict.UNREADABLE
    assert found.detail == "the scan took more than 60 s"
    assert field.now < LONGEST_LOOK_S + 5


@pytest.mark.parametrize("raised", [ReaderFault("hung"), ReaderGone("unplugged")])
def test_a_readers_failure_is_no_verdict(raised: Exception) -> None:
    def fail(number: int) -> None:
        if number == 7:
            raise raised

    with pytest.raises(type(raised)):
        scan(ModelField([ModelChip()], before=fail))


def measured(body: bytes) -> bytes:
    return bytes((len(body) + 1,)) + body


SPOILERS: list[Callable[[random.Random, bytes], bytes | None]] = [
    lambda rng, whole: None,
    lambda rng, whole: whole[: rng.randrange(len(whole))],
    lambda rng, whole: whole + rng.randbytes(rng.randrange(1, 20)),
    lambda rng, whole: rng.randbytes(rng.randrange(60)),
    lambda rng, whole: measured(whole[1 : rng.randrange(2, len(whole) + 1)]),
    lambda rng, whole: measured(whole[1:10] + rng.randbytes(rng.randrange(30))),
    lambda rng, whole: whole[:10] + b"\xff" * (len(whole) - 10),
    lambda rng, whole: whole[:1] + bytes((whole[1] ^ 2,)) + whole[2:],
    lambda rng, whole: flipped(whole, rng.randrange(len(whole) * 8)),
]


def flipped(whole: bytes, bit: int) -> bytes:
    at = bit // 8
    return whole[:at] + bytes((whole[at] ^ 1 << bit % 8,)) + whole[at + 1 :]


def spoil(rng: random.Random, answer: bytes | None) -> bytes | None:
    """Silence, too little, too much, noise, another command, or what could almost be true."""
    return rng.choice(SPOILERS)(rng, answer or rng.randbytes(20))


BARELY_IN_USE = [
    lambda: ModelChip(systems={0xFE00: (ROOT, 0x9048)}),
    lambda: ModelChip(systems={0xFE00: (ROOT,), 0x0003: (ROOT,)}),
    lambda: old_chip({0xFE00: (ROOT, (0x9040, 0x907F))}),
    lambda: ModelChip(systems={0xFE00: (ROOT,), 0x1234: (ROOT, 0x9048)}),
]


def test_ten_thousand_spoilt_answers_of_chips_in_use() -> None:
    """One answer of each scan is anything at all; none makes the chip unused, none a crash."""
    rng = random.Random(20261124)
    lengths = [exchanges_of(make()) for make in BARELY_IN_USE]
    seen = dict.fromkeys(ChipVerdict, 0)
    for number in range(10_000):
        which = number % len(BARELY_IN_USE)
        moment = rng.randrange(lengths[which])
        count = [0]

        def fault(
            request: bytes, answer: bytes | None, moment: int = moment, count: list = count
        ) -> bytes | None:
            count[0] += 1
            return spoil(rng, answer) if count[0] == moment + 1 else answer

        found = scan(ModelField([BARELY_IN_USE[which]()], fault=fault))
        seen[found.verdict] += 1
    assert seen[ChipVerdict.UNUSED] == 0, seen
    assert seen[ChipVerdict.SILENT] == 0, seen
    assert seen[ChipVerdict.RETIRED] == seen[ChipVerdict.NO_CHIP] == 0
    assert min(seen[verdict] for verdict in NEITHER_CLEAN_NOR_SILENT) > 100, seen


def test_a_chip_whose_every_answer_is_spoilt() -> None:
    rng = random.Random(7)
    for _ in range(500):
        field = ModelField(
            [ModelChip(systems=dict(IN_USE))], fault=lambda request, answer: spoil(rng, answer)
        )
        assert scan(field).verdict is not ChipVerdict.UNUSED
