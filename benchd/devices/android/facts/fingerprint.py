"""Whether a system's fingerprint agrees with all else that the system says of itself.

Systems that aren't the maker's like to carry the fingerprint of one that is. A certified handset's
is made of its own properties, so that it can't contradict them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from benchd.devices.android.facts.systems import systems
from benchd.devices.android.shell.text import printable
from benchd.domain.errors import AnswerNotRecognised

_NAME: Final = "ro.build.fingerprint"
_FORM: Final = re.compile(
    r"(?P<brand>[^/:]+)/(?P<name>[^/:]+)/(?P<device>[^/:]+)"
    r":(?P<release>[^/:]+)/(?P<id>[^/]+)/(?P<incremental>[^/]+):(?P<type>[^/:]+)/(?P<tags>[^/]+)"
)
_BRANDS: Final = re.compile(r"ro\.product\.(?:[a-z_]+\.)*(?:brand|manufacturer)")
_DEVICES: Final = re.compile(r"ro\.product\.(?:[a-z_]+\.)*device|ro\.build\.product")
_DEVICE: Final = "ro.product.device"
TYPE: Final = "type"
_NO_BRAND: Final = "Android"
"""AOSP's brand for a board that nobody has given one (build/make, product_config.mk)."""


def tags_of(properties: Mapping[str, str]) -> str:
    """The tags that the fingerprint ends with; empty where there is none of the known form."""
    parts = _FORM.fullmatch(properties.get(_NAME, ""))
    return "" if parts is None else parts["tags"]


def contradictions(properties: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each part of the fingerprint that isn't as the rest, and how; nothing where there is none.

    Raises AnswerNotRecognised for one of another form than every Android's.
    """
    told = properties.get(_NAME, "")
    if not told:
        return
    parts = _FORM.fullmatch(told)
    if parts is None:
        raise AnswerNotRecognised(f"getprop: {_NAME} is {printable(told)!r}")
    known = systems().fingerprint
    for part, names in (("release", known.release), ("id", known.id), (TYPE, known.type)):
        values = {_normal(properties[name]) for name in names if properties.get(name)}
        if values and _normal(parts[part]) not in values:
            yield _sign(part, parts[part], max(values))
    brands = _values(properties, _BRANDS)
    if brands and parts["brand"].casefold() not in brands and not _is_the_boards(parts, properties):
        yield _sign("brand", parts["brand"], max(brands))
    # Makers put the product's name where the device's stands, or the other way round.
    devices = _values(properties, _DEVICES)
    of_print = {parts["device"].casefold(), parts["name"].casefold()}
    if properties.get(_DEVICE) and of_print.isdisjoint(devices):
        yield _sign("device", parts["device"], properties[_DEVICE])


def _is_the_boards(parts: re.Match[str], properties: Mapping[str, str]) -> bool:
    """Whether it was left as the board's own, by whose name the build goes too.

    Source: stock ASUS ZenFone Max Pro M2, ChaitanayaMittal/asus_asus_x01bd_dump. A generic system
    image has that brand as well, but two names.
    """
    board = properties.get("ro.build.product", "")
    return (parts["brand"], parts["name"], parts["device"]) == (
        _NO_BRAND,
        board,
        board,
    ) and properties.get("ro.build.flavor") == f"{board}-user"


def _values(properties: Mapping[str, str], names: re.Pattern[str]) -> set[str]:
    return {
        value.casefold() for name, value in properties.items() if value and names.fullmatch(name)
    }


def _normal(text: str) -> str:
    """A release as it's written with and without its last zeros is the same."""
    return re.sub(r"(?<=[0-9])(?:\.0)+$", "", text)


def _sign(part: str, told: str, instead: str) -> tuple[str, str]:
    return part, f"{_NAME}: {part} {printable(told, 40)}, not {printable(instead, 40)}"
