"""The running daemon as the commands reach it, and their one way to print."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from benchd.cli.client import BenchdClient
from benchd.domain.ids import JsonObject

if TYPE_CHECKING:
    from benchd.cli.intake_client import IntakeClient
    from benchd.cli.tables import View


def daemon_client(timeout_s: float | None = None) -> BenchdClient:
    """A client of the daemon on this machine, more patient than usual if that is asked for."""
    from benchd.cli.client import TIMEOUT_S, BenchdClient, socket_path

    return BenchdClient(socket_path(os.environ), timeout_s=timeout_s or TIMEOUT_S)


def intake_client() -> IntakeClient:
    """The same for what comes in and goes out."""
    from benchd.cli.client import socket_path
    from benchd.cli.intake_client import IntakeClient

    return IntakeClient(socket_path(os.environ))


def show(as_json: bool, value: object, table: Callable[[], None]) -> None:  # noqa: FBT001
    """As JSON for machines, as a table for people."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
    else:
        table()


def show_view(as_json: bool, told: JsonObject, view: View) -> None:  # noqa: FBT001
    """As JSON for machines, as one of the views for people."""
    from benchd.cli.tables import print_view

    show(as_json, told, lambda: print_view(view, told))
