"""Every fixture, Android 8 to 16, and what it says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from handset_fixtures import FOLDER, answer, names

from benchd.devices.android.facts.accounts import read_account_types
from benchd.devices.android.facts.capability import FELICA_DIRECTORIES, felica_capable, jpki_capable
from benchd.devices.android.facts.hardware import (
    has_removable_media,
    has_sim,
    read_battery,
    read_features,
)
from benchd.devices.android.facts.modification import modification_signs
from benchd.devices.android.facts.packages import count_packages, read_packages
from benchd.devices.android.facts.policy import has_device_owner
from benchd.devices.android.facts.properties import read_properties
from benchd.devices.android.facts.protection import (
    bootloader_locked,
    has_screen_lock,
    verified_boot_state,
)
from benchd.devices.android.facts.single_values import read_android_id, read_boot_count, read_imei
from benchd.devices.android.facts.storage_answers import read_mounts, read_storage
from benchd.devices.android.facts.superuser import read_superuser_paths
from benchd.devices.android.facts.users import read_user_ids
from benchd.domain.errors import AnswerNotRecognised


def test_every_fixture_names_its_source() -> None:
    for path in FOLDER.iterdir():
        heading = path.read_text(encoding="utf-8").partition("\n---\n")[0].lower()
        assert "source" in heading or "constructed" in heading, path.name


def texts_of_signs(
    properties: Mapping[str, str], superuser_paths: tuple[str, ...] = ()
) -> tuple[str, ...]:
    return tuple(sign.text for sign in modification_signs(properties, superuser_paths))


@pytest.mark.parametrize(
    ("name", "verified", "locked", "signs"),
    [
        (
            "getprop-8.1-emulator",
            None,
            None,
            ("ro.debuggable=1", "ro.build.type=userdebug", "ro.build.tags=dev-keys"),
        ),
        (
            "getprop-8.0-samsung",
            "green",
            True,
            ("ro.boot.warranty_bit=1", "ro.warranty_bit=1"),
        ),
        ("getprop-10-xperia", "green", True, ()),
        ("getprop-11-vivo", "green", True, ()),
        (
            "getprop-12-custom-rom",
            "orange",
            False,
            (
                "ro.boot.verifiedbootstate=orange",
                "ro.boot.flash.locked=0",
                "ro.debuggable=1",
                "ro.build.type=userdebug",
                "ro.boot.warranty_bit=1",
                "ro.build.tags=test-keys",
                "ro.build.display.id=aosp_dreamlte-userdebug 12 SP1A.210812.016 eng.test test-keys",
            ),
        ),
        (
            "getprop-13-rooted-pixel",
            "orange",
            False,
            ("ro.boot.verifiedbootstate=orange", "ro.boot.vbmeta.device_state=unlocked"),
        ),
        ("getprop-14-honor", "green", True, ()),
        ("getprop-15-aquos-test-harness", "green", True, ()),
        ("getprop-16-other-key", "yellow", True, ("ro.boot.verifiedbootstate=yellow",)),
    ],
)
def test_properties_and_boot_state(
    name: str, verified: str | None, locked: bool | None, signs: tuple[str, ...]
) -> None:
    properties = read_properties(answer(name))
    assert verified_boot_state(properties) == verified
    assert bootloader_locked(properties) is locked
    assert texts_of_signs(properties) == signs
    assert len(properties["ro.product.model"]) > 3


def test_a_value_may_span_lines_and_may_be_empty() -> None:
    properties = read_properties(answer("getprop-10-xperia"))
    assert properties["vendor.debug.note"] == "first line\nsecond line"
    assert properties["vendor.empty"] == ""


def test_contradicting_lock_properties_mean_unlocked() -> None:
    properties = {"ro.boot.flash.locked": "1", "ro.boot.vbmeta.device_state": "unlocked"}
    assert bootloader_locked(properties) is False
    assert texts_of_signs(properties) == ("ro.boot.vbmeta.device_state=unlocked",)


def test_a_superuser_program_is_a_sign() -> None:
    paths = read_superuser_paths("/system/xbin/su\nlooked everywhere\n")
    assert texts_of_signs({}, paths) == ("su at /system/xbin/su",)
    assert read_superuser_paths("looked everywhere\n") == ()


@pytest.mark.parametrize(
    ("name", "percent", "temperature_c"),
    [
        ("battery-8-samsung", 100, 30.9),
        ("battery-8-pixel-c", 19, 27.5),
        ("battery-16-pixel-8-pro", 22, 28.0),
        ("battery-15-oplus", 64, 31.2),
    ],
)
def test_battery(name: str, percent: int, temperature_c: float) -> None:
    facts = read_battery(answer(name))
    assert (facts.percent, facts.temperature_c) == (percent, temperature_c)


@pytest.mark.parametrize(
    ("name", "users", "count"),
    [
        ("account-8-one", (0,), 1),
        ("account-14-two-users", (0, 10), 3),
        ("account-9-maker", (0,), 1),
        ("account-13-many", (0, 150), 5),
        ("account-16-none", (0,), 0),
    ],
)
def test_accounts_are_counted_and_nothing_more(
    name: str, users: tuple[int, ...], count: int
) -> None:
    assert len(read_account_types(answer(name), users)) == count


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("users-8-one", (0,)),
        ("users-14-work", (0, 10)),
        ("users-16-xspace", (0, 10, 999)),
    ],
)
def test_users(name: str, ids: tuple[int, ...]) -> None:
    assert read_user_ids(answer(name)) == ids


def test_packages() -> None:
    assert count_packages(answer("packages-12")) == 2
    assert count_packages(answer("packages-14-with-places")) == 4
    assert count_packages("") == 0


def test_features_without_their_versions() -> None:
    found = read_features(answer("features-15-wallet"))
    assert {"reqGlEsVersion", "android.hardware.vulkan.version"} < found
    assert len(found) == 10
    assert read_features("") == frozenset()


@pytest.mark.parametrize(
    ("features", "packages", "directories", "felica", "jpki"),
    [
        ("features-15-wallet", "packages-15-wallet", (), True, True),
        # The same firmware is on handsets for other markets: folders and apps run nothing.
        ("features-16-overseas", "packages-15-wallet", (), None, None),
        ("features-16-overseas", "packages-16-overseas", FELICA_DIRECTORIES[:1], None, None),
        ("features-16-overseas", "packages-16-overseas", (), False, None),
        # An NFC controller that can imitate a card says nothing about a chip.
        ("features-16-host-felica", "packages-16-overseas", (), None, None),
        ("features-15-wallet", "packages-16-overseas", (), None, None),
        # A list without the system's own package isn't whole.
        ("features-16-overseas", "packages-12", (), None, None),
    ],
)
def test_what_the_secure_element_can_hold(
    features: str,
    packages: str,
    directories: tuple[str, ...],
    felica: bool | None,
    jpki: bool | None,
) -> None:
    has, installed = read_features(answer(features)), read_packages(answer(packages))
    assert felica_capable(has, installed, directories) is felica
    assert jpki_capable(has, installed) is jpki
    assert jpki_capable(has, installed | {"jp.go.cas.mpa"}) is True


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("volumes-16-no-card", False),
        ("volumes-12-card", True),
        ("volumes-13-two-users-card", True),
        ("volumes-9-unreadable", True),
        ("volumes-8-adopted", True),
    ],
)
def test_a_memory_card(name: str, card: bool) -> None:
    assert has_removable_media(answer(name), "") is card
    assert has_removable_media(answer(name), "disk:179,64\n") is True


@pytest.mark.parametrize(
    ("state", "there"),
    [
        (None, None),
        ("", None),
        ("UNKNOWN", None),
        ("NOT_READY,ABSENT", None),
        ("ABSENT", False),
        ("ABSENT,ABSENT", False),
        ("LOADED,ABSENT", True),
        ("PIN_REQUIRED", True),
    ],
)
def test_a_sim(state: str | None, there: bool | None) -> None:
    assert has_sim({} if state is None else {"gsm.sim.state": state}) is there


def test_a_sim_state_that_nobody_knows_is_refused() -> None:
    with pytest.raises(AnswerNotRecognised):
        has_sim({"gsm.sim.state": "ABSENT,MELTED"})


@pytest.mark.parametrize(
    ("name", "owned"),
    [
        ("policy-8-none", False),
        ("policy-12-owner", True),
        ("policy-14-work-profile-of-company", True),
        ("policy-16-none", False),
    ],
)
def test_device_owner(name: str, owned: bool) -> None:
    assert has_device_owner(answer(name)) is owned


@pytest.mark.parametrize(
    ("name", "locked"),
    [
        ("trust-9-locked", True),
        ("trust-9-locked-with-profile", True),
        ("trust-11-profile", None),
        ("trust-12-safe-mode", None),
        ("trust-15-two-users", True),
        ("trust-16-open", None),
    ],
)
def test_a_screen_lock_is_true_or_untold_but_never_false(name: str, locked: bool | None) -> None:
    assert has_screen_lock(answer(name)) is locked


def test_a_users_name_cannot_hide_the_lock() -> None:
    name = 'x" (id=0, flags=0x13) (current): trusted=0, deviceLocked=0'
    text = (
        "Trust manager state:\n"
        f' User "{name}" (id=0, flags=0x13) (current): trusted=0, deviceLocked=1, x=0x0\n'
        ' User "\n User "q" (id=0, flags=0x13): deviceLocked=0" (id=10, flags=0x1): trusted=0\n'
    )
    assert has_screen_lock(text) is True


@pytest.mark.parametrize(
    ("usage", "mounts", "capacity_bytes", "used_bytes", "free_bytes", "file_system"),
    [
        (
            "df-9",
            "mounts-7-ext4",
            53487616 * 1024,
            10245368 * 1024,
            43242248 * 1024,
            "ext4",
        ),
        (
            "df-16-pixel-8-pro",
            "mounts-16-f2fs",
            114982996 * 1024,
            94844540 * 1024,
            20007384 * 1024,
            "f2fs",
        ),
    ],
)
def test_storage(
    usage: str,
    mounts: str,
    capacity_bytes: int,
    used_bytes: int,
    free_bytes: int,
    file_system: str,
) -> None:
    facts = read_storage(answer(usage), read_mounts(answer(mounts)))
    assert (facts.capacity_bytes, facts.used_bytes) == (capacity_bytes, used_bytes)
    assert (facts.free_bytes, facts.file_system) == (free_bytes, file_system)


def test_the_device_decides_wherever_else_it_is_mounted() -> None:
    usage = answer("df-16-pixel-8-pro").replace("/data/user/0", "/storage/emulated/0/Android/obb")
    assert read_storage(usage, read_mounts(answer("mounts-16-f2fs"))).file_system == "f2fs"


def test_the_last_mount_on_data_counts() -> None:
    mounts = read_mounts("tmpfs /data tmpfs rw 0 0\n/dev/fuse /data fuse.x rw 0 0\n")
    assert mounts["/data"].file_system == "fuse.x"


@pytest.mark.parametrize("name", names("imei"))
def test_an_imei_is_taken_only_beyond_doubt(name: str) -> None:
    told = {"imei-10": "490154203237518", "imei-12-oppo": "356938035643809"}
    assert read_imei(answer(name)) == told.get(name)


def test_an_imei_with_a_wrong_digit_is_none() -> None:
    text = answer("imei-10")
    assert read_imei(text.replace("00310035 00000038", "00310035 00000039")) is None
    assert read_imei(text.replace("0000000f", "00000010")) is None
    assert read_imei(text.replace("00310035 00000038", "00310035 00390038")) is None
    assert read_imei("") is None


def test_settings() -> None:
    assert read_android_id("51b6be48bac8c569\n") == "51b6be48bac8c569"
    assert read_boot_count("17\n") == 17
    assert read_boot_count("null\n") is None
