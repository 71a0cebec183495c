"""Keeps the daemon's event loop from waiting for its own interpreter."""

from __future__ import annotations

import gc
import sys

SWITCH_INTERVAL_S = 0.0005
"""How long a worker thread may keep the interpreter from the loop; Python's own is 5 ms, and the
loop asks for the interpreter again after every call into the kernel."""
YOUNG_OBJECTS = 10_000
"""How many new objects make the collector look at the young ones; Python's own is 2,000."""


def keep_responsive() -> None:
    """Call once everything long-lived is made: the collector never looks at that again.

    A full collection over some hundred thousand objects of modules and slots stops the loop for
    a tenth of a second.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
