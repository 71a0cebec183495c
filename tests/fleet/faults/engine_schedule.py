"""What is done to the engine of configs/fleet/; six seeds from a multiple of six have it all."""

from __future__ import annotations

import random
from enum import StrEnum

FROM_ANY_BATCH = 6


class EngineFault(StrEnum):
    """From docs/fleet.md and what Patroni's and PostgreSQL's manuals say of networks that fail."""

    # Packets are lost.
    SILENT_PRIMARY = "primary's machine falls silent"
    SILENT_STANDBY = "standby's machine falls silent"
    SILENT_CENTRE = "centre's machine falls silent"
    PULLED = "a cable pulled"
    ONE_WAY = "one direction between two machines lost"
    DATABASES_APART = "the line between both PostgreSQL cut"
    ALL_APART = "each of the three alone"
    WITHOUT_ETCD = "the primary's Patroni cut off etcd, its PostgreSQL not"
    LOSSY = "30 % of all packets lost"
    SLOW = "a slow line"
    FORMER_OUT_OF_REACH = "a failover, and the centre can't reach the former primary any more"
    # Somebody does something meanwhile.
    WAIT_CANCELLED = "waits for a silent standby cancelled by hand"
    OLD_PRIMARY_WRITES = "a primary without Patroni, etcd and standby that the centre still reaches"
    SWITCHOVER = "switch-over"
    SWITCHOVER_WHILE_CUT = "switch-over while the line between both PostgreSQL is cut"
    # Killed by SIGKILL, with a batch on its way.
    MACHINE_DIED = "the primary's machine without power"
    ETCD_KILLED = "one etcd killed"
    TWO_ETCD_KILLED = "two etcd killed"
    PATRONI_KILLED = "the primary's Patroni killed"
    POSTGRES_KILLED = "the primary's PostgreSQL killed, Patroni not"
    PGBOUNCER_KILLED = "the primary's PgBouncer killed"
    CENTRE_KILLED = "centre killed"
    RACK_KILLED = "rack killed"


def draw(seed: int) -> list[EngineFault]:
    """The faults of a seed."""
    dealt = list(EngineFault)
    random.Random(f"engine {seed // FROM_ANY_BATCH}").shuffle(dealt)
    return dealt[seed % FROM_ANY_BATCH :: FROM_ANY_BATCH]
