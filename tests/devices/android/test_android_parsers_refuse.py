"""What isn't recognised is refused: nothing garbled, cut off, denied, endless or empty is a value.

Damaged answers are refused or read as dirty as they were; nothing else is ever raised.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from damage import SUBJECTS, Subject, cut
from damage_of_facts import DAMAGES, DIRT, OneAnswer
from handset_fakes import answer, names
from hypothesis import given
from hypothesis import strategies as some

from benchd.devices.android.facts.accounts import read_account_types
from benchd.devices.android.facts.answers import Answers
from benchd.devices.android.facts.capability import FELICA_DIRECTORIES, read_felica_directories
from benchd.devices.android.facts.fact_table import FACTS, QUESTIONS
from benchd.devices.android.facts.hardware import (
    MOST_FEATURES,
    has_sim,
    read_battery,
    read_features,
)
from benchd.devices.android.facts.modification import modification_signs
from benchd.devices.android.facts.packages import MOST_PACKAGES, count_packages, read_packages
from benchd.devices.android.facts.policy import has_device_owner
from benchd.devices.android.facts.properties import (
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST_PROPERTIES,
    read_properties,
    required,
)
from benchd.devices.android.facts.protection import bootloader_locked
from benchd.devices.android.facts.single_values import (
    is_imei,
    read_android_id,
    read_boot_count,
    read_imei,
)
from benchd.devices.android.facts.statfs import read_statfs
from benchd.devices.android.facts.storage_answers import read_mounts, read_storage
from benchd.devices.android.facts.superuser import SUPERUSER_PATHS, read_superuser_paths
from benchd.devices.android.facts.users import MOST_USERS, read_user_ids
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised, OtherUserClosed
from benchd.domain.job import Reason

EACH = 2_000
EACH_BY_NIGHT = 100_000
MOUNTS = read_mounts(answer("mounts-16-f2fs"))
UNKNOWN_WHEN_REFUSED = {
    *("imei", "nfc", "nfc that was seen", "files", "rows"),
    *("leftovers", "listed abis", "abis", "complaint", "packets"),
}
"""Also what finds nothing in a denial, and asks for nothing to be there."""
EMPTY_IS_AN_ANSWER = {"packages", "preinstalled", "features", "no chip", "disks"}
REFUSING = sorted(SUBJECTS.keys() - UNKNOWN_WHEN_REFUSED)
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


@pytest.mark.parametrize("kind", REFUSING)
def test_neither_nothing_nor_a_denial_is_an_answer(kind: str) -> None:
    nothing = () if kind in EMPTY_IS_AN_ANSWER else ("", "\n", "   \n\n")
    for subject in SUBJECTS[kind]:
        for text in (*DENIALS, *nothing):
            with pytest.raises(AnswerNotRecognised):
                subject.dirt(text)


@pytest.mark.parametrize(
    ("kind", "place"), [(kind, place) for kind, of in SUBJECTS.items() for place in range(len(of))]
)
@given(data=some.data())
def test_anything_gives_a_value_or_a_refusal(kind: str, place: int, data: some.DataObject) -> None:
    """Any bytes, and an answer with any text in the place of some of its own."""
    subject = SUBJECTS[kind][place]
    start = data.draw(some.integers(0, len(subject.text)))
    end = data.draw(some.integers(start, min(len(subject.text), start + 40)))
    put = data.draw(some.text(max_size=10))
    for text in (
        data.draw(some.binary(max_size=400)).decode(errors="replace"),
        subject.text[:start] + put + subject.text[end:],
    ):
        with suppress(AnswerNotRecognised):
            subject.dirt(text)


def damaged(subjects: tuple[Subject, ...], number: int, seed: str) -> tuple[int, int]:
    """How many damaged answers were refused, and how many read."""
    draw = random.Random(seed)
    whole = [subject.dirt(subject.text) for subject in subjects]
    refused = read = 0
    for count in range(number):
        place = count % len(subjects)
        subject = subjects[place]
        harm = draw.choice(subject.damages)
        text = harm(subject.text, draw)
        try:
            dirt = subject.dirt(text)
        except AnswerNotRecognised:
            refused += 1
            continue
        read += 1
        assert dirt >= whole[place], f"{harm.__name__} made it cleaner: {text!r}"
    return refused, read


@pytest.mark.parametrize("kind", SUBJECTS)
def test_damage_never_cleans(kind: str) -> None:
    refused, read = damaged(SUBJECTS[kind], EACH, kind)
    assert refused + read == EACH


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", SUBJECTS)
def test_damage_never_cleans_however_often(
    kind: str, record_property: Callable[[str, object], None]
) -> None:
    refused, read = damaged(SUBJECTS[kind], EACH_BY_NIGHT, f"{kind} by night")
    record_property("refused", refused)
    assert refused + read == EACH_BY_NIGHT


def damaged_facts(of: OneAnswer, number: int, seed: str) -> int:
    """How many damaged answers left a fact of theirs unread."""
    draw, whole, refused = random.Random(seed), of.dirt(of.text), 0
    for _ in range(number):
        harm = draw.choice(of.damages)
        text = harm(of.text, draw)
        told = of.dirt(text)
        cleaner = [name for name, dirt in told.items() if dirt < whole[name]]
        assert not cleaner, f"{harm.__name__} made {cleaner} cleaner: {text!r}"
        refused += told != whole
    return refused


def test_every_question_and_every_fact_is_damaged() -> None:
    assert DAMAGES.keys() == QUESTIONS.keys()
    assert DIRT.keys() == FACTS.keys()


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_damaged_answer_makes_no_fact_cleaner(question: str) -> None:
    damaged_facts(OneAnswer(question), EACH, question)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_damaged_answer_makes_no_fact_cleaner_however_often(
    question: str, record_property: Callable[[str, object], None]
) -> None:
    seed = f"{question} by night"
    record_property("refused", damaged_facts(OneAnswer(question), EACH_BY_NIGHT, seed))


def cuts(text: str) -> list[str]:
    """The answer cut off at every single place before its last line's end."""
    return [text[:length] for length in range(len(text.rstrip()))]


@pytest.mark.parametrize("name", names("account"))
def test_a_cut_off_account_list_never_has_fewer_accounts(name: str) -> None:
    text = answer(name)
    users = (0, 10) if "two" in name else (0, 150) if "many" in name else (0,)
    whole = read_account_types(text, users)
    refused = 0
    for cut_off in cuts(text):
        try:
            assert read_account_types(cut_off, users) == whole
        except AnswerNotRecognised:
            refused += 1
    assert refused > text.index("RegisteredServicesCache")


@pytest.mark.parametrize("name", names("policy"))
def test_a_cut_off_policy_never_loses_its_owner(name: str) -> None:
    text = answer(name)
    for cut_off in cuts(text):
        with suppress(AnswerNotRecognised):
            assert has_device_owner(cut_off) is has_device_owner(text)


@pytest.mark.parametrize("kind", [kind for kind, of in SUBJECTS.items() if cut in of[0].damages])
def test_an_answer_cut_off_at_any_place_is_never_cleaner(kind: str) -> None:
    for subject in SUBJECTS[kind]:
        whole = subject.dirt(subject.text)
        for cut_off in cuts(subject.text):
            with suppress(AnswerNotRecognised):
                assert subject.dirt(cut_off) >= whole


def storage_of(text: str) -> object:
    return read_storage(text, MOUNTS)


def accounts_of_owner(text: str) -> object:
    return read_account_types(text, (0,))


@pytest.mark.parametrize("name", names("df"))
def test_a_df_that_is_cut_off_before_its_place_is_refused(name: str) -> None:
    for cut_off in cuts(answer(name).partition("% /")[0] + "% /"):
        with pytest.raises(AnswerNotRecognised):
            storage_of(cut_off)


LEVEL, HEAT = "  level: 22\n", "  temperature: 280\n"
ACCOUNT = "    Account {name=someone@example.com, type=com.google}\n"
STATE = "state:\n  (UPDATES STOPPED -- use 'reset' to restart)\n"
SECOND_ROW = "83% /data/user/0\n/dev/block/dm-1 1 1 0 1% /data"
CHANGES: dict[tuple[Callable[[str], object], str], list[tuple[str, str]]] = {
    (accounts_of_owner, "account-8-one"): [
        ("Accounts: 1", "Accounts: 0"),
        ("Accounts: 1", "Accounts: 2"),
        ("Accounts: 1", "Konten: 1"),
        ("Accounts: 1", "Accounts: 1\n  Accounts: 1"),
        ("    Account {", "    Account ["),
        (ACCOUNT, ""),
        ("RegisteredServicesCache", "Cache"),
        ("User UserInfo{0:", "User UserInfo{10:"),
    ],
    (read_battery, "battery-16-pixel-8-pro"): [
        (LEVEL, ""),
        (LEVEL, LEVEL + "  level: 23\n"),
        (LEVEL, "  level: -1\n"),
        (LEVEL, "  level: 101\n"),
        ("  scale: 100\n", "  scale: 0\n"),
        (HEAT, "  temperature: 5000\n"),
        (HEAT, "  temperature: hot\n"),
        ("state:\n", STATE),
        ("Current Battery", "Aktueller Akku"),
    ],
    (storage_of, "df-16-pixel-8-pro"): [
        ("114982996", "11498"),
        ("114982996", "0"),
        ("94844540", "-94844540"),
        ("/dev/block/dm-30", "/dev/fuse"),
        ("1K-blocks", "1024-blocks"),
        ("Filesystem", "ファイルシステム"),
        ("83% /data/user/0", SECOND_ROW),
    ],
    # Two users in one line are not one.
    (read_user_ids, "users-13-secure-folder"): [
        ("running\n\t", f"running{between}\t") for between in ("", " ", "\x0b", "\u2028", "?")
    ],
}


@pytest.mark.parametrize(
    ("read", "name", "old", "new"),
    [(*of, *change) for of, changes in CHANGES.items() for change in changes],
)
def test_an_answer_that_does_not_add_up_is_refused(
    read: Callable[[str], object], name: str, old: str, new: str
) -> None:
    text = answer(name)
    assert old in text
    with pytest.raises(AnswerNotRecognised):
        read(text.replace(old, new, 1))


def test_a_user_without_an_account_list_is_closed_and_one_told_of_twice_is_refused() -> None:
    with pytest.raises(OtherUserClosed) as refused:
        read_account_types(answer("account-9-maker"), (0, 150))
    assert refused.value.reason is Reason.OTHER_USER
    with pytest.raises(AnswerNotRecognised) as refused:
        read_account_types(answer("account-9-maker").replace("{0:", "{10:"), (0, 10))
    assert refused.value.reason is Reason.ANSWER_NOT_RECOGNISED
    with pytest.raises(AnswerNotRecognised):
        read_account_types(answer("account-8-one"), (0, 10))
    with pytest.raises(AnswerNotRecognised):
        accounts_of_owner(answer("account-8-one") + answer("account-16-none"))


HONEST_STATFS = answer("statfs-16-pixel-8-pro")
REFUSED: dict[tuple[Callable[[str], object], str], list[str]] = {
    (read_mounts, "mounts"): [
        "tmpfs /tmp tmpfs rw 0 0\n",
        "/data\n",
        "x /data f2fs/evil rw 0 0\n",
        "x /data  rw 0 0\n",
    ],
    (read_user_ids, "users"): [
        "Users:\n",
        "Users:\n\tUserInfo{10:Work:30} running\n",
        "Users:\n\tUserInfo{0:A:13}\n\tUserInfo{0:B:13}\n",
        "Users:\n\tUserInfo{0:A:13}\nmore\n",
        "\tUserInfo{0:A:13}\n",
    ],
    (count_packages, "packages"): [
        "Error: no\n",
        "package:a b\n",
        "package:a\npackage:a\n",
        "package:\n",
    ],
    (read_android_id, "android_id"): ["null", "0", "XYZ", "51b6be48bac8c569 x", "-1", "1e3"],
    (read_boot_count, "boot_count"): ["", "-1", "1.5", "many", "99999999999"],
    (read_properties, "getprop"): [
        "[a]: [b\n",
        "[a]: [b]\n[a]: [c]\n",
        "warning\n[a]: [b]\n",
        "a=b\n",
        "[a] [b]\n",
    ],
    (read_superuser_paths, "the search for"): [
        "/system/xbin/su\n",
        "/etc/passwd\nlooked everywhere\n",
    ],
    (read_statfs, "stat"): [
        "",
        "\n",
        "garbage\n",
        "? ? ? ? ?\n",
        "4096 4096 10 5\n",
        "4096 4096 10 5 5 5\n",
        "4096 4096 10 -5 5\n",
        "4096 4096 0x10 5 5\n",
        "0 0 10 5 5\n",
        "4096 4096 0 0 0\n",
        "4096 4096 10 11 5\n",
        "4096 4096 10 5 6\n",
        "4096 4096 9999999999999999 5 5\n",
        f"{HONEST_STATFS}{HONEST_STATFS}",
        '  File: "/data"\n    ID: 0 Namelen: 255    Type: f2f52010\n',
    ],
}


@pytest.mark.parametrize(
    ("read", "named", "text"), [(*of, text) for of, texts in REFUSED.items() for text in texts]
)
def test_what_has_another_form_is_refused(
    read: Callable[[str], object], named: str, text: str
) -> None:
    with pytest.raises(AnswerNotRecognised, match=named):
        read(text)


def test_a_property_outside_its_list_is_refused() -> None:
    for properties in (
        {"ro.boot.verifiedbootstate": "blue"},
        {"ro.boot.flash.locked": "yes"},
        {"ro.boot.vbmeta.device_state": "half"},
    ):
        with pytest.raises(AnswerNotRecognised):
            modification_signs(properties, ())
    assert bootloader_locked({"ro.boot.flash.locked": ""}) is None
    with pytest.raises(AnswerNotRecognised):
        has_sim({"gsm.sim.state": "ABSENT,MELTED"})


def test_a_required_property_is_bounded_and_printable() -> None:
    assert required({"a": "x\x1b[31m\n y" + "z" * 500}, "a") == "x [31m y" + "z" * 120
    assert required({"a": "", "b": "second"}, "a", "b") == "second"
    with pytest.raises(AnswerNotRecognised, match="no a"):
        required({"a": " \t "}, "a")


@given(text=some.text(max_size=300), words=some.lists(some.integers(0, 2**32 - 1), max_size=14))
def test_any_text_and_any_parcel_give_an_imei_with_its_check_digit_or_none(
    text: str, words: list[int]
) -> None:
    row = " ".join(f"{word:08x}" for word in words)
    for told in (text, f"Result: Parcel({row}   '........')"):
        found = read_imei(told)
        assert found is None or is_imei(found)


END = "looked everywhere\n"


def properties(number: int) -> str:
    return "".join(f"[p{one}]: [v]\n" for one in range(number))


def users(number: int) -> str:
    return "Users:\n" + "".join(f"\tUserInfo{{{one}:x:c13}} running\n" for one in range(number))


def packages(number: int) -> str:
    return "".join(f"package:p.a{one}\n" for one in range(number))


BOUNDS: list[tuple[Callable[[str], object], str, str]] = [
    (read_properties, f"[a]: [{'v' * LONGEST_VALUE}]\n", f"[a]: [{'v' * (1 << 20)}]\n"),
    (read_properties, "[a]: [v\nw]\n", "[a]: [v\n" + "w\n" * (1 << 19) + "]\n"),
    (read_properties, f"[{'n' * LONGEST_NAME}]: [v]\n", f"[{'n' * (LONGEST_NAME + 1)}]: [v]\n"),
    (read_properties, properties(MOST_PROPERTIES), properties(MOST_PROPERTIES + 1)),
    (read_user_ids, users(MOST_USERS), users(MOST_USERS + 1)),
    (read_packages, packages(MOST_PACKAGES), packages(MOST_PACKAGES + 1)),
    (
        read_features,
        packages(MOST_FEATURES).replace("package", "feature"),
        packages(MOST_FEATURES + 1).replace("package", "feature"),
    ),
    *(
        (read, "\n".join((*known, END)), "\n".join((*[known[0]] * 100_000, END)))
        for read, known in (
            (read_superuser_paths, SUPERUSER_PATHS),
            (read_felica_directories, FELICA_DIRECTORIES),
        )
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


def megabyte_of(text: str) -> str:
    """As much of it as an answer may hold."""
    return text * (MEGABYTE // len(text))


# What is looked for again from each place of such an answer takes minutes to hours, in which no
# slot gets its turn: the suite's own limit ends a test of that.
@pytest.mark.parametrize("text", ["\n", "00000000\n", " ", "Parcel("])
def test_a_megabyte_without_an_imei_is_read_once(text: str) -> None:
    assert read_imei(megabyte_of(text)) is None


def test_a_megabyte_of_types_in_one_account_is_read_once() -> None:
    line = megabyte_of(", type=")
    text = f"User UserInfo{{0:x:c13}}:\n  Accounts: 1\n    Account {{name={line}\n"
    with pytest.raises(AnswerNotRecognised):
        accounts_of_owner(text)


def test_a_megabyte_of_refusals_closes_no_user() -> None:
    text = megabyte_of("SecurityException: ") + "x" * 301 + megabyte_of("access user 1 ")
    told = {"battery": Answer(command="dumpsys battery", status=0, text=text)}
    assert Answers(told).read("battery", len) == len(text)
