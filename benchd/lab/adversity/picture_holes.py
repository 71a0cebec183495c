"""Holes of row 3 put back: a fresh picture that nobody may believe excuses what an owner left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from benchd.domain.handset import ResetFacts
from benchd.lab.adversity.fresh_pictures import without_pictures
from benchd.lab.adversity.holes import Hole, Replaced
from benchd.lab.adversity.kinds import Picture
from benchd.lab.adversity.schedule import Schedule
from benchd.proof.evidence.fresh_evidence import FreshPicture

ERASED: Final = "sellable means erased"
FRESH: Final = "benchd.proof.fresh_proof"


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


def _hole(says: str, pictures: Sequence[Picture], *replaced: Replaced) -> Hole:
    """Of row 3, found where one of these pictures is given."""

    def pictured(schedule: Schedule) -> bool:
        return any(bay.picture in pictures for bay in schedule.bays)

    return Hole(
        row=3,
        says=says,
        ingredients=pictured,
        without=without_pictures,
        shows_as=(ERASED,),
        replaced=replaced,
    )


PICTURE_HOLES: Final = (
    _hole(
        "a fresh picture counts whoever has signed it",
        (Picture.ALTERED, Picture.UNSIGNED, Picture.FOREIGN),
        Replaced(
            module="benchd.certificate.signed_pictures", name="has_signed_picture", by=_anything
        ),
    ),
    _hole(
        "a fresh picture of another model or an older build counts",
        (Picture.OTHER_MODEL, Picture.OLDER_BUILD),
        Replaced(
            module="benchd.proof.evidence.fresh_evidence", name="FreshPicture.is_of", by=_anything
        ),
    ),
    _hole(
        "a fresh picture excuses an app wherever it lies",
        (Picture.DATA_PACKAGE,),
        Replaced(module="benchd.proof.package_places", name="on_system_partition", by=_anything),
    ),
    _hole(
        "a fresh picture excuses an account of a person",
        (Picture.PERSON,),
        Replaced(module="benchd.pipelines.stages.gates", name="refusals", by=_nothing),
        Replaced(module="benchd.pipelines.gate_facts", name="refusals", by=_nothing),
        Replaced(module="benchd.proof.final_reset_proof", name="refusals", by=_nothing),
        Replaced(module=FRESH, name="_counts", by=_no_counts),
        Replaced(module=FRESH, name="excused_accounts", by=_all_accounts),
        Replaced(module="benchd.certificate.fresh_section", name="gaps_of_fresh", by=_nothing),
    ),
)
