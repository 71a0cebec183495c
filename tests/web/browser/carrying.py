"""A handset that isn't sold goes to its place: said on the disposal page, without a mouse."""

from __future__ import annotations

from at_work import SLOW_S, AtWork
from playwright.async_api import expect

from benchd.lab.demo.crew import WORKER
from benchd.lab.demo.demo_rack import Placed

TO = "to_return"
WHY = "kaitori madoguchi"


async def carry(at: AtWork, placed: Placed) -> None:
    """With wrong moves before: unknown numbers, a badge into the field, nothing filled in."""
    referee, page = at.referee, at.page
    await at.at_the_wall(WORKER)
    await at.rack.hands.unplug(placed.slot)
    await at.seen.go("disposal?lang=ja")
    await expect(page.locator("#scan")).to_be_visible()
    serial = placed.scenario.handset(name=placed.slot, slot=None, copy=placed.number).serial
    at.right = False
    await wrong(at, "disposal.scan_none", "NOBODY-0001")
    await wrong(at, "disposal.scan_none", "490154203237518")
    referee.doing = "a badge into the disposal's field"
    await page.locator("#scan").focus()
    await at.scan(WORKER.badge, key_s=SLOW_S)
    await at.rest()
    await referee.search(page)
    referee.must((await at.look()).is_here(WORKER), "signed out")
    at.right, referee.doing = True, "right"
    await page.locator("#scan").focus()
    await at.scan(serial)
    await expect(page.locator(f'input[value="{TO}"]')).to_be_visible()
    at.right, referee.doing = False, "nothing filled in"
    await at.forget()
    # So soon after a scan an Enter is the reader's.
    await at.rest()
    await page.locator(".settling .do").focus()
    await at.press("Enter")
    referee.must(await at.told("act.fill_in"), f"no cause told, but {await at.heard()!r}")
    at.right, referee.doing = True, "right"
    await page.locator(f'input[value="{TO}"]').focus()
    await at.press("Space")
    await page.locator('.settling [name="note"], .settling #note').first.focus()
    await at.type(WHY)
    await page.locator(".settling .do").focus()
    await at.press("Enter")
    await expect(page.locator('.outcomes [data-state="recorded"]')).to_have_count(1)
    told = await page.request.get(at.seen.at("api/v1/disposal"))
    states = {one["job"]["serial"]: one["job"]["state"] for one in (await told.json())["items"]}
    referee.must(states == {serial: TO}, f"on record as {sorted(states.values())}")


async def wrong(at: AtWork, key: str, code: str) -> None:
    at.referee.doing = f"{code} on the disposal page"
    await at.page.locator("#scan").focus()
    await at.forget()
    await at.scan(code)
    at.referee.must(await at.told(key), f"no cause told, but {await at.heard()!r}")
