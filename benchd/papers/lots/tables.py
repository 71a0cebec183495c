"""The lines as CSV for people's spreadsheets, and as JSON for other systems."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from benchd.domain.ids import JsonValue
from benchd.domain.job import Disposition, Reason
from benchd.papers.lots.line_of_job import Row
from benchd.papers.lots.lot_statement import NOT_TOLD, HandsetLine, last_words
from benchd.papers.statement_paths import japanese_time
from benchd.proof.grade_book import Graded
from benchd.texts.catalogue import Catalogue
from benchd.texts.csv_cells import cell
from benchd.texts.templates import Texts

CSV_NAME: Final = "handsets.csv"
JSON_NAME: Final = "handsets.jsonl"
HEADER: Final = (
    *("管理番号", "ロット", "入荷元", "メーカー", "機種", "IMEI", "シリアル番号"),
    *("証明書", "仕分け", "理由", "終了日時", "証明書ファイル"),
    *("standing", "disposition", "reason", "job", "ended_at", "certificate_sha256"),
    *("handset", "counts", "later_job", "again_as", "held_by", "rechecked_at"),
    *("ランク", "電池の最大容量(%)", "充電回数"),
    *("graded_at", "battery_health_method", "battery_cycles_method"),
)


def csv_of(rows: Sequence[Row], catalogue: Catalogue) -> bytes:
    """UTF-8 with a byte order mark; what strangers have said is never a formula."""
    text = io.StringIO()
    # Each in quotes: a spreadsheet that guesses what divides cells sees where each one ends.
    lines = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    lines.writerow(HEADER)
    last, looked_at = _last_of(rows), _looked_at(rows)
    for row in rows:
        line = row.line
        counts = _counts(row, last)
        standing = _standing(line) if counts else "paper.lot_earlier"
        why = reason_in_words(line.reason, catalogue).ja if line.reason else ""
        # Where a handset went before its newest job is no answer to where it goes.
        goes = catalogue.disposition(line.disposition).ja if line.disposition and counts else ""
        strangers = (line.tag, row.lot, row.consignor, row.manufacturer, row.model)
        at = row.ended_at
        lines.writerow(
            [
                *(cell(told) for told in (*strangers, row.imei, row.serial)),
                catalogue.text(standing).ja,
                *(goes, why),
                japanese_time(at) if at else "",
                *(line.pdf or "", line.standing, line.disposition or "", line.reason or ""),
                *(cell(line.job), at.isoformat() if at else "", line.certificate or ""),
                *(line.handset, "yes" if counts else "no", cell(line.later_job)),
                *(cell(line.again_as), cell(line.held_by)),
                looked_at[line.handset].isoformat() if line.handset in looked_at else "",
                *_beside(row),
            ]
        )
    return codecs.BOM_UTF8 + text.getvalue().encode()


def json_lines_of(rows: Sequence[Row]) -> bytes:
    """One object for each line, in the order of the list."""
    last, looked_at = _last_of(rows), _looked_at(rows)
    return b"".join(
        json.dumps(
            _object(row, looked_at.get(row.line.handset), counts=_counts(row, last)),
            ensure_ascii=False,
            sort_keys=True,
        ).encode()
        + b"\n"
        for row in rows
    )


def reason_in_words(reason: str, catalogue: Catalogue) -> Texts:
    """Why there is no certificate: as a job says it, or as it was entered at intake."""
    if reason in list(Reason):
        return catalogue.reason(Reason(reason))
    if reason == NOT_TOLD:
        return catalogue.text("paper.lot_no_reason")
    # A word of a later benchd stands as it is.
    return catalogue.named("unerasable", reason)


def disposition_in_words(disposition: str, catalogue: Catalogue) -> Texts:
    """Where a handset goes."""
    if disposition in list(Disposition):
        return catalogue.disposition(Disposition(disposition))
    return catalogue.text("paper.unknown")


def _standing(line: HandsetLine) -> str:
    return "paper.lot_held" if line.held_by is not None else f"paper.lot_{line.standing}"


def _last_of(rows: Sequence[Row]) -> dict[int, Row]:
    """By handset the row by which it counts."""
    last = {id(line) for line in last_words([row.line for row in rows]).values()}
    return {row.line.handset: row for row in rows if id(row.line) in last}


def _looked_at(rows: Sequence[Row]) -> dict[int, datetime]:
    """By handset when it passed its last look before a sale."""
    looks = (row for row in rows if row.line.is_look)
    return {row.line.handset: row.ended_at for row in looks if row.ended_at is not None}


def _counts(row: Row, last: dict[int, Row]) -> bool:
    """Whether a handset stands where this line says: nothing later is known of it."""
    return last[row.line.handset] is row and row.line.is_last


def _object(row: Row, looked_at: datetime | None, *, counts: bool) -> dict[str, JsonValue]:
    line = row.line
    return {
        "handset": line.handset,
        "counts": counts,
        "job": line.job,
        "tag": line.tag,
        "lot": row.lot or None,
        "consignor": row.consignor or None,
        "manufacturer": row.manufacturer or None,
        "model": row.model or None,
        "imei": row.imei or None,
        "serial": row.serial or None,
        "standing": line.standing,
        "disposition": line.disposition,
        "reason": line.reason,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "certificate_sha256": line.certificate,
        "pdf": line.pdf,
        "later_job": line.later_job,
        "again_as": line.again_as,
        "held_by": line.held_by,
        "grade": _grade(row.graded),
        "battery": {
            "health_percent": row.battery.health_percent,
            "health_method": row.battery.health_method,
            "cycles": row.battery.cycles,
            "cycles_method": row.battery.cycles_method,
        },
        "rechecked_at": looked_at.isoformat() if looked_at else None,
    }


def _grade(graded: Graded | None) -> dict[str, JsonValue] | None:
    """What a person says of it; none of their names is a handset's paper's."""
    if graded is None:
        return None
    told = graded.told
    return {"code": told.code, "ja": told.ja, "en": told.en, "at": graded.at.isoformat()}


def _beside(row: Row) -> Iterator[str | int]:
    """What no certificate says; blank is what nobody has told."""
    graded, battery = row.graded, row.battery
    yield cell(graded.told.code) if graded else ""
    yield "" if battery.health_percent is None else battery.health_percent
    yield "" if battery.cycles is None else battery.cycles
    yield graded.at.isoformat() if graded else ""
    yield battery.health_method or ""
    yield battery.cycles_method or ""
