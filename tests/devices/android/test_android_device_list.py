"""The server's list of transports."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.server.device_list import read_device_list
from benchd.domain.port import Liveness

NO_PERMISSION = (
    "no permissions (missing udev rules? user is in the plugdev group);"
    " see [http://developer.android.com/tools/device.html]"
)


@pytest.mark.parametrize(
    ("line", "address", "liveness", "transport_id"),
    [
        (
            "0123456789ABCDEF       device usb:2-1 product:SO-51C model:XQ_AS42 transport_id:3",
            "usb:2-1",
            Liveness.READY,
            3,
        ),
        (
            "R58M1234567            device usb:1-1.4.2 transport_id:12",
            "usb:1-1.4.2",
            Liveness.READY,
            12,
        ),
        (
            "R58M1234567            unauthorized usb:1-1 transport_id:4",
            "usb:1-1",
            Liveness.UNAUTHORIZED,
            4,
        ),
        (
            f"????????????           {NO_PERMISSION} usb:1-2 transport_id:5",
            "usb:1-2",
            Liveness.NO_PERMISSION,
            5,
        ),
        (
            f"(no serial number)     {NO_PERMISSION} usb:1-3 transport_id:6",
            "usb:1-3",
            Liveness.NO_PERMISSION,
            6,
        ),
        (
            "127.0.0.1:16001        offline transport_id:7",
            "127.0.0.1:16001",
            Liveness.OFFLINE,
            7,
        ),
        (
            "127.0.0.1:16002        recovery product:SO 51C model:XQ transport_id:8",
            "127.0.0.1:16002",
            Liveness.WRONG_MODE,
            8,
        ),
        (
            "x                      authorizing usb:4-1 transport_id:9",
            "usb:4-1",
            Liveness.OFFLINE,
            9,
        ),
        (
            "two words              device usb:5-1 product:p q model:m transport_id:10",
            "usb:5-1",
            Liveness.READY,
            10,
        ),
    ],
)
def test_a_line(line: str, address: str, liveness: Liveness, transport_id: int) -> None:
    (found,) = read_device_list(line + "\n")
    assert (found.address, found.liveness, found.transport_id) == (
        AdbAddress(address),
        liveness,
        transport_id,
    )


def test_equal_serials_are_told_apart_by_their_ports() -> None:
    text = "".join(
        f"0123456789ABCDEF       device usb:2-{port} model:X transport_id:{port}\n"
        for port in range(1, 65)
    )
    found = read_device_list(text)
    assert len(found) == 64
    assert (found[-1].address, found[-1].transport_id) == ("usb:2-64", 64)


def claimed(text: str, address: str) -> list[tuple[Liveness, int]]:
    return [
        (claim.liveness, claim.transport_id)
        for claim in read_device_list(text)
        if claim.address == address
    ]


def test_an_address_that_is_claimed_twice_keeps_both_claims() -> None:
    text = (
        "honest                 device usb:1-1 model:X transport_id:1\n"
        "liar                   device usb:1-1 model:X transport_id:2\n"
    )
    assert claimed(text, "usb:1-1") == [(Liveness.READY, 1), (Liveness.READY, 2)]


def test_a_line_that_can_be_read_in_two_ways_claims_both() -> None:
    """A serial that reads like a state and a path doesn't hide the path that adb has written."""
    text = "x device usb:1-1 model: device usb:1-9 model:X transport_id:4\n"
    assert claimed(text, "usb:1-1") == claimed(text, "usb:1-9") == [(Liveness.READY, 4)]


@pytest.mark.parametrize("break_", ["\r", "\x0b", "\x85", "\u2028"])
def test_only_what_ends_a_line_for_adb_ends_one(break_: str) -> None:
    text = f"x{break_}y device usb:1-1 transport_id:9{break_}z device usb:1-9 transport_id:4\n"
    assert [claim.transport_id for claim in read_device_list(text)] == [4]


def test_lines_that_are_none_are_left_out() -> None:
    assert read_device_list("") == ()
    assert read_device_list("List of devices attached\n\nx device usb:1-1\n") == ()


@given(text=some.text(max_size=300))
def test_any_text_is_a_list(text: str) -> None:
    read_device_list(text)
