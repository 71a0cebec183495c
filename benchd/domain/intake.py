"""What comes in: lots of one consignor, assets with their tags, and what people attest of them."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

LotId = NewType("LotId", str)
"""What a lot is called: never given to another one."""

Tag = NewType("Tag", str)
"""The label on one handset, unique on the rack for ever."""


class LotKind(StrEnum):
    """How a lot came in."""

    PURCHASE = "purchase"
    """買取."""
    TRADE_IN = "trade_in"
    """下取り."""
    COLLECTION = "collection"
    """回収."""
    CORPORATE_RETURN = "corporate_return"
    """法人返却."""
    AUCTION = "auction"
    """オークション."""
    REPAIR_EXCHANGE = "repair_exchange"
    """修理交換: the old handset, handed in for a new one."""
    CANCELLATION = "cancellation"
    """8日以内キャンセル: taken back from a buyer who cancelled, or found it faulty."""
    LEASE_RETURN = "lease_return"
    """リース返却."""
    DEALER = "dealer"
    """同業者: another dealer in used handsets."""
    BROKER = "broker"
    """仲介: a firm between those who took handsets in and those who sell them."""


class AttestationKind(StrEnum):
    """What a person can state once for an asset or for a whole lot."""

    CONSENT = "consent"
    """The owner agreed that the chip's balance and history are lost."""
    JPKI = "jpki"
    """The certificate in the handset is revoked, or the model can't hold one."""
    IDENTITY = "identity"
    """The seller's identity was checked; never whose it is."""
    OWNER_RESET = "owner_reset"
    """The owner was seen to reset the handset."""
    ERASURE = "erasure"
    """The owner agreed that whatever is left on it is erased, or destroyed with it."""


class BoundBy(StrEnum):
    """What shows that the handset in a slot is an asset."""

    IMEI = "imei"
    SERIAL = "serial"
    TAG = "tag"
    """A person scanned its tag and named the slot."""
    DRAWN = "drawn"
    """Of a recheck alone: the drawn job was this asset's, and a person has named its handset."""


class Unerasable(StrEnum):
    """Why an asset can't even be plugged in, or is never going to be."""

    NO_POWER = "no_power"
    """電源が入らない."""
    BROKEN_SCREEN = "broken_screen"
    """液晶破損."""
    BROKEN_PORT = "broken_port"
    """端子の故障."""
    WATER_DAMAGE = "water_damage"
    """水没."""
    COLLECTED = "collected"
    """回収品: taken in to be crushed, and never switched on."""


class Seen(StrEnum):
    """What a person sees on the screen of a handset that tells nothing over adb."""

    WELCOME = "welcome"
    """初期設定画面."""
    OWNER_ASKED = "owner_asked"
    """The first setup, which asks for the account of its owner."""
    LOCK_SCREEN = "lock_screen"
    HOME_SCREEN = "home_screen"
    """A home screen: nobody has reset it."""
    NO_PICTURE = "no_picture"
    """Nothing that anybody could read."""


class NotNeeded(StrEnum):
    """Why nobody has to be asked; each shows in the record of another stage."""

    CHIP_UNUSED = "chip_unused"
    NO_CHIP = "no_chip"
    JPKI_NOT_CAPABLE = "jpki_not_capable"


class TimeDoubt(StrEnum):
    """Why nothing that has an age may be cited just now."""

    CLOCK_BEHIND = "clock_behind"
    """The rack's time is before that of its own ledger."""
    TIME_UNCONFIRMED = "time_unconfirmed"
    """No time source has set it since the machine was booted, and nobody has confirmed it."""


class Mistake(StrEnum):
    """What is wrong in a file that somebody imports."""

    NO_TEXT = "no_text"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    NOTHING_IN_IT = "nothing_in_it"
    BROKEN_QUOTES = "broken_quotes"
    LINE_TOO_LONG = "line_too_long"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_TWICE = "column_twice"
    COLUMN_MISSING = "column_missing"
    CELLS_TOO_MANY = "cells_too_many"
    CELL_TOO_LONG = "cell_too_long"
    NOT_PRINTABLE = "not_printable"
    FORMULA = "formula"
    BADGE = "badge"
    TAG_MISSING = "tag_missing"
    TAG_SPACED = "tag_spaced"
    TAG_TWICE = "tag_twice"
    TAG_TAKEN = "tag_taken"
    IMEI_ROUNDED = "imei_rounded"
    IMEI_WRONG = "imei_wrong"
    IMEI_MISSING = "imei_missing"
    IMEI_TWICE = "imei_twice"
    IMEI_TAKEN = "imei_taken"
    IMEI_AT_WORK = "imei_at_work"
    IMEI_UNKNOWN = "imei_unknown"
    SIGN_WRONG = "sign_wrong"
    TIME_WRONG = "time_wrong"
    TIME_AHEAD = "time_ahead"
