"""Whether a handset is as its last reset left it, by what it says of itself.

A reset here is proven by what it changes, and leaves no trace of an owner. That one which was made
elsewhere was the last thing to happen takes more: whatever can't be read is no evidence for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from benchd.proof.evidence.handset import InitialiseEvidence
from benchd.proof.floors import (
    MOST_BOOTS_SINCE_RESET,
    MOST_FRESH_USED_BYTES,
    MOST_FRESH_USED_SHARE,
)
from benchd.words.handset import ResetFacts

ONLY_USER = (0,)


def most_used_bytes(capacity_bytes: int, *, at_most_bytes: int, at_most_share: float) -> int:
    """How much of a storage may be in use after a reset: a recipe's numbers under the floors."""
    share = min(at_most_share, MOST_FRESH_USED_SHARE)
    return min(at_most_bytes, MOST_FRESH_USED_BYTES, int(capacity_bytes * share))


def traces_of_use(facts: ResetFacts, most_used_bytes: int) -> list[str]:
    """What tells this handset from one that was just reset."""
    traces = [f"{count} {what} left" for what, count in _counts(facts).items() if count]
    if facts.user_ids != ONLY_USER:
        traces.append(f"users {', '.join(map(str, facts.user_ids))} are there")
    if facts.used_bytes > most_used_bytes:
        traces.append(f"{facts.used_bytes} bytes in use, {most_used_bytes} are allowed")
    if facts.boot_count is not None and facts.boot_count > MOST_BOOTS_SINCE_RESET:
        traces.append(f"started {facts.boot_count} times since its last reset")
    return traces


def unread(facts: ResetFacts) -> list[str]:
    """What it doesn't say, so that it can't show that nobody has used it."""
    told = {**_counts(facts), "starts since its last reset": facts.boot_count}
    return [f"{what} can't be counted" for what, count in told.items() if count is None]


def freshness_gaps(evidence: InitialiseEvidence, capacity_bytes: int) -> list[str]:
    """What keeps a handset from being as its reset left it, here or before it came in."""
    most = most_used_bytes(
        capacity_bytes,
        at_most_bytes=evidence.fresh_used_bytes,
        at_most_share=evidence.fresh_used_share,
    )
    signs = traces_of_use(evidence.left, most)
    if evidence.after is None:
        signs += unread(evidence.left)
    return [f"initialise: {sign}" for sign in signs]


def _counts(facts: ResetFacts) -> Mapping[str, int | None]:
    """What an owner leaves, none of which a reset handset has."""
    return {
        "accounts": facts.account_count,
        "accounts of its maker": facts.maker_accounts,
        "installed apps": facts.third_party_packages,
        "files": facts.owner_files,
        "calls": facts.call_count,
        "contacts": facts.contact_count,
        "messages": facts.message_count,
    }
