"""What was seen of a handset that has come back to its port."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.proof.evidence.values import Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnEvidence:
    """Stands beside the evidence of the stage that ended the absence: what was seen, no verdict."""

    attachment: str
    """The enumeration of its port that it came back with."""
    serial: str | None = None
    """What it told over adb, like the next two; None and none where adb was gone."""
    imeis: tuple[str, ...] = ()
    android_id: str | None = None
    """Only where this job has a reset to compare with."""
    keystream_bytes: Whole = 0
    """Found on it of what this job had confirmed before the first departure."""
    chip: str | None = None
    """The chip that answered, where this job has tied that chip to the handset."""
    screen_number: str | None = None
    """What a person read on its own screen: an IMEI, or a serial where it can't telephone."""
