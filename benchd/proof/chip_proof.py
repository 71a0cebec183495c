"""What is still missing before a job's records prove that a FeliCa chip is empty, or not there.

Everything in here reads stored evidence and nothing else: a stage that was mistaken, or a
reader that said too much, has to be found out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchd.domain.chip import BaselineKind, ChipVerdict, ModelFelica
from benchd.domain.clear_provider import CLAIMS
from benchd.domain.job import Gate
from benchd.proof.chip_ownership import shows_tie
from benchd.proof.evidence.chip_evidence import (
    HANDSET,
    OPERATOR,
    READER,
    ChipEvidence,
    ClearEvidence,
    OwnEraseEvidence,
)
from benchd.proof.evidence.handset_evidence import InspectEvidence
from benchd.proof.floors import LEAST_PASSES

SOURCES: Final = (READER, OPERATOR)
SKIPPED_FOR: Final[Mapping[str, ChipVerdict]] = {
    "chip_unused": ChipVerdict.UNUSED,
    "no_chip": ChipVerdict.NO_CHIP,
}
"""What the check has to have found for each reason to skip the clear."""
_ASKED_OF: Final = {OPERATOR: Gate.FELICA_CLEAR, HANDSET: Gate.FELICA_ERASE}
"""Whose claims are a person's word, and at which question it is given."""
SEEN_BASELINES: Final = (BaselineKind.OBSERVED,)
"""Pictures that somebody took of a real unused chip; any other needs a person's word beside it."""


def may_lack_chip(*, felica_capable: bool | None, model: ModelFelica) -> bool:
    """Whether a silent handset may be one without a chip; that takes a person's word as well.

    Only its own word lets it: an entry of the catalogue can take that back, and give nothing.
    """
    return felica_capable is False and model is not ModelFelica.HAS


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipCase:
    """What a job's records say of its chip."""

    inspect: InspectEvidence
    check: ChipEvidence
    erase: OwnEraseEvidence | None
    """What the handset itself did to it; None where it did nothing."""
    clear: ClearEvidence | None
    clear_skipped: str | None
    """Why the clear was skipped; None where it wasn't."""
    recheck: ChipEvidence
    answers: Mapping[Gate, bool]
    """The last answer of a person at each gate."""
    again: ChipEvidence | None = None
    """The look after the last reset; None where no reader took one."""


def chip_gaps(case: ChipCase) -> list[str]:
    """Every gap; empty where the records prove an unused chip or none."""
    return [
        *_of_history(case),
        *_of_means(case),
        *_of_check(case),
        *_of_clear(case),
        *_of_recheck(case),
        *_of_tie(case),
        *_of_look_again(case),
    ]


def _of_history(case: ChipCase) -> list[str]:
    """A chip that was in an earlier job goes on only with somebody's yes."""
    if case.answers.get(Gate.CHIP_SEEN_BEFORE, True):
        return []
    return [f"{Gate.CHIP_SEEN_BEFORE}: nobody has approved it"]


def _of_means(case: ChipCase) -> list[str]:
    """A reader taken away, or brought along, in mid-job would compare what can't be compared."""
    sources = {"felica_check": case.check.source, "felica_recheck": case.recheck.source}
    gaps = [
        f"{stage}: {source} is no way to look at a chip"
        for stage, source in sources.items()
        if source not in SOURCES
    ]
    if case.check.source != case.recheck.source:
        gaps.append("felica_recheck: it wasn't made by the same means as the check")
    return gaps


def _of_check(case: ChipCase) -> list[str]:
    check = case.check
    if check.source == OPERATOR:
        return _of_answer(case)
    match check.verdict:
        case ChipVerdict.UNUSED:
            return _of_nodes(check, "felica_check")
        case ChipVerdict.IN_USE:
            return []  # the clear and the re-check of the same chip have to answer for it
        case ChipVerdict.NO_CHIP:
            return _of_no_chip(case)
        case _:
            return [f"felica_check: a chip that is {check.verdict} can't be gone on with"]


def _of_answer(case: ChipCase) -> list[str]:
    """Whether what an operator can see on a screen is what one has answered."""
    verdict = case.check.verdict
    if verdict not in (ChipVerdict.UNUSED, ChipVerdict.IN_USE):
        return [f"felica_check: no operator can see that a chip is {verdict}"]
    if case.answers.get(Gate.FELICA_CHECK) is not (verdict is ChipVerdict.UNUSED):
        return [f"felica_check: nobody has answered that the chip is {verdict}"]
    return []


def _of_nodes(scan: ChipEvidence, stage: str) -> list[str]:
    """Whether a scan that speaks of an unused chip has seen one."""
    gaps: list[str] = []
    if not scan.chip:
        gaps.append(f"{stage}: it isn't known which chip it was")
    if not scan.systems or not scan.polled:
        gaps.append(f"{stage}: no system of the chip has answered")
    if any(system.residue for system in scan.systems):
        gaps.append(f"{stage}: nodes are left that an unused chip doesn't have")
    if scan.owners_en or scan.owners_ja:
        gaps.append(f"{stage}: somebody's services are left")
    if not scan.baseline:
        gaps.append(f"{stage}: it isn't known what an unused chip was taken to look like")
    return gaps


def _of_silence(scan: ChipEvidence, stage: str) -> list[str]:
    """Whether nothing at all has answered where there is said to be no chip."""
    gaps: list[str] = []
    if scan.over_the_air is not ChipVerdict.SILENT:
        gaps.append(f"{stage}: something answered where there is said to be no chip")
    if scan.chip is not None or scan.systems:
        gaps.append(f"{stage}: a chip was seen where there is said to be none")
    return gaps


def _of_no_chip(case: ChipCase) -> list[str]:
    """Silence, the handset's own word and a person's: all three, and no chip ever seen.

    The catalogue of models can only contradict them: an entry without a chip takes no one's place.
    """
    gaps = _of_silence(case.check, "felica_check")
    catalogue = case.check.catalogue
    if catalogue is None:
        gaps.append("felica_check: the catalogue of models wasn't asked")
    elif catalogue.felica is ModelFelica.HAS:
        gaps.append("felica_check: the catalogue of models says that its model has a chip")
    if {case.check.felica_capable, case.inspect.felica_capable} != {False}:
        gaps.append("felica_check: the handset doesn't say that it has no chip")
    if case.answers.get(Gate.FELICA_NO_CHIP) is not True:
        gaps.append(f"{Gate.FELICA_NO_CHIP}: nobody has approved it")
    return gaps


def _of_clear(case: ChipCase) -> list[str]:
    found, clear = case.check.verdict, case.clear
    if case.clear_skipped is not None:
        if SKIPPED_FOR.get(case.clear_skipped) != found:
            return [f"felica_clear: skipped as {case.clear_skipped}, but the chip is {found}"]
        return []
    if clear is None:
        return ["felica_clear: what it saw isn't on record"]
    gaps: list[str] = []
    if clear.claim not in CLAIMS:
        gaps.append("felica_clear: nobody claims to have cleared the chip")
    if not clear.consent:
        gaps.append("felica_clear: nobody is named who put the consent on record")
    gate = _ASKED_OF.get(clear.provider)
    if gate is not None and case.answers.get(gate) is not True:
        gaps.append(f"{gate}: nobody has approved it")
    if clear.provider == HANDSET and (case.erase is None or case.erase.claim not in CLAIMS):
        gaps.append("felica_erase: nobody claims that the handset has erased its chip")
    if clear.away is not None and clear.away.is_of_another:
        gaps.append("felica_clear: the chip answered while its handset had been carried away")
    return gaps


def _of_recheck(case: ChipCase) -> list[str]:
    recheck = case.recheck
    gaps: list[str] = []
    if recheck.source == OPERATOR:
        if recheck.verdict is not ChipVerdict.UNUSED:
            gaps.append("felica_recheck: the chip isn't unused")
        if case.answers.get(Gate.FELICA_RECHECK) is not True:
            gaps.append(f"{Gate.FELICA_RECHECK}: nobody has approved it")
        return gaps
    if recheck.passes < LEAST_PASSES:
        gaps.append("felica_recheck: the chip was looked at too few times")
    if not recheck.power_cycled:
        gaps.append("felica_recheck: the reader's field wasn't off before")
    match recheck.verdict:
        case ChipVerdict.UNUSED:
            gaps += _of_unused(case)
        case ChipVerdict.NO_CHIP:
            gaps += _of_no_chip_again(case)
        case _:
            gaps.append("felica_recheck: the chip isn't unused")
    return gaps


def _of_unused(case: ChipCase) -> list[str]:
    check, recheck = case.check, case.recheck
    gaps = _of_nodes(recheck, "felica_recheck")
    if recheck.chip != check.chip:
        gaps.append("felica_recheck: it was another chip than at the check")
    if recheck.ic_type != check.ic_type:
        gaps.append("felica_recheck: it was another kind of chip than at the check")
    attested = case.answers.get(Gate.FELICA_ATTEST)
    seen = recheck.baseline_kind in SEEN_BASELINES
    if attested is not True and (not seen or attested is False):
        gaps.append(f"{Gate.FELICA_ATTEST}: nobody has approved it")
    return gaps


def _of_no_chip_again(case: ChipCase) -> list[str]:
    gaps = _of_silence(case.recheck, "felica_recheck")
    if case.check.verdict is not ChipVerdict.NO_CHIP:
        gaps.append("felica_recheck: there was a chip at the check")
    return gaps


def _of_tie(case: ChipCase) -> list[str]:
    """The check alone ties a chip, and only by its own steps."""
    gaps: list[str] = []
    tie = case.check.tie
    if case.check.tied and not shows_tie(case.check):
        gaps.append("felica_check: nothing shows that the chip is this handset's own")
    if tie is not None and tie.heard_at is not None:
        gaps.append("felica_check: it is another slot's reader that hears this handset")
    if case.recheck.tied or (case.again is not None and case.again.tied):
        gaps.append("felica_check: the chip is said to have been tied elsewhere")
    return gaps


def _of_look_again(case: ChipCase) -> list[str]:
    return look_again_gaps(case.again, case.recheck.chip, "observe")


def look_again_gaps(again: ChipEvidence | None, chip: str | None, stage: str) -> list[str]:
    """Silence after the last reset says nothing; what answers has to be the chip of before."""
    if again is None or (again.verdict is ChipVerdict.SILENT and again.chip is None):
        return []
    gaps = _of_nodes(again, stage)
    if again.source != READER or again.verdict is not ChipVerdict.UNUSED:
        gaps.append(f"{stage}: the chip isn't unused")
    if again.chip != chip:
        gaps.append(f"{stage}: it was another chip than at the re-check")
    if not again.power_cycled:
        gaps.append(f"{stage}: the reader's field wasn't off before")
    return gaps
