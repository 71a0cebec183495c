"""The table of who may do what: complete, and nobody gets more than it says."""

from __future__ import annotations

import pytest

from benchd.domain.authority import ACTION_OF, AUTHORITY, Action, has_role, is_strong
from benchd.domain.job import Gate
from benchd.domain.people import Role, ShownBy
from benchd.domain.token import Scope

ALONE = {
    Role.OPERATOR: {
        Action.ANSWER,
        Action.ATTEST,
        Action.TAKE_IN,
        Action.GRADE,
        Action.SETTLE,
        Action.RECORD,
        Action.PRINT,
        Action.TAKE_OUT,
    },
    Role.CONFIRMER: {Action.CONFIRM, Action.GRADE, Action.PRINT, Action.TAKE_OUT},
    Role.SUPERVISOR: {
        Action.ANSWER,
        Action.ATTEST,
        Action.SUPERVISE,
        Action.RELEASE,
        Action.GRADE,
        Action.SETTLE,
        Action.TAKE_IN,
        Action.DRAIN,
        Action.RECORD,
        Action.PRINT,
        Action.TAKE_OUT,
    },
    Role.ADMINISTRATOR: {Action.ADMINISTER, Action.REBUILD, Action.DRAIN, Action.LOG},
    Role.AUDITOR: {Action.TAKE_OUT},
}


def test_every_gate_and_every_action_has_its_row() -> None:
    assert set(ACTION_OF) == set(Gate)
    assert set(AUTHORITY) == set(Action)
    assert set(ALONE) == set(Role)


def test_each_role_may_do_what_is_its_own_and_without_a_role_nobody_anything() -> None:
    told = {role: {action for action in Action if has_role({role}, action)} for role in Role}
    assert told == ALONE
    assert not [action for action in Action if has_role(set(), action)]
    assert all(rule.roles for rule in AUTHORITY.values())


def test_only_what_is_everyday_or_read_goes_by_a_badge_alone() -> None:
    assert {action for action, rule in AUTHORITY.items() if rule.by_badge} == {
        Action.ANSWER,
        Action.GRADE,
        Action.PRINT,
        Action.RECORD,
        Action.TAKE_OUT,
    }
    assert ACTION_OF[Gate.CONFIRM] is Action.CONFIRM


def test_careless_whoever_vouches_for_a_handset_or_its_last_reset_shows_their_pin() -> None:
    for gate in (Gate.IMEI, Gate.SERIAL, Gate.FINAL_RESET, Gate.OBSERVE, Gate.CONFIRM):
        assert not AUTHORITY[ACTION_OF[gate]].by_badge
    for gate in (Gate.GUIDED_RESET, Gate.LOOK, Gate.ASSET, Gate.FELICA_CLEAR):
        assert AUTHORITY[ACTION_OF[gate]].by_badge


def test_another_system_may_take_in_and_nothing_else() -> None:
    by_token = {action: rule.scope for action, rule in AUTHORITY.items() if rule.scope}
    assert by_token == {Action.TAKE_IN: Scope.INTAKE_WRITE}
    assert Action.TAKE_IN not in ACTION_OF.values()


@pytest.mark.parametrize("has_badge", [True, False])
def test_what_is_strong(has_badge: bool) -> None:
    strong = {how for how in ShownBy if is_strong(how, has_badge=has_badge)}
    assert strong == {ShownBy.BADGE_AND_PIN, ShownBy.UNIX, ShownBy.PROXY} | (
        set() if has_badge else {ShownBy.PIN}
    )
