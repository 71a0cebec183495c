"""`benchd grade …`: which grades there are, and what somebody says of a handset."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from benchd.cli.intake_output import print_rows
from benchd.cli.messages import tell
from benchd.cli.misuse import mistake
from benchd.cli.options import JsonOption
from benchd.cli.sign_in import (
    BadgeFileOption,
    OperatorOption,
    PinFileOption,
    as_person,
)

grade_app = typer.Typer(
    help="Grades: how handsets look and work, beside their certificates.", no_args_is_help=True
)
GRADES = ("code", "ja", "en")


@grade_app.command("list")
def grade_list(json_output: JsonOption = False) -> None:
    """Name the grades that may be given, the best first."""
    from benchd.cli.client import socket_path
    from benchd.cli.intake_client import IntakeClient

    with IntakeClient(socket_path(os.environ)) as client:
        found = client.grades()
    print_rows(found, json_output, found["grades"], GRADES)


@grade_app.command("set")
def grade_set(
    grade: Annotated[str, typer.Argument(help="A code of the list: `grade list` names them.")],
    tag: Annotated[str | None, typer.Option(help="The asset's tag.")] = None,
    job: Annotated[str | None, typer.Option(help="The job whose handset it is.")] = None,
    operator: OperatorOption = None,
    note: Annotated[str, typer.Option(help="Anything to remember with it.")] = "",
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Say how a handset looks and works; it counts in place of what was said before."""
    from benchd.cli.client import socket_path
    from benchd.cli.intake_client import IntakeClient

    if (tag is None) == (job is None):
        raise mistake("say.tag_or_job")
    told = {"grade": grade, "note": note, "operator": operator}
    with IntakeClient(socket_path(os.environ)) as client:
        given = as_person(
            client,
            lambda: (
                client.grade_asset(tag, told)
                if tag is not None
                else client.grade_job(job or "", told)
            ),
            operator=operator,
            pin_file=pin_file,
            badge_file=badge_file,
        )
    tell("say.graded", name=str(tag or job), value=str(given["code"]))
