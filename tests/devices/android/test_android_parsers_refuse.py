"""What isn't recognised is refused: nothing garbled, cut off, denied or empty becomes a value."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from handset_fixtures import answer, names
from hypothesis import given
from hypothesis import strategies as some

from benchd.devices.android.facts.accounts import read_account_types
from benchd.devices.android.facts.capability import read_felica_directories
from benchd.devices.android.facts.hardware import has_removable_media, read_battery, read_features
from benchd.devices.android.facts.modification import modification_signs
from benchd.devices.android.facts.packages import count_packages
from benchd.devices.android.facts.policy import has_device_owner
from benchd.devices.android.facts.properties import read_properties, required
from benchd.devices.android.facts.protection import bootloader_locked, has_screen_lock
from benchd.devices.android.facts.single_values import (
    is_imei,
    read_android_id,
    read_boot_count,
    read_frp_armed,
    read_imei,
)
from benchd.devices.android.facts.storage_answers import read_mounts, read_storage
from benchd.devices.android.facts.superuser import read_superuser_paths
from benchd.devices.android.facts.users import read_user_ids
from benchd.domain.errors import AnswerNotRecognised

MOUNTS = read_mounts(answer("mounts-16-f2fs"))


def count_for_owner(text: str) -> int:
    return len(read_account_types(text, (0,)))


def storage_of(text: str) -> object:
    return read_storage(text, MOUNTS)


def volumes_of(text: str) -> object:
    return has_removable_media(text, "")


def disks_of(text: str) -> object:
    return has_removable_media("private mounted null\n", text)


PARSERS: dict[str, Callable[[str], object]] = {
    "getprop": read_properties,
    "battery": read_battery,
    "account": count_for_owner,
    "users": read_user_ids,
    "packages": count_packages,
    "policy": has_device_owner,
    "trust": has_screen_lock,
    "df": storage_of,
    "mounts": read_mounts,
    "android_id": read_android_id,
    "boot_count": read_boot_count,
    "frp": read_frp_armed,
    "superuser": read_superuser_paths,
    "features": read_features,
    "felica": read_felica_directories,
    "volumes": volumes_of,
    "disks": disks_of,
}
EMPTY_IS_AN_ANSWER = frozenset({"packages", "features", "disks"})

DENIALS = [
    "Can't find service: x",
    "Permission Denial: can't dump from pid=1, uid=2000",
    "*** SERVICE 'x' DUMP TIMEOUT (10000ms) EXPIRED ***",
    "Exception occurred while dumping:\njava.lang.NullPointerException",
    "Security exception: Shell cannot do that",
    "/system/bin/sh: dumpsys: not found",
    "サービスが見つかりません",
    "\x00\x00",
    "null pointer",
]


@pytest.mark.parametrize("kind", sorted(PARSERS.keys() - EMPTY_IS_AN_ANSWER))
def test_nothing_is_no_answer(kind: str) -> None:
    for text in ("", "\n", "   \n\n"):
        with pytest.raises(AnswerNotRecognised):
            PARSERS[kind](text)


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize("text", DENIALS)
def test_a_denial_is_no_answer(kind: str, text: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        PARSERS[kind](text)


@pytest.mark.parametrize("kind", PARSERS)
@given(data=some.binary(max_size=400))
def test_any_bytes_give_a_value_or_a_refusal(kind: str, data: bytes) -> None:
    with suppress(AnswerNotRecognised):
        PARSERS[kind](data.decode(errors="replace"))


@pytest.mark.parametrize(
    "name",
    [
        name
        for kind in ("account", "battery", "policy", "users", "df", "trust", "getprop", "volumes")
        for name in names(kind)
    ],
)
@given(data=some.data())
def test_a_damaged_answer_gives_a_value_or_a_refusal(name: str, data: some.DataObject) -> None:
    text = answer(name)
    start = data.draw(some.integers(0, len(text)))
    end = data.draw(some.integers(start, min(len(text), start + 40)))
    damaged = text[:start] + data.draw(some.text(max_size=10)) + text[end:]
    with suppress(AnswerNotRecognised):
        PARSERS[name.partition("-")[0]](damaged)


def cuts(text: str) -> list[str]:
    """The answer cut off at every single place before its last line's end."""
    return [text[:length] for length in range(len(text.rstrip()))]


@pytest.mark.parametrize("name", names("account"))
def test_a_cut_off_account_list_never_has_fewer_accounts(name: str) -> None:
    text = answer(name)
    users = (0, 10) if "two" in name else (0, 150) if "many" in name else (0,)
    whole = read_account_types(text, users)
    refused = 0
    for cut in cuts(text):
        try:
            assert read_account_types(cut, users) == whole
        except AnswerNotRecognised:
            refused += 1
    assert refused > text.index("RegisteredServicesCache")


@pytest.mark.parametrize("name", names("policy"))
def test_a_cut_off_policy_never_loses_its_owner(name: str) -> None:
    text = answer(name)
    for cut in cuts(text):
        with suppress(AnswerNotRecognised):
            assert has_device_owner(cut) is has_device_owner(text)


@pytest.mark.parametrize("name", ["trust-9-locked", "trust-15-two-users"])
def test_a_cut_off_trust_state_never_becomes_false(name: str) -> None:
    for cut in cuts(answer(name)):
        with suppress(AnswerNotRecognised):
            assert has_screen_lock(cut) is not False


@pytest.mark.parametrize("name", names("df"))
def test_a_cut_off_df_is_refused(name: str) -> None:
    numbers_and_a_place = answer(name).partition("% /")[0] + "% /"
    for cut in cuts(numbers_and_a_place):
        with pytest.raises(AnswerNotRecognised):
            storage_of(cut)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Accounts: 1", "Accounts: 0"),
        ("Accounts: 1", "Accounts: 2"),
        ("Accounts: 1", "Konten: 1"),
        ("Accounts: 1", "Accounts: 1\n  Accounts: 1"),
        ("    Account {", "    Account ["),
        ("    Account {name=someone@example.com, type=com.google}\n", ""),
        ("RegisteredServicesCache", "Cache"),
        ("User UserInfo{0:", "User UserInfo{10:"),
    ],
)
def test_an_account_list_that_does_not_add_up_is_refused(old: str, new: str) -> None:
    text = answer("account-8-one")
    assert old in text
    with pytest.raises(AnswerNotRecognised):
        count_for_owner(text.replace(old, new))


def test_a_user_without_an_account_list_is_refused() -> None:
    with pytest.raises(AnswerNotRecognised):
        read_account_types(answer("account-8-one"), (0, 10))
    with pytest.raises(AnswerNotRecognised):
        read_account_types(answer("account-8-one") + answer("account-16-none"), (0,))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  level: 22\n", ""),
        ("  level: 22\n", "  level: 22\n  level: 23\n"),
        ("  level: 22\n", "  level: -1\n"),
        ("  level: 22\n", "  level: 101\n"),
        ("  scale: 100\n", "  scale: 0\n"),
        ("  temperature: 280\n", "  temperature: 5000\n"),
        ("  temperature: 280\n", "  temperature: hot\n"),
        ("state:\n", "state:\n  (UPDATES STOPPED -- use 'reset' to restart)\n"),
        ("Current Battery", "Aktueller Akku"),
    ],
)
def test_a_battery_beyond_belief_is_refused(old: str, new: str) -> None:
    text = answer("battery-16-pixel-8-pro")
    assert old in text
    with pytest.raises(AnswerNotRecognised):
        read_battery(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("114982996", "11498"),
        ("114982996", "0"),
        ("94844540", "-94844540"),
        ("/dev/block/dm-30", "/dev/fuse"),
        ("1K-blocks", "1024-blocks"),
        ("Filesystem", "ファイルシステム"),
        ("83% /data/user/0", "83% /data/user/0\n/dev/block/dm-1 1 1 0 1% /data"),
    ],
)
def test_a_df_that_does_not_add_up_is_refused(old: str, new: str) -> None:
    text = answer("df-16-pixel-8-pro")
    assert old in text
    with pytest.raises(AnswerNotRecognised):
        storage_of(text.replace(old, new))


@pytest.mark.parametrize(
    "text",
    ["tmpfs /tmp tmpfs rw 0 0\n", "/data\n", "x /data f2fs/evil rw 0 0\n", "x /data  rw 0 0\n"],
)
def test_a_mount_table_without_data_is_refused(text: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        read_mounts(text)


@pytest.mark.parametrize(
    "text",
    [
        "Users:\n",
        "Users:\n\tUserInfo{10:Work:30} running\n",
        "Users:\n\tUserInfo{0:A:13}\n\tUserInfo{0:B:13}\n",
        "Users:\n\tUserInfo{0:A:13}\nmore\n",
        "\tUserInfo{0:A:13}\n",
    ],
)
def test_a_user_list_that_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        read_user_ids(text)


def test_a_package_list_with_anything_else_in_it_is_refused() -> None:
    for text in ("Error: no\n", "package:a b\n", "package:a\npackage:a\n", "package:\n"):
        with pytest.raises(AnswerNotRecognised):
            count_packages(text)


@pytest.mark.parametrize("text", ["null", "0", "XYZ", "51b6be48bac8c569 x", "-1", "1e3"])
def test_settings_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        read_android_id(text)


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "99999999999"])
def test_a_boot_count_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        read_boot_count(text)


@pytest.mark.parametrize(
    "text",
    [
        "[a]: [b\n",
        "[a]: [b]\n[a]: [c]\n",
        "warning\n[a]: [b]\n",
        "a=b\n",
        "[a] [b]\n",
    ],
)
def test_properties_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        read_properties(text)


def test_a_property_outside_its_list_is_refused() -> None:
    for properties in (
        {"ro.boot.verifiedbootstate": "blue"},
        {"ro.boot.flash.locked": "yes"},
        {"ro.boot.vbmeta.device_state": "half"},
    ):
        with pytest.raises(AnswerNotRecognised):
            modification_signs(properties, ())
    assert bootloader_locked({"ro.boot.flash.locked": ""}) is None


def test_a_required_property_is_bounded_and_printable() -> None:
    assert required({"a": "x\x1b[31m\n y" + "z" * 500}, "a") == "x [31m y" + "z" * 120
    assert required({"a": "", "b": "second"}, "a", "b") == "second"
    with pytest.raises(AnswerNotRecognised, match="no a"):
        required({"a": " \t "}, "a")


def test_a_search_for_su_that_was_cut_off_is_refused() -> None:
    for text in ("/system/xbin/su\n", "/etc/passwd\nlooked everywhere\n"):
        with pytest.raises(AnswerNotRecognised):
            read_superuser_paths(text)


@given(text=some.text(max_size=300))
def test_any_text_gives_an_imei_with_its_check_digit_or_none(text: str) -> None:
    found = read_imei(text)
    assert found is None or is_imei(found)


@given(words=some.lists(some.integers(0, 2**32 - 1), max_size=14))
def test_any_parcel_gives_an_imei_with_its_check_digit_or_none(words: list[int]) -> None:
    row = " ".join(f"{word:08x}" for word in words)
    found = read_imei(f"Result: Parcel({row}   '........')")
    assert found is None or is_imei(found)
