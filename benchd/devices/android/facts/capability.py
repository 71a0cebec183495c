"""What a handset can have in its secure element: a FeliCa chip, a JPKI certificate.

A sign proves that it can. Only a FeliCa chip can be ruled out, and only by answers that are
whole; of JPKI adb shows capability alone, never absence.
"""

from __future__ import annotations

from typing import Final

from benchd.devices.android.facts.path_search import read_search, search_command

FELICA_DIRECTORIES: Final = ("/vendor/etc/felica", "/product/etc/felica", "/system/etc/felica")

LOOK_FOR_FELICA: Final = search_command(FELICA_DIRECTORIES, "-d")
"""A shell command; that it reached its end is part of its answer."""

_FELICA_PACKAGES: Final = "com.felicanetworks."
_CLIENT: Final = "com.felicanetworks.mfc"
"""The service that all of Mobile FeliCa speaks to the chip through."""
_MARKET_LOCK: Final = "com.google.android.pixelnfc"
"""Decides on Pixels by the market they were sold in whether the chip is used at all: the same
firmware, packages and folders are on those sold overseas. Source:
kormax/osaifu-keitai-google-pixel."""
_HOST_FELICA: Final = "android.hardware.nfc.hcef"
"""The NFC controller can imitate a FeliCa card. Handsets without any FeliCa chip have it too."""
_NFC: Final = "android.hardware.nfc"
_OWN_DIRECTORY: Final = "/system/etc/felica"
"""Where Japanese firmware has its settings, whose chip the NFC controller has no part in. Source:
stock firmware of docomo's SO-05K (ROM-Dump/sony_apollo_docomo_dump), with neither feature. Firmware
for all markets names the controller's: Pixel 3 (TadiT7/google_crosshatch_dump) has this folder too,
later ones have it under /product (26 dumps of Pixel, LG, Motorola, Xiaomi)."""
_TELEPHONY: Final = "android.hardware.telephony"
_ELEMENT: Final = "android.hardware.se.omapi.ese"
_WALLET: Final = "com.felicanetworks.mfm.main"
"""Carries the management of the secure element that JPKI's applet lives in."""
_JPKI_PACKAGES: Final = frozenset({"jp.go.cas.mpa", "jp.go.jpki.mobile.utility"})
_ANDROID: Final = "android"
"""The system's own package: a list without it isn't whole."""


def read_felica_directories(text: str) -> tuple[str, ...]:
    """The folders for FeliCa's settings that are there."""
    return read_search(text, FELICA_DIRECTORIES, "FeliCa's folders")


def felica_capable(
    features: frozenset[str], packages: frozenset[str], directories: tuple[str, ...]
) -> bool | None:
    """Whether the handset has what runs a FeliCa chip; None where it doesn't say.

    True needs the service and what it runs on: a secure element behind a controller that speaks
    FeliCa, or the chip of older Japanese handsets, which that controller has no part in. Folders
    and apps alone are no chip: firmware that is made for all markets has them. False needs two
    whole lists without any sign, not even of an NFC controller that speaks FeliCa: silence of the
    package manager is no absence.
    """
    by_controller = _ELEMENT in features and _HOST_FELICA in features
    by_itself = _OWN_DIRECTORY in directories and _NFC in features and _HOST_FELICA not in features
    runs_on = by_controller or by_itself
    if runs_on and _CLIENT in packages and _MARKET_LOCK not in packages:
        return True
    signs = directories or any(name.startswith(_FELICA_PACKAGES) for name in packages)
    if signs or not features or _ANDROID not in packages or _HOST_FELICA in features:
        return None
    return False


def can_telephone(features: frozenset[str]) -> bool | None:
    """Whether the handset has a radio with an IMEI; None where it names no feature at all."""
    return _TELEPHONY in features if features else None


def jpki_capable(features: frozenset[str], packages: frozenset[str]) -> bool | None:
    """True if the handset can hold a JPKI certificate; None otherwise, never False."""
    has_element = _ELEMENT in features and _WALLET in packages
    return True if has_element or packages & _JPKI_PACKAGES else None
