"""What is still missing before the records show the reset that readied a handset for sale."""

from __future__ import annotations

from benchd.proof.evidence.reset import FinalResetEvidence, ObserveEvidence
from benchd.proof.floors import MINIMUM_ABSENCE_S
from benchd.words.port import ADB_INTERFACE


def observe_gaps(evidence: ObserveEvidence) -> list[str]:
    """Whether a person and the port have seen what a reset shows."""
    gaps: list[str] = []
    if "operator_welcome" not in evidence.kinds:
        gaps.append("observe: nobody has seen the welcome screen")
    if "usb_reenumerated" not in evidence.kinds:
        gaps.append("observe: the handset wasn't seen to leave and come back as a reset makes it")
    if evidence.absent_s is None:
        gaps.append("observe: it isn't on record how long the handset was away")
    if ADB_INTERFACE in evidence.interfaces_after:
        gaps.append("observe: adb is still on, which a plain reset switches off")
    return gaps


def absence_gaps(observe: ObserveEvidence, reset: FinalResetEvidence) -> list[str]:
    """Whether it was away for as long as a reset takes, whatever its recipe asked for."""
    gaps: list[str] = []
    if observe.absent_s != reset.absent_s:
        gaps.append("observe: another absence was weighed than the port has shown")
    if (observe.absent_s or 0.0) < max(observe.minimum_absence_s, MINIMUM_ABSENCE_S):
        gaps.append("observe: the handset was away for less time than a reset takes")
    return gaps
