"""Threads in virtual time: real ones, of which one runs at a time, and only while the loop waits.

What a thread does takes no time, but for what it sleeps. Time passes only once all of them wait,
so that a run is the same whenever and wherever it is made.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

Item = TypeVar("Item")


class Timers(Protocol):
    """The loop, as threads need it."""

    def time(self) -> float:
        """Virtual seconds."""
        ...

    def call_later(self, delay: float, callback: Callable[..., Any], /) -> Any:  # noqa: ANN401
        """Call it when that time has passed."""
        ...


class WouldHoldTheLoopError(RuntimeError):
    """Raised when the event loop itself would wait for a thread: nothing could happen any more."""


class VirtualThread:
    """One thread of the daemon."""

    def __init__(self, threads: Threads, target: Callable[[], object], name: str) -> None:
        self.name = name
        self.ended = False
        self.late = False
        """Whether what it waited for didn't come in time."""
        self.failed: BaseException | None = None
        self._target = target
        self._threads = threads
        self._go = threading.Semaphore(0)
        self.waits_in: deque[VirtualThread] | None = None
        self.joiners: deque[VirtualThread] = deque()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        self._go.acquire()
        self._threads.mine.thread = self
        try:
            self._target()
        except BaseException as error:  # noqa: BLE001 - it's told by whoever looks
            self.failed = error
        finally:
            self.ended = True
            self._threads.ended(self)

    def turn(self) -> None:
        """Run until it waits or has ended."""
        self._go.release()
        self._threads.back.acquire()

    def wait(self) -> None:
        """On the thread itself: give the turn back, until there is a reason to go on."""
        self._threads.back.release()
        self._go.acquire()


class _Mine(threading.local):
    thread: VirtualThread | None = None


class Threads:
    """All threads of one run."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._runnable: deque[VirtualThread] = deque()
        self.alive: dict[VirtualThread, None] = {}
        self.back = threading.Semaphore(0)
        self.mine = _Mine()

    def start(self, target: Callable[[], object], name: str) -> VirtualThread:
        """A new one, which runs once the loop waits."""
        thread = VirtualThread(self, target, name)
        self.alive[thread] = None
        self._runnable.append(thread)
        return thread

    def run(self) -> None:
        """Give each that can go on its turn, until none can."""
        while self._runnable:
            self._runnable.popleft().turn()

    def ended(self, thread: VirtualThread) -> None:
        """On the thread itself, as the last thing it does."""
        self.alive.pop(thread, None)
        self.wake(thread.joiners)
        self.back.release()

    def wake(self, waiting: deque[VirtualThread]) -> None:
        """Let all of these go on."""
        while waiting:
            self.go_on(waiting.popleft())

    def go_on(self, thread: VirtualThread) -> None:
        """Let this one go on."""
        thread.waits_in = None
        self._runnable.append(thread)

    def wait_in(self, waiting: deque[VirtualThread], within_s: float | None = None) -> bool:
        """Wait in this line; False once that took too long."""
        thread = self._here()
        waiting.append(thread)
        thread.waits_in = waiting
        timer = (
            None
            if within_s is None
            else self._timers.call_later(within_s, lambda: self._too_late(thread, waiting))
        )
        thread.wait()
        if timer is not None:
            timer.cancel()
        late, thread.late = thread.late, False
        return not late

    def sleep(self, seconds: float) -> None:
        """What `time.sleep` is for a thread here."""
        thread = self._here()
        self._timers.call_later(max(0.0, seconds), lambda: self.go_on(thread))
        thread.wait()

    def _too_late(self, thread: VirtualThread, waiting: deque[VirtualThread]) -> None:
        if thread.waits_in is waiting and thread in waiting:
            waiting.remove(thread)
            thread.late = True
            self.go_on(thread)

    def _here(self) -> VirtualThread:
        thread = self.mine.thread
        if thread is None:
            raise WouldHoldTheLoopError("the event loop would wait for a thread")
        return thread

    # What stands in the place of the modules `threading` and `queue`.

    def thread_class(self) -> Callable[..., Joinable]:
        """`threading.Thread`."""

        def make(
            *, target: Callable[[], object], name: str = "", daemon: bool | None = None
        ) -> Joinable:
            del daemon
            return Joinable(self, target, name)

        return make

    def queue_class(self) -> Callable[[], VirtualQueue[Any]]:
        """`queue.SimpleQueue`."""
        return lambda: VirtualQueue(self)

    def lock_class(self) -> Callable[[], VirtualLock]:
        """`threading.Lock`."""
        return lambda: VirtualLock(self)


class Joinable:
    """`threading.Thread`, as far as benchd uses it."""

    def __init__(self, threads: Threads, target: Callable[[], object], name: str) -> None:
        self._threads, self._target, self._name = threads, target, name
        self._thread: VirtualThread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = self._threads.start(self._target, self._name)

    def is_alive(self) -> bool:
        """Whether it has begun and not ended."""
        return self._thread is not None and not self._thread.ended

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        if self._thread is not None and not self._thread.ended:
            self._threads.wait_in(self._thread.joiners, timeout)


class VirtualQueue(Generic[Item]):
    """`queue.SimpleQueue`, as far as benchd uses it."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._items: deque[Item] = deque()
        self._waiting: deque[VirtualThread] = deque()

    def put(self, item: Item) -> None:
        """Returns at once."""
        self._items.append(item)
        if self._waiting:
            self._threads.go_on(self._waiting.popleft())

    def get(self) -> Item:
        """Wait for the next."""
        while not self._items:
            self._threads.wait_in(self._waiting)
        return self._items.popleft()

    def get_nowait(self) -> Item:
        """The next, or `queue.Empty`."""
        from queue import Empty  # noqa: PLC0415 - the module's own name is replaced

        if not self._items:
            raise Empty
        return self._items.popleft()


class VirtualLock:
    """`threading.Lock`; the loop itself may take it only where it's free."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._held = False
        self._waiting: deque[VirtualThread] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002
        """Take it, as soon as it's free."""
        while self._held:
            if not blocking:
                return False
            if not self._threads.wait_in(self._waiting, None if timeout < 0 else timeout):
                return False
        self._held = True
        return True

    def release(self) -> None:
        """Give it back."""
        self._held = False
        if self._waiting:
            self._threads.go_on(self._waiting.popleft())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()
