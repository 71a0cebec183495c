"""From names and USB ports to readers, dialects and slots."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from benchd.devices.felica.readers.pcsc import Connection, Context
from benchd.devices.felica.readers.reader_assignment import WALL, ReaderSeen, assign
from benchd.devices.felica.readers.reader_frames import WRAPPINGS, Channel
from benchd.devices.felica.readers.reader_models import model_of, reader_models, stable_name
from benchd.devices.felica.readers.usb_ports import (
    plugged_readers,
    port_of_channel,
    port_of_interface,
    port_of_reader,
)
from benchd.domain.ids import SlotName

A1, A2 = SlotName("A1"), SlotName("A2")


@pytest.mark.parametrize(
    ("name", "wrapping"),
    [
        ("ACS ACR1252 1S CL Reader [ACR1252 Reader PICC] 00 00", "acs_direct"),
        ("ACS ACR1251 1S CL Reader PICC (21120818205972) 03 00", "acs_direct"),
        ("ACS ACR1552 1S CL Reader [ACR1552 Reader PICC] 0A 00", "transparent"),
        ("ACS ACR122U PICC Interface 00 00", "acr122"),
        ("SONY FeliCa RC-S300/P 01 00", "transparent_escape"),
        ("Identiv CLOUD 4700 F Dual Interface Reader [CLOUD 4700 F Contactless] 00 00", "identiv"),
        ("Identiv uTrust 3700 F CL Reader (55041735) 00 00", "identiv"),
        ("SCM Microsystems Inc. SCL3711 00 00", "identiv"),
        ("benchd virtual FeliCa reader 01 00 01", "acs_direct"),
        ("Virtual PCD 00 00", "acs_direct"),
        ("Somebody's reader 00 00", "transparent"),
    ],
)
def test_each_reader_speaks_its_dialect(name: str, wrapping: str) -> None:
    assert model_of(name).wrapping is WRAPPINGS[wrapping]


def test_every_dialect_has_a_reader_and_no_model_names_a_serial() -> None:
    assert {id(model.wrapping) for model in reader_models()} == {id(w) for w in WRAPPINGS.values()}
    assert model_of("ACS ACR1251 PICC (21120818205972) 03 00").model == "ACS ACR1251U/ACR1252U"
    # A name loses only the numbers of the enumeration.
    assert stable_name("SONY FeliCa RC-S300/P 0A 00") == "SONY FeliCa RC-S300/P"
    assert stable_name("Reader 12") == "Reader 12"


def seen(*names: str) -> list[ReaderSeen]:
    return [ReaderSeen(name=name) for name in names]


TWINS = ("SONY FeliCa RC-S300/P 00 00", "SONY FeliCa RC-S300/P 01 00")


@pytest.mark.parametrize(
    ("wanted", "names", "found"),
    [
        # By its name, wherever it was enumerated; with its numbers that slot of the reader.
        (("Reader (7)",), ("Reader (7) 00 00",), ("Reader (7) 00 00",)),
        (("Reader (7)",), ("Reader (7) 0B 00",), ("Reader (7) 0B 00",)),
        (("Reader 00 01",), ("Reader 03 00", "Reader 03 01"), ("Reader 03 01",)),
        # The number of a reader is never trusted, and one reader is never two slots.
        (TWINS, TWINS, (None, None)),
        (("Reader",), ("Reader 00 00", "Reader 01 00"), (None,)),
        (("Reader", "Reader 00 00"), ("Reader 00 00",), (None, None)),
    ],
)
def test_a_reader_is_found_by_a_name_that_is_its_alone(
    wanted: tuple[str, ...], names: tuple[str, ...], found: tuple[str | None, ...]
) -> None:
    assigned = assign(dict(zip((A1, A2), wanted, strict=False)), seen(*names))
    assert tuple(one.reader for one in assigned.values()) == found
    if len(names) == 2 and None in found:
        assert "USB port" in assigned[A1].cause


def test_a_reader_is_found_by_its_port_whatever_its_name() -> None:
    twins = [
        ReaderSeen(name=TWINS[0], usb_port="1-4.2"),
        ReaderSeen(name=TWINS[1], usb_port="1-4.3"),
    ]
    unplaced = ReaderSeen(name="SONY FeliCa RC-S300/P 02 00")
    assigned = assign({A1: "usb:1-4.3", A2: "usb:1-4.2"}, [*twins, unplaced])
    assert (assigned[A1].reader, assigned[A2].reader) == (TWINS[1], TWINS[0])


@pytest.mark.parametrize(
    ("contactless", "other"),
    [
        ("ACS ACR1251 Dual Reader [ACR1251 Dual Reader PICC]", "[ACR1251 Dual Reader ICC]"),
        ("Identiv CLOUD 4700 F [CLOUD 4700 F Contactless Reader]", "[CLOUD 4700 F Contact Reader]"),
    ],
)
def test_of_a_reader_with_two_interfaces_the_contactless_one_is_taken(
    contactless: str, other: str
) -> None:
    both = [
        ReaderSeen(name=f"A {other} 00 00", usb_port="1-4"),
        ReaderSeen(name=f"{contactless} 00 01", usb_port="1-4"),
    ]
    assert assign({A1: "usb:1-4"}, both)[A1].reader == f"{contactless} 00 01"
    strangers = [ReaderSeen(name=f"X 00 0{n}", usb_port="1-4") for n in range(2)]
    assert assign({A1: "usb:1-4"}, strangers)[A1].reader is None


def test_a_name_that_isnt_listed_while_linux_sees_more_readers_tells_of_the_wall() -> None:
    missing = assign({A1: "Reader"}, seen("Other 00 00"), plugged={"1-1", "1-2"})[A1]
    assert WALL in missing.cause
    assert WALL not in assign({A1: "Reader"}, seen("Other 00 00"), plugged={"1-1"})[A1].cause


def test_the_wall_of_sixteen_readers_is_told_with_its_cure() -> None:
    listed = [ReaderSeen(name=f"R {n:02X} 00", usb_port=f"1-4.{n}") for n in range(16)]
    behind = assign({A1: "usb:1-5"}, listed, plugged={"1-5"})[A1]
    assert behind.cause == WALL
    assert "second pcscd" in WALL
    assert assign({A1: "usb:1-5"}, listed)[A1].cause == "it isn't plugged in"


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """A hub with a reader and a handset behind it, as Linux shows them."""
    for device, number in (("1-4", 5), ("1-4.2", 17), ("1-4.3", 18)):
        (tmp_path / device).mkdir()
        (tmp_path / device / "busnum").write_text("1\n")
        (tmp_path / device / "devnum").write_text(f"{number}\n")
    for interface, kind in (("1-4.2:1.0", "0b"), ("1-4.3:1.0", "ff"), ("1-4:1.0", "09")):
        (tmp_path / interface).mkdir()
        (tmp_path / interface / "bInterfaceClass").write_text(f"{kind}\n")
    return tmp_path


def test_linux_tells_where_readers_are(sysfs: Path) -> None:
    assert plugged_readers(sysfs) == {"1-4.2"}
    assert plugged_readers(sysfs / "missing") == set()
    assert port_of_channel(0x0020 << 16 | 1 << 8 | 17, sysfs) == "1-4.2"
    assert port_of_channel(0x0020 << 16 | 1 << 8 | 99, sysfs) is None
    assert port_of_channel(0x0021 << 16 | 1 << 8 | 17, sysfs) is None
    assert port_of_interface("1-4.2.3:1.0") == "1-4.2.3"
    assert port_of_interface("") is None


@dataclass(frozen=True)
class FakeDriver:
    """What libccid would answer; vpcd knows neither call."""

    path: str | None
    channel: int | None

    def usb_path(self, connection: Connection) -> str | None:
        return self.path

    def channel_id(self, connection: Connection) -> int | None:
        return self.channel


@pytest.mark.parametrize(
    ("driver", "port"),
    [
        (FakeDriver("1-4.2.3:1.0", None), "1-4.2.3"),
        (FakeDriver("1-4.2.3:1.0", 0x00200105), "1-4.2.3"),
        (FakeDriver(None, 0x00200105), "1-4"),
        (FakeDriver(None, 0x00200199), None),
        (FakeDriver("", 0x00200105), None),
        (FakeDriver(None, None), None),
    ],
)
def test_the_newest_way_comes_first(sysfs: Path, driver: FakeDriver, port: str | None) -> None:
    context, connection = cast("Context", driver), Connection(1, 0, Channel.ESCAPE)
    assert port_of_reader(context, connection, sysfs) == port
