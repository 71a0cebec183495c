"""How far each hook has come, what waits and what nobody took: plain blocking calls."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw
import structlog

from benchd.domain.errors import HooksUnavailable
from benchd.domain.hook import Direction, NextAction, NotTaken
from benchd.domain.ids import JobId
from benchd.domain.record import Place
from benchd.domain.sql_statements import SqlValue, query
from benchd.ledger.derived_database import throw_away
from benchd.outbound.hooks.hooks_database import open_or_make

MOST_DIRECTIONS: Final = 10_000
_EVERY = "''"

_log = structlog.get_logger()

_EARLIER = "SELECT 1 FROM waiting WHERE hook = ?1 AND sequence < this.sequence"
_FREE = f"""
    FROM waiting AS this WHERE hook = ?1
    AND NOT EXISTS ({_EARLIER} AND lane = this.lane)
    AND NOT EXISTS ({_EARLIER} AND lane = {_EVERY})
    AND (lane <> {_EVERY} OR NOT EXISTS ({_EARLIER}))
"""
_WAITING = "SELECT sequence, lane, attempts, waited_s, due, why"
_FIRST_DUE = "ORDER BY due, sequence LIMIT 1"
_NEXT = f"{_WAITING} {_FREE} {_FIRST_DUE}"
_RETRY = f"{_WAITING} FROM waiting WHERE hook = ?1 AND attempts > 0 {_FIRST_DUE}"
_UNTRIED = f"SELECT count(*) {_FREE} AND attempts = 0"
_DAMAGED = (apsw.CorruptError, apsw.NotADBError, apsw.IOError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event that is still to be sent."""

    sequence: int
    lane: str
    attempts: int = 0
    waited_s: float = 0.0
    """Seconds for which it has been put off, however the clock was set meanwhile."""
    due: float = 0.0
    """From when on it may be sent: seconds since 1970."""
    why: str = ""
    """Why it wasn't taken the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that nobody took."""

    sequence: int
    why: str
    at: float


class HookStore:
    """One connection, one call at a time; every call raises HooksUnavailable.

    A file that turns out to be damaged is thrown away at the next call: all that is in it can be
    had again, and a bad page would stop all hooks for ever.
    """

    def __init__(self, path: Path, *, mends: bool = True) -> None:
        """Open the file, or make it. Only one of all that have it open `mends` it."""
        self._path = path
        self._mends = mends
        self._damaged = False
        self._connection = open_or_make(path, mends=mends)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def place(self, hook: str) -> Place | None:
        """Up to where a hook has taken over; None where it never began.

        Its hash is blank where a person has named it by its number alone.
        """
        for row in self._rows("SELECT sequence, hash FROM hook WHERE name = ?", hook):
            return Place(sequence=_whole(row[0]), hash=str(row[1]))
        return None

    def begin(self, hook: str, at: Place) -> None:
        """It hears of what follows this record; nothing else of it is known any more."""
        with self._whole_or_not_at_all():
            for table in ("waiting", "dead", "direction"):
                self._rows(f"DELETE FROM {table} WHERE hook = ?", hook)  # noqa: S608
            self._go_to(hook, at)

    def take_over(self, hook: str, events: Sequence[Waiting], upto: Place, *, after: Place) -> bool:
        """These are to be sent, and all up to here is looked at.

        False, and nothing is done, where it isn't at `after` any more: somebody has sent it back
        while the ledger was read.
        """
        with self._whole_or_not_at_all():
            self._rows(
                "UPDATE hook SET sequence = ?, hash = ?"
                " WHERE name = ? AND sequence = ? AND hash = ?",
                *(upto.sequence, upto.hash, hook, after.sequence, after.hash),
            )
            moved = self._connection.changes() == 1
            for each in events if moved else ():
                self._put(hook, each)
        return moved

    def rewind(self, hook: str, to: Place) -> None:
        """It hears of all after this record again."""
        with self._whole_or_not_at_all():
            for table in ("waiting", "dead"):
                sql = f"DELETE FROM {table} WHERE hook = ? AND sequence > ?"  # noqa: S608
                self._rows(sql, hook, to.sequence)
            self._go_to(hook, to)

    def waiting(self, hook: str) -> int:
        """How many are still to be sent."""
        return self._count("waiting", hook)

    def untried(self, hook: str) -> int:
        """How many of them could be sent at once, and have never been tried."""
        [(count,)] = self._rows(_UNTRIED, hook)
        return _whole(count)

    def longest_wait_s(self, hook: str) -> float:
        """For how many seconds the one that has been put off for longest has been."""
        [(longest,)] = self._rows("SELECT max(waited_s) FROM waiting WHERE hook = ?", hook)
        return longest if isinstance(longest, float) else 0.0

    def next_retry(self, hook: str) -> Waiting | None:
        """The one that is tried again first of those that weren't taken."""
        return _first_waiting(self._rows(_RETRY, hook))

    def dead(self, hook: str) -> int:
        """How many nobody took."""
        return self._count("dead", hook)

    def next(self, hook: str) -> Waiting | None:
        """The one that is due first among those that no earlier one holds up."""
        return _first_waiting(self._rows(_NEXT, hook))

    def put_off(self, hook: str, later: Waiting) -> None:
        """It is tried again when it's due."""
        self._put(hook, later)

    def done(self, hook: str, sequence: int) -> None:
        """It was taken."""
        self._rows("DELETE FROM waiting WHERE hook = ? AND sequence = ?", hook, sequence)

    def lay_aside(self, hook: str, event: Waiting, *, why: str, at: float) -> None:
        """Nobody takes it: it waits for a person."""
        with self._whole_or_not_at_all():
            self.done(hook, event.sequence)
            sql = "INSERT OR REPLACE INTO dead VALUES (?, ?, ?, ?, ?)"
            self._rows(sql, hook, event.sequence, event.lane, why, at)

    def dead_letters(self, hook: str, most: int) -> list[DeadLetter]:
        """Those that nobody took, the oldest first."""
        sql = "SELECT sequence, why, at FROM dead WHERE hook = ? ORDER BY sequence LIMIT ?"
        return [
            DeadLetter(sequence=_whole(row[0]), why=str(row[1]), at=float(str(row[2])))
            for row in self._rows(sql, hook, most)
        ]

    def revive(self, hook: str) -> int:
        """Those that nobody took are to be sent again; how many they are."""
        with self._whole_or_not_at_all():
            count = self.dead(hook)
            self._rows(
                "INSERT OR IGNORE INTO waiting (hook, sequence, lane)"
                " SELECT hook, sequence, lane FROM dead WHERE hook = ?",
                hook,
            )
            self._rows("DELETE FROM dead WHERE hook = ?", hook)
        return count

    def keep_direction(self, told: Direction, record: int) -> None:
        """What the ledger has of an answer; a second one to the same event changes nothing."""
        with self._whole_or_not_at_all():
            self._rows(
                "INSERT OR IGNORE INTO direction VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(told.hook, told.sequence, told.job, told.action, told.bin, told.refused, record),
            )
            self._rows(
                "DELETE FROM direction WHERE record <= ("
                " SELECT record FROM direction ORDER BY record DESC LIMIT 1 OFFSET ?)",
                MOST_DIRECTIONS,
            )

    def directions(self, job: str) -> list[Direction]:
        """What was asked for a job's handset, in the order of the ledger."""
        sql = (
            "SELECT hook, sequence, job, action, bin, refused FROM direction"
            " WHERE job = ? ORDER BY record"
        )
        return [
            Direction(
                hook=str(hook),
                sequence=_whole(sequence),
                job=JobId(str(of)),
                action=None if action is None else NextAction(str(action)),
                bin=None if place is None else str(place),
                refused=None if refused is None else NotTaken(str(refused)),
            )
            for hook, sequence, of, action, place, refused in self._rows(sql, job)
        ]

    def _put(self, hook: str, event: Waiting) -> None:
        self._rows(
            "INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(hook, event.sequence, event.lane, event.attempts, event.waited_s, event.due),
            event.why,
        )

    def _go_to(self, hook: str, at: Place) -> None:
        self._rows("INSERT OR REPLACE INTO hook VALUES (?, ?, ?)", hook, at.sequence, at.hash)

    def _count(self, table: str, hook: str) -> int:
        [(count,)] = self._rows(f"SELECT count(*) FROM {table} WHERE hook = ?", hook)  # noqa: S608
        return _whole(count)

    def _rows(self, sql: str, *values: SqlValue) -> list[tuple[object, ...]]:
        self._make_anew_if_damaged()
        try:
            return list(query(self._connection, sql, values))
        except (apsw.Error, ValueError) as error:
            raise self._fault(error) from error

    @contextmanager
    def _whole_or_not_at_all(self) -> Generator[None]:
        self._make_anew_if_damaged()
        try:
            with self._connection:
                yield
        except apsw.Error as error:
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> HooksUnavailable:
        self._damaged |= isinstance(error, _DAMAGED)
        return HooksUnavailable(f"the hooks' file can't be used: {error}")

    def _make_anew_if_damaged(self) -> None:
        if not (self._damaged and self._mends):
            return
        try:
            self._connection.close()
            throw_away(self._path)
        except (apsw.Error, OSError) as error:
            raise self._fault(error) from error
        self._connection = open_or_make(self._path, mends=True)
        self._damaged = False
        _log.warning("hooks_state_made_anew", path=str(self._path))


def _first_waiting(rows: Sequence[tuple[object, ...]]) -> Waiting | None:
    for row in rows:
        match row:
            case (int() as sequence, str() as lane, int() as attempts, waited, due, str() as why):
                return Waiting(
                    sequence=sequence,
                    lane=lane,
                    attempts=attempts,
                    waited_s=float(str(waited)),
                    due=float(str(due)),
                    why=why,
                )
            case _:
                pass
    return None


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise HooksUnavailable("the hooks' file holds what benchd hasn't written")
    return value
