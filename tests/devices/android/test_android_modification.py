"""Systems that aren't their makers': what gives them away, and what each sign alone is worth."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from handset_fakes import SEEN as ANSWERS_SEEN
from handset_fakes import answer, names

from benchd.devices.android.facts.modification import MOST_OF_A_KIND, Sign, modification_signs
from benchd.devices.android.facts.properties import read_properties
from benchd.devices.android.facts.protection import bootloader_locked, verified_boot_state
from benchd.devices.android.facts.superuser import SUPERUSER_PATHS
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.handset import ModificationSource
from benchd.domain.job import Reason
from benchd.proof.handset_refusals import NOTHING_FORBIDS, refusals

STOCK = {
    "ro.build.fingerprint": "Sony/SO-53C/SO-53C:13/67.1.B.2.40/067001B:user/release-keys",
    "ro.build.id": "67.1.B.2.40",
    "ro.build.version.release": "13",
    "ro.build.version.incremental": "067001B",
    "ro.build.type": "user",
    "ro.build.tags": "release-keys",
    "ro.product.brand": "Sony",
    "ro.product.device": "SO-53C",
    "ro.product.name": "SO-53C",
}


def signs(**changes: str) -> tuple[str, ...]:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return texts(modification_signs({**STOCK, **named}, ()))


def texts(found: tuple[Sign, ...]) -> tuple[str, ...]:
    return tuple(sign.text for sign in found)


def test_a_custom_rom_that_calls_itself_clean_is_found() -> None:
    properties = read_properties(answer("getprop-15-hidden-custom-rom"))
    assert texts(modification_signs(properties, ())) == (
        "ro.crdroid.version=15.0",
        "ro.lineage.device=peridot",
        "ro.build.flavor=lineage_peridot-userdebug",
        "ro.build.display.id=lineage_peridot-userdebug 15 BP1A.250405.007 601 release-keys",
        "ro.build.fingerprint: release 14, not 15",
        "ro.build.fingerprint: id UKQ1.240624.001, not BP1A.250405.007",
    )


@pytest.mark.parametrize(
    "name", ["getprop-10-xperia", "getprop-11-vivo", "getprop-14-honor", "getprop-8-capitals"]
)
def test_stock_systems_have_no_sign(name: str) -> None:
    assert modification_signs(read_properties(answer(name)), ()) == ()


OPPO = answer("getprop-8-oppo")
DEV_KEYS = "ro.build.tags=dev-keys"


def of_oppo(old: str = "", new: str = "") -> set[str]:
    assert old in OPPO
    return set(texts(modification_signs(read_properties(OPPO.replace(old, new)), ())))


def test_only_a_stock_system_whose_maker_calls_its_keys_so_is_stock() -> None:
    assert of_oppo() == set()
    # An open boot chain is a sign beside them, and no other sign is excused with them.
    assert of_oppo("[green]", "[orange]") == {"ro.boot.verifiedbootstate=orange", DEV_KEYS}
    assert "ro.debuggable=1" in of_oppo("[ro.build.id]", "[ro.debuggable]: [1]\n[ro.build.id]")
    for tags in ("test-keys", "dev-keys,test-keys", "dev-keys ", "Dev-keys"):
        found = of_oppo("[ro.build.tags]: [dev-keys]", f"[ro.build.tags]: [{tags}]")
        assert any(sign.startswith("ro.build.tags=") for sign in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[ro.product.manufacturer]: [OPPO]", "[ro.product.manufacturer]: [OnePlus]"),
        ("[ro.product.manufacturer]: [OPPO]", "[ro.product.manufacturer]: [OPPO ]"),
        ("[ro.product.manufacturer]: [OPPO]\n", ""),
        ("[ro.build.version.opporom]: [V5.0]\n", ""),
        ("[ro.build.version.opporom]: [V5.0]", "[ro.build.version.opporom]: [V6.0]"),
        ("[ro.build.release_type]: [true]", "[ro.build.release_type]: [false]"),
        ("[ro.boot.verifiedbootstate]: [green]\n", ""),
        ("[ro.build.flavor]: [sdm660_64-user]", "[ro.build.flavor]: [sdm660_64-userx]"),
        ("OPPO/PAAM00/PAAM00:8.1.0", "OPPO/PAAM00/PAAM00:9"),
        ("1527522509:user/release-keys", "1527522509:user/dev-keys"),
        ("1527522509:user/release-keys", "eng.me.20240101.000000:user/release-keys"),
        ("eng.root.20181031.232112", "eng.me.20181031.232112"),
        ("eng.root.20181031.232112", "eng.root.20181031.232112x"),
        ("[ro.build.type]: [user]", "[ro.build.type]: [userdebug]"),
        ("[ro.build.version.release]: [8.1.0]", "[ro.build.version.release]: [14]"),
    ],
)
def test_anything_else_with_such_keys_is_as_modified_as_ever(old: str, new: str) -> None:
    assert DEV_KEYS in of_oppo(old, new)


@pytest.mark.parametrize("name", names("getprop"))
def test_lines_may_end_as_in_dos(name: str) -> None:
    text = answer(name)
    if "\n[vendor.debug.note]" in text:  # a value that spans lines keeps their ends
        return
    assert read_properties(text.replace("\n", "\r\n")) == read_properties(text)


@pytest.mark.parametrize("state", ["GREEN", "Green", "green"])
def test_boot_words_come_in_any_case(state: str) -> None:
    assert verified_boot_state({"ro.boot.verifiedbootstate": state}) == "green"
    assert signs(ro__boot__verifiedbootstate=state) == ()
    assert bootloader_locked({"ro.boot.vbmeta.device_state": "LOCKED"}) is True
    assert signs(ro__boot__verifiedbootstate="Orange") == ("ro.boot.verifiedbootstate=orange",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ro.boot.verifiedbootstate", "greenish"),
        ("ro.boot.flash.locked", "2"),
        ("ro.debuggable", "true"),
        ("ro.build.type", "userdebag"),
        ("ro.secureboot.lockstate", "?"),
        ("ro.build.fingerprint", "Sony/SO-53C:13/67.1.B.2.40"),
    ],
)
def test_an_unknown_word_is_a_problem(name: str, value: str) -> None:
    with pytest.raises(AnswerNotRecognised, match=name):
        modification_signs({**STOCK, name: value}, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ro.debuggable", "1"),
        ("ro.secure", "0"),
        ("ro.adb.secure", "0"),
        ("service.adb.root", "1"),
        ("ro.secureboot.lockstate", "unlocked"),
        ("ro.build.tags", "test-keys"),
        ("ro.build.tags", "dev-keys"),
        ("ro.system.build.tags", "test-keys"),
        ("ro.build.description", "x-user 13 A B test-keys"),
        ("ro.lineage.version", "20"),
        ("ro.modversion", "18.1-20210101"),
        ("ro.cm.version", "11"),
        ("ro.crdroid.version", "9"),
        ("init.svc.magisk_daemon", "running"),
        ("ro.build.flavor", "lineage_pdx-user"),
        ("ro.build.flavor", "aosp_pdx-userdebug"),
        ("ro.build.display.id", "SO-53C-eng 13 x"),
        ("ro.product.system.name", "crdroid_pdx"),
    ],
)
def test_each_sign_is_enough(name: str, value: str) -> None:
    assert texts(modification_signs({**STOCK, name: value}, ())) == (f"{name}={value}",)


@pytest.mark.parametrize(
    ("fingerprint", "part"),
    [
        ("Sony/SO-53C/SO-53C:12/67.1.B.2.40/067001B:user/release-keys", "release"),
        ("Sony/SO-53C/SO-53C:13/67.1.B.2.41/067001B:user/release-keys", "id"),
        ("Sony/SO-53C/SO-53C:13/67.1.B.2.40/067001B:userdebug/release-keys", "type"),
        ("google/SO-53C/SO-53C:13/67.1.B.2.40/067001B:user/release-keys", "brand"),
        ("Sony/raven/raven:13/67.1.B.2.40/067001B:user/release-keys", "device"),
    ],
)
def test_a_fingerprint_that_contradicts_the_rest_is_a_sign(fingerprint: str, part: str) -> None:
    [sign] = signs(ro__build__fingerprint=fingerprint)
    assert sign.startswith(f"ro.build.fingerprint: {part} ")


@pytest.mark.parametrize(
    "changes",
    [
        {"ro__build__version__incremental": "eng.root.20181031"},
        {"ro__build__version__release": "13.0"},
        {"ro__product__brand": "docomo", "ro__product__manufacturer": "Sony"},
        {"ro__product__device": "pdx213", "ro__build__product": "SO-53C"},
        {"ro__bootimage__build__fingerprint": "a/b/c:13/d/e:user/test-keys"},
        {"ro__vendor__build__tags": "test-keys"},
        {"ro__build__tags": "ota-rel-keys,release-keys"},
        {"ro__modversion": ""},
        {"ro__build__flavor": "so53c-user"},
        {"ro__build__selinux": "0"},
    ],
)
def test_what_stock_systems_do_is_no_sign(changes: dict[str, str]) -> None:
    assert signs(**changes) == ()


def test_signs_are_few_and_short() -> None:
    many = {f"ro.lineage.{number}": "x" * 500 for number in range(500)}
    found = texts(modification_signs({**STOCK, **many}, ()))
    assert len(found) == MOST_OF_A_KIND
    assert all(len(sign) < 220 for sign in found)


SEEN = tomllib.loads((Path(__file__).parent / "systems_seen.toml").read_text())["system"]
STOCK_WITH_KEYS = ("galaxy-a12-stock-a11", "galaxy-a41-stock-a12", "redmi-note10-mojito-stock-a11")
BUILD, BOOT = ModificationSource.BUILD, ModificationSource.BOOT_CHAIN


def reasons(properties: Mapping[str, str], su: tuple[str, ...] = ()) -> list[Reason]:
    signs = modification_signs(properties, su)
    handset = replace(
        NOTHING_FORBIDS,
        modification_signs=tuple(sign.text for sign in signs),
        modification_sources=tuple(sign.source for sign in signs),
    )
    return [reason for reason, _ in refusals(handset)]


def seen(name: str) -> dict[str, str]:
    [system] = [system for system in SEEN if system["name"] == name]
    return dict(system["properties"])


@pytest.mark.parametrize("system", SEEN, ids=lambda system: system["name"])
def test_value_each_system_that_was_seen_goes_where_it_belongs(system: dict[str, object]) -> None:
    properties, sources = system["properties"], system["sources"]
    assert isinstance(properties, dict)
    assert isinstance(sources, list)
    found = {str(sign.source) for sign in modification_signs(properties, ())}
    assert sorted(found) == sources
    expected = {0: [], 1: [Reason.SYSTEM_SUSPECT]}.get(len(sources), [Reason.SYSTEM_MODIFIED])
    assert reasons(properties) == expected


def test_thirty_stock_systems_of_twelve_makers_pass_and_each_is_named_with_its_source() -> None:
    stock = [system["properties"] for system in SEEN if not system["sources"]]
    names = ("ro.product.brand", "ro.product.system.brand", "ro.product.manufacturer")
    brands = {next(p[name] for name in names if name in p).casefold() for p in stock}
    assert (len(stock) >= 30, len(brands) >= 12) == (True, True)
    assert len(SEEN) - len(stock) >= 10
    page = (Path(__file__).parents[3] / "docs/systems.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert rows == {one["name"] for one in (*SEEN, *ANSWERS_SEEN)}


A12 = seen("galaxy-a12-stock-a11")


@pytest.mark.parametrize("name", STOCK_WITH_KEYS)
def test_value_a_property_of_test_keys_says_nothing_beside_release_keys(name: str) -> None:
    properties = seen(name)
    assert properties["ro.build.keys"] == "test-keys"
    assert reasons(properties) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"ro.build.tags": "test-keys"},
        {"ro.build.tags": ""},
        {"ro.build.fingerprint": ""},
        {"ro.build.fingerprint": A12["ro.build.fingerprint"].replace("release-", "test-")},
        {"ro.system.build.tags": "test-keys"},
        {"ro.build.description": "a12nsxx-user 11 A B test-keys"},
    ],
)
def test_value_the_same_without_those_is_a_sign_of_the_build(changes: dict[str, str]) -> None:
    properties = {**A12, **changes}
    assert {sign.source for sign in modification_signs(properties, ())} == {BUILD}
    assert reasons(properties) == [Reason.SYSTEM_SUSPECT]


@pytest.mark.parametrize(
    "changes",
    [
        {
            "ro.boot.verifiedbootstate": "orange",
            "ro.boot.flash.locked": "0",
            "ro.boot.vbmeta.device_state": "unlocked",
            "ro.boot.warranty_bit": "1",
            "ro.secureboot.lockstate": "unlocked",
        },
        {
            "ro.build.type": "userdebug",
            "ro.build.tags": "test-keys",
            "ro.debuggable": "1",
            "ro.secure": "0",
            "ro.adb.secure": "0",
            "service.adb.root": "1",
            "ro.build.flavor": "a12-userdebug",
        },
        {"ro.lineage.version": "20", "ro.build.flavor": "lineage_a12-userdebug"},
        {
            "ro.build.version.release_or_codename": "",
            "ro.build.version.release": "12",
            "ro.build.id": "SP1A",
        },
    ],
    ids=["boot chain", "build", "other system", "fingerprint"],
)
def test_value_signs_with_one_cause_are_one(changes: dict[str, str]) -> None:
    properties = {**A12, **changes}
    assert len(modification_signs(properties, ())) > 1
    assert reasons(properties) == [Reason.SYSTEM_SUSPECT]
    assert reasons(properties, SUPERUSER_PATHS[:1]) == [Reason.SYSTEM_MODIFIED]


def test_value_a_program_for_root_alone_is_one_sign() -> None:
    assert reasons(A12, SUPERUSER_PATHS) == [Reason.SYSTEM_SUSPECT]
    running = {**A12, "init.svc.magisk_daemon": "running"}
    assert reasons(running, SUPERUSER_PATHS) == [Reason.SYSTEM_SUSPECT]
    assert BOOT not in {sign.source for sign in modification_signs(A12, SUPERUSER_PATHS)}
