"""The [wall] table: where the slots stand on the screens of the rack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, cast

from pydantic import AfterValidator, Field, StringConstraints

from benchd.config.config_values import Section, slot_name
from benchd.config.mistake_wording import found, refused, suggestion
from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue
from benchd.domain.wall_plan import GAP, WallPlan

LONGEST_ROW = 32
MOST_ROWS = 32


def _place(text: str) -> str:
    return text if text == GAP else slot_name(text)


def _prefix(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise refused(f"found {found(text)}, allowed are visible ASCII characters, or none")
    return text


Row = Annotated[list[Annotated[str, AfterValidator(_place)]], Field(max_length=LONGEST_ROW)]


class WallSection(Section):
    """How a screen of the rack is laid out, and what its readers send before a code."""

    rows: Annotated[list[Row], Field(max_length=MOST_ROWS)] = Field(default_factory=list[Row])
    scan_prefix: Annotated[str, StringConstraints(max_length=8), AfterValidator(_prefix)] = ""

    @property
    def plan(self) -> WallPlan:
        """The same as the screens are told it."""
        return WallPlan(rows=tuple(map(tuple, self.rows)), scan_prefix=self.scan_prefix)


def wall_issues(document: Document) -> Iterator[ConfigIssue]:
    """A place on the wall is that of a slot that there is, and no slot has two."""
    slots = _inside(document.data, "slots")
    names = list(cast("dict[str, object]", slots)) if isinstance(slots, dict) else []
    first: dict[str, tuple[int, int]] = {}
    for row, places in enumerate(_list(_inside(document.data.get("wall"), "rows"))):
        for place, name in enumerate(_list(places)):
            if not isinstance(name, str) or name == GAP:
                continue
            at = first.setdefault(name, (row, place))
            if name not in names:
                what = f"found {found(name)}, which is no slot; allowed are"
                cure = ' the names under [slots] and "" for a gap' + suggestion(name, names)
                yield document.issue(("wall", "rows", row, place), what + cure)
            elif at != (row, place):
                what = f"found {found(name)}, which stands in row {at[0] + 1} already;"
                yield document.issue(
                    ("wall", "rows", row, place), what + " allowed is each slot once"
                )


def _inside(table: object, key: str) -> object:
    return cast("dict[str, object]", table).get(key) if isinstance(table, dict) else None


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
