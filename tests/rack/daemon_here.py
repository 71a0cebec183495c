"""A daemon in this process, by a configuration file of its own, with nothing plugged in."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from benchd.certificate import create_key
from benchd.config import load_settings
from benchd.daemon.composition import run_daemon
from tests.config.config_folder import RECIPE
from tests.free_port import free_port
from tests.nothing_plugged import NothingPlugged

CONFIG = """\
[site]
name = "Example"
[adb]
socket = "adb.sock"
{adb}
[ledger]
path = "ledger.sqlite"
[certificate]
key = "key.pem"
directory = "certificates"
[dossiers]
directory = "dossiers"
[models]
fresh_pictures = "fresh"
[http]
socket = "benchd.sock"
listen = "127.0.0.1:{port}"
{http}
{tables}
"""
SLOT = '[slots.A1]\nport = "pci-0000:03:00.0-usb-0:1.1"\n'


def configured(
    folder: Path,
    *,
    http: str = "",
    tables: str = SLOT,
    adb: str = 'home = "adb"',
    port: int | None = None,
) -> Path:
    """Such a file with its recipe and its key; the port is free, unless it is told which."""
    file = folder / "benchd.toml"
    told = CONFIG.format(port=port or free_port(), http=http, tables=tables, adb=adb)
    file.write_text(told, encoding="utf-8")
    if not (folder / "recipes").exists():
        (folder / "recipes").mkdir()
        (folder / "recipes" / "overwrite.toml").write_text(RECIPE, encoding="utf-8")
        create_key(folder / "key.pem")
    return file


@asynccontextmanager
async def running_daemon(file: Path) -> AsyncGenerator[None]:
    """It has begun to start, and reads the file anew at each SIGHUP once it is up."""
    read = partial(load_settings, file)
    async with anyio.create_task_group() as group:
        group.start_soon(partial(run_daemon, read(), NothingPlugged(), usb=False, reread=read))
        yield
        group.cancel_scope.cancel()


def reload() -> None:
    """SIGHUP to this very process, as systemd sends it."""
    os.kill(os.getpid(), signal.SIGHUP)
