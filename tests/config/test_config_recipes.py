from __future__ import annotations

import hashlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from benchd.config.recipes import RecipeBook, RecipeFile, read_recipes, recipe_files
from benchd.config.stages import STAGE_TABLES, table_of
from benchd.domain.job import ENDS_WITHOUT_ERASURE, Gate, StageName
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.pipelines.stages.gates import GatesStage
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.pipelines.stages.inspect import InspectStage

PARAMETERS = {
    StageName.INITIALISE: "fresh_used_bytes = 1000",
    StageName.READ_BACK: "minimum_coverage = 0.8",
}
HEADER = 'name = "trial"\ndescription_ja = "試す"\ndescription_en = "Try"\n'
CERTIFIED = [
    "inspect",
    "gates",
    "felica_check",
    "initialise",
    "overwrite",
    "read_back",
    "felica_clear",
    "felica_recheck",
    "final_reset",
    "observe",
    "confirm",
    "certify",
]


def stage(name: str, more: str | None = None) -> str:
    """Five lines and a blank one, so that stage n of a recipe has its name in line 5 * n + 5."""
    parameters = PARAMETERS.get(StageName(name), "") if more is None else more
    return f'[[stage]]\nname = "{name}"\ndeadline_s = 90000\nattempts = 1\n{parameters}\n'


def recipe(*stages: str) -> str:
    return HEADER + "".join(text if "\n" in text else stage(text) for text in stages)


def read(tmp_path: Path, text: str) -> RecipeBook:
    file = tmp_path / "trial.toml"
    file.write_text(text)
    return read_recipes({file: "trial.toml"})


def issues(tmp_path: Path, text: str) -> list[str]:
    return [str(issue) for issue in read(tmp_path, text).issues]


def assert_begin(found: list[str], wanted: list[str]) -> None:
    assert len(found) == len(wanted)
    for message, start in zip(found, wanted, strict=True):
        assert message.startswith(f"trial.toml:{start}")


def test_a_recipe_is_its_stages_with_their_parameters(tmp_path: Path) -> None:
    text = recipe(
        "inspect",
        stage("gates", 'attest = ["consent"]'),
        stage("initialise", 'fresh_used_bytes = 5\nmethod = "guided"\nleave_within_s = 1'),
    )
    found = read(tmp_path, text).recipes["trial"]
    assert found.digest == hashlib.sha256(text.encode()).hexdigest()
    assert [spec.name for spec in found.stages] == ["inspect", "gates", "initialise"]
    assert found.stages[0].deadline_s == 90000.0
    assert found.stages[1].stage == GatesStage(attest=(Gate.CONSENT,))
    assert found.stages[2].stage == InitialiseStage(
        fresh_used_bytes=5, method="guided", leave_within_s=1
    )


@pytest.mark.parametrize(
    ("name", "parameter", "wanted"),
    [
        ("gates", "minimum_battery = 3", 'did you mean "minimum_battery_percent"?'),
        ("gates", "minimum_battery_percent = 101", "found 101, allowed is at most 100"),
        ("gates", 'minimum_battery_percent = "30"', 'found "30", allowed is a whole number'),
        ("gates", 'attest = "consent"', 'found "consent", allowed is an array'),
        ("gates", 'attest = ["confirm"]', 'found "confirm", allowed is one of consent, jpki'),
        (
            "gates",
            'attest = ["concent"]',
            'found "concent", allowed is one of consent, jpki, network; did you mean "consent"?',
        ),
        ("initialise", "", "is required and missing; add the key fresh_used_bytes"),
        ("initialise", "fresh_used_bytes = 0", "found 0, allowed is more than 0"),
        ("initialise", "fresh_used_bytes = 1.5", "found 1.5, allowed is a whole number"),
        (
            "initialise",
            'fresh_used_bytes = 1\nmethod = "test_harnes"',
            'allowed is one of test_harness, guided; did you mean "test_harness"?',
        ),
        ("overwrite", "file_bytes = 5000000", "found 5000000, allowed is a multiple of 4096"),
        ("overwrite", "stall_s = 9000000", "found 9000000, allowed is at most 2592000"),
        ("overwrite", "stall_s = true", "found true, allowed is a number"),
        ("read_back", "minimum_coverage = 0", "found 0, allowed is at least 0.8"),
        ("read_back", "minimum_coverage = 1.1", "found 1.1, allowed is at most 1"),
        ("read_back", "minimum_coverage = nan", "found nan, allowed is a finite number"),
        ("read_back", "minimum_coverage = 1\nhost_samples = 7", "found 7, allowed is at least 8"),
        ("certify", "stall_s = 3", "unknown key (allowed here: name, deadline_s, attempts)"),
    ],
)
def test_parameters_are_held_against_the_stage(
    tmp_path: Path, name: str, parameter: str, wanted: str
) -> None:
    ready = CERTIFIED[: CERTIFIED.index(name)]
    after = ["read_back"] if name == "overwrite" else []
    (message,) = issues(tmp_path, recipe(*ready, stage(name, parameter), *after))
    assert wanted in message
    assert f": stage[{name}]." in message


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('name = "inspekt"', '5:1: stage[inspekt].name: found "inspekt", allowed is one of insp'),
        ("name = 3", "5:1: stage[1].name: found 3, allowed is one of inspect"),
        ("deadline_s = 0", "6:1: stage[inspect].deadline_s: found 0, allowed is more than 0"),
        ("deadline_s = inf", "6:1: stage[inspect].deadline_s: found inf, allowed is a finite"),
        ("attempts = 0", "7:1: stage[inspect].attempts: found 0, allowed is at least 1"),
        ("attempts = 11", "7:1: stage[inspect].attempts: found 11, allowed is at most 10"),
        ("attempts = 2.0", "7:1: stage[inspect].attempts: found 2.0, allowed is a whole number"),
    ],
)
def test_every_stage_has_a_name_a_deadline_and_attempts(
    tmp_path: Path, line: str, wanted: str
) -> None:
    key = line.split(maxsplit=1)[0]
    text = re.sub(rf"(\[\[stage]](?:\n.*)*?\n){key} = .*", rf"\g<1>{line}", recipe("inspect"))
    (message,) = issues(tmp_path, text)
    assert message.startswith(f"trial.toml:{wanted}")
    (message,) = issues(tmp_path, text.replace(f"{line}\n", "\n"))
    assert message.startswith("trial.toml:4:3: stage[")
    assert message.endswith(f".{key}: is required and missing; add the key {key}")


@pytest.mark.parametrize(
    ("stages", "wanted"),
    [
        (["inspect", "inspect"], ["10:1: stage[inspect].name: inspect stands in line 5 already"]),
        (["gates"], ["5:1: stage[gates].name: gates needs inspect before it"]),
        (["observe", "final_reset"], ["5:1: stage[observe].name: observe needs final_reset be"]),
        (
            ["inspect", "overwrite", "confirm", "read_back"],
            [
                "10:1: stage[overwrite].name: overwrite leaves the storage full",
                "20:1: stage[read_back].name: read_back reads what overwrite wrote",
            ],
        ),
        (
            [name for name in CERTIFIED if name not in ("initialise", "confirm")],
            ["50:1: stage[certify].name: certify needs initialise, confirm before it; allowed is"],
        ),
        (
            ["felica_check", *(name for name in CERTIFIED if name != "felica_check")],
            ["60:1: stage[certify].name: certify needs another order; allowed is inspect → gates"],
        ),
        (
            [*CERTIFIED[:10], "certify", "confirm"],
            [
                "55:1: stage[certify].name: certify needs confirm before it",
                "55:1: stage[certify].name: certify is the last stage",
            ],
        ),
        (
            ["inspect", stage("gates", 'attest = ["network", "jpki"]'), *CERTIFIED[2:]],
            ["13:1: stage[gates].attest: consent missing; a recipe with certify has to ask for"],
        ),
        (
            ["inspect", "felica_clear"],
            ["10:1: stage[felica_clear].name: felica_clear needs gates before it"],
        ),
        (
            ["inspect", stage("gates", 'attest = ["network"]'), "felica_clear"],
            ["13:1: stage[gates].attest: felica_clear needs consent among what is asked for"],
        ),
        (
            ["inspect", "gates", "felica_check", "initialise", "felica_erase"],
            ["25:1: stage[felica_erase].name: felica_erase can't come after initialise"],
        ),
        (
            [*CERTIFIED[:6], "felica_erase", *CERTIFIED[6:]],
            ["35:1: stage[felica_erase].name: felica_erase can't come after initialise"],
        ),
        (
            ["inspect", "felica_erase"],
            ["10:1: stage[felica_erase].name: felica_erase needs gates, felica_check before it"],
        ),
        (
            ["inspect", stage("gates", 'attest = ["jpki"]'), "felica_check", "felica_erase"],
            ["13:1: stage[gates].attest: felica_erase needs consent among what is asked for"],
        ),
        (
            [stage("final_reset", "return_within_s = 89400")],
            ["6:1: stage[final_reset].deadline_s: found 90000, allowed is more than the stage"],
        ),
    ],
)
def test_rules_between_stages(tmp_path: Path, stages: list[str], wanted: list[str]) -> None:
    assert_begin(issues(tmp_path, recipe(*stages)), wanted)


RECHECK = ["find_drawn", "recheck", "certify_drawn"]


@pytest.mark.parametrize("share", ["-0.1", "1.1", "nan", '"5 %"'])
def test_a_share_is_one(tmp_path: Path, share: str) -> None:
    [message] = issues(tmp_path, f"recheck_share = {share}\n{recipe(*CERTIFIED)}")
    assert "recheck_share: found" in message


ERASES_ITSELF = [*CERTIFIED[:3], "felica_erase", *CERTIFIED[3:]]


@pytest.mark.parametrize(
    ("head", "stages"),
    [("", CERTIFIED), ("", ERASES_ITSELF), ("needs_adb = false\n", RECHECK)],
)
def test_the_certified_order_and_that_of_a_recheck_are_no_mistake(
    tmp_path: Path, head: str, stages: list[str]
) -> None:
    assert issues(tmp_path, head + recipe(*stages)) == []


def test_a_misspelt_stage_is_one_mistake_not_two(tmp_path: Path) -> None:
    text = recipe(*CERTIFIED).replace('"overwrite"', '"overwrit"')
    (message,) = issues(tmp_path, text)
    assert 'did you mean "overwrite"?' in message


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (HEADER, "3:1: stage: is required and missing; add the key stage"),
        (HEADER + "stage = []\n", "4:1: stage: found an array, allowed is at least 1 of them"),
        (HEADER + "stage = 3\n", "4:1: stage: found 3, allowed is an array"),
        (HEADER + "stage = [3]\n", "4:10: stage[1]: found 3, allowed is a table"),
        (recipe("inspect").replace("trial", "trail"), '1:1: name: found "trail", allowed is the'),
        (recipe("inspect").replace("trial", "Trial"), '1:1: name: found "Trial", allowed as a'),
        (recipe("inspect").replace("Try", " "), '3:1: description_en: found " ", allowed is one'),
    ],
)
def test_the_file_itself(tmp_path: Path, text: str, wanted: str) -> None:
    assert_begin(issues(tmp_path, text), [wanted])


def test_a_recipe_with_a_mistake_is_known_but_not_there(tmp_path: Path) -> None:
    book = read(tmp_path, recipe("gates"))
    assert (book.names, book.recipes, book.descriptions) == ({"trial"}, {}, {})


def test_only_visible_toml_files_are_recipes(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", ".#a.toml", "a.toml~", "README"):
        (tmp_path / name).touch()
    assert [file.name for file in recipe_files(tmp_path)] == ["a.toml", "b.toml"]


def test_every_stage_there_is_can_be_configured() -> None:
    for name, stage_class in STAGE_CLASSES.items():
        parameters = inspect.signature(stage_class).parameters
        assert STAGE_TABLES[name].model_fields.keys() == {
            *("name", "deadline_s", "attempts"),
            *parameters,
        }


def test_a_stage_with_a_number_without_limits_gets_no_table() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class PaintStage(InspectStage):
        coats: int = 3

    with pytest.raises(TypeError, match=r"PaintStage\.coats has no limits"):
        table_of(PaintStage)


@pytest.mark.parametrize("name", list(STAGE_TABLES))
def test_the_defaults_of_every_stage_are_within_its_limits(tmp_path: Path, name: str) -> None:
    table = {"name": name, "deadline_s": 1.0, "attempts": 1}
    table |= {"fresh_used_bytes": 1} if name == "initialise" else {}
    table |= {"minimum_coverage": 1.0} if name == "read_back" else {}
    STAGE_TABLES[StageName(name)].model_validate(table)


END = 'ends_as = "{}"\n'
NO_ADB = "needs_adb = false\n"
ENDS = {
    "unknown end": (
        END.format("erased"),
        ["inspect"],
        'found "erased", allowed is one of overwrite_due, assessed, rechecked, recycled',
    ),
    "certify with an end of its own": (
        END.format("assessed"),
        CERTIFIED,
        "a recipe with certify ends with its certificate",
    ),
    "an assessment that resets": (
        END.format("assessed"),
        ["inspect", "felica_check", "assess", "final_reset"],
        "a recipe that ends as assessed changes nothing on the handset",
    ),
    "a re-check without a look": (
        END.format("rechecked"),
        ["felica_recheck"],
        "rechecked needs look among the stages",
    ),
    "a recycling that doesn't clear": (
        END.format("recycled"),
        ["inspect", "gates", "felica_check", "felica_recheck"],
        "among the stages",
    ),
    "a stage that needs adb": (
        NO_ADB,
        ["inspect", "look"],
        "inspect needs adb, and needs_adb is false",
    ),
    "a certificate without adb": (NO_ADB, CERTIFIED, "overwrite needs adb, and needs_adb is false"),
    "assess without a look at the chip": ("", ["inspect", "assess"], "assess needs felica_check"),
    "assess first": ("", ["assess", *CERTIFIED], "assess needs inspect, felica_check before it"),
    "certify that lets something through": (
        "",
        ["inspect", stage("gates", 'accept = ["locked"]'), *CERTIFIED[2:]],
        "a recipe with certify lets nothing through",
    ),
    "acceptance of what is never accepted": (
        "",
        ["inspect", stage("gates", 'accept = ["watch_listed"]')],
        'found "watch_listed", allowed is one of system_modified',
    ),
    "less patience than the battery needs": (
        "",
        ["inspect", stage("gates", "charge_within_s = 90000")],
        "allowed is more than the stage may wait: charge_within_s = 90000",
    ),
    "a draw without certify": (
        "recheck_share = 0.5\n",
        ["inspect"],
        "only a recipe with certify draws",
    ),
    "a recheck without its first stage": (NO_ADB, RECHECK[1:], "and nothing else"),
    "a recheck in another order": (NO_ADB, [RECHECK[0], *RECHECK[:0:-1]], "and nothing else"),
    "a recheck with one more stage": (NO_ADB, ["look", *RECHECK], "and nothing else"),
    "a recheck without its last stage": (NO_ADB, RECHECK[:2], "and nothing else"),
    "a recheck with adb": ("", RECHECK, "allowed is needs_adb = false"),
    "a recheck with an end of its own": (
        NO_ADB + END.format("overwrite_due"),
        RECHECK,
        "ends with the drawn job's certificate",
    ),
}


def test_every_end_without_an_erasure_can_be_named_and_no_other() -> None:
    assert get_args(RecipeFile.model_fields["ends_as"].annotation) == ENDS_WITHOUT_ERASURE


@pytest.mark.parametrize("case", ENDS)
def test_a_recipe_says_no_more_than_it_does(tmp_path: Path, case: str) -> None:
    head, stages, message = ENDS[case]
    found = issues(tmp_path, head + recipe(*stages))
    assert [told for told in found if message in told], found


def test_a_watch_list_is_read_with_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "wanted.txt").write_text(
        "\ufeff# police, 2026-11\n356938035643809\n\n49-015420-323751-8 # stolen in Osaka\n",
        encoding="utf-8",
    )
    text = recipe("inspect", stage("gates", 'watch_list = "wanted.txt"'))
    gates = read(tmp_path, text).recipes["trial"].stages[1].stage
    assert isinstance(gates, GatesStage)
    assert gates.watch_list is not None
    assert gates.watch_list.wanted.imeis == {"356938035643809", "490154203237518"}
    assert "356938035643809" not in repr(gates)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"356938035643808\n490154203237518\n35693803564380\n", "line 1, line 3 should be an IMEI"),
        (b"\xff\xfe\x00", "line 1 should be an IMEI"),
        (b"x\n" * 9, "line 5 and 4 more should be an IMEI"),
        (None, "doesn't exist"),
    ],
)
def test_mistakes_in_a_watch_list_are_told_without_its_numbers(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / "wanted.txt").write_bytes(content)
    text = recipe("inspect", stage("gates", 'watch_list = "wanted.txt"'))
    [told] = issues(tmp_path, text)
    assert message in told
    assert "stage[gates].watch_list" in told
    assert "35693803564380" not in told
