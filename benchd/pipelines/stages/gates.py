"""Stage `gates`: stops before time or data is lost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import anyio
from annotated_types import Interval

from benchd.domain.errors import HandsetFault, StageFailed
from benchd.domain.handset import HandsetFacts
from benchd.domain.intake import AttestationKind, NotNeeded
from benchd.domain.job import DISPOSITION_OF, Disposition, Gate, Reason, StageName
from benchd.domain.screen import OpenedPage, Page
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.pipelines.assets import (
    bind_by_label_in,
    bind_or_ask,
    number_by_label,
    numbers_known,
)
from benchd.pipelines.gate_facts import wait_for_sim_out
from benchd.pipelines.gate_waiver import UNWAIVED, required_of, waive_or_ask
from benchd.pipelines.identity_lookup import (
    handsets_of,
    let_by_somebody_in_charge,
    resolve_identity,
)
from benchd.pipelines.other_racks import ask_other_racks
from benchd.pipelines.parameters import OneOf, Patience, Percent, Seconds
from benchd.pipelines.screen_numbers import ScreenNumbers, numbers_on_screen
from benchd.pipelines.screen_requests import open_page
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.proof.capacity import is_clearly_less, is_clearly_more, nominal_size
from benchd.proof.citation import DAY_S, REQUIRABLE, Numbers
from benchd.proof.evidence.handset_evidence import GatesEvidence, WatchLookUp
from benchd.proof.evidence.intake_evidence import DeferredGate, WaivedGate
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.floors import (
    MOST_DAYS_OF_CONSENT,
    MOST_DAYS_OF_JPKI,
    MOST_DAYS_OF_NETWORK,
)
from benchd.proof.handset_refusals import refusals
from benchd.proof.identity.traits import Join, Relation
from benchd.proof.identity.unresolved_jobs import is_nameless
from benchd.proof.watch_list import WatchList

ATTESTATIONS = UNWAIVED
ACCEPTABLE = (
    Reason.SYSTEM_MODIFIED,
    Reason.LOCKED,
    Reason.OTHER_USER,
    Reason.MANAGED_DEVICE,
    Reason.REMOVABLE_MEDIA,
)
"""What may be let through where nothing is erased that anybody will use again."""
_IMPLIED = {Reason.SYSTEM_SUSPECT: Reason.SYSTEM_MODIFIED}
"""Whoever lets a modified system through lets one through that may be."""

REOPEN_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesStage:
    """Refuses what can't or mustn't be erased, then asks for what only a person knows."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=StageName.GATES,
        destructive=False,
        needs_access=True,
        after=(StageName.INSPECT,),
        needed_for=(Reason.RECYCLED,),
    )

    minimum_battery_percent: Percent = 30
    charge_within_s: Patience = 14_400
    """How long a handset may take to charge up to that."""
    battery_every_s: Seconds = 30
    attest: tuple[Annotated[Gate, OneOf(tuple(ATTESTATIONS))], ...] = (
        Gate.NETWORK,
        Gate.CONSENT,
        Gate.JPKI,
    )
    accept: tuple[Annotated[Reason, OneOf(ACCEPTABLE)], ...] = ()
    watch_list: WatchList | None = None
    imei_by_hand: bool = False
    """Whether a person looks a handset up in the list that doesn't tell its IMEI."""
    second_number: Literal["without_adb", "always"] = "without_adb"
    """Whether a person reads both numbers of one with two SIMs also where it tells one over adb."""
    consent_within_days: Annotated[float, Interval(gt=0, le=MOST_DAYS_OF_CONSENT)] = 365
    """How long ago what is cited may have been attested at intake; older, somebody is asked."""
    jpki_within_days: Annotated[float, Interval(gt=0, le=MOST_DAYS_OF_JPKI)] = 90
    network_within_days: Annotated[float, Interval(gt=0, le=MOST_DAYS_OF_NETWORK)] = 7
    require: tuple[Annotated[AttestationKind, OneOf(REQUIRABLE)], ...] = ()
    """What has to have been attested at intake: without it the handset is held."""
    required_within_days: Annotated[float, Interval(gt=0, le=MOST_DAYS_OF_CONSENT)] = 365

    async def run(self, context: JobContext) -> StageResult:
        """Check the facts first: a handset that can't go on shouldn't cost a person's time.

        The battery comes last: it charges while people look things up.
        """
        facts = context.inspected()
        accepted = await self._let_through(context, facts)
        if context.certifies and facts.sim:
            await wait_for_sim_out(context)
        unlocked = await self._lock_looked_at(context, facts)
        nominal_bytes = _nominal_bytes(facts, context.models.storage_bytes(facts.identity))
        opened = await self._number_opened(context, facts)
        read = await self._numbers(context, facts)
        numbers = numbers_known(context, read)
        watched = await self._watched(context, numbers)
        chosen = await bind_or_ask(context, numbers)
        label_number = number_by_label(context, numbers)
        handsets = await resolve_identity(context, label_number=label_number)
        if context.certifies and is_nameless(handsets.me):
            raise StageFailed(
                Reason.HANDSET_NOT_BOUND,
                "neither an IMEI nor a serial says which handset it is: scan its label",
            )
        doomed_by = await let_by_somebody_in_charge(context, handsets)
        await ask_other_racks(context, handsets.me, StageName.GATES)
        certified_by = handsets.earlier.certified_by
        context.certified_at = certified_by.end_sequence if certified_by else 0
        context.proven_numbers = frozenset(filter(None, (label_number,)))
        context.disputed_numbers = handsets.disputed_imeis
        numbers = numbers_known(context, read)
        limit_s = self.required_within_days * DAY_S
        required = tuple(required_of(context, kind, limit_s, numbers) for kind in self.require)
        deferred = self._deferred(context)
        now = [gate for gate in self.attest if all(gate is not each.gate for each in deferred)]
        found = [await self._settled(context, facts, gate, numbers) for gate in now]
        return StageResult(
            evidence=GatesEvidence(
                minimum_battery_percent=self.minimum_battery_percent,
                battery_percent=await self._charged(context, facts.battery_percent),
                accepted=accepted,
                watch_list=watched,
                nominal_bytes=nominal_bytes,
                nominal_sizes_sha256=context.models.sha256 if context.models.models else None,
                answers=(
                    *unlocked,
                    *chosen,
                    *(a for a in found if isinstance(a, DecisionEvidence)),
                ),
                settled=tuple(s for s in found if isinstance(s, WaivedGate)),
                deferred=deferred,
                required=required,
                screen_number=None if read is None else read.first,
                second_number=None if read is None else read.second,
                label_number=label_number,
                doomed_by=doomed_by,
                page=opened,
            )
        )

    async def _let_through(self, context: JobContext, facts: HandsetFacts) -> tuple[Reason, ...]:
        """What forbids an erasure and is let through by the recipe; StageFailed for anything else.

        A SIM is waited for where it would be sold with the handset.
        """
        accepted: list[Reason] = []
        for reason, detail in refusals(facts):
            if reason is Reason.SIM_PRESENT:
                continue
            if _IMPLIED.get(reason, reason) not in self.accept:
                await self._leave_numbers(context, reason)
                raise StageFailed(reason, detail)
            accepted.append(reason)
        return tuple(accepted)

    async def _lock_looked_at(
        self, context: JobContext, facts: HandsetFacts
    ) -> tuple[DecisionEvidence, ...]:
        """What a person says of a maker's lock for lenders that is among its admins."""
        if not facts.lock_admins or Reason.MANAGED_DEVICE in self.accept:
            return ()
        told = {**context.handset_facts(), "admins": ", ".join(facts.lock_admins)}
        decision = await context.approved(Gate.LOCK_ADMIN, Reason.MANAGED_DEVICE, told)
        return (DecisionEvidence.of(decision),)

    def _deferred(self, context: JobContext) -> tuple[DeferredGate, ...]:
        """Only a chip that is in use has something to lose: the look at it decides."""
        if Gate.CONSENT not in self.attest or not context.checks_chip_first:
            return ()
        return (DeferredGate(gate=Gate.CONSENT, limit_s=self._limit_s(Gate.CONSENT)),)

    def _limit_s(self, gate: Gate) -> float:
        days = {
            Gate.CONSENT: self.consent_within_days,
            Gate.JPKI: self.jpki_within_days,
            Gate.NETWORK: self.network_within_days,
        }
        return days[gate] * DAY_S

    async def _settled(
        self, context: JobContext, facts: HandsetFacts, gate: Gate, numbers: Numbers
    ) -> WaivedGate | DecisionEvidence:
        if gate is Gate.JPKI and facts.jpki_capable is False:
            return WaivedGate(gate=gate, not_needed=NotNeeded.JPKI_NOT_CAPABLE)
        return await waive_or_ask(context, gate, self._limit_s(gate), numbers)

    async def _number_opened(self, context: JobContext, facts: HandsetFacts) -> OpenedPage | None:
        """The page with the number that is asked for next, if one is."""
        asked = context.certifies and self._reads_numbers(facts)
        return await open_page(context, Page.ABOUT) if asked else None

    async def _numbers(self, context: JobContext, facts: HandsetFacts) -> ScreenNumbers | None:
        """What will tell it from a twin once adb is gone; asked only where adb tells no IMEI.

        Of one with two SIMs both: lists, papers and debts may know either. A number that another
        handset has on record is read once more.
        """
        if not (context.certifies and self._reads_numbers(facts)):
            return None
        read = await numbers_on_screen(context, both=True)
        if not read.imeis:
            if read.first != facts.identity.serial:
                raise StageFailed(
                    Reason.HANDSET_CHANGED, "its screen shows another serial than adb"
                )
            return read
        if await self._is_anothers(context, read):
            read = await numbers_on_screen(context, both=True)
        await bind_by_label_in(context, read.decision)
        return read

    def _reads_numbers(self, facts: HandsetFacts) -> bool:
        """Whether its screen has to tell what adb doesn't."""
        told = len(facts.identity.imeis)
        wants_both = self.second_number == "always" and (facts.sim_slots or 0) > told
        return not told or wants_both

    async def _is_anothers(self, context: JobContext, read: ScreenNumbers) -> bool:
        """Whether a list or another handset's record has a number that one look has read."""
        wanted = self.watch_list.wanted.imeis if self.watch_list else frozenset[str]()
        if not read.imeis.isdisjoint(wanted):
            return True
        handsets = await handsets_of(context)
        return any(
            Join.IMEI in handset.joins
            and (handset.relation is Relation.DISPUTE or handset.runs_in or handset.doomed_by)
            for handset in handsets.open
        )

    async def _leave_numbers(self, context: JobContext, reason: Reason) -> None:
        """What is sent to be destroyed leaves its numbers: it may come back under any of them.

        What can't be read is named in the record of this attempt by its absence.
        """
        facts = context.inspected()
        destroys = DISPOSITION_OF[reason] is Disposition.DESTROY
        told = len(facts.identity.imeis)
        if not (context.certifies and destroys and facts.telephony):
            return
        if told >= (facts.sim_slots or 1):
            return
        with suppress(StageFailed):
            read = await numbers_on_screen(context, both=True)
            context.seen = GatesEvidence(
                minimum_battery_percent=self.minimum_battery_percent,
                battery_percent=facts.battery_percent,
                accepted=(),
                watch_list=None,
                answers=(),
                screen_number=read.first,
                second_number=read.second,
            )

    async def _watched(self, context: JobContext, numbers: Numbers) -> WatchLookUp | None:
        """Look its IMEIs up; that one couldn't be is on record too."""
        if self.watch_list is None:
            return None
        wanted = self.watch_list.wanted
        told = WatchLookUp(
            sha256=wanted.sha256, entries=len(wanted.imeis), looked_up="not_looked_up"
        )
        if not numbers.imeis.isdisjoint(wanted.imeis):
            raise StageFailed(Reason.WATCH_LISTED, "its IMEI is on the dealer's list")
        if numbers.imeis:
            return replace(told, looked_up="by_imei")
        if not self.imei_by_hand:
            return told
        decision = await context.approval(Gate.WATCH_LIST, Reason.WATCH_LISTED)
        return replace(told, looked_up="by_hand", answer=DecisionEvidence.of(decision))

    async def _charged(self, context: JobContext, percent: int) -> int:
        """Wait, and say so, until there is enough in the battery; returns what there is."""
        if percent >= self.minimum_battery_percent:
            return percent
        try:
            with anyio.move_on_after(self.charge_within_s):
                while percent < self.minimum_battery_percent:
                    context.station.show_problem(self._low(percent))
                    await anyio.sleep(self.battery_every_s)
                    percent = await self._battery_now(context, percent)
        finally:
            context.station.show_problem(None)
        if percent < self.minimum_battery_percent:
            raise StageFailed(
                Reason.LOW_BATTERY,
                f"battery at {percent} % after {self.charge_within_s:.0f} s,"
                f" not {self.minimum_battery_percent} %",
            )
        return percent

    async def _battery_now(self, context: JobContext, before: int) -> int:
        try:
            return (await context.handset.battery()).percent
        except HandsetFault:
            # A cable that was touched in hours of charging is no reason to ask everything again.
            context.device = await context.station.reopen(REOPEN_WITHIN_S)
            return before

    def _low(self, percent: int) -> ProblemView:
        return ProblemView(
            code=ProblemCode.LOW_BATTERY,
            facts={"percent": str(percent), "minimum": str(self.minimum_battery_percent)},
        )


def _nominal_bytes(facts: HandsetFacts, sizes: Sequence[int]) -> int | None:
    """The size that its storage is sold with; None where nobody has told of its model.

    A table can only hold a handset: what doesn't fit it isn't taken for anything else.
    """
    capacity_bytes = facts.capacity_bytes
    nominal_bytes = nominal_size(capacity_bytes, sizes)
    if nominal_bytes is None:
        return None
    detail = f"{capacity_bytes} bytes, of {nominal_bytes} that the model is sold with"
    if is_clearly_less(capacity_bytes, nominal_bytes):
        raise StageFailed(Reason.CAPACITY_BELOW_NOMINAL, detail)
    if is_clearly_more(capacity_bytes, nominal_bytes):
        raise StageFailed(Reason.CAPACITY_ABOVE_NOMINAL, detail)
    return nominal_bytes
