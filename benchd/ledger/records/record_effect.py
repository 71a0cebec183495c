"""What a single record adds to what is known of its job; what isn't of its form tells nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from benchd.domain.errors import CertificateGap
from benchd.domain.handset import OWNER
from benchd.domain.job import Disposition, Outcome, Reason, StageName
from benchd.domain.record import Entry
from benchd.ledger.records.columns import utc
from benchd.proof.chip_ownership import tied_chip
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.handset_evidence import (
    GatesEvidence,
    InitialiseEvidence,
    InspectEvidence,
)
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence
from benchd.proof.fresh_proof import picture_of, pictured_bytes, traces_of_use, unread
from benchd.proof.record_fields import RecordReader
from benchd.proof.record_subject import seen_in
from benchd.proof.stage_order import ARRIVED_RESET

RecordEffect = Mapping[str, int | str | None]
"""Columns of a job by their names in `JobRow`, and what they are from now on."""

_READ: Final = (
    StageName.INSPECT,
    StageName.GATES,
    StageName.FELICA_CHECK,
    StageName.INITIALISE,
    StageName.FIND_DRAWN,
)
_READ_CHIPS: Final = (StageName.FELICA_CHECK, StageName.FELICA_RECHECK)
_SHOW_DATA: Final = (Reason.LOCKED, Reason.OTHER_USER, Reason.RESET_NOT_PROVEN)
"""Ends by which somebody's data was there."""


def text_of(entry: Entry, key: str) -> str | None:
    """A text of a record's data; None where there is none."""
    try:
        return RecordReader(entry.data, entry.kind).optional_text(key)
    except CertificateGap:
        return None


def effect_of_stage(entry: Entry) -> RecordEffect:
    """What an ended attempt tells of the handset; empty for most."""
    told = _of_evidence(seen_in(entry, _READ), text_of(entry, "because"))
    chip = seen_in(entry, _READ_CHIPS)
    if isinstance(chip, ChipEvidence) and chip.chip is not None:
        return {**told, "seen_chip": chip.chip}
    return told


def _of_evidence(evidence: object | None, because: str | None) -> RecordEffect:
    match evidence:
        case InspectEvidence():
            return {
                "manufacturer": evidence.manufacturer,
                "model": evidence.model,
                "android": evidence.android,
                "serial": evidence.serial,
                "imei": evidence.imei,
                "second_imei": evidence.second_imei,
                **({"came_with_data": 1} if _is_in_use(evidence) else {}),
            }
        case GatesEvidence(screen_number=str() as number):
            return {"screen_number": number}
        case FindDrawnEvidence():
            return {"screen_number": evidence.screen_number, "rechecks": evidence.drawn_job}
        case ChipEvidence():
            tied = tied_chip(evidence)
            return {"chip": evidence.verdict, **({} if tied is None else {"tied": tied})}
        case InitialiseEvidence():
            return _came_with_data(evidence, because)
        case _:
            return {}


def _came_with_data(evidence: InitialiseEvidence, because: str | None) -> RecordEffect:
    """Unknown of what shows neither a reset nor an owner, and was reset here to be sure."""
    if because == ARRIVED_RESET:
        return {"came_with_data": 0}
    picture, before = picture_of(evidence), evidence.before
    most = max(evidence.fresh_used_bytes, pictured_bytes(picture))
    shows_use = traces_of_use(before, most, picture) or unread(before)
    return {"came_with_data": 1} if shows_use else {}


def _is_in_use(evidence: InspectEvidence) -> bool:
    others = [user for user in evidence.user_ids if user != OWNER]
    return bool(evidence.account_count or evidence.screen_lock or others)


def effect_of_end(entry: Entry) -> RecordEffect:
    """How a job has ended by the words of its record; a word that isn't known is left out."""
    reason = _word(Reason, text_of(entry, "reason"))
    envelope = text_of(entry, "certificate")
    return {
        "ended_at": utc(entry.at),
        "outcome": _word(Outcome, text_of(entry, "outcome")),
        "disposition": _word(Disposition, text_of(entry, "disposition")),
        "reason": reason,
        "certificate": digest_of(envelope) if envelope else None,
        **({"came_with_data": 1} if reason in _SHOW_DATA else {}),
    }


def digest_of(envelope: str) -> str:
    """A certificate's number: the SHA-256 of its file, in hex."""
    return hashlib.sha256(envelope.encode("utf-8", "replace")).hexdigest()


def _word(words: type[StrEnum], told: str | None) -> str | None:
    return told if told in list(words) else None
