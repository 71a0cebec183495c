"""The lines that give an unknown port a slot, ready to be pasted into the configuration."""

from __future__ import annotations

import re
from collections.abc import Collection

from benchd.model import PortPath, SlotName

_NUMBERED = re.compile(r"([A-Za-z0-9_-]*?)([0-9]{1,6})")
_FIRST_ROW = "A"


def unknown_port_line(port_path: PortPath, slot_names: Collection[SlotName] = ()) -> str:
    """The TOML of a slot on this port, under the next name that the rack's numbering has free."""
    return f'[slots.{_free_name(slot_names)}]\nport = "{_escaped(port_path)}"'


def _free_name(slot_names: Collection[SlotName]) -> str:
    """The highest number of the row that was named last, plus one: A1, A2, B1 goes on with B2."""
    matches = [found for name in slot_names if (found := _NUMBERED.fullmatch(name))]
    row = matches[-1].group(1) if matches else _FIRST_ROW
    digits = [found.group(2) for found in matches if found.group(1) == row]
    width = len(digits[-1]) if digits else 1
    number = max(map(int, digits), default=0) + 1
    while (name := f"{row}{number:0{width}d}") in slot_names:
        number += 1
    return name


def _escaped(text: str) -> str:
    """As the inside of a TOML basic string."""
    return "".join(
        f"\\u{ord(letter):04X}" if letter in '"\\\x7f' or letter < " " else letter
        for letter in text
    )
