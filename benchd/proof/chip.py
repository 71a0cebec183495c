"""What is still missing before a job's records prove that a FeliCa chip is empty, or not there.

Everything in here reads stored evidence and nothing else: a stage that was mistaken, or a
reader that said too much, has to be found out here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from benchd.errors import CertificateGap
from benchd.proof.evidence import EvidenceReader
from benchd.proof.floors import LEAST_PASSES
from benchd.words.chip import BaselineKind, ChipVerdict
from benchd.words.clear import ClearOutcome
from benchd.words.job import Gate

SOURCES: Final = ("reader", "operator")
SKIPPED_FOR: Final[Mapping[str, ChipVerdict]] = {
    "chip_unused": ChipVerdict.UNUSED,
    "no_chip": ChipVerdict.NO_CHIP,
}
"""What the check has to have found for each reason to skip the clear."""
CLAIMS: Final = (ClearOutcome.DONE, ClearOutcome.ALREADY_INITIAL)
SEEN_BASELINES: Final = (BaselineKind.OBSERVED,)
"""Pictures that somebody took of a real unused chip; any other needs a person's word beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipRecords:
    """What a job's records say of its chip."""

    inspect: EvidenceReader
    check: EvidenceReader
    clear: EvidenceReader
    clear_skipped: str | None
    """Why the clear was skipped; None where it wasn't."""
    recheck: EvidenceReader
    answers: Mapping[str, bool]
    """The last answer of a person at each gate."""


def chip_gaps(records: ChipRecords) -> list[str]:
    """Every gap; empty where the records prove an unused chip or none."""
    gaps: list[str] = []
    for look in (_of_means, _of_check, _of_clear, _of_recheck):
        gaps += _gaps_found(look, records)
    return gaps


def _gaps_found(look: Callable[[ChipRecords], list[str]], records: ChipRecords) -> list[str]:
    try:
        return look(records)
    except CertificateGap as gap:
        return list(gap.missing)


def _of_means(records: ChipRecords) -> list[str]:
    """A reader taken away, or brought along, in mid-job would compare what can't be compared."""
    sources = records.check.text("source"), records.recheck.text("source")
    gaps = [
        f"{stage}: {source} is no way to look at a chip"
        for stage, source in zip(("felica_check", "felica_recheck"), sources, strict=True)
        if source not in SOURCES
    ]
    if sources[0] != sources[1]:
        gaps.append("felica_recheck: it wasn't made by the same means as the check")
    return gaps


def _of_check(records: ChipRecords) -> list[str]:
    check = records.check
    source, verdict = check.text("source"), check.text("verdict")
    gaps: list[str] = []
    if source == "operator":
        if verdict not in (ChipVerdict.UNUSED, ChipVerdict.IN_USE):
            gaps.append(f"felica_check: no operator can see that a chip is {verdict}")
        elif records.answers.get(Gate.FELICA_CHECK) is not (verdict == ChipVerdict.UNUSED):
            gaps.append(f"felica_check: nobody has answered that the chip is {verdict}")
        return gaps
    match verdict:
        case ChipVerdict.UNUSED:
            gaps += _of_nodes(check, "felica_check")
        case ChipVerdict.IN_USE:
            pass  # the clear and the re-check of the same chip have to answer for it
        case ChipVerdict.NO_CHIP:
            gaps += _of_no_chip(records)
        case _:
            gaps.append(f"felica_check: a chip that is {verdict} can't be gone on with")
    return gaps


def _of_nodes(scan: EvidenceReader, stage: str) -> list[str]:
    """Whether a scan that speaks of an unused chip has seen one."""
    systems = [EvidenceReader(system, stage) for system in scan.items("systems")]
    gaps: list[str] = []
    if not scan.text("chip"):
        gaps.append(f"{stage}: it isn't known which chip it was")
    if not systems or not scan.texts("polled"):
        gaps.append(f"{stage}: no system of the chip has answered")
    if any(system.texts("residue") for system in systems):
        gaps.append(f"{stage}: nodes are left that an unused chip doesn't have")
    if scan.texts("owners_en") or scan.texts("owners_ja"):
        gaps.append(f"{stage}: somebody's services are left")
    if not scan.text("baseline"):
        gaps.append(f"{stage}: it isn't known what an unused chip was taken to look like")
    return gaps


def _of_no_chip(records: ChipRecords) -> list[str]:
    """Silence, the handset's own word and a person's: all three, and no chip ever seen."""
    gaps: list[str] = []
    if records.check.text("over_the_air") != ChipVerdict.SILENT:
        gaps.append("felica_check: something answered where there is said to be no chip")
    if records.check.flag("felica_capable") or records.inspect.flag("felica_capable"):
        gaps.append("felica_check: the handset says that it has a chip")
    if records.check.optional_text("chip") is not None or records.check.items("systems"):
        gaps.append("felica_check: a chip was seen where there is said to be none")
    if records.answers.get(Gate.FELICA_NO_CHIP) is not True:
        gaps.append(f"{Gate.FELICA_NO_CHIP}: nobody has approved it")
    return gaps


def _of_clear(records: ChipRecords) -> list[str]:
    found = records.check.text("verdict")
    if records.clear_skipped is not None:
        if SKIPPED_FOR.get(records.clear_skipped) != found:
            return [f"felica_clear: skipped as {records.clear_skipped}, but the chip is {found}"]
        return []
    gaps: list[str] = []
    if records.clear.text("claim") not in CLAIMS:
        gaps.append("felica_clear: nobody claims to have cleared the chip")
    if not records.clear.text("consent"):
        gaps.append("felica_clear: nobody is named who put the consent on record")
    if (
        records.clear.text("provider") == "operator"
        and records.answers.get(Gate.FELICA_CLEAR) is not True
    ):
        gaps.append(f"{Gate.FELICA_CLEAR}: nobody has approved it")
    return gaps


def _of_recheck(records: ChipRecords) -> list[str]:
    recheck = records.recheck
    source, verdict = recheck.text("source"), recheck.text("verdict")
    gaps: list[str] = []
    if source == "operator":
        if verdict != ChipVerdict.UNUSED:
            gaps.append("felica_recheck: the chip isn't unused")
        if records.answers.get(Gate.FELICA_RECHECK) is not True:
            gaps.append(f"{Gate.FELICA_RECHECK}: nobody has approved it")
        return gaps
    if recheck.whole("passes") < LEAST_PASSES:
        gaps.append("felica_recheck: the chip was looked at too few times")
    if not recheck.flag("power_cycled"):
        gaps.append("felica_recheck: the reader's field wasn't off before")
    match verdict:
        case ChipVerdict.UNUSED:
            gaps += _of_unused(records)
        case ChipVerdict.NO_CHIP:
            gaps += _of_no_chip_again(records)
        case _:
            gaps.append("felica_recheck: the chip isn't unused")
    return gaps


def _of_unused(records: ChipRecords) -> list[str]:
    check, recheck = records.check, records.recheck
    gaps = _of_nodes(recheck, "felica_recheck")
    if recheck.text("chip") != check.text("chip"):
        gaps.append("felica_recheck: it was another chip than at the check")
    if recheck.optional_text("ic_type") != check.optional_text("ic_type"):
        gaps.append("felica_recheck: it was another kind of chip than at the check")
    kind = recheck.optional_text("baseline_kind")
    if kind is not None and kind not in set(BaselineKind):
        gaps.append(f"felica_recheck: {kind} is no origin of a baseline")
    attested = records.answers.get(Gate.FELICA_ATTEST)
    if attested is not True and (kind not in SEEN_BASELINES or attested is False):
        gaps.append(f"{Gate.FELICA_ATTEST}: nobody has approved it")
    return gaps


def _of_no_chip_again(records: ChipRecords) -> list[str]:
    recheck = records.recheck
    gaps: list[str] = []
    if records.check.text("verdict") != ChipVerdict.NO_CHIP:
        gaps.append("felica_recheck: there was a chip at the check")
    if recheck.text("over_the_air") != ChipVerdict.SILENT:
        gaps.append("felica_recheck: something answered where there is said to be no chip")
    if recheck.optional_text("chip") is not None or recheck.items("systems"):
        gaps.append("felica_recheck: a chip was seen where there is said to be none")
    return gaps
