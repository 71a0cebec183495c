from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchd.certificate import create_key
from benchd.config import load_settings
from benchd.config.config_sections import AnchorSettings, ConfigFile, SlotSettings
from benchd.config.config_values import Section
from benchd.config.felica_section import ClearTable
from benchd.config.printers_section import PrinterSection
from benchd.config.recipes import read_recipes
from benchd.config.stages import STAGE_TABLES
from benchd.daemon.config_check import check_config
from benchd.daemon.rack_fleet import centre_target_of
from benchd.daemon.rack_traces import trace_target_of
from benchd.devices.felica.providers.external_tool import TOOL_OPTIONS
from benchd.domain.job import Reason, StageName
from benchd.lab.demo.demo_folder import LEARNERS_DEADLINE_S, make_folder
from benchd.lab.virtual_recipe import recipe_text
from benchd.proof.recheck_proof import RECHECK_STAGES
from benchd.proof.stage_order import REQUIRED_STAGES
from tests.web.certificates import Authority

CONFIGS = Path(__file__).parents[2] / "configs"
VIRTUAL_MACHINE_STAGES = CONFIGS.parent / "tests/vm/image/config/stages.toml"
RECIPES = sorted((CONFIGS / "recipes").glob("*.toml"))


def shipped() -> str:
    return (CONFIGS / "benchd.toml").read_text()


def with_slots() -> str:
    """The shipped file with the slot, the providers and the rule in its comments switched on."""
    return re.sub(r"(?m)^# (?=\[|# |[a-z_]+ = )", "", shipped())


def keys_there_are() -> Iterator[str]:
    for section, field in ConfigFile.model_fields.items():
        if section == "slots":
            yield from (f"slots.A1.{key}" for key in SlotSettings.model_fields)
        elif section in {"hooks", "printers"}:
            yield section
        else:
            model = field.annotation
            assert isinstance(model, type)
            assert issubclass(model, Section)
            keys = model.model_fields.keys() - {"providers", "anchor", "unix", "trusted_proxy"}
            yield from (f"{section}.{key}" for key in keys)
    yield from (f"ledger.anchor.{key}" for key in AnchorSettings.model_fields)
    yield from (f"http.trusted_proxy.{key}" for key in ("uid", "header", "forwarded"))
    yield "felica.providers.shop.kind"
    yield "felica.providers.licensed_tool.kind"
    yield from (f"felica.providers.licensed_tool.{key}" for key in TOOL_OPTIONS)


def keys_written(table: dict[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and key != "exit_codes":
            yield from keys_written(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def without_a_comment(text: str) -> list[str]:
    """Headers and keys that don't directly follow a comment; a name follows its header."""
    lines = text.splitlines()
    return [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if not line.startswith("#")
        and line
        and not before.startswith("#")
        and not (line.startswith("name =") and before == "[[stage]]")
    ]


def test_the_shipped_slot_example_has_no_mistake(tmp_path: Path) -> None:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    file = tmp_path / "configs" / "benchd.toml"
    secret = file.with_name("stock.secret")
    secret.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    secret.chmod(0o600)
    headers = file.with_name("traces.headers")
    headers.write_text("Authorization: Bearer x\n")
    headers.chmod(0o600)
    file.write_text(with_slots().replace("allowed_hosts = []", 'allowed_hosts = ["rack7"]'))
    file.with_name("fleet_chips.secret").write_text("0f" * 32)
    (file.parent / "tls").mkdir()
    pair = Authority(tmp_path, "authority").issue("rack")
    for name in ("collector-ca.pem", "centre-ca.pem", "rack.pem"):
        shutil.copy(pair.certificate, file.with_name(name))
    shutil.copy(pair.key, file.with_name("rack_key.pem"))
    create_key(tmp_path / "centre")
    (tmp_path / "centre.pub").rename(file.with_name("centre.pub"))
    pair.certificate.rename(file.parent / "tls" / "rack.pem")
    pair.key.rename(file.parent / "tls" / "rack_key.pem")
    settings = load_settings(file)
    assert settings.http.tls_files is not None
    assert settings.http.trusted_proxy is not None
    (place,) = settings.topology.places.values()
    assert (place.name, place.recipe) == ("A1", "overwrite")
    assert settings.felica.readers == {"A1": "usb:1-4.2.3"}
    assert trace_target_of(settings.traces) is not None
    assert centre_target_of(settings.fleet) is not None
    assert [printer.name for printer in settings.printers] == ["till"]
    assert sorted(settings.felica.providers) == ["licensed_tool", "shop"]
    assert [rule.provider for rule in settings.felica.rules] == ["licensed_tool"]


def test_every_key_is_in_the_shipped_file_and_no_other() -> None:
    written = list(keys_written(tomllib.loads(with_slots())))
    assert sorted(written) == sorted(keys_there_are())
    told = tomllib.loads(with_slots())
    (rule,) = told["felica"]["clear"]
    assert rule.keys() == ClearTable.model_fields.keys()
    # The printer has those of its kind.
    (printer,) = told["printers"]
    assert printer.keys() == PrinterSection.model_fields.keys() - {"queue", "device"}


def test_every_key_has_a_comment() -> None:
    assert without_a_comment(with_slots()) == []


def test_every_value_that_is_written_is_the_default(tmp_path: Path) -> None:
    site = tomllib.loads(shipped())["site"]
    shutil.copytree(CONFIGS, tmp_path / "configs")
    file = tmp_path / "configs" / "benchd.toml"
    whole = load_settings(file)
    file.write_text(f'site = {{ name = "{site["name"]}", address = "{site["address"]}" }}\n')
    least = load_settings(file)
    sections = ("site", "adb", "ledger", "certificate", "http", "people", "felica", "timing")
    for name in (*sections, "recipes"):
        assert getattr(least, name) == getattr(whole, name)


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_recipes_write_out_every_parameter_with_a_comment(file: Path) -> None:
    text = file.read_text()
    for table in tomllib.loads(text)["stage"]:
        assert table.keys() == STAGE_TABLES[StageName(table["name"])].model_fields.keys()
        common = {"name", "deadline_s", "attempts"}
        for key in table.keys() - common:
            assert re.search(rf"(?m)^#.*\n{key} = ", text), key
    assert [line for line in without_a_comment(text) if line.startswith("[")] == []


def test_the_recipes_of_both_virtual_racks_have_no_mistake(tmp_path: Path) -> None:
    control, adb = tmp_path / "control.sock", tmp_path / "adb.sock"
    demo = make_folder(tmp_path / "demo", (), port=8420, control_socket=control, adb_socket=adb)
    (machine := tmp_path / "overwrite.toml").write_text(
        recipe_text(**tomllib.loads(VIRTUAL_MACHINE_STAGES.read_text()))
    )
    for file in (demo.path / "recipes" / "overwrite.toml", machine):
        book = read_recipes({file: file.name})
        assert book.issues == []
        assert [spec.name for spec in book.recipes["overwrite"].stages] == [
            *REQUIRED_STAGES,
            StageName.CERTIFY,
        ]


def test_a_virtual_rack_has_no_parameters_of_a_stage_that_it_has_not() -> None:
    with pytest.raises(ValueError, match="no stages of an erasure: overwrit"):
        recipe_text({"overwrit": {}}, deadline_s=1, description_ja="", description_en="")


def test_a_question_of_a_demo_by_hand_waits_an_hour(tmp_path: Path) -> None:
    control, adb = tmp_path / "control.sock", tmp_path / "adb.sock"
    demo = make_folder(
        tmp_path / "demo",
        (),
        port=8420,
        control_socket=control,
        adb_socket=adb,
        deadline_s=LEARNERS_DEADLINE_S,
    )
    book = read_recipes({(file := demo.path / "recipes" / "overwrite.toml"): file.name})
    assert book.issues == []
    assert {spec.deadline_s for spec in book.recipes["overwrite"].stages} == {3600}


def test_the_shipped_recipes_are_the_dealers_policies() -> None:
    assert check_config(CONFIGS / "benchd.toml") == ()
    recipes = load_settings(CONFIGS / "benchd.toml").recipes
    assert {name: recipe.ends_as for name, recipe in recipes.items()} == {
        "assess": Reason.ASSESSED,
        "delete": Reason.OVERWRITE_DUE,
        "drawn_recheck": Reason.OVERWRITE_DUE,
        "overwrite": Reason.OVERWRITE_DUE,
        "recheck": Reason.RECHECKED,
        "recycle": Reason.RECYCLED,
    }
    without_adb = [name for name, recipe in recipes.items() if not recipe.needs_access]
    assert without_adb == ["drawn_recheck", "recheck"]
    assert [spec.name for spec in recipes["drawn_recheck"].stages] == list(RECHECK_STAGES)
    assert all(recipe.recheck_share == 0 for recipe in recipes.values())
    overwrite = tuple(spec.name for spec in recipes["overwrite"].stages)
    erasure = [*REQUIRED_STAGES, StageName.CERTIFY]
    erasure.insert(erasure.index(StageName.INITIALISE), StageName.FELICA_ERASE)
    assert overwrite == tuple(erasure)
    assert [spec.name for spec in recipes["delete"].stages] == [
        "inspect",
        "gates",
        "felica_check",
        "felica_erase",
        "final_reset",
        "observe",
        "confirm",
    ]
