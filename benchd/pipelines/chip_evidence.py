"""What a look at a chip puts on record, and how it ends a job: one wording for all stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from benchd.errors import StageFailed
from benchd.words.chip import ChipOwners, ChipScan, ChipVerdict
from benchd.words.ids import Evidence, JsonValue
from benchd.words.job import Reason

_REASON_OF: Final[Mapping[ChipVerdict, Reason]] = {
    ChipVerdict.SILENT: Reason.FELICA_SILENT,
    ChipVerdict.INCONSISTENT: Reason.FELICA_INCONSISTENT,
    ChipVerdict.IN_USE: Reason.FELICA_RESIDUE,
}
"""All others can't be told by radio alone, whatever a reader says: they can't be judged."""

SHOWN_OWNERS: Final = 8


def of_scan(scan: ChipScan) -> dict[str, JsonValue]:
    """A scan as evidence of the slot's reader."""
    return {**scan.as_evidence(), "source": "reader"}


def of_no_chip(scan: ChipScan) -> dict[str, JsonValue]:
    """A silent scan of a handset that has no chip by more than that."""
    return of_scan(scan) | {"verdict": ChipVerdict.NO_CHIP, "over_the_air": scan.verdict}


def refusal_of(scan: ChipScan, because: str = "") -> StageFailed:
    """What a scan that can't be gone on with ends the job as, and what may have caused it."""
    reason = _REASON_OF.get(scan.verdict, Reason.FELICA_UNREADABLE)
    owners = owners_in(scan.as_evidence())
    left = f" ({owners.en})" if owners else ""
    cause = f"; {because}" if because else ""
    return StageFailed(reason, f"{scan.verdict}: {scan.detail}{left}{cause}")


def owners_in(evidence: Evidence) -> ChipOwners | None:
    """Whose services a scan on record has found; None where it knows of none."""
    ja, en = _named(evidence.get("owners_ja")), _named(evidence.get("owners_en"))
    if not ja or not en:
        return None
    return ChipOwners(ja="、".join(ja), en=", ".join(en))


def _named(value: JsonValue) -> list[str]:
    names = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    shown = [str(name) for name in names[:SHOWN_OWNERS]]
    return [*shown, "…"] if len(names) > SHOWN_OWNERS else shown
