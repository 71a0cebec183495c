"""What the papers of a lot say of it: no more than the records; others' programs read them."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.certificate import SigningKey
from benchd.domain.intake import Unerasable
from benchd.domain.job import Disposition, Reason
from benchd.domain.lot_papers import Standing
from benchd.papers.key_voucher import vouched_for
from benchd.papers.lots.lot_papers_check import check_papers
from benchd.papers.lots.lot_signature import sign_lot_papers
from benchd.papers.lots.lot_statement import counted, faults_of
from benchd.papers.lots.summary_page import summary_of
from tests.intake.lots import imei
from tests.papers.lots.conftest import HOSTILE, fill
from tests.papers.lots.lot_rack import LotRack, job_id, tables
from tests.papers.outside import check_structure, read_by, scanned, text_of
from tests.papers.papers_made import CATALOGUE, read


def test_each_handset_stands_in_it_with_its_certificate_or_why_there_is_none(
    papers: Path, key: SigningKey
) -> None:
    told = check_papers(papers, key.ring, CATALOGUE).papers
    lines = {line.tag: (line.standing, line.disposition, line.reason) for line in told.handsets}
    assert lines == {
        "T-1": ("certified", "sellable", None),
        HOSTILE: ("certified", "sellable", None),
        "T-3": ("not_certified", "destroy", "felica_residue"),
        "T-4": ("not_certified", "destroy", "no_power"),
        "T-5": ("running", None, None),
        "T-6": ("not_run", None, None),
    }
    counts = told.counts
    assert (counts.handsets, counts.certified, counts.not_certified) == (6, 2, 2)
    assert (counts.running, counts.not_run, counts.seen_again) == (1, 1, 0)
    assert counts.by_disposition == {"destroy": 2}
    assert counts.by_reason == {"felica_residue": 1, "no_power": 1}
    assert told.ledger.hash == f"{told.ledger.sequence:064x}"
    assert (told.of.by, told.of.name, told.site) == ("lot", "L-1", "大宮")


def test_other_programs_read_the_zip_and_find_no_way_out_of_its_folder(
    papers: Path, tmp_path: Path
) -> None:
    assert "No errors detected" in read_by("unzip", "-t", papers)
    read_by("unzip", "-q", papers, "-d", tmp_path / "there")
    assert {path.name for path in tmp_path.iterdir()} == {"there"}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 6
    with zipfile.ZipFile(papers) as found:
        names = found.namelist()
        assert len({name.casefold() for name in names}) == len(names)
        assert [name for name in names if ".." in name or name.startswith("/")] == []
        assert names[0] == f"certificates/{job_id(1)}-T-1.pdf"
        assert names[1] == f"certificates/{job_id(2)}-_1_1_______x.pdf"
        assert names[-4:] == ["handsets.csv", "handsets.jsonl", "lot-papers.json", "summary.pdf"]


def test_each_pdf_is_the_certificate_that_the_list_names(papers: Path, key: SigningKey) -> None:
    told = check_papers(papers, key.ring, CATALOGUE).papers
    with zipfile.ZipFile(papers) as found:
        for line in told.handsets:
            if line.pdf is not None:
                paper = read(found.read(line.pdf), key)
                assert hashlib.sha256(paper.signed.envelope).hexdigest() == line.certificate
                assert paper.page_compared


def test_a_spreadsheet_gets_text_and_never_a_formula(papers: Path) -> None:
    with zipfile.ZipFile(papers) as found:
        assert found.read("handsets.csv").startswith(b"\xef\xbb\xbf")
    rows, lines = tables(papers)
    assert [line["tag"] for line in lines] == ["T-1", HOSTILE, "T-3", "T-4", "T-5", "T-6"]
    assert [row["管理番号"] for row in rows][:3] == ["T-1", f"'{HOSTILE}", "T-3"]
    assert [row["証明書"] for row in rows] == [
        *("証明書あり（販売可）", "証明書あり（販売可）", "証明書なし", "証明書なし"),
        *("作業中", "未処理"),
    ]
    assert rows[0]["IMEI"] == lines[0]["imei"]
    assert rows[0]["機種"] == lines[0]["model"] == "SO-51B"
    assert rows[0]["入荷元"] == lines[0]["consignor"] == "例示商事"
    for row in rows:
        for value in row.values():
            assert not value.startswith(("=", "+", "-", "@"))


def test_the_summary_is_a_page_for_people_and_a_signed_file(
    papers: Path, key: SigningKey, tmp_path: Path
) -> None:
    file = tmp_path / "summary.pdf"
    with zipfile.ZipFile(papers) as found:
        file.write_bytes(found.read("summary.pdf"))
        listed = found.read("lot-papers.json")
    check_structure(file)
    text = text_of(file)
    for said in ("端末の消去結果まとめ", "Summary of erasures", "FeliCa", "L-1", "大宮"):
        assert said in text
    # Whose handsets they are, the list tells: a summary is handed on more lightly.
    for number in ("T-1", imei(1), "HQ000001", "SO-51B"):
        assert number not in text
    assert hashlib.sha256(listed).hexdigest() in text
    assert "Signature is Valid" in read_by("pdfsig", "-nssdir", tmp_path, file)
    read_by("pdfdetach", "-saveall", "-o", tmp_path, file)
    assert (tmp_path / "lot-papers.json").read_bytes() == listed
    told = read_by("pdfinfo", "-meta", file)
    assert "<pdfaid:part>3</pdfaid:part>" in told
    assert "Pages:           2" in read_by("pdfinfo", file)
    subprocess.run(
        ["pdftoppm", "-png", "-r", "150", file, tmp_path / "page"], check=True, timeout=50
    )
    digest = hashlib.sha256(listed).hexdigest().upper()
    for number in (1, 2):
        [code] = scanned(tmp_path / f"page-{number}.png")
        assert code == f"BENCHD:PAPERS:{digest}:BENCHD PAPERS VERIFY"


def test_a_count_that_its_lines_do_not_make_is_a_fault(papers: Path, key: SigningKey) -> None:
    """Else a signed summary could say more than what stands under it."""
    told = check_papers(papers, key.ring, CATALOGUE).papers
    assert list(faults_of(told)) == []
    more = replace(told, counts=replace(told.counts, certified=3, running=0))
    assert list(faults_of(more)) == ["its counts aren't those of its lines"]
    failed = next(line for line in told.handsets if line.reason == "felica_residue")
    for change in (
        {"disposition": Disposition.SELLABLE},
        {"standing": Standing.CERTIFIED},
        {"certificate": "0" * 64},
    ):
        bent = replace(failed, **change)  # type: ignore[arg-type]
        lines = tuple(bent if line is failed else line for line in told.handsets)
        assert list(faults_of(replace(told, handsets=lines, counts=counted(lines))))


@pytest.mark.asyncio
async def test_made_again_it_has_the_same_files_under_the_same_names(
    rack: LotRack, papers: Path
) -> None:
    fill(rack)
    again = await rack.zipped()
    with zipfile.ZipFile(papers) as one, zipfile.ZipFile(again) as other:
        assert one.namelist() == other.namelist()
        for name in ("handsets.csv", "handsets.jsonl"):
            assert one.read(name) == other.read(name)


def test_every_reason_and_the_longest_names_are_still_one_page(
    papers: Path, key: SigningKey, tmp_path: Path
) -> None:
    told = check_papers(papers, key.ring, CATALOGUE).papers
    failed = next(line for line in told.handsets if line.reason == "felica_residue")
    lines = tuple(
        replace(failed, handset=number, job=job_id(number), reason=reason)
        for number, reason in enumerate(["a word of tomorrow", *Reason, *Unerasable], start=1)
    )
    whole = replace(
        told,
        of=replace(told.of, name="語" * 200),
        site="𠮷" * 80,
        handsets=lines,
        counts=counted(lines),
        files=(),
    )
    signed = sign_lot_papers(whole, key)
    vouched = vouched_for(key, where="x" * 80)[1]
    file = tmp_path / "summary.pdf"
    file.write_bytes(summary_of(whole, signed, vouched, CATALOGUE, key_id=key.key_id))
    assert "Pages:           2" in read_by("pdfinfo", file)
    text = text_of(file)
    assert "ほかの理由" in text
    assert "a word of tomorrow" in text
    assert str(len(lines)) in text
