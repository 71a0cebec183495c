"""Holes of row 3 put back: a fresh picture that nobody may believe excuses what an owner left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchd.lab.adversity.fresh_pictures import without_pictures
from benchd.lab.adversity.holes import Hole, Replaced
from benchd.lab.adversity.kinds import Picture
from benchd.lab.adversity.schedule import Schedule
from benchd.proof.evidence.fresh import FreshPicture
from benchd.words.handset import ResetFacts

ERASED: Final = "sellable means erased"
FRESH: Final = "benchd.proof.fresh"


def _anything(*_arguments: object) -> bool:
    return True


def _nothing(*_arguments: object) -> list[object]:
    return []


def _no_counts(*_arguments: object) -> Mapping[str, int | None]:
    """Nobody counts accounts and apps."""
    return {}


def _all_accounts(facts: ResetFacts, _picture: FreshPicture | None) -> int:
    """A picture with a type that people sign in to excuses whatever is there."""
    return facts.account_count + facts.maker_accounts


def _pictured(*kinds: Picture) -> Callable[[Schedule], bool]:
    return lambda schedule: any(bay.picture in kinds for bay in schedule.bays)


PICTURE_HOLES: Final = (
    Hole(
        row=3,
        says="a fresh picture counts whoever has signed it",
        ingredients=_pictured(Picture.ALTERED, Picture.UNSIGNED, Picture.FOREIGN),
        without=without_pictures,
        shows_as=(ERASED,),
        replaced=(
            Replaced(module="benchd.signing.pictures", name="has_signed_picture", by=_anything),
        ),
    ),
    Hole(
        row=3,
        says="a fresh picture of another model or an older build counts",
        ingredients=_pictured(Picture.OTHER_MODEL, Picture.OLDER_BUILD),
        without=without_pictures,
        shows_as=(ERASED,),
        replaced=(
            Replaced(module="benchd.proof.evidence.fresh", name="FreshPicture.is_of", by=_anything),
        ),
    ),
    Hole(
        row=3,
        says="a fresh picture excuses an app wherever it lies",
        ingredients=_pictured(Picture.DATA_PACKAGE),
        without=without_pictures,
        shows_as=(ERASED,),
        replaced=(
            Replaced(module="benchd.proof.places", name="on_system_partition", by=_anything),
        ),
    ),
    Hole(
        row=3,
        says="a fresh picture excuses an account of a person",
        ingredients=_pictured(Picture.PERSON),
        without=without_pictures,
        shows_as=(ERASED,),
        replaced=(
            Replaced(module="benchd.pipelines.stages.gates", name="refusals", by=_nothing),
            Replaced(module="benchd.pipelines.standing", name="refusals", by=_nothing),
            Replaced(module="benchd.proof.final_reset", name="refusals", by=_nothing),
            Replaced(module=FRESH, name="_counts", by=_no_counts),
            Replaced(module=FRESH, name="excused_accounts", by=_all_accounts),
            Replaced(module="benchd.certificate.fresh", name="gaps_of_fresh", by=_nothing),
        ),
    ),
)
