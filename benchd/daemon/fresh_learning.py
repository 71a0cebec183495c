"""Learns how a model looks when it is fresh: keeps what two handsets show, signed by the rack."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchd.certificate import SigningKey, load_rack_key
from benchd.certificate.signed_pictures import (
    has_signed_picture,
    has_signed_taking,
    marks_of,
    picture_sha256,
    sign_picture,
    sign_taking,
    taking_sha256,
)
from benchd.config import Settings
from benchd.config.fresh_pictures import TAKINGS, read_signed, text_of
from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.domain.handset import HandsetFacts, ResetFacts
from benchd.domain.ids import JsonValue
from benchd.proof.evidence.fresh_evidence import (
    FreshPicture,
    FreshTaking,
    SignedPicture,
    SignedTaking,
)
from benchd.proof.fresh_comparison import approve, learn, shown_by_one_only, take
from benchd.proof.fresh_proof import approval_faults

_LONGEST_NAME: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What has become of one handset's answers."""

    file: Path
    picture: FreshPicture | None
    """None where this was the first of two handsets."""
    left_out: tuple[str, ...] = ()
    """What only one of both shows."""


def learn_fresh(
    settings: Settings, look: Callable[[], tuple[HandsetFacts, ResetFacts]], by: str
) -> Learned:
    """Take what a handset shows; the second one of its model makes a picture."""
    key = load_rack_key(settings.certificate.key, os.environ)
    facts, left = look()
    marks = marks_of((facts.identity.serial, *facts.identity.imeis, left.android_id), key)
    taking = take(facts, left, by=by, at=datetime.now(UTC), marks=marks)
    return keep(settings.fresh_folder, taking, key)


def keep(folder: Path, taking: FreshTaking, key: SigningKey) -> Learned:
    """Keep a first taking until the second one comes; UsageRefused where both make no picture."""
    name = _name_of(taking)
    pending, made = folder / f"{name}.taking.toml", folder / f"{name}.picture.toml"
    if made.exists():
        raise UsageRefused(f"{made} is there already: take it away to learn it anew")
    if not pending.exists():
        _write(pending, text_of(sign_taking(taking, key)))
        return Learned(file=pending, picture=None)
    first = read_signed(pending, SignedTaking)
    if not has_signed_taking(key.ring, first):
        raise UsageRefused(f"{pending} wasn't taken by this rack, or was changed: take it away")
    one = first.taking
    picture = learn((one, taking_sha256(one)), (taking, taking_sha256(taking)))
    _write(made, text_of(sign_picture(picture, key)))
    pending.unlink()
    return Learned(file=made, picture=picture, left_out=shown_by_one_only(one, taking))


def approve_fresh(settings: Settings, file: Path, by: str) -> FreshPicture:
    """Let a picture count that two others have taken; UsageRefused where it may not."""
    key = load_rack_key(settings.certificate.key, os.environ)
    signed = read_signed(file, SignedPicture)
    if not has_signed_picture(key.ring, signed):
        raise UsageRefused(f"{file} wasn't taken by this rack, or was changed: take it away")
    picture = approve(signed.picture, by=by, at=datetime.now(UTC))
    _write(file, text_of(sign_picture(picture, key)))
    return picture


def known_pictures(settings: Settings) -> list[Mapping[str, JsonValue]]:
    """All pictures, and the takings that wait for a second handset, as JSON."""
    key = load_rack_key(settings.certificate.key, os.environ)
    signer = key.ring
    pending = [
        read_signed(path, SignedTaking) for path in sorted(settings.fresh_folder.glob(TAKINGS))
    ]
    return [
        *(
            _picture_json(one, is_signed=has_signed_picture(signer, one))
            for one in settings.fresh_pictures
        ),
        *(_taking_json(one.taking) for one in pending),
    ]


def _name_of(taking: FreshTaking) -> str:
    """The same for each handset of a model and build."""
    whole = f"{taking.manufacturer}\n{taking.model}\n{taking.build}"
    shown = re.sub(r"[^A-Za-z0-9_-]", "_", taking.model)[:_LONGEST_NAME]
    return f"{shown}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    unfinished = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise DependencyMissing(
            f"{path}: {error.strerror}", cure="let the user that you are write there"
        ) from error


def _state(picture: FreshPicture, *, is_signed: bool) -> str:
    if not is_signed:
        return "not_signed_by_this_rack"
    if picture.approved_by is None:
        return "waits_for_a_supervisor"
    return "to_be_learned_anew" if approval_faults(picture) else "counts"


def _picture_json(signed: SignedPicture, *, is_signed: bool) -> Mapping[str, JsonValue]:
    picture = signed.picture
    return {
        **_told(picture),
        "state": _state(picture, is_signed=is_signed),
        "sha256": picture_sha256(picture),
        "taken_by": [witness.by for witness in picture.witnesses],
        "taken_at": [witness.taken_at.isoformat() for witness in picture.witnesses],
        "approved_by": picture.approved_by,
    }


def _taking_json(taking: FreshTaking) -> Mapping[str, JsonValue]:
    return {
        **_told(taking),
        "state": "waits_for_the_second_handset",
        "sha256": taking_sha256(taking),
        "taken_by": [taking.by],
        "taken_at": [taking.taken_at.isoformat()],
    }


def _told(found: FreshPicture | FreshTaking) -> Mapping[str, JsonValue]:
    return {
        "manufacturer": found.manufacturer,
        "model": found.model,
        "build": found.build,
        "used_bytes": found.used_bytes,
        "maker_account_types": list(found.maker_account_types),
        "packages": [f"{package.place}={package.name}" for package in found.packages],
    }
