"""What the ledger's records of intake hold, and how a job's evidence cites them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchd.domain.chip import BaselineKind, ChipScan, ChipVerdict
from benchd.domain.evidence_values import Moment, OneOrMore, Positive, Said, Seconds, Sha256, Whole
from benchd.domain.ids import SlotName
from benchd.domain.intake import (
    AttestationKind,
    BoundBy,
    LotKind,
    NotNeeded,
    Seen,
    Unerasable,
)
from benchd.domain.job import Disposition, Finding, Gate
from benchd.domain.people import Actor, ShownBy
from benchd.domain.token import System
from benchd.proof.evidence.clock_evidence import TimeBasis

_SYSTEM = "token"
"""In `via`: the name of the token that it was sent with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Who did something at intake, and how that was shown."""

    operator: Said
    person: str | None = None
    """The person's id; None where only a name was typed."""
    shown_by: ShownBy | None = None
    via: Mapping[str, str] = field(default_factory=dict[str, str])
    """From where: as in the records of decisions."""

    @property
    def is_shown(self) -> bool:
        """Whether it was shown who it is, by more than a badge: enough to attest something."""
        return self.person is not None and self.shown_by not in (None, ShownBy.BADGE)

    @property
    def is_system(self) -> bool:
        """Whether it was another system, by its token: nobody has seen a handset or paper."""
        return _SYSTEM in self.via

    @classmethod
    def of(cls, actor: Actor) -> Who:
        """The same of somebody who has shown who they are."""
        return cls(
            operator=actor.name,
            person=actor.person,
            shown_by=actor.shown_by,
            via={"source": actor.source},
        )

    @classmethod
    def of_system(cls, system: System) -> Who:
        """The same of another system; what it is called here can't be anybody's id."""
        return cls(
            operator=f"token:{system.name}",
            via={"source": system.source, _SYSTEM: system.name},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LotRecord:
    """`lot_added`: what came in together. Nothing in it is of the consignor's own data."""

    lot: Said
    consignor: Said
    """The firm, or how the shop's papers call a private seller: never their name."""
    kind: LotKind
    paper: str
    """The reference of the papers."""
    taken_in_at: Moment
    identity_check: str
    """How it was done, for example which kind of document was shown; blank where it wasn't."""
    attests: tuple[AttestationKind, ...]
    """What is attested of every asset in it, but for those excepted."""
    excepted: tuple[Said, ...]
    """Tags of which that isn't so."""
    by: Who


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedList:
    """The assets that a whole lot had as it was attested: so many, and a hash over their tags."""

    assets: Whole
    tags_sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLine:
    """One handset of a lot, as the papers describe it."""

    tag: Said
    imei: str | None = None
    serial: str | None = None
    model: str | None = None
    colour: str | None = None
    grade: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsRecord:
    """`assets_added`: a part of an import, which counts once all its parts are there."""

    lot: Said
    batch: Said
    part: Positive
    parts: Positive
    again: bool
    """Whether handsets of earlier lots may be among them, come in again."""
    assets: OneOrMore[AssetLine]
    by: Who
    named: NamedList | None = None
    """All of the import, where it is the list of what was attested with the lot itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StruckRecord:
    """`asset_struck`: the line of an asset was entered by mistake; nothing had been done on it."""

    lot: Said
    tag: Said
    note: Said
    """What was wrong with it."""
    by: Who


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedRecord:
    """`attested`: what a person states of some assets, or of a whole lot."""

    lot: Said
    kinds: OneOrMore[AttestationKind]
    tags: tuple[Said, ...] | None
    """None is the whole lot."""
    excepted: tuple[Said, ...]
    note: str
    by: Who
    named: NamedList | None = None
    """What the whole lot was; None where tags are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnRecord:
    """`attestation_withdrawn`: what was attested counts no more, from this record on."""

    lot: Said
    attestation: Positive
    """The sequence of the record that attested it."""
    kinds: tuple[AttestationKind, ...]
    """None of them named is all."""
    tags: tuple[Said, ...]
    """None of them named is all."""
    note: str
    by: Who


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLine:
    """One look-up of a network restriction."""

    imei: Said
    sign: Said
    """○, △, × or -."""
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRecord:
    """`network_listed`: a part of a list of look-ups, which counts once all parts are there."""

    batch: Said
    part: Positive
    parts: Positive
    source: Said
    results: OneOrMore[NetworkLine]
    by: Who


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeConfirmedRecord:
    """`time_confirmed`: an administrator has compared the rack's time with another clock."""

    seen_at: Moment
    """What the other clock said."""
    boot: Said
    """The boot of the machine until whose end it counts."""
    by: Who


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRecord:
    """`asset_bound`, among a job's own records: the handset in the slot is this asset."""

    lot: Said
    lot_sequence: Positive
    tag: Said
    bound_by: BoundBy
    imeis: tuple[str, ...]
    """What is known of the handset: told by it, or read on its own screen."""
    serial: str | None
    model: str | None
    differs: str
    """How its model differs from what the papers say; blank where it doesn't."""
    by: Who | None
    """Who scanned the tag or chose among several; None where its numbers told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedAttestation:
    """A record of intake that a gate went by instead of asking."""

    sequence: Positive
    hash: Sha256
    lot: Said
    tag: Said
    whole_lot: bool
    operator: Said
    at: Moment
    """When it was attested; of a network restriction when it was looked up."""
    limit_s: Seconds
    """How old the recipe lets it be."""
    imei: str | None = None
    """Whose network restriction was looked up, like the next two."""
    sign: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredAttestation:
    """What a recipe wants to be attested at intake, by the record that attests it."""

    kind: AttestationKind
    cited: CitedAttestation
    time: TimeBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipHeldToReader:
    """What a slot's reader told of a handset that a person held to it: nothing ties the chip."""

    slot: Said
    verdict: ChipVerdict
    detail: str
    chip: str | None
    owners_en: tuple[str, ...]
    owners_ja: tuple[str, ...]
    baseline: str | None
    baseline_kind: BaselineKind | None
    reader: str

    @classmethod
    def of(cls, slot: SlotName, scan: ChipScan) -> ChipHeldToReader:
        """Codes and counts, never what is in a chip."""
        return cls(
            slot=slot,
            verdict=scan.verdict,
            detail=scan.detail,
            chip=scan.chip,
            owners_en=scan.owners_en,
            owners_ja=scan.owners_ja,
            baseline=scan.baseline,
            baseline_kind=scan.baseline_kind,
            reader=scan.reader,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnerasableRecord:
    """`asset_unerasable`: an asset that can't even be plugged in, and what becomes of it."""

    lot: Said
    tag: Said
    reason: Unerasable
    disposition: Disposition
    note: str
    by: Who
    imei: str | None = None
    """What a person has read on the handset, its tray or its box; the label names it."""
    chip: ChipHeldToReader | None = None
    """None where it wasn't held to a reader."""
    required: tuple[RequiredAttestation, ...] = ()
    """By what it may be destroyed, where the recipe for that wants something attested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessedRecord:
    """`asset_assessed`: what a person saw of a handset without adb, and a reader of its chip.

    Nothing of it was changed, and nothing that it says was erased by anybody here.
    """

    lot: Said
    tag: Said
    seen: Seen
    findings: tuple[Finding, ...]
    """What its seller has to hear before the deal."""
    note: str
    by: Who
    imei: str | None = None
    chip: ChipHeldToReader | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaivedGate:
    """A gate that nobody was asked at: by what was attested, or because it needn't be."""

    gate: Gate
    cited: CitedAttestation | None = None
    not_needed: NotNeeded | None = None
    time: TimeBasis | None = None
    """By which time it was cited; None where nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferredGate:
    """A gate that is left to the look at the chip: who needn't be asked isn't."""

    gate: Gate
    limit_s: Seconds
    """How old what was attested of it may be."""
