"""The port of a reader by what its driver says, with drivers old and new."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from benchd.devices.felica.readers.pcsc import Connection, Context
from benchd.devices.felica.readers.usb_ports import port_of_reader
from benchd.devices.felica.readers.wrapping import Channel


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
        (FakeDriver("1-4.2.3:1.0", 0x00200107), "1-4.2.3"),
        (FakeDriver(None, 0x00200107), "1-4"),
        (FakeDriver(None, 0x00200199), None),
        (FakeDriver("", 0x00200107), None),
        (FakeDriver(None, None), None),
    ],
)
def test_the_newest_way_comes_first(tmp_path: Path, driver: FakeDriver, port: str | None) -> None:
    (tmp_path / "1-4").mkdir()
    (tmp_path / "1-4" / "busnum").write_text("1\n")
    (tmp_path / "1-4" / "devnum").write_text("7\n")
    context, connection = cast("Context", driver), Connection(1, 0, Channel.ESCAPE)
    assert port_of_reader(context, connection, tmp_path) == port
