"""Which kind of chip answers, by PMm's second byte, the IC type."""

from __future__ import annotations

from enum import StrEnum


class Generation(StrEnum):
    """Generations of the chips in handsets; what isn't one of them is a card or a token."""

    MOBILE_1 = "mobile_1"
    MOBILE_2 = "mobile_2"
    MOBILE_3 = "mobile_3"
    MOBILE_4_APPLE = "mobile_4_apple"
    MOBILE_4 = "mobile_4"
    MOBILE_4_1 = "mobile_4_1"


def generation_of(ic_type: int) -> Generation | None:
    """The generation of a handset's chip; None where it isn't one.

    Source: public catalogues of IC types, gathered from many handsets.
    """
    if ic_type in {0x06, 0x07}:
        return Generation.MOBILE_1
    if 0x10 <= ic_type <= 0x13:
        return Generation.MOBILE_2
    if ic_type in {0x14, 0x15}:
        return Generation.MOBILE_3
    if ic_type == 0x16:
        return Generation.MOBILE_4_APPLE
    if ic_type == 0x17:
        return Generation.MOBILE_4
    return Generation.MOBILE_4_1 if 0x18 <= ic_type <= 0x1F else None


def is_handset_chip(ic_type: int) -> bool:
    """Whether this is a handset's chip: the guard against a card that lies on the reader."""
    return generation_of(ic_type) is not None


def lists_codes(ic_type: int) -> bool:
    """Whether chips of this type know Request Code List."""
    return generation_of(ic_type) is Generation.MOBILE_4_1
