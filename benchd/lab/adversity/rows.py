"""The rules about people and papers that err, by row, and which rows the core still breaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ALL: Final = frozenset(range(1, 16)) - {13}
"""Rows 1 to 12 of "one handset, one story"; 14: papers are spent; 15: value is destroyed on proof.
What is left on a handset, row 13, is nothing that this machine has."""
OPEN: Final = frozenset({12})
"""Of these something is left: what isn't held yet stands in `stories.OPEN_STORIES` and is drawn
only if it's asked for, and rules of theirs alone are judged only there. Whoever mends a row takes
it out, moves its stories to `STORIES` and its schedules from `schedules/open` to `schedules`.

Of row 12 what its certificate names is left: one person's false first reading, and the very handset
of that number put in at the last reset, where no chip is tied and no machine knows its number."""
CLOSED: Final = ALL - OPEN

OWN_NUMBER: Final = "what was read of it is its own"
LET_IN: Final = "what is doomed is sold only if it was let in"
LOOKED_AT: Final = "nobody's word goes over a reader's look"
FILLED: Final = "little is free after the fill"
CURRENT: Final = "what is cited is as young as it may be"
NOTHING_NEW: Final = "nothing that forbids a sale came in meanwhile"
NO_SIM: Final = "no SIM is left in it"
NOT_WANTED: Final = "what is looked for isn't sold"
OWN_CODES: Final = "an honest scan costs no erasure"
ONE_NUMBER: Final = "a number is one handset's"
LISTED: Final = "what is attested of a lot covers what it listed"
SPENT: Final = "papers are spent by their certificate"
PROVEN_DOOM: Final = "value is destroyed only on proof"
OWN_ITEM: Final = "what is held is closed by its own later job"
ONE_HANDSET: Final = "a handset has one number, unless somebody in charge says so"
ONE_STAY: Final = "one certificate for each stay"
ERASED: Final = "sellable means erased"
UNUSED: Final = "sellable means an unused chip"
OWN_CHIP: Final = "a tied chip is its handset's own"
CITED: Final = "what is cited was stated of it"
RECHECKED: Final = "what was drawn is sold by its recheck alone"
HONEST: Final = "an honest handset ends sellable"

ROW_OF: Final[Mapping[str, int]] = {
    OWN_NUMBER: 1,
    OWN_ITEM: 1,
    LET_IN: 2,
    LOOKED_AT: 3,
    FILLED: 4,
    CURRENT: 6,
    NOTHING_NEW: 7,
    NO_SIM: 8,
    NOT_WANTED: 9,
    OWN_CODES: 9,
    ONE_NUMBER: 11,
    ONE_HANDSET: 11,
    LISTED: 10,
    SPENT: 14,
    PROVEN_DOOM: 15,
}
"""To which row a rule belongs; those that aren't here always hold."""
SHOWN_BY: Final[Mapping[int, tuple[str, ...]]] = {
    1: (OWN_NUMBER, OWN_ITEM, CITED),
    2: (LET_IN,),
    3: (LOOKED_AT, UNUSED),
    4: (FILLED,),
    5: (OWN_CHIP,),
    6: (CURRENT,),
    7: (NOTHING_NEW, ERASED),
    8: (NO_SIM,),
    9: (NOT_WANTED, RECHECKED, OWN_CODES),
    10: (LISTED,),
    11: (ONE_NUMBER, ONE_HANDSET),
    12: (ERASED,),
    14: (SPENT, CITED),
    15: (PROVEN_DOOM,),
}
"""What shows that a row is broken, where a schedule was drawn for it."""
