"""A slot as hands and cables know it: which handset lies there, and what its port tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio

from benchd.domain.handset import ADB_INTERFACE
from benchd.domain.ids import ANDROID, DeviceAddress, PortPath, SlotName
from benchd.domain.port import Attached, Detached, Liveness, PlugEvent
from benchd.domain.wakeup import Wakeup
from benchd.lab.adversity.schedule import BayPlan
from benchd.lab.adversity.truth import Chip, Truth

MTP: Final = "060101"
VENDOR: Final = "0fce"
JUST_NOW_S: Final = 1.0
"""What was pulled so short a time ago lies in the slot still, as far as benchd can know."""


class Bay:
    """One slot of the rack, with the handset that belongs there and one that may visit it."""

    def __init__(self, plan: BayPlan, number: int, own: Truth, visitor: Truth) -> None:
        self.plan = plan
        self.slot = SlotName(plan.slot)
        self.port_path = PortPath(f"pci-0000:00:14.0-usb-0:{number}")
        self.address = DeviceAddress(f"usb:1-{number}")
        self.own = own
        self.visitor = visitor
        self.handset: Truth | None = None
        self.stay = 0
        """How often something was put in here: a handset that stays is one and the same stay.

        A cable that flaps begins another one: the port can't tell it from a hand.
        """
        self.read_from: Bay | None = None
        """The slot under whose handset this slot's reader really lies, where they're exchanged."""
        self.donor: Chip | None = None
        """What lies on the reader in the place of the handset's own chip."""
        self.attached = False
        self.enumeration = 0
        self._enumerated_at_s = 0.0
        self.reader_up = True
        self.changed = Wakeup()
        """Fired when what adb says of this port may have changed."""
        self._tell: Callable[[PlugEvent], None] = _nobody
        self._former: Truth | None = None
        self._pulled_at_s = 0.0

    def listen(self, tell: Callable[[PlugEvent], None]) -> None:
        """From now on this is told what the port tells."""
        self._tell = tell

    def put_in(self, handset: Truth) -> None:
        """Somebody plugs a handset in that lies nowhere else."""
        if handset.lies_in is not None:
            return
        handset.lies_in = self.slot
        self.handset = handset
        self.stay += 1
        self.come()

    def pull_out(self) -> Truth | None:
        """Somebody takes out what lies there."""
        if self.handset is None:
            return None
        handset, self.handset = self.handset, None
        handset.lies_in = None
        self._former, self._pulled_at_s = handset, anyio.current_time()
        self.leave()
        return handset

    def change(self, handset: Truth) -> None:
        """Another lies there, and the port tells a new enumeration without a departure."""
        if self.handset is not None and handset.lies_in is None:
            self.handset.lies_in = None
            self._former, self._pulled_at_s = self.handset, anyio.current_time()
            self.put_in(handset)

    def leave(self) -> None:
        """What lies there leaves the bus."""
        if self.attached:
            self.attached = False
            self.enumeration += 1
            self._tell(Detached(port_path=self.port_path, at_s=anyio.current_time()))
            self.changed.fire()

    def come(self) -> None:
        """What lies there is on the bus, enumerated anew."""
        self.attached = True
        self.enumeration += 1
        self._enumerated_at_s = anyio.current_time()
        self._tell(self.event())
        self.changed.fire()

    def event(self) -> Attached:
        """What the port tells of what is plugged in."""
        here = self.present()
        return Attached(
            port_path=self.port_path,
            kind=ANDROID,
            address=self.address,
            attachment=f"boot:{self.enumeration}",
            interfaces=frozenset({MTP, ADB_INTERFACE} if here.adb_on else {MTP}),
            usb_serial=here.serial,
            vendor_id=VENDOR,
            product_id="020d",
            at_s=self._enumerated_at_s,
        )

    def present(self) -> Truth:
        """The handset that lies there."""
        if self.handset is None:
            raise LookupError(f"nothing lies in {self.slot}")
        return self.handset

    def judged(self) -> Truth | None:
        """The handset that a word about this slot is about at this moment."""
        just_pulled = anyio.current_time() - self._pulled_at_s < JUST_NOW_S
        return self._former if just_pulled and self._former is not None else self.handset

    def chip(self) -> Chip | None:
        """What the slot's reader sees."""
        if self.donor is not None:
            return self.donor
        there = (self.read_from or self).handset
        return None if there is None else there.audible_chip

    def liveness(self, *, server_up: bool) -> Liveness:
        """What the adb server says of this port."""
        if not server_up:
            return Liveness.SERVER_DOWN
        on = self.attached and self.handset is not None and self.handset.adb_on
        return Liveness.READY if on else Liveness.ABSENT


def _nobody(_event: PlugEvent) -> None:
    """No daemon listens."""
