"""What benchd uses of adbutils, without the HTTP client by which adbutils downloads apps.

It imports `requests` for that alone, with its certificates and character sets: 7 MB and 50 ms of
the processor in every daemon, none of which installs an app. Whoever else imports `requests` gets
the real one.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["AdbClient", "AdbConnection", "AdbDevice", "AdbError", "AdbTimeout"]


@contextmanager
def _left_out(name: str) -> Generator[None]:
    """Who imports this module within the block gets an empty one, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        del sys.modules[name]


with _left_out("requests"):
    from adbutils import AdbClient, AdbConnection, AdbDevice, AdbError, AdbTimeout
