"""`benchd decide`: the answer to an open question, given with the command or asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from benchd.cli.daemon_client import daemon_client
from benchd.cli.messages import catalogue, error_of, say, tell
from benchd.cli.sign_in import (
    BadgeFileOption,
    OperatorOption,
    PinFileOption,
    as_person,
)
from benchd.domain.errors import NotFound, NotSignedIn, UsageRefused
from benchd.domain.job import Gate
from benchd.domain.plain_text import printable
from benchd.texts.catalogue import Texts

if TYPE_CHECKING:
    from benchd.cli.client import BenchdClient
    from benchd.domain.ids import JsonObject

NOTE_HELP = (
    "Anything to remember with it. A yes at the gate network begins with the sign that was"
    " looked up: ○ (or o), △ or -."
)
NOTE_ASKED: Final = {
    Gate.NETWORK: "say.sign_asked",
    Gate.IMEI: "say.number_asked",
    Gate.SERIAL: "say.number_asked",
    Gate.RECHECK: "say.number_asked",
}
"""What a yes at these gates can't do without."""
YES: Final = ("y", "yes", "はい")
NO: Final = ("n", "no", "いいえ")


def decide(
    job_id: Annotated[str, typer.Argument(help="The job that waits, as `benchd status` names it.")],
    gate: Annotated[str, typer.Argument(help="The question's code, as `benchd status` names it.")],
    approve: Annotated[
        bool | None, typer.Option("--approve/--reject", help="Yes or no; else it is asked.")
    ] = None,
    operator: OperatorOption = None,
    note: Annotated[str | None, typer.Option(help=NOTE_HELP)] = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Answer a question that a job is waiting with."""
    from benchd.cli.tables import print_view
    from benchd.cli.tables.queue_table import question_view

    asked = approve is None
    asking: int | None = None
    with daemon_client() as client:
        if approve is None:
            # Whoever pasted this has seen a question: the answer is to the one that is open now,
            # and to no other that comes while it is thought about.
            slot = _open_question(client, job_id, gate)
            print_view(question_view, slot)
            asking = _asking(slot)
            approve = _yes_or_no()
            note = _asked_note(gate) if note is None else note

        def answer(who: str | None) -> JsonObject:
            return as_person(
                client,
                lambda: client.decide(
                    job_id,
                    gate,
                    approved=approve is True,
                    operator=who,
                    note=note or "",
                    asking=asking,
                ),
                operator=who,
                pin_file=pin_file,
                badge_file=badge_file,
            )

        try:
            try:
                told = answer(operator)
            except NotSignedIn:
                # Whose user the daemon knows isn't asked.
                if operator is not None or not asked:
                    raise
                told = answer(_typed(say("say.your_id")).strip())
        except NotFound as error:
            raise _closed(job_id, gate) from error
    tell(
        "say.answered",
        job=job_id,
        gate=_title(gate),
        answer=catalogue().text("word.yes" if approve else "word.no"),
        name=str(told["operator"]),
    )


def _open_question(client: BenchdClient, job: str, gate: str) -> JsonObject:
    """The slot whose question that is; NotFound where it is open no more."""
    slots = client.slots()["slots"]
    for slot in slots if isinstance(slots, list) else []:
        if isinstance(slot, dict) and slot.get("job") == job:
            question = slot.get("question")
            if isinstance(question, dict) and question.get("gate") == gate:
                return slot
    raise _closed(job, gate)


def _asking(slot: JsonObject) -> int | None:
    question = slot.get("question")
    asking = question.get("asking") if isinstance(question, dict) else None
    return asking if isinstance(asking, int) else None


def _closed(job: str, gate: str) -> NotFound:
    return error_of(NotFound, "say.no_open_question", job=job, gate=_title(gate))


def _yes_or_no() -> bool:
    while True:
        answer = _typed(say("say.yes_or_no")).strip().casefold()
        if answer in YES:
            return True
        if answer in NO:
            return False


def _asked_note(gate: str) -> str:
    word = NOTE_ASKED.get(Gate(gate), "say.note_asked")
    return _typed(say(word), default="").strip()


def _typed(question: str, default: str | None = None) -> str:
    """What somebody types; where nobody can, nothing is decided."""
    try:
        typed: str = typer.prompt(question, default=default, show_default=False)
    except typer.Abort as abort:
        raise error_of(UsageRefused, "say.yes_or_no_first") from abort
    return typed


def _title(gate: str) -> Texts:
    """The gate's name; in English its code, which is what commands take."""
    known = gate in list(Gate)
    shown = printable(gate) or "?"
    ja = catalogue().gate(Gate(gate)).ja if known else shown
    return Texts(ja=ja, en=shown)
