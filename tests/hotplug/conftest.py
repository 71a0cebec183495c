"""Every test here runs under umockdev-wrapper, against the real libudev."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchd.hotplug import UdevHotplug

from .usb_testbed import WRAPPER_CURE, UsbTestbed, Watch, is_under_wrapper


@pytest.fixture(scope="session")
def under_wrapper() -> None:
    if not is_under_wrapper():
        pytest.fail(f"not under umockdev-wrapper: {WRAPPER_CURE}")


@pytest.fixture
def testbed(under_wrapper: None) -> Iterator[UsbTestbed]:
    made = UsbTestbed()
    yield made
    made.close()


@pytest.fixture
def watch(testbed: UsbTestbed, tmp_path: Path) -> Watch:
    """Each call is one run of the daemon."""
    control = tmp_path / "control"
    control.touch()
    return UdevHotplug(udev_control=control).events
