"""A person plays the operator of the real demo, in Debian's Chromium, from plug to certificate."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from chromium import Visit, needs_chromium, visit
from playwright.async_api import expect

pytestmark = [
    pytest.mark.rack,
    pytest.mark.asyncio,
    pytest.mark.timeout(240),
    needs_chromium,
]

BENCHD = Path(sys.executable).with_name("benchd")
ENDS_WITHIN_MS = 120_000


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@asynccontextmanager
async def demo(directory: Path, port: int, *arguments: str) -> AsyncGenerator[None]:
    command = [BENCHD, "demo", "--by-hand", "--port", str(port), "--directory", str(directory)]
    async with await anyio.open_process(
        [*command, *arguments], stdin=subprocess.DEVNULL, stdout=None, stderr=None
    ) as process:
        try:
            with anyio.fail_after(60):
                while not await answers(port):
                    assert process.returncode is None
                    await anyio.sleep(0.1)
            yield
        finally:
            with anyio.CancelScope(shield=True):
                process.send_signal(signal.SIGINT)
                await process.wait()


async def answers(port: int) -> bool:
    """Whether the daemon tells its slots; the port itself listens from the beginning."""
    try:
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with anyio.move_on_after(1):
                return (await stream.receive()).startswith(b"HTTP/1.1 200")
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
        pass
    return False


async def answer(seen: Visit, gate: str, operator: str) -> None:
    """What a person does: wait for the question, open it, give a name, say yes."""
    await seen.shows("A1", gate, within_ms=ENDS_WITHIN_MS)
    await seen.tile("A1").locator(".open").click()
    await seen.page.locator('#panel input[name="operator"]').fill(operator)
    await seen.page.locator("#panel .yes").click()


async def test_a_person_brings_a_handset_from_plug_to_certificate(tmp_path: Path) -> None:
    port = free_port()
    async with (
        demo(tmp_path / "rack", port, "--scenario", "clean"),
        visit(f"http://127.0.0.1:{port}/") as seen,
    ):
        panel = seen.page.locator("#panel")
        for gate in ("FeliCaの確認", "最終初期化", "目視確認"):
            await answer(seen, gate, "佐藤")
            await expect(panel).to_be_hidden()
        # The first operator's own confirmation is refused, and the page says why.
        await answer(seen, "第三者確認", "佐藤")
        await expect(panel.locator(".refused")).to_contain_text("確認できません")
        await panel.locator('input[name="operator"]').fill("鈴木")
        await panel.locator(".yes").click()
        await seen.shows("A1", "販売可", "消去の証明書があります", within_ms=ENDS_WITHIN_MS)
        await seen.tile("A1").locator(".open").click()
        await expect(panel.locator("a.certificate")).to_be_visible()
        await expect(panel.locator(".decisions")).to_contain_text("鈴木")
    assert list((tmp_path / "rack" / "certificates").iterdir())
