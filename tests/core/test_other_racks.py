"""The fleet's centre can only hold a handset: the thief of one can hold everything, pass nothing.

The centre here has the right key and says whatever the test draws.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import event, example, given, settings
from hypothesis import strategies as some

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.other_racks_section import OtherRacksSection
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json
from benchd.domain.job import ELSEWHERE, Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import SlotView
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.outbound.fleet.centre_questions import CentreQuestions
from benchd.outbound.http_post import Failure
from benchd.proof.erasure import HandsetErasure, VerifiedErasure, verify_erasure
from benchd.proof.evidence.other_racks_evidence import OtherRacksRecord
from benchd.proof.other_racks_proof import other_racks_gaps
from benchd.signing.private_key import SigningKey
from tests.intake.lots import BY, LOT, lot_record

from .fake_chips import CHIP, UNUSED, FakeChip, FakeChipAccess
from .rechecks import Labelled, RecheckRack, right_time
from .test_whole_job import RECHECK
from .world import (
    IMEI,
    MTP_ONLY,
    OTHER_IMEI,
    SERIAL,
    SOLD,
    CountingEntropy,
    FakeIssuer,
    MemoryLedger,
    Phone,
    SteppingClock,
    World,
    ending,
    make_recipe,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CENTRE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
RACK = SigningKey(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))

Says = Callable[[bytes], "bytes | Failure"]


class HostileCentre:
    """Keeps every question, and answers as the test says."""

    def __init__(self, *says: Says) -> None:
        self.questions: list[dict[str, Any]] = []
        self.answers: list[bytes | Failure] = []
        self._says = says

    async def post(self, question: bytes) -> bytes | Failure:
        says = self._says[min(len(self.questions), len(self._says) - 1)]
        self.questions.append(json.loads(question))
        self.answers.append(says(question))
        return self.answers[-1]

    def asking(self) -> CentreQuestions:
        return CentreQuestions(self.post, CENTRE.public_key(), RACK, CountingEntropy())

    def world(self, *, hold: bool = False, chips: FakeChipAccess | None = None) -> World:
        asking = self.asking()
        return World(
            recipe=replace(make_recipe(), holds_unasked=hold),
            chips=chips,
            adjust=lambda parts: replace(parts, other_racks=asking),
        )


def signed(claim: object, key: Ed25519PrivateKey = CENTRE) -> bytes:
    """What a centre would sign, by none of benchd's code."""
    if not isinstance(claim, dict):
        return spelled(claim)
    signature = key.sign(b"benchd fleet answer v1\n" + spelled(claim)).hex()
    return spelled({**claim, "signature": signature})


def spelled(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def answer(question: bytes, *kinds: str, **changes: object) -> dict[str, object]:
    found = [{"kind": k, "rack": "rack 1", "job": "J", "relation": "certain"} for k in kinds]
    return {
        "type": "urn:benchd:fleet-answer:v1",
        "question": sha256(question).hexdigest(),
        "at": "2026-12-01T02:00:00+00:00",
        "findings": found,
        "lease": None if found else {"number": 7, "until": "2026-12-01T14:00:00+00:00"},
        **changes,
    }


def says(*kinds: str, **changes: object) -> Says:
    return lambda question: signed(answer(question, *kinds, **changes))


def asked(world: World) -> list[dict[str, Any]]:
    return [dict(s.entry.data) for s in world.ledger.of(EntryKind.OTHER_RACKS_ASKED)]


RECHECKED = (Outcome.PASSED, Disposition.HOLD, Reason.RECHECKED)
REASONS = {
    "doomed": Reason.DOOMED_ELSEWHERE,
    "held": Reason.HELD_ELSEWHERE,
    "recheck_owed": Reason.RECHECK_OWED_ELSEWHERE,
    "running": Reason.RUNNING_ELSEWHERE,
    "watch_listed": Reason.LISTED_AT_CENTRE,
    "chip_seen": Reason.CHIP_SEEN_ELSEWHERE,
}


@pytest.mark.parametrize(("kind", "reason"), REASONS.items())
async def test_what_another_rack_knows_holds_it_before_anything_is_destroyed(
    kind: str, reason: Reason
) -> None:
    centre, phone = HostileCentre(says(kind)), Phone(used_bytes=30 << 20)
    world = centre.world()
    view = await world.refuses(phone, reason)
    assert view.disposition is Disposition.HOLD
    assert phone.calls["fill"] == 0
    [told] = asked(world)
    assert (told["stage"], told["asked"], told["findings"][0]["kind"]) == ("gates", True, kind)
    assert told["reply"].encode() == centre.answers[0]


@pytest.mark.parametrize(("kind", "reason"), REASONS.items())
async def test_what_has_come_up_meanwhile_holds_it_before_its_certificate(
    kind: str, reason: Reason
) -> None:
    world = HostileCentre(says(), says(kind)).world()
    view = await world.refuses(None, reason)
    assert view.disposition is Disposition.HOLD
    assert [told["stage"] for told in asked(world)] == ["gates", "certify"]


async def test_a_lease_on_record_that_cannot_be_read_is_never_asked_without() -> None:
    centre = HostileCentre(says())
    world = centre.world()

    def spoil(entry: Entry) -> None:
        if entry.kind is EntryKind.OTHER_RACKS_ASKED:
            broken = replace(entry, data={**entry.data, "lease": "7"})
            world.ledger.stored[-1] = replace(world.ledger.stored[-1], entry=broken)

    world.ledger.told = spoil
    view = await world.refuses(None, Reason.RECORD_BROKEN)
    assert view.disposition is Disposition.HOLD
    assert len(centre.questions) == 1


async def test_where_nothing_is_known_it_passes_and_both_answers_are_on_record() -> None:
    centre = HostileCentre(says())
    world = centre.world()
    await world.sells()
    at_gates, at_end = centre.questions
    assert (at_gates["stage"], at_end["stage"]) == ("gates", "certify")
    assert at_gates["nonce"] != at_end["nonce"]
    # The lease that it got is named, so that whoever was superseded is found out.
    assert ("lease" in at_gates, at_end["lease"]) == (False, 7)
    assert at_gates["rack"] == RACK.ring.rack
    assert (at_gates["imeis"], at_gates["proven"], at_gates["serial"]) == ([IMEI], [IMEI], SERIAL)
    assert [(each["asked"], each["lease"]["number"]) for each in asked(world)] == [(True, 7)] * 2
    assert [each["reply"].encode() for each in asked(world)] == centre.answers


async def test_its_chip_is_asked_about_in_the_question_before_the_certificate() -> None:
    named = "0badcafe." + "c" * 32
    for seen, tells in ((replace(UNUSED, fleet_chip=named), True), (UNUSED, False)):
        centre = HostileCentre(says(), says("chip_seen"))
        world = centre.world(chips=FakeChipAccess({"A1": FakeChip(looks=seen)}))
        await world.refuses(None, Reason.CHIP_SEEN_ELSEWHERE)
        at_gates, at_end = centre.questions
        assert "chip" not in at_gates
        assert (at_end.get("chip"), at_end.get("chip_tied")) == (
            (named, False) if tells else (None, None)
        )
        assert [told["with_chip"] for told in asked(world)] == [False, tells]
        # No rack tells another how it names chips itself.
        assert CHIP not in json.dumps(centre.questions)


async def test_a_chip_that_was_tied_is_asked_about_as_its_own() -> None:
    named = "0badcafe." + "c" * 32
    centre, phone = HostileCentre(says()), Phone(switches_nfc=True)
    chip = FakeChip(looks=replace(UNUSED, fleet_chip=named), of=phone)
    world = centre.world(chips=FakeChipAccess({"A1": chip}))
    await world.sells(phone)
    assert [each.get("chip_tied") for each in centre.questions] == [None, True]


async def test_the_gravest_of_several_is_told() -> None:
    world = HostileCentre(says("running", "held", "doomed", "recheck_owed")).world()
    await world.refuses(None, Reason.DOOMED_ELSEWHERE)


FOUND: dict[str, object] = {"kind": "doomed", "rack": "r", "job": "j", "relation": "certain"}
NEWER: dict[str, tuple[Says, Reason]] = {
    "an unknown kind": (says("stolen"), Reason.HELD_ELSEWHERE),
    "an unknown one beside one that is known": (says("stolen", "held"), Reason.HELD_ELSEWHERE),
    "a new field": (says(findings=[{**FOUND, "lot": "L"}]), Reason.HELD_ELSEWHERE),
    "a field less": (says(findings=[{"kind": "doomed"}]), Reason.HELD_ELSEWHERE),
    "a word too long": (says(findings=[{**FOUND, "job": "j" * 300}]), Reason.DOOMED_ELSEWHERE),
    "no object": (says(findings=[1]), Reason.HELD_ELSEWHERE),
    "no list": (says(findings={"kind": "doomed"}), Reason.HELD_ELSEWHERE),
    "more than any answer has": (says(*["held"] * 17), Reason.HELD_ELSEWHERE),
    "a new field beside them": (says("doomed", more=1), Reason.DOOMED_ELSEWHERE),
    "a lease that can't be read": (says("doomed", lease=7), Reason.DOOMED_ELSEWHERE),
    "another form of answer": (says("doomed", type="later"), Reason.DOOMED_ELSEWHERE),
}


@pytest.mark.parametrize(("say", "reason"), NEWER.values(), ids=NEWER)
@pytest.mark.parametrize("before", [(), (says(),)], ids=["gates", "certify"])
async def test_a_signed_finding_holds_it_whether_this_release_reads_it_or_not(
    before: tuple[Says, ...], say: Says, reason: Reason
) -> None:
    centre = HostileCentre(*before, say)
    world = centre.world()
    view = await world.refuses(None, reason)
    assert view.disposition is Disposition.HOLD
    [*_, told] = world.ledger.of(EntryKind.OTHER_RACKS_ASKED)
    record = from_json(OtherRacksRecord, told.entry.data, "record")
    assert record.asked
    assert record.reply is not None
    assert record.reply.encode() == centre.answers[-1]
    assert list(other_racks_gaps([told]))


def refuses_with(why: str) -> Says:
    return lambda _: Failure(why=why)


def replayed(first: list[bytes]) -> Says:
    """The first answer of this centre again, whatever is asked."""

    def say(question: bytes) -> bytes:
        first.append(signed(answer(question)))
        return first[0]

    return say


NO_ANSWERS: dict[str, Says] = {
    "away": refuses_with("timeout"),
    "refused": refuses_with("http_422"),
    "another key": lambda question: signed(answer(question), OTHER),
    "not signed": lambda question: spelled(answer(question)),
    "for another handset": lambda question: signed(
        answer(question.replace(IMEI.encode(), OTHER_IMEI.encode()))
    ),
    "from before": lambda _: signed(answer(b"an earlier question")),
    "changed since": lambda question: signed(answer(question)).replace(
        b'"number":7', b'"number":8'
    ),
    "a field more": says(more=1),
    "no list": says(findings=None),
    "no answer": lambda _: b"",
    "no JSON": lambda _: b"\xff\xfe",
    "nested": lambda _: b"[" * 5000,
    "too much": lambda question: signed(answer(question, at="2" * 20_000)),
    "a word without end": says(lease={"number": 1, "until": "2" * 999}),
    "a number without end": says(lease={"number": 1 << 70, "until": "x"}),
}


@pytest.mark.parametrize("say", NO_ANSWERS.values(), ids=NO_ANSWERS)
@pytest.mark.parametrize("hold", [False, True])
async def test_what_is_no_answer_counts_as_not_asked_and_the_recipe_decides(
    say: Says, *, hold: bool
) -> None:
    world = HostileCentre(say).world(hold=hold)
    view = await world.end_of()
    if hold:
        world.must_not_pass(view, Reason.OTHER_RACKS_NOT_ASKED)
        assert view.disposition is Disposition.HOLD
    else:
        assert ending(view) == SOLD
    for told in asked(world):
        assert (told["asked"], told["findings"], told["reply"]) == (False, [], None)
        assert told["because"]


async def test_an_answer_from_the_gates_is_none_before_the_certificate() -> None:
    world = HostileCentre(replayed([])).world(hold=True)
    view = await world.end_of()
    world.must_not_pass(view, Reason.OTHER_RACKS_NOT_ASKED)
    assert [told["asked"] for told in asked(world)] == [True, False]


async def test_without_a_centre_nobody_is_asked_unless_the_recipe_wants_it() -> None:
    world = World()
    await world.sells()
    assert asked(world) == []
    world = World(recipe=replace(make_recipe(), holds_unasked=True))
    await world.refuses(None, Reason.OTHER_RACKS_NOT_ASKED)


async def test_a_drawn_handset_is_asked_about_again_at_its_recheck() -> None:
    centre = HostileCentre(says(), says(), says("doomed"))
    rack = RecheckRack(other_racks=centre.asking())
    async with rack.drawn() as phone:
        view = await rack.rechecked(phone)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.DOOMED_ELSEWHERE)
    assert centre.questions[-1]["stage"] == "certify_drawn"
    assert centre.questions[-1]["imeis"] == [IMEI]
    assert not rack.world.issuer.kept


class Sale:
    """A1 erases, A2 looks once more before the sale; the papers have T1 and T2."""

    def __init__(
        self, centre: HostileCentre | None, *, hold: bool = False, after: Labelled | None = None
    ) -> None:
        """`after`: with the records of a rack that has stopped."""
        ledger = after.ledger if after else MemoryLedger()
        time = right_time(ledger, SteppingClock())
        store = after.store if after else IntakeStore(ledger, SteppingClock(), time)
        self.desk = IntakeDesk(store, CountingEntropy())
        recipes = {"overwrite": make_recipe(), "recheck": replace(RECHECK, holds_unasked=hold)}
        asking = centre.asking() if centre else None
        self.world = World(
            2,
            ledger=ledger,
            adjust=lambda made: replace(made, recipes=recipes, intake=store, other_racks=asking),
            recipe_of={"A2": "recheck"},
        )
        self.world.entropy._count = len(ledger.stored)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[None]:
        await self.desk.add_lot(lot_record())
        csv = f"tag,IMEI\nT1,{IMEI}\nT2,{OTHER_IMEI}\n"
        done = await self.desk.import_assets(LOT, csv.encode(), by=BY, dry_run=False)
        assert done.taken
        async with self.world.running():
            yield

    async def certified(self) -> None:
        assert ending(await self.world.ran()) == SOLD
        await self.world.take_out()

    async def looked(self, label: str | None) -> SlotView:
        """How a look ends whose handset's label was scanned in its slot."""
        self.world.silent_in = StageName.LOOK
        self.world.ports["A2"].plug(Phone(), MTP_ONLY)
        await self.world.until_question(Gate.LOOK, "A2")
        if label is not None:
            await self.desk.bind(self.world.view("A2"), label, by=BY)
        self.world.silent_in = None
        self.world.board._wake()
        view = await self.world.finished("A2")
        await self.world.take_out("A2")
        return view


@pytest.mark.parametrize(("kind", "reason"), REASONS.items())
async def test_a_look_before_the_sale_asks_about_the_certified_handset_of_its_label(
    kind: str, reason: Reason
) -> None:
    centre = HostileCentre(says(), says(), says(kind))
    sale = Sale(centre)
    async with sale.open():
        await sale.certified()
        view = await sale.looked("T1")
    assert ending(view) == (Outcome.FAILED, Disposition.HOLD, reason)
    at_gates, _, at_look = centre.questions
    assert at_look["stage"] == "look"
    about = ("imeis", "proven", "serial", "model", "is_full")
    assert [at_look[each] for each in about] == [at_gates[each] for each in about]


async def test_a_look_of_which_nothing_is_known_elsewhere_passes_and_certifies_nothing() -> None:
    sale = Sale(HostileCentre(says()), hold=True)
    async with sale.open():
        await sale.certified()
        view = await sale.looked("T1")
    assert ending(view) == RECHECKED
    assert [told["stage"] for told in asked(sale.world)] == ["gates", "certify", "look"]


async def test_a_handset_that_another_rack_has_certified_is_asked_about_by_its_papers() -> None:
    centre = HostileCentre(says("doomed"))
    sale = Sale(centre)
    async with sale.open():
        view = await sale.looked("T2")
    assert view.reason is Reason.DOOMED_ELSEWHERE
    [told] = centre.questions
    assert (told["imeis"], told["proven"]) == ([OTHER_IMEI], [OTHER_IMEI])
    assert (told["serial"], told["model"], told["is_full"]) == (None, None, False)


async def test_each_look_asks_about_its_own_label() -> None:
    centre = HostileCentre(says())
    sale = Sale(centre)
    async with sale.open():
        await sale.certified()
        assert ending(await sale.looked("T2")) == RECHECKED
        assert ending(await sale.looked("T1")) == RECHECKED
    assert [told["imeis"] for told in centre.questions[2:]] == [[OTHER_IMEI], [IMEI]]


async def test_a_drawn_handset_is_asked_about_before_its_sale_by_all_that_both_its_jobs_know() -> (
    None
):
    """Its certificate stands in the recheck's job, which knows less of it than the drawn one."""
    centre = HostileCentre(says())
    rack = Labelled(other_racks=centre.asking())
    async with rack.drawn() as phone:
        assert ending(await rack.rechecked(phone)) == SOLD
    later = Sale(centre, hold=True, after=rack)
    async with later.world.running():
        assert ending(await later.looked("T1")) == RECHECKED
    at_gates, *_, at_look = centre.questions
    about = ("imeis", "serial", "model")
    assert [at_look[each] for each in about] == [at_gates[each] for each in about]


@pytest.mark.parametrize(
    ("label", "centre", "because"),
    [
        (None, HostileCentre(says("doomed")), "no_label"),
        ("T1", HostileCentre(refuses_with("timeout")), "timeout"),
        ("T1", None, "no_centre"),
    ],
    ids=["no label", "no answer", "no centre"],
)
@pytest.mark.parametrize("hold", [False, True])
async def test_a_look_that_could_ask_nobody_ends_as_its_recipe_says(
    label: str | None, centre: HostileCentre | None, because: str, *, hold: bool
) -> None:
    sale = Sale(centre, hold=hold)
    async with sale.open():
        view = await sale.looked(label)
    not_asked = (Outcome.FAILED, Disposition.HOLD, Reason.OTHER_RACKS_NOT_ASKED)
    assert ending(view) == (not_asked if hold else RECHECKED)
    told = [(each["stage"], each["asked"], each["because"]) for each in asked(sale.world)]
    assert told == ([] if centre is None and not hold else [("look", False, because)])


class KeepsErasures(FakeIssuer):
    """A fake signer that keeps the proofs it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.erasures: list[VerifiedErasure] = []

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        self.erasures.append(erasure)
        return super().issue(erasure, at)


@pytest.mark.parametrize(
    ("again", "is_asked"), [(None, False), (refuses_with("timeout"), False), (says(), True)]
)
async def test_a_certificate_by_a_recheck_tells_only_of_what_the_recheck_has_asked(
    again: Says | None, *, is_asked: bool
) -> None:
    """Its erasure was asked about before its own certificate, which it didn't get that day."""
    rack = RecheckRack(other_racks=HostileCentre(says()).asking())
    async with rack.drawn() as phone:
        pass
    centre = None if again is None else HostileCentre(again).asking()
    issuer = KeepsErasures()
    later = RecheckRack(ledger=rack.ledger, other_racks=centre, issuer=issuer)
    later.world.entropy._count = 1000
    async with later.world.running():
        await later.rechecked(phone)
    [erasure] = issuer.erasures
    assert isinstance(erasure, HandsetErasure)
    told = OtherRacksSection.of(erasure)
    assert (told.asked_at is not None) is is_asked
    assert told.says == (Sentence.OTHER_RACKS_ASKED if is_asked else Sentence.OTHER_RACKS_NOT_ASKED)


WORDS = some.one_of(
    some.sampled_from(["doomed", "held", "running", "recheck_owed", "watch_listed", "sellable"]),
    some.text(max_size=8),
)
SCALARS = some.one_of(
    some.none(), some.booleans(), some.integers(-5, 1 << 65), some.text(max_size=5), WORDS
)
FINDINGS = some.lists(
    some.one_of(
        some.fixed_dictionaries(
            {
                "kind": WORDS,
                "rack": some.one_of(some.none(), some.text(max_size=300)),
                "job": some.one_of(some.none(), some.text(max_size=5)),
                "relation": some.one_of(some.none(), some.sampled_from(["certain", "none"])),
            }
        ),
        SCALARS,
    ),
    max_size=20,
)
LEASES = some.one_of(
    SCALARS, some.fixed_dictionaries({"number": SCALARS, "until": SCALARS}), some.lists(SCALARS)
)
CLAIMS = some.one_of(
    some.fixed_dictionaries(
        {},
        optional={
            "findings": some.one_of(FINDINGS, SCALARS),
            "lease": LEASES,
            "at": SCALARS,
            "type": SCALARS,
            "question": SCALARS,
            "disposition": some.just("sellable"),
            "erased": some.just(True),
        },
    ),
    SCALARS,
)
PHONES = some.sampled_from(
    (
        {},
        {},
        {},
        {"accounts": 1},
        {"removable_media": True},
        {"signs": ("su is there",)},
        {"written_share": 0.5},
        {"bad_bytes": 4096},
        {"reset_lies": True},
        {"imei": None},
        {"serial": "0123456789ABCDEF"},
    )
)
CONTROL: dict[str, object] = {}


@settings(max_examples=120, deadline=None)
@given(claims=some.lists(CLAIMS, min_size=1, max_size=3), changes=PHONES, hold=some.booleans())
@example(claims=[{}], changes={}, hold=True)
@example(claims=[{}, {"findings": []}], changes={"bad_bytes": 4096}, hold=False)
async def test_whatever_a_centre_signs_a_handset_ends_as_without_it_or_is_held(
    claims: list[object], changes: dict[str, object], *, hold: bool
) -> None:
    if str(changes) not in CONTROL:
        CONTROL[str(changes)] = ending(await World().end_of(Phone(**changes)))  # type: ignore[arg-type]
    without = CONTROL[str(changes)]

    def say(claim: object) -> Says:
        return lambda question: signed(
            {**answer(question), **claim} if isinstance(claim, dict) else claim
        )

    world = HostileCentre(*(say(claim) for claim in claims)).world(hold=hold)
    told = ending(await world.end_of(Phone(**changes)))  # type: ignore[arg-type]
    event(str(told[2]))
    if told != without:
        assert told[:2] == (Outcome.FAILED, Disposition.HOLD)
        assert told[2] in ELSEWHERE
        assert not world.certified()


async def test_an_answer_on_record_that_holds_it_forbids_a_certificate_by_itself() -> None:
    """The proof reads the records: it needs no stage to have stopped."""
    world = HostileCentre(says()).world()
    async with world.running():
        await world.ran()
        job, records = await world.proof()
    verify_erasure(job, records)
    at_gates = next(r for r in records if r.entry.kind is EntryKind.OTHER_RACKS_ASKED)
    held = [{"kind": "doomed", "rack": "r", "job": "j", "relation": "certain"}]
    entry = replace(at_gates.entry, data={**at_gates.entry.data, "findings": held})
    altered = [replace(r, entry=entry) if r is at_gates else r for r in records]
    with pytest.raises(CertificateGap, match="other racks: doomed"):
        verify_erasure(job, altered)
