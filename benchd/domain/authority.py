"""What each role may do, and what has to be shown for it: one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from benchd.domain.disposal import DisposalState
from benchd.domain.job import Gate
from benchd.domain.people import Role, ShownBy
from benchd.domain.token import Scope


class Action(StrEnum):
    """What somebody may want to do; reading is nobody's privilege."""

    ANSWER = "answer"
    """An everyday question about the handset in hand."""
    ATTEST = "attest"
    """To state what no record shows: a look-up, a consent, what an eye has seen of a handset."""
    CONFIRM = "confirm"
    """To approve or reject what others have done."""
    SUPERVISE = "supervise"
    """To let go on what the rack holds as suspicious."""
    RELEASE = "release"
    """To decide what becomes of a handset that is on hold or lies in the tray."""
    GRADE = "grade"
    """To say how a handset looks and works."""
    SETTLE = "settle"
    """To say what has become of one: crushed, handed back, run again."""
    TAKE_IN = "take_in"
    """Lots and assets."""
    DRAIN = "drain"
    """To let the daemon end."""
    PRINT = "print"
    """To have a handset's label printed, also once more."""
    RECORD = "record"
    """To ask a handset everything and keep its answers."""
    REBUILD = "rebuild"
    """To have the read model made anew."""
    LOG = "log"
    """To have more logged for a while."""
    TAKE_OUT = "take_out"
    """To have all papers of a lot, a day or a consignor, with the numbers of every handset."""
    ADMINISTER = "administer"
    """People, their roles, badges and PINs, the tokens of other systems, the rack's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Whose an action is, and whether a badge alone is enough to show who somebody is."""

    roles: frozenset[Role]
    by_badge: bool = False
    scope: Scope | None = None
    """Which scope lets another system's token do it, where a route lets tokens in at all; what
    has none takes a person."""


def _of(*roles: Role, by_badge: bool = False, scope: Scope | None = None) -> Rule:
    return Rule(roles=frozenset(roles), by_badge=by_badge, scope=scope)


AUTHORITY: Mapping[Action, Rule] = MappingProxyType(
    {
        Action.ANSWER: _of(Role.OPERATOR, Role.SUPERVISOR, by_badge=True),
        Action.ATTEST: _of(Role.OPERATOR, Role.SUPERVISOR),
        Action.CONFIRM: _of(Role.CONFIRMER),
        Action.SUPERVISE: _of(Role.SUPERVISOR),
        Action.RELEASE: _of(Role.SUPERVISOR),
        Action.GRADE: _of(Role.OPERATOR, Role.CONFIRMER, Role.SUPERVISOR, by_badge=True),
        Action.SETTLE: _of(Role.OPERATOR, Role.SUPERVISOR),
        Action.TAKE_IN: _of(Role.OPERATOR, Role.SUPERVISOR, scope=Scope.INTAKE_WRITE),
        Action.DRAIN: _of(Role.SUPERVISOR, Role.ADMINISTRATOR),
        Action.PRINT: _of(Role.OPERATOR, Role.CONFIRMER, Role.SUPERVISOR, by_badge=True),
        Action.RECORD: _of(Role.OPERATOR, Role.SUPERVISOR, by_badge=True),
        Action.REBUILD: _of(Role.ADMINISTRATOR),
        Action.LOG: _of(Role.ADMINISTRATOR),
        Action.TAKE_OUT: _of(
            Role.OPERATOR, Role.CONFIRMER, Role.SUPERVISOR, Role.AUDITOR, by_badge=True
        ),
        Action.ADMINISTER: _of(Role.ADMINISTRATOR),
    }
)
"""An auditor changes nothing: they read, and take papers out."""

ACTION_OF: Mapping[Gate, Action] = MappingProxyType(
    {
        Gate.CONSENT: Action.ATTEST,
        Gate.JPKI: Action.ATTEST,
        Gate.NETWORK: Action.ATTEST,
        Gate.WATCH_LIST: Action.SUPERVISE,
        Gate.LOCK_ADMIN: Action.ATTEST,
        Gate.IMEI: Action.ATTEST,
        Gate.SERIAL: Action.ATTEST,
        Gate.FELICA_CHECK: Action.ATTEST,
        Gate.FELICA_NO_CHIP: Action.ATTEST,
        Gate.FELICA_RETIRED: Action.ATTEST,
        Gate.FELICA_ERASE: Action.ANSWER,
        Gate.FELICA_CLEAR: Action.ANSWER,
        Gate.FELICA_RECHECK: Action.ATTEST,
        Gate.FELICA_ATTEST: Action.ATTEST,
        Gate.CHIP_SEEN_BEFORE: Action.SUPERVISE,
        Gate.DESTROYED_BEFORE: Action.SUPERVISE,
        Gate.SAME_HANDSET: Action.SUPERVISE,
        Gate.SAME_HANDSET_HELD: Action.ATTEST,
        Gate.ASSET: Action.ANSWER,
        Gate.GUIDED_RESET: Action.ANSWER,
        Gate.FINAL_RESET: Action.ATTEST,
        Gate.OBSERVE: Action.ATTEST,
        Gate.LOOK: Action.ANSWER,
        Gate.ASSESS: Action.ATTEST,
        Gate.CONFIRM: Action.CONFIRM,
        Gate.RECHECK: Action.CONFIRM,
        Gate.RECHECK_CHIP: Action.CONFIRM,
    }
)
"""What an answer at a gate is.

Whoever vouches for which handset it is, or for its last reset, is one of the two people behind its
certificate: they show that they are, also where papers have settled all that they'd attest."""

RELEASES = frozenset(
    {
        DisposalState.RERUN_DUE,
        DisposalState.TO_RETURN,
        DisposalState.TO_DESTROY,
        DisposalState.ON_SALE,
    }
)
"""Where a handset goes by a decision, and not because something was done with it."""


def is_strong(shown_by: ShownBy, *, has_badge: bool) -> bool:
    """Whether it shows enough for what counts.

    A badge can be photographed and a PIN be watched, so whoever has both shows both.
    """
    match shown_by:
        case ShownBy.BADGE:
            return False
        case ShownBy.PIN:
            return not has_badge
        case ShownBy.BADGE_AND_PIN | ShownBy.UNIX | ShownBy.PROXY:
            return True


def has_role(roles: Collection[Role], action: Action) -> bool:
    """Whether somebody with these roles may do it at all."""
    return not AUTHORITY[action].roles.isdisjoint(roles)
