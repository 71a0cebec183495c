"""The events of the log for people: a page of the documentation, and the journal's catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchd.observe.log_events import LogEvent, log_events

_MADE_BY: Final = "Made by scripts/event-papers from benchd/observe/log_events.toml."
_HEAD: Final = f"""\
# What benchd logs / ログの一覧

<!-- {_MADE_BY} -->

Each line of the log is one of these events, with fields of its own, of which `journalctl` finds
each: `journalctl BENCHD_EVENT=job_ended BENCHD_SLOT=A1 -S today`. What an administrator acts on has
a `MESSAGE_ID` as well, and `journalctl -x` explains it in place, in the language of the terminal.
How to have more logged for a while: `benchd log-level` ([service.md](service.md)).

No line holds a serial, an IMEI, an account, a note or a secret. A person stands there by their id.

ログの1行が1つの出来事です。管理者が動くべきものには `MESSAGE_ID` があり、`journalctl -x` で
説明が出ます。シリアル番号、IMEI、アカウント、メモ、秘密はどの行にも出ません。人はIDで出ます。

## What an administrator acts on / 管理者がすること
"""
_REST: Final = """
## All others / そのほか

| event | level | fields | means | 意味 |
|---|---|---|---|---|
"""


def events_page() -> str:
    """docs/events.md."""
    acted_on = [_section(name, event) for name, event in log_events().items() if event.id]
    others = [_row(name, event) for name, event in log_events().items() if not event.id]
    return f"{_HEAD}{''.join(acted_on)}{_REST}{''.join(others)}"


def journal_catalogue() -> str:
    """systemd/benchd.catalog: the form is that of systemd's own (journalctl(1), -x)."""
    return f"# {_MADE_BY}\n" + "".join(
        entry for event in log_events().values() for entry in _catalogued(event)
    )


def _section(name: str, event: LogEvent) -> str:
    return f"""
### {name}

`{event.level}`{_fields(event, before=" · ")} · `MESSAGE_ID={event.id}`

* **意味** {event.ja}
* **する** {event.do_ja}
* **Means** {event.en}
* **Do** {event.do_en}
"""


def _row(name: str, event: LogEvent) -> str:
    cells = (f"`{name}`", event.level, _fields(event), event.en, event.ja)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _fields(event: LogEvent, before: str = "") -> str:
    return before + ", ".join(f"`{field}`" for field in event.fields) if event.fields else ""


def _catalogued(event: LogEvent) -> Iterator[str]:
    """The English entry counts for every language that has none of its own."""
    if event.id is not None:
        for language, says, do in (("", event.en, event.do_en), (" ja", event.ja, event.do_ja)):
            yield f"\n-- {event.id}{language}\nSubject: {says}\nDefined-By: benchd\n\n{do}\n"
