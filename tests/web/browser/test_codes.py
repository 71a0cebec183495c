"""Codes and numbers: what scanned ones say, the printed sheet of them, and how serials are cut.

The examples are GS1's own, IMEIs as labels and screens bear them, and own codes.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from chromium import needs_chromium
from walls import Wall

from benchd.domain.ids import SlotName
from tests.papers.outside import read_by
from tests.web.web_fakes import FakeRack, identity, port, running_view, waiting_view

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

GS = "\x1d"
IMEI, OTHER = "353871116120459", "353871116120467"
GTIN = "09506000134352"

EXAMPLES = [
    # Own codes, also as a reader with Caps Lock types them.
    ("BD:S:A1", {"kind": "slot", "value": "A1", "words": []}),
    ("bd:a:yes", {"kind": "answer", "value": "YES", "words": []}),
    ("]Q1BD:A:CIRCLE", {"kind": "answer", "value": "CIRCLE", "words": []}),
    ("BD:J:20261124-0011", {"kind": "job", "value": "20261124-0011", "words": ["20261124-0011"]}),
    ("bd:p:ab2cd3ef", {"kind": "badge", "words": ["BD:P:AB2CD3EF"]}),
    ("BD:A:MAYBE", {"kind": "own", "words": []}),
    ("BD:X:1", {"kind": "own", "words": []}),
    # As GS1's own encoder reads scanners' data.
    (
        f"]Q3011231231231233310ABC123{GS}99TESTING",
        {"elements": {"01": "12312312312333", "10": "ABC123", "99": "TESTING"}, "words": []},
    ),
    (
        f"]d2011231231231233310ABC123{GS}99TESTING",
        {"elements": {"01": "12312312312333", "10": "ABC123", "99": "TESTING"}, "words": []},
    ),
    (
        f"]C1011231231231233310ABC123{GS}99TESTING",
        {"elements": {"01": "12312312312333", "10": "ABC123", "99": "TESTING"}, "words": []},
    ),
    (
        f"]e0011231231231233310ABC123{GS}1199122598TESTING{GS}97XYZ",
        {
            "elements": {
                "01": "12312312312333",
                "10": "ABC123",
                "11": "991225",
                "98": "TESTING",
                "97": "XYZ",
            }
        },
    ),
    # A box of a handset: its model, its serial, its IMEI. 8002 ends with a separator or the code.
    (f"]d201{GTIN}21HQ633K0CQ8", {"kind": "gs1", "words": ["HQ633K0CQ8"]}),
    (f"01{GTIN}21HQ633K0CQ8{GS}8002{IMEI}", {"kind": "gs1", "words": [IMEI, "HQ633K0CQ8"]}),
    (f"01{GTIN}8002{IMEI}<GS>21HQ633K0CQ8", {"kind": "gs1", "words": [IMEI, "HQ633K0CQ8"]}),
    (f"(01){GTIN}(21)HQ633K0CQ8", {"kind": "gs1", "words": ["HQ633K0CQ8"]}),
    (f"8002{IMEI}", {"kind": "gs1", "words": [IMEI]}),
    (f"01{GTIN}21{IMEI}", {"kind": "gs1", "words": [IMEI]}),
    # A GTIN names a model; and what only looks like one is left as it is.
    (f"01{GTIN}", {"kind": "gs1", "words": []}),
    ("0109506000134353", {"kind": "text", "words": ["0109506000134353"]}),
    ("]C101123", {"kind": "text", "words": ["01123"]}),
    # IMEIs: one, two, with the version, with names; only with the right check digit.
    (IMEI, {"kind": "imei", "words": [IMEI]}),
    (f"{IMEI}/{OTHER}", {"kind": "imei", "words": [IMEI, OTHER]}),
    (f"{IMEI},{OTHER}", {"kind": "imei", "words": [IMEI, OTHER]}),
    (f"{IMEI} {OTHER}", {"kind": "imei", "words": [IMEI, OTHER]}),
    (f"IMEI1:{IMEI} IMEI2:{OTHER}", {"kind": "imei", "words": [IMEI, OTHER]}),
    (f"{IMEI}01", {"kind": "imei", "words": [IMEI]}),
    (f"{IMEI} / 01", {"kind": "imei", "words": [IMEI]}),
    ("35-387111-612045-9", {"kind": "imei", "words": [IMEI]}),
    ("353871116120458", {"kind": "text", "words": ["353871116120458"]}),
    ("89049032000001000000000000000000", {"kind": "text"}),
    # Tags, serials and badges are texts, and hostile ones too.
    ("T-001", {"kind": "text", "words": ["T-001"]}),
    ("DEMO-SATO-1001", {"kind": "text", "words": ["DEMO-SATO-1001"]}),
    ("__proto__", {"kind": "text", "words": ["__proto__"]}),
    ("<img src=x onerror=alert(1)>", {"kind": "text"}),
    ("", {"kind": "text", "words": []}),
]


async def test_codes_say_what_they_are(wall: Wall) -> None:
    async with wall() as seen:
        script = (
            "codes => import('/static/codes.js').then(({ parse }) => codes.map((c) => parse(c)))"
        )
        found = await seen.page.evaluate(script, [code for code, _ in EXAMPLES])
        for (code, expected), told in zip(EXAMPLES, found, strict=True):
            assert {key: told[key] for key in expected} == expected, (code, told)


ANSWERS = ["YES", "NO", "CIRCLE", "TRIANGLE", "CROSS", "DASH", "NEXT", "PRINT", "CANCEL"]
SLOTS = ["A1", "b2", "C-10"]
WIDTH, HEIGHT = 800, 1130
"""A4 at 96 dots an inch, so what is seen is no larger than what is printed."""


async def read(files: list[Path]) -> list[str]:
    """What each of the pictures says."""
    command = ["zbarimg", "--quiet", *map(str, files)]
    told = await anyio.run_process(command, check=False)
    return told.stdout.decode().split("\n")[:-1]


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbar-tools isn't here")
async def test_each_code_of_the_printed_sheet_is_read_as_what_it_stands_for(
    rack: FakeRack, wall: Wall, tmp_path: Path
) -> None:
    """By a program that knows nothing of how it was made, as a reader does."""
    hostile = "<b>x</b>"
    for number, slot in enumerate(SLOTS, start=1):
        rack.board.show(replace(waiting_view(SlotName(slot), number), slot=SlotName(slot)))
    codes = [*(f"BD:A:{answer}" for answer in ANSWERS), *(f"BD:S:{slot}" for slot in SLOTS)]
    async with wall("cards", width=WIDTH, height=HEIGHT) as seen:
        page = seen.page
        cards = await page.locator("li").evaluate_all("all => all.map(li => li.dataset.code)")
        assert cards == codes
        colour = await page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert colour == "rgb(255, 255, 255)"
        # As fine as an office's printer: three of its dots for one of the screen.
        await page.evaluate("() => (document.documentElement.style.zoom = 3)")
        pictures: list[Path] = []
        for kind in ("qr", "bars"):
            for number in range(len(codes)):
                file = tmp_path / f"{kind}-{number}.png"
                await page.locator(f"svg.{kind}").nth(number).screenshot(path=file)
                pictures.append(file)
        assert await read(pictures) == [
            *(f"QR-Code:{code}" for code in codes),
            *(f"CODE-128:{code}" for code in codes),
        ]
        # On paper the cards for answers are one page, and no label is cut in two.
        await page.evaluate("() => (document.documentElement.style.zoom = 1)")
        printed = tmp_path / "cards.pdf"
        await page.pdf(path=printed, prefer_css_page_size=True)
        first, *others = read_by("pdftotext", printed, "-").split("\f")[:-1]
        assert {code for code in codes if code in first} == {c for c in codes if "BD:A" in c}
        assert all(any(code in other for other in others) for code in codes if "BD:S" in code)
        # Names of slots are text.
        rack.board.show(replace(waiting_view(SlotName("A1"), 1), slot=SlotName(hostile)))
        await page.reload()
        card = page.locator(f'li[data-code="BD:S:{hostile}"]')
        assert await card.locator("h2").inner_text() == hostile
        assert await page.locator("h2 b", has_text="x").count() == 0


CUT = "async all => { const { cut } = await import('/static/short_numbers.js');"
CUT += " return all.map(numbers => [...cut(numbers).values()]); }"
TAILS = [
    (["HQ6123"], ["HQ6123"]),
    (["HQ633K0CQ8", "R5CT60ABCDE"], ["…0CQ8", "…BCDE"]),
    (["356938035643809", "356938035643810"], ["…3809", "…3810"]),
    # Alike in the last four: longer ends.
    (["AAAAAA71234", "AAAAAA81234"], ["…71234", "…81234"]),
    # They differ in the middle.
    (["HQ61230000099", "HQ61990000099"], ["…1230…", "…1990…"]),
    (["ABCD000000001111", "ABCE000000001111"], ["…BCD0…", "…BCE0…"]),
    # Two with one serial: nothing differs, and nothing is made up.
    (["0123456789ABCDEF", "0123456789ABCDEF"], ["…CDEF"]),
]


async def test_serials_are_cut_so_that_the_part_that_differs_is_shown(
    rack: FakeRack, wall: Wall
) -> None:
    def show(slot: str, number: int, serial: str) -> None:
        told = identity(serial=serial)
        view = replace(running_view(), slot=SlotName(slot), port_path=port(number), identity=told)
        rack.board.show(view)

    many = [f"3569380356{middle:02}{end:03}" for middle in range(8) for end in (1, 2, 777)]
    rack.ledger.keep_job()
    show("A1", 1, "HQ61230000099")
    async with wall() as seen:
        cut = await seen.page.evaluate(CUT, [*(numbers for numbers, _ in TAILS), many])
        assert cut[:-1] == [shown for _, shown in TAILS]
        assert len(set(cut[-1])) == len(many)
        # Tiles are cut anew when another handset comes.
        await seen.shows("A1", "…0099")
        show("A2", 2, "HQ61990000099")
        await seen.shows("A1", "…1230…")
        await seen.shows("A2", "…1990…")
        # In full where there is room for it.
        await seen.open("A1")
        await seen.page.locator("#panel dd", has_text="HQ61230000099").wait_for()
