"""Settles a gate by what was attested at intake, or asks. What needn't be known isn't asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchd.domain.errors import CertificateGap, SecondPersonNeeded, StageFailed
from benchd.domain.intake import AttestationKind, TimeDoubt
from benchd.domain.job import Gate, Reason
from benchd.domain.people import Actor
from benchd.domain.record import StoredEntry
from benchd.pipelines.assets import asset_in_hand, numbers_known
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.citation import CitedWhen, Numbers, cite, cited_gaps
from benchd.proof.evidence.intake_evidence import (
    CitedAttestation,
    RequiredAttestation,
    WaivedGate,
)
from benchd.proof.evidence.job_evidence import JobEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import Sighting, sighting_of
from benchd.proof.intake_book import IntakeBook, LookUp
from benchd.proof.network import RESTRICTED, SALEABLE, look_up_result
from benchd.proof.typed_network import TypedNo, is_of, standing_no

UNWAIVED = {
    Gate.CONSENT: Reason.CONSENT_MISSING,
    Gate.JPKI: Reason.JPKI_NOT_ATTESTED,
    Gate.NETWORK: Reason.NETWORK_RESTRICTED,
}
"""What only a person can attest, and what the handset is held for if nobody does."""
UNATTESTED = {
    AttestationKind.IDENTITY: Reason.IDENTITY_NOT_ATTESTED,
    AttestationKind.ERASURE: Reason.ERASURE_NOT_ATTESTED,
}
"""What a recipe may require, and what the handset is held for without it."""


async def waive_or_ask(
    context: JobContext, gate: Gate, limit_s: float, numbers: Numbers | None = None
) -> WaivedGate | DecisionEvidence:
    """What was attested of it, at most so old, else somebody's yes.

    A tag that is scanned while the question stands may settle it. Raises StageFailed for a no, and
    for a network restriction that was looked up already.
    """
    numbers = numbers or numbers_known(context)
    typed = await _typed_before(context, gate, numbers)
    found = _found(context, gate, limit_s, numbers, typed)

    async def until_found() -> None:
        nonlocal found
        while (found := _found(context, gate, limit_s, numbers, typed)) is None:
            await context.intake.changed()

    if found is None:
        stands = typed.standing()
        facts = {**context.handset_facts(), **_not_cited(context), **_typed_facts(stands)}
        decision = await context.ask_until(gate, facts, until_found, typed.vet)
        if decision is not None and not decision.approved:
            raise StageFailed(UNWAIVED[gate], f"{gate} was answered with no")
        if decision is not None:
            return DecisionEvidence.of(decision)
    match found:
        case WaivedGate():
            return found
        case LookUp():
            at = found.line.at.isoformat(timespec="minutes")
            raise StageFailed(
                Reason.NETWORK_RESTRICTED, f"{RESTRICTED} looked up at {at} ({found.source})"
            )
        case None:
            raise RuntimeError("a question was withdrawn without an answer")


def required_of(
    context: JobContext, kind: AttestationKind, limit_s: float, numbers: Numbers
) -> RequiredAttestation:
    """The record of intake by which this is attested of the handset; StageFailed without one.

    Nobody at the rack stood before its seller, so nobody is asked.
    """
    hand, time = asset_in_hand(context, numbers), context.intake.time_basis()
    if hand is None:
        raise StageFailed(UNATTESTED[kind], "this handset is bound to no asset")
    if isinstance(time, TimeDoubt):
        raise StageFailed(UNATTESTED[kind], f"nothing is cited just now ({time})")
    when = CitedWhen(at=time.at, after=time.after)
    cited = cite(context.intake.book, hand, kind, when=when, limit_s=limit_s)
    if cited is None:
        raise StageFailed(
            UNATTESTED[kind], f"nobody has attested it of {hand.tag}, or too long ago"
        )
    return RequiredAttestation(kind=kind, cited=cited, time=time)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Typed:
    """What people have answered about the network of this handset in other jobs."""

    seen: Sighting
    others: Sequence[StoredEntry]
    book: Callable[[], IntakeBook]

    def standing(self) -> list[TypedNo]:
        """Each × that stands; a list that comes in may end it."""
        return standing_no(self.seen, (), self.others, self.book())

    async def vet(self, by: Actor, note: str, approved: bool) -> None:  # noqa: FBT001
        """Raise SecondPersonNeeded for a yes of whoever has answered × before."""
        for no in self.standing() if approved else ():
            if look_up_result(note) in SALEABLE and is_of(no, by.person, by.name):
                raise SecondPersonNeeded(
                    f"{no.by.name} answered × for this handset ({_at(no)}, job {no.job}): another"
                    " person looks it up and answers, or a list with a newer look-up is imported"
                )


async def _typed_before(context: JobContext, gate: Gate, numbers: Numbers) -> _Typed:
    """Raises StageFailed for records that can't be read: nobody knows what they say."""
    seen, others = Sighting(job=context.job, sequence=0), list[StoredEntry]()
    try:
        if gate is Gate.NETWORK:
            seen = sighting_of(context.job, await context.ledger.entries(context.job))
            seen.named |= numbers.imeis
            others = await records_of_handset(context.ledger, seen)
        typed = _Typed(seen=seen, others=others, book=lambda: context.intake.book)
        typed.standing()
    except CertificateGap as gap:
        raise StageFailed(Reason.RECORD_BROKEN, str(gap)) from gap
    return typed


def _typed_facts(standing: Sequence[TypedNo]) -> dict[str, str]:
    """Who has answered × before, and when: on record with the question."""
    if not standing:
        return {}
    no = standing[-1]
    return {"restricted_by": no.by.name, "restricted_at": _at(no), "restricted_in": no.job}


def _at(no: TypedNo) -> str:
    return no.at.astimezone().strftime("%Y-%m-%d %H:%M")


def _found(
    context: JobContext, gate: Gate, limit_s: float, numbers: Numbers, typed: _Typed
) -> WaivedGate | LookUp | None:
    """What settles it just now: a citation, or a restriction that forbids it."""
    book = context.intake.book
    newest = book.newest_look_up(numbers.imeis) if gate is Gate.NETWORK else None
    if newest is not None and newest.line.sign == RESTRICTED:
        return newest
    hand, time = asset_in_hand(context, numbers), context.intake.time_basis()
    if hand is None or isinstance(time, TimeDoubt) or typed.standing():
        return None
    when = CitedWhen(at=time.at, after=time.after)
    cited = cite(book, hand, gate, when=when, limit_s=limit_s)
    return None if cited is None else WaivedGate(gate=gate, cited=cited, time=time)


def _not_cited(context: JobContext) -> dict[str, str]:
    """Why a handset of a lot is asked about, whose papers may settle it at another time."""
    bound = context.intake.book.of_job.get(context.job)
    time = context.intake.time_basis()
    return {"not_cited": time} if bound is not None and isinstance(time, TimeDoubt) else {}


def waived_in(evidence: JobEvidence) -> tuple[WaivedGate, ...]:
    """All that a job has settled without asking so far."""
    gates, check = evidence.gates, evidence.felica_check
    at_check = check.settled if check else None
    return (*(gates.settled if gates else ()), *((at_check,) if at_check else ()))


def refuse_withdrawn(context: JobContext) -> None:
    """Before anything is destroyed: StageFailed where what was cited doesn't hold any more.

    Its age counts from when it was cited: a job that takes long makes nothing older.
    """
    cited = list(_cited_in(context.evidence))
    if not cited:
        return
    hand = asset_in_hand(context, numbers_known(context))
    for what, reason, each, after in cited:
        when = CitedWhen(at=each.at, after=after)
        gaps = (
            ["the handset isn't bound to an asset any more"]
            if hand is None or hand.tag != each.tag
            else cited_gaps(context.intake.book, hand, what, each, when=when)
        )
        if gaps:
            raise StageFailed(reason, f"{what}: {'; '.join(gaps)}")


def _cited_in(
    evidence: JobEvidence,
) -> Iterator[tuple[Gate | AttestationKind, Reason, CitedAttestation, int]]:
    """What was cited, for what, why the handset is held without it, and the newest record then."""
    for settled in waived_in(evidence):
        if settled.cited is not None:
            after = settled.time.after if settled.time else 0
            yield settled.gate, UNWAIVED[settled.gate], settled.cited, after
    for each in evidence.gates.required if evidence.gates else ():
        yield each.kind, UNATTESTED[each.kind], each.cited, each.time.after


def consent_named(context: JobContext) -> str:
    """Who has put on record that the owner agreed to lose what the chip holds; StageFailed else."""
    by = consent_of(context.evidence)
    if by is not None:
        return by
    raise StageFailed(
        Reason.CONSENT_MISSING, "nobody has put on record that the chip's balance may be lost"
    )


def consent_of(evidence: JobEvidence) -> str | None:
    """The same; None where nobody has."""
    gates, check = evidence.gates, evidence.felica_check
    answers = (*(gates.answers if gates else ()), check.consent if check else None)
    for answer in answers:
        if answer is not None and answer.gate is Gate.CONSENT and answer.approved:
            return answer.operator
    for settled in waived_in(evidence):
        if settled.gate is Gate.CONSENT and settled.cited is not None:
            return settled.cited.operator
    return None
