"""`benchd hooks …`: how other systems hear of jobs, looked at and put right beside the daemon."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import error_of, tell, tell_rows
from benchd.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from benchd.domain.errors import NotFound, UsageRefused

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from benchd.config import Settings
    from benchd.config.hooks_section import HookSection
    from benchd.domain.ids import JsonValue
    from benchd.outbound.hooks.hook_store import HookStore

hooks_app = typer.Typer(help="Which other systems hear of jobs.", no_args_is_help=True)

COLUMNS = ("hook", "upto", "waiting", "dead", "next_try", "last_error")
MOST_SHOWN = 1000

HookName = Annotated[str, typer.Argument(help="The hook's name in the configuration.")]


@hooks_app.command("list")
def hooks_list(json_output: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """How far each hook has come, what waits, and what nobody took."""
    from benchd.config import load_settings

    settings = load_settings(config)
    told = [_told(settings, hook) for hook in settings.hooks]

    def table() -> None:
        tell_rows(COLUMNS, [[_cell(one[column]) for column in COLUMNS] for one in told])

    show(json_output, {"hooks": told}, table)


@hooks_app.command("test")
def hooks_test(hook: HookName, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Send one signed event of the type `benchd.test` and tell what was answered."""
    import anyio

    from benchd.config import load_settings
    from benchd.daemon.rack_hooks import hook_settings_of
    from benchd.outbound.hooks.hook_delivery import HttpSender, Taken
    from benchd.signing import canonical

    settings = load_settings(config)
    target = hook_settings_of(_hook(settings, hook)).target
    at = datetime.now(UTC)
    event_id = f"test-{int(at.timestamp())}"
    body = canonical.encode(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "urn:benchd:test",
            "type": "benchd.test",
            "time": at.isoformat().replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {"site": settings.site.name},
        }
    )

    async def run() -> None:
        sender = HttpSender(target, now=time.time)
        try:
            answer = await sender.send(event_id, body)
        finally:
            await sender.aclose()
        if isinstance(answer, Taken):
            tell("say.hook_took", name=hook)
            return
        raise error_of(UsageRefused, "say.hook_refused", name=hook, detail=answer.why)

    anyio.run(run)


@hooks_app.command("replay")
def hooks_replay(
    hook: HookName,
    since: Annotated[
        int | None,
        typer.Option(min=1, help="All from this record of the ledger on; else what nobody took."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Have events sent again; the daemon does it within half a minute."""
    from benchd.config import load_settings
    from benchd.domain.record import Place

    settings = load_settings(config)
    _hook(settings, hook)
    if since is not None and since > (newest := _newest(settings.ledger.path)):
        raise error_of(UsageRefused, "say.record_not_there", count=str(since), value=str(newest))
    for store in _state(settings.ledger.path):
        if since is None:
            tell("say.hook_revived", name=hook, count=str(store.revive(hook)))
        else:
            store.rewind(hook, Place(sequence=since - 1))
            tell("say.hook_rewound", name=hook, value=str(since))


def _hook(settings: Settings, name: str) -> HookSection:
    for hook in settings.hooks:
        if hook.name == name:
            return hook
    known = ", ".join(hook.name for hook in settings.hooks) or "-"
    raise error_of(NotFound, "say.no_such_hook", name=name, value=known)


def _told(settings: Settings, hook: HookSection) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {
        "hook": hook.name,
        "upto": None,
        "waiting": 0,
        "dead": 0,
        "next_try": None,
        "last_error": None,
    }
    for store in _state(settings.ledger.path):
        place = store.place(hook.name)
        letters = store.dead_letters(hook.name, MOST_SHOWN)
        retry = store.next_retry(hook.name)
        told |= {
            "upto": None if place is None else place.sequence,
            "waiting": store.waiting(hook.name),
            "dead": store.dead(hook.name),
            "dead_letters": [
                {
                    "sequence": one.sequence,
                    "why": one.why,
                    "at": _time(one.at),
                }
                for one in letters
            ],
        }
        if retry is not None:
            told |= {"next_try": _time(retry.due), "last_error": retry.why}
        elif letters:
            told["last_error"] = letters[-1].why
    return told


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _cell(value: JsonValue) -> str:
    return "-" if value is None else str(value)


def _newest(ledger: Path) -> int:
    """The number of the ledger's last record; 0 where there is none. Raises LedgerFault."""
    from benchd.ledger.ledger_queries import NEWEST
    from benchd.ledger.reader import LedgerReader

    if not ledger.is_file():
        return 0
    reader = LedgerReader(ledger)
    try:
        last = reader.select(NEWEST)
    finally:
        reader.close()
    return last[0].sequence if last else 0


def _state(ledger: Path) -> Generator[HookStore]:
    """The hooks' file, if a daemon has made it; none is made here."""
    from benchd.outbound.hooks.hook_store import HookStore
    from benchd.outbound.hooks.hooks_database import hooks_path

    path = hooks_path(ledger)
    if not path.is_file():
        return
    store = HookStore(path, mends=False)
    try:
        yield store
    finally:
        store.close()
