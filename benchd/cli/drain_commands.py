"""`benchd drain` and `benchd pause`: running jobs end, and no new one begins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from benchd.cli.daemon_client import daemon_client
from benchd.cli.log_level_commands import seconds_of
from benchd.cli.messages import tell
from benchd.cli.sign_in import OperatorOption, as_person
from benchd.domain.errors import DependencyMissing

if TYPE_CHECKING:
    from benchd.cli.client import BenchdClient

DRAIN_LOOK_EVERY_S = 1.0
LEASE_S: Final = 60.0
"""How long jobs wait for a command that died while it waited for others to end."""
QUIET_S: Final = 600.0
"""How long nothing begins once nothing runs: for what the pause was asked for."""


def drain(
    wait: Annotated[bool, typer.Option(help="Wait until the daemon has ended.")] = True,
    operator: OperatorOption = None,
) -> None:
    """Finish the running jobs, begin no new ones, then end the daemon."""
    with daemon_client() as client:
        told = as_person(client, client.drain, operator=operator)
        tell("say.draining", count=str(told["running_jobs"]))
        try:
            while wait:
                time.sleep(DRAIN_LOOK_EVERY_S)
                now = client.draining()
                if now != told:
                    tell("say.still_running", count=str(now["running_jobs"]))
                told = now
        except DependencyMissing:
            tell("say.ended")


def pause(
    within: Annotated[
        str, typer.Option(metavar="TIME", help="How long jobs may take to end: 90s, 30m or 2h.")
    ] = "30m",
    over: Annotated[bool, typer.Option("--over", help="End a pause: jobs begin again.")] = False,
    operator: OperatorOption = None,
) -> None:
    """Begin no new job until those that run have ended, and for ten minutes more.

    Exits with 1, and jobs begin again, if those that run haven't ended in time.
    """
    with daemon_client() as client:
        if over:
            as_person(client, lambda: client.pause(0), operator=operator)
            tell("say.pause_over")
            return
        if not as_person(client, lambda: is_quiet(client, seconds_of(within)), operator=operator):
            told = client.draining()
            tell("say.pause_too_long", count=str(told["running_jobs"]), value=within)
            raise typer.Exit(1)


def is_quiet(client: BenchdClient, within_s: float) -> bool:
    """Keep the pause up until nothing runs, or end it when the time is over."""
    deadline = time.monotonic() + within_s
    running = None
    while (told := client.pause(LEASE_S))["running_jobs"]:
        if told["running_jobs"] != running:
            running = told["running_jobs"]
            tell("say.still_running", count=str(running))
        if time.monotonic() >= deadline:
            client.pause(0)
            return False
        time.sleep(DRAIN_LOOK_EVERY_S)
    client.pause(QUIET_S)
    tell("say.paused")
    return True
