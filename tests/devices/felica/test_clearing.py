"""From an order to a claim, whatever the provider does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import anyio
import pytest
from provider_rig import IDENTITY, ORDER

from benchd.devices.felica.clearing import clear_with
from benchd.devices.felica.providers import Carrier, ClearRule, carrier_of
from benchd.devices.felica.providers.carrier_rules import choose
from benchd.devices.felica.providers.operator import OperatorProvider
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.clear import ClearCapabilities, ClearClaim, ClearMethod, ClearOrder, ClearOutcome
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import SlotName
from benchd.domain.ports import ClearProvider

pytestmark = pytest.mark.asyncio

DONE = ClearClaim(provider="p", outcome=ClearOutcome.DONE, detail="done")


@dataclass
class FakeProvider:
    """Says what it is told to say."""

    claim: Callable[[], ClearClaim] = lambda: DONE
    methods: frozenset[ClearMethod] = frozenset({ClearMethod.TOOL})
    max_s: float = 60
    aborts: list[str] = field(default_factory=list)
    began: anyio.Event = field(default_factory=anyio.Event)
    for_ever: bool = False

    def capabilities(self, identity: HandsetIdentity) -> ClearCapabilities:
        return ClearCapabilities(
            methods=self.methods,
            needs_network=False,
            needs_login=False,
            irreversible=True,
            max_s=self.max_s,
        )

    async def clear(self, order: ClearOrder) -> ClearClaim:
        self.began.set()
        if self.for_ever:
            await anyio.sleep_forever()
        return self.claim()

    async def abort(self) -> None:
        self.aborts.append("aborted")


def settings(provider: ClearProvider, *rules: ClearRule) -> FelicaSettings:
    return FelicaSettings(
        providers={"p": lambda: provider}, rules=rules or (ClearRule(provider="p"),)
    )


async def test_what_a_provider_says_is_the_claim() -> None:
    provider = FakeProvider()
    assert await clear_with(settings(provider), ORDER) == DONE
    assert provider.aborts == []


async def test_without_a_rule_that_fits_nothing_is_cleared() -> None:
    claim = await clear_with(
        settings(FakeProvider(), ClearRule(provider="p", brand="Sharp")), ORDER
    )
    assert (claim.outcome, claim.provider) == (ClearOutcome.UNSUPPORTED, "")


async def test_a_provider_that_can_do_nothing_isnt_asked() -> None:
    provider = FakeProvider(methods=frozenset())
    assert (await clear_with(settings(provider), ORDER)).outcome is ClearOutcome.UNSUPPORTED
    assert not provider.began.is_set()


@pytest.mark.parametrize(
    "raised",
    [
        ValueError("serial S3R1AL"),
        SystemError(),
        TimeoutError(),
        ExceptionGroup("x", [KeyError("y")]),
    ],
)
async def test_a_provider_that_raises_is_a_fatal_claim(raised: Exception) -> None:
    def claim() -> ClearClaim:
        raise raised

    provider = FakeProvider(claim=claim)
    made = await clear_with(settings(provider), ORDER)
    assert made.outcome is ClearOutcome.FATAL
    assert made.detail == f"the provider raised {type(raised).__name__}"
    assert provider.aborts == ["aborted"]


@pytest.mark.parametrize("nonsense", [None, "done", replace(DONE, outcome="erased")])  # pyright: ignore[reportArgumentType]
async def test_a_claim_that_is_none_is_fatal(nonsense: object) -> None:
    provider = FakeProvider(claim=lambda: nonsense)  # pyright: ignore[reportArgumentType]
    assert (await clear_with(settings(provider), ORDER)).outcome is ClearOutcome.FATAL


async def test_a_provider_that_takes_too_long_is_aborted() -> None:
    provider = FakeProvider(for_ever=True, max_s=0.05)
    claim = await clear_with(settings(provider), ORDER)
    assert claim.outcome is ClearOutcome.RETRYABLE
    assert provider.aborts == ["aborted"]


async def test_an_unplug_aborts_the_provider() -> None:
    provider = FakeProvider(for_ever=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clear_with, settings(provider), ORDER)
        await provider.began.wait()
        tasks.cancel_scope.cancel()
    assert provider.aborts == ["aborted"]


async def test_a_claim_is_bounded_and_printable() -> None:
    loud = replace(DONE, provider="other", detail="\x1b[2J" + "A" * 9999, report="\x00" * 9)
    claim = await clear_with(settings(FakeProvider(claim=lambda: loud)), ORDER)
    assert claim.provider == "p"
    assert claim.detail.isprintable()
    assert len(claim.detail) <= 200
    assert claim.report is None


async def test_the_operator_is_asked_at_once() -> None:
    claim = await clear_with(settings(OperatorProvider("p")), ORDER)
    assert claim.outcome is ClearOutcome.NEEDS_OPERATOR


@pytest.mark.parametrize(
    ("model", "carrier"),
    [
        ("SO-51B", Carrier.DOCOMO),
        ("F-51B", Carrier.DOCOMO),
        ("SOG04", Carrier.KDDI),
        ("KYV48", Carrier.KDDI),
        ("A101SH", Carrier.SOFTBANK),
        ("803SH", Carrier.SOFTBANK),
        ("Pixel 8", Carrier.OTHER),
        ("XQ-CC44", Carrier.OTHER),
        ("", Carrier.OTHER),
    ],
)
async def test_the_carrier_follows_from_the_model_number(model: str, carrier: Carrier) -> None:
    assert carrier_of(model) is carrier


async def test_the_first_rule_that_fits_chooses() -> None:
    rules = (
        ClearRule(provider="place", slots=frozenset({SlotName("B1")})),
        ClearRule(provider="model", model="so-5?a"),
        ClearRule(provider="brand", brand="SONY", carrier=Carrier.DOCOMO),
        ClearRule(provider="rest"),
    )
    assert choose(rules, SlotName("A1"), IDENTITY) == "brand"
    assert choose(rules, SlotName("B1"), IDENTITY) == "place"
    assert choose(rules, SlotName("A1"), replace(IDENTITY, model="SO-52A")) == "model"
    assert choose(rules, SlotName("A1"), replace(IDENTITY, manufacturer="Sharp")) == "rest"
    assert choose(rules[:3], SlotName("A1"), replace(IDENTITY, manufacturer="Sharp")) is None
