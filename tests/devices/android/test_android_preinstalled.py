"""Which packages are the system's by the place that `pm list packages -3 -f` tells."""

from __future__ import annotations

import pytest
from handset_fixtures import answer

from benchd.devices.android.facts.packages import LONGEST_PLACE, count_packages, read_preinstalled
from benchd.devices.android.facts.storage_answers import read_mounts
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.handset import Package
from benchd.proof.evidence.fresh_evidence import MOST_PICTURED_PACKAGES

MEMO = "/oem/deletable-app/schedulememo/schedulememo.apk=com.nttdocomo.android.schedulememo"


def listed(*lines: str) -> str:
    return "".join(f"package:{line}\n" for line in lines)


def test_those_on_partitions_of_the_system_are_told_with_their_places() -> None:
    """Constructed after what an SO-05K is told to have."""
    installed = "/data/app/~~7mHf9XBTVlmz==/jp.example-1tAAMFYP==/base.apk=jp.example"
    text = listed(installed, MEMO, "com.no.place")
    assert count_packages(text) == 3
    place, _, name = MEMO.rpartition("=")
    assert read_preinstalled(text, {}) == (Package(name=name, place=place),)


def test_an_answer_of_a_handset_in_use() -> None:
    text = answer("packages-14-with-places")
    found = read_preinstalled(text, {})
    assert all(not package.place.startswith("/data/") for package in found)
    assert len(found) <= count_packages(text)


@pytest.mark.parametrize(
    "line",
    [
        "/data/app/com.android.settings/base.apk=com.android.settings",
        "/oem/../data/app/x/base.apk=jp.example",
        "/data/preload/x.apk=jp.example",
        "/data/my_stock/del-app/x.apk=jp.example",
        "/hw_product/app/x.apk=jp.example",
        f"/oem/{'x' * LONGEST_PLACE}=jp.example",
        "jp.example",
    ],
)
def test_any_other_counts_as_an_owners(line: str) -> None:
    assert read_preinstalled(listed(line), {}) == ()


CLOCK = "/my_stock/del-app/Clock/Clock.apk=com.coloros.alarmclock"
DATA = "/dev/block/dm-9 /data f2fs rw,nosuid 0 0\n"
TABLES = {
    "nothing told": ("", True),
    "of the partition": ("/dev/block/dm-3 /my_stock erofs ro,seclabel 0 0\n", True),
    "of all": ("/dev/block/dm-3 / ext4 ro,seclabel,relatime 0 0\n", True),
    "the last mount counts": (
        "/dev/block/dm-3 /my_stock erofs ro 0 0\n/dev/block/dm-3 /my_stock ext4 rw 0 0\n",
        False,
    ),
    "written to": ("/dev/block/dm-3 /my_stock ext4 rw,seclabel,errors=remount-ro 0 0\n", False),
    "written to below": (
        "/dev/x /my_stock erofs ro 0 0\n/dev/y /my_stock/del-app f2fs rw,nosuid 0 0\n",
        False,
    ),
    "read-only below": (
        "/dev/block/dm-3 /my_stock ext4 rw 0 0\noverlay /my_stock/del-app overlay ro,x 0 0\n",
        True,
    ),
    "another's": ("/dev/block/dm-3 /my_stockx ext4 rw 0 0\n", True),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_partition_that_is_written_to_is_no_systems(table: str) -> None:
    mounts, excused = TABLES[table]
    found = read_preinstalled(listed(CLOCK), read_mounts(mounts + DATA))
    assert bool(found) is excused


def test_there_are_never_more_than_a_picture_holds() -> None:
    many = listed(*(f"/oem/x/{number}.apk=p.a{number}" for number in range(1000)))
    assert len(read_preinstalled(many, {})) == MOST_PICTURED_PACKAGES


def test_one_that_stands_twice_is_refused() -> None:
    twice = listed(MEMO, "/data/app/x/base.apk=com.nttdocomo.android.schedulememo")
    with pytest.raises(AnswerNotRecognised):
        read_preinstalled(twice, {})
