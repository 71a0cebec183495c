"""What a label says: from a job as its records tell it, and nothing from anywhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from benchd.domain.errors import LabelRefused
from benchd.domain.handset import BatteryWear
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, Reason
from benchd.domain.plain_text import Language
from benchd.papers.glyphs import settable
from benchd.proof.grade_book import Graded
from benchd.proof.job_history import JobHistory
from benchd.proof.record_fields import RecordReader
from benchd.texts.catalogue import Catalogue

SHOWN_DIGITS = 6
"""Of an IMEI or a serial: enough to tell handsets of one tray apart."""
LONGEST_NAME = 60
LONGEST_TAG = 24
LONGEST_NUMBER = 64
LONGEST_SLOT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelContent:
    """One label, not yet in any language."""

    job: JobId
    slot: SlotName
    tag: str | None
    handset: str
    """Maker and model; empty where it was never inspected."""
    number: str
    """The IMEI, else the serial; for telling whether two labels are of one handset."""
    disposition: Disposition
    reason: Reason | None
    ended_at: datetime
    held_by: str | None = None
    """The hook that holds back what its job has made sellable."""
    grade: str | None = None
    """The code that a person has given it."""
    battery: BatteryWear = field(default_factory=BatteryWear)

    @property
    def code(self) -> str:
        """What its QR code says."""
        return f"BD:J:{self.job}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelWords:
    """The lines of a label, each bounded and printable."""

    goes: str
    handset: str
    reason: str
    beside: str
    """What no certificate says: its grade and its battery; empty where nobody has told."""
    number: str
    name: str
    """The tag, else the job."""
    place: str
    """The slot in which it was erased, and when it ended."""
    code: str


def content_of(history: JobHistory) -> LabelContent:
    """The label of a job; raises LabelRefused while it runs.

    SELLABLE stands in a history only together with a certificate that the rack vouches for.
    """
    if history.ended_at is None or history.disposition is None:
        message = f"job {history.job} hasn't ended: it has no label yet"
        raise LabelRefused(message)
    told = RecordReader(history.handset or {}, "inspect")
    asset = RecordReader(history.asset or {}, "asset_bound")
    maker, model = (told.optional_text(key) or "" for key in ("manufacturer", "model"))
    return LabelContent(
        job=history.job,
        slot=history.slot,
        tag=asset.optional_text("tag"),
        handset=f"{maker} {model}".strip(),
        number=told.optional_text("imei") or told.optional_text("serial") or "",
        disposition=history.disposition,
        reason=history.reason,
        ended_at=history.ended_at,
        battery=history.battery,
    )


def held_back(content: LabelContent, holder: str | None) -> LabelContent:
    """The same, as a hook wants it: whom it holds back, no label calls sellable."""
    if holder is None or content.disposition is not Disposition.SELLABLE:
        return content
    return replace(content, disposition=Disposition.HOLD, held_by=holder)


def graded(content: LabelContent, given: Graded | None) -> LabelContent:
    """The same with the grade that counts."""
    return content if given is None else replace(content, grade=given.told.code)


def words_of(content: LabelContent, catalogue: Catalogue, language: Language) -> LabelWords:
    """The label's lines; the date is that of this machine's calendar, with its zone."""
    number = settable(content.number, LONGEST_NUMBER)
    reason = catalogue.reason(content.reason).to(language) if content.reason else ""
    if content.held_by is not None:
        reason = f"{catalogue.guidance('errand.held_back').to(language)} ({content.held_by})"
    slot = settable(content.slot, LONGEST_SLOT)
    unknown = catalogue.text("act.unknown_handset").to(language)
    return LabelWords(
        goes=catalogue.disposition(content.disposition).to(language),
        handset=settable(content.handset, LONGEST_NAME) or unknown,
        reason=settable(reason, LONGEST_NAME),
        beside=settable(_beside(content, catalogue, language), LONGEST_NAME),
        number=f"…{number[-SHOWN_DIGITS:]}" if number else "",
        name=settable(content.tag or "", LONGEST_TAG) or content.job,
        place=f"{slot}  {content.ended_at.astimezone():%Y-%m-%d %H:%M %:z}",
        code=content.code,
    )


def _beside(content: LabelContent, catalogue: Catalogue, language: Language) -> str:
    """What of these is known: a label has no room for what isn't."""
    battery = content.battery
    told = {
        "beside.grade": content.grade,
        "beside.battery": battery.health_percent,
        "beside.cycles": battery.cycles,
    }
    return " ".join(
        catalogue.text(key, {"value": str(value)}).to(language)
        for key, value in told.items()
        if value is not None
    )
