from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import Settings, load_settings
from benchd.daemon.config_check import check_config
from benchd.devices.felica.providers import Carrier, ClearRule, kinds
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.ids import SlotName

RECIPE = """\
name = "overwrite"
description_ja = "調べる"
description_en = "Look"

[[stage]]
name = "inspect"
deadline_s = 60
attempts = 1
"""
SITE = '[site]\nname = "Example"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "overwrite.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def messages(text: str) -> list[str]:
    Path("benchd.toml").write_text(SITE + text)
    return [str(issue) for issue in check_config(Path("benchd.toml"))]


def loaded(text: str) -> Settings:
    Path("benchd.toml").write_text(SITE + text)
    return load_settings(Path("benchd.toml"))


BASELINE = """\
[[baseline]]
name = "mine"
version = 1
kind = "{kind}"
ic_types = ["1A"]
provenance = "seen on a handset"
[[baseline.system]]
code = "FE00"
nodes = ["0000-FFFE"]
"""


def test_an_installation_offers_no_provider_of_the_virtual_rack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = '[felica.providers.tool]\nkind = "simulated"\n'
    [message] = messages(config)
    assert "a virtual rack's socket" in message
    monkeypatch.setattr(kinds, "find_spec", lambda _: None)
    [message] = messages(config)
    assert "allowed is one of external_tool, operator" in message


def test_a_simulated_baseline_is_refused_unless_the_rack_is_virtual() -> None:
    for kind in ("simulated", "observed", "inferred"):
        Path(f"{kind}.toml").write_text(BASELINE.format(kind=kind))
    named = '[felica]\nbaselines = ["{}.toml"]\n'
    for refusing in ("", "accept_simulated = false\n"):
        (message,) = messages(named.format("simulated") + refusing)
        assert "benchd.toml:4:" in message
        assert "baseline mine is simulated and true of no real chip" in message
    assert loaded(named.format("simulated") + "accept_simulated = true\n").felica.baselines
    for kind in ("observed", "inferred"):
        assert not messages(named.format(kind))


def test_a_rack_without_readers_and_providers_has_no_chip_bench() -> None:
    felica = loaded("").felica
    assert felica == FelicaSettings(readers={}, providers={})
    assert not felica.is_used


WHOLE = """\
[felica]
pcscd = ["/run/pcscd/pcscd.comm", "two/pcscd.comm"]
[felica.providers.shop]
kind = "operator"
[felica.providers.tool]
kind = "external_tool"
command = ["./tool", "{slot}"]
exit_codes = { 0 = "done" }
[[felica.clear]]
provider = "tool"
carrier = "docomo"
brand = "Sony"
model = "SO-*"
slots = ["A1"]
[[felica.clear]]
provider = "shop"
[slots.A1]
port = "pci-0000:03:00.0-usb-0:1.1"
reader = "usb:1-4.2.3"
[slots.A2]
port = "pci-0000:03:00.0-usb-0:1.2"
reader = "ACS ACR1252 1S CL Reader [ACR1252 Reader PICC]"
[slots.A3]
port = "pci-0000:03:00.0-usb-0:1.3"
"""


def test_a_whole_table_becomes_settings(folder: Path) -> None:
    felica = loaded(WHOLE).felica
    assert felica.readers == {
        "A1": "usb:1-4.2.3",
        "A2": "ACS ACR1252 1S CL Reader [ACR1252 Reader PICC]",
    }
    assert felica.pcscd == (Path("/run/pcscd/pcscd.comm"), folder / "two" / "pcscd.comm")
    assert felica.rules == (
        ClearRule(
            provider="tool",
            carrier=Carrier.DOCOMO,
            brand="Sony",
            model="SO-*",
            slots=frozenset({SlotName("A1")}),
        ),
        ClearRule(provider="shop"),
    )
    assert sorted(felica.providers) == ["shop", "tool"]
    assert felica.is_used


def test_two_slots_cant_have_one_reader() -> None:
    text = WHOLE.replace('"ACS ACR1252 1S CL Reader [ACR1252 Reader PICC]"', '"usb:1-4.2.3"')
    assert messages(text) == [
        (
            'benchd.toml:24:1: slots.A2.reader: found "usb:1-4.2.3", which is slot A1\'s in line'
            " 21; allowed is each reader once (name the USB port of readers with one name,"
            ' "usb:1-4.2.3")'
        )
    ]


MISTAKES = """\
[felica]
pcscd = []
baselines = ["missing.toml"]
[felica.providers.shop]
kind = "operater"
[felica.providers.tool]
kind = "external_tool"
command = ["./tool", "{slott}"]
exit_codes = { 0 = "done" }
[felica.providers.tool2]
kind = "external_tool"
command = ["./tool"]
exit_codes = { 0 = "don" }
[felica.providers.nothing]
[[felica.clear]]
provider = "shup"
carrier = "docomoo"
slots = ["A1", "A9"]
[slots.A1]
port = "pci-0000:03:00.0-usb-0:1.1"
reader = "usb:4.2"
"""


def test_every_mistake_is_told_at_its_place() -> None:
    assert [message.partition(", allowed")[0] for message in messages(MISTAKES)] == [
        "benchd.toml:4:1: felica.pcscd: found an array",
        'benchd.toml:7:1: felica.providers.shop.kind: found "operater"',
        (
            "benchd.toml:10:1: felica.providers.tool.command: unknown placeholder {slott} (allowed:"
            " slot, job, manufacturer, model, android, build, serial, imei, consent)"
        ),
        (
            "benchd.toml:15:1: felica.providers.tool2.exit_codes: 0: allowed is one of done,"
            " already_initial, unsupported, needs_operator, retryable, fatal"
        ),
        (
            "benchd.toml:16:19: felica.providers.nothing.kind: is required and missing;"
            " add the key kind"
        ),
        'benchd.toml:18:1: felica.clear[1].provider: found "shup"',
        'benchd.toml:19:1: felica.clear[1].carrier: found "docomoo"',
        'benchd.toml:20:16: felica.clear[1].slots[2]: found "A9"',
        'benchd.toml:23:1: slots.A1.reader: found "usb:4.2"',
    ]


def test_words_that_are_nearly_right_are_suggested() -> None:
    told = messages(MISTAKES)
    assert 'did you mean "operator"?' in told[1]
    assert 'did you mean "shop"?' in told[5]
    assert 'did you mean "docomo"?' in told[6]


def test_a_baseline_that_cant_be_read_is_told() -> None:
    (told,) = messages('[felica]\nbaselines = ["missing.toml"]\n')
    assert told.startswith("benchd.toml:4:1: felica.baselines: ")
    assert "missing.toml" in told


def test_a_baseline_with_a_mistake_is_told(folder: Path) -> None:
    (folder / "mine.toml").write_text("version = 7\n")
    told = messages('[felica]\nbaselines = ["mine.toml"]\n')
    assert told
    assert all("mine.toml" in message for message in told)


@pytest.mark.parametrize("felica", ["felica = 1", "felica = { providers = 1, clear = 2 }"])
def test_tables_of_the_wrong_shape_are_told_and_break_nothing(felica: str) -> None:
    Path("benchd.toml").write_text(f"{felica}\n{SITE}")
    assert check_config(Path("benchd.toml"))
