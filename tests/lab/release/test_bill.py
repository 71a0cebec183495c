"""The bill of materials has all that is shipped, and what has to be there beside it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from release_rig import COMMIT

from benchd.lab.release.bill import BillInvalid, bill_of
from benchd.lab.release.part import Release


@pytest.fixture(scope="module")
def bill(release: Release) -> dict[str, Any]:
    return json.loads(bill_of(release))


def of_kind(bill: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = (part for part in bill["components"] if part["bom-ref"].startswith(f"{kind}:"))
    return {part["name"]: part for part in found}


def test_every_package_that_is_pinned_for_an_installation_is_in_it(
    bill: dict[str, Any], pins: dict[str, str]
) -> None:
    found = of_kind(bill, "python")
    assert {name: part["version"] for name, part in found.items()} == pins
    for name, part in found.items():
        assert part["purl"] == f"pkg:pypi/{name}@{pins[name]}"
        assert part["licenses"], name
        assert re.fullmatch("[0-9a-f]{64}", part["hashes"][0]["content"])


def test_the_runtime_of_the_programs_for_handsets_is_in_it(bill: dict[str, Any]) -> None:
    [part] = of_kind(bill, "go").values()
    assert part["purl"] == f"pkg:golang/stdlib@{part['version']}"
    assert re.fullmatch(r"1\.\d+(\.\d+)?", part["version"])
    assert part["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]


def test_each_font_is_in_it_under_its_licence(bill: dict[str, Any]) -> None:
    fonts = of_kind(bill, "font")
    assert {name.rpartition("/")[2].partition(".")[2] for name in fonts} == {"ttf", "woff2"}
    assert all(part["licenses"] == [{"license": {"id": "OFL-1.1"}}] for part in fonts.values())


def test_what_debian_installs_is_external(bill: dict[str, Any]) -> None:
    adb = of_kind(bill, "debian")["adb"]
    assert adb["isExternal"] is True
    assert adb["purl"] == "pkg:deb/debian/adb@1:34.0.5-12?arch=amd64&distro=debian-13"


def test_what_wheels_have_inside_is_named(bill: dict[str, Any]) -> None:
    packages = of_kind(bill, "python")
    inside = {
        name: {each["name"]: each.get("version") for each in packages[name].get("components", ())}
        for name in ("cryptography", "adbutils", "anyio", "typer")
    }
    assert inside["cryptography"]["openssl"]
    assert inside["adbutils"]["adb"] is None
    assert inside["anyio"] == {}
    assert inside["typer"]["click"]
    [llhttp] = packages["aiohttp"]["components"]
    assert llhttp["licenses"] == [{"license": {"id": "MIT"}}]


def test_it_says_which_benchd_it_is_of_and_what_that_asks_for(bill: dict[str, Any]) -> None:
    told = bill["metadata"]
    assert told["timestamp"] == "2026-11-27T00:00:00+00:00"
    assert told["component"]["name"] == "benchd"
    assert {"name": "benchd:commit", "value": COMMIT} in told["component"]["properties"]
    needs = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    assert {"python:anyio", "go:stdlib", "debian:adb"} <= set(needs["benchd"])
    assert "python:idna" in needs["python:anyio"]


def test_a_bill_that_the_schema_refuses_is_never_written(release: Release) -> None:
    broken = replace(release.parts[0], sha256="not a digest")
    with pytest.raises(BillInvalid, match="schema"):
        bill_of(replace(release, parts=(broken,)))
