"""Which faults a seed has, in which order; any five seeds from a multiple of five have them all."""

from __future__ import annotations

import random
from enum import StrEnum

FROM_ANY_BATCH = 5
EXTRA = 3


class Fault(StrEnum):
    """What is done to the fleet while its racks write, ask and send."""

    PRIMARY_KILLED = "primary killed"
    PRIMARY_LOST = "primary lost, standby promoted"
    STANDBY_KILLED = "standby killed"
    CENTRE_KILLED = "centre killed"
    RACK_KILLED = "rack killed"
    CENTRE_DISK_FULL = "centre's disk full"
    RACK_DISK_FULL = "rack's disk full"
    CENTRE_CLOCK = "centre's clock jumps"
    RACK_CLOCK = "rack's clock jumps"
    OLD_BACKUP = "old backup put back in silence"
    RESTORED = "old backup put back on record"
    CLONED = "rack cloned"
    LOST_ACKNOWLEDGEMENT = "acknowledgement lost"
    DUPLICATE = "batch sent twice"
    REORDERED = "batches reordered"
    CUT = "batch cut"
    FORGED = "record forged"
    ONE_WAY = "one-way loss"
    PARTITION = "partition"
    DOOMED = "doomed on one rack, asked for on another"
    TWO_RACKS = "one handset on two racks at once"


ON_THE_LINE = (
    Fault.LOST_ACKNOWLEDGEMENT,
    Fault.DUPLICATE,
    Fault.REORDERED,
    Fault.CUT,
    Fault.FORGED,
    Fault.ONE_WAY,
    Fault.PARTITION,
)
"""Done to single requests by whatever carries them."""


def draw(seed: int) -> list[Fault]:
    """The faults of a seed."""
    dealt = list(Fault)
    random.Random(seed // FROM_ANY_BATCH).shuffle(dealt)
    own = random.Random(f"schedule {seed}")
    drawn = dealt[seed % FROM_ANY_BATCH :: FROM_ANY_BATCH] + own.choices(list(Fault), k=EXTRA)
    own.shuffle(drawn)
    return drawn
