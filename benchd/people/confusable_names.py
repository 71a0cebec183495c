"""When two names look alike: the skeletons of Unicode's UTS #39, by the system's ICU.

ICU is kept by the Unicode Consortium itself and by Debian's security updates, so that its table
of confusable characters grows with Unicode. The names of its functions end with its version.
Source: UTS #39 section 4; ICU's `uspoof.h`.
"""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Callable
from functools import cache

from benchd.domain.errors import DependencyMissing

NEWEST_ICU, OLDEST_ICU = 99, 63
GROWTH = 32
"""A skeleton has at most so many bytes for each byte of the text."""
_NO_ERROR = 0
"""`U_ZERO_ERROR`; a warning is below it."""


def look_alike(one: str, other: str) -> bool:
    """Whether people would take one name for the other; spaces and case tell nobody apart."""
    return not _looks(one).isdisjoint(_looks(other))


@cache
def _looks(name: str) -> frozenset[str]:
    close = "".join(unicodedata.normalize("NFKC", name).split())
    # A digit that looks like a capital letter looks like the small one as well, as far as names go.
    return frozenset({skeleton(close), skeleton(skeleton(close.casefold()).casefold())})


def skeleton(text: str) -> str:
    """What a text looks like, to be compared only; DependencyMissing without ICU."""
    return _skeletons()(text)


@cache
def _skeletons() -> Callable[[str], str]:
    library, version = _library()
    error = ctypes.c_int(0)
    opened = library[f"uspoof_open_{version}"]
    opened.restype = ctypes.c_void_p
    checker = ctypes.c_void_p(opened(ctypes.byref(error)))
    if error.value > _NO_ERROR or not checker:
        raise _missing(f"it gives no checker of confusables (error {error.value})")
    of_utf8 = library[f"uspoof_getSkeletonUTF8_{version}"]
    of_utf8.restype = ctypes.c_int32

    def skeleton(text: str) -> str:
        given = text.encode()
        room = ctypes.create_string_buffer(len(given) * GROWTH + GROWTH)
        error = ctypes.c_int(0)
        length = of_utf8(
            checker,
            ctypes.c_uint32(0),
            given,
            ctypes.c_int32(len(given)),
            room,
            ctypes.c_int32(len(room)),
            ctypes.byref(error),
        )
        if error.value > _NO_ERROR:
            raise _missing(f"it can't compare names (error {error.value})")
        return room.raw[:length].decode()

    return skeleton


def _library() -> tuple[ctypes.CDLL, int]:
    for version in range(NEWEST_ICU, OLDEST_ICU - 1, -1):
        try:
            return ctypes.CDLL(f"libicui18n.so.{version}"), version
        except OSError:
            continue
    raise _missing("it isn't installed")


def _missing(why: str) -> DependencyMissing:
    message = f"names can't be compared by ICU, Unicode's own library: {why}"
    return DependencyMissing(message, cure="Install it: sudo apt-get install libicu76")
