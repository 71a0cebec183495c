"""Changes the tables of slots in a configuration's text, and nothing else in it. No I/O."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError

from benchd.domain.errors import UsageRefused
from benchd.domain.ids import PortPath, SlotName

_MARK: Final = "\ufeff"
"""The byte-order mark that editors on Windows put first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotEntry:
    """What was learned of one slot; None leaves what stands there."""

    port: PortPath | None = None
    reader: str | None = None

    def keys(self) -> dict[str, str]:
        """The keys to set in the slot's table."""
        told = {"port": self.port, "reader": self.reader}
        return {key: str(value) for key, value in told.items() if value is not None}


def with_slots(text: str, slots: Mapping[SlotName, SlotEntry]) -> str:
    """The text with these keys of these slots set; comments, order and all other keys stay.

    The text is valid TOML. Raises UsageRefused where it is written in a way in which that
    can't be done: nothing is returned that says anything else than asked for.
    """
    changes = {name: keys for name, entry in slots.items() if (keys := entry.keys())}
    if not changes:
        return text
    mark, body = (_MARK, text[1:]) if text.startswith(_MARK) else ("", text)
    try:
        changed = _edited(body, changes)
    except (TOMLKitError, TypeError, AttributeError, ValueError, KeyError) as error:
        raise UsageRefused(_by_hand(changes)) from error
    if not _says(changed, _wanted(body, changes)):
        raise UsageRefused(_by_hand(changes))
    return mark + changed


def _edited(text: str, changes: Mapping[SlotName, Mapping[str, str]]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    # tomlkit's containers have no useful types of their own.
    document: Any = tomlkit.parse(text if text.endswith("\n") else text + newline)
    if "slots" not in document:
        document["slots"] = tomlkit.table(is_super_table=True)
    slots: Any = document["slots"]
    for name, keys in changes.items():
        if name not in slots:
            slots[name] = _new_table(keys)
            continue
        for key, value in keys.items():
            if slots[name].get(key) != value:
                slots[name][key] = value
    changed = tomlkit.dumps(document)  # pyright: ignore[reportUnknownMemberType]
    return changed if newline == "\n" else changed.replace("\r\n", "\n").replace("\n", newline)


def _new_table(keys: Mapping[str, str]) -> Any:  # noqa: ANN401 - tomlkit's
    table: Any = tomlkit.table()
    for key, value in keys.items():
        table[key] = value
    return table


def _wanted(text: str, changes: Mapping[SlotName, Mapping[str, str]]) -> dict[str, object]:
    """What the changed text has to say, made without tomlkit."""
    data: dict[str, object] = tomllib.loads(text)
    slots = dict(cast("dict[str, dict[str, object]]", data.get("slots", {})))
    for name, keys in changes.items():
        slots[name] = {**slots.get(name, {}), **keys}
    return {**data, "slots": slots}


def _says(text: str, wanted: Mapping[str, object]) -> bool:
    try:
        # By their written form, since a nan isn't equal to itself.
        return repr(_ordered(tomllib.loads(text))) == repr(_ordered(wanted))
    except tomllib.TOMLDecodeError:
        return False


def _ordered(value: object) -> object:
    match value:
        case dict():
            table = cast("dict[str, object]", value)
            return {key: _ordered(table[key]) for key in sorted(table)}
        case list():
            return [_ordered(element) for element in cast("list[object]", value)]
        case _:
            return value


def _by_hand(changes: Mapping[SlotName, Mapping[str, str]]) -> str:
    lines = [
        "this file's slots are written in a way that can't be changed here; write them yourself:"
    ]
    for name, keys in changes.items():
        lines += ["", f"[slots.{name}]"]
        lines += [f"{key} = {tomlkit.item(value).as_string()}" for key, value in keys.items()]
    return "\n".join(lines)
