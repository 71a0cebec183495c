"""`benchd handset learn-fresh` and `list-fresh`, and what two takings make together (issue 16)."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.certificate import create_key
from benchd.cli.one_handset import address_of
from benchd.config import load_settings
from benchd.daemon.fresh_learning import approve_fresh, keep
from benchd.domain.errors import NotFound, UsageRefused
from benchd.domain.handset import Package
from benchd.domain.ids import ANDROID, DeviceAddress, PortPath
from benchd.domain.port import Attached, PlugEvent
from benchd.proof.floors import MOST_FRESH_USED_SHARE
from benchd.proof.fresh_comparison import shown_by_one_only
from benchd.proof.fresh_proof import most_used_bytes
from benchd.proof.package_places import on_system_partition
from benchd.signing.private_key import load_key
from tests.cli.test_cli import benchd
from tests.core.pictures import MEMO, PHONE, mark, picture, picture_from, taking
from tests.core.world import CAPACITY, MIB

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped configuration with a key and a folder of its own."""
    shutil.copytree(CONFIGS, tmp_path / "configs")
    file = tmp_path / "configs" / "benchd.toml"
    text = file.read_text(encoding="utf-8")
    for old, new in (
        ("/var/lib/benchd/fresh", str(tmp_path / "fresh")),
        ("/etc/benchd/certificate_key.pem", str(tmp_path / "key.pem")),
    ):
        assert old in text
        text = text.replace(old, new)
    slot = '\n[slots.A1]\nport = "pci-0000:00:14.0-usb-0:1.4"\n'
    file.write_text(text + slot, encoding="utf-8")
    create_key(tmp_path / "key.pem")
    return file


def listed(config: Path) -> list[dict[str, object]]:
    told = benchd("handset", "list-fresh", "--json", "--config", str(config))
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)["pictures"]


def test_what_waits_what_counts_and_what_was_changed_is_listed(config: Path) -> None:
    folder, key = config.parents[1] / "fresh", load_key(config.parents[1] / "key.pem")
    assert listed(config) == []
    keep(folder, taking(), key)
    (waiting,) = listed(config)
    assert (waiting["state"], waiting["taken_by"]) == ("waits_for_the_second_handset", ["佐藤"])
    made = keep(folder, taking(by="鈴木", marks=(mark("other"),)), key).file
    (learned,) = listed(config)
    assert (learned["state"], learned["taken_by"]) == ("waits_for_a_supervisor", ["佐藤", "鈴木"])
    approve_fresh(load_settings(config), made, "森")
    (learned,) = listed(config)
    assert (learned["state"], learned["approved_by"]) == ("counts", "森")
    assert learned["maker_account_types"] == [PHONE]
    assert learned["packages"] == [f"{MEMO.place}={MEMO.name}"]
    made.write_text(made.read_text().replace('"TQ2A"', '"TQ2B"'))
    (changed,) = listed(config)
    assert changed["state"] == "not_signed_by_this_rack"


def test_a_picture_that_excuses_a_persons_account_is_a_mistake(config: Path) -> None:
    folder, key = config.parents[1] / "fresh", load_key(config.parents[1] / "key.pem")
    keep(folder, taking(), key)
    made = keep(folder, taking(by="鈴木", marks=(mark("other"),)), key).file
    made.write_text(made.read_text().replace(PHONE, "com.google"))
    told = benchd("check-config", str(config))
    assert told.returncode == 2
    assert "models.fresh_pictures" in told.stderr
    assert "com.google" in told.stderr


def test_one_of_slot_and_address_is_named_and_an_empty_slot_is_told(config: Path) -> None:
    place = ("--config", str(config), "--by", "佐藤")
    both = benchd("handset", "learn-fresh", "--slot", "A1", "--address", "usb:1-4", *place)
    assert both.returncode == 2
    assert benchd("handset", "learn-fresh", *place).returncode == 2
    unknown = benchd("handset", "learn-fresh", "--slot", "Z9", *place)
    assert (unknown.returncode, "no slot Z9" in unknown.stderr) == (1, True)


class Plugged:
    """A fake hot-plug source with one handset on a port."""

    def __init__(self, port_path: PortPath) -> None:
        self._port_path = port_path

    @asynccontextmanager
    async def events(self) -> AsyncGenerator[AsyncIterator[PlugEvent], None]:
        async def told() -> AsyncIterator[PlugEvent]:
            yield Attached(
                port_path=self._port_path,
                kind=ANDROID,
                address=DeviceAddress("usb:1-4.2"),
                attachment="7:1",
                at_s=0.0,
            )
            await anyio.sleep_forever()

        yield told()


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_slot_is_found_by_what_is_plugged_into_its_port(config: Path) -> None:
    settings = load_settings(config)
    place = next(iter(settings.topology.places.values()))
    assert await address_of(settings, place.name, Plugged(place.port_path)) == "usb:1-4.2"
    with pytest.raises(NotFound, match="nothing is plugged"):
        await address_of(settings, place.name, Plugged(PortPath("elsewhere")))


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
