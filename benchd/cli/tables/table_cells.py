"""From the API's JSON to single cells: bounded, printable, in one language.

Everything is made of `rich.text.Text`, never of markup, and every string from outside goes
through `printable` first: a handset can't colour, move or clear the operator's screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from benchd.domain.ids import JsonObject, JsonValue
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.plain_text import Language, printable
from benchd.domain.slot_states import SlotState
from benchd.texts.catalogue import Catalogue

BAR_CELLS = 8
LONGEST_SENTENCE = 400
LONGEST_ETA_S = 100 * 3600

STATE_STYLE: Mapping[str, str] = {
    SlotState.EMPTY: "dim",
    SlotState.WAITING: "bold yellow",
    SlotState.RUNNING: "cyan",
    SlotState.AWAITING_OPERATOR: "bold magenta",
    SlotState.REPLUGGING: "cyan",
    SlotState.QUARANTINED: "bold red",
}
DISPOSITION_STYLE: Mapping[str, str] = {
    Disposition.SELLABLE: "bold green",
    Disposition.RETURN: "bold cyan",
    Disposition.HOLD: "bold yellow",
    Disposition.DESTROY: "bold red",
}
OUTCOME_STYLE: Mapping[str, str] = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.SKIPPED: "dim",
}


def nothing() -> Text:
    """What stands where nothing is known."""
    return Text("-", style="dim")


def text(of: JsonObject, *path: str, longest: int = 80) -> Text:
    """The string at this path, else a dash."""
    value: JsonValue = of
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    told = printable(value, longest) if isinstance(value, str) else ""
    return Text(told) if told else nothing()


def part(of: JsonObject, key: str) -> JsonObject:
    """The object under this key; empty where there is none."""
    value = of.get(key)
    return value if isinstance(value, Mapping) else {}


def parts(of: JsonObject, key: str) -> list[JsonObject]:
    """The objects of the list under this key."""
    value = of.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def handset(of: JsonObject, *, longest: int = 80, between: str = " ") -> Text:
    """Model and serial: what an operator compares with the handset in hand."""
    identity = part(of, "handset")
    if not identity:
        return nothing()
    model = text(identity, "model", longest=longest)
    serial = text(identity, "serial", longest=longest).plain
    return Text.assemble(model, between, (serial, "dim"))


def progress(of: JsonObject) -> Text:
    """A bar and its percentage; never 100 % before it's all done."""
    value = of.get("progress")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return nothing()
    share = min(max(float(value), 0.0), 1.0)
    done = int(share * BAR_CELLS)
    # Plain ASCII: terminals don't agree on how wide a block character is beside Japanese.
    return Text.assemble(("#" * done, "cyan"), "." * (BAR_CELLS - done), f" {int(share * 100):3d}%")


def seconds(value: JsonValue) -> Text:
    """A length of time as 3:12 or 1:02:45."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return nothing()
    if not 0 <= value < LONGEST_ETA_S:
        return nothing()
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return Text(f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}")


def moment(of: JsonObject, key: str, *, with_zone: bool = False) -> Text:
    """Day and time where the operator is; in a column whose heading doesn't say so, with its zone.

    A time of the other half of a year with summer time says its own zone everywhere.
    """
    at = instant(of, key)
    if at is None:
        return nothing()
    local = at.astimezone()
    told = f"{local:%m-%d %H:%M}"
    return Text(f"{told} {local:%:z}" if with_zone or f"{local:%:z}" != zone() else told)


def zone() -> str:
    """How far the clock where the operator is is ahead of UTC now, as +09:00."""
    return f"{datetime.now().astimezone():%:z}"


def duration(of: JsonObject, begin: str, end: str) -> Text:
    """How long something took."""
    began, ended = instant(of, begin), instant(of, end)
    return nothing() if began is None or ended is None else seconds((ended - began).total_seconds())


def instant(of: JsonObject, key: str) -> datetime | None:
    """The time at this key; None where it is none, or has no zone."""
    value = of.get(key)
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    # Without a zone it can't be compared with others.
    return at if at is not None and at.utcoffset() is not None else None


def plain_table() -> Table:
    """A table with no lines but the one under its head."""
    return Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
        padding=(0, 1),
        header_style="bold",
    )


class Cells:
    """The cells that need words."""

    def __init__(self, catalogue: Catalogue, language: Language) -> None:
        self._catalogue = catalogue
        self.language: Language = language

    def say(self, key: str, **facts: str) -> str:
        """A heading, a short answer, or a sentence with what it is about."""
        return self._catalogue.text(key, facts).to(self.language)

    def times(self, key: str, between: str = " ") -> str:
        """The heading of a column of times: it says their zone, once for all of them."""
        return between.join((self.say(key), zone()))

    def says(self, guidance: JsonObject) -> Text:
        """What is the matter."""
        return text(guidance, self.language, longest=LONGEST_SENTENCE)

    def cause(self, of: JsonObject) -> Text:
        """Why exactly, in words; else what benchd has put on record, called technical."""
        if told := part(of, "detail_text"):
            return self.says(told)
        technical = self.say("page.technical")
        return Text(f"{technical}: ") + text(of, "detail", longest=LONGEST_SENTENCE)

    def what_to_do(self, guidance: JsonObject) -> list[Text]:
        """What to do about it, line by line: some lines are there to be copied."""
        told = part(guidance, "what_to_do").get(self.language)
        lines = told.splitlines() if isinstance(told, str) else []
        return [Text(printable(line, LONGEST_SENTENCE)) for line in lines]

    def state(self, slot: JsonObject) -> Text:
        """What a slot is doing; what needs nobody doesn't look as if it did."""
        if part(slot, "absence").get("planned") is True:
            return Text(self.say("say.restarting"), style="cyan")
        if slot.get("mends_itself") is True:
            return Text(self.say("say.mends_itself"), style="cyan")
        style = {
            **STATE_STYLE,
            SlotState.FINISHED: DISPOSITION_STYLE.get(str(slot.get("disposition")), ""),
        }
        return self._named("slot_state", slot, "state", style)

    def stage(self, of: JsonObject) -> Text:
        """The name of a stage."""
        return self._named("stage", of, "stage", {})

    def handset(self, of: JsonObject, *, longest: int = 80) -> Text:
        """The same as `handset`, and below it that nobody has told of its model."""
        shown = handset(of, longest=longest)
        if part(of, "handset").get("known_model") is not False:
            return shown
        # On a line of its own: beside it, the column would take the room of the reasons.
        return Text.assemble(shown, "\n", (self.say("word.unknown_model"), "yellow"))

    def gate(self, of: JsonObject) -> Text:
        """The name of a gate."""
        return self._named("gate", of, "gate", {})

    def disposal_state(self, of: JsonObject) -> Text:
        """Where a handset waits, or what has become of it; a dash where it's sold or runs."""
        if of.get("state") is None:
            return nothing()
        return self._named("disposal_state", of, "state", {})

    def outcome(self, of: JsonObject) -> Text:
        """How it ended."""
        return self._named("outcome", of, "outcome", OUTCOME_STYLE)

    def disposition(self, of: JsonObject) -> Text:
        """Where the handset goes."""
        return self._named("disposition", of, "disposition", DISPOSITION_STYLE)

    def reason(self, of: JsonObject) -> Text:
        """Why it goes there."""
        told = part(of, "reason_text")
        return self.says(told) if told else text(of, "reason")

    def result(self, of: JsonObject) -> Text:
        """Where the handset goes and why, once that is decided."""
        if of.get("disposition") is None:
            return nothing()
        goes = self.disposition(of)
        if of.get("reason") is None:
            return goes
        return Text.assemble(goes, ": ", self.reason(of), self._owners(of))

    def because(self, stage: JsonObject) -> Text:
        """Why an attempt was skipped or ended early, and whose services it found in the chip."""
        section = "reason" if stage.get("because") in list(Reason) else "because"
        return Text.assemble(self._named(section, stage, "because", {}), self._owners(stage))

    def dossier(self, of: JsonObject) -> list[Text]:
        """That a dossier of the handset is kept, and which; nothing where there is none."""
        name = of.get("dossier")
        return (
            [Text(f"{self.say('word.dossier')}: {printable(name)}")]
            if isinstance(name, str)
            else []
        )

    def _owners(self, of: JsonObject) -> str:
        """Whose services are in the chip, as ` (Suica, WAON)`; empty where none are known."""
        owners = part(of, "owners")
        return f" ({self.says(owners).plain})" if owners else ""

    def _named(self, section: str, of: JsonObject, key: str, style: Mapping[str, str]) -> Text:
        """The name of a value; one that only a newer benchd knows is shown as it is."""
        value = str(of.get(key))
        name = self._catalogue.section(section).get(value)
        if name is None:
            return text(of, key)
        return Text(name.to(self.language), style=style.get(value, ""))
