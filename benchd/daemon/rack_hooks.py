"""The rack's hooks: their own way into the ledger, and what the wall and the metrics hear."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import anyio
from anyio import to_thread

from benchd.certificate import DsseIssuer
from benchd.config import Settings
from benchd.config.hooks_section import HookSection
from benchd.daemon.system_clock import SystemClock
from benchd.domain.errors import DependencyMissing, UsageRefused
from benchd.domain.hook import HookEventKind, HookTerms, direction_in
from benchd.domain.job import Disposition
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.ledger.follower import open_feed
from benchd.ledger.held_handsets import Held
from benchd.ledger.ledger_queries import LedgerReads
from benchd.observe.hook_metrics import HookMetrics
from benchd.outbound.hooks.hook_delivery import HookSettings, Target
from benchd.outbound.hooks.hook_dispatcher import Hooks
from benchd.outbound.hooks.hook_events import Source
from benchd.outbound.hooks.hook_store import HookStore
from benchd.outbound.hooks.hooks_database import hooks_path
from benchd.outbound.hooks.outbox import OutboxParts, OutboxSink
from benchd.signing.webhook_signature import HookSecret, read_secrets
from benchd.slots.board import RackBoard

DAY_S = 86_400.0


class HookBoard:
    """Shows on the wall who is behind and that something was given up, and tells the metrics."""

    def __init__(self, board: RackBoard, metrics: HookMetrics) -> None:
        self._board = board
        self._dead: dict[str, int] = {}
        self._behind: set[str] = set()
        self._faulty: set[str] = set()
        self.took = metrics.took
        self.failed = metrics.failed
        self._metrics = metrics

    def stands(self, hook: str, *, waiting: int, dead: int, behind: bool) -> None:
        """So many events are to be sent, one of them for long; so many were given up."""
        self._note(self._behind, hook, is_so=behind)
        self._metrics.stands(hook, waiting=waiting, dead=dead)
        self._dead[hook] = dead
        count = sum(self._dead.values())
        if count:
            facts = {"count": str(count)}
            self._board.show_notice(ProblemView(code=ProblemCode.HOOK_GAVE_UP, facts=facts))
        else:
            self._board.withdraw_notice(ProblemCode.HOOK_GAVE_UP)

    def faulty(self, hook: str, *, is_so: bool) -> None:
        """It can't go on for now."""
        self._note(self._faulty, hook, is_so=is_so)

    def _note(self, those: set[str], hook: str, *, is_so: bool) -> None:
        if is_so:
            those.add(hook)
        else:
            those.discard(hook)
        late = sorted(self._behind | self._faulty)
        if late:
            facts = {"hooks": ", ".join(late)}
            self._board.show_notice(ProblemView(code=ProblemCode.HOOK_BEHIND, facts=facts))
        else:
            self._board.withdraw_notice(ProblemCode.HOOK_BEHIND)


class HookLife:
    """Runs the hooks beside the rack."""

    def __init__(
        self,
        hooks: Hooks,
        settings: Settings,
        record: Callable[[Entry], Awaitable[Receipt]],
        issuer: DsseIssuer,
        sink: OutboxSink,
    ) -> None:
        self._hooks = hooks
        self._settings = settings
        self._record = record
        self._issuer = issuer
        self._sink = sink

    async def run(self) -> None:
        """Send until cancelled; without hooks nothing is opened. What was opened is closed."""
        if not self._settings.hooks:
            await anyio.sleep_forever()
        path = self._settings.ledger.path
        async with open_feed(path) as feed:
            store = await to_thread.run_sync(HookStore, hooks_path(path), limiter=feed.thread)
            parts = OutboxParts(
                feed=feed,
                record=self._record,
                held=self._hooks.held,
                store=store,
                source=await source_of(feed, self._settings.site.name),
                issuer=self._issuer,
                wall_clock=SystemClock().now,
                chance=random.random,
                sink=self._sink,
            )
            with closing(store):
                await self._hooks.run(parts)


def hook_settings_of(hook: HookSection) -> HookSettings:
    """A hook as it is configured, its secrets read.

    Raises UsageRefused, or DependencyMissing where this user may not read them.
    """
    return HookSettings(
        terms=HookTerms(
            name=hook.name,
            events=frozenset(map(HookEventKind, hook.events)),
            lots=frozenset(hook.lots),
            dispositions=frozenset(map(Disposition, hook.dispositions)),
            bins={Disposition(word): frozenset(bins) for word, bins in hook.bins.items()},
            give_up_s=hook.give_up_days * DAY_S,
        ),
        target=Target(
            url=hook.url,
            secrets=_secrets_in(hook.secret),
            timeout_s=hook.timeout_s,
            authority=hook.authority,
        ),
    )


def _secrets_in(file: Path) -> tuple[HookSecret, ...]:
    try:
        return read_secrets(file)
    except UsageRefused as refusal:
        if not isinstance(refusal.__cause__, PermissionError):
            raise
        cure = f"Let benchd's own user read it, and nobody else: `chown benchd: {file}`."
        raise DependencyMissing(str(refusal), cure=cure) from refusal


async def recall_held(held: Held, ledger: Path) -> None:
    """Read what other systems have asked for until now. Raises LedgerFault."""
    async with open_feed(ledger) as feed:
        await held.recall(feed)


async def source_of(ledger: LedgerReads, site: str) -> Source:
    """Which rack tells: the ledger by its first record."""
    first = await ledger.entries_after(0, 1)
    return Source(site=site, ledger=first[0].hash_hex if first else "0" * 64)


class Directing:
    """Shows what other systems ask for at the slot, as soon as it is on record."""

    def __init__(self, board: RackBoard) -> None:
        self._board = board

    def stored(self, entry: Entry) -> None:
        """A record is on disk."""
        if entry.kind is EntryKind.HOOK_ANSWERED:
            told = direction_in(entry.data)
            if told is not None:
                self._board.directed_anew(told.job)

    def recalled(self, entry: Entry) -> None:
        """A former daemon's job that is still open: no slot shows it yet."""
        del entry
