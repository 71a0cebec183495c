"""How a watch begins, waits and ends: what is missing, cancelled or closed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from benchd.domain.errors import DependencyMissing
from benchd.domain.port import PlugEvent
from benchd.hotplug import UdevHotplug

from .usb_testbed import UsbTestbed, Watch, attached, id_path, told

pytestmark = pytest.mark.asyncio


async def test_a_cancelled_wait_returns_at_once_and_loses_nothing(
    testbed: UsbTestbed, watch: Watch
) -> None:
    async with watch() as events:
        with anyio.fail_after(5), anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(told, events, 1)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        testbed.plug("1-1.4")
        testbed.plug("1-1.5")
        for port in ("1-1.4", "1-1.5"):  # one not read yet, one read with the first
            with anyio.CancelScope() as scope:
                scope.cancel()
                await anext(events)
            assert (await attached(events)).port_path == id_path(port)


def sockets() -> set[str]:
    links = set[str]()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - pathlib would stat each
        try:
            links.add(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115
        except FileNotFoundError:
            continue
    return {link for link in links if link.startswith("socket:")}


async def test_cancellation_closes_the_socket(testbed: UsbTestbed, watch: Watch) -> None:
    await checkpoint()
    before = sockets()

    async def run() -> None:
        async with watch() as events:
            async for _ in events:
                pass

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await anyio.wait_all_tasks_blocked()
            assert len(sockets() - before) == 1
            tasks.cancel_scope.cancel()
    assert sockets() == before


async def test_who_waits_as_the_watch_is_closed_or_afterwards_is_told(watch: Watch) -> None:
    async def wait(events: AsyncIterator[PlugEvent]) -> None:
        with pytest.raises(anyio.ClosedResourceError):
            await anext(events)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, watch() as events:
            tasks.start_soon(wait, events)
            await anyio.wait_all_tasks_blocked()
    await wait(events)


async def test_without_udev_it_says_what_to_do(testbed: UsbTestbed, tmp_path: Path) -> None:
    hotplug = UdevHotplug(udev_control=tmp_path / "missing")
    with pytest.raises(DependencyMissing, match="systemd-udevd"):
        async with hotplug.events():
            pass


@pytest.mark.parametrize(
    ("name", "error", "cure"),
    [
        ("Context", ImportError("no library named udev"), "apt install libudev1"),
        ("Monitor.from_netlink", OSError("not permitted"), "RestrictAddressFamilies="),
    ],
)
async def test_without_libudev_or_netlink_it_says_what_to_do(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception, cure: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(f"pyudev.{name}", refuse)
    with pytest.raises(DependencyMissing, match=cure):
        async with watch():
            pass
