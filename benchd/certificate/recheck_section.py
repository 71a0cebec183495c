"""Whether the handset was drawn for an independent recheck, and by whom that was passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchd.certificate.people_section import DecisionSection
from benchd.domain.chip import ChipVerdict
from benchd.domain.evidence_values import Moment, OneOrMore, Positive, Said, Sha256, Share
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.domain.person_names import same_person
from benchd.proof.erasure import HandsetErasure, digest_of
from benchd.proof.evidence.chip_evidence import READER
from benchd.proof.evidence.recheck_evidence import Token
from benchd.proof.recheck_draw import is_drawn
from benchd.proof.recheck_proof import VerifiedRecheck


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckedSection:
    """The recheck: its job, who made it, and what was seen of the chip."""

    job: Said
    first_sequence: Positive
    last_sequence: Positive
    evidence_sha256: Sha256
    """Over the records of that job alone."""
    operator: Said
    person: Said
    shown_by: ShownBy
    at: Moment
    gates: OneOrMore[Gate]
    """What they answered with yes."""
    chip: ChipVerdict
    chip_read: bool
    """By a reader; else they looked at the handset's own screen."""

    @classmethod
    def of(cls, recheck: VerifiedRecheck) -> RecheckedSection:
        """From what the proof has found in both jobs' records."""
        answer, chip = recheck.found.answer, recheck.chip
        return cls(
            job=recheck.job,
            first_sequence=recheck.records[0].sequence,
            last_sequence=recheck.records[-1].sequence,
            evidence_sha256=digest_of(recheck.records),
            operator=answer.operator,
            person=answer.person,
            shown_by=answer.shown_by,
            at=max(each.at for each in recheck.answers),
            gates=tuple(
                dict.fromkeys(
                    each.gate
                    for each in recheck.answers
                    if each.approved and each.person == answer.person
                )
            ),
            chip=chip.verdict,
            chip_read=chip.source == READER,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckSection:
    """The share that its recipe draws, the draw, and the recheck; null where there was none."""

    share: Share
    drawn: bool
    token: Token | None
    """The draw's fresh randomness; null where nothing was drawn for."""
    owed: tuple[Said, ...]
    """Earlier jobs of the same handset that were drawn and never certified."""
    passed: RecheckedSection | None

    @classmethod
    def of(cls, erasure: HandsetErasure) -> RecheckSection:
        """From the draw on record, and the recheck that the proof has found good."""
        draw, recheck = erasure.draw, erasure.recheck
        return cls(
            share=draw.share if draw else 0.0,
            drawn=draw.drawn if draw else False,
            token=draw.token if draw else None,
            owed=draw.owed if draw else (),
            passed=None if recheck is None else RecheckedSection.of(recheck),
        )


def gaps_of_recheck(
    section: RecheckSection, decisions: Sequence[DecisionSection], issued_at: Moment
) -> Iterator[str]:
    """Whether the draw follows from its number, and somebody else rechecked what was drawn."""
    if section.token is None:
        if section.share or section.drawn or section.owed:
            yield "nobody has drawn whether it is rechecked"
    elif section.drawn is not is_drawn(section.share, section.token, section.owed):
        yield "its draw doesn't follow from its number"
    if section.drawn is not (section.passed is not None):
        yield "a recheck stands where none was drawn, or lacks where one was"
    if section.passed is not None:
        yield from _gaps_of_passed(section.passed, decisions, issued_at)


def _gaps_of_passed(
    passed: RecheckedSection, decisions: Sequence[DecisionSection], issued_at: Moment
) -> Iterator[str]:
    if any(
        passed.person == each.person or same_person(passed.operator, each.operator)
        for each in decisions
    ):
        yield "somebody who has touched the handset has rechecked it"
    if passed.shown_by is ShownBy.BADGE:
        yield "a badge alone doesn't show who has rechecked it"
    if any(passed.at < each.at for each in decisions):
        yield "it was rechecked before its own job was done"
    if passed.at > issued_at:
        yield "it was issued before it was rechecked"
    if Gate.RECHECK not in passed.gates:
        yield "nobody has answered its recheck with yes"
    if passed.chip not in (ChipVerdict.UNUSED, ChipVerdict.SILENT):
        yield "the chip wasn't unused at the recheck"
    if passed.first_sequence > passed.last_sequence:
        yield "the records of its recheck end before they begin"
