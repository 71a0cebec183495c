"""Tokens on a real ledger: what counts, until when, and what of it is ever written down."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from benchd.daemon.rack_tokens import tell_of_ends
from benchd.daemon.system_clock import SystemEntropy
from benchd.domain.errors import LedgerFault, NotFound, NotSignedIn, TokenRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.token import LONGEST_DAYS, TOKEN_SECRET, Scope
from benchd.ledger import export_lines, open_ledger
from benchd.people.tokens import token_register
from benchd.people.tokens.token_record import Change, entry_of, fold
from benchd.people.tokens.token_register import LONGEST_OVERLAP_HOURS, Tokens
from benchd.proof.evidence.clock_evidence import ClockStepEvidence
from tests.people.people_rig import BY, NOW, Counting, HandClock, RackKey
from tests.people.tokens.token_rig import tokens_in

pytestmark = pytest.mark.asyncio

HOUR, DAY = 3600.0, 24 * 3600.0


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest_asyncio.fixture
async def tokens(tmp_path: Path, clock: HandClock) -> AsyncGenerator[Tokens]:
    async with tokens_in(tmp_path, clock, SystemEntropy()) as tokens:
        yield tokens


async def test_a_secret_counts_from_its_record_on_and_after_a_restart(tmp_path: Path) -> None:
    clock = HandClock()
    async with tokens_in(tmp_path, clock) as tokens:
        made, secret = await tokens.create(BY, "stock", [Scope.INTAKE_WRITE], days=30)
        assert TOKEN_SECRET.fullmatch(secret)
        assert tokens.holder(secret) == made
    async with tokens_in(tmp_path, clock) as tokens:
        assert tokens.holder(secret) == made
        assert made.scopes == {Scope.INTAKE_WRITE}
        assert made.expires_at == NOW + timedelta(days=30)


async def test_no_secret_is_ever_written_down(tmp_path: Path) -> None:
    async with tokens_in(tmp_path, HandClock(), SystemEntropy()) as tokens:
        secrets = [(await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=1))[1]]
        secrets.append((await tokens.rotate(BY, "stock", days=1, overlap_hours=1))[1])
        await tokens.revoke(BY, "stock")
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    told = b"".join(export_lines(tmp_path / "ledger.sqlite"))
    for secret in secrets:
        drawn = secret.removeprefix("benchd_").encode()
        assert drawn not in kept
        assert hashlib.sha256(secret.encode()).hexdigest().encode() in told


async def test_not_even_memory_holds_a_secret(tokens: Tokens) -> None:
    """It is found by its hash, so no comparison goes letter by letter."""
    made, secret = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=1)
    held = {**tokens._by_mark, **tokens._tokens}
    assert held == {made.mark: "stock", "stock": made}
    assert made.mark == hashlib.sha256(secret.encode()).hexdigest()
    assert secret.removeprefix("benchd_") not in repr(held)


ALMOST: dict[str, Callable[[str], str]] = {
    "a letter less": lambda secret: secret[:-1],
    "another letter": lambda secret: secret[:-1] + ("A" if secret[-1] != "A" else "B"),
    "capitals": str.upper,
    "nothing": lambda secret: "",
    "a space more": lambda secret: f"{secret} ",
}


@pytest.mark.parametrize("change", ALMOST)
async def test_what_is_almost_a_secret_is_none(tokens: Tokens, change: str) -> None:
    _, secret = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=1)
    with pytest.raises(NotSignedIn, match="no token of this rack"):
        tokens.holder(ALMOST[change](secret))
    # Nor is what stands in the ledger.
    with pytest.raises(NotSignedIn, match="no token of this rack"):
        tokens.holder(hashlib.sha256(secret.encode()).hexdigest())


async def test_an_expired_token_stays_so_whatever_the_clock_says(
    tokens: Tokens, clock: HandClock
) -> None:
    _, secret = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=1)
    clock.forward(DAY - 1)
    assert tokens.holder(secret).name == "stock"
    clock.forward(1)
    with pytest.raises(NotSignedIn, match="expired"):
        tokens.holder(secret)
    clock.forward(-2 * DAY)
    with pytest.raises(NotSignedIn, match="expired"):
        tokens.holder(secret)


@pytest.mark.parametrize("steps", [1, 2])
async def test_what_has_ended_stays_so_at_a_start_by_a_clock_that_was_set_back(
    tmp_path: Path, steps: int
) -> None:
    clock, told = HandClock(), Counting()
    async with tokens_in(tmp_path, clock, told) as tokens:
        _, expired = await tokens.create(BY, "ended", [Scope.INTAKE_READ], days=1)
        _, old = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=365)
        await tokens.rotate(BY, "stock", days=365, overlap_hours=1)
    path = tmp_path / "ledger.sqlite"
    clock.forward(60 * DAY)
    async with open_ledger(path, head_key=RackKey()) as ledger:
        # No token has asked since, but the rack has worked.
        await ledger.append(Entry(kind=EntryKind.LEDGER_CHECKED, at=clock.now(), data={}))
    clock.forward(-400 * DAY)
    for step in range(steps):
        async with tokens_in(tmp_path, clock, told) as tokens:
            for secret, why in ((expired, "expired"), (old, "rotated")):
                with pytest.raises(NotSignedIn, match=why):
                    tokens.holder(secret)
        if step + 1 < steps:
            await _worked_on(path, clock)


async def _worked_on(path: Path, clock: HandClock) -> None:
    """A daemon notices the clock that was set back, writes by it, and ends."""
    data = to_json(ClockStepEvidence(set_back_s=400 * DAY, noticed="at_start"))
    async with open_ledger(path, head_key=RackKey()) as ledger:
        for kind, told in ((EntryKind.CLOCK_STEPPED, data), (EntryKind.LEDGER_CHECKED, {})):
            await ledger.append(Entry(kind=kind, at=clock.now(), data=told))


async def test_a_revoked_token_is_gone_at_once_and_its_name_for_good(tmp_path: Path) -> None:
    clock = HandClock()
    async with tokens_in(tmp_path, clock) as tokens:
        _, secret = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=9)
        _, other = await tokens.create(BY, "shop", [Scope.INTAKE_READ], days=9)
        await tokens.revoke(BY, "stock")
    async with tokens_in(tmp_path, clock) as tokens:
        with pytest.raises(NotSignedIn, match="revoked"):
            tokens.holder(secret)
        assert tokens.holder(other).name == "shop"
        for again in (
            tokens.create(BY, "stock", [Scope.INTAKE_READ], days=9),
            tokens.rotate(BY, "stock", days=9, overlap_hours=0),
            tokens.revoke(BY, "stock"),
        ):
            with pytest.raises(TokenRefused):
                await again
        with pytest.raises(NotFound):
            await tokens.revoke(BY, "nobody")


async def test_a_token_that_ends_soon_is_a_warning_at_the_start(
    tokens: Tokens, clock: HandClock
) -> None:
    for name, days in (("soon", 30), ("gone", 30), ("later", 300), ("over", 1)):
        await tokens.create(BY, name, [Scope.INTAKE_READ], days=days)
    await tokens.revoke(BY, "gone")
    for days, told in ((9, []), (1, ["soon"]), (30, [])):
        clock.forward(days * DAY)
        with capture_logs() as logs:
            tell_of_ends(tokens)
        assert [log["name"] for log in logs] == told


@pytest.mark.parametrize("restarted", [False, True])
async def test_after_a_rotation_the_old_secret_counts_for_the_overlap(
    tmp_path: Path, restarted: bool
) -> None:
    clock, entropy = HandClock(), Counting()
    async with tokens_in(tmp_path, clock, entropy) as tokens:
        _, old = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=30)
        _, new = await tokens.rotate(BY, "stock", days=30, overlap_hours=2)
        if not restarted:
            await _overlaps(tokens, clock, old, new)
    if restarted:
        async with tokens_in(tmp_path, clock, entropy) as tokens:
            await _overlaps(tokens, clock, old, new)


async def _overlaps(tokens: Tokens, clock: HandClock, old: str, new: str) -> None:
    assert old != new
    [token] = tokens.all
    assert token.former_until(clock.now()) == NOW + timedelta(hours=2)
    assert token.former_until(NOW + timedelta(hours=2)) is None
    clock.forward(2 * HOUR - 1)
    assert tokens.holder(old) == tokens.holder(new)
    clock.forward(1)
    assert tokens.holder(new).name == "stock"
    with pytest.raises(NotSignedIn, match="rotated"):
        tokens.holder(old)


async def test_an_overlap_outlives_neither_the_expiry_nor_the_next_rotation(
    tokens: Tokens, clock: HandClock
) -> None:
    _, first = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=1)
    _, second = await tokens.rotate(BY, "stock", days=30, overlap_hours=48)
    clock.forward(DAY)
    with pytest.raises(NotSignedIn, match="rotated"):
        tokens.holder(first)
    _, third = await tokens.rotate(BY, "stock", days=30, overlap_hours=48)
    _, fourth = await tokens.rotate(BY, "stock", days=30, overlap_hours=0)
    with pytest.raises(NotSignedIn, match="no token of this rack"):
        tokens.holder(second)
    with pytest.raises(NotSignedIn, match="rotated"):
        tokens.holder(third)
    assert tokens.holder(fourth).name == "stock"


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("Stock", [Scope.INTAKE_READ], 1),
        ("", [Scope.INTAKE_READ], 1),
        ("s" * 33, [Scope.INTAKE_READ], 1),
        ("st\nock", [Scope.INTAKE_READ], 1),
        ("stock", [], 1),
        ("stock", [Scope.INTAKE_READ], 0),
        ("stock", [Scope.INTAKE_READ], LONGEST_DAYS + 1),
    ],
)
async def test_what_cant_be_a_token_changes_nothing(
    tmp_path: Path, name: str, scopes: list[Scope], days: int
) -> None:
    async with tokens_in(tmp_path, HandClock()) as tokens:
        with pytest.raises(TokenRefused):
            await tokens.create(BY, name, scopes, days=days)
        assert tokens.all == ()
    assert list(export_lines(tmp_path / "ledger.sqlite")) == []


@pytest.mark.parametrize("hours", [-1.0, float("nan"), LONGEST_OVERLAP_HOURS + 0.1])
async def test_what_cant_be_an_overlap_rotates_nothing(tokens: Tokens, hours: float) -> None:
    _, secret = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=1)
    with pytest.raises(TokenRefused):
        await tokens.rotate(BY, "stock", days=1, overlap_hours=hours)
    assert tokens.holder(secret).former is None


async def test_there_is_a_most_of_them(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_register, "MOST_TOKENS", 1)
    await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=1)
    await tokens.revoke(BY, "stock")
    with pytest.raises(TokenRefused, match="the most"):
        await tokens.create(BY, "shop", [Scope.INTAKE_READ], days=1)


async def test_a_record_of_a_newer_benchd_lets_nobody_in(tmp_path: Path) -> None:
    async with tokens_in(tmp_path, HandClock()) as tokens:
        token, _ = await tokens.create(BY, "stock", [Scope.INTAKE_READ], days=1)
    entry = entry_of(Change.CREATED, token, by=BY, at=NOW)
    stored = StoredEntry(sequence=1, entry=entry, hash_hex="00" * 32)
    assert fold([stored]) == {token.name: token}
    for newer in ({"form": 2}, {"scopes": ["gates:answer"]}, {"more": 1}):
        entry = entry_of(Change.CREATED, token, by=BY, at=NOW)
        entry.data.update(newer)  # type: ignore[attr-defined]
        read = fold([StoredEntry(sequence=1, entry=entry, hash_hex="00" * 32)])[token.name]
        assert (read.scopes, read.revoked_at) == (frozenset(), NOW)
    entry = entry_of(Change.CREATED, token, by=BY, at=NOW)
    del entry.data["token"]  # type: ignore[attr-defined]
    with pytest.raises(LedgerFault):
        fold([StoredEntry(sequence=1, entry=entry, hash_hex="00" * 32)])
