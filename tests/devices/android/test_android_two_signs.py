"""Value is destroyed for two independent signs of a modified system, and held for one."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.devices.android.facts.modification import modification_signs
from benchd.devices.android.facts.superuser import SUPERUSER_PATHS
from benchd.domain.handset import ModificationSource
from benchd.domain.job import Reason
from benchd.proof.standing import NOTHING_FORBIDS, refusals

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
        {
            "ro.build.fingerprint": (
                "samsung/a12nsxx/a12:11/RP1A.200720.012/A125FXXU1BUE4:user/test-keys"
            )
        },
        {"ro.system.build.tags": "test-keys"},
        {"ro.build.description": "a12nsxx-user 11 A B test-keys"},
    ],
)
def test_value_the_same_without_those_is_a_sign_of_the_build(changes: dict[str, str]) -> None:
    properties = {**seen("galaxy-a12-stock-a11"), **changes}
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
    properties = {**seen("galaxy-a12-stock-a11"), **changes}
    assert len(modification_signs(properties, ())) > 1
    assert reasons(properties) == [Reason.SYSTEM_SUSPECT]
    assert reasons({**properties}, SUPERUSER_PATHS[:1]) == [Reason.SYSTEM_MODIFIED]


def test_value_a_program_for_root_alone_is_one_sign() -> None:
    properties = seen("galaxy-a12-stock-a11")
    assert reasons(properties, SUPERUSER_PATHS) == [Reason.SYSTEM_SUSPECT]
    assert reasons({**properties, "init.svc.magisk_daemon": "running"}, SUPERUSER_PATHS) == [
        Reason.SYSTEM_SUSPECT
    ]
    assert BOOT not in {sign.source for sign in modification_signs(properties, SUPERUSER_PATHS)}
