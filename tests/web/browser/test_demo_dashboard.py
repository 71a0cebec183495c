"""A person plays the operator of the real demo, in Debian's Chromium, from plug to certificate."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from chromium import Visit, Visits, needs_chromium
from paper_shop import add_lot
from playwright.async_api import expect
from scanner import scan

from benchd.lab.demo.crew import SECOND, WORKER, Member
from benchd.lab.demo.demo_rack import demo_rack, loopback_listener
from benchd.lab.simulator.scenarios import SCENARIOS
from tests.free_port import free_port
from tests.program import BENCHD

pytestmark = [
    pytest.mark.rack,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
    needs_chromium,
]

SCREEN = re.compile(r"own screen: (\d{15})")
ENDS_WITHIN_MS = 120_000
IN_LINES = """(all) => all.map((one) => {
  const range = document.createRange();
  range.selectNodeContents(one);
  return range.getClientRects().length;
})"""
"""On how many lines each element's words stand."""


@asynccontextmanager
async def demo(directory: Path, port: int, *arguments: str) -> AsyncGenerator[None]:
    command = [*BENCHD, "demo", "--by-hand", "--port", str(port), "--directory", str(directory)]
    with told_by(directory).open("w") as told:
        running = await anyio.open_process(
            [*command, *arguments], stdin=subprocess.DEVNULL, stdout=None, stderr=told
        )
    async with running as process:
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


def told_by(directory: Path) -> Path:
    """What a demo says on its terminal, beside its folder."""
    return directory.with_suffix(".told")


async def on_screen(directory: Path) -> str:
    """What the virtual handset's own screen shows, as the demo holds it up."""
    with anyio.fail_after(30):
        while not (found := SCREEN.search(told_by(directory).read_text())):  # noqa: ASYNC110 - another process
            await anyio.sleep(0.1)
    return found[1]


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


async def next_question(seen: Visit, last: str = "", slot: str = "A1") -> str:
    """The name of the question that comes after the last one."""
    main = seen.tile(slot).locator(".main")
    await expect(seen.tile(slot)).to_have_attribute(
        "data-kind", "awaiting_operator", timeout=ENDS_WITHIN_MS
    )
    await expect(main).not_to_have_text(last or "-", timeout=ENDS_WITHIN_MS)
    await expect(seen.tile(slot)).to_have_attribute(
        "data-kind", "awaiting_operator", timeout=ENDS_WITHIN_MS
    )
    return await main.inner_text()


async def sign_in(seen: Visit, who: Member) -> None:
    """Scan the badge, wherever the focus is, then type the PIN."""
    await seen.page.locator("h1, #panel h2").last.click()
    await scan(seen, who.badge)
    place = "#panel" if await seen.panel().is_visible() else "#operator"
    await expect(seen.page.locator(f'{place} [data-here="badge"]')).to_be_visible()
    await seen.page.locator(f'{place} input[name="pin"]').fill(who.pin)
    await seen.page.keyboard.press("Enter")
    await expect(seen.page.locator(f'{place} [data-here="strong"]')).to_be_visible()


async def answer_yes(seen: Visit, slot: str = "A1") -> str:
    """Say yes to the question that is open; returns its text."""
    panel = seen.panel()
    if not await panel.is_visible():
        await seen.open(slot)
    question = await panel.locator(".question").inner_text()
    await seen.answer()
    return question


async def until_taken(seen: Visit, question: str) -> None:
    """The panel is closed; or it shows what comes next, where the port has answered first."""
    script = "last => document.querySelector('#panel .question')?.innerText !== last"
    await seen.page.wait_for_function(script, arg=question)


async def answer_all(seen: Visit, directory: Path) -> list[str]:
    """Say yes until somebody else is asked; returns the questions."""
    panel = seen.panel()
    answered: list[str] = []
    gate = await next_question(seen)
    while gate != "別担当者による確認":
        question = await answer_yes(seen)
        if gate == "画面のIMEI":
            # Without the number that is on the screen a yes is refused.
            await expect(panel.locator(".refused")).to_be_visible()
            number = await on_screen(directory)
            # There is no screen to look at: the question says what is on it.
            shown = panel.locator(".on-its-screen")
            await expect(shown).to_contain_text(number)
            await expect(shown).to_contain_text("抜き差し")
            await panel.locator('input[name="note"]').fill(number)
            await seen.answer()
        await until_taken(seen, question)
        answered.append(gate)
        gate = await next_question(seen, gate)
    return answered


async def bind(seen: Visit, slot: str, tag: str) -> None:
    """Scan a handset's label for the slot that it is in."""
    if not await seen.panel().is_visible():
        await seen.open(slot)
    await seen.panel(".bind").click()
    await seen.page.locator("#bind-code").fill(tag)
    await seen.page.keyboard.press("Enter")
    await expect(seen.page.locator("#bind dl")).to_contain_text(tag)
    await seen.page.locator("#bind .yes").click()
    await expect(seen.page.locator("#bind")).to_be_hidden()


async def test_a_person_brings_a_handset_from_plug_to_certificate(
    tmp_path: Path, visit: Visits
) -> None:
    port = free_port()
    async with (
        demo(tmp_path / "rack", port, "--scenario", "clean"),
        visit(f"http://127.0.0.1:{port}/", refused=True) as seen,
    ):
        panel = seen.panel()
        await next_question(seen)
        await sign_in(seen, WORKER)
        answered = await answer_all(seen, tmp_path / "rack")
        assert {"ネットワーク利用制限", "最終初期化", "目視確認", "画面のIMEI"} <= set(answered)
        # The first operator's own confirmation is refused, and the page says why.
        await answer_yes(seen)
        await expect(panel.locator(".refused")).to_contain_text("権限がありません")
        await sign_in(seen, SECOND)
        await seen.answer()
        await seen.shows("A1", "販売可", "消去の証明書があります", within_ms=ENDS_WITHIN_MS)
        await seen.open("A1")
        await expect(panel.locator("a.certificate")).to_be_visible()
        await expect(panel.locator(".decisions")).to_contain_text("鈴木")
    assert list((tmp_path / "rack" / "certificates").iterdir())


async def test_a_newcomer_takes_a_handset_out_and_plugs_it_in_again_from_the_wall(
    tmp_path: Path, visit: Visits
) -> None:
    port = free_port()
    async with (
        demo(tmp_path / "rack", port, "--scenario", "clean"),
        visit(f"http://127.0.0.1:{port}/", refused=True) as seen,
    ):
        await next_question(seen)
        panel = seen.page.locator("#plug-panel")
        await panel.locator("summary").click()
        line = panel.locator('[data-handset="A1"]')
        # What its own screen shows stands beside it, as the terminal says it.
        await expect(line.locator("span")).to_have_text(re.compile("^[0-9]{15}$"))
        await line.get_by_role("button", name="A1 抜く").click()
        await expect(line.get_by_role("button", name="A1 挿す")).to_be_visible()
        await expect(seen.tile("A1")).not_to_have_attribute("data-kind", "awaiting_operator")
        await line.get_by_role("button", name="A1 挿す").click()
        await next_question(seen)
        await seen.page.keyboard.press("Escape")
        await expect(line).to_be_hidden()
        # The panel is the lab's: it answers no question, and a screen on the wall hasn't got it.
        await seen.go("/?kiosk")
        await expect(panel).to_be_hidden()


async def looked_at_again(seen: Visit, tag: str) -> None:
    """In R1, whoever answers; it is certified, so it goes back to where it is sold."""
    chip = await next_question(seen, slot="R1")
    await bind(seen, "R1", tag)
    await until_taken(seen, await answer_yes(seen, "R1"))
    await next_question(seen, chip, slot="R1")
    await until_taken(seen, await answer_yes(seen, "R1"))
    looked = "再確認で異常は見つかりませんでした"
    await seen.shows("R1", "販売可", looked, within_ms=ENDS_WITHIN_MS)
    await expect(seen.page.locator("#errands .what")).to_have_text("販売へ戻す")
    await seen.go("/disposal")
    await expect(seen.page.locator("#open tr[data-job]")).to_have_count(0)


async def test_a_newcomer_takes_a_lot_in_and_sends_its_pallet_out_all_on_the_pages(
    tmp_path: Path, visit: Visits
) -> None:
    """From its papers to its delivery; the slot for the last look is a slot of the rack's own."""
    port = free_port()
    async with (
        demo(tmp_path / "rack", port, "--scenario", "clean"),
        visit(f"http://127.0.0.1:{port}/", refused=True) as seen,
    ):
        page = seen.page
        await next_question(seen)
        await sign_in(seen, WORKER)
        await seen.go("/lots")
        await add_lot(page, "L-1")
        await page.locator("#one > summary").click()
        await page.locator("#one-tag").fill("T-1")
        await page.locator("#one .do").click()
        await expect(page.get_by_role("cell", name="T-1", exact=True)).to_be_visible()
        await seen.go("/")
        await bind(seen, "A1", "T-1")
        await answer_all(seen, tmp_path / "rack")
        await answer_yes(seen)
        await sign_in(seen, SECOND)
        await seen.answer()
        await seen.shows("A1", "販売可", within_ms=ENDS_WITHIN_MS)
        # What has been certified goes out only once it was looked at again.
        await seen.go("/lots?lot=L-1")
        may_go = page.locator("#may-go")
        await page.locator("#shipping > summary").click()
        await page.locator("#check-tags").fill("T-1")
        await page.get_by_role("button", name="出荷できるか確かめる").click()
        await expect(may_go).to_contain_text("再確認していません")
        await expect(may_go).to_contain_text("R1")
        await seen.go("/")
        await page.locator("#plug-panel > summary").click()
        line = page.locator('#plug-panel [data-handset="A1"]')
        await line.get_by_role("button", name="A1 抜く").click()
        into = line.get_by_role("button", name="A1 R1に挿す")
        await expect(into).to_be_visible()
        # Each button says its words on one line.
        assert await line.locator("button:visible").evaluate_all(IN_LINES) == [1, 1]
        await into.click()
        await expect(line).to_contain_text("A1 → R1")
        await page.locator("#plug-panel > summary").click()
        await looked_at_again(seen, "T-1")
        await seen.go("/lots?lot=L-1")
        await page.locator("#shipping > summary").click()
        await page.locator("#check-tags").fill("T-1")
        await page.get_by_role("button", name="出荷できるか確かめる").click()
        await expect(may_go).to_contain_text("全部出荷できます")
        await page.locator("#ship-name").fill("P-1")
        await page.get_by_role("button", name="出荷を記録").click()
        await page.locator("#sure .yes").click()
        await expect(page.locator("#page > .good")).to_contain_text("出荷を記録しました")


async def test_a_plug_shows_within_a_second_and_a_daemon_that_starts_anew_finds_all_as_it_was(
    tmp_path: Path, visit: Visits
) -> None:
    """It asks the same of the same handset in another job, of whoever shows who they are."""
    port = free_port()
    with loopback_listener(port) as listener:
        async with demo_rack(tmp_path, [SCENARIOS["clean"]], port=port) as rack:
            await rack.hands.unplug("A1")
            await rack.start_daemon(listener)
            async with visit(f"http://127.0.0.1:{port}/", may_be_away=True, refused=True) as seen:
                panel, queue = seen.panel(), seen.page.locator("#queue")
                note, banner = panel.locator('input[name="note"]'), seen.page.locator("#connection")
                await seen.shows("A1", "空き")
                began = time.monotonic()
                await rack.hands.plug("A1", 1)
                await expect(seen.tile("A1")).not_to_have_attribute("data-kind", "empty")
                assert time.monotonic() - began < 1.0
                gate = await next_question(seen)
                assert seen.complaints == []
                await sign_in(seen, WORKER)
                await seen.open("A1")
                await note.fill("○")
                await expect(queue).to_contain_text("A1")
                await rack.watch.look()
                before = rack.watch.slots["A1"]["job"]
                await rack.kill_daemon()
                await expect(banner).to_contain_text("benchdに接続できません")
                await rack.start_daemon(listener)
                await expect(banner).to_be_hidden()
                assert await next_question(seen) == gate
                await rack.watch.look()
                assert rack.watch.slots["A1"]["job"] != before
                await expect(queue).to_contain_text("A1")
                await sign_in(seen, WORKER)
                await expect(panel.locator(".question")).to_be_visible()
                # A look-up is of its moment; what else is half typed stays: test_answering.py.
                await expect(note).to_have_value("")
