"""Every fixture, Android 8 to 16, and what it says; what says nothing for certain is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from handset_fakes import FOLDER, answer, names
from hypothesis import given
from hypothesis import strategies as st

from benchd.devices.android.dossier.folder import read_folder
from benchd.devices.android.dossier.replay import replay
from benchd.devices.android.facts.account_types import LONGEST_TYPE, MOST_TYPES, sort_accounts
from benchd.devices.android.facts.accounts import read_account_types
from benchd.devices.android.facts.answers import Answers
from benchd.devices.android.facts.capability import FELICA_DIRECTORIES, felica_capable, jpki_capable
from benchd.devices.android.facts.hardware import (
    has_removable_media,
    has_sim,
    read_battery,
    read_features,
    read_nfc,
)
from benchd.devices.android.facts.modification import modification_signs
from benchd.devices.android.facts.owner import read_row_count
from benchd.devices.android.facts.packages import (
    LONGEST_PLACE,
    count_packages,
    read_packages,
    read_preinstalled,
)
from benchd.devices.android.facts.policy import has_device_owner
from benchd.devices.android.facts.properties import read_properties
from benchd.devices.android.facts.protection import (
    bootloader_locked,
    has_screen_lock,
    verified_boot_state,
)
from benchd.devices.android.facts.single_values import (
    read_android_id,
    read_boot_count,
    read_imei,
    read_uptime,
)
from benchd.devices.android.facts.statfs import read_statfs
from benchd.devices.android.facts.storage_answers import read_mounts, read_storage
from benchd.devices.android.facts.superuser import read_superuser_paths
from benchd.devices.android.facts.users import kinds_of, read_user_ids, read_users
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised, OtherUserClosed
from benchd.domain.handset import NfcFacts, Package, SilenceCause, UserKind
from benchd.domain.job import Reason
from benchd.proof.evidence.fresh_evidence import MOST_PICTURED_PACKAGES


def test_every_fixture_names_its_source() -> None:
    for path in FOLDER.iterdir():
        heading = path.read_text(encoding="utf-8").partition("\n---\n")[0].lower()
        assert "source" in heading or "constructed" in heading, path.name


def texts_of_signs(
    properties: Mapping[str, str], superuser_paths: tuple[str, ...] = ()
) -> tuple[str, ...]:
    found = modification_signs(properties, superuser_paths)
    return tuple(dict.fromkeys(sign.text for sign in found))


EMULATOR = ("ro.debuggable=1", "ro.build.type=userdebug", "ro.build.tags=dev-keys")
CUSTOM_ROM = (
    "ro.boot.verifiedbootstate=orange",
    "ro.boot.flash.locked=0",
    "ro.debuggable=1",
    "ro.build.type=userdebug",
    "ro.boot.warranty_bit=1",
    "ro.build.tags=test-keys",
    "ro.build.display.id=aosp_dreamlte-userdebug 12 SP1A.210812.016 eng.test test-keys",
)
UNLOCKED = ("ro.boot.verifiedbootstate=orange", "ro.boot.vbmeta.device_state=unlocked")
OTHER_KEY = ("ro.boot.verifiedbootstate=yellow",)


@pytest.mark.parametrize(
    ("name", "verified", "locked", "signs"),
    [
        ("8.1-emulator", None, None, EMULATOR),
        ("8.0-samsung", "green", True, ("ro.boot.warranty_bit=1", "ro.warranty_bit=1")),
        ("10-xperia", "green", True, ()),
        ("11-vivo", "green", True, ()),
        ("12-custom-rom", "orange", False, CUSTOM_ROM),
        ("13-rooted-pixel", "orange", False, UNLOCKED),
        ("14-honor", "green", True, ()),
        ("15-aquos-test-harness", "green", True, ()),
        ("16-other-key", "yellow", True, OTHER_KEY),
    ],
)
def test_properties_and_boot_state(
    name: str, verified: str | None, locked: bool | None, signs: tuple[str, ...]
) -> None:
    properties = read_properties(answer(f"getprop-{name}"))
    assert verified_boot_state(properties) == verified
    assert bootloader_locked(properties) is locked
    assert texts_of_signs(properties) == signs
    assert len(properties["ro.product.model"]) > 3


def test_a_value_may_span_lines_and_may_be_empty_and_so_may_lists() -> None:
    properties = read_properties(answer("getprop-10-xperia"))
    assert properties["vendor.debug.note"] == "first line\nsecond line"
    assert properties["vendor.empty"] == ""
    found = read_features(answer("features-15-wallet"))
    assert {"reqGlEsVersion", "android.hardware.vulkan.version"} < found, "without versions"
    assert len(found) == 10
    assert (count_packages(""), read_features("")) == (0, frozenset())


def test_contradicting_lock_properties_mean_unlocked() -> None:
    properties = {"ro.boot.flash.locked": "1", "ro.boot.vbmeta.device_state": "unlocked"}
    assert bootloader_locked(properties) is False
    assert texts_of_signs(properties) == ("ro.boot.vbmeta.device_state=unlocked",)


def test_a_superuser_program_is_a_sign() -> None:
    paths = read_superuser_paths("/system/xbin/su\nlooked everywhere\n")
    assert texts_of_signs({}, paths) == ("su at /system/xbin/su",)
    assert read_superuser_paths("looked everywhere\n") == ()


def battery(text: str) -> tuple[int, float]:
    facts = read_battery(text)
    return facts.percent, facts.temperature_c


def statfs(text: str) -> tuple[float, float]:
    facts = read_statfs(text)
    return facts.capacity_bytes / 1024, facts.free_bytes / 1024


def card(text: str) -> bool:
    assert has_removable_media(text, "disk:179,64\n") is True
    return has_removable_media(text, "")


def nfc(text: str) -> NfcFacts:
    return read_nfc("null\n", text)


UNKNOWN_NFC = NfcFacts(nfc_on=None, screen_on=None, unlocked=None)
NFC_FINE = NfcFacts(nfc_on=True, screen_on=True, unlocked=True)
NFC_OFF = NfcFacts(nfc_on=False, screen_on=False, unlocked=False)
PIXEL, SECOND_STORAGE = (114982996, 20007384), (53487616, 43242248)
TOLD: dict[Callable[[str], object], Mapping[str, object]] = {
    battery: {
        "battery-8-samsung": (100, 30.9),
        "battery-8-pixel-c": (19, 27.5),
        "battery-16-pixel-8-pro": (22, 28.0),
        "battery-15-oplus": (64, 31.2),
    },
    read_user_ids: {
        "users-8-one": (0,),
        "users-14-work": (0, 10),
        "users-16-xspace": (0, 10, 999),
    },
    count_packages: {"packages-12": 2, "packages-14-with-places": 4},
    # A card is seen by its volume; one that Android can't read by its disk alone.
    card: {
        "volumes-16-no-card": False,
        "volumes-12-card": True,
        "volumes-13-two-users-card": True,
        "volumes-9-unreadable": True,
        "volumes-8-adopted": True,
    },
    has_device_owner: {
        "policy-8-none": False,
        "policy-12-owner": True,
        "policy-14-work-profile-of-company": True,
        "policy-16-none": False,
    },
    # A screen lock is true or untold, but never false.
    has_screen_lock: {
        "trust-9-locked": True,
        "trust-9-locked-with-profile": True,
        "trust-11-profile": None,
        "trust-12-safe-mode": None,
        "trust-15-two-users": True,
        "trust-16-open": None,
    },
    statfs: {"statfs-16-pixel-8-pro": PIXEL, "statfs-9": SECOND_STORAGE},
    nfc: {
        "nfc-13-on-unlocked": NFC_FINE,
        "nfc-13-off-asleep": NFC_OFF,
        "nfc-14-turning-on": UNKNOWN_NFC,
        "nfc-16-other-form": UNKNOWN_NFC,
    },
    # Taken only beyond doubt: all others are unknown.
    read_imei: dict.fromkeys(names("imei"))
    | {"imei-10": "490154203237518", "imei-12-oppo": "356938035643809"},
    # Only rows or the word for none are counted.
    read_row_count: dict.fromkeys(names("content")) | {"content-16-none": 0, "content-10-rows": 3},
}


@pytest.mark.parametrize(
    ("read", "name", "value"),
    [
        pytest.param(read, name, value, id=name)
        for read, of_kind in TOLD.items()
        for name, value in of_kind.items()
    ],
)
def test_each_answer_is_read_as_it_is_meant(
    read: Callable[[str], object], name: str, value: object
) -> None:
    assert read(answer(name)) == value


def test_no_answer_of_nfc_or_stat_is_left_untold() -> None:
    assert sorted([*TOLD[nfc], *TOLD[statfs]]) == [*names("nfc"), *names("statfs")]


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
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_accounts_are_counted_and_nothing_more(
    name: str, users: tuple[int, ...], count: int, end: str
) -> None:
    found = read_account_types(answer(name).replace("\n", end), users)
    assert found == read_account_types(answer(name), users)
    assert len(found) == count


def of(*types: str) -> str:
    """An answer with accounts of these types, all of one person."""
    lines = "".join(f"    Account {{name=a, type={name}}}\n" for name in types)
    return (
        f"User UserInfo{{0:Owner:13}}:\n  Accounts: {len(types)}\n{lines}\n"
        "  Active Sessions: 0\n\n  RegisteredServicesCache: 1 services\n"
    )


def test_accounts_are_a_persons_a_makers_or_nobodys_that_is_known() -> None:
    found = sort_accounts(read_account_types(answer("account-9-maker"), (0,)))
    assert (found.account_count, found.maker_accounts) == (0, 1)
    assert found.maker_account_types == ("com.android.localphone",)
    assert found.unknown_account_types == found.frp_account_types == ()
    found = sort_accounts(read_account_types(answer("account-13-many"), (0, 150)))
    assert (found.account_count, found.maker_accounts) == (4, 1)
    assert found.unknown_account_types == ("com.example.loyalty.Account",)
    assert found.frp_account_types == ("com.google", "com.osp.app.signin")


@pytest.mark.parametrize(
    "name",
    [
        "com.xiaomi",
        "com.huawei.hwid",
        "com.hihonor.id",
        "com.heytap.usercenter",
        "com.oneplus.account",
        "BBKOnLineService",
        "com.motorola.account",
    ],
)
def test_each_makers_lock_is_told(name: str) -> None:
    found = sort_accounts(read_account_types(of(name), (0,)))
    assert (found.account_count, found.frp_account_types) == (1, (name,))
    assert found.unknown_account_types == ()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "com.android.localphone2",
        "COM.ANDROID.LOCALPHONE",
        "x, type=y",
        "com.google\x00",
        "電話",
    ],
)
def test_what_only_looks_like_a_makers_counts_as_a_persons(name: str) -> None:
    found = sort_accounts(read_account_types(of(name), (0,)))
    assert (found.account_count, found.maker_accounts) == (1, 0)
    assert len(found.unknown_account_types) == 1


def test_account_types_are_bounded_and_printable_and_no_name_passes_for_one() -> None:
    hostile = [f"\x1b[31mtype{number}{'x' * 500}" for number in range(200)]
    found = sort_accounts(hostile)
    assert found.account_count == 200
    assert len(found.unknown_account_types) <= MOST_TYPES
    assert all(len(name) <= LONGEST_TYPE for name in found.unknown_account_types)
    assert "\x1b" not in "".join(found.unknown_account_types)
    text = of("com.google").replace("name=a", "name=PHONE, type=com.android.localphone}")
    assert read_account_types(text, (0,)) == ("com.google",)


def test_a_user_whom_only_the_accounts_tell_of_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "accounts.txt").write_text(answer("account-13-many"))
    alone = replay(read_folder(tmp_path))
    assert (alone.facts["account_count"], alone.refused) == (4, ())
    (tmp_path / "users.txt").write_text(answer("users-8-one"))
    both = replay(read_folder(tmp_path))
    assert both.facts["account_count"] is None
    assert [one.command for one in both.refused] == ["accounts"]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("users-8-one", ()),
        ("users-9-chinese", ()),
        ("users-13-secure-folder", (UserKind.SECURE_FOLDER,)),
        ("users-14-work", (UserKind.WORK_PROFILE,)),
        ("users-16-xspace", (UserKind.WORK_PROFILE, UserKind.DUAL_APPS)),
        (
            "users-13-many-kinds",
            (
                *(UserKind.WORK_PROFILE, UserKind.GUEST, UserKind.PERSON, UserKind.PROFILE),
                *3 * (UserKind.DUAL_APPS,),
            ),
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_kind_of_user_is_known(name: str, kinds: tuple[UserKind, ...], end: str) -> None:
    assert kinds_of(read_users(answer(name).replace("\n", end))) == kinds


CLOSED = (
    "\nException occurred while executing 'list':\n"
    "java.lang.SecurityException: Shell does not have permission to access user 150\n"
    " com.android.server.am.ActivityManagerService.handleIncomingUser:14983\n"
)
FOREIGN = (
    "java.lang.SecurityException: Permission Denial: getCurrentUser() from pid=1, uid=2000 asks to"
    " run as user 999 but is calling from uid 2000\n"
)


@pytest.mark.parametrize(("text", "user"), [(CLOSED, 150), (FOREIGN, 999)])
@pytest.mark.parametrize("status", [0, 255])
def test_a_closed_user_is_a_finding_of_its_own(text: str, user: int, status: int) -> None:
    answers = Answers({"packages": Answer(command="pm", status=status, text=text)})
    for read in (answers.read, answers.read_always, answers.read_if_answered):
        with pytest.raises(OtherUserClosed, match=f"user {user}") as refused:
            read("packages", read_packages)
        assert refused.value.reason is Reason.OTHER_USER
    assert (set(answers.refused), answers.reasons) == ({"packages"}, (Reason.OTHER_USER,))
    owner = text.replace(str(user), "0")  # its being closed is another matter
    answers = Answers({"packages": Answer(command="pm", status=255, text=owner)})
    with pytest.raises(AnswerNotRecognised):
        answers.read("packages", read_packages)
    assert answers.reasons == (Reason.ANSWER_NOT_RECOGNISED,)


def test_a_dossier_names_the_closed_user_and_refuses_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "packages.status").write_text("255\n")
    (tmp_path / "packages.txt").write_text(CLOSED)
    found = replay(read_folder(tmp_path))
    assert [one.command for one in found.refused] == ["packages"]
    assert found.findings == (Reason.OTHER_USER,)
    (tmp_path / "users.txt").write_text(answer("users-13-secure-folder"))
    (tmp_path / "battery.txt").write_text("?")
    found = replay(read_folder(tmp_path))
    assert found.facts["user_kinds"] == (UserKind.SECURE_FOLDER,)
    assert found.findings == (Reason.OTHER_USER, Reason.ANSWER_NOT_RECOGNISED)


OF_JAPAN, OVERSEAS = "features-15-wallet", "features-16-overseas"


@pytest.mark.parametrize(
    ("features", "packages", "directories", "felica", "jpki"),
    [
        (OF_JAPAN, "packages-15-wallet", (), True, True),
        # The same firmware is on handsets for other markets: folders and apps run nothing.
        (OVERSEAS, "packages-15-wallet", (), None, None),
        (OVERSEAS, "packages-16-overseas", FELICA_DIRECTORIES[:1], None, None),
        (OVERSEAS, "packages-16-overseas", (), False, None),
        # An NFC controller that can imitate a card says nothing about a chip.
        ("features-16-host-felica", "packages-16-overseas", (), None, None),
        (OF_JAPAN, "packages-16-overseas", (), None, None),
        # A list without the system's own package isn't whole.
        (OVERSEAS, "packages-12", (), None, None),
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


def test_a_users_name_cannot_hide_the_lock() -> None:
    name = 'x" (id=0, flags=0x13) (current): trusted=0, deviceLocked=0'
    text = (
        "Trust manager state:\n"
        f' User "{name}" (id=0, flags=0x13) (current): trusted=0, deviceLocked=1, x=0x0\n'
        ' User "\n User "q" (id=0, flags=0x13): deviceLocked=0" (id=10, flags=0x1): trusted=0\n'
    )
    assert has_screen_lock(text) is True


@pytest.mark.parametrize(
    ("usage", "mounts", "kib", "file_system"),
    [
        ("df-9", "mounts-7-ext4", (53487616, 10245368, 43242248), "ext4"),
        ("df-16-pixel-8-pro", "mounts-16-f2fs", (114982996, 94844540, 20007384), "f2fs"),
    ],
)
def test_storage(usage: str, mounts: str, kib: tuple[int, ...], file_system: str) -> None:
    facts = read_storage(answer(usage), read_mounts(answer(mounts)))
    told = (facts.capacity_bytes, facts.used_bytes, facts.free_bytes)
    assert told == tuple(1024 * number for number in kib)
    assert facts.file_system == file_system


def test_the_device_decides_wherever_else_it_is_mounted_and_the_last_mount_counts() -> None:
    usage = answer("df-16-pixel-8-pro").replace("/data/user/0", "/storage/emulated/0/Android/obb")
    assert read_storage(usage, read_mounts(answer("mounts-16-f2fs"))).file_system == "f2fs"
    mounts = read_mounts("tmpfs /data tmpfs rw 0 0\n/dev/fuse /data fuse.x rw 0 0\n")
    assert mounts["/data"].file_system == "fuse.x"


# Older toybox and newer name the two sizes the other way round; blocks are the smaller's.
@pytest.mark.parametrize("sizes", ["0 4096", "4096 0", "4096 131072", "131072 4096"])
def test_blocks_are_counted_in_fragments_whichever_letter_tells_them(sizes: str) -> None:
    capacity, free = PIXEL
    assert statfs(f"{sizes} {capacity // 4} {free // 4} {free // 4}\n") == PIXEL


def test_an_imei_with_a_wrong_digit_is_none() -> None:
    text, end = answer("imei-10"), "00310035 00000038"
    for old, new in (
        (end, "00310035 00000039"),
        ("0000000f", "00000010"),
        (end, "00310035 00390038"),
    ):
        assert old in text
        assert read_imei(text.replace(old, new)) is None
    assert read_imei("") is None


def test_settings() -> None:
    assert read_android_id("51b6be48bac8c569\n") == "51b6be48bac8c569"
    assert read_boot_count("17\n") == 17
    assert read_boot_count("null\n") is None


@pytest.mark.parametrize(
    ("text", "up_s"),
    [
        ("214.07 803.51\n", 214),
        ("0.99 0.00\r\n", 0),
        ("", None),
        ("\n", None),
        ("214\n", None),
        ("214.07\n", None),
        ("-214.07 803.51\n", None),
        ("214.07 803.51\n214.07 803.51\n", None),
        ("cat: /proc/uptime: Permission denied\n", None),
        ("２１４.07 803.51\n", None),
        ("99999999999.07 1.00\n", None),
        (" 214.07 803.51\n", None),
    ],
)
def test_how_long_it_has_been_up_is_whole_seconds_or_unknown(text: str, up_s: int | None) -> None:
    assert read_uptime(text) == up_s


@pytest.mark.parametrize(
    ("setting", "dump", "nfc_on"),
    [
        ("1", "mState=on", True),
        ("null", "mState=on", True),
        ("0", "mState=on", None),
        ("1", "mState=off", False),
        ("0", "", False),
        ("0", "mState=turning off", False),
        ("1", "", None),
        ("1", "mState=ON", None),
        ("1", "mState=on\nmState=off", None),
        ("1", "xmState=on", None),
        ("", "", None),
    ],
)
def test_the_setting_alone_never_says_that_nfc_is_on(
    setting: str, dump: str, nfc_on: bool | None
) -> None:
    assert read_nfc(f"{setting}\n", f"{dump}\n").nfc_on is nfc_on


@given(st.text(), st.text())
def test_no_text_is_taken_for_a_radio_that_is_fine(setting: str, dump: str) -> None:
    facts = read_nfc(setting, dump)
    assert facts.nfc_on is not True or "mState=on" in dump
    assert facts.unlocked is not True or "UNLOCKED" in dump


def test_what_explains_silence_and_what_does_not() -> None:
    assert NFC_FINE.causes() == UNKNOWN_NFC.causes() == (SilenceCause.UNKNOWN,)
    off = NfcFacts(nfc_on=False, screen_on=None, unlocked=False)
    assert off.causes() == (SilenceCause.NFC_OFF, SilenceCause.SCREEN_LOCKED)


MEMO = "/oem/deletable-app/schedulememo/schedulememo.apk=com.nttdocomo.android.schedulememo"


def listed(*lines: str) -> str:
    return "".join(f"package:{line}\n" for line in lines)


def test_packages_on_partitions_of_the_system_are_told_with_their_places() -> None:
    """Constructed after what an SO-05K is told to have; then an answer of a handset in use."""
    installed = "/data/app/~~7mHf9XBTVlmz==/jp.example-1tAAMFYP==/base.apk=jp.example"
    text = listed(installed, MEMO, "com.no.place")
    assert count_packages(text) == 3
    place, _, name = MEMO.rpartition("=")
    assert read_preinstalled(text, {}) == (Package(name=name, place=place),)
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
def test_a_package_anywhere_else_counts_as_an_owners(line: str) -> None:
    assert read_preinstalled(listed(line), {}) == ()


CLOCK = "/my_stock/del-app/Clock/Clock.apk=com.coloros.alarmclock"
DATA = "/dev/block/dm-9 /data f2fs rw,nosuid 0 0\n"
READ_ONLY = "/dev/block/dm-3 /my_stock erofs ro,seclabel 0 0\n"
WRITTEN = "/dev/block/dm-3 /my_stock ext4 rw,seclabel,errors=remount-ro 0 0\n"
TABLES = {
    "nothing told": ("", True),
    "of the partition": (READ_ONLY, True),
    "of all": ("/dev/block/dm-3 / ext4 ro,seclabel,relatime 0 0\n", True),
    "the last mount counts": (READ_ONLY + WRITTEN, False),
    "written to": (WRITTEN, False),
    "written to below": (READ_ONLY + "/dev/y /my_stock/del-app f2fs rw,nosuid 0 0\n", False),
    "read-only below": (WRITTEN + "overlay /my_stock/del-app overlay ro,x 0 0\n", True),
    "another's": ("/dev/block/dm-3 /my_stockx ext4 rw 0 0\n", True),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_partition_that_is_written_to_is_no_systems(table: str) -> None:
    mounts, excused = TABLES[table]
    found = read_preinstalled(listed(CLOCK), read_mounts(mounts + DATA))
    assert bool(found) is excused


def test_there_are_never_more_packages_than_a_picture_holds_and_none_stands_twice() -> None:
    many = listed(*(f"/oem/x/{number}.apk=p.a{number}" for number in range(1000)))
    assert len(read_preinstalled(many, {})) == MOST_PICTURED_PACKAGES
    with pytest.raises(AnswerNotRecognised):
        read_preinstalled(listed(MEMO, f"/data/app/x/base.apk={MEMO.rpartition('=')[2]}"), {})
