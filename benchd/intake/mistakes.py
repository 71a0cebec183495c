"""Every mistake of a file at its place, so that all can be mended at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchd.words.intake import Mistake

MOST_TOLD = 1000
"""Of one file; who has that many has exported the wrong one."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FileMistake:
    """One mistake; the catalogue has the words and the cure."""

    line: int
    """Counted from 1 as an editor does; of a cell with line breaks where its row begins."""
    column: str
    """The heading as the file has it; blank where the whole line or file is meant."""
    code: Mistake
    facts: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)


class Mistakes:
    """Collects them, up to a bound."""

    def __init__(self) -> None:
        self.found: list[FileMistake] = []

    def add(self, code: Mistake, line: int = 1, column: str = "", **facts: str) -> None:
        """Note one more."""
        if len(self.found) < MOST_TOLD:
            facts = {"line": str(line), "column": column, **facts}
            self.found.append(FileMistake(line=line, column=column, code=code, facts=facts))

    def told(self) -> tuple[FileMistake, ...]:
        """All of them in the order of their places."""
        return tuple(sorted(self.found))
