"""The states of the pages beside the wall."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import FilePayload, Page, expect
from scanner import scan
from screens import Screen
from states import Place, State, as_it_is, hinder, menu, on_paper

from benchd.web.dashboard import PAGES
from tests.intake.lots import imei

JOB_1, JOB_2 = "20261124-00000000a1", "20261124-00000000a2"
LATER_JOB = "20261125-00000000b1"
"""Of the same handset as the first."""


def clicks(*selectors: str) -> Callable[[Screen], Awaitable[None]]:
    async def show(one: Screen) -> None:
        for selector in selectors:
            await one.page.locator(selector).first.click()

    return show


async def _check_file(page: Page, text: str) -> None:
    await page.locator("#import > summary").click()
    file: FilePayload = {"name": "list.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.locator("#assets-file").set_input_files(file)
    await page.locator("#import .do").first.click()


async def mistakes_told(one: Screen) -> None:
    await _check_file(one.page, "管理番号,IMEI\nT 22,\nT-23,356938035643800\n")
    await expect(one.page.locator("#import .bad")).to_be_visible()


async def file_is_clean(one: Screen) -> None:
    await _check_file(one.page, "管理番号\nT-901\n")
    await expect(one.page.locator("#import .good")).to_be_visible()


async def taken_in(one: Screen) -> None:
    await file_is_clean(one)
    await one.page.locator("#import .do").nth(1).click()


async def kept_back(one: Screen) -> None:
    await one.page.locator("#shipping > summary").click()
    await one.page.locator("#shipping .do").first.click()
    await expect(one.page.locator("#may-go table")).to_be_visible()


async def came_late(one: Screen) -> None:
    page = one.page
    for part in ("#attest > summary", "#kinds-jpki", "#which-whole", "#attest .do"):
        await page.locator(part).first.click()
    await expect(page.locator("#page > .good")).not_to_be_empty()
    await page.locator("#one > summary").click()
    await page.locator("#one-tag").fill("T-902")
    await page.locator("#one .do").click()
    await expect(page.locator(".uncovered")).to_be_visible()


async def of_nothing(one: Screen) -> None:
    await one.page.locator("#open-lot").focus()
    await scan(one.seen, "BLDG-004711")
    await expect(one.page.locator(".asking .told")).not_to_be_empty()


async def list_taken(one: Screen) -> None:
    page = one.page
    await page.locator("#network > summary").click()
    await page.locator("#source").fill("X")
    listed = f"IMEI,判定,照会日時\n{imei(1)},○,2026-11-23 10:00\n"
    file: FilePayload = {"name": "list.csv", "mimeType": "text/csv", "buffer": listed.encode()}
    await page.locator("#network-file").set_input_files(file)
    await page.locator("#network .do").first.click()
    await page.locator("#network .do").nth(1).click()


def reads(*codes: str) -> Callable[[Screen], Awaitable[None]]:
    async def show(one: Screen) -> None:
        for code in codes:
            await one.page.locator("#scan").fill(code)
            await one.page.locator("#scan").press("Enter")

    return show


async def nothing_said(one: Screen) -> None:
    await reads("HQ610002")(one)
    await one.page.locator(".settling .do").click()


async def settled(one: Screen) -> None:
    await reads("HQ610002")(one)
    await one.page.locator("#to-returned").check()
    await one.page.locator("#note").fill("株式会社サンプル")
    await one.page.locator(".settling .do").click()
    await one.page.locator("#sure .yes").click()


async def asked_to_crush(one: Screen) -> None:
    await one.page.locator("#dead > summary").click()
    await one.page.locator("#dead-tag").fill("T-1")
    await one.page.locator("#dead-reason-no_power").check()
    await one.page.locator("#dead .do").click()
    await expect(one.page.locator("#sure")).to_be_visible()


async def asked_to_strike(one: Screen) -> None:
    await one.page.locator("#strike > summary").click()
    await one.page.locator("#strike-tag").fill("T-1")
    await one.page.locator("#strike-why").fill("入力間違い")
    await one.page.locator("#strike .do").click()
    await expect(one.page.locator("#sure")).to_be_visible()


async def asked_to_settle(one: Screen) -> None:
    await reads("HQ610005")(one)
    await one.page.locator("#to-destroyed").check()
    await one.page.locator("#recycler").fill("株式会社サンプル")
    await one.page.locator("#number").fill("R-1")
    await one.page.locator(".settling .do").click()
    await expect(one.page.locator("#sure")).to_be_visible()


async def lots_away(one: Screen) -> None:
    await hinder(one, "**/api/v1/lots")
    await one.page.reload()


async def label_away(one: Screen) -> None:
    await hinder(one, "**/label.svg*")
    await one.page.reload()


async def sheet_without_rack(one: Screen) -> None:
    await hinder(one, "**/api/v1/slots")
    await one.page.reload()


def page(
    name: str,
    path: str,
    show: Callable[[Screen], Awaitable[object]] = as_it_is,
    opens: str | None = None,
) -> State:
    return State(f"page: {name}", Place.PAGES, path, show, opens=opens)


FORM_SAID = 'forms.js p.said[role="alert"]'
CONFIRM = "confirm_dialog.js dialog#sure.over-wall"
FOLDED = "forms.js details.folded"
LOT = "lots?lot=L-1"
FIGURES = "report?from=2026-11-01&to=2026-11-30"
BESIDE = (
    *(page(path, path[1:]) for path in PAGES),
    page("shift", "board?day=2026-11-24"),
    page("handover sheet", "board?day=2026-11-24&sheet=handover"),
    page(
        "sheet without a rack",
        "board?sheet=handover",
        sheet_without_rack,
        'handover.js p.nothing[role="alert"]',
    ),
    page("figures", FIGURES),
    *(
        page(f"{name}, on paper", path, on_paper)
        for name, path in (
            ("handover sheet", "board?day=2026-11-24&sheet=handover"),
            ("shift", "board?day=2026-11-24"),
            ("figures", FIGURES),
            ("disposal", "disposal"),
            ("label", f"handsets?label={JOB_2}"),
            ("cards", "cards"),
        )
    ),
    page("no shift's work", "board?day=2020-01-01"),
    page("no figures", "report?from=2020-01-01&to=2020-01-02"),
    page("disposal: tray", "disposal?state=tray"),
    page("cards", "cards"),
    page("a figure's jobs", f"{FIGURES}&figure=became&value=to_destroy"),
    page("handsets found", "handsets?q=3569"),
    page("no handset", "handsets?q=ZZZZZZ", opens='handsets.js p.nothing[role="status"]'),
    page("handset", f"handsets?job={JOB_1}", opens="handset.js details.job"),
    page("handset: grading", f"handsets?job={JOB_1}", clicks("#grading > summary"), FOLDED),
    page(
        "handset: grading not filled in",
        f"handsets?job={JOB_1}",
        clicks("#grading > summary", "#grading .do"),
        FORM_SAID,
    ),
    page("unknown job", "handsets?job=unknown", opens='frame.js p.nothing[role="alert"]'),
    page("label", f"handsets?label={JOB_2}"),
    page(
        "label that isn't drawn",
        f"handsets?label={JOB_2}",
        label_away,
        'label.js p.nothing[role="alert"]',
    ),
    page(
        "label of an older job", f"handsets?label={JOB_1}", opens='label.js p.caution[role="alert"]'
    ),
    page("menu", "lots", menu, "menu.js details"),
    page("away", "lots", lots_away, 'page.html div#connection[role="alert"]'),
    page("lot to add", "lots", clicks("#add-lot > summary"), FOLDED),
    page("lot not filled in", "lots", clicks("#add-lot > summary", "#add-lot .do"), FORM_SAID),
    page("list to take in", "lots", clicks("#network > summary"), FOLDED),
    page("list taken in", "lots", list_taken, 'forms.js p.good[role="status"]'),
    page("a code of nothing", "lots", of_nothing, 'forms.js small.told[role="status"]'),
    page("lot", LOT),
    page("lot: some came late", LOT, came_late, 'attest.js div.uncovered[role="status"]'),
    *(
        page(f"lot: {part}", LOT, clicks(f"#{part} > summary"), FOLDED)
        for part in ("import", "one", "grading", "shipping", "assess", "dead", "attest")
    ),
    *(
        page(f"lot: {part} not filled in", LOT, clicks(f"#{part} > summary", f"#{part} .do"), said)
        for part, said in (
            ("import", 'csv_import.js p.said[role="alert"]'),
            ("one", FORM_SAID),
            ("grading", FORM_SAID),
            ("assess", FORM_SAID),
            ("dead", FORM_SAID),
            ("attest", FORM_SAID),
        )
    ),
    page("lot: striking a line, asked once more", LOT, asked_to_strike, CONFIRM),
    page("lot: crushing, asked once more", LOT, asked_to_crush, CONFIRM),
    page("lot: what mustn't go out", LOT, kept_back, 'lot.js div#may-go[role="status"]'),
    page("list with mistakes", LOT, mistakes_told, 'csv_import.js div.checked[role="status"]'),
    page("list is clean", LOT, file_is_clean, 'csv_import.js div.checked[role="status"]'),
    page("handsets taken in", LOT, taken_in, 'forms.js p.good[role="status"]'),
    page("disposal: read", "disposal", reads("HQ610005"), 'settling.js p.chosen[role="status"]'),
    page("disposal: unknown", "disposal", reads("ZZZZ"), 'settling.js p.said[role="status"]'),
    page("disposal: unsaid", "disposal", nothing_said, 'settling.js p.said[role="alert"]'),
    page("disposal: asked once more", "disposal", asked_to_settle),
    page("disposal: settled", "disposal", settled, 'settling.js div.outcomes[role="status"]'),
)

SHUT = tuple(
    State(f"shut: {path}", Place.SHUT, path[1:], opens='page.html p#hidden[role="status"]')
    for path in PAGES
)

PAGE_STATES = (*BESIDE, *SHUT)
