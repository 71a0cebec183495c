"""Reads the configuration anew and puts into effect what can change while the daemon runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import fields, is_dataclass, replace

import anyio
import anyio.to_thread
import structlog
from pydantic import BaseModel

from benchd.config import Settings
from benchd.daemon.failure_report import tell_mistakes
from benchd.domain.errors import ConfigInvalid
from benchd.domain.wakeup import Bell
from benchd.observe.notify_socket import Notifier

_log = structlog.get_logger()

AT_RUN_TIME = frozenset(
    {
        *("topology", "recipes", "recipe_descriptions", "models"),
        *("fresh_folder", "fresh_pictures", "timing", "wall", "grades", "retired"),
    }
)
"""The parts of the settings that a running daemon takes over; all others are built in."""
NOT_COMPARED = frozenset({"providers", "readers"})
"""Two loads make different providers; whether they are written alike, `provider_options` tells.
Of readers only those matter whose slots are there."""
CALLED = {"provider_options": "felica.providers"}


class Reloader:
    """Does one reload after the other; a request during one is served by the next."""

    def __init__(
        self,
        settings: Settings,
        *,
        read: Callable[[], Settings],
        apply: Callable[[Settings], Awaitable[None]],
        notifier: Notifier,
    ) -> None:
        self._settings = settings
        self._read = read
        self._apply = apply
        self._notifier = notifier
        self._asked = Bell()
        self._limiter = anyio.CapacityLimiter(1)

    @property
    def settings(self) -> Settings:
        """Those that are in effect now."""
        return self._settings

    def ask(self) -> None:
        """Have the configuration read anew; returns at once."""
        self._asked.ring()

    async def run(self) -> None:
        """Serve requests until cancelled."""
        while True:
            await self._asked.wait()
            self._notifier.reloading()
            await self.reload()
            self._notifier.ready()

    async def reload(self) -> None:
        """Read and apply once; with a mistake anywhere, nothing changes."""
        try:
            found = await anyio.to_thread.run_sync(self._read, limiter=self._limiter)
        except ConfigInvalid as invalid:
            tell_mistakes(invalid)
            _log.error("config_refused", mistakes=len(invalid.issues), kept="the former one")
            return
        except Exception as broken:  # noqa: BLE001 - no slot ends for what a new file brings about
            _log.error("config_refused", exc_info=broken, kept="the former one")
            return
        tell_retired(found)
        for name in built_in_changes(self._settings, found):
            _log.warning("config_needs_restart", name=name)
        changed = {name: getattr(found, name) for name in AT_RUN_TIME}
        self._settings = replace(self._settings, **changed)
        await self._apply(self._settings)


def tell_retired(settings: Settings) -> None:
    """Log which keys of the configuration have no effect any more."""
    for key in settings.retired:
        place = f"{key.file}:{key.line}:{key.column}"
        _log.warning("config_key_retired", place=place, name=key.key, detail=key.message)


def built_in_changes(old: Settings, new: Settings) -> Iterator[str]:
    """The keys that differ and that only a restart brings into effect, as `ledger.path`."""
    readers, wanted = old.felica.readers, new.felica.readers
    if any(readers.get(slot) != wanted.get(slot) for slot in new.topology.places):
        yield "felica.readers"
    for section in fields(Settings):
        before, after = getattr(old, section.name), getattr(new, section.name)
        if section.name in AT_RUN_TIME or before == after:
            continue
        keys = _keys_of(before)
        if not keys:
            yield CALLED.get(section.name, section.name)
        for key in sorted(keys - NOT_COMPARED):
            if getattr(before, key) != getattr(after, key):
                yield f"{section.name}.{key}"


def _keys_of(section: object) -> set[str]:
    if isinstance(section, BaseModel):
        return set(type(section).model_fields)
    return {field.name for field in fields(section)} if is_dataclass(section) else set()
