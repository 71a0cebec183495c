"""`benchd grade …`: which grades there are, and what somebody says of a handset."""

from __future__ import annotations

from typing import Annotated

import typer

from benchd.cli.daemon_client import intake_client
from benchd.cli.intake_output import print_rows
from benchd.cli.messages import tell
from benchd.cli.misuse import mistake
from benchd.cli.options import JsonOption
from benchd.cli.sign_in import (
    BadgeFileOption,
    OperatorOption,
    PinFileOption,
    as_intake_person,
)

grade_app = typer.Typer(
    help="Grades: how handsets look and work, beside their certificates.", no_args_is_help=True
)
GRADES = ("code", "ja", "en")


@grade_app.command("list")
def grade_list(json_output: JsonOption = False) -> None:
    """Name the grades that may be given, the best first."""
    with intake_client() as client:
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
    if (tag is None) == (job is None):
        raise mistake("say.tag_or_job")
    told = {"grade": grade, "note": note, "operator": operator}
    given = as_intake_person(
        operator,
        pin_file,
        badge_file,
        lambda client: (
            client.grade_asset(tag, told) if tag is not None else client.grade_job(job or "", told)
        ),
    )
    tell("say.graded", name=str(tag or job), value=str(given["code"]))
