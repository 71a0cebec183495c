"""Who asks too often, who guesses, and what of a secret anybody gets to see."""

from __future__ import annotations

import json
import threading

import anyio
import pytest
from structlog.testing import capture_logs

from benchd.intake import csv_import
from benchd.intake.csv_assets import AssetsFile
from benchd.intake.csv_format import HoldsBadge
from benchd.web.authoriser import MOST_OPEN
from tests.people.people_rig import BY
from tests.people.tokens.token_rig import House, OpenHouse, bearing, code_of

pytestmark = pytest.mark.asyncio

LOTS = "/api/v1/lots"
PER_MINUTE = 6


async def test_who_asks_too_often_waits_and_nobody_else_does(open_house: OpenHouse) -> None:
    async with open_house(per_minute=PER_MINUTE) as house:
        stock, shop = await house.token("stock"), await house.token("shop")
        async with house.client() as client:
            for path in [LOTS] * (PER_MINUTE - 1) + ["/api/v1/jobs"]:
                await client.get(path, headers=bearing(stock))
            refused = await client.get(LOTS, headers=bearing(stock))
            assert code_of(refused) == (429, "asked_too_often")
            assert refused.headers["retry-after"] == "10"
            # A new secret is the same token; another token and people are others.
            _, new = await house.tokens.rotate(BY, "stock", days=30, overlap_hours=1)
            assert (await client.get(LOTS, headers=bearing(new))).status_code == 429
            assert (await client.get(LOTS, headers=bearing(shop))).status_code == 200
            assert (await client.get("/api/v1")).status_code == 200
            house.seconds.s += 10
            assert (await client.get(LOTS, headers=bearing(new))).status_code == 200
            assert (await client.get(LOTS, headers=bearing(stock))).status_code == 429


async def test_a_token_with_too_many_requests_open_takes_nobodys_place(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, genuine = threading.Event(), csv_import.read_assets

    def slow(data: bytes, holds_badge: HoldsBadge) -> AssetsFile:
        answered.wait(60)
        return genuine(data, holds_badge)

    monkeypatch.setattr(csv_import, "read_assets", slow)
    stock, shop = await house.token("stock"), await house.token("shop")
    lot = {"lot": "L-1", "consignor": "private", "kind": "purchase"}
    statuses: list[int] = []
    async with house.client() as client, anyio.create_task_group() as sending:
        assert (await client.post(LOTS, json=lot, headers=bearing(stock))).is_success

        async def send() -> None:
            path = f"{LOTS}/L-1/assets.csv?dry_run=true"
            answer = await client.post(path, content=b"tag\nT1\n", headers=bearing(stock))
            statuses.append(answer.status_code)

        for _ in range(MOST_OPEN):
            sending.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        try:
            refused = await client.get(LOTS, headers=bearing(stock))
            assert code_of(refused) == (429, "asked_too_often")
            assert refused.headers["retry-after"] == "1"
            assert (await client.get(LOTS, headers=bearing(shop))).status_code == 200
            assert (await client.get("/api/v1")).status_code == 200
        finally:
            answered.set()
    assert statuses == [200] * MOST_OPEN
    async with house.client(stock) as client:
        assert (await client.get(LOTS)).status_code == 200


async def test_a_flood_of_guesses_takes_nothing_from_who_has_a_token(open_house: OpenHouse) -> None:
    async with open_house(per_minute=PER_MINUTE) as house:
        secret = await house.token("stock")
        before = len(house.people.records)
        with capture_logs() as logs:
            async with house.client() as client:
                for number in range(300):
                    answer = await client.get(LOTS, headers=bearing(f"benchd_{number:043d}"))
                    assert answer.status_code == 401
                assert (await client.get(LOTS, headers=bearing(secret))).status_code == 200
                house.seconds.s += 10
                await client.get(LOTS, headers=bearing("benchd_x"))
        told = [log for log in logs if log["event"] == "token_refused"]
        assert [log["not_logged_before"] for log in told] == [0, 299]
        # Nothing of it is kept: neither on record nor in memory.
        assert len(house.people.records) == before
        assert len(house.tokens.all) == 1


async def test_no_log_and_no_answer_repeats_a_secret(open_house: OpenHouse) -> None:
    async with open_house(per_minute=1) as house:
        secret = await house.token("stock")
        drawn, said = secret.removeprefix("benchd_"), []
        with capture_logs() as logs:
            async with house.client() as client:
                for headers, query in (
                    (bearing(secret), ""),
                    (bearing(secret), ""),
                    (bearing(secret + "A"), ""),
                    ({}, f"?access_token={secret}"),
                ):
                    answer = await client.get(f"{LOTS}{query}", headers=headers)
                    said.append(f"{answer.headers} {answer.text}")
                await house.tokens.revoke(BY, "stock")
                said.append((await client.get(LOTS, headers=bearing(secret))).text)
        assert drawn not in "".join(said)
        assert drawn not in json.dumps(logs, default=str)
        assert logs


@pytest.mark.parametrize("what", ["lot", "asset", "file"])
@pytest.mark.parametrize("ends", ["revoked", "expired"])
async def test_what_waits_for_its_turn_is_refused_where_its_token_has_ended_meanwhile(
    house: House, what: str, ends: str
) -> None:
    secret = await house.token("stock")
    lot = {"lot": "L-1", "consignor": "private", "kind": "purchase"}
    path, sent = {
        "lot": (LOTS, {"json": {**lot, "lot": "L-2"}}),
        "asset": (f"{LOTS}/L-1/assets", {"json": {"tag": "T1"}}),
        "file": (f"{LOTS}/L-1/assets.csv", {"content": b"tag\nT1\n"}),
    }[what]
    answers: list[tuple[int, str]] = []
    async with house.client(secret) as client:
        assert (await client.post(LOTS, json=lot)).is_success

        async def send() -> None:
            answers.append(code_of(await client.post(path, **sent)))  # type: ignore[arg-type]

        turn = house.intake._store.writing()
        async with anyio.create_task_group() as sending, turn:
            sending.start_soon(send)
            await anyio.wait_all_tasks_blocked()
            if ends == "revoked":
                await house.tokens.revoke(BY, "stock")
            else:
                house.clock.forward(40 * 24 * 3600)
    assert answers == [(401, "not_signed_in")]
    assert list(house.intake.book.lots) == ["L-1"]
    assert not house.intake.book.assets
