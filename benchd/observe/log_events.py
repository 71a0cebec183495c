"""What benchd logs: every event with what it means, and what an administrator does about it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from benchd.domain.data_files import Table, Words, read_knowledge

Level = Literal["debug", "info", "warning", "error", "critical"]


class LogEvent(Table):
    """One event of the log."""

    level: Level
    fields: tuple[str, ...] = ()
    """Beside `slot`, `job` and `occupancy`."""
    en: Words
    ja: Words
    do_en: Words | None = None
    do_ja: Words | None = None
    id: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")] | None = None
    """journald's MESSAGE_ID."""

    @model_validator(mode="after")
    def _acted_on_or_not(self) -> Self:
        """The journal explains what somebody can do something about, and nothing else."""
        if len({self.id is None, self.do_en is None, self.do_ja is None}) != 1:
            message = "what is done about an event stands in both languages, with an id, or nowhere"
            raise ValueError(message)
        return self


class _Events(Table):
    event: dict[str, LogEvent] = Field(min_length=1)


@cache
def log_events() -> Mapping[str, LogEvent]:
    """Every event by its name, in the order of the file."""
    return MappingProxyType(read_knowledge("benchd.observe", "log_events.toml", _Events).event)


@cache
def message_ids() -> Mapping[str, str]:
    """The id of each event that has one."""
    return MappingProxyType({name: each.id for name, each in log_events().items() if each.id})
