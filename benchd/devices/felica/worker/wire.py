"""What the daemon and a reader worker say to each other: one JSON object a line.

To the worker, first `{"slots": …, "salt": …, "fleet_secret": …, "baselines": …, "signer": …}`,
then requests:
`{"id", "do": "scan", "slot", "passes", "power_cycle", "within_s"}`, `{"id", "do": "capture",
"slot", "capture", "within_s"}`, `{"id", "do": "field_off", "slot", "within_s"}`, `{"id", "do":
"beat"}`, which its loop answers at once, and `{"id", "do": "give_up"}`, whose number is that of the
request meant. From it `{"id", "scan"}`, `{"id", "baseline": text}`, `{"id", "done"}`, `{"id",
"alive"}` or `{"id", "fault" | "gone" | "stuck" | "refused": text}`, and whenever a reader comes or
goes `{"slots": {slot: null | text}}`, with why a reader can't be used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pydantic import TypeAdapter, ValidationError

from benchd.domain.chip import ChipScan
from benchd.domain.errors import BenchdError, ReaderFault, ReaderGone, ReaderStuck
from benchd.domain.ids import SlotName

LONGEST_LINE: Final = 1 << 20
_SCAN: Final = TypeAdapter(ChipScan)
_TROUBLES: Final = TypeAdapter(dict[SlotName, str | None])
_MESSAGE: Final = TypeAdapter(dict[str, object])

Message = Mapping[str, object]

STUCK: Final = (
    "the reader doesn't come back from a command; lift the handset off it, or unplug the reader"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOrder:
    """What a worker is told at its start."""

    slots: Mapping[SlotName, str]
    """The reader of each slot as the configuration names it."""
    salt: bytes
    """What the IDm is hashed with; comes by pipe, since others can read command lines."""
    baselines: tuple[str, ...]
    """Files."""
    fleet_secret: bytes | None = field(default=None, repr=False)
    """What all racks of a dealer hash it with besides; None where this one doesn't have it."""
    signer: str | None = None
    """The rack's keys (`signing.paper_keys`): what they haven't signed was never observed."""

    def as_message(self) -> Message:
        """For `encode`."""
        return {
            "slots": dict(self.slots),
            "salt": self.salt.hex(),
            "fleet_secret": None if self.fleet_secret is None else self.fleet_secret.hex(),
            "baselines": list(self.baselines),
            "signer": self.signer,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureOrder:
    """What a captured baseline is to be called and where it comes from."""

    name: str
    model: str
    """The handset's."""
    screen: str
    """What its own screen says of the chip, word by word."""
    seen_on: date
    passes: int = 3
    """How many looks have to agree."""

    def as_message(self) -> Message:
        """For `encode`."""
        return {
            "name": self.name,
            "model": self.model,
            "screen": self.screen,
            "seen_on": self.seen_on.isoformat(),
            "passes": self.passes,
        }


def encode(message: Message) -> bytes:
    """The line of a message."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, object]:
    """The message of a line; ValueError where it is none."""
    return _MESSAGE.validate_json(line)


def order_of(message: Message) -> WorkerOrder:
    """What a worker is told, from its first line."""
    shared = message.get("fleet_secret")
    return TypeAdapter(WorkerOrder).validate_python(
        {
            **message,
            "salt": bytes.fromhex(str(message["salt"])),
            "fleet_secret": None if shared is None else bytes.fromhex(str(shared)),
        }
    )


def capture_of(message: Message) -> CaptureOrder:
    """What is to be captured, from a request."""
    return TypeAdapter(CaptureOrder).validate_python(message["capture"])


def scan_message(number: int, scan: ChipScan) -> Message:
    """The answer to a request for a scan."""
    return {"id": number, "scan": _SCAN.dump_python(scan, mode="json")}


def failure_message(number: int, failure: BenchdError) -> Message:
    """The answer to a request that failed."""
    match failure:
        case ReaderStuck():
            kind = "stuck"
        case ReaderGone():
            kind = "gone"
        case ReaderFault():
            kind = "fault"
        case _:
            kind = "refused"
    return {"id": number, kind: str(failure)}


def scan_of(message: Message) -> ChipScan:
    """The scan in an answer; ReaderFault where the answer has none that is whole."""
    try:
        return _SCAN.validate_json(json.dumps(message.get("scan")))
    except ValidationError as error:
        raise ReaderFault("the reader worker's answer isn't a scan") from error


def troubles_of(message: Message, slots: Iterable[SlotName]) -> dict[SlotName, str | None]:
    """Why the reader of each slot can't be used; ValueError where the message doesn't tell it."""
    told = _TROUBLES.validate_python(message["slots"])
    return {slot: told.get(slot, "the worker doesn't know the slot") for slot in slots}
