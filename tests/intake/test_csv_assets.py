"""Lists of handsets as people's programs write them, and as nobody should."""

from __future__ import annotations

import csv
import io
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchd.domain.intake import Mistake
from benchd.intake.csv_assets import COLUMNS, read_assets
from benchd.intake.csv_format import LARGEST_FILE_BYTES, LONGEST_LINE, MOST_ROWS, MOST_TOLD
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.texts.catalogue import Catalogue
from tests.intake.lots import imei

TEXTS = Catalogue.load()


def mistakes(data: bytes | str) -> list[tuple[int, str, Mistake]]:
    file = read_assets(data if isinstance(data, bytes) else data.encode())
    assert not file.assets, "nothing of a file with mistakes counts"
    for each in file.mistakes:
        said = TEXTS.mistake(each.code, each.facts)
        assert "?" not in said.en.replace("??", ""), "a placeholder was left unfilled"
    return [(m.line, m.column, m.code) for m in file.mistakes]


EXCEL_JP = (
    "管理番号,IMEI,製造番号,機種,色,ランク\r\n"
    f'A-①,{imei(1)},,"㈱髙﨑様分 SO-51B",黒,Ａ\r\n'
    f'A-2,{imei(2)},HQ6123,"改行の\r\nある機種",,\r\n'
)
"""As Excel for Windows in Japanese saves it (CSV, CP932, line breaks by Alt+Enter). Made up."""


@pytest.mark.parametrize("coding", ["cp932", "utf-8", "utf-8-sig"])
def test_what_excel_writes_is_read_alike_in_every_coding(coding: str) -> None:
    file = read_assets(EXCEL_JP.encode(coding))
    assert file.mistakes == ()
    assert file.assets == (
        AssetLine(tag="A-1", imei=imei(1), model="㈱髙﨑様分 SO-51B", colour="黒", grade="Ａ"),
        AssetLine(tag="A-2", imei=imei(2), serial="HQ6123", model="改行の ある機種"),
    )


def test_headings_are_read_in_both_languages_tabs_too() -> None:
    english = f"Asset Tag\tIMEI\tSerial Number\tModel\tColor\tGrade\nA1\t{imei(1)}\tX\tY\tred\tA\n"
    [asset] = read_assets(english.encode()).assets
    assert (asset.tag, asset.imei, asset.serial, asset.grade) == ("A1", imei(1), "X", "A")
    wide = f"タグ,ＩＭＥＩ\nＡ１,{imei(1).translate({48 + n: 0xFF10 + n for n in range(10)})}\n"
    [asset] = read_assets(wide.encode()).assets
    assert (asset.tag, asset.imei) == ("A1", imei(1))


def test_every_mistake_is_told_with_its_place() -> None:
    text = (
        "管理番号,IMEI,機種\n"
        f"A1,{imei(1)},x\n"
        f"A1,{imei(1)},x\n"
        '"A\n3",123,x\n'
        f",3.56938E+14,x\n"
        f'A5,"=""{imei(5)}""",x\n'
        "A6,,=HYPERLINK(1)\n"
        "A7,,@x\n"
        "A8,,+1\n"
        "A\x009,,\x1b[2J\n"
        f"A10,,{'x' * 101}\n"
        "A11,,x,y\n"
    )
    assert mistakes(text) == [
        (3, "IMEI", Mistake.IMEI_TWICE),
        (3, "管理番号", Mistake.TAG_TWICE),
        (4, "IMEI", Mistake.IMEI_WRONG),
        (4, "管理番号", Mistake.TAG_SPACED),
        (6, "IMEI", Mistake.IMEI_ROUNDED),
        (6, "管理番号", Mistake.TAG_MISSING),
        (7, "IMEI", Mistake.FORMULA),
        (8, "機種", Mistake.FORMULA),
        (9, "機種", Mistake.FORMULA),
        (10, "機種", Mistake.FORMULA),
        (11, "機種", Mistake.NOT_PRINTABLE),
        (11, "管理番号", Mistake.NOT_PRINTABLE),
        (12, "機種", Mistake.CELL_TOO_LONG),
        (13, "", Mistake.CELLS_TOO_MANY),
    ]


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"", [(1, "", Mistake.COLUMN_MISSING)]),
        (b"tag\n", [(1, "", Mistake.NOTHING_IN_IT)]),
        (
            b"IMEI\n1\n",
            [
                (1, "", Mistake.COLUMN_MISSING),
                (2, "IMEI", Mistake.IMEI_WRONG),
                (2, "tag", Mistake.TAG_MISSING),
            ],
        ),
        (b"tag,tag\nA,B\n", [(1, "tag", Mistake.COLUMN_TWICE)]),
        (b"tag,size\nA,1\n", [(1, "size", Mistake.COLUMN_UNKNOWN)]),
        (b'tag,model\nA,"open\nB,x\n', [(2, "", Mistake.BROKEN_QUOTES)]),
        (b"tag\nA\n\xff\xfe\x00\n", [(3, "", Mistake.NO_TEXT)]),
        *(
            (f"tag\nA\nA{unseen}\n".encode(), [(3, "tag", Mistake.NOT_PRINTABLE)])
            for unseen in ("\ufe0f", "\u3164", "\u2800", "\U000e0100", "\u034f")
        ),
        ("tag\nA\n".encode("utf-16"), [(1, "", Mistake.NO_TEXT)]),
        (b"tag\n" + b"\xed\xa0\x80\xff\n", [(2, "", Mistake.NO_TEXT)]),
        (b"tag\n" + b"A" * (LONGEST_LINE + 1) + b"\nB\n", [(2, "", Mistake.LINE_TOO_LONG)]),
        (b"tag\n" + b"A" * LARGEST_FILE_BYTES, [(1, "", Mistake.TOO_LARGE)]),
        (b'tag\n"' + b"A\n" * 200_000, [(2, "", Mistake.BROKEN_QUOTES)]),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_hostile_files(data: bytes, wanted: list[tuple[int, str, Mistake]]) -> None:
    assert mistakes(data) == wanted


def test_a_file_of_mistakes_is_told_up_to_a_bound() -> None:
    assert len(mistakes("tag\n" + "=\n" * (MOST_TOLD * 2))) == MOST_TOLD
    lines = "".join(f"A{n}\n" for n in range(MOST_ROWS + 1))
    assert mistakes("tag\n" + lines) == [(MOST_ROWS + 2, "", Mistake.TOO_MANY)]


@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    read_assets(b"tag,IMEI\n" + data)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Z0-9-]{1,8}", fullmatch=True),
            st.text(st.characters(codec="cp932", categories=["L", "N", "So"]), max_size=20),
        ),
        min_size=1,
        unique_by=lambda row: row[0].lstrip("-"),
    ),
    st.sampled_from(["cp932", "utf-8"]),
)
def test_what_a_csv_writer_writes_comes_back(rows: list[tuple[str, str]], coding: str) -> None:
    rows = [("T" + tag, model) for tag, model in rows]
    out = io.StringIO()
    csv.writer(out).writerows([("管理番号", "機種"), *rows])
    file = read_assets(out.getvalue().encode(coding))
    assert file.mistakes == ()
    assert [(a.tag, a.model or "") for a in file.assets] == rows


def test_a_cell_is_bounded_in_the_form_in_which_it_is_kept() -> None:
    long = "\ufdfa" * 6
    assert mistakes(f"tag,serial\nA1,{long}\n") == [(2, "serial", Mistake.CELL_TOO_LONG)]
    assert mistakes(f"tag\n{long}\n") == [(2, "tag", Mistake.CELL_TOO_LONG)]
    assert len(read_assets(f"tag,serial\nA1,{long[:5]}\n".encode()).assets) == 1


def test_the_sample_that_the_pages_hand_out_is_of_the_form_that_is_read() -> None:
    static = resources.files("benchd") / "web" / "static"
    file = read_assets((static / "assets.csv").read_bytes())
    assert file.mistakes == ()
    assert [asset.tag for asset in file.assets] == ["SAMPLE-1", "SAMPLE-2", "SAMPLE-3"]
    # Each heading that the page names is there.
    [heading, *_] = (static / "assets.csv").read_text("utf-8-sig").splitlines()
    assert heading.split(",") == [column.headings[0] for column in COLUMNS]
