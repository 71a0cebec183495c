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

NEITHER_CLEAN_NOR_SILENT = {
    ChipVerdict.IN_USE,
    ChipVerdict.INCONSISTENT,
    ChipVerdict.UNREADABLE,
}
OTHER_SERIAL = bytes.fromhex("01400F0E0D0C0B0A")


def exchanges_of(chip: ModelChip, passes: int = 2) -> int:
    field = ModelField([chip])
    scan(field, passes=passes)
    return field.exchanges


@pytest.mark.parametrize("systems", [UNUSED, IN_USE])
@pytest.mark.parametrize("old", [False, True])
def test_a_chip_that_leaves_at_any_moment_is_neither_unused_nor_silent(
    systems: dict, old: bool
) -> None:
    def chip() -> ModelChip:
        kept = {code: nodes for code, nodes in systems.items() if not old or code != 0xFE0F}
        return old_chip(kept) if old else ModelChip(systems=kept)

    for moment in range(1, exchanges_of(chip())):
        field = ModelField([chip()])

        def leave(number: int, field: ModelField = field, moment: int = moment) -> None:
            if number == moment:
                field.chips.clear()

        field.before = leave
        assert scan(field).verdict in NEITHER_CLEAN_NOR_SILENT, moment


def test_a_chip_that_comes_late_is_not_unused_in_the_pass_that_missed_it() -> None:
    field = ModelField()

    def arrive(number: int) -> None:
        if number == 30 and not field.chips:
            field.chips.append(ModelChip())

    field.before = arrive
    found = scan(field)
    assert found.verdict is ChipVerdict.INCONSISTENT
    assert found.detail == "the chip answered in one pass and not in another"


@pytest.mark.parametrize("lost", [1, 2])
def test_short_silences_are_asked_again(lost: int) -> None:
    silences = [lost]

    def lose(request: bytes, answer: bytes | None) -> bytes | None:
        if request[1] in {0x0A, 0x0C, 0x1A} and silences[0]:
            silences[0] -= 1
            return None
        return answer

    assert scan(ModelField([ModelChip()], fault=lose)).verdict is ChipVerdict.UNUSED


def test_a_system_that_is_listed_and_does_not_answer() -> None:
    def hide(request: bytes, answer: bytes | None) -> bytes | None:
        return None if request[1:4] == b"\0\0\3" else answer

    field = ModelField([ModelChip(systems={0xFE00: (ROOT,), 0x0003: TRANSIT})], fault=hide)
    found = scan(field)
    assert found.verdict is ChipVerdict.UNREADABLE
    assert found.detail == "system 0003 is listed but doesn't answer"


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
    assert found.verdict is ChipVerdict.UNREADABLE
    assert found.detail == "the chip fell silent in the middle of its scan"


def test_a_system_with_an_ic_type_of_its_own() -> None:
    def other_type(request: bytes, answer: bytes | None) -> bytes | None:
        if request[1:4] != b"\0\xfe\x0f" or answer is None:
            return answer
        return answer[:11] + b"\x14" + answer[12:]

    found = scan(ModelField([ModelChip()], fault=other_type))
    assert found.verdict is ChipVerdict.INCONSISTENT


def test_another_system_than_the_one_asked_for() -> None:
    chip = ModelChip(systems={**UNUSED, 0x8008: (ROOT,)})

    def misname(request: bytes, answer: bytes | None) -> bytes | None:
        if request[1:4] != b"\0\x80\x08" or answer is None:
            return answer
        return answer[:-2] + b"\xfe\x00"

    found = scan(ModelField([chip], fault=misname))
    assert found.verdict is ChipVerdict.UNREADABLE
    assert found.detail == "another system answers for 8008"


def test_more_systems_than_a_chip_can_number() -> None:
    systems = dict.fromkeys(range(0x1000, 0x1010), (ROOT,))
    found = scan(ModelField([ModelChip(systems=dict(systems))]))
    assert found.verdict is ChipVerdict.IN_USE
    for seventeenth in (0xFFFF, 0x1010):
        found = scan(ModelField([ModelChip(systems={**systems, seventeenth: (ROOT,)})]))
        assert found.verdict is ChipVerdict.UNREADABLE


def test_each_pass_ends_with_a_look_at_who_is_there() -> None:
    whole = exchanges_of(ModelChip(), passes=1)
    field = ModelField([ModelChip()])

    def swap(number: int) -> None:
        if number == whole - 1:
            field.chips[:] = [ModelChip(serial=OTHER_SERIAL)]

    field.before = swap
    assert scan(field, passes=1).verdict is ChipVerdict.INCONSISTENT
    assert field.sent[-1][1:4] == b"\0\xff\xff"


def test_a_chip_that_answers_only_the_wildcard_or_never_the_wildcard() -> None:
    def only(wanted: bool) -> Fault:
        return lambda request, answer: answer if (request[2:4] == b"\xff\xff") == wanted else None

    for wanted in (True, False):
        found = scan(ModelField([ModelChip()], fault=only(wanted)))
        assert found.verdict is ChipVerdict.UNREADABLE


@pytest.mark.parametrize("unheard", [0x0A, 0x0C, 0x1A])
def test_commands_that_a_chip_does_not_hear(unheard: int) -> None:
    field = ModelField([ModelChip(systems=dict(IN_USE))], fault=silent_to({unheard}))
    assert scan(field).verdict in NEITHER_CLEAN_NOR_SILENT


def test_passes_that_differ() -> None:
    chip = ModelChip(systems={0xFE00: EDY})
    half = exchanges_of(ModelChip(systems={0xFE00: EDY}), passes=1)

    def clean(number: int) -> None:
        if number == half:
            chip.systems[0xFE00] = (ROOT,)

    found = scan(ModelField([chip], before=clean))
    assert found.verdict is ChipVerdict.INCONSISTENT
    assert found.detail == "two passes show different nodes"
    assert (found.chip, found.systems, found.baseline, found.passes) == (None, (), None, 0)


@pytest.mark.parametrize("other_pmm", [PHONE_PMM, CARD_PMM])
def test_another_chip_at_any_moment(other_pmm: bytes) -> None:
    first = exchanges_of(ModelChip(), passes=1)
    for moment in range(1, first + 1):
        field = ModelField([ModelChip()])

        def swap(number: int, field: ModelField = field, moment: int = moment) -> None:
            if number == moment:
                field.chips[:] = [ModelChip(serial=OTHER_SERIAL, pmm=other_pmm)]

        field.before = swap
        assert scan(field).verdict in {ChipVerdict.INCONSISTENT, ChipVerdict.UNREADABLE}, moment


def test_another_chip_in_the_second_pass() -> None:
    field = ModelField([ModelChip()])
    first = exchanges_of(ModelChip(), passes=1)

    def swap(number: int) -> None:
        if number == first:
            field.chips[:] = [ModelChip(serial=OTHER_SERIAL)]

    field.before = swap
    found = scan(field)
    assert found.verdict is ChipVerdict.INCONSISTENT
    assert found.detail == "another chip answered in another pass"


def test_handset_and_card_together() -> None:
    """They answer at once where both know the system, and one of them where it alone does."""
    card = ModelChip(systems={0x0003: TRANSIT}, pmm=CARD_PMM, serial=OTHER_SERIAL)
    assert scan(ModelField([ModelChip(), card])).verdict in {
        ChipVerdict.INCONSISTENT,
        ChipVerdict.UNREADABLE,
    }


def test_the_stronger_of_two_answers_the_wildcard() -> None:
    card = ModelChip(systems={0x0003: TRANSIT}, pmm=CARD_PMM, serial=OTHER_SERIAL)
    handset = ModelChip()

    def stronger(request: bytes, answer: bytes | None) -> bytes | None:
        return handset.answer(request) or card.answer(request)

    found = scan(ModelField(fault=stronger))
    assert found.verdict is ChipVerdict.INCONSISTENT
    assert found.detail == "two chips answer, or the chip has changed"


def test_two_answers_in_one() -> None:
    other = ModelChip(serial=OTHER_SERIAL)

    def both(request: bytes, answer: bytes | None) -> bytes | None:
        return (answer or b"") + (other.answer(request) or b"") if request[1] == 0 else answer

    found = scan(ModelField([ModelChip()], fault=both))
    assert found.verdict is ChipVerdict.INCONSISTENT


def test_a_reader_that_answers_every_polling_from_its_memory() -> None:
    for form in (0, 1):
        chip = ModelChip(polling_forms=frozenset({form}))
        kept = chip.answer(bytes((6, 0, 0xFF, 0xFF, form, 0)))

        def remember(
            request: bytes, answer: bytes | None, form: int = form, kept: bytes | None = kept
        ) -> bytes | None:
            return kept if request[1] == 0 and request[4] == form else answer

        found = scan(ModelField([chip], fault=remember))
        assert found.verdict is ChipVerdict.UNREADABLE


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


@pytest.mark.parametrize(
    ("code", "answer", "says"),
    [
        pytest.param(0x1A, endless_list, "goes on after|more than|twice", id="endless list"),
        pytest.param(0x1A, code_list(True, [ROOT], []), "stands twice", id="the same for ever"),
        pytest.param(0x1A, code_list(True, [], []), "is empty", id="empty and more"),
        pytest.param(0x1A, code_list(False, [], []), "root area isn't", id="no root"),
        pytest.param(0x1A, code_list(False, [ROOT, ROOT], []), "twice", id="two roots"),
        pytest.param(0x1A, code_list(False, [ROOT], [0x1008] * 2), "twice", id="same service"),
        pytest.param(
            0x1A,
            code_list(False, [ROOT, (0x1000, 0x17FF), (0x1400, 0x1FFF)], []),
            "1400-1FFF lies outside",
            id="areas cross",
        ),
        pytest.param(
            0x1A, code_list(False, [ROOT, (0x1000, 0xFFFF)], []), "outside", id="beyond the root"
        ),
        pytest.param(0x0A, endless_search, "goes on after|more than", id="endless search"),
        pytest.param(
            0x0A, lambda idm, index: frame(0x0B, idm, le(8)), "twice", id="one service for ever"
        ),
        pytest.param(
            0x0A,
            lambda idm, index: frame(0x0B, idm, le(0xFFFF if index else 0x1008)),
            "root area isn't",
            id="search without root",
        ),
        pytest.param(0x0C, lambda idm, index: frame(0x0D, idm, b"\0"), "no system", id="no system"),
        pytest.param(
            0x0C,
            lambda idm, index: frame(0x0D, idm, bytes((100,)), *(le(c) for c in range(100))),
            "listed but doesn't answer",
            id="a hundred systems",
        ),
    ],
)
def test_lists_that_no_chip_gives(code: int, answer: Answer, says: str) -> None:
    commands = OLD_COMMANDS | ({0x1A} if code == 0x1A else set())
    pmm = PHONE_PMM if code == 0x1A else OLD_PMM
    chip = ModelChip(systems={0xFE00: (ROOT,)}, commands=commands, pmm=pmm)
    field = ModelField([chip], fault=instead(code, answer))
    found = scan(field)
    assert found.verdict is ChipVerdict.UNREADABLE, found
    assert any(part in found.detail for part in says.split("|")), found.detail
    assert field.exchanges < 1200


def test_a_chip_that_denies_its_root_area() -> None:
    chip = ModelChip(systems={0xFE00: (0x1008,)}, commands=frozenset({0x00, 0x02, 0x0C}))
    found = scan(ModelField([chip]))
    assert found.verdict is ChipVerdict.UNREADABLE
    assert "denies its root area" in found.detail


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
