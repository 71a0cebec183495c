"""Stage `gates`: stops before time or data is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import anyio
from annotated_types import Interval

from benchd.errors import HandsetFault, StageFailed
from benchd.pipelines.assets import bind_or_ask
from benchd.pipelines.binding import number_on_screen
from benchd.pipelines.contract import JobContext, StageResult
from benchd.pipelines.description import StageDescription
from benchd.pipelines.earlier import let_by_somebody_in_charge
from benchd.pipelines.parameters import OneOf, Patience, Percent, Seconds
from benchd.pipelines.screens import open_page
from benchd.pipelines.settling import UNSETTLED, settle
from benchd.pipelines.standing import wait_for_sim_out
from benchd.pipelines.watch_list import WatchList
from benchd.proof.citing import DAY_S
from benchd.proof.evidence.handset import GatesEvidence, WatchLookUp
from benchd.proof.evidence.intake import DeferredGate, SettledGate
from benchd.proof.evidence.people import DecisionEvidence
from benchd.proof.floors import (
    MOST_DAYS_OF_CONSENT,
    MOST_DAYS_OF_JPKI,
    MOST_DAYS_OF_NETWORK,
)
from benchd.proof.nominal import is_clearly_less, is_clearly_more, nominal_size
from benchd.proof.standing import refusals
from benchd.words.handset import HandsetFacts
from benchd.words.imei import is_imei
from benchd.words.intake import NotNeeded
from benchd.words.job import Gate, Reason, StageName
from benchd.words.screen import OpenedPage, Page
from benchd.words.slot import ProblemCode, ProblemView

ATTESTATIONS = UNSETTLED
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
        needs_adb=True,
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
    consent_within_days: Annotated[float, Interval(gt=0, le=MOST_DAYS_OF_CONSENT)] = 365
    """How long ago what is cited may have been attested at intake; older, somebody is asked."""
    jpki_within_days: Annotated[float, Interval(gt=0, le=MOST_DAYS_OF_JPKI)] = 90
    network_within_days: Annotated[float, Interval(gt=0, le=MOST_DAYS_OF_NETWORK)] = 7

    async def run(self, context: JobContext) -> StageResult:
        """Check the facts first: a handset that can't go on shouldn't cost a person's time.

        The battery comes last: it charges while people look things up.
        """
        facts = context.inspected()
        accepted = self._let_through(facts)
        if context.certifies and facts.sim:
            await wait_for_sim_out(context)
        nominal_bytes = _nominal_bytes(facts, context.models.storage_bytes(facts.identity))
        opened = await self._number_opened(context, facts)
        number = await self._screen_number(context, facts)
        watched = await self._watched(context, facts, number)
        doomed_by = await let_by_somebody_in_charge(context, number)
        chosen = await bind_or_ask(context, number)
        deferred = self._deferred(context)
        now = [gate for gate in self.attest if all(gate is not each.gate for each in deferred)]
        found = [await self._settled(context, facts, gate, number) for gate in now]
        return StageResult(
            evidence=GatesEvidence(
                minimum_battery_percent=self.minimum_battery_percent,
                battery_percent=await self._charged(context, facts.battery_percent),
                accepted=accepted,
                watch_list=watched,
                nominal_bytes=nominal_bytes,
                nominal_sizes_sha256=context.models.sha256 if context.models.models else None,
                answers=(*chosen, *(a for a in found if isinstance(a, DecisionEvidence))),
                settled=tuple(s for s in found if isinstance(s, SettledGate)),
                deferred=deferred,
                screen_number=number,
                doomed_by=doomed_by,
                page=opened,
            )
        )

    def _let_through(self, facts: HandsetFacts) -> tuple[Reason, ...]:
        """What forbids an erasure and is let through by the recipe; StageFailed for anything else.

        A SIM is waited for where it would be sold with the handset.
        """
        accepted: list[Reason] = []
        for reason, detail in refusals(facts):
            if reason is Reason.SIM_PRESENT:
                continue
            if _IMPLIED.get(reason, reason) not in self.accept:
                raise StageFailed(reason, detail)
            accepted.append(reason)
        return tuple(accepted)

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
        self, context: JobContext, facts: HandsetFacts, gate: Gate, number: str | None
    ) -> SettledGate | DecisionEvidence:
        if gate is Gate.JPKI and facts.jpki_capable is False:
            return SettledGate(gate=gate, not_needed=NotNeeded.JPKI_NOT_CAPABLE)
        return await settle(context, gate, self._limit_s(gate), number)

    async def _number_opened(self, context: JobContext, facts: HandsetFacts) -> OpenedPage | None:
        """The page with the number that is asked for next, if one is."""
        asked = context.certifies and not facts.identity.imeis
        return await open_page(context, Page.ABOUT) if asked else None

    async def _screen_number(self, context: JobContext, facts: HandsetFacts) -> str | None:
        """What will tell it from a twin once adb is gone; asked only where adb tells no IMEI."""
        if not context.certifies or facts.identity.imeis:
            return None
        number = await number_on_screen(context)
        if not is_imei(number) and number != facts.identity.serial:
            raise StageFailed(Reason.HANDSET_CHANGED, "its screen shows another serial than adb")
        return number

    async def _watched(
        self, context: JobContext, facts: HandsetFacts, number: str | None
    ) -> WatchLookUp | None:
        """Look the IMEI up; that one couldn't be is on record too."""
        if self.watch_list is None:
            return None
        wanted = self.watch_list.wanted
        told = WatchLookUp(
            sha256=wanted.sha256, entries=len(wanted.imeis), looked_up="not_looked_up"
        )
        imeis = {*facts.identity.imeis, *({number} if number and is_imei(number) else ())}
        if not imeis.isdisjoint(wanted.imeis):
            raise StageFailed(Reason.WATCH_LISTED, "its IMEI is on the dealer's list")
        if imeis:
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
            context.handset = await context.station.reopen(REOPEN_WITHIN_S)
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
    capacity_bytes = facts.storage.capacity_bytes
    nominal_bytes = nominal_size(capacity_bytes, sizes)
    if nominal_bytes is None:
        return None
    detail = f"{capacity_bytes} bytes, of {nominal_bytes} that the model is sold with"
    if is_clearly_less(capacity_bytes, nominal_bytes):
        raise StageFailed(Reason.CAPACITY_BELOW_NOMINAL, detail)
    if is_clearly_more(capacity_bytes, nominal_bytes):
        raise StageFailed(Reason.CAPACITY_ABOVE_NOMINAL, detail)
    return nominal_bytes
