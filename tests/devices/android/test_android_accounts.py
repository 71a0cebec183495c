"""Whose accounts are on a handset: a person's, its maker's, or nobody's that is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from handset_fixtures import answer, names

from benchd.devices.android.dossier.folder import read_folder
from benchd.devices.android.dossier.replay import replay
from benchd.devices.android.facts.account_types import LONGEST_TYPE, MOST_TYPES, sort_accounts
from benchd.devices.android.facts.accounts import read_account_types
from benchd.domain.errors import AnswerNotRecognised, OtherUserClosed
from benchd.domain.job import Reason


def of(*types: str) -> str:
    """An answer with accounts of these types, all of one person."""
    lines = "".join(f"    Account {{name=a, type={name}}}\n" for name in types)
    return (
        f"User UserInfo{{0:Owner:13}}:\n  Accounts: {len(types)}\n{lines}\n"
        "  Active Sessions: 0\n\n  RegisteredServicesCache: 1 services\n"
    )


def test_what_a_maker_makes_is_nobodys() -> None:
    found = sort_accounts(read_account_types(answer("account-9-maker"), (0,)))
    assert (found.account_count, found.maker_accounts) == (0, 1)
    assert found.maker_account_types == ("com.android.localphone",)
    assert found.unknown_account_types == found.frp_account_types == ()


def test_accounts_of_each_kind() -> None:
    found = sort_accounts(read_account_types(answer("account-13-many"), (0, 150)))
    assert (found.account_count, found.maker_accounts) == (4, 1)
    assert found.unknown_account_types == ("com.example.loyalty.Account",)
    assert found.frp_account_types == ("com.google", "com.osp.app.signin")


@pytest.mark.parametrize(
    "name",
    [
        "com.xiaomi",
        "com.huawei.hwid",
        "com.hihonor.id",
        "com.heytap.usercenter",
        "com.oneplus.account",
        "BBKOnLineService",
        "com.motorola.account",
    ],
)
def test_each_makers_lock_is_told(name: str) -> None:
    found = sort_accounts(read_account_types(of(name), (0,)))
    assert (found.account_count, found.frp_account_types) == (1, (name,))
    assert found.unknown_account_types == ()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "com.android.localphone2",
        "COM.ANDROID.LOCALPHONE",
        "x, type=y",
        "com.google\x00",
        "電話",
    ],
)
def test_what_only_looks_like_a_makers_counts_as_a_persons(name: str) -> None:
    found = sort_accounts(read_account_types(of(name), (0,)))
    assert (found.account_count, found.maker_accounts) == (1, 0)
    assert len(found.unknown_account_types) == 1


def test_a_name_cannot_pass_for_a_type() -> None:
    text = of("com.google").replace("name=a", "name=PHONE, type=com.android.localphone}")
    assert read_account_types(text, (0,)) == ("com.google",)


def test_types_are_bounded_and_printable() -> None:
    hostile = [f"\x1b[31mtype{number}{'x' * 500}" for number in range(200)]
    found = sort_accounts(hostile)
    assert found.account_count == 200
    assert len(found.unknown_account_types) <= MOST_TYPES
    assert all(len(name) <= LONGEST_TYPE for name in found.unknown_account_types)
    assert "\x1b" not in "".join(found.unknown_account_types)


@pytest.mark.parametrize("name", names("account"))
def test_lines_may_end_as_in_dos(name: str) -> None:
    text, users = answer(name), (0, *((10,) if "two" in name else ()))
    for end in ("\r\n", "\r\r\n"):
        assert read_account_types(text.replace("\n", end), users) == read_account_types(text, users)


def test_a_user_whom_only_the_accounts_tell_of_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "accounts.txt").write_text(answer("account-13-many"))
    alone = replay(read_folder(tmp_path))
    assert (alone.facts["account_count"], alone.refused) == (4, ())
    (tmp_path / "users.txt").write_text(answer("users-8-one"))
    both = replay(read_folder(tmp_path))
    assert both.facts["account_count"] is None
    assert [one.command for one in both.refused] == ["accounts"]


def test_a_user_that_is_not_told_of_is_closed() -> None:
    with pytest.raises(OtherUserClosed) as refused:
        read_account_types(answer("account-9-maker"), (0, 150))
    assert refused.value.reason is Reason.OTHER_USER
    with pytest.raises(AnswerNotRecognised) as refused:
        read_account_types(answer("account-9-maker").replace("{0:", "{10:"), (0, 10))
    assert refused.value.reason is Reason.ANSWER_NOT_RECOGNISED
