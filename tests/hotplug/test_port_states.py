"""Whatever comes and goes, is lost or heard twice: what is told leads to the true state."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from benchd.domain.ids import ANDROID, DeviceAddress, PortPath
from benchd.domain.port import Attached, Detached, PlugEvent
from benchd.hotplug.device_record import DeviceRecord
from benchd.hotplug.port_states import PortStates

# Two ports; the first is reached over both halves of its connector.
PORT_OF = {"/usb1/1-1": "port-1", "/usb2/2-1": "port-1", "/usb1/1-2": "port-2"}
PATHS = st.sampled_from(sorted(PORT_OF))


def record(
    path: str, time_us: int, *, interfaces: Iterable[str] = ("ff0000",), number: str | None = None
) -> DeviceRecord:
    name = path.rpartition("/")[2]
    number = f"001/{time_us % 4:03}" if number is None else number
    return DeviceRecord(
        device_path=path,
        device_number=number,
        initialised_us=time_us,
        attached=Attached(
            port_path=PortPath(PORT_OF[path]),
            kind=ANDROID,
            address=DeviceAddress(f"usb:{name}"),
            attachment=f"{path}@{time_us}",
            interfaces=frozenset(interfaces),
            at_s=time_us / 1e6,
        ),
    )


class Listener:
    """Folds what is told, and insists on the order that a slot relies on."""

    def __init__(self) -> None:
        self.attached: dict[PortPath, Attached] = {}

    def hear(self, events: Iterable[PlugEvent]) -> None:
        for event in events:
            before = self.attached.get(event.port_path)
            match event:
                case Attached():
                    if before is not None:
                        assert before.attachment == event.attachment
                        assert before != event, "no news"
                    self.attached[event.port_path] = event
                case Detached():
                    assert before is not None
                    del self.attached[event.port_path]


class Rack(RuleBasedStateMachine):
    """A rack whose monitor is hearing, deaf after an overflow, or listening but not yet told on."""

    def __init__(self) -> None:
        super().__init__()
        self.states = PortStates(time.monotonic)
        self.listener = Listener()
        self.there: dict[str, DeviceRecord] = {}
        self.clock_us = 0
        self.mode = "hearing"
        self.queue: list[tuple[str, DeviceRecord]] = []
        self.last: tuple[str, DeviceRecord] | None = None

    def happens(self, action: str, device: DeviceRecord) -> None:
        match self.mode:
            case "hearing":
                self.take(action, device)
            case "listening":
                self.queue.append((action, device))
            case _:
                pass

    def take(self, action: str, device: DeviceRecord) -> None:
        self.last = (action, device)
        if action == "remove":
            told = self.states.gone(device.device_path, device.device_number)
        else:
            told = self.states.present(device)
        self.listener.hear(told)

    @rule(path=PATHS)
    def plug_or_replug(self, path: str) -> None:
        if path in self.there:
            self.happens("remove", self.there.pop(path))
        self.clock_us += 1
        self.there[path] = record(path, self.clock_us)
        self.happens("add", self.there[path])

    @rule(path=PATHS)
    def unplug(self, path: str) -> None:
        if path in self.there:
            self.happens("remove", self.there.pop(path))

    @rule(path=PATHS)
    def complete(self, path: str) -> None:
        if path in self.there:
            old = self.there[path]
            attached = dataclasses.replace(old.attached, interfaces=frozenset({"ff4201"}))
            self.there[path] = dataclasses.replace(old, attached=attached)
            self.happens("bind", self.there[path])

    @precondition(lambda self: self.mode == "hearing" and self.last is not None)
    @rule()
    def hear_it_twice(self) -> None:
        assert self.last is not None
        action, device = self.last
        if action == "remove":
            assert self.states.gone(device.device_path, device.device_number) == []
        else:
            assert self.states.present(device) == []

    @precondition(lambda self: self.mode == "hearing")
    @rule()
    def overflow(self) -> None:
        self.mode = "deaf"

    @precondition(lambda self: self.mode == "deaf")
    @rule()
    def listen_again(self) -> None:
        self.mode = "listening"

    @precondition(lambda self: self.mode == "listening")
    @rule()
    def enumerate_again(self) -> None:
        in_sysfs_order = [self.there[path] for path in sorted(self.there)]
        self.listener.hear(self.states.reconcile(in_sysfs_order))
        self.compare()
        queue, self.queue, self.mode, self.last = self.queue, [], "hearing", None
        for action, device in queue:
            self.take(action, device)

    @invariant()
    def what_was_told_is_true(self) -> None:
        if self.mode == "hearing":
            self.compare()

    def compare(self) -> None:
        newest = sorted(self.there.values(), key=lambda device: device.initialised_us)
        assert self.listener.attached == {
            device.attached.port_path: device.attached for device in newest
        }


TestRack = Rack.TestCase
TestRack.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


@pytest.fixture
def states() -> PortStates:
    return PortStates(time.monotonic)


def test_the_older_half_stands_for_the_port_again_when_the_newer_leaves(
    states: PortStates,
) -> None:
    slow, fast = record("/usb1/1-1", 1), record("/usb2/2-1", 2)
    assert states.present(slow) == [slow.attached]
    port = slow.attached.port_path
    assert states.present(fast) == [Detached(port_path=port, at_s=0.0), fast.attached]
    assert states.gone("/usb2/2-1") == [Detached(port_path=port, at_s=0.0), slow.attached]


@pytest.mark.parametrize("paths", [("/usb1/1-1", "/usb2/2-1"), ("/usb2/2-1", "/usb1/1-1")])
def test_where_udev_tells_no_time_the_later_one_is_newer_also_one_that_came_back(
    states: PortStates, paths: tuple[str, str]
) -> None:
    first, later = (record(path, 0) for path in paths)
    states.present(first)
    assert states.present(later)[-1] == later.attached
    attached = dataclasses.replace(first.attached, attachment="another")
    assert states.present(dataclasses.replace(first, attached=attached))[-1] == attached


@pytest.mark.parametrize("heard", [("060101",), ()])
def test_an_event_that_knows_fewer_interfaces_is_no_news(
    states: PortStates, heard: Sequence[str]
) -> None:
    states.reconcile([record("/usb1/1-1", 1, interfaces=("060101", "ff4201"))])
    assert states.present(record("/usb1/1-1", 1, interfaces=heard)) == []


def test_an_event_of_an_earlier_enumeration_is_no_news(states: PortStates) -> None:
    new, old = record("/usb1/1-1", 2), record("/usb1/1-1", 1)
    assert states.reconcile([new]) == [new.attached]
    assert states.present(old) == []
    assert states.gone("/usb1/1-1", old.device_number) == []


@pytest.mark.parametrize(("known", "heard"), [("001/002", ""), ("", "001/002"), ("", "")])
def test_a_remove_counts_where_numbers_are_missing(
    states: PortStates, known: str, heard: str
) -> None:
    device = record("/usb1/1-1", 2, number=known)
    states.present(device)
    assert states.gone("/usb1/1-1", heard) == [
        Detached(port_path=device.attached.port_path, at_s=0.0)
    ]


def test_an_unheard_replug_is_told_as_detached_and_attached(states: PortStates) -> None:
    states.present(record("/usb1/1-1", 1))
    new = record("/usb1/1-1", 2)
    assert states.present(new) == [
        Detached(port_path=new.attached.port_path, at_s=0.0),
        new.attached,
    ]


def test_reconciling_with_the_same_devices_tells_nothing(states: PortStates) -> None:
    devices = [record("/usb1/1-1", 1), record("/usb1/1-2", 2)]
    states.reconcile(devices)
    assert states.reconcile(reversed(devices)) == []
