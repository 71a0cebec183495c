"""A fresh picture excuses what a maker's reset leaves, and nothing else (issue 16)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap, UsageRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.handset import Package
from benchd.domain.job import Disposition, Reason, StageName
from benchd.domain.record import StoredEntry
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.fresh_evidence import FreshPicture, FreshPictures, FreshTaking
from benchd.proof.fresh_comparison import take

from .pictures import MEMO, mark, picture, pictures, taking
from .test_erasure import JOB, changed
from .world import MIB, Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def preinstalled(**changes: object) -> Phone:
    """What it was sold with, and no reset removes."""
    told: dict[str, Any] = {"maker_accounts": 1, "preinstalled": (MEMO,), **changes}
    return Phone(**told)


@pytest.mark.parametrize("apps", [0, 3])
async def test_with_its_picture_such_a_handset_is_sold_whether_it_came_reset_or_not(
    apps: int,
) -> None:
    world, phone = World(pictures=pictures(picture())), preinstalled(apps=apps)
    await world.sells(phone)
    assert phone.calls["enable_test_harness"] == (1 if apps else 0)
    [told] = world.attempts(StageName.INITIALISE)
    assert told["evidence"]["picture"]["picture"] == to_json(picture())


async def test_without_one_it_is_held_after_its_reset() -> None:
    view = await World().refuses(preinstalled(), Reason.RESET_NOT_PROVEN)
    assert view.disposition is Disposition.HOLD


OWNERS: dict[str, tuple[Phone, FreshPicture]] = {
    "another build": (preinstalled(), picture(build="TQ3B")),
    "another model": (preinstalled(), picture(model="SO-52C")),
    "another maker's": (preinstalled(), picture(manufacturer="SHARP")),
    "another type of account": (
        preinstalled(maker_account_types=("com.sonyericsson.localcontacts",)),
        picture(),
    ),
    "a second account": (preinstalled(maker_accounts=2), picture()),
    "an account whose type isn't told": (preinstalled(maker_account_types=()), picture()),
    "an app of the owner's beside it": (
        preinstalled(apps=1, wipe_forgets=("apps",)),
        picture(),
    ),
    "an app under its name in another place": (
        preinstalled(preinstalled=(replace(MEMO, place="/data/app/memo/base.apk"),)),
        picture(),
    ),
    "another app of the system's": (
        preinstalled(preinstalled=(Package(name="jp.example", place=MEMO.place),)),
        picture(),
    ),
    "a file": (preinstalled(files=1, wipe_forgets=("files",)), picture()),
    "a contact": (preinstalled(contacts=1, wipe_forgets=("contacts",)), picture()),
    "a call": (preinstalled(call_log=1, wipe_forgets=("call_log",)), picture()),
    "a message": (preinstalled(messages=1, wipe_forgets=("messages",)), picture()),
    "the android_id of before": (
        preinstalled(apps=1, wipe_forgets=("android_id",)),
        picture(),
    ),
    "11 % more in use": (
        preinstalled(used_bytes=11 * MIB * 111 // 100, wipe_forgets=("used_bytes",)),
        picture(),
    ),
}


@pytest.mark.parametrize("case", OWNERS)
async def test_a_picture_excuses_nothing_of_an_owner_and_nothing_that_it_does_not_show(
    case: str,
) -> None:
    phone, known = OWNERS[case]
    await World(pictures=pictures(known)).refuses(phone, Reason.RESET_NOT_PROVEN)


async def test_ten_percent_more_in_use_than_was_seen_is_fresh() -> None:
    recipe = make_recipe(read_back=ReadBackStage(minimum_coverage=0.8))
    for known in (pictures(picture()), FreshPictures()):
        phone = preinstalled(used_bytes=12 * MIB, wipe_forgets=("used_bytes",), written_share=0.81)
        world = World(pictures=known, recipe=recipe)
        if known.all:
            await world.sells(phone)
        else:
            await world.refuses(phone, Reason.RESET_NOT_PROVEN)


async def test_a_user_or_an_account_of_a_person_is_refused_before_any_picture() -> None:
    for phone in (preinstalled(users=(0, 10)), preinstalled(accounts=1)):
        world = World(pictures=pictures(picture()))
        await world.refuses(phone, Reason.OTHER_USER, Reason.LOCKED)


async def records() -> list[StoredEntry]:
    """Those of a job that has passed by its picture, without its end."""
    world = World(pictures=pictures(picture()))
    await world.end_of(preinstalled(apps=3))
    _, found = await world.proof()
    return found


# The proof reads the same rule.

PICTURE = "picture.picture."
WITNESSES: Any = to_json(picture())["witnesses"]
LIES: dict[str, dict[str, Any]] = {
    "no picture": {"picture": None},
    "another build": {f"{PICTURE}build": "TQ3B"},
    "another model": {f"{PICTURE}model": "SO-52C"},
    "an account more": {"after.maker_accounts": 2},
    "another type": {"after.maker_account_types": ["com.sony.nfx"]},
    "an account of a person": {"after.account_count": 1},
    "an app more": {"after.third_party_packages": 2},
    "an app elsewhere": {
        "after.preinstalled": [{"name": MEMO.name, "place": "/data/app/memo/base.apk"}]
    },
    "a place outside, in the picture too": {
        "after.preinstalled": [{"name": MEMO.name, "place": "/data/app/memo/base.apk"}],
        f"{PICTURE}packages": [{"name": MEMO.name, "place": "/data/app/memo/base.apk"}],
    },
    "a user": {"after.user_ids": [0, 10]},
    "a file": {"after.owner_files": 1},
    "a contact": {"after.contact_count": 1},
    "a call": {"after.call_count": 1},
    "a message": {"after.message_count": 1},
    "started often": {"after.boot_count": 214},
    "11 % more in use": {"after.used_bytes": 11 * MIB * 111 // 100},
    "more in use than its handsets had": {
        "after.used_bytes": 12 * MIB,
        f"{PICTURE}used_bytes": 12 * MIB,
    },
    "one witness": {f"{PICTURE}witnesses": WITNESSES[:1]},
    "one person": {
        f"{PICTURE}witnesses": [
            w | {"by": by} for w, by in zip(WITNESSES, ("Sato", "ＳＡＴＯ"), strict=True)
        ]
    },
    "one handset": {f"{PICTURE}witnesses": [w | {"marks": [mark("one")]} for w in WITNESSES]},
}
COLLUDERS = {
    "nobody has approved it": {f"{PICTURE}approved_by": None, f"{PICTURE}approved_at": None},
    "one of them has approved it": {f"{PICTURE}approved_by": "鈴木"},
    "one of them, written otherwise": {
        f"{PICTURE}approved_by": "ＳＡＴＯ",
        f"{PICTURE}witnesses": [
            w | {"by": by} for w, by in zip(WITNESSES, ["sato", "鈴木"], strict=True)
        ],
    },
    "approved before it was taken": {
        f"{PICTURE}approved_at": WITNESSES[0]["taken_at"].replace("-25T", "-24T")
    },
    "one wasn't in its first start": {
        f"{PICTURE}witnesses": [WITNESSES[0], WITNESSES[1] | {"boot_count": 2}]
    },
    "one was reset days ago": {
        f"{PICTURE}witnesses": [WITNESSES[0] | {"up_s": 86_401}, WITNESSES[1]]
    },
    "one doesn't say since when": {
        f"{PICTURE}witnesses": [w | {"boot_count": None, "up_s": None} for w in WITNESSES]
    },
}


@pytest.mark.parametrize("lie", COLLUDERS)
async def test_careless_a_picture_from_two_dirty_handsets_of_two_colluders_excuses_nothing(
    lie: str,
) -> None:
    found = changed(await records(), StageName.INITIALISE, COLLUDERS[lie])
    with pytest.raises(CertificateGap, match="picture"):
        verify_erasure(JOB, found)


@pytest.mark.parametrize("dirt", [{"boot_count": 2}, {"up_s": 86_401}, {"up_s": None}])
async def test_careless_no_picture_is_taken_of_a_handset_that_does_not_show_its_reset(
    dirt: dict[str, Any],
) -> None:
    with pytest.raises(UsageRefused, match="as its reset left it"):
        await taken(preinstalled(used_bytes=11 * MIB, **dirt))


@pytest.mark.parametrize("lie", LIES)
async def test_evidence_that_excuses_more_is_a_gap(lie: str) -> None:
    found = await records()
    verify_erasure(JOB, found)
    with pytest.raises(CertificateGap, match="initialise"):
        verify_erasure(JOB, changed(found, StageName.INITIALISE, LIES[lie]))


USED: dict[str, Phone] = {
    "an account of a person": preinstalled(accounts=1),
    "a user": preinstalled(users=(0, 10)),
    "a file": preinstalled(files=1),
    "files that can't be counted": preinstalled(files=None),
    "a contact": preinstalled(contacts=1),
    "a call": preinstalled(call_log=1),
    "a message": preinstalled(messages=1),
    "an owner's app": preinstalled(apps=1),
    "many starts": preinstalled(boot_count=6),
    "a modified system": preinstalled(signs=("ro.build.tags=test-keys",)),
    "a lock": preinstalled(screen_lock=True),
    "a memory card": preinstalled(removable_media=True),
    "an organisation": preinstalled(device_owner=True),
    "more in use than the floors allow": preinstalled(used_bytes=14 * MIB),
}


async def taken(phone: Phone) -> FreshTaking:
    world = World()
    async with world.running():
        port = world.ports["A1"]
        port.plug(phone)
        handset = await world.access.open(port.address)
        facts, left = await handset.inspect(), await handset.reset_facts()
    at = taking().taken_at
    return take(facts, left, by=" 佐藤 ", at=at, marks=(mark("one"),))


async def test_a_handset_that_was_just_reset_can_be_taken() -> None:
    assert await taken(preinstalled(used_bytes=11 * MIB)) == taking()


@pytest.mark.parametrize("case", USED)
async def test_nothing_is_taken_from_a_handset_that_shows_more_than_a_maker_leaves(
    case: str,
) -> None:
    with pytest.raises(UsageRefused):
        await taken(USED[case])
