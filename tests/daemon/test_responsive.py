"""What the daemon asks of its interpreter."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator

import pytest

from benchd.daemon.life import SWITCH_INTERVAL_S, keep_responsive


@pytest.fixture
def put_back() -> Generator[None]:
    """The test process as it was."""
    gc.unfreeze()
    interval_s, threshold = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval_s)
    gc.set_threshold(*threshold)
    gc.unfreeze()


@pytest.mark.usefixtures("put_back")
def test_what_lives_long_is_never_collected_again() -> None:
    before = gc.get_freeze_count()
    keep_responsive()
    assert gc.get_freeze_count() > before + 1000
    assert len(gc.get_objects(generation=2)) < gc.get_freeze_count()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)
    assert gc.isenabled()
