"""Frames against vectors built by hand from the protocol, and against any bytes; their times."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import struct

import pytest
from chip_model import PHONE_PMM, SERIAL, be, frame, le
from hypothesis import given
from hypothesis import strategies as st

import benchd.devices.felica
from benchd.devices.felica.protocol.block_read import Block, ReadWithoutEncryption
from benchd.devices.felica.protocol.chip_errors import (
    AnotherChip,
    ChipFault,
    FrameInvalid,
    StatusRefused,
)
from benchd.devices.felica.protocol.chip_facts import (
    ContainerIssue,
    GetContainerIssueInformation,
    RequestProductInformation,
    RequestResponse,
    RequestSpecificationVersion,
    ResetMode,
    SpecificationVersion,
)
from benchd.devices.felica.protocol.chip_frames import Command, CommandCode, seal
from benchd.devices.felica.protocol.codes import Area, Service
from benchd.devices.felica.protocol.generation import (
    Generation,
    generation_of,
    is_handset_chip,
    lists_codes,
)
from benchd.devices.felica.protocol.node_facts import (
    BlockCounts,
    KeyVersions,
    RequestBlockInformation,
    RequestBlockInformationEx,
    RequestService,
    RequestServiceV2,
)
from benchd.devices.felica.protocol.node_lists import (
    CodeListPacket,
    RequestCodeList,
    RequestSystemCode,
    SearchServiceCode,
)
from benchd.devices.felica.protocol.polling import (
    BARE,
    WITH_PERFORMANCE,
    WITH_SYSTEM_CODE,
    Poll,
    Polling,
)
from benchd.devices.felica.protocol.timing import (
    LONGEST_TIMEOUT_S,
    OVERHEAD_S,
    TimingClass,
    command_timeout_s,
    response_time_s,
)

READING = {
    0x00, 0x02, 0x04, 0x06, 0x0A, 0x0C, 0x0E, 0x1A, 0x1E, 0x22, 0x32, 0x3A, 0x3C, 0x3E
}  # fmt: skip
IDM = SERIAL
SECOND_SERVICE = Block(service_index=1, number=0)
OTHER = bytes.fromhex("1140A1B2C3D4E5F6")

REQUESTS: list[tuple[Command, str]] = [
    (RequestService(idm=IDM, nodes=(0x090F, 0xFFFF)), "0F 02 {idm} 02 0F09 FFFF"),
    (RequestResponse(idm=IDM), "0A 04 {idm}"),
    (
        ReadWithoutEncryption(
            idm=IDM, services=(0x090F,), blocks=(Block(service_index=0, number=0),)
        ),
        "10 06 {idm} 01 0F09 01 80 00",
    ),
    (
        ReadWithoutEncryption(
            idm=IDM,
            services=(0x090F, 0x184B),
            blocks=(Block(service_index=1, number=0x0102), Block(service_index=0, number=3)),
        ),
        "15 06 {idm} 02 0F09 4B18 02 01 0201 80 03",
    ),
    (SearchServiceCode(idm=IDM, index=0), "0C 0A {idm} 0000"),
    (SearchServiceCode(idm=IDM, index=0x0102), "0C 0A {idm} 0201"),
    (RequestSystemCode(idm=IDM), "0A 0C {idm}"),
    (RequestBlockInformation(idm=IDM, nodes=(0,)), "0D 0E {idm} 01 0000"),
    (RequestCodeList(idm=IDM, parent=0, index=0), "0E 1A {idm} 0000 0000"),
    (RequestCodeList(idm=IDM, parent=0x1000, index=0x0102), "0E 1A {idm} 0010 0201"),
    (RequestBlockInformationEx(idm=IDM, nodes=(0x1000,)), "0D 1E {idm} 01 0010"),
    (GetContainerIssueInformation(idm=IDM), "0C 22 {idm} 0000"),
    (RequestServiceV2(idm=IDM, nodes=(0x1008,)), "0D 32 {idm} 01 0810"),
    (RequestProductInformation(idm=IDM), "0A 3A {idm}"),
    (RequestSpecificationVersion(idm=IDM), "0C 3C {idm} 0000"),
    (ResetMode(idm=IDM), "0C 3E {idm} 0000"),
]

READ_BLOCK = ReadWithoutEncryption(
    idm=IDM, services=(9,), blocks=(Block(service_index=0, number=0),)
)
LIST = RequestCodeList(idm=IDM, parent=0, index=0)
SEARCH = SearchServiceCode(idm=IDM, index=0)
CARRIER = bytes.fromhex("0102030405")
ROOT, INNER = Area(start=0, end=0xFFFE), Area(start=0x1000, end=0x173F)
NO_MORE = CodeListPacket(areas=(), services=(), more=False)
MORE = CodeListPacket(areas=(ROOT, INNER), services=(Service(code=0x110B),), more=True)
KEYS = RequestServiceV2(idm=IDM, nodes=(0,))
AES_KEY = KeyVersions(encryption=0x41, aes=(1,), des=None)
BOTH_KEYS = KeyVersions(encryption=0x43, aes=(1,), des=(None,))
COUNTS = RequestBlockInformationEx(idm=IDM, nodes=(0,))
PRODUCT = "1801020308475001d70077202501"
SPECIFIED = SpecificationVersion(basic="0500", options=("0510",))
ISSUED = ContainerIssue(carrier=CARRIER, model="PHONE 1")
ANSWERS: list[tuple[Command, str, object]] = [
    (RequestService(idm=IDM, nodes=(0x090F, 1)), "0F 03 {idm} 02 0100 FFFF", (1, None)),
    (RequestResponse(idm=IDM), "0B 05 {idm} 02", 2),
    (READ_BLOCK, "1D 07 {idm} 00 00 01 " + "AB" * 16, (b"\xab" * 16,)),
    (SEARCH, "0E 0B {idm} 0000 FEFF", ROOT),
    (SearchServiceCode(idm=IDM, index=1), "0C 0B {idm} 0F09", Service(code=0x090F)),
    (SearchServiceCode(idm=IDM, index=2), "0C 0B {idm} FFFF", None),
    (RequestSystemCode(idm=IDM), "0F 0D {idm} 02 FE00 0003", (0xFE00, 0x0003)),
    (RequestBlockInformation(idm=IDM, nodes=(0, 9)), "0F 0F {idm} 02 FB04 0200", (1275, 2)),
    (LIST, "19 1B {idm} 00 00 01 02 0000 FEFF 0010 3F17 01 0B11", MORE),
    (RequestCodeList(idm=IDM, parent=0, index=1), "0F 1B {idm} 00 00 00 00 00", NO_MORE),
    (COUNTS, "11 1F {idm} 00 00 01 0200 0300", (BlockCounts(assigned=2, free=3),)),
    (
        GetContainerIssueInformation(idm=IDM),
        "1A 23 {idm} 0102030405 5048 4F4E 4520 31 00000000",
        ISSUED,
    ),
    (KEYS, "10 33 {idm} 00 00 41 01 0100", AES_KEY),
    (KEYS, "12 33 {idm} 00 00 43 01 0100 FFFF", BOTH_KEYS),
    (
        RequestProductInformation(idm=IDM),
        "1B 3B {idm} 00 00 0E " + PRODUCT,
        bytes.fromhex(PRODUCT),
    ),
    (RequestSpecificationVersion(idm=IDM), "12 3D {idm} 00 00 00 0005 01 1005", SPECIFIED),
    (ResetMode(idm=IDM), "0C 3F {idm} 00 00", None),
]


def wire(text: str) -> bytes:
    data = bytearray.fromhex(text.format(idm=IDM.hex()))
    assert data[0] == len(data), f"the vector itself: {len(data):02X}"
    return bytes(data)


@pytest.mark.parametrize(("command", "expected"), REQUESTS)
def test_requests_are_exactly_these_bytes(command: Command, expected: str) -> None:
    assert command.encode() == wire(expected)


@pytest.mark.parametrize(("command", "answer", "value"), ANSWERS)
def test_answers_mean_this_and_none_of_another_size_chip_or_command_is_taken(
    command: Command, answer: str, value: object
) -> None:
    whole = wire(answer)
    assert command.decode(whole) == value
    for size in range(len(whole)):
        with pytest.raises(ChipFault):
            command.decode(whole[:size])
        if (command.code, size) == (0x32, 16):  # without its second part it is another answer
            continue
        with pytest.raises(ChipFault):
            command.decode(bytes((size,)) + whole[1:size])
    with pytest.raises(FrameInvalid):
        command.decode(whole + b"\0")
    with pytest.raises(AnotherChip):
        command.decode(whole[:2] + OTHER + whole[10:])
    with pytest.raises(FrameInvalid, match="response code"):
        command.decode(whole[:1] + bytes((whole[1] ^ 2,)) + whole[2:])


@pytest.mark.parametrize(
    "command",
    [
        *(LIST, KEYS, COUNTS, READ_BLOCK, ResetMode(idm=IDM)),
        *(RequestProductInformation(idm=IDM), RequestSpecificationVersion(idm=IDM)),
    ],
)
def test_a_refusal_carries_its_flags(command: Command) -> None:
    with pytest.raises(StatusRefused) as refused:
        command.decode(frame(command.code + 1, IDM, b"\xff\xa6"))
    assert (refused.value.flag1, refused.value.flag2) == (0xFF, 0xA6)
    with pytest.raises(FrameInvalid):
        command.decode(frame(command.code + 1, IDM, b"\xff\xa6\0"))
    with pytest.raises(FrameInvalid):
        command.decode(frame(command.code + 1, IDM, b"\0\xa6"))


IMPOSSIBLE: dict[Command, list[str]] = {
    RequestService(idm=IDM, nodes=(1, 2)): ["01 0100 0100"],
    RequestResponse(idm=IDM): ["04"],
    RequestSystemCode(idm=IDM): ["00", "02 FE00 FE00"],
    SEARCH: ["FEFF 0000", "0110"],
    LIST: [
        "00 00 02 00 00",
        "00 00 00 01 0020 0010 00",
        "00 00 00 00 FF",
        "00 00 00 01 0810 3F17 00",
        "00 00 00 00 01 0110",
    ],
    RequestServiceV2(idm=IDM, nodes=(1,)): ["00 00 41 02 0100"],
    RequestSpecificationVersion(idm=IDM): ["00 00 01 0005 00", "00 00 00 0A05 00"],
    RequestProductInformation(idm=IDM): ["00 00 02 01"],
}


@pytest.mark.parametrize(
    ("command", "rest"), [(command, rest) for command in IMPOSSIBLE for rest in IMPOSSIBLE[command]]
)
def test_counts_orders_and_values_that_cannot_be(command: Command, rest: str) -> None:
    with pytest.raises(FrameInvalid):
        command.decode(frame(command.code + 1, IDM, bytes.fromhex(rest)))


def test_polling() -> None:
    assert Polling(system=0xFFFF).encode() == bytes.fromhex("0600FFFF0100")
    assert Polling(system=0xFE00, request=BARE).encode() == bytes.fromhex("0600FE000000")
    assert Polling(system=3, request=2, slots=16).encode() == bytes.fromhex("06000003020F")
    plain, asked = frame(1, IDM, PHONE_PMM), frame(1, IDM, PHONE_PMM, be(0xFE00))
    poll = Polling(system=0xFE00, request=WITH_SYSTEM_CODE).decode(asked)
    assert poll == Poll(idm=IDM, pmm=PHONE_PMM, extra=0xFE00)
    assert poll.ic_type == 0x18
    assert Polling(system=0xFE00, request=BARE).decode(plain).extra is None
    for polling, wrong in ((BARE, asked), (WITH_SYSTEM_CODE, plain), (WITH_PERFORMANCE, plain)):
        with pytest.raises(FrameInvalid):
            Polling(system=0xFE00, request=polling).decode(wrong)


def test_two_chips_in_one_answer_to_polling_and_one_chip_in_all_its_systems() -> None:
    for request, extra in ((BARE, b""), (WITH_SYSTEM_CODE, be(0xFE00))):
        both = frame(1, IDM, PHONE_PMM, extra) + frame(1, OTHER, PHONE_PMM, extra)
        with pytest.raises(AnotherChip):
            Polling(system=0xFE00, request=request).decode(both)
    container = Poll(idm=bytes.fromhex("F140A1B2C3D4E5F6"), pmm=PHONE_PMM, extra=None)
    assert container.chip == Poll(idm=IDM, pmm=PHONE_PMM, extra=None).chip
    assert container.chip != Poll(idm=IDM[:7] + b"\0", pmm=PHONE_PMM, extra=None).chip


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Polling, {"system": 0x10000}),
        (Polling, {"system": 0, "request": 3}),
        (Polling, {"system": 0, "slots": 3}),
        (RequestResponse, {"idm": IDM[:7]}),
        (RequestService, {"idm": IDM, "nodes": ()}),
        (RequestService, {"idm": IDM, "nodes": tuple(range(33))}),
        (RequestService, {"idm": IDM, "nodes": (-1,)}),
        (SearchServiceCode, {"idm": IDM, "index": 0x10000}),
        (RequestCodeList, {"idm": IDM, "parent": 0x10000, "index": 0}),
        (ReadWithoutEncryption, {"idm": IDM, "services": (9,), "blocks": ()}),
        (ReadWithoutEncryption, {"idm": IDM, "services": (9,), "blocks": (SECOND_SERVICE,)}),
    ],
)
def test_requests_that_no_frame_holds_are_not_made(kind: type, values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        kind(**values)


def test_nothing_in_the_room_writes_issues_or_asks_for_a_key() -> None:
    assert {int(code) for code in CommandCode} == READING
    encoders = []
    for module in pkgutil.walk_packages(benchd.devices.felica.__path__, "benchd.devices.felica."):
        members = vars(importlib.import_module(module.name)).values()
        encoders += [each for each in members if inspect.isclass(each) and hasattr(each, "encode")]
    codes = {each.code for each in encoders if "code" in vars(each)}
    assert codes == set(CommandCode), "every command has its encoder, and there are no others"
    for code in (0x08, 0x10, 0x14, 0x16, 0x20, 0x40, 0x46, 0x80, 0x82, 0x84, 0x8E):
        with pytest.raises(ValueError, match="not a valid CommandCode"):
            seal(code, b"")  # pyright: ignore[reportArgumentType]


nodes = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=32).map(tuple)
word = st.integers(0, 0xFFFF)
idms = st.binary(min_size=8, max_size=8)


@st.composite
def reads(draw: st.DrawFn) -> ReadWithoutEncryption:
    services = tuple(draw(st.lists(word, min_size=1, max_size=16)))
    block = st.builds(Block, service_index=st.integers(0, len(services) - 1), number=word)
    blocks = tuple(draw(st.lists(block, min_size=1, max_size=15)))
    return ReadWithoutEncryption(idm=draw(idms), services=services, blocks=blocks)


OF_NODES = (RequestService, RequestServiceV2, RequestBlockInformation, RequestBlockInformationEx)
OF_THE_CHIP = {
    type(command) for command, _ in REQUESTS if set(dataclasses.asdict(command)) == {"idm"}
}
commands = st.one_of(
    reads(),
    *(st.builds(kind, idm=idms, nodes=nodes) for kind in OF_NODES),
    *(st.builds(kind, idm=idms) for kind in OF_THE_CHIP),
    st.builds(SearchServiceCode, idm=idms, index=word),
    st.builds(RequestCodeList, idm=idms, parent=word, index=word),
)
pollings = st.builds(
    Polling, system=word, request=st.sampled_from((0, 1, 2)), slots=st.sampled_from((1, 2, 4, 8))
)


@given(command=commands | pollings, junk=st.binary(max_size=300))
def test_any_bytes_are_a_value_or_a_named_error(command: Command | Polling, junk: bytes) -> None:
    assert len(command.encode()) == command.encode()[0] <= 255
    head = b"" if isinstance(command, Polling) else command.idm
    body = (head + junk)[:253]
    for answer in (junk, bytes((len(body) + 2, command.code + 1)) + body):
        try:
            command.decode(answer)
        except ChipFault as fault:
            said = str(fault)
            assert said.isprintable()
            assert 0 < len(said) < 120


@given(command=commands)
def test_requests_carry_what_they_were_made_of(command: Command) -> None:
    sent = command.encode()
    assert (sent[1], sent[2:10]) == (command.code, command.idm)
    rest = sent[10:]
    values = dataclasses.asdict(command)
    if asked := values.get("nodes"):
        assert rest[0] == len(asked)
        assert struct.unpack(f"<{len(asked)}H", rest[1:]) == asked
    elif isinstance(command, ReadWithoutEncryption):
        assert read_request(rest) == (command.services, command.blocks)
    elif "index" in values:
        expected = [values["parent"]] if "parent" in values else []
        assert rest == b"".join(map(le, [*expected, values["index"]]))
    else:
        assert rest in {b"", b"\0\0"}


def read_request(rest: bytes) -> tuple[tuple[int, ...], tuple[Block, ...]]:
    services = struct.unpack_from(f"<{rest[0]}H", rest, 1)
    at = 1 + 2 * rest[0]
    count, at = rest[at], at + 1
    blocks = []
    for _ in range(count):
        short = rest[at] & 0x80
        number = rest[at + 1] if short else struct.unpack_from("<H", rest, at + 1)[0]
        blocks.append(Block(service_index=rest[at] & 0x0F, number=number))
        at += 2 if short else 3
    assert at == len(rest)
    return services, tuple(blocks)


area = st.builds(
    lambda number, attribute, size: Area(
        start=number << 6 | attribute, end=min(0xFFFF, (number << 6) + 1 + size)
    ),
    number=st.integers(0, 0x3FF),
    attribute=st.integers(0, 1),
    size=word,
)
service = word.filter(lambda code: code & 0x3F > 1).map(lambda code: Service(code=code))


@given(
    areas=st.lists(area, max_size=25), services=st.lists(service, max_size=50), more=st.booleans()
)
def test_lists_of_nodes_come_back_as_they_were(
    areas: list[Area], services: list[Service], more: bool
) -> None:
    answer = frame(
        0x1B,
        IDM,
        bytes((0, 0, more, len(areas))),
        *(le(a.start) + le(a.end) for a in areas),
        bytes((len(services),)),
        *(le(s.code) for s in services),
    )
    packet = RequestCodeList(idm=IDM, parent=0, index=0).decode(answer)
    assert packet == CodeListPacket(areas=tuple(areas), services=tuple(services), more=more)


@pytest.mark.parametrize(
    ("timing", "units", "expected_ms"),
    [
        (TimingClass.VARIABLE, 0, 19.3),
        (TimingClass.VARIABLE, 1, 29.0),
        (TimingClass.FIXED, 0, 33.8),
        (TimingClass.READ, 1, 72.5),
        (TimingClass.READ, 15, 614),
        (TimingClass.OTHER, 0, 154.7),
    ],
)
def test_times_of_a_published_handset(timing: TimingClass, units: int, expected_ms: float) -> None:
    assert response_time_s(PHONE_PMM, timing, units) * 1000 == pytest.approx(expected_ms, rel=0.003)


def test_commands_wait_half_as_long_again_as_the_chip_may_take_and_polling_for_all_slots() -> None:
    asked = RequestService(idm=SERIAL, nodes=tuple(range(32)))
    longest = response_time_s(PHONE_PMM, TimingClass.VARIABLE, 32)
    assert asked.timeout_s(PHONE_PMM) == pytest.approx(1.5 * longest + OVERHEAD_S)
    assert SearchServiceCode(idm=SERIAL, index=0).timeout_s(PHONE_PMM) > 0.1
    assert Polling(system=0xFFFF).timeout_s >= 0.005 + OVERHEAD_S
    assert Polling(system=0xFFFF, slots=16).timeout_s >= 0.022 + OVERHEAD_S


@given(
    pmm=st.binary(min_size=8, max_size=8),
    timing=st.sampled_from(TimingClass),
    units=st.integers(0, 120),
)
def test_no_pmm_asks_for_no_time_or_for_ever(pmm: bytes, timing: TimingClass, units: int) -> None:
    assert OVERHEAD_S + 0.0045 <= command_timeout_s(pmm, timing, units) <= LONGEST_TIMEOUT_S


def test_generations() -> None:
    assert {ic for ic in range(256) if is_handset_chip(ic)} == {0x06, 0x07, *range(0x10, 0x20)}
    assert generation_of(0x13) is Generation.MOBILE_2
    assert generation_of(0x15) is Generation.MOBILE_3
    assert generation_of(0x16) is Generation.MOBILE_4_APPLE
    assert generation_of(0x17) is Generation.MOBILE_4
    assert generation_of(0x20) is None
    assert {ic for ic in range(256) if lists_codes(ic)} == set(range(0x18, 0x20))
