"""A second kind of device is a folder with a profile: `usb_stick`, unknown to the core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.certificate import DsseIssuer, SigningKey, create_key, verify_certificate
from benchd.certificate.device_form import HANDSET_FORM, CertificateForm
from benchd.config.recipes import RecipeBook, read_recipes
from benchd.config.stages import HANDSETS
from benchd.domain.errors import CertificateGap, CertificateInvalid
from benchd.domain.ids import ANDROID, JobId
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.port import Attached
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot import ProblemCode, SlotView
from benchd.domain.slot_states import SlotState
from benchd.pipelines.device_support import device_kinds
from benchd.pipelines.recipe import Recipe, StageSpec
from benchd.pipelines.stages.inspect import InspectStage
from benchd.proof.erasure import ANDROID_PROFILE, DeviceProfile, verify_by, verify_erasure
from benchd.proof.job_records import kind_gaps
from benchd.slots.slot_dependencies import RackParts

from .test_erasure import good_records
from .usb_stick.access import Stick, StickAccess, stick_support
from .usb_stick.certificate import STICK_FORM
from .usb_stick.profile import STICK, STICK_PROFILE
from .usb_stick.stages import STICK_RECIPES
from .world import MIB, Phone, Port, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

KINDS = (HANDSETS, STICK_RECIPES)
FORMS = (HANDSET_FORM, STICK_FORM)
RULES = {STICK_FORM.predicate_type: STICK_FORM.rules}
WIPE, VERIFY, CERTIFY, INSPECT = (
    f'[[stage]]\nname = "{name}"\ndeadline_s = 60\nattempts = 1\n'
    for name in ("stick_wipe", "stick_verify", "certify", "inspect")
)


def read(tmp_path: Path, *stages: str) -> RecipeBook:
    file = tmp_path / "stick.toml"
    header = 'name = "stick"\ndescription_ja = "USBメモリー"\ndescription_en = "Stick"\n'
    file.write_text(header + "".join(stages))
    return read_recipes({file: file.name}, KINDS)


def issuer_of(tmp_path: Path, key: SigningKey, *forms: CertificateForm) -> DsseIssuer:
    return DsseIssuer(
        key=key, directory=tmp_path / "kept", site="大宮", benchd_version="0", forms=forms
    )


@dataclass
class Rack:
    """A rack in memory whose second slot is for sticks."""

    tmp_path: Path
    stages: Sequence[str] = (WIPE, VERIFY, CERTIFY)
    recipe: Recipe | None = None
    forms: Sequence[CertificateForm] = FORMS
    knows_sticks: bool = True
    sticks: StickAccess = field(default_factory=StickAccess)

    def __post_init__(self) -> None:
        self.key: SigningKey = create_key(self.tmp_path / "rack.key")
        recipe = self.recipe or read(self.tmp_path, *self.stages).recipes["stick"]
        self.world = World(2, adjust=partial(self._adjust, recipe), recipe_of={"A2": "stick"})

    def _adjust(self, recipe: Recipe, parts: RackParts) -> RackParts:
        known = [*parts.kinds.values()]
        if self.knows_sticks:
            known.append(stick_support(self.sticks))
        return replace(
            parts,
            kinds=device_kinds(*known),
            recipes={"overwrite": make_recipe(), "stick": recipe},
            issuer=issuer_of(self.tmp_path, self.key, *self.forms),
        )

    def plug(self, slot: str, stick: Stick) -> None:
        """Plug a stick into a slot's port."""
        port = self.world.ports[slot]
        self.sticks.sticks[port.address] = stick
        self.world.tell(
            Attached(
                port_path=port.port_path,
                kind=STICK,
                address=port.address,
                attachment=f"boot:{self.world.next_enumeration()}",
                interfaces=frozenset({"080650"}),
                at_s=anyio.current_time(),
            )
        )

    async def run(self, stick: Stick | None = None) -> SlotView:
        """How the job of a stick has ended."""
        async with self.world.running():
            self.plug("A2", stick or Stick())
            return await self.world.finished("A2")

    async def ran(self) -> tuple[JobId, list[StoredEntry]]:
        """A job of a good stick, and the records that its certificate rests on."""
        await self.run()
        return await self.world.proof("A2")

    def end(self) -> Mapping[str, Any]:
        return self.world.ledger.of(EntryKind.JOB_ENDED)[-1].entry.data


def with_kind(records: Sequence[StoredEntry], kind: object) -> list[StoredEntry]:
    """The same records, as if they were of another kind of device."""
    changed: list[StoredEntry] = []
    for record in records:
        data: dict[str, Any] = {**record.entry.data}
        if record.entry.kind is EntryKind.JOB_OPENED:
            data.pop("kind", None)
            data |= {} if kind is None else {"kind": kind}
        changed.append(replace(record, entry=replace(record.entry, data=data)))
    return changed


async def test_from_its_plug_a_stick_comes_to_a_certificate_of_its_own(tmp_path: Path) -> None:
    rack, stick = Rack(tmp_path), Stick()
    view = await rack.run(stick)
    assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    assert not any(stick.content)
    envelope = rack.end()["certificate"].encode()
    told: Any = verify_certificate(envelope, rack.key.public_key_pem, RULES)
    assert told["predicate"]["method"] == "Overwrite"
    assert told["predicateType"] == STICK_FORM.predicate_type
    # Who knows no sticks takes it for no certificate.
    with pytest.raises(CertificateInvalid, match="doesn't certify an erasure"):
        verify_certificate(envelope, rack.key.public_key_pem)
    opened = rack.world.ledger.of(EntryKind.JOB_OPENED)[-1].entry.data
    assert opened["kind"] == STICK


async def test_handsets_go_on_beside_it_and_their_records_name_no_kind(tmp_path: Path) -> None:
    rack = Rack(tmp_path)
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        rack.plug("A2", Stick())
        for slot in ("A1", "A2"):
            assert (await rack.world.finished(slot)).disposition is Disposition.SELLABLE
    ends = [end.entry for end in rack.world.ledger.of(EntryKind.JOB_ENDED)]
    [of_handset] = [str(end.data["certificate"]) for end in ends if end.slot == "A1"]
    told: Any = verify_certificate(of_handset.encode(), rack.key.public_key_pem)
    assert told["predicate"]["method"] == "Clear"
    of_port = [
        stored.entry.data
        for stored in rack.world.ledger.stored
        if stored.entry.slot == "A1" and "port_path" in stored.entry.data
    ]
    assert of_port
    assert not any("kind" in data for data in of_port)


OF_HANDSETS = Recipe(
    name="stick",
    digest="0" * 64,
    stages=(StageSpec(stage=InspectStage(), deadline_s=60, attempts=1),),
    kind=STICK,
)
HELD: dict[str, tuple[dict[str, Any], Stick, str]] = {
    "a floor: it doesn't keep what is written": ({}, Stick(worn_at=3), "something else was read"),
    "a floor: written once": (
        {"stages": (f"{WIPE}passes = 1\n", VERIFY, CERTIFY)},
        Stick(),
        "written too seldom",
    ),
    "a stage of handsets": ({"recipe": OF_HANDSETS}, Stick(), "is no handset over adb"),
    "no form": ({"forms": (HANDSET_FORM,)}, Stick(), "have no certificate"),
    "the form of handsets for its kind": (
        {"forms": (HANDSET_FORM, replace(HANDSET_FORM, kind=STICK))},
        Stick(),
        "",
    ),
    "a form of another type": (
        {"forms": (HANDSET_FORM, replace(STICK_FORM, predicate_type="urn:test:another:v1"))},
        Stick(),
        "",
    ),
    "a form of the handsets' type": (
        {
            "forms": (
                HANDSET_FORM,
                replace(STICK_FORM, predicate_type=HANDSET_FORM.predicate_type),
            )
        },
        Stick(),
        "",
    ),
}


@pytest.mark.parametrize("case", HELD)
async def test_what_its_profile_does_not_allow_certifies_nothing(tmp_path: Path, case: str) -> None:
    parts, stick, gap = HELD[case]
    rack = Rack(tmp_path, **parts)
    view = await rack.run(stick)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.PROOF_INCOMPLETE)
    assert gap in rack.end()["detail"]


async def test_a_recipe_has_the_stages_that_its_profile_requires(tmp_path: Path) -> None:
    good = read(tmp_path, WIPE, VERIFY, CERTIFY)
    assert good.issues == []
    assert good.recipes["stick"].kind == STICK
    for stages, said in (
        ([WIPE, CERTIFY], "certify needs stick_verify before it"),
        ([VERIFY, WIPE, CERTIFY], "certify needs another order"),
        ([WIPE, VERIFY, INSPECT, CERTIFY], "allowed is one of stick_wipe, stick_verify, certify"),
        ([CERTIFY], "certify needs inspect, gates"),
    ):
        book = read(tmp_path, *stages)
        assert said in "; ".join(map(str, book.issues))
        assert not book.recipes
    drawn = read(tmp_path, "recheck_share = 0.5\n", WIPE, VERIFY, CERTIFY)
    assert "only handsets are drawn" in "; ".join(map(str, drawn.issues))
    # Where nobody has registered it, its stages are none.
    file = tmp_path / "stick.toml"
    assert "stick_wipe" in "; ".join(map(str, read_recipes({file: file.name}).issues))


async def test_a_kind_that_nobody_has_registered_is_told_and_stalls_no_slot(
    tmp_path: Path,
) -> None:
    rack = Rack(tmp_path, knows_sticks=False)
    async with rack.world.running():
        rack.plug("A1", Stick())
        view = await rack.world.finished()
        assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.UNSUPPORTED_MODEL)
        assert "knows no kind of device usb_stick" in rack.end()["detail"]
        await rack.world.take_out()
        assert (await rack.world.ran()).disposition is Disposition.SELLABLE


@pytest.mark.parametrize("slot", ["A1", "A2"])
async def test_a_device_that_the_slots_recipe_is_not_for_is_touched_by_none_of_its_stages(
    tmp_path: Path, slot: str
) -> None:
    rack = Rack(tmp_path)
    stick, phone = Stick(), Phone()
    async with rack.world.running():
        if slot == "A1":
            rack.plug(slot, stick)
        else:
            rack.world.ports[slot].plug(phone)
        view = await rack.world.finished(slot)
    assert view.reason is Reason.UNSUPPORTED_MODEL
    assert "the slot's recipe" in rack.end()["detail"]
    assert stick.content == Stick().content
    assert not phone.calls
    assert not rack.world.ledger.of(EntryKind.STAGE_STARTED)


async def test_the_records_of_one_kind_prove_nothing_of_another(tmp_path: Path) -> None:
    job, of_stick = await Rack(tmp_path).ran()
    of_handset = await good_records()
    handset = of_handset[0].entry.job
    assert handset is not None
    assert STICK_PROFILE.verify(job, of_stick, (), ()).kind == STICK
    assert verify_erasure(handset, of_handset).kind == ANDROID
    for profile, of_job, records in (
        (ANDROID_PROFILE, job, of_stick),
        (STICK_PROFILE, handset, of_handset),
        # Nor do words alone make one of the other.
        (ANDROID_PROFILE, job, with_kind(of_stick, None)),
        (STICK_PROFILE, handset, with_kind(of_handset, STICK)),
        (STICK_PROFILE, job, with_kind(of_stick, None)),
        (ANDROID_PROFILE, handset, with_kind(of_handset, STICK)),
        (ANDROID_PROFILE, handset, with_kind(of_handset, "")),
        (ANDROID_PROFILE, handset, with_kind(of_handset, 7)),
        (STICK_PROFILE, job, with_kind(of_stick, "fridge")),
        (STICK_PROFILE, job, of_stick[1:]),
        (STICK_PROFILE, JobId("another"), of_stick),
        (STICK_PROFILE, job, []),
    ):
        with pytest.raises(CertificateGap):
            profile.verify(of_job, records, (), ())


async def test_a_record_taken_away_or_changed_leaves_a_gap(tmp_path: Path) -> None:
    job, records = await Rack(tmp_path).ran()
    for index, record in enumerate(records):
        with pytest.raises(CertificateGap):
            STICK_PROFILE.verify(job, [*records[:index], *records[index + 1 :]], (), ())
        if record.entry.kind is EntryKind.STAGE_ENDED:
            for change in ({"form": 7}, {"form": 5}, {"outcome": "failed"}, {"evidence": {}}):
                entry = replace(record.entry, data={**record.entry.data, **change})
                broken = [*records[:index], replace(record, entry=entry), *records[index + 1 :]]
                with pytest.raises(CertificateGap):
                    STICK_PROFILE.verify(job, broken, (), ())


async def test_no_profile_of_its_own_certifies_a_handset() -> None:
    records = await good_records()
    job = records[0].entry.job
    assert job is not None
    lax = replace(STICK_PROFILE, kind=ANDROID, required_stages=ANDROID_PROFILE.required_stages)
    with pytest.raises(CertificateGap, match="only verify_erasure"):
        verify_by(lax, job, records, lambda _case: ())


@pytest.mark.parametrize("change", [{"required_stages": ()}, {"method": " "}])
async def test_a_profile_without_a_stage_or_a_method_is_none(change: Mapping[str, Any]) -> None:
    with pytest.raises(ValueError, match="proves nothing"):
        replace(STICK_PROFILE, **change)


async def test_a_certificate_names_no_other_method_than_its_profile(tmp_path: Path) -> None:
    rack = Rack(tmp_path)
    job, records = await rack.ran()
    destroyed: DeviceProfile = replace(STICK_PROFILE, method="Destroy")
    erasure = verify_by(destroyed, job, records, lambda _case: ())

    def as_if_overwritten(erasure: Any, issuing: Any) -> Any:  # noqa: ANN401 - whatever it is
        erasure.method = "Overwrite"
        statement = STICK_FORM.statement_of(erasure, issuing)
        erasure.method = "Destroy"
        return statement

    lying = replace(STICK_FORM, statement_of=as_if_overwritten)
    with pytest.raises(CertificateGap, match="another form or method"):
        issuer_of(tmp_path, rack.key, lying).issue(erasure, rack.world.clock.now())


async def test_a_handset_that_comes_back_as_another_kind_is_not_worked_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rack = Rack(tmp_path)
    port = rack.world.ports["A1"]
    as_handset = Port.event

    def event(self: Port) -> Attached:
        told = as_handset(self)
        return told if self.enumeration == 1 else replace(told, kind=STICK)

    monkeypatch.setattr(Port, "event", event)
    async with rack.world.running():
        port.plug(Phone(used_bytes=30 * MIB))
        await rack.world.until_state(SlotState.REPLUGGING)
        await rack.world.until_problem(ProblemCode.WRONG_MODE)
        view = await rack.world.finished()
    assert view.reason is Reason.HANDSET_LOST
    changed = rack.world.ledger.of(EntryKind.ATTACHMENT_CHANGED)
    assert {str(stored.entry.data["kind"]) for stored in changed} == {STICK}
    assert "usb_stick" in "; ".join(kind_gaps(ANDROID, changed))


async def test_each_kind_is_registered_once(tmp_path: Path) -> None:
    sticks = stick_support(StickAccess())
    handsets = replace(sticks, profile=ANDROID_PROFILE)
    assert device_kinds(sticks, handsets).keys() == {STICK, ANDROID}
    with pytest.raises(ValueError, match="one name"):
        device_kinds(sticks, sticks)
    with pytest.raises(ValueError, match="one form"):
        issuer_of(tmp_path, create_key(tmp_path / "rack.key"), STICK_FORM, STICK_FORM)
