"""How a fresh picture is learned: two handsets that two people have reset, and what they share."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from benchd.domain.errors import UsageRefused
from benchd.domain.handset import HandsetFacts, ResetFacts
from benchd.domain.person_names import operator_name
from benchd.proof.evidence.fresh_evidence import (
    MOST_PICTURED_TYPES,
    FreshPicture,
    FreshTaking,
    Witness,
)
from benchd.proof.floors import (
    MOST_FRESH_USED_BYTES,
    MOST_FRESH_USED_SHARE,
    MOST_OVER_PICTURE_PERCENT,
)
from benchd.proof.fresh_proof import (
    approval_faults,
    most_used_bytes,
    traces_of_use,
    unread,
    unshown_reset,
    witness_faults,
)
from benchd.proof.handset_refusals import refusals


def take(
    facts: HandsetFacts, left: ResetFacts, *, by: str, at: datetime, marks: tuple[str, ...]
) -> FreshTaking:
    """What this handset shows right after its reset; UsageRefused for all that nothing excuses."""
    taking = FreshTaking(
        manufacturer=facts.identity.manufacturer,
        model=facts.identity.model,
        build=facts.identity.build,
        by=operator_name(by),
        taken_at=at,
        marks=marks,
        used_bytes=left.used_bytes,
        maker_accounts=left.maker_accounts,
        maker_account_types=left.maker_account_types,
        packages=left.preinstalled,
        boot_count=left.boot_count,
        up_s=left.up_s,
    )
    faults = [f"{reason}: {detail}" for reason, detail in refusals(facts)]
    if len(taking.maker_account_types) > MOST_PICTURED_TYPES:
        faults.append("more types of accounts than a picture holds")
    faults += traces_of_use(left, _most_bytes(facts), _alone(taking))
    faults += unread(left) + unshown_reset(left)
    if faults:
        raise UsageRefused(f"it isn't as its reset left it: {'; '.join(faults)}")
    return taking


def learn(first: tuple[FreshTaking, str], second: tuple[FreshTaking, str]) -> FreshPicture:
    """What two takings, each with its digest, show alike; UsageRefused where they make none."""
    (one, _), (other, _) = first, second
    if not _alone(one).is_of(other.manufacturer, other.model, other.build):
        raise UsageRefused("the two handsets aren't of one model and build")
    less, more = sorted((one.used_bytes, other.used_bytes))
    picture = replace(
        _alone(one),
        used_bytes=more,
        maker_accounts=min(one.maker_accounts, other.maker_accounts),
        maker_account_types=tuple(
            sorted(set(one.maker_account_types).intersection(other.maker_account_types))
        ),
        packages=tuple(package for package in one.packages if package in other.packages),
        witnesses=(_witness(*first), _witness(*second)),
    )
    faults = witness_faults(picture)
    if more * 100 > less * (100 + MOST_OVER_PICTURE_PERCENT):
        faults.append(f"{less} and {more} bytes are in use: one holds more than the other")
    if faults:
        raise UsageRefused("; ".join(faults))
    return picture


def approve(picture: FreshPicture, *, by: str, at: datetime) -> FreshPicture:
    """The picture as somebody in charge approves it; UsageRefused for whoever may not."""
    approved = replace(picture, approved_by=operator_name(by), approved_at=at)
    faults = approval_faults(approved)
    if faults:
        raise UsageRefused("; ".join(faults))
    return approved


def shown_by_one_only(one: FreshTaking, other: FreshTaking) -> tuple[str, ...]:
    """What isn't in their picture, since only one of them shows it."""
    types = set(one.maker_account_types).symmetric_difference(other.maker_account_types)
    packages = set(one.packages).symmetric_difference(other.packages)
    return (*sorted(types), *sorted(f"{package.place}={package.name}" for package in packages))


def _alone(taking: FreshTaking) -> FreshPicture:
    """A picture of nothing else than this taking."""
    return FreshPicture(
        manufacturer=taking.manufacturer,
        model=taking.model,
        build=taking.build,
        used_bytes=taking.used_bytes,
        maker_accounts=taking.maker_accounts,
        maker_account_types=taking.maker_account_types,
        packages=taking.packages,
        witnesses=(),
    )


def _most_bytes(facts: HandsetFacts) -> int:
    """No picture reaches above the floors, so neither does what it's taken from."""
    return most_used_bytes(
        facts.capacity_bytes,
        at_most_bytes=MOST_FRESH_USED_BYTES,
        at_most_share=MOST_FRESH_USED_SHARE,
    )


def _witness(taking: FreshTaking, sha256: str) -> Witness:
    return Witness(
        by=taking.by,
        taken_at=taking.taken_at,
        marks=taking.marks,
        used_bytes=taking.used_bytes,
        sha256=sha256,
        boot_count=taking.boot_count,
        up_s=taking.up_s,
    )
