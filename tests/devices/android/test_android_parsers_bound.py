"""However much a handset answers, what its answer is made into has a bound. All constructed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchd.devices.android.facts.accounts import read_account_types
from benchd.devices.android.facts.answers import Answers
from benchd.devices.android.facts.capability import FELICA_DIRECTORIES, read_felica_directories
from benchd.devices.android.facts.hardware import MOST_FEATURES, read_features
from benchd.devices.android.facts.packages import MOST_PACKAGES, read_packages
from benchd.devices.android.facts.properties import (
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST_PROPERTIES,
    read_properties,
)
from benchd.devices.android.facts.single_values import read_imei
from benchd.devices.android.facts.superuser import SUPERUSER_PATHS, read_superuser_paths
from benchd.devices.android.facts.users import MOST_USERS, read_user_ids
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised

END = "looked everywhere\n"


def properties(number: int) -> str:
    return "".join(f"[p{one}]: [v]\n" for one in range(number))


def users(number: int) -> str:
    return "Users:\n" + "".join(f"\tUserInfo{{{one}:x:c13}} running\n" for one in range(number))


def packages(number: int) -> str:
    return "".join(f"package:p.a{one}\n" for one in range(number))


def features(number: int) -> str:
    return "".join(f"feature:f.a{one}\n" for one in range(number))


BOUNDS: list[tuple[Callable[[str], object], str, str]] = [
    (read_properties, f"[a]: [{'v' * LONGEST_VALUE}]\n", f"[a]: [{'v' * (1 << 20)}]\n"),
    (read_properties, "[a]: [v\nw]\n", "[a]: [v\n" + "w\n" * (1 << 19) + "]\n"),
    (read_properties, f"[{'n' * LONGEST_NAME}]: [v]\n", f"[{'n' * (LONGEST_NAME + 1)}]: [v]\n"),
    (read_properties, properties(MOST_PROPERTIES), properties(MOST_PROPERTIES + 1)),
    (read_user_ids, users(MOST_USERS), users(MOST_USERS + 1)),
    (read_packages, packages(MOST_PACKAGES), packages(MOST_PACKAGES + 1)),
    (read_features, features(MOST_FEATURES), features(MOST_FEATURES + 1)),
    (
        read_superuser_paths,
        "\n".join((*SUPERUSER_PATHS, END)),
        "\n".join((*[SUPERUSER_PATHS[0]] * 100_000, END)),
    ),
    (
        read_felica_directories,
        "\n".join((*FELICA_DIRECTORIES, END)),
        "\n".join((*[FELICA_DIRECTORIES[0]] * 100_000, END)),
    ),
]


@pytest.mark.parametrize(
    ("read", "most", "more"),
    BOUNDS,
    ids=[f"{r.__name__}-{n}" for n, (r, _, _) in enumerate(BOUNDS)],
)
def test_as_much_as_there_can_be_is_read_and_no_more(
    read: Callable[[str], object], most: str, more: str
) -> None:
    assert read(most)
    with pytest.raises(AnswerNotRecognised) as refused:
        read(more)
    assert len(refused.value.detail) < 500


MEGABYTE = 1 << 20


def megabyte_of(text: str, end: str = "") -> str:
    """As much of it as an answer may hold."""
    return text * (MEGABYTE // len(text)) + end


# What is looked for again from each place of such an answer takes minutes to hours, in which no
# slot gets its turn: the suite's own limit ends a test of that.
@pytest.mark.parametrize(
    "text", [megabyte_of("\n"), megabyte_of("00000000\n"), megabyte_of(" "), megabyte_of("Parcel(")]
)
def test_a_megabyte_without_an_imei_is_read_once(text: str) -> None:
    assert read_imei(text) is None


def test_a_megabyte_of_types_in_one_account_is_read_once() -> None:
    line = megabyte_of(", type=")
    text = f"User UserInfo{{0:x:c13}}:\n  Accounts: 1\n    Account {{name={line}\n"
    with pytest.raises(AnswerNotRecognised):
        read_account_types(text, (0,))


def test_a_megabyte_of_refusals_closes_no_user() -> None:
    text = megabyte_of("SecurityException: ") + "x" * 301 + megabyte_of("access user 1 ")
    told = {"battery": Answer(command="dumpsys battery", status=0, text=text)}
    assert Answers(told).read("battery", len) == len(text)
