"""Whether a handset is as its last reset left it, by what it says of itself.

A reset here is proven by what it changes, and leaves no trace of an owner. That one which was made
elsewhere was the last thing to happen takes more: whatever can't be read is no evidence for it, and
the handset itself has to count its one start since then.
What a maker's system brings along is excused by a picture of the very model and build alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchd.domain.handset import ResetFacts
from benchd.domain.person_names import same_person
from benchd.proof.evidence.fresh_evidence import FreshPicture, SignedPicture, Witness
from benchd.proof.evidence.handset_evidence import InitialiseEvidence, InspectEvidence
from benchd.proof.floors import (
    MOST_BOOTS_SINCE_RESET,
    MOST_FRESH_USED_BYTES,
    MOST_FRESH_USED_SHARE,
    MOST_OVER_PICTURE_PERCENT,
    MOST_S_SINCE_SHOWN_RESET,
    STARTS_OF_A_SHOWN_RESET,
)
from benchd.proof.package_places import on_system_partition
from benchd.proof.storage_proof import F2FS

ONLY_USER = (0,)


def most_used_bytes(
    capacity_bytes: int,
    *,
    at_most_bytes: int,
    at_most_share: float,
    picture: FreshPicture | None = None,
) -> int:
    """How much of a storage may be in use after a reset: a recipe's or a picture's numbers.

    Never more than the floors allow.
    """
    asked = min(at_most_bytes, int(capacity_bytes * min(at_most_share, MOST_FRESH_USED_SHARE)))
    allowed = max(asked, pictured_bytes(picture))
    return min(allowed, MOST_FRESH_USED_BYTES, int(capacity_bytes * MOST_FRESH_USED_SHARE))


def pictured_bytes(picture: FreshPicture | None) -> int:
    """How many bytes in use a picture excuses."""
    return 0 if picture is None else picture.used_bytes * (100 + MOST_OVER_PICTURE_PERCENT) // 100


def excused_accounts(facts: ResetFacts, picture: FreshPicture | None) -> int:
    """How many of the maker's accounts a picture excuses: all or none, as types alone are told."""
    if picture is None or facts.maker_accounts > picture.maker_accounts:
        return 0
    told = set(facts.maker_account_types)
    return facts.maker_accounts if told and told <= set(picture.maker_account_types) else 0


def excused_packages(facts: ResetFacts, picture: FreshPicture | None) -> int:
    """How many packages a picture excuses, each by its name and by its place."""
    if picture is None:
        return 0
    alike = {package for package in facts.preinstalled if on_system_partition(package.place)}
    return len({package.name for package in alike.intersection(picture.packages)})


def traces_of_use(
    facts: ResetFacts,
    most_used_bytes: int,
    picture: FreshPicture | None = None,
    *,
    file_system: str = "",
) -> list[str]:
    """What tells this handset from one that was just reset.

    f2fs counts what it reserves for its own cleaning as in use, of a small storage much of it.
    """
    traces = [f"{count} {what} left" for what, count in _counts(facts, picture).items() if count]
    if facts.user_ids != ONLY_USER:
        traces.append(f"users {', '.join(map(str, facts.user_ids))} are there")
    if facts.used_bytes > most_used_bytes:
        allowed = f"{facts.used_bytes} bytes in use, {most_used_bytes} are allowed"
        reserve = " (f2fs counts its own reserve as in use)" if file_system == F2FS else ""
        traces.append(allowed + reserve)
    if facts.boot_count is not None and facts.boot_count > MOST_BOOTS_SINCE_RESET:
        traces.append(f"started {facts.boot_count} times since its last reset")
    return traces


def unread(facts: ResetFacts) -> list[str]:
    """What it doesn't say, so that it can't show that nobody has used it."""
    told = {**_counts(facts), "starts since its last reset": facts.boot_count}
    return [f"{what} can't be counted" for what, count in told.items() if count is None]


def unshown_reset(facts: ResetFacts) -> list[str]:
    """Why its own numbers don't show that it was reset lately; absent things never show that."""
    gaps: list[str] = []
    if facts.boot_count != STARTS_OF_A_SHOWN_RESET:
        gaps.append("it isn't in its first start since a reset")
    if facts.up_s is None or facts.up_s > MOST_S_SINCE_SHOWN_RESET:
        gaps.append("it doesn't show that it was started within a day")
    return gaps


def freshness_gaps(evidence: InitialiseEvidence, capacity_bytes: int) -> list[str]:
    """What keeps a handset from being as its reset left it, here or before it came in."""
    picture = picture_of(evidence)
    most = most_used_bytes(
        capacity_bytes,
        at_most_bytes=evidence.fresh_used_bytes,
        at_most_share=evidence.fresh_used_share,
        picture=picture,
    )
    signs = traces_of_use(evidence.left, most, picture)
    if evidence.after is None:
        signs += [*unread(evidence.left), *unshown_reset(evidence.left)]
    return [f"initialise: {sign}" for sign in signs]


def picture_of(evidence: InitialiseEvidence) -> FreshPicture | None:
    """The picture that a handset was held against, if there was one."""
    return None if evidence.picture is None else evidence.picture.picture


def picture_gaps(signed: SignedPicture | None, inspect: InspectEvidence) -> list[str]:
    """What keeps a picture from saying anything of this handset; its signature isn't looked at."""
    if signed is None:
        return []
    picture, gaps = signed.picture, list[str]()
    if not picture.is_of(inspect.manufacturer, inspect.model, inspect.build):
        gaps.append("initialise: the picture is of another model or build")
    if not all(on_system_partition(package.place) for package in picture.packages):
        gaps.append("initialise: the picture has a package that isn't on a system partition")
    faults = [*witness_faults(picture), *approval_faults(picture)]
    return gaps + [f"initialise: {fault}" for fault in faults]


def witness_faults(picture: FreshPicture) -> list[str]:
    """Why these aren't two people with a handset each."""
    if len(picture.witnesses) != 2:
        return ["the picture wasn't taken from two handsets"]
    one, other = picture.witnesses
    faults: list[str] = []
    if same_person(one.by, other.by):
        faults.append("the same person has reset both handsets of the picture")
    if not set(one.marks).isdisjoint(other.marks):
        faults.append("the picture was taken from one handset twice")
    if picture.used_bytes != max(one.used_bytes, other.used_bytes):
        faults.append("the picture has other bytes in use than its handsets had")
    return faults


def approval_faults(picture: FreshPicture) -> list[str]:
    """Why it excuses nothing yet: two who agree can dirty two handsets after their resets.

    A third person, in charge, vouches for what it excuses; each handset for that it was reset.
    """
    faults: list[str] = []
    if picture.approved_by is None or picture.approved_at is None:
        faults.append("nobody in charge has approved the picture")
    elif any(same_person(picture.approved_by, witness.by) for witness in picture.witnesses):
        faults.append("whoever has approved the picture has reset one of its handsets")
    elif any(picture.approved_at < witness.taken_at for witness in picture.witnesses):
        faults.append("the picture was approved before it was taken")
    if any(not _shows_reset(witness) for witness in picture.witnesses):
        faults.append("a handset of the picture hasn't shown its reset")
    return faults


def _shows_reset(witness: Witness) -> bool:
    return (
        witness.boot_count == STARTS_OF_A_SHOWN_RESET
        and witness.up_s is not None
        and witness.up_s <= MOST_S_SINCE_SHOWN_RESET
    )


def _counts(facts: ResetFacts, picture: FreshPicture | None = None) -> Mapping[str, int | None]:
    """What an owner leaves, none of which a reset handset has."""
    return {
        "accounts": facts.account_count,
        "accounts of its maker": facts.maker_accounts - excused_accounts(facts, picture),
        "installed apps": facts.third_party_packages - excused_packages(facts, picture),
        "files": facts.owner_files,
        "calls": facts.call_count,
        "contacts": facts.contact_count,
        "messages": facts.message_count,
    }
