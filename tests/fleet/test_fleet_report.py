"""The report over all racks: held to what was drawn, and to each rack's own report."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from benchd.domain.report import Asked, Figure, Figures
from benchd.ledger.records.read_model import ReadModel
from tests.fleet.office_rig import Office, office, tell
from tests.fleet.written_ledger import WrittenLedger
from tests.imeis import imei
from tests.ledger.records.records_rack import START, Told, look

pytestmark = pytest.mark.asyncio

DAYS = {"from": "2026-11-01", "to": "2026-11-30"}
SPAN = (
    datetime(2026, 10, 31, 15, tzinfo=UTC),
    datetime(2026, 11, 30, 15, tzinfo=UTC),
)
"""The same by Asia/Tokyo."""
CONSIGNOR = {"L-1": "例示商事", "L-2": "個人", "L-3": "例示商事"}
ENDS: dict[str, tuple[str, str, str | None]] = {
    "sold": ("passed", "sellable", None),
    "held": ("failed", "hold", "coverage_too_low"),
    "to_return": ("failed", "return", "managed_device"),
    "to_destroy": ("failed", "destroy", "felica_residue"),
    "tray": ("aborted", "hold", "unplugged"),
}
WAITING = ("held", "tray", "to_return", "to_destroy")


@dataclass
class Rack:
    """One that writes what it tells into a ledger, and sends it."""

    name: str
    told: Told = field(default_factory=Told)
    ledger: WrittenLedger = field(default_factory=WrittenLedger)
    sent: int = 0
    jobs: int = 0

    async def joins(self, here: Office) -> None:
        await here.centre.join(self.ledger, self.name)

    async def sends(self, here: Office, upto: int | None = None) -> None:
        """What is told by now, or so many records more."""
        due = self.told.stored[len(self.ledger.records) : upto]
        tell(self.ledger, [stored.entry for stored in due])
        if len(self.ledger.records) > self.sent:
            await here.centre.send(self.ledger, self.sent)
            self.sent = len(self.ledger.records)

    def job(self, number: str, end: str | None, at: datetime | None = None, **more: str) -> str:
        """A whole job of a handset, whose end is one of ENDS."""
        self.jobs += 1
        job = f"20261101-{self.name[-1]}{self.jobs:04d}"
        self.told.open(job, at)
        self.told.inspect(job, imei=number, serial=f"S{number}", account_count=0)
        if "tag" in more:
            self.told.bind(job, more["tag"], more["lot"])
        if end is not None:
            outcome, disposition, reason = ENDS[end]
            certificate = '{"payload": "x"}' if end == "sold" else None
            self.told.end(job, outcome, disposition, reason, certificate)
        return job


async def three(here: Office) -> list[Rack]:
    racks = [Rack(f"rack {number}") for number in (1, 2, 3)]
    for rack in racks:
        await rack.joins(here)
    return racks


async def report(here: Office, **asked: str) -> Any:  # noqa: ANN401 - JSON
    # However long that takes: the page itself waits for a while, and tells what isn't counted yet.
    await here.counted.catch_up()
    return await here.ask("/v1/report", **{**DAYS, **asked})


def counts(told: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    return {
        each["figure"]: {value["value"]: value["handsets"] for value in each["values"]}
        for each in told
    }


def own_counts(figures: Figures) -> dict[str, dict[str, int]]:
    return {
        figure: {value: counted.handsets for value, counted in values.items()}
        for figure, values in figures.items()
    }


def became(share: Any) -> dict[str, int]:  # noqa: ANN401 - JSON
    return counts(share["figures"])[Figure.BECAME]


@contextmanager
def own_report(rack: Rack, folder: Path) -> Generator[Any]:
    """What the rack itself says."""
    model = ReadModel(folder / f"{rack.name}.sqlite")
    try:
        asked = Asked(begin=SPAN[0], end=SPAN[1])
        yield look(model, rack.told, lambda looker: looker.report(asked, named=False), quick=False)
    finally:
        model.close()


async def test_what_was_drawn_is_counted_by_rack_lot_and_consignor(conninfo: str) -> None:
    chance = random.Random(37)
    expected: dict[tuple[str, str | None], Counter[str]] = {}
    handset = 0
    async with office(conninfo) as here:
        racks = await three(here)
        for rack in racks:
            for lot, consignor in CONSIGNOR.items():
                rack.told.lot(lot, consignor)
            for _ in range(40):
                handset += 1
                lot = chance.choice([*CONSIGNOR])
                last: str | None = None
                for _ in range(chance.choice((1, 1, 2))):
                    last = chance.choice([*ENDS, None])
                    at = START + timedelta(minutes=len(rack.told.stored))
                    rack.job(imei(handset), last, at, tag=f"T{handset}", lot=lot)
                for key in (
                    ("all", None),
                    ("rack", rack.name),
                    ("lot", lot),
                    ("consignor", CONSIGNOR[lot]),
                ):
                    expected.setdefault(key, Counter())[last or "running"] += 1
            await rack.sends(here)
        told = await report(here)
        assert became(told) == expected["all", None]
        for name, plural in (("rack", "racks"), ("lot", "lots"), ("consignor", "consignors")):
            shares = {share[name]: share for share in told[plural]}
            assert {("all", None), *((name, own) for own in shares)} <= set(expected)
            for own, share in shares.items():
                drawn = expected[name, own]
                assert became(share) == drawn
                ended = drawn.total() - drawn["running"]
                assert share["summary"] == {
                    "came_in": drawn.total(),
                    "certified": drawn["sold"],
                    "returned": 0,
                    "destroyed": 0,
                    "waiting": sum(drawn[state] for state in WAITING),
                    "running": drawn["running"],
                    "not_erasable": drawn["held"] + drawn["to_return"] + drawn["to_destroy"],
                    "yield": drawn["sold"] / ended,
                }
                of_it = await report(here, **{name: own})
                assert became(of_it) == drawn
                assert of_it["summary"] == share["summary"]
        assert len(told["racks"]) == len(told["lots"]) == 3
        assert len(told["consignors"]) == 2
        assert told["uncounted"] == 0


def some_days(rack: Rack, chance: random.Random, numbers: list[str]) -> None:
    """What makes a rack's own figures hard: labels that change, looks, the settled, the dead."""
    told, tags = rack.told, ["T1", "T2", "T3"]
    for lot, consignor in CONSIGNOR.items():
        told.lot(lot, consignor)
    ended: list[tuple[str, str]] = []
    for number in range(chance.randint(5, 30)):
        job = f"job-{number:03}"
        told.open(job)
        some_stages(told, job, chance, numbers)
        if tags and chance.random() < 0.1:
            told.dead(tags.pop(), chance.choice([*CONSIGNOR]))
        end = chance.choice([*ENDS, None, "looked"])
        if end == "looked":
            told.end(job, "passed", "hold", "rechecked")
        elif end is not None:
            certificate = '{"payload": "x"}' if end == "sold" else None
            told.end(job, *ENDS[end], certificate)
            ended += [(job, end)] if end in ("held", "tray") else []
        if ended and chance.random() < 0.3:
            told.settle(*ended.pop(), "to_return")


def some_stages(told: Told, job: str, chance: random.Random, numbers: list[str]) -> None:
    if chance.random() < 0.8:
        told.inspect(job, imei=chance.choice(numbers), account_count=chance.choice((0, 2)))
    if chance.random() < 0.8:
        told.bind(job, chance.choice(("T1", "T2", "T3")), chance.choice([*CONSIGNOR]))
    if chance.random() < 0.5:
        told.chip(job, chance.choice(("unused", "in_use", "silent")))
    if chance.random() < 0.3:
        told.tie(job, chance.choice(("aa", "bb")) * 32)
    if chance.random() < 0.5:
        told.initialise(job, arrived_reset=chance.random() < 0.5)


@pytest.mark.parametrize("seed", range(6))
async def test_it_agrees_with_what_each_rack_says_itself(
    conninfo: str, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    async with office(conninfo) as here:
        racks = await three(here)
        for at, rack in enumerate(racks):
            some_days(rack, chance, [imei(at * 10 + number) for number in range(4)])
        racks[0].told.drawn("drawn-1", "drawn-2", "T2")
        # In pieces of any length, and the racks' by turns.
        while any(len(rack.ledger.records) < len(rack.told.stored) for rack in racks):
            rack = chance.choice(racks)
            await rack.sends(here, len(rack.ledger.records) + chance.randint(1, 40))
            if chance.random() < 0.7:
                await here.counted.catch_up()
        told = await report(here)
        by_rack = {share["rack"]: counts(share["figures"]) for share in told["racks"]}
        for rack in racks:
            with own_report(rack, tmp_path) as own:
                assert by_rack[rack.name] == own_counts(own.figures)
                of_it = await report(here, rack=rack.name)
                assert counts(of_it["figures"]) == own_counts(own.figures)
                for plural, name in (("lots", "lot"), ("consignors", "consignor")):
                    mine = {share[name]: counts(share["figures"]) for share in of_it[plural]}
                    theirs = {
                        getattr(share, name): own_counts(share.figures)
                        for share in getattr(own, plural)
                    }
                    assert mine == theirs
        # No handset was on two racks: the whole is the sum.
        whole: Counter[str] = Counter()
        for figures in by_rack.values():
            whole.update(figures[Figure.BECAME])
        assert became(told) == whole


async def test_an_outcome_that_is_revised_later_counts_as_it_stands(conninfo: str) -> None:
    async with office(conninfo) as here:
        [rack, *_] = await three(here)
        job = rack.job(imei(1), "held")
        await rack.sends(here)
        assert became(await report(here)) == {"held": 1}
        rack.told.settle(job, "held", "to_return")
        await rack.sends(here)
        assert became(await report(here)) == {"to_return": 1}
        rack.told.settle(job, "to_return", "returned")
        await rack.sends(here)
        told = await report(here)
        assert became(told) == {"returned": 1}
        assert told["summary"]["returned"] == 1
        assert told["summary"]["waiting"] == 0
        # And one that is run again takes it over, in the same handset.
        rack.job(imei(2), "tray")
        await rack.sends(here)
        assert became(await report(here)) == {"returned": 1, "tray": 1}
        rack.job(imei(2), "sold")
        await rack.sends(here)
        assert became(await report(here)) == {"returned": 1, "sold": 1}


async def test_records_that_come_late_count_in_their_own_month(conninfo: str) -> None:
    async with office(conninfo) as here:
        [early, late, _] = await three(here)
        late.job(imei(1), "sold", SPAN[0] + timedelta(days=3))
        early.job(imei(2), "sold", SPAN[1] + timedelta(hours=1))
        await early.sends(here)
        assert became(await report(here)) == {}
        await late.sends(here)
        assert became(await report(here)) == {"sold": 1}


@pytest.mark.parametrize(
    ("opened", "month"),
    [
        (datetime(2026, 11, 30, 14, 59, 59, tzinfo=UTC), "november"),
        (datetime(2026, 11, 30, 15, 0, tzinfo=UTC), "december"),
        (datetime(2026, 11, 30, 23, 59, tzinfo=UTC), "december"),
    ],
)
async def test_a_day_begins_where_the_racks_stand(
    conninfo: str, opened: datetime, month: str
) -> None:
    async with office(conninfo) as here:
        [rack, *_] = await three(here)
        # It ends after midnight, wherever that is.
        rack.told.open("job-1", opened)
        rack.told.inspect("job-1")
        await rack.sends(here)
        december = {"from": "2026-12-01", "to": "2026-12-01"}
        found = {
            "november": became(await report(here)),
            "december": became(await here.ask("/v1/report", **december)),
        }
        assert found == {"november": {}, "december": {}, month: {"running": 1}}
        of_utc = await report(here, zone="UTC")
        assert became(of_utc) == {"running": 1}
        assert of_utc["begin"] == "2026-11-01T00:00:00+00:00"


async def test_a_handset_on_two_racks_counts_in_each_and_once_in_the_whole(conninfo: str) -> None:
    async with office(conninfo) as here:
        [first, second, _] = await three(here)
        first.job(imei(1), "sold", START, tag="T1", lot="L-1")
        second.job(imei(1), "held", START + timedelta(days=1), tag="T9", lot="L-1")
        first.job(imei(2), "sold", START + timedelta(days=2))
        # The later one comes in first: what came last tells what has become of it.
        await second.sends(here)
        await here.counted.catch_up()
        await first.sends(here)
        told = await report(here)
        assert became(told) == {"held": 1, "sold": 1}
        assert {share["rack"]: became(share) for share in told["racks"]} == {
            "rack 1": {"sold": 2},
            "rack 2": {"held": 1},
        }
        assert {share["lot"]: became(share) for share in told["lots"]} == {
            "L-1": {"held": 1},
            None: {"sold": 1},
        }
        assert became(await report(here, rack="rack 1")) == {"sold": 2}


async def test_a_handset_whose_chip_is_its_own_on_two_racks_counts_once_in_the_whole(
    conninfo: str,
) -> None:
    async with office(conninfo) as here:
        for rack in (await three(here))[:2]:
            job = rack.job(imei(1), "held")
            # As each rack hashes it with its own secret.
            rack.told.tie(job, sha256(rack.name.encode()).hexdigest()[:16])
            await rack.sends(here)
        told = await report(here)
        assert became(told) == {"held": 1}


async def test_what_only_may_be_the_same_handset_counts_by_itself(conninfo: str) -> None:
    async with office(conninfo) as here:
        [first, second, _] = await three(here)
        first.job(imei(1), "held", START)
        second.told.open("job-1", START + timedelta(days=1))
        second.told.inspect("job-1", imei=imei(1), serial="OTHER", model="SO-53C")
        second.told.sell("job-1")
        await first.sends(here)
        await second.sends(here)
        assert became(await report(here)) == {"held": 1, "sold": 1}


async def test_each_job_of_a_forked_rack_counts_once_and_the_rack_is_named(conninfo: str) -> None:
    async with office(conninfo) as here:
        [rack, *_] = await three(here)
        rack.job(imei(1), "sold")
        await rack.sends(here)
        clone = Rack(rack.name, Told(list(rack.told.stored)), rack.ledger.copy(), rack.sent)
        clone.jobs = 100
        rack.job(imei(2), "held")
        clone.job(imei(3), "to_destroy")
        clone.job(imei(1), "held")
        await rack.sends(here)
        assert (await report(here))["forked"] == []
        await clone.sends(here)
        told = await report(here)
        assert told["forked"] == ["rack 1"]
        assert became(told) == {"held": 2, "to_destroy": 1}
        [lines] = ({line["why"] for line in (await here.ask("/v1/fleet"))["racks"]} - {"first"},)
        assert lines == {"fork"}


async def test_what_postgresql_cannot_keep_stops_nothing(conninfo: str) -> None:
    async with office(conninfo) as here:
        [rack, other, _] = await three(here)
        rack.told.open("job-1", None, recipe="a\0b")
        rack.told.bind("job-1", "T\0" + "x" * 5000, "L\0" + "y" * 5000)
        rack.told.open("bad\njob")
        rack.told.open("job-2")
        other.job(imei(1), "sold")
        await rack.sends(here)
        await other.sends(here)
        assert became(await report(here)) == {"running": 2, "sold": 1}


async def test_the_report_is_for_offices_alone_and_on_record(conninfo: str) -> None:
    async with office(conninfo) as here:
        assert (await here.http.get("/v1/report")).status_code == 401
        for path in ("/v1/yields", "/v1/fleet"):
            assert (await here.http.get(path)).status_code == 401
        assert await here.offices.readings(5) == []
        told = await report(here, consignor="例示商事")
        assert (told["begin"], told["end"]) == (
            "2026-11-01T00:00:00+09:00",
            "2026-12-01T00:00:00+09:00",
        )
        [reading] = await here.offices.readings(5)
        assert reading.office == "kanda"
        assert reading.asked.startswith("report from=2026-11-01&to=2026-11-30&consignor=")
        # By the site's own day, this month until today.
        told = await here.ask("/v1/report")
        assert (told["from"], told["to"]) == ("2026-12-01", "2026-12-01")


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "2026-11-30", "to": "2026-11-01"},
        {"from": "2020-01-01", "to": "2026-11-01"},
        {"from": "9999-12-31", "to": "9999-12-31"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
    ],
)
async def test_days_that_no_report_is_made_of_are_refused(
    conninfo: str, asked: dict[str, str]
) -> None:
    async with office(conninfo) as here:
        headers = {"authorization": f"Bearer {here.secret}"}
        answer = await here.http.get("/v1/report", params={**DAYS, **asked}, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "no_such_days"
