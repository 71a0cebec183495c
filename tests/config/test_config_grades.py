"""The dealer's list of grades: two that are known, or any of their own."""

from __future__ import annotations

import pytest

from benchd.domain.grade import ELEVEN, RMJ
from tests.config.config_folder import SITE, loaded, mistakes

pytestmark = pytest.mark.usefixtures("folder")

OWN = """
[[grades.own]]
code = "5S"
ja = "清掃の必要のない未開封品"
en = "unopened"

[[grades.own]]
code = "3B"
ja = "一般的な使用感"
en = "usual wear"
"""


def test_a_list_is_known_or_the_dealers_own() -> None:
    assert loaded(SITE).grades == RMJ
    assert loaded(SITE + '[grades]\npreset = "eleven"\n').grades == ELEVEN
    own = loaded(SITE + OWN).grades
    assert own.codes == "5S, 3B"
    assert own.grades[1].ja == "一般的な使用感"


def grade(code: str, ja: str = "x", en: str = "x") -> str:
    return f'[[grades.own]]\ncode = "{code}"\nja = "{ja}"\nen = "{en}"\n'


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        ('[grades]\npreset = "rmj2"\n', "found"),
        (grade(""), "at least 1"),
        (grade("LONGCODE9"), "at most 8"),
        (grade("A B"), 'found "A B", allowed are visible characters without spaces'),
        (grade("A") + grade("a"), 'found "a" twice, allowed is each grade once'),
        (grade("A") + grade("A"), 'found "A" twice, allowed is each grade once'),
        (grade("A") + grade("Ａ"), "twice, allowed is each grade once"),
        (grade("A", ja=""), "allowed is one line of text that isn't empty"),
        ('[[grades.own]]\ncode = "A"\nja = "x"\n', "is required and missing"),
        ("".join(grade(f"G{number}") for number in range(41)), "at most 40"),
    ],
)
def test_a_list_that_cant_be_is_told_at_its_place(table: str, wanted: str) -> None:
    told = mistakes(SITE + table)
    assert len(told) == 1
    assert told[0][0].startswith("grades")
    assert wanted in told[0][1]
