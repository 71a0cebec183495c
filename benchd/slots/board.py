"""The present view of every slot; watchers that miss a step read again and miss nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from benchd.domain.errand import TrayItem
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.slot import DirectedView, ProblemCode, ProblemView, SlotView
from benchd.domain.wakeup import Wakeup


class RackBoard:
    """Implements `benchd.domain.ports.Board`, and wakes whoever watches."""

    def __init__(self, directed: Callable[[JobId], DirectedView | None] = lambda _: None) -> None:
        """Take who knows what other systems ask for the handset of a job."""
        self._directed = directed
        self._views: dict[SlotName, SlotView] = {}
        self._unknown_ports: dict[PortPath, None] = {}
        self._notices: dict[ProblemCode, ProblemView] = {}
        self._tray: tuple[TrayItem, ...] = ()
        self._changed = Wakeup()
        self.version = 0

    def show(self, view: SlotView) -> None:
        """Replace what is shown of this slot."""
        if view.job is not None:
            view = replace(view, directed=self._directed(view.job))
        if self._views.get(view.slot) != view:
            self._views[view.slot] = view
            self._wake()

    def show_unknown_port(self, port_path: PortPath, *, attached: bool) -> None:
        """A handset sits in a port that no slot claims, or has left it."""
        if attached:
            self._unknown_ports[port_path] = None
        else:
            self._unknown_ports.pop(port_path, None)
        self._wake()

    def show_notice(self, problem: ProblemView) -> None:
        """Something is the matter with the rack as a whole."""
        if self._notices.get(problem.code) != problem:
            self._notices[problem.code] = problem
            self._wake()

    def withdraw_notice(self, code: ProblemCode) -> None:
        """It is the matter no more."""
        if self._notices.pop(code, None) is not None:
            self._wake()

    def notices(self) -> tuple[ProblemView, ...]:
        """What is the matter with the rack as a whole."""
        return tuple(self._notices.values())

    def show_tray(self, tray: Sequence[TrayItem]) -> None:
        """These were taken out in the middle of their jobs, and still have to be settled."""
        if self._tray != tuple(tray):
            self._tray = tuple(tray)
            self._wake()

    def tray(self) -> tuple[TrayItem, ...]:
        """What was taken out in the middle of its job, the oldest first."""
        return self._tray

    def directed_anew(self, job: JobId) -> None:
        """Other systems have asked for something else of this job's handset."""
        for view in tuple(self._views.values()):
            if view.job == job:
                self.show(view)

    def arrange(self, slots: Collection[SlotName]) -> None:
        """Show these slots only, in this order; one that was never shown comes when it is."""
        self._views = {name: self._views[name] for name in slots if name in self._views}
        self._wake()

    def _wake(self) -> None:
        self.version += 1
        self._changed.fire()

    def views(self) -> Mapping[SlotName, SlotView]:
        """Every slot as it is now."""
        return dict(self._views)

    def unknown_ports(self) -> tuple[PortPath, ...]:
        """Ports in use that no slot claims."""
        return tuple(self._unknown_ports)

    async def changed(self, since: int) -> int:
        """Wait until something differs from version `since`; returns the version there is then."""
        await self._changed.until(lambda: self.version != since)
        return self.version
