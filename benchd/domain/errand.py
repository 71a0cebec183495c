"""One thing that a person has to do next on the rack, by its kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.job import Disposition
from benchd.domain.slot import ProblemView, SlotView


class ErrandKind(StrEnum):
    """What is to be done, by the work that it makes."""

    REPLUG = "replug"
    """A handset is out of its port in the middle of its job: plug it in again in time."""
    RACK = "rack"
    """Something is the matter with the rack as a whole."""
    QUESTION = "question"
    PUT_RIGHT = "put_right"
    """A handset can't go on until somebody has put something right."""
    CONFIRM = "confirm"
    """A question that only somebody else than who has worked on the handset may answer."""
    CARRY = "carry"
    """A handset has ended: take it out and carry it where it goes."""
    BROKEN = "broken"
    """A slot is out of use until its handset is unplugged."""
    PORT = "port"
    """A handset is plugged into a port that is no slot."""
    TRAY = "tray"
    """A handset was taken out in the middle of its job, and nobody has said what becomes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrayItem:
    """A handset that was taken out in the middle of its job, as it is on record."""

    job: JobId
    slot: SlotName
    since: datetime
    manufacturer: str = ""
    model: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One thing that a person has to do next; None where nothing is known."""

    kind: ErrandKind
    slot: SlotName | None = None
    since: datetime | None = None
    deadline: datetime | None = None
    """Until when it has to be done."""
    goes: Disposition | None = None
    """Where the handset is to be carried."""
    unproven: bool = False
    """Whether its job calls it sellable while the ledger holds no certificate of it."""
    view: SlotView | None = None
    """The slot that it is about, as it is shown."""
    problem: ProblemView | None = None
    """What is to be put right."""
    port: PortPath | None = None
    tray: TrayItem | None = None
    here: bool = False
    """Of what was taken out: whether nothing else has been in that slot since."""
