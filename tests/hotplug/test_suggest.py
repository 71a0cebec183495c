"""The lines to paste for a port that has no slot."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.hotplug import unknown_port_line
from benchd.model import PortPath, SlotName

PORT = PortPath("pci-0000:03:00.0-usb-0:1.4.2")


def test_the_lines_are_exactly_these() -> None:
    assert unknown_port_line(PORT) == ('[slots.A1]\nport = "pci-0000:03:00.0-usb-0:1.4.2"')


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ([], "A1"),
        (["A1", "A2"], "A3"),
        (["A1", "A2", "B1"], "B2"),
        (["A9"], "A10"),
        (["A3", "A1"], "A4"),
        (["slot-01", "slot-02"], "slot-03"),
        (["7"], "8"),
        (["left", "right"], "A1"),
        (["棚1"], "A1"),
        (["A1", "left"], "A2"),
    ],
)
def test_the_name_goes_on_with_the_racks_own_numbering(taken: list[str], name: str) -> None:
    lines = unknown_port_line(PORT, [SlotName(word) for word in taken])
    assert lines.startswith(f"[slots.{name}]\n")


@given(
    st.text(st.characters(codec="utf-8")),
    st.lists(st.one_of(st.text(), st.from_regex(r"[A-Za-z_-]{0,3}[0-9]{1,7}", fullmatch=True))),
)
def test_it_is_always_toml_with_a_free_name(port: str, taken: list[str]) -> None:
    lines = unknown_port_line(PortPath(port), [SlotName(word) for word in taken])
    ((name, slot),) = tomllib.loads(lines)["slots"].items()
    assert slot == {"port": port}
    assert name not in taken
