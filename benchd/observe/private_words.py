"""What must not be read in a log: who a handset is stands in the ledger and on the certificate."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, cast

from benchd.domain.ids import JsonValue
from benchd.domain.record import Entry

PRIVATE_KEYS: Final = frozenset(
    {"serial", "imei", "usb_serial", "android_id", "idm", "account", "key"}
)
MASK: Final = "masked"
SHORTEST_WORD: Final = 6
"""A shorter serial is no one's: masking it would blot out half of every line."""
MOST_WORDS: Final = 1024
OWN_WORDS: Final = frozenset(
    {"event", "level", "timestamp", "slot", "job", "occupancy", "stage", "outcome", "reason"}
)
"""Keys whose values benchd chooses itself: no handset can blot out where a line belongs."""

_IMEI = re.compile(r"(?<!\d)\d{15}(?!\d)")


class PrivateWords:
    """Learns serials and the like from ledger records, and masks them wherever they turn up."""

    def __init__(self) -> None:
        self._words: dict[str, None] = {}

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        self._learn(entry.data)

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open."""
        self._learn(entry.data)

    def _learn(self, data: Mapping[str, JsonValue]) -> None:
        for key, value in data.items():
            if isinstance(value, Mapping):
                self._learn(value)
            elif key in PRIVATE_KEYS and isinstance(value, str) and len(value) >= SHORTEST_WORD:
                self._words.pop(value, None)
                self._words[value] = None
        while len(self._words) > MOST_WORDS:
            del self._words[next(iter(self._words))]

    def mask(self, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Replace in every value of a log line what must not be read, whoever put it there."""
        for key, value in event.items():
            if key in PRIVATE_KEYS:
                event[key] = MASK
            elif key not in OWN_WORDS:
                event[key] = self._masked(value)
        return event

    def _masked(self, value: object) -> object:
        match value:
            case str():
                for word in self._words:
                    value = value.replace(word, MASK)
                return _IMEI.sub(_mask_imei, value)
            case list() | tuple():
                return [self._masked(part) for part in cast("list[object]", value)]
            case dict():
                return self.mask(dict(cast("dict[str, object]", value)))
            case bool() | int() | float() | None:
                return value
            case _:
                return self._masked(str(value))


def _mask_imei(found: re.Match[str]) -> str:
    digits = [int(digit) for digit in found[0]]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return MASK if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else found[0]
