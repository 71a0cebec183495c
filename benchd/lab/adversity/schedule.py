"""What a seed draws: the handsets of a rack, and the blows that strike them. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.lab.adversity.kinds import (
    MENDS_ITSELF,
    OF_ALL_SLOTS,
    OF_THE_FILE,
    REFUSED,
    ChipState,
    Doom,
    Kind,
    Lie,
    Lot,
    Numbers,
    Owner,
    Picture,
    Radio,
    Scan,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetPlan:
    """One handset."""

    owner: Owner = Owner.RESET
    chip: ChipState = ChipState.UNUSED
    radio: Radio = Radio.SILENCES
    lie: Lie = Lie.NOTHING
    tells_imei: bool = False
    hostile_words: bool = False
    set_up: bool = True
    """Whether somebody has gone through its first questions: only then adb is on."""
    dual: bool = False
    """Whether it has a second IMEI."""
    tells_second: bool = False
    """Whether adb is told that one too, or it alone."""
    telephony: bool = True
    """Whether it has any."""
    filler: bool = False
    """Whether its serial is one that many have."""
    sim: bool = False
    """Whether its owner's SIM is in it."""
    signs: int = 0
    """How many signs of a changed system it gives when it first comes."""
    faulty: bool = False
    """Whether its storage fails while it is first filled."""
    quota_extents: int = 0
    """How many free extents a quota keeps from whoever fills it."""
    clone: bool = False
    """Whether it shows the IMEI of the first slot's handset."""
    listed: int = 0
    """Which of its numbers is on the dealer's list of what is looked for; 0 for none."""
    restricted: int = 0
    """Of which of its numbers a look-up says ×."""

    @property
    def may_be_sold(self) -> bool:
        """Whether nothing about it forbids that by itself."""
        kept = self.signs or self.faulty or self.quota_extents or self.clone
        return not (kept or self.listed or self.restricted)


@dataclass(frozen=True, slots=True, kw_only=True)
class BayPlan:
    """One slot, what lies in it, and how it is worked."""

    slot: str
    handset: HandsetPlan
    visitor: HandsetPlan = HandsetPlan()
    visitor_is_twin: bool = True
    """Whether all that USB and adb tell of the visitor, but an IMEI, is the same."""
    twin_of_first: bool = False
    """Whether this slot's handset is a twin of that in the first slot."""
    reader: bool = True
    waits: bool = False
    """Whether a handset that was pulled out of the overwrite is waited for."""
    picture: Picture = Picture.NONE
    lax_recipe: bool = False
    """Whether the recipe asks for so little that it asks for nothing."""
    recheck_share: float = 0.0
    """How many of its handsets are drawn for a recheck, which nobody here makes."""
    labelled: bool = False
    """Whether whoever puts a handset in scans its label."""
    coverage: float = 0.9
    """What the recipe asks for."""
    late_s: float | None = None
    """When its line of the lot is imported; None: with the others, before the attestation."""
    looked_up_days: float = 0.0
    """How long ago its network restriction was looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blow:
    """What strikes a slot, at the nth time that it passes a point."""

    slot: str
    point: str
    nth: int
    kind: Kind
    lasts_s: float = 0.0
    what: str = ""
    """A `Scan` or a `Thing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A handset comes again after its first job, once the storm is over."""

    handset: str
    """Whose own it is: the name of a slot."""
    into: str
    after_days: float = 0.0
    lot: Lot = Lot.SAME
    doom: Doom | None = None
    """What happens to it before it comes."""
    board: bool = False
    """Whether it has another board by now: other numbers, another chip."""
    rewritten: bool = False
    """Whether somebody has written another IMEI into it."""
    tells: Numbers | None = None
    """What its system tells now; None: the same."""
    scan: Scan | None = None
    """What is scanned at each question for a number."""
    wrong: tuple[str, ...] = ()
    """The questions that one and the same person answers wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A rack and its storm."""

    seed: int
    bays: tuple[BayPlan, ...]
    blows: tuple[Blow, ...]
    anchored: bool = False
    """Whether something outside of the rack knows how far its ledger has come."""
    lot: bool = False
    """Whether its handsets came in with papers."""
    mishap: bool = False
    """Whether it's drawn for what people and papers do wrong, not for a storm."""
    rows: tuple[int, ...] = ()
    """The rows whose rules it is held to besides those that are closed."""
    visits: tuple[Visit, ...] = ()
    exchanged: bool = False
    """Whether the readers of its first two slots are connected the wrong way round."""
    behind_days: float = 0.0
    """How far the rack's clock is behind when it starts."""

    @property
    def forged(self) -> bool:
        """Whether somebody is at the ledger's file."""
        return any(blow.kind in OF_THE_FILE for blow in self.blows)

    def is_honest_again(self, visit: Visit) -> bool:
        """Whether a handset that comes again has to end sellable once more."""
        plans = {bay.slot: bay for bay in self.bays}
        wrong = visit.scan or visit.wrong or visit.rewritten or visit.doom
        careful = not plans[visit.into].lax_recipe and not plans[visit.into].recheck_share
        return careful and not wrong and self.is_honest(plans[visit.handset])

    def is_honest(self, bay: BayPlan) -> bool:
        """Whether this slot's own handset has to end sellable."""
        own = [blow for blow in self.blows if blow.slot == bay.slot or blow.kind in OF_ALL_SLOTS]
        return (
            bay.handset.lie is Lie.NOTHING
            and bay.handset.owner is not Owner.LOCKED
            and bay.picture not in REFUSED
            and not bay.lax_recipe
            and not bay.recheck_share
            and bay.handset.may_be_sold
            and not self.exchanged
            and all(blow.kind in MENDS_ITSELF for blow in own)
        )
