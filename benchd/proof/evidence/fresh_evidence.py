"""A picture of how a model looks when it was just reset: what it may show, and who has seen it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, cast

from annotated_types import MaxLen
from pydantic import Field

from benchd.domain.evidence_json import to_json
from benchd.domain.evidence_values import Moment, OneOrMore, Positive, Said, Sha256, Whole
from benchd.domain.handset import Package
from benchd.domain.ids import JsonValue

Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]

MOST_PICTURED_PACKAGES = 200
MOST_PICTURED_TYPES = 19
"""One less than are told of one handset: a list that was cut short is never like another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshTaking:
    """What one handset shows that a person has just reset."""

    manufacturer: Said
    model: Said
    build: Said
    by: Said
    taken_at: Moment
    marks: OneOrMore[Sha256]
    used_bytes: Positive
    maker_accounts: Whole
    maker_account_types: Annotated[tuple[Said, ...], MaxLen(MOST_PICTURED_TYPES)]
    packages: Annotated[tuple[Package, ...], MaxLen(MOST_PICTURED_PACKAGES)]
    boot_count: Whole | None = None
    """Its starts since its reset, by its own count; None in older ones, like the next."""
    up_s: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTaking:
    """A taking that waits for the second one, with the signature of its rack."""

    taking: FreshTaking
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Who has reset a handset, and which one it was, as far as may be told."""

    by: Said
    taken_at: Moment
    marks: OneOrMore[Sha256]
    """Keyed digests of its serial, IMEIs and android_id: they tell handsets apart, and no more."""
    used_bytes: Positive
    sha256: Sha256
    """Of the taking as it was signed."""
    boot_count: Whole | None = None
    """As the handset showed its reset; None in older ones, like the next."""
    up_s: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshPicture:
    """What two handsets of a model and build have shown alike right after their resets."""

    manufacturer: Said
    model: Said
    build: Said
    used_bytes: Positive
    """The larger of both."""
    maker_accounts: Whole
    """The smaller of both."""
    maker_account_types: Annotated[tuple[Said, ...], MaxLen(MOST_PICTURED_TYPES)]
    packages: Annotated[tuple[Package, ...], MaxLen(MOST_PICTURED_PACKAGES)]
    witnesses: Annotated[tuple[Witness, ...], MaxLen(2)]
    approved_by: Said | None = None
    """Somebody in charge who has reset neither; None where nobody has, and it excuses nothing."""
    approved_at: Moment | None = None

    def is_of(self, manufacturer: str, model: str, build: str) -> bool:
        """Whether it shows this model with this build."""
        return (self.manufacturer, self.model, self.build) == (manufacturer, model, build)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPicture:
    """A picture with the signature of the rack that has taken it."""

    picture: FreshPicture
    signature: Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshPictures:
    """All pictures that a rack believes."""

    all: tuple[SignedPicture, ...] = ()

    def of(self, manufacturer: str, model: str, build: str) -> SignedPicture | None:
        """That of a model with its build; None where nobody has taken one."""
        fitting = (one for one in self.all if one.picture.is_of(manufacturer, model, build))
        return next(fitting, None)


def content_of(value: FreshPicture | FreshTaking) -> dict[str, JsonValue]:
    """All that it says as JSON, without what nobody has said: older ones stay what they are."""
    told: dict[str, JsonValue] = _said(to_json(value))
    return told


def _said(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case dict():
            known = cast("dict[str, Any]", value)
            return {key: _said(each) for key, each in known.items() if each is not None}
        case list():
            return [_said(each) for each in cast("list[Any]", value)]
        case _:
            return value
