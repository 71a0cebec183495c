"""Under nohup a hang-up is ignored, and children inherit that; a handset's programs never do."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def hang_ups_reach_children() -> Generator[None]:
    """What is started in here is ended by SIGHUP, unless it says otherwise itself."""
    # A handled signal is back at its default after exec, an ignored one stays ignored.
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
