"""What may go wrong on a rack where nobody lies: each story, and the row that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from benchd.domain.job import Gate
from benchd.lab.adversity.drawn_hands import AWAY
from benchd.lab.adversity.kinds import (
    ChipState,
    Doom,
    Kind,
    Lie,
    Lot,
    Numbers,
    Owner,
    Radio,
    Scan,
    Thing,
)
from benchd.lab.adversity.schedule import BayPlan, Blow, HandsetPlan, Schedule, Visit
from benchd.lab.adversity.story_parts import (
    ASKED,
    CONFIRM,
    UNTOLD,
    Draw,
    altered,
    scan,
    struck,
    two,
)

_IN_MID_JOB: Final = (
    *("fill", "fill_step", "check", "drop", "drop_tail", "stage_ended:overwrite"),
    *("stage_ended:read_back", "stage_started:felica_clear", "stage_started:felica_recheck"),
)
_WHILE_LATE: Final = (1.0, 4.0, 10.0, 20.0)
_OLD_DAYS: Final = 400.0

Story = Callable[[Draw, Schedule], Schedule]


def nothing_wrong(chance: Draw, schedule: Schedule) -> Schedule:
    """Whatever comes, comes by itself; some come again, and some with another board."""
    visits = [
        Visit(
            handset=chance.choice(schedule.bays).slot,
            into=chance.choice(schedule.bays).slot,
            after_days=chance.choice((0.0, 1.0, 250.0)),
            lot=chance.choice((Lot.NEW, Lot.SAME)) if schedule.lot else Lot.SAME,
            board=chance.random() < 0.3,
        )
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2)))
    ]
    return replace(schedule, visits=tuple(visits))


def _neighbour(chance: Draw, schedule: Schedule) -> Schedule:
    """The neighbour's number is scanned once."""
    bay = chance.choice(schedule.bays)
    what = chance.choice((Scan.NEIGHBOUR, Scan.NEIGHBOUR, Scan.VISITOR, Scan.PLAIN_LABEL))
    point, nth = chance.choice(((ASKED, 1), (ASKED, 1), (ASKED, 2), (CONFIRM, 1)))
    silences = chance.choice((Radio.SILENCES, Radio.SILENCES, bay.handset.radio))
    owner = chance.choice((Owner.RESET, bay.handset.owner))
    restricted = chance.choice((0, 0, 0, 1))
    typed = {**UNTOLD, "radio": silences, "owner": owner, "restricted": restricted}
    told = altered(schedule, bay, typed, reader=chance.random() < 0.8)
    told = struck(told, scan(bay, what, point=point, nth=nth))
    return replace(told, lot=chance.random() < 0.8)


def _held_neighbour(chance: Draw, schedule: Schedule) -> Schedule:
    """The neighbour is held, and its number is scanned for one that comes again."""
    schedule = two(chance, schedule)
    one, other = schedule.bays[:2]
    schedule = altered(schedule, one, {**UNTOLD, "radio": Radio.SILENCES}, reader=True)
    held = Blow(slot=other.slot, point=CONFIRM, nth=1, kind=Kind.WRONG_ANSWER)
    visit = Visit(handset=one.slot, into=one.slot, scan=Scan.NEIGHBOUR)
    return replace(struck(schedule, held), visits=(visit,))


def _wrong_label(chance: Draw, schedule: Schedule) -> Schedule:
    bay = chance.choice(schedule.bays)
    blow = Blow(slot=bay.slot, point="job_opened", nth=1, kind=Kind.WRONG_LABEL)
    return replace(struck(altered(schedule, bay, UNTOLD), blow), lot=True)


def _doomed_again(chance: Draw, schedule: Schedule) -> Schedule:
    """What is to be destroyed is plugged in once more, perhaps under another number."""
    bay, into = chance.choice(schedule.bays), chance.choice(schedule.bays)
    cause = chance.choice(({"signs": 2}, {"faulty": True}))
    identity = chance.choice(({"dual": True}, {"telephony": False, "dual": False}, {}))
    number = chance.choice((UNTOLD, {"tells_imei": True, "tells_second": False}))
    # Many have its serial: then nothing but its numbers tells which handset was doomed.
    serial = {"filler": chance.random() < 0.6}
    schedule = altered(schedule, bay, {**cause, **identity, **number, **serial})
    changed: Mapping[str, Any] = chance.choice(
        (
            {"scan": Scan.OTHER_CODE},
            {"tells": Numbers.SECOND},
            {"tells": Numbers.NONE, "scan": Scan.OTHER_CODE},
            {"rewritten": True},
            {},
        )
    )
    visit = Visit(handset=bay.slot, into=into.slot, after_days=chance.choice((0.0, 3.0)), **changed)
    return replace(schedule, visits=(visit,))


def _settled_again(chance: Draw, schedule: Schedule) -> Schedule:
    """Somebody sends a held handset, or a line of a lot, to be destroyed; it comes again."""
    bay, into = chance.choice(schedule.bays), chance.choice(schedule.bays)
    doom = chance.choice(list(Doom))
    number: Mapping[str, Any] = chance.choice(({"dual": True}, {"telephony": False, "dual": False}))
    schedule = altered(schedule, bay, {**number, **UNTOLD}, labelled=False)
    held = Blow(slot=bay.slot, point=CONFIRM, nth=1, kind=Kind.WRONG_ANSWER)
    visit = Visit(handset=bay.slot, into=into.slot, doom=doom, scan=Scan.OTHER_CODE)
    return replace(struck(schedule, held), lot=doom is Doom.DEAD_ASSET, visits=(visit,))


def _word_over_reader(chance: Draw, schedule: Schedule) -> Schedule:
    """A reader saw the chip in use; in a slot without one somebody says what they like."""
    schedule = two(chance, schedule)
    one, other = schedule.bays[:2]
    schedule = altered(schedule, one, {"chip": ChipState.IN_USE}, reader=True)
    schedule = altered(schedule, other, {}, reader=False)
    held = Blow(slot=one.slot, point=f"asked:{Gate.CONSENT}", nth=1, kind=Kind.WRONG_ANSWER)
    wrong = chance.choice(((Gate.FELICA_CHECK, Gate.FELICA_RECHECK), (Gate.FELICA_CHECK,), ()))
    visit = Visit(handset=one.slot, into=other.slot, wrong=tuple(wrong))
    return replace(struck(schedule, held), lot=False, visits=(visit,))


def _quota(chance: Draw, schedule: Schedule) -> Schedule:
    bay = chance.choice(schedule.bays)
    return altered(schedule, bay, {"quota_extents": chance.randint(4, 8)}, coverage=0.8)


def _exchanged_readers(chance: Draw, schedule: Schedule) -> Schedule:
    """Both handsets are at the same step at the same time, as where one person fills a rack."""
    schedule = two(chance, schedule)
    owner = chance.choice((Owner.RESET, Owner.APPS))
    same = {"radio": Radio.SILENCES, "chip": ChipState.UNUSED, "owner": owner}
    for bay in schedule.bays:
        schedule = altered(schedule, bay, same, reader=True)
    return replace(schedule, exchanged=True)


def _clock_behind(chance: Draw, schedule: Schedule) -> Schedule:
    for bay in schedule.bays:
        schedule = altered(schedule, bay, {}, looked_up_days=_OLD_DAYS)
    return replace(schedule, lot=True, behind_days=_OLD_DAYS - chance.uniform(0.5, 6.0))


def _appears(chance: Draw, schedule: Schedule) -> Schedule:
    bay, point = chance.choice(schedule.bays), chance.choice(_IN_MID_JOB)
    thing = chance.choice([each for each in Thing if each is not Thing.SIM])
    return struck(schedule, Blow(slot=bay.slot, point=point, nth=1, kind=Kind.APPEARS, what=thing))


def _sim_left(chance: Draw, schedule: Schedule) -> Schedule:
    """Its owner's is in it, or somebody tries one in mid-job."""
    bay, point = chance.choice(schedule.bays), chance.choice(_IN_MID_JOB)
    if chance.random() < 0.5:
        return altered(schedule, bay, {"sim": True})
    blow = Blow(slot=bay.slot, point=point, nth=1, kind=Kind.APPEARS, what=Thing.SIM)
    return struck(schedule, blow)


def _other_number_listed(chance: Draw, schedule: Schedule) -> Schedule:
    """A list has one of its numbers, and the other one is known here."""
    bay = chance.choice(schedule.bays)
    tells = chance.choice((UNTOLD, {"tells_imei": True, "tells_second": False}))
    which = chance.choice(({"listed": 2}, {"restricted": 2}))
    return altered(schedule, bay, {"dual": True, **tells, **which}, labelled=False)


def _other_code(chance: Draw, schedule: Schedule) -> Schedule:
    """An honest person scans the second of two bar codes."""
    bay = chance.choice(schedule.bays)
    tells = chance.choice((UNTOLD, {"tells_imei": False, "tells_second": True}))
    schedule = replace(altered(schedule, bay, {"dual": True, **tells}), blows=())
    nth = chance.choice((1, 2, 3))
    return struck(schedule, scan(bay, Scan.OTHER_CODE, nth=nth))


def _drawn_again(chance: Draw, schedule: Schedule) -> Schedule:
    """A drawn handset is run under its other number, in a slot that draws none."""
    schedule = two(chance, schedule)
    one, other = schedule.bays[:2]
    drawn = {"dual": True, **UNTOLD, "filler": chance.random() < 0.5}
    schedule = altered(schedule, one, drawn, recheck_share=1.0)
    schedule = altered(schedule, other, {}, reader=False)
    tells = chance.choice((None, Numbers.SECOND))
    visit = Visit(handset=one.slot, into=other.slot, scan=Scan.OTHER_CODE, tells=tells)
    return replace(schedule, visits=(visit,))


def _imported_late(chance: Draw, schedule: Schedule) -> Schedule:
    bay = chance.choice(schedule.bays)
    late = chance.choice(_WHILE_LATE)
    return replace(altered(schedule, bay, {"chip": ChipState.IN_USE}, late_s=late), lot=True)


def _clone(chance: Draw, schedule: Schedule) -> Schedule:
    """Two handsets that aren't alike show one number."""
    schedule = two(chance, schedule)
    one, other = schedule.bays[:2]
    schedule = altered(schedule, one, {})
    tells = chance.choice((UNTOLD, {"tells_imei": True}))
    return altered(schedule, other, {"clone": True, **tells}, twin_of_first=False)


def _rewritten(chance: Draw, schedule: Schedule) -> Schedule:
    """Another IMEI is written into a handset that was sold, and it comes again."""
    bay, into = chance.choice(schedule.bays), chance.choice(schedule.bays)
    tells = chance.choice((UNTOLD, {"tells_imei": True}))
    schedule = altered(schedule, bay, {"dual": False, "filler": False, **tells})
    visit = Visit(handset=bay.slot, into=into.slot, after_days=90.0, rewritten=True)
    return replace(schedule, visits=(visit,))


def _twin_typed(chance: Draw, schedule: Schedule) -> Schedule:
    """One person types the number of a twin twice, which is then put in at the last reset."""
    bay = chance.choice(schedule.bays)
    schedule, resets = _twin_put_in(chance, schedule, bay)
    typed = [scan(bay, Scan.VISITOR, nth=nth) for nth in (1, 2)[:resets]]
    return struck(schedule, *typed)


def _label_typed(chance: Draw, schedule: Schedule) -> Schedule:
    """A twin is put in at the last reset; the same person types the first one's number again."""
    bay = chance.choice(schedule.bays)
    # With nothing beside it, what isn't in the slot is the one that was there at first.
    schedule, resets = _twin_put_in(chance, replace(schedule, bays=(bay,)), bay)
    return struck(schedule, scan(bay, Scan.NEIGHBOUR, nth=resets + 1))


def _twin_put_in(chance: Draw, schedule: Schedule, bay: BayPlan) -> tuple[Schedule, int]:
    """The same with a twin that was never erased put in at a reset, and how many resets it has."""
    owner = chance.choice((Owner.RESET, Owner.APPS))
    swapped = {
        "visitor": HandsetPlan(owner=Owner.RESET, set_up=False),
        "visitor_is_twin": True,
        "reader": chance.random() < 0.2,
        "labelled": False,
    }
    plain = {**UNTOLD, "owner": owner, "lie": Lie.NOTHING, "chip": ChipState.UNUSED}
    schedule = replace(altered(schedule, bay, plain, **swapped), blows=())
    resets = 1 if owner is Owner.RESET else 2
    swap = Blow(
        slot=bay.slot,
        point=AWAY,
        nth=chance.choice((resets, resets, 1)),
        kind=Kind.SWAP,
        lasts_s=chance.choice((5.0, 25.0)),
    )
    return struck(schedule, swap), resets


def _sold_again(chance: Draw, schedule: Schedule) -> Schedule:
    """It comes again after a sale, with other papers or none yet."""
    bay, into = chance.choice(schedule.bays), chance.choice(schedule.bays)
    schedule = altered(schedule, bay, {"chip": chance.choice((ChipState.IN_USE, ChipState.UNUSED))})
    visit = Visit(
        handset=bay.slot,
        into=into.slot,
        after_days=chance.choice((0.0, 2.0, 80.0, 250.0)),
        lot=chance.choice(list(Lot)),
        tells=chance.choice((None, Numbers.SECOND if bay.handset.dual else None)),
    )
    return replace(schedule, lot=True, visits=(visit,))


def _one_sign(chance: Draw, schedule: Schedule) -> Schedule:
    return altered(schedule, chance.choice(schedule.bays), {"signs": 1})


STORIES: Final[tuple[tuple[int, Story], ...]] = (
    (1, _neighbour),
    (1, _held_neighbour),
    (1, _wrong_label),
    (2, _doomed_again),
    (2, _settled_again),
    (3, _word_over_reader),
    (4, _quota),
    (5, _exchanged_readers),
    (6, _clock_behind),
    (7, _appears),
    (8, _sim_left),
    (9, _other_number_listed),
    (9, _other_code),
    (9, _drawn_again),
    (10, _imported_late),
    (11, _clone),
    (11, _rewritten),
    (12, _label_typed),
    (14, _sold_again),
    (15, _one_sign),
)
"""What may go wrong, each with the row that it belongs to."""
OPEN_STORIES: Final[tuple[tuple[int, Story], ...]] = ((12, _twin_typed),)
"""Those that the core still lets through, drawn only where they are asked for."""
