"""What benchd uses of adbutils, without what adbutils downloads apps and takes screenshots with.

It imports `requests` for the one alone, with its certificates and character sets: 7 MB and 50 ms
of the processor in every daemon, none of which installs an app; and Pillow for the other, 2 MB.
Whoever else imports them gets the real ones.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

__all__ = ["AdbClient", "AdbConnection", "AdbDevice", "AdbError", "AdbTimeout"]


@contextmanager
def _left_out(name: str, **held: object) -> Generator[None]:
    """Who imports this module within the block gets one that holds no more than these names.

    Unless it is loaded already.
    """
    if name in sys.modules:
        yield
        return
    stand_in = ModuleType(name)
    vars(stand_in).update(held)
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


_IMAGE = SimpleNamespace(Image=object)
"""Named in annotations; nobody calls what would need more of it."""

with _left_out("requests"), _left_out("PIL", Image=_IMAGE, UnidentifiedImageError=ValueError):
    from adbutils import AdbClient, AdbConnection, AdbDevice, AdbError, AdbTimeout
