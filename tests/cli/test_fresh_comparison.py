"""What two takings make together, and which places are the system's (issue 16)."""

from __future__ import annotations

from typing import Any

import pytest

from benchd.cli.fresh_comparison import shown_by_one_only
from benchd.domain.errors import UsageRefused
from benchd.domain.handset import Package
from benchd.proof.floors import MOST_FRESH_USED_SHARE
from benchd.proof.fresh_proof import most_used_bytes
from benchd.proof.package_places import on_system_partition
from tests.core.pictures import MEMO, PHONE, mark, picture, picture_from, taking
from tests.core.world import CAPACITY, MIB


def test_no_picture_reaches_above_the_floors() -> None:
    huge = picture(used_bytes=1 << 40)
    most = most_used_bytes(CAPACITY, at_most_bytes=1, at_most_share=0.01, picture=huge)
    assert most == int(CAPACITY * MOST_FRESH_USED_SHARE)


PLACES = {
    "/system/app/KeyChain/KeyChain.apk": True,
    "/oem/deletable-app/x/x.apk": True,
    "/product/overlay/X.apk": True,
    "/my_stock/del-app/Clock/Clock.apk": True,
    "/my_heytap/app/x/x.apk": True,
    "/prism/app/x/x.apk": True,
    "/optics/configs/x.apk": True,
    "/cust/hw/eu/app/HMS/HMS.apk": True,
    "/data/app/com.android.settings/base.apk": False,
    "/data/preload/x.apk": False,
    "/data/my_stock/del-app/x.apk": False,
    "/data/miui/app/x/x.apk": False,
    "/preload/app/x.apk": False,
    "/hw_product/app/x.apk": False,
    "/vgc/app/x.apk": False,
    "/my_stockx/app/x.apk": False,
    "/my_stock/../data/app/x.apk": False,
    "/storage/emulated/0/x.apk": False,
    "/mnt/media_rw/x/x.apk": False,
    "/data/system/app/x.apk": False,
    "/system/../data/app/x.apk": False,
    "/system/./app/x.apk": False,
    "/system//app/x.apk": False,
    "/systemx/app/x.apk": False,
    "/system": False,
    "/apex/com.android.permission/priv-app/x.apk": False,
    "/mnt/expand/system/app/x.apk": False,
    "system/app/x.apk": False,
    "": False,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_the_systems_by_its_partition_alone(place: str) -> None:
    assert on_system_partition(place) is PLACES[place]


OTHER: dict[str, Any] = {"by": "鈴木", "marks": (mark("other"),)}
NO_PICTURES: dict[str, tuple[dict[str, Any], str]] = {
    "the same handset twice": (OTHER | {"marks": (mark("new id"), mark("one"))}, "one handset"),
    "the same person": (OTHER | {"by": "佐藤"}, "same person"),
    "the same person, written otherwise": (OTHER | {"by": "ＳＡＴＯ　Jun"}, "same person"),
    "another model": (OTHER | {"model": "SO-52C"}, "one model"),
    "another build": (OTHER | {"build": "TQ3B"}, "one model"),
    "far more in use": (OTHER | {"used_bytes": 13 * MIB}, "in use"),
}


@pytest.mark.parametrize("case", NO_PICTURES)
def test_two_takings_that_are_not_two_make_no_picture(case: str) -> None:
    change, refusal = NO_PICTURES[case]
    one = taking(by="sato jun") if "otherwise" in case else taking()
    with pytest.raises(UsageRefused, match=refusal):
        picture_from(one, taking(**change))


def test_a_picture_has_only_what_both_show() -> None:
    other_app = Package(name="jp.example", place="/product/app/x/x.apk")
    one = taking(packages=(MEMO, other_app), maker_accounts=2, used_bytes=10 * MIB)
    two = taking(**OTHER, maker_account_types=(PHONE, "com.sonyericsson.localcontacts"))
    found = picture_from(one, two)
    assert (found.packages, found.maker_account_types) == ((MEMO,), (PHONE,))
    assert (found.maker_accounts, found.used_bytes) == (1, 11 * MIB)
    assert shown_by_one_only(one, two) == (
        "com.sonyericsson.localcontacts",
        "/product/app/x/x.apk=jp.example",
    )
