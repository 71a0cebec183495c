"""The contract between the runner and a stage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, TypeVar, cast

from benchd.domain.errors import StageFailed
from benchd.domain.handset import HandsetFacts
from benchd.domain.ids import ANDROID, JobId, SlotName
from benchd.domain.job import Decision, Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.models.model_guidance import reset_words
from benchd.domain.ports import ChipAccess, Clock, Device, Entropy, Keystream, Ledger, OtherRacks
from benchd.pipelines.ports import Handset, Station, Vetting
from benchd.pipelines.rack_readers import RackReaders
from benchd.pipelines.stage_waits import StageTime, ask_until
from benchd.proof.binding import JobBinding
from benchd.proof.erasure import DeviceProfile
from benchd.proof.evidence.fresh_evidence import FreshPictures, SignedPicture
from benchd.proof.evidence.job_evidence import JobEvidence
from benchd.proof.ports import CertificateIssuer, Intake

T = TypeVar("T")

IMEI_END_DIGITS = 4
UNTOLD = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDescription:
    """A stage in the eyes of recipes, runner and ledger; its parameters are its fields."""

    name: StageName
    """The stage stands in the file of this name."""
    destructive: bool
    """Whether it changes what is on the handset."""
    needs_access: bool
    """Whether only a recipe whose jobs wait for their device can have it."""
    after: tuple[StageName, ...] = ()
    """Whose results it can't do without."""
    before: tuple[StageName, ...] = ()
    """What would take away what it needs: none of them may come first."""
    skipped_for: frozenset[str] = frozenset()
    """The reasons for which it may be skipped, and no other."""
    needed_for: tuple[Reason, ...] = ()
    """The ends that a recipe without it mustn't name."""


class JobContext:
    """What the stages of one job share."""

    def __init__(  # noqa: PLR0913 - one value per port, built in one place
        self,
        *,
        job: JobId,
        slot: SlotName,
        profile: DeviceProfile | None,
        device: Device | None,
        station: Station,
        chips: ChipAccess,
        ledger: Ledger,
        issuer: CertificateIssuer,
        clock: Clock,
        entropy: Entropy,
        keystream: Keystream,
        models: ModelCatalogue,
        pictures: FreshPictures,
        intake: Intake,
        readers: RackReaders,
        other_racks: OtherRacks | None,
        holds_unasked: bool,
        certifies: bool,
        checks_chip_first: bool,
        grounds: Callable[[JobContext], None],
    ) -> None:
        """`grounds` raises StageFailed where what the job goes by doesn't hold any more."""
        self.job = job
        self._grounds = grounds
        self.slot = slot
        self._profile = profile
        self.device = device
        """What is in the slot, opened; None where the recipe works without."""
        self.station = station
        self.chips = chips
        self.ledger = ledger
        self.issuer = issuer
        self.clock = clock
        self.entropy = entropy
        self.keystream = keystream
        self.models = models
        self.pictures = pictures
        self.intake = intake
        self.readers = readers
        readers.began(slot, job)
        self.other_racks = other_racks
        """Who answers for the other racks; None on a rack without a centre."""
        self.holds_unasked = holds_unasked
        """Whether the recipe has a handset held of which nobody else could be asked."""
        self.certifies = certifies
        """Whether the recipe ends in a certificate, so that the handset has to stay bound."""
        self.checks_chip_first = checks_chip_first
        """Whether its chip is looked at before anything is destroyed."""
        self.binding = JobBinding(station.port().attachment)
        self.facts: HandsetFacts | None = None
        self.evidence = JobEvidence()
        self.seen: object | None = None
        """The evidence that the running attempt has so far: on record even if it has no result."""
        self.proven_numbers: frozenset[str] = frozenset()
        """Its IMEIs that don't rest on one person's one look, beside those that it tells."""
        self.disputed_numbers: frozenset[str] = frozenset()
        """Its IMEIs that another handset has on record too."""
        self.certified_at = 0
        """The record of the last certificate of this handset by another job."""
        self.fill_key: bytes | None = None
        """That of the overwrite, for the read-back; in no record, and gone with the job."""
        self._memory: dict[type[object], object] = {}
        self.time = StageTime()
        self.asking: Gate | None = None
        """What a person is being asked; at a stage's deadline, what nobody has answered."""
        self.envelope: bytes | None = None
        self.due: Reason | None = None
        """What is still due to a handset whose job has passed without a certificate, where that
        is another thing than its recipe says."""

    def saw(self, stage: StageName, evidence: object | None) -> None:
        """Keep what a stage that has passed saw, if any other needs to know it."""
        if stage in JobEvidence.__dataclass_fields__:
            self.evidence = replace(self.evidence, **{stage: evidence})

    def memory(self, kind: type[T]) -> T:
        """What a stage keeps from one attempt of its own to the next, made at the first asking."""
        kept = self._memory.setdefault(kind, kind())
        assert isinstance(kept, kind)  # noqa: S101 - it is kept under its own type
        return kept

    @property
    def profile(self) -> DeviceProfile:
        """What the device has to show; StageFailed where nothing says so of its kind."""
        if self._profile is None:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "its kind of device has no profile")
        return self._profile

    @property
    def handset(self) -> Handset:
        """The device as the stages of Android ask for it; StageFailed where it's none of theirs.

        A recipe that works without adb can't run what needs it.
        """
        if self.device is None:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "this recipe works without adb")
        if self.profile.kind != ANDROID:
            message = f"a device of the kind {self.profile.kind} is no handset over adb"
            raise StageFailed(Reason.PROOF_INCOMPLETE, message)
        return cast("Handset", self.device)

    @property
    def open_handset(self) -> Handset | None:
        """The same, or None where the recipe works without."""
        return None if self.device is None else self.handset

    def inspected(self) -> HandsetFacts:
        """The facts of the inspection; a recipe without one can't run what needs them."""
        if self.facts is None:
            raise StageFailed(Reason.PROOF_INCOMPLETE, "the handset wasn't inspected")
        return self.facts

    def picture(self) -> SignedPicture | None:
        """How a fresh handset of this model and build looks; None where that isn't known."""
        identity = self.inspected().identity
        return self.pictures.of(identity.manufacturer, identity.model, identity.build)

    def handset_facts(self) -> dict[str, str]:
        """What a question shows so that a person knows which handset is meant."""
        if self.facts is None:
            port = self.station.port()
            usb = f"USB {port.vendor_id or ''}:{port.product_id or ''}"
            return {"model": usb, "serial": port.usb_serial or "", "imei_end": UNTOLD}
        identity = self.facts.identity
        # Two handsets with one serial may lie side by side: the IMEI is on the label too.
        end = identity.imei[-IMEI_END_DIGITS:] if identity.imei else UNTOLD
        return {"model": identity.model, "serial": identity.serial, "imei_end": end}

    def reset_facts(self) -> dict[str, str]:
        """The same with where this handset's own menus lead to a reset, as far as that is known."""
        menu = self.models.menu_of(self.facts.identity) if self.facts else None
        return {**self.handset_facts(), **reset_words(menu)}

    async def ask(
        self, gate: Gate, facts: Mapping[str, str], vet: Vetting | None = None
    ) -> Decision:
        """A person's answer, as the station gets it."""
        self.asking = gate
        decision = await self.while_it_stands(lambda: self.station.ask(gate, facts, vet))
        self.asking = None
        return decision

    def refuse_withdrawn(self) -> None:
        """Right before anything is destroyed: StageFailed where it mustn't be any more."""
        self._grounds(self)

    async def while_it_stands(self, wait: Callable[[], Awaitable[T]]) -> T:
        """What was waited for; StageFailed, at once, where what the job goes by is withdrawn.

        Every wait for people goes through here: nobody is asked for what nothing allows.
        """
        came: list[T] = []
        refused: list[StageFailed] = []

        async def waited() -> None:
            came.append(await wait())

        async def until_withdrawn() -> None:
            try:
                while True:
                    self.refuse_withdrawn()
                    await self.intake.changed()
            except StageFailed as failure:
                refused.append(failure)

        self.refuse_withdrawn()
        await ask_until(waited, until_withdrawn)
        for failure in refused:
            raise failure
        self.refuse_withdrawn()
        return came[0]

    async def ask_until(
        self,
        gate: Gate,
        facts: Mapping[str, str],
        told: Callable[[], Awaitable[None]],
        vet: Vetting | None = None,
    ) -> Decision | None:
        """The same; None where `told` returned first, and the question is withdrawn then."""
        decision = await ask_until(lambda: self.ask(gate, facts, vet), told)
        self.asking = None
        return decision

    async def approval(self, gate: Gate, reason: Reason) -> Decision:
        """Ask, and go on only if the answer is yes; StageFailed with `reason` otherwise."""
        return await self.approved(gate, reason, self.handset_facts())

    async def approved(
        self,
        gate: Gate,
        reason: Reason,
        facts: Mapping[str, str],
        vet: Vetting | None = None,
    ) -> Decision:
        """The same with other facts in the question."""
        decision = await self.ask(gate, facts, vet)
        if not decision.approved:
            raise StageFailed(reason, f"{gate} was answered with no")
        return decision


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What a stage has to show. Failures are raised, so a result is never one."""

    evidence: object | None = None
    """A frozen dataclass, whose fields the record tells by their names; None if it saw nothing."""
    skipped_because: str | None = None

    @property
    def outcome(self) -> Outcome:
        """SKIPPED when there is a reason for it, else PASSED."""
        return Outcome.PASSED if self.skipped_because is None else Outcome.SKIPPED


class Stage(Protocol):
    """One named step. Running it again after a fault must be safe: it proves, it never assumes."""

    describes: ClassVar[StageDescription]

    async def run(self, context: JobContext) -> StageResult:
        """Do the step and return its evidence.

        Raises StageFailed to end the job, TransientFault or HandsetGone for another attempt,
        AccessLost or ReaderGone to wait for the access or the reader first. What has to be
        on record even then goes into `context.seen` before.
        """
        ...
