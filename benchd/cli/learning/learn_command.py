"""From the configuration to a walk along the rack, and back into the configuration."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

import anyio

from benchd.cli.learning.new_plugs import RETURN_S
from benchd.cli.learning.terminal import Terminal
from benchd.cli.learning.walk import Walk
from benchd.cli.messages import error_of
from benchd.config import Settings, load_settings
from benchd.config.file_replacement import replace_file
from benchd.config.slot_config_edit import SlotEntry, with_slots
from benchd.domain.errors import UsageRefused
from benchd.domain.ids import SlotName
from benchd.domain.ports import HotplugSource


def learn_slots(
    config: Path,
    names: Sequence[str],
    hotplug: HotplugSource,
    *,
    dry_run: bool,
    answers: int | None = None,
    out: TextIO | None = None,
    return_s: float = RETURN_S,
) -> bool:
    """Walk along the rack with an operator, show what changes and write it if they say yes.

    `answers` is a file descriptor of what the operator types, standard input by default; `out` is
    what they read. False where something would change and they said no. Raises ConfigInvalid for a
    configuration with mistakes, before and after, UsageRefused where the daemon runs or nobody
    answers, DependencyMissing without udev.
    """
    settings = load_settings(config)
    before = config.read_bytes()
    slots = [SlotName(name) for name in names] or list(settings.topology.places)
    if not slots:
        raise error_of(UsageRefused, "say.name_the_slots")
    if len(set(slots)) != len(slots):
        raise error_of(UsageRefused, "say.slot_named_twice")
    _refuse_beside_daemon(settings)
    terminal = Terminal(sys.stdin.fileno() if answers is None else answers, out or sys.stdout)
    walk = Walk(settings=settings, terminal=terminal, return_s=return_s)

    def change(learned: Mapping[SlotName, SlotEntry]) -> bytes | None:
        after = with_slots(before.decode(), learned).encode()
        # The daemon's own check, of what the file would say.
        load_settings(config, after)
        if after == before:
            terminal.say("learn.nothing_new")
            return None
        terminal.show_difference(before.decode(), after.decode(), str(config))
        return after

    async def run() -> bool:
        async with walk.begun(hotplug):
            after = change(await walk.lesson(slots))
            if after is None:
                return True
            if dry_run or not await walk.confirmed(config):
                terminal.say("learn.not_written")
                return dry_run
        replace_file(config, before, after)
        terminal.say("learn.written", file=str(config))
        return True

    return anyio.run(run)


def _refuse_beside_daemon(settings: Settings) -> None:
    """A handset that is plugged in to show a port must not be erased for it."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(settings.http.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except OSError as error:
            raise UsageRefused(
                f"{settings.http.socket}: can't see whether benchd runs: {error.strerror}"
            ) from error
    raise error_of(UsageRefused, "say.stop_benchd_first")
