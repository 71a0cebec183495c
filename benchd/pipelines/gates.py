"""Stage `gates`: stops before time or data is lost."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.errors import StageFailed
from benchd.model import Gate, HandsetFacts, Reason
from benchd.pipelines.stage import JobContext, StageResult, decision_evidence

ATTESTATIONS = {
    Gate.CONSENT: Reason.CONSENT_MISSING,
    Gate.JPKI: Reason.JPKI_NOT_ATTESTED,
    Gate.NETWORK: Reason.NETWORK_RESTRICTED,
}
"""What only a person can attest, and what the handset is held for if nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesStage:
    """Refuses what can't or mustn't be erased, then asks for what only a person knows."""

    minimum_battery_percent: int = 30
    attest: tuple[Gate, ...] = (Gate.NETWORK, Gate.CONSENT, Gate.JPKI)

    async def run(self, context: JobContext) -> StageResult:
        """Check the facts first: a handset that can't go on shouldn't cost a person's time."""
        facts = context.inspected()
        self._refuse(facts)
        answers = [
            decision_evidence(await context.approval(gate, ATTESTATIONS[gate]))
            for gate in self.attest
        ]
        return StageResult(
            evidence={
                "minimum_battery_percent": self.minimum_battery_percent,
                "answers": answers,
            }
        )

    def _refuse(self, facts: HandsetFacts) -> None:
        if facts.modification_signs:
            raise StageFailed(Reason.SYSTEM_MODIFIED, "; ".join(facts.modification_signs))
        if facts.account_count or facts.screen_lock:
            # A reset from the host would leave factory reset protection armed.
            raise StageFailed(
                Reason.LOCKED,
                f"{facts.account_count} accounts, screen lock {facts.screen_lock}",
            )
        if facts.device_owner:
            raise StageFailed(Reason.LOCKED, "a device owner manages this handset")
        if facts.battery_percent < self.minimum_battery_percent:
            raise StageFailed(
                Reason.LOW_BATTERY,
                f"battery at {facts.battery_percent} %, not {self.minimum_battery_percent} %",
            )
