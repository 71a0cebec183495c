"""Machines as network namespaces on one bridge, and the packets that are lost between them.

The bridge is in the namespace of whoever plays, where the racks are too; that one has to be made
first (`in_own_network`). Packets are dropped where they come in, so that nobody is told; a cable
that is pulled leaves even ARP without an answer.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from tests.fleet.high_availability import user

RACKS = "192.0.2.20"
ENTERED = "BENCHD_OWN_NETWORK"
SLOW = "rate 256kbit burst 3000 latency 2s"
"""Packets wait for up to two seconds, and more than fits into those are lost."""
TABLE = """
table inet faults {{
    chain input {{
        type filter hook input priority 0
{rules}
    }}
}}
"""


def in_own_network() -> bool:
    return ENTERED in os.environ


def enter_own_network() -> NoReturn:
    """Run this program again in a network namespace of its own, which needs no root."""
    namespaces = ["-n"] if os.geteuid() == 0 else ["-Un", "--map-current-user", "--keep-caps"]
    os.environ[ENTERED] = "1"
    os.execvp("unshare", ["unshare", *namespaces, sys.executable, *sys.orig_argv[1:]])  # noqa: S606


@dataclass
class Host:
    """One machine's namespace, held by a process that does nothing."""

    address: str
    entered: Sequence[str]
    """What a command begins with that is to run there."""
    rules: list[str] = field(default_factory=list)

    @property
    def as_user(self) -> Sequence[str]:
        """The same for what refuses to be root."""
        if (name := user()) is None:
            return self.entered
        known = pwd.getpwnam(name)
        return [*self.entered, f"-S{known.pw_uid}", f"-G{known.pw_gid}"]

    def call(self, *words: str, told: str | None = None) -> str:
        """Run it to its end; what it has printed."""
        command = [*self.entered, *words]
        return subprocess.run(
            command, check=True, input=told, stdout=subprocess.PIPE, text=True, timeout=30
        ).stdout

    def dropped(self) -> int:
        """How many packets."""
        told = json.loads(self.call("nft", "-j", "list", "ruleset"))["nftables"]
        parts = [part for each in told for part in each.get("rule", {}).get("expr", [])]
        return sum(part["counter"]["packets"] for part in parts if "counter" in part)

    def delayed(self) -> int:
        """How many packets."""
        return sum(
            each["overlimits"]
            for each in json.loads(self.call("tc", "-s", "-j", "qdisc", "show", "dev", "eth0"))
        )

    def drops(self, *rules: str) -> None:
        """From now on besides what it drops already."""
        self.rules += rules
        text = TABLE.format(rules="\n".join(f"        {rule} counter drop" for rule in self.rules))
        self.call("nft", "-f", "-", told=f"flush ruleset\n{text}")


@dataclass
class Network:
    """All of them, by their addresses; the racks' is the namespace of whoever plays."""

    hosts: dict[str, Host] = field(default_factory=dict)
    pulled: set[str] = field(default_factory=set)
    slowed: set[str] = field(default_factory=set)

    def lose(self, source: str, to: str, percent: int = 100, ports: Iterable[int] = ()) -> None:
        """Packets in this direction; with ports only those of connections to them."""
        parts = [f"ip saddr {source}"]
        if percent < 100:
            parts.append(f"numgen random mod 100 < {percent}")
        listed = ", ".join(map(str, ports))
        ends = [f"tcp {end} {{ {listed} }}" for end in ("dport", "sport")] if listed else [""]
        self.hosts[to].drops(*(" ".join([*parts, end]).strip() for end in ends))

    def cut(self, one: str, other: str, percent: int = 100, ports: Iterable[int] = ()) -> None:
        """Both directions."""
        self.lose(one, other, percent, ports)
        self.lose(other, one, percent, ports)

    def silence(self, address: str) -> None:
        """Nothing reaches it and nothing leaves it; its connections stay open."""
        for other in self.hosts:
            if other != address:
                self.cut(address, other)

    def pull(self, address: str) -> None:
        """The cable at the bridge's end."""
        self._here("ip", "link", "set", port_of(address), "down")
        self.pulled.add(address)

    def slow(self, address: str) -> None:
        """What it sends."""
        self.hosts[address].call("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", *SLOW.split())
        self.slowed.add(address)

    def happened(self) -> bool:
        """Whether a packet was met by what is lost, and by each delay."""
        ruled = [host for host in self.hosts.values() if host.rules]
        lost = not ruled or any(host.dropped() for host in ruled)
        return lost and all(self.hosts[address].delayed() for address in self.slowed)

    def heal(self) -> None:
        for host in self.hosts.values():
            host.rules.clear()
            host.call("nft", "flush", "ruleset")
        for address in self.slowed:
            self.hosts[address].call("tc", "qdisc", "del", "dev", "eth0", "root")
        for address in self.pulled:
            self._here("ip", "link", "set", port_of(address), "up")
        self.slowed.clear()
        self.pulled.clear()

    def _here(self, *words: str) -> None:
        self.hosts[RACKS].call(*words)


def port_of(address: str) -> str:
    return f"port{address.rsplit('.', 1)[1]}"


@contextmanager
def network(addresses: Iterable[str]) -> Generator[Network]:
    """Lay it, with nothing lost."""
    assert in_own_network(), "packets would be lost on this machine's own network"
    made = Network({RACKS: Host(RACKS, ())})
    here = made.hosts[RACKS]
    with ExitStack() as stack:
        here.call("ip", "link", "set", "lo", "up")
        here.call("ip", "link", "add", "bridge", "type", "bridge")
        stack.callback(here.call, "ip", "link", "delete", "bridge")
        here.call("ip", "address", "add", f"{RACKS}/24", "dev", "bridge")
        here.call("ip", "link", "set", "bridge", "up")
        for address in addresses:
            holder = stack.enter_context(holding())
            host = Host(address, ["nsenter", "-t", str(holder), "-n"])
            port = port_of(address)
            here.call(
                *("ip", "link", "add", port, "type", "veth"),
                *("peer", "name", "eth0", "netns", str(holder)),
            )
            stack.callback(here.call, "ip", "link", "delete", port)
            here.call("ip", "link", "set", port, "master", "bridge", "up")
            host.call("ip", "link", "set", "lo", "up")
            host.call("ip", "address", "add", f"{address}/24", "dev", "eth0")
            host.call("ip", "link", "set", "eth0", "up")
            made.hosts[address] = host
        yield made


@contextmanager
def holding() -> Generator[int]:
    """The process that a namespace lasts as long as."""
    words = ["unshare", "-n", "sh", "-c", "echo ready && exec cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n", "no network namespace for this user"
        yield holder.pid
        holder.stdin.close()
