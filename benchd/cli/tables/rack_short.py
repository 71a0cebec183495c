"""Every slot in a few characters, side by side: what fits below the queue on a small terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchd.cli.tables.table_cells import Cells, part, seconds, text
from benchd.domain.ids import JsonObject
from benchd.domain.slot_states import NEEDS_A_PERSON, SlotState

LONGEST_SLOT = 8
GAP = 2


def rack_short(
    slots: list[JsonObject], cells: Cells, *, width: int, height: int | None
) -> RenderableType:
    """All slots in so many lines: with stage and time if there is room, else only how far."""
    for shown in ([_whole(slot, cells) for slot in slots], _briefly(slots, cells)):
        if height is None or _rows(shown, width) <= height:
            return _grid(shown, _columns(shown, width))
    # An empty slot is what may be left out first.
    used = _briefly([slot for slot in slots if slot.get("state") != SlotState.EMPTY], cells)
    columns = _columns(used, width)
    if _rows(used, width) <= height:
        return _grid(used, columns)
    room = columns * max(height - 1, 0)
    more = cells.say("say.more_slots", count=str(len(used) - room))
    return Group(_grid(used[:room], columns), Text(more, style="dim"))


def fewest_lines(slots: list[JsonObject], cells: Cells, width: int) -> int:
    """How many lines all slots need at least."""
    return _rows(_briefly(slots, cells), width)


def _whole(slot: JsonObject, cells: Cells) -> Text:
    told = _name(slot).append_text(_state(slot, cells))
    if slot.get("state") == SlotState.RUNNING:
        told.append(" ").append_text(_left(slot))
    return told


def _briefly(slots: list[JsonObject], cells: Cells) -> list[Text]:
    return [_brief(slot, cells) for slot in slots]


def _brief(slot: JsonObject, cells: Cells) -> Text:
    told = _name(slot)
    if slot.get("state") == SlotState.FINISHED:
        return told.append_text(_state(slot, cells))
    if waits_for_a_person(slot):
        return told.append("!", style="bold yellow")
    return told.append(_percent(slot) or "…", style="cyan")


def waits_for_a_person(slot: JsonObject) -> bool:
    """Whether its line in the queue says more."""
    if slot.get("state") == SlotState.REPLUGGING:
        return part(slot, "absence").get("planned") is False
    return slot.get("state") in NEEDS_A_PERSON and slot.get("mends_itself") is not True


def _name(slot: JsonObject) -> Text:
    return Text.assemble((text(slot, "slot", longest=LONGEST_SLOT).plain, "bold"), " ")


def _state(slot: JsonObject, cells: Cells) -> Text:
    """The stage of what runs, where the handset goes, or the slot's state."""
    if slot.get("state") == SlotState.RUNNING and slot.get("stage") is not None:
        return Text.assemble(cells.stage(slot), " ", (_percent(slot), "cyan"))
    if slot.get("state") == SlotState.FINISHED and slot.get("disposition") is not None:
        return cells.disposition(slot)
    return cells.state(slot)


def _percent(slot: JsonObject) -> str:
    value = slot.get("progress")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{int(min(max(float(value), 0.0), 1.0) * 100)}%"


def _left(slot: JsonObject) -> Text:
    """Until the handset is done, else until its stage is."""
    left = slot.get("handset_left_s")
    told = seconds(slot.get("eta_s") if left is None else left)
    return told if told.plain != "-" else Text()


def _columns(shown: list[Text], width: int) -> int:
    widest = max((cell.cell_len for cell in shown), default=1)
    return max((width + GAP) // (widest + GAP), 1)


def _rows(shown: list[Text], width: int) -> int:
    return -(-len(shown) // _columns(shown, width))


def _grid(shown: list[Text], columns: int) -> Table:
    """Filled column by column, as a rack is walked."""
    rows = -(-len(shown) // columns)
    table = Table.grid(padding=(0, GAP, 0, 0))
    for _ in range(columns):
        table.add_column(no_wrap=True)
    for row in range(rows):
        table.add_row(*shown[row::rows])
    return table
