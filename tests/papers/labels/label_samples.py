"""Labels as racks print them: the usual ones, and the longest there can be."""

from __future__ import annotations

from datetime import UTC, datetime

from benchd.domain.handset import BatteryMethod, BatteryWear
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, Reason
from benchd.papers.labels.label_content import LabelContent

ENDED = datetime(2026, 11, 26, 5, 5, tzinfo=UTC)
JOB = JobId("20261126-0011223344")


def label(job: str = JOB, **changes: object) -> LabelContent:
    told: dict[str, object] = {
        "job": JobId(job),
        "slot": SlotName("A1"),
        "tag": "T-00012",
        "handset": "Sony SO-51B",
        "number": "356938035643809",
        "disposition": Disposition.SELLABLE,
        "reason": None,
        "ended_at": ENDED,
    }
    return LabelContent(**{**told, **changes})  # type: ignore[arg-type]


WORN = BatteryWear(
    health_percent=92,
    health_method=BatteryMethod.SAMSUNG_ASOC,
    cycles=1204,
    cycles_method=BatteryMethod.KERNEL,
)
LONGEST_REASON = Reason.STORAGE_CONTRADICTS
LABELS = {
    "usual": label(),
    "graded": label(grade="A+", battery=WORN),
    "graded and held": label(
        disposition=Disposition.HOLD, reason=Reason.FELICA_SILENT, grade="C", battery=WORN
    ),
    "held": label(disposition=Disposition.HOLD, reason=Reason.FELICA_SILENT, tag=None),
    "never inspected": label(
        handset="", number="", tag=None, disposition=Disposition.HOLD, reason=Reason.UNPLUGGED
    ),
    "longest": label(
        handset="FUJITSU CONNECTED TECHNOLOGIES LIMITED " + "W" * 80,
        tag="W" * 64,
        number="W" * 64,
        slot=SlotName("W" * 16),
        disposition=Disposition.DESTROY,
        reason=LONGEST_REASON,
        grade="W" * 8,
        battery=WORN,
    ),
    "kanji": label(
        handset="富士通コネクテッドテクノロジーズ株式会社" * 3,
        tag="整理札" * 20,
        disposition=Disposition.RETURN,
        reason=Reason.MANAGED_DEVICE,
    ),
    "hostile": label(
        handset='#panic() "\\ ^XZ~JR [red]\x1b[2J</svg>\u202e\U00020bb7\ud800' + "{" * 70,
        tag="^XA^FD~HS",
        number="^XZ\n~JA",
        disposition=Disposition.DESTROY,
        reason=Reason.FELICA_RESIDUE,
    ),
}
