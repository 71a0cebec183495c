"""Row 5 of the adversity list: the doctor tells whether each slot's reader hears that slot."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchd.cli.client import JsonObject
from benchd.cli.doctor.daemon import OF_EACH_SLOT, DaemonAnswer, hears
from benchd.cli.doctor.findings import Verdict
from benchd.cli.doctor.neighbours import reader_places
from benchd.domain.errors import NotFound


class Client:
    """A fake client whose daemon has these jobs, the newest first."""

    def __init__(self, *jobs: tuple[str, bool | None, str | None]) -> None:
        self._jobs = {f"J{n}": job for n, job in enumerate(jobs)}
        self.asked = 0

    def jobs(self, limit: int = 50) -> JsonObject:
        told: list[JsonObject] = [{"job": j, "slot": of[0]} for j, of in self._jobs.items()]
        return {"jobs": [*told[:limit]]}

    def job(self, job: str) -> JsonObject:
        self.asked += 1
        slot, tied, heard_at = self._jobs[job]
        return {"slot": slot, "stages": [{"tied": None}, {"tied": tied, "heard_at": heard_at}]}


def heard(*jobs: tuple[str, bool | None, str | None]) -> dict[str, str] | None:
    return hears(Client(*jobs))  # type: ignore[arg-type]


def test_row_5_the_newest_job_that_shows_a_reader_s_place_counts() -> None:
    assert heard() == {}
    assert heard(("A1", None, None), ("A2", False, None)) == {}
    assert heard(("A1", True, None), ("A1", False, "A2")) == {"A1": "A1", "A2": "A1"}
    assert heard(("A1", False, "A2"), ("A2", True, None)) == {"A2": "A1"}
    assert heard(("A2", True, None), ("A1", False, "A2")) == {"A2": "A2"}


def test_only_so_many_jobs_of_a_slot_are_asked_for() -> None:
    client = Client(*[("A1", None, None)] * 50)
    assert hears(client) == {}  # type: ignore[arg-type]
    assert client.asked == OF_EACH_SLOT


def test_a_daemon_that_tells_nobody_of_jobs_is_no_mapping() -> None:
    class Silent(Client):
        def jobs(self, limit: int = 50) -> JsonObject:
            raise NotFound(str(limit))

    assert hears(Silent()) is None  # type: ignore[arg-type]


def told(hears: Mapping[str, str] | None) -> DaemonAnswer:
    return DaemonAnswer(broken=False, records=7, hears=hears)


@pytest.mark.parametrize(
    ("told", "verdict", "word", "value"),
    [
        (None, Verdict.NOT_CHECKED, "doctor.needs_daemon", None),
        (told(None), Verdict.NOT_CHECKED, "doctor.readers_unshown", "A1, A2"),
        (told({"A1": "A1"}), Verdict.NOT_CHECKED, "doctor.readers_unshown", "A2"),
        (told({"A1": "A1", "A2": "A2"}), Verdict.OK, "doctor.readers_shown", None),
        (told({"A2": "A1"}), Verdict.FAIL, "doctor.readers_exchanged", "A2 → A1"),
        (told({"A1": "A1", "A2": "A2", "B1": "A1"}), Verdict.OK, "doctor.readers_shown", None),
    ],
)
def test_row_5_exchanged_readers_are_named(
    told: DaemonAnswer | None, verdict: Verdict, word: str, value: str | None
) -> None:
    found = reader_places(("A1", "A2"), told)
    assert (found.verdict, found.word, found.facts.get("value")) == (verdict, word, value)
    if verdict is Verdict.FAIL:
        assert found.cure == "cure.learn_readers"


def test_without_readers_there_is_nothing_to_exchange() -> None:
    assert reader_places((), None).word == "doctor.no_readers"
