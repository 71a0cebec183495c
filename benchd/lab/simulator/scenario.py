"""What a scenario is: a handset, what becomes of it, and how its job must end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.lab.simulator.plan import DEFAULT_CAPACITY_BYTES, HandsetModel, HandsetPlan

LIVE_SHARE: Final = 0.45
"""How full a handset comes in that nobody has reset."""
SHARED_SERIAL: Final = "0123456789ABCDEF"
"""What makers forget to replace: seen on many handsets at once."""
OWNERS_PACKAGES: Final = (
    "com.example.kakeibo",
    "jp.naver.line.android",
    "jp.paypay",
    "jp.co.yahoo.android.yjtop",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedEnd:
    """How a job on this handset must end."""

    outcome: Outcome
    disposition: Disposition
    reason: Reason | None = None


PASSED: Final = ExpectedEnd(outcome=Outcome.PASSED, disposition=Disposition.SELLABLE)


def failed(disposition: Disposition, reason: Reason) -> ExpectedEnd:
    """A job that must not pass."""
    return ExpectedEnd(outcome=Outcome.FAILED, disposition=disposition, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A handset and its end; `answers` are the operator's where they aren't approvals."""

    plan: HandsetPlan
    end: ExpectedEnd
    story: str = ""
    """What is the matter with it, as docs/demo.md says."""
    answers: Mapping[Gate, bool] = field(default_factory=dict[Gate, bool])

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return self.plan.name

    def handset(
        self,
        *,
        name: str,
        slot: int | None,
        copy: int = 0,
        capacity_bytes: int = DEFAULT_CAPACITY_BYTES,
        write_bytes_per_s: int | None = None,
    ) -> HandsetPlan:
        """This scenario's handset, named, in a slot, of a certain size and speed.

        Each `copy` has numbers of its own, except where the serial is the story.
        """
        plan, faults = self.plan, self.plan.faults
        if write_bytes_per_s is not None:
            faults = replace(faults, write_bytes_per_s=write_bytes_per_s)
        shared = plan.serial == SHARED_SERIAL
        # Its numbers stand in the answers that it was given.
        copy = 0 if "properties" in plan.given else copy
        return replace(
            plan,
            name=name,
            slot=slot,
            serial=plan.serial if shared or not copy else _copied(plan.serial, copy),
            imei=plan.imei if not copy else _imei(int(plan.imei[:-1]) + 100 * copy),
            capacity_bytes=capacity_bytes,
            faults=faults,
        )


def _copied(serial: str, copy: int) -> str:
    """The serial of another handset of the same make; what tells scenarios apart stays."""
    return f"{serial[:-4]}{serial[-2:]}{copy:02}"


def _imei(body: int) -> str:
    """An IMEI from its first 14 digits, with the check digit of ISO/IEC 7812-1 (Luhn)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(f"{body:014}"))):
        doubled = digit if place % 2 else 2 * digit
        total += doubled - 9 if doubled > 9 else doubled
    return f"{body:014}{-total % 10}"


def freshly_reset(name: str, model: HandsetModel, serial: str, imei: str) -> HandsetPlan:
    """A handset that its owner has reset before selling it."""
    return HandsetPlan(name=name, model=model, serial=serial, imei=imei)


def in_use(name: str, model: HandsetModel, serial: str, imei: str) -> HandsetPlan:
    """A handset with its owner's photos, apps and databases, but no lock and no account."""
    return HandsetPlan(
        name=name,
        model=model,
        serial=serial,
        imei=imei,
        owner_share=LIVE_SHARE,
        packages=OWNERS_PACKAGES,
        calls=31,
        contacts=112,
        messages=240,
        boot_count=214,
    )
