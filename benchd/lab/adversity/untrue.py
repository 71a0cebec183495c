"""What a certificate says of a handset, or a sale of it, and isn't so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchd.certificate.certificate_sentences import Sentence
from benchd.domain.ids import Evidence
from benchd.lab.adversity.truth import OWNER, REACHABLE, Truth


def untrue_of_erased(truth: Truth, key: str) -> list[str]:
    """What keeps this handset from being erased by the job with this key."""
    missed = [extent for extent in REACHABLE if truth.contents[extent] != key]
    if 0 < len(missed) <= truth.quota_extents:
        # How much may be free after a fill is a rule of its own.
        missed = []
    owners = sum(truth.contents[extent] == OWNER for extent in missed)
    faults: list[str] = []
    if missed:
        faults.append(f"{len(missed)} extents weren't overwritten, {owners} of them the owner's")
    if truth.filled_since_reset or not truth.welcome:
        faults.append("it wasn't reset after the overwrite")
    if truth.live or truth.accounts or truth.apps:
        faults.append("somebody's files, accounts or apps live on it")
    return faults


def was_rechecked(statement: Evidence) -> bool:
    """Whether a certificate names the recheck that it was issued by."""
    predicate = statement["predicate"]
    told = predicate["recheck"] if isinstance(predicate, Mapping) else None
    return isinstance(told, Mapping) and told.get("passed") is not None


def own_chip(truth: Truth) -> str | None:
    """The number of a handset's own chip, if it has one."""
    return None if truth.chip is None else truth.chip.number


def trusts_reader(statement: Evidence) -> bool:
    """Whether a certificate says that nobody has shown the chip to be in this handset."""
    predicate = statement["predicate"]
    told = predicate["not_reached"] if isinstance(predicate, Mapping) else ()
    return isinstance(told, Sequence) and Sentence.READER_TRUSTED in told


def untrue_of_named(truth: Truth, statement: Evidence) -> list[str]:
    """What the certificate says of the handset and isn't so."""
    predicate = statement["predicate"]
    handset = predicate["handset"] if isinstance(predicate, Mapping) else None
    if not isinstance(handset, Mapping):
        return ["no handset is named"]
    true = {
        "serial": (truth.serial,),
        "model": (truth.model,),
        "imei": truth.numbers,
        "second_imei": truth.numbers,
    }
    return [
        f"{name} {handset.get(name)} isn't its own, {' or '.join(own)}"
        for name, own in true.items()
        if handset.get(name) not in (None, *own)
    ]
