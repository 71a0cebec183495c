"""What scanned codes say: GS1's own examples, IMEIs as labels and screens bear them, own codes."""

from __future__ import annotations

import pytest
from chromium import Visits, needs_chromium
from paper_shop import address

from tests.web.web_running import Server

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


async def test_codes_say_what_they_are(server: Server, visit: Visits) -> None:
    async with server() as here, visit(address(here, "/")) as seen:
        script = (
            "codes => import('/static/codes.js').then(({ parse }) => codes.map((c) => parse(c)))"
        )
        found = await seen.page.evaluate(script, [code for code, _ in EXAMPLES])
        for (code, expected), told in zip(EXAMPLES, found, strict=True):
            assert {key: told[key] for key in expected} == expected, (code, told)
