"""A list of network restrictions that were looked up elsewhere, as CSV: ○, △, × or - by IMEI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from benchd.domain.intake import Mistake
from benchd.intake.csv_assets import imei_in
from benchd.intake.csv_format import (
    Column,
    FileMistake,
    HoldsBadge,
    Mistakes,
    Row,
    narrow,
    nobodys,
    read_table,
)
from benchd.proof.evidence.intake_evidence import NetworkLine
from benchd.proof.intake_book import IntakeBook
from benchd.proof.network import look_up_result

JAPAN: Final = timezone(timedelta(hours=9))
"""What a time without a zone means on a list that was made in Japan."""
AHEAD_AT_MOST: Final = timedelta(minutes=5)
"""Another machine's clock may be ahead by so much."""

COLUMNS: Final = (
    Column(name="imei", headings=("IMEI", "IMEI1", "IMEI番号", "端末識別番号"), required=True),
    Column(
        name="sign",
        headings=("判定", "result", "結果", "利用制限", "ネットワーク利用制限", "sign"),
        required=True,
    ),
    Column(
        name="at",
        headings=("照会日時", "looked up at", "日時", "at", "確認日時", "照会日"),
        required=True,
    ),
)
_TIMES: Final = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M"),
    *("%Y年%m月%d日 %H:%M", "%Y年%m月%d日%H時%M分"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFile:
    """What a list holds; it counts only where there is no mistake in any line."""

    results: tuple[NetworkLine, ...]
    mistakes: tuple[FileMistake, ...]


def read_network(
    data: bytes, book: IntakeBook, now: datetime, holds_badge: HoldsBadge = nobodys
) -> NetworkFile:
    """Read a list; a number that belongs to no asset is a mistake too: nobody would ask for it."""
    mistakes = Mistakes()
    rows = read_table(data, COLUMNS, mistakes, holds_badge)
    results = [_result(row, book, now, mistakes) for row in rows]
    told = mistakes.in_order()
    kept = () if told else tuple(result for result in results if result is not None)
    return NetworkFile(results=kept, mistakes=told)


def _result(row: Row, book: IntakeBook, now: datetime, mistakes: Mistakes) -> NetworkLine | None:
    imei = imei_in(row, mistakes)
    if "imei" not in row.cells and "imei" not in row.refused:
        mistakes.add(Mistake.IMEI_MISSING, row.line, row.heading("imei"))
    elif imei is not None and imei not in book.by_imei:
        mistakes.add(Mistake.IMEI_UNKNOWN, row.line, row.heading("imei"), found=imei)
    told = row.cells.get("sign", "")
    sign = look_up_result(narrow(told))
    if sign is None and "sign" not in row.refused:
        mistakes.add(Mistake.SIGN_WRONG, row.line, row.heading("sign"), found=told)
    at = moment(narrow(row.cells.get("at", "")))
    if at is None and "at" not in row.refused:
        found = row.cells.get("at", "")
        mistakes.add(Mistake.TIME_WRONG, row.line, row.heading("at"), found=found)
    elif at is not None and at > now + AHEAD_AT_MOST:
        mistakes.add(Mistake.TIME_AHEAD, row.line, row.heading("at"), found=row.cells["at"])
    if imei is None or sign is None or at is None:
        return None
    return NetworkLine(imei=imei, sign=sign, at=at)


def moment(text: str) -> datetime | None:
    """A time with its zone, that of Japan where it names none; a day alone tells no time."""
    if re.search(r"\d[T ]\d", text):
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return found if found.tzinfo else found.replace(tzinfo=JAPAN)
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=JAPAN)
        except ValueError:
            continue
    return None
