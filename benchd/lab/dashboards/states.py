"""The state of a slot as one number, and what each number is called and coloured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.domain.job import Disposition
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
    # Of which benchd doesn't say where its handset goes.
    SlotState.FINISHED: "#9fa7b3",
    SlotState.QUARANTINED: "#e02f44",
}


_ENDS: Final = {10 * place: one for place, one in enumerate(Disposition, start=1)}
"""What each adds to the number of a slot that has finished."""
_END_COLOURS: Final[Mapping[Disposition, str]] = {
    Disposition.SELLABLE: "#56a64b",
    Disposition.RETURN: "#2aa198",
    Disposition.HOLD: "#b5835a",
    Disposition.DESTROY: "#8c2f39",
}
"""Green is what may be sold, and nothing else."""


def state_numbers() -> str:
    """Each slot's state by its place in `SlotState`: a timeline takes one value per row."""
    named = ((number, f'state="{state}"') for number, state in enumerate(SlotState))
    terms = [f"{number} * {of('benchd_slot_state', state)}" for number, state in named]
    # What has ended says with a second number where its handset goes.
    terms += [
        f"{number} * " + of("benchd_slot_disposition", f'disposition="{one}"')
        for number, one in _ENDS.items()
    ]
    return f"sum by (site, rack, slot) ({' or '.join(terms)})"


def shown_states() -> Mapping[int, Shown]:
    """In the wall's own words."""
    texts = Catalogue.load()
    told = {state: texts.slot_state(state) for state in SlotState}
    shown = {
        number: Shown(Words(told[state].ja, told[state].en), _COLOURS[state])
        for number, state in enumerate(SlotState)
    }
    finished = list(SlotState).index(SlotState.FINISHED)
    ended = told[SlotState.FINISHED]
    for number, one in _ENDS.items():
        goes = texts.disposition(one)
        words = Words(f"{ended.ja}・{goes.ja}", f"{ended.en}, {goes.en}")
        shown[finished + number] = Shown(words, _END_COLOURS[one])
    return shown
