"""The state of a slot as one number, and what each number is called and coloured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.domain.slot_states import SlotState
from benchd.lab.dashboards.sheet import Shown, Words, of
from benchd.texts.catalogue import Catalogue

_COLOURS: Final[Mapping[SlotState, str]] = {
    SlotState.EMPTY: "#44475a",
    SlotState.SETTLING: "#8ab8ff",
    SlotState.WAITING: "#ff9830",
    SlotState.RUNNING: "#3274d9",
    SlotState.AWAITING_OPERATOR: "#fade2a",
    SlotState.REPLUGGING: "#a352cc",
    SlotState.FINISHED: "#56a64b",
    SlotState.QUARANTINED: "#e02f44",
}


def state_numbers() -> str:
    """Each slot's state by its place in `SlotState`: a timeline takes one value per row."""
    named = ((number, f'state="{state}"') for number, state in enumerate(SlotState))
    terms = " or ".join(f"{number} * {of('benchd_slot_state', state)}" for number, state in named)
    return f"sum by (site, rack, slot) ({terms})"


def shown_states() -> Mapping[int, Shown]:
    """In the wall's own words."""
    texts = Catalogue.load()
    told = {state: texts.slot_state(state) for state in SlotState}
    return {
        number: Shown(Words(told[state].ja, told[state].en), _COLOURS[state])
        for number, state in enumerate(SlotState)
    }
