"""What the handset's own tools ask of its system: resets, pages, NFC, what its kernel counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final, Protocol

import anyio
import structlog
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.domain.errors import UsageRefused
from benchd.lab.simulator.android import AndroidState
from benchd.lab.simulator.answers import Answer
from benchd.lab.simulator.plan import HandsetPlan, TestHarness, Wipe

_log = structlog.get_logger()

ASK_SOCKET: Final = "ask.sock"
CHARGES_FILE: Final = "charges"
"""While it is there, a look at the battery begins its charging."""
LINE_MAXIMUM_BYTES: Final = 4096

_FIRST_WITH_TEST_HARNESS: Final = 29
_NO_SERVICE: Final = Answer(text="cmd: Can't find service: testharness\n", status=20)
# TestHarnessModeService (frameworks/base): its texts and result codes.
_LOCKED: Final = Answer(
    text="Test Harness Mode cannot be enabled if there is a lock screen\n", status=2
)
_UNSUPPORTED: Final = Answer(text="Failed to enable Test Harness Mode\n", status=1)
_DONE: Final = Answer(text="")
_START: Final = "am_start "
_PAGES: Final = frozenset({"android.settings.SETTINGS", "android.settings.DEVICE_INFO_SETTINGS"})
_RESET_PAGE: Final = "com.android.settings.action.FACTORY_RESET"
_FIRST_WITH_RESET_PAGE: Final = 30
"""Constructed: since when there is one, no source has told; older ones show what comes near."""


class Restartable(Protocol):
    """A handset as its tools see it."""

    plan: HandsetPlan
    android: AndroidState

    async def restart(self, wipe: Wipe, *, after_s: float = 0.0) -> None:
        """Begin a restart."""
        ...

    async def fetched_bytes(self) -> int:
        """What was read from its chip so far, past every cache."""
        ...

    async def switch_nfc(self, *, on: bool) -> None:
        """Switch its NFC, and what hangs on it."""
        ...

    def stay_on(self, chargers: int) -> None:
        """Leave the screen on while one of these charges it."""
        ...

    def begin_charging(self) -> None:
        """Fill the battery from now on."""
        ...


class ToolService:
    """Answers one handset's tools."""

    def __init__(self, handset: Restartable) -> None:
        self._handset = handset

    async def serve(self, stream: SocketStream) -> None:
        """One request, one answer; what was asked for begins after the answer is out."""
        async with stream:
            try:
                lines = BufferedByteReceiveStream(stream)
                request = json.loads(await lines.receive_until(b"\n", LINE_MAXIMUM_BYTES))
                answer, wipe = await self._judge(str(request["do"]))
                if wipe is not None:
                    await self._handset.restart(wipe, after_s=self._handset.plan.shutdown_s)
                said = {"error_text": answer.text, "status": answer.status}
                await stream.send(json.dumps(said).encode() + b"\n")
            except (
                anyio.BrokenResourceError,
                anyio.DelimiterNotFound,
                anyio.EndOfStream,
                anyio.IncompleteRead,
                KeyError,
                UsageRefused,
                ValueError,
            ) as odd:
                _log.warning("tool_not_served", handset=self._handset.plan.name, cause=repr(odd))

    async def _judge(self, asked: str) -> tuple[Answer, Wipe | None]:
        match asked:
            case "reboot":
                return _DONE, Wipe.NONE
            case "nfc_enable" | "nfc_disable":
                await self._handset.switch_nfc(on=asked == "nfc_enable")
            case "fetched":
                # proc(5): the one line of /proc/PID/io that anybody asks for.
                return Answer(text=f"read_bytes: {await self._handset.fetched_bytes()}\n"), None
            case "battery_read":
                self._handset.begin_charging()
            case "test_harness":
                return self._judge_test_harness()
            case _ if asked.startswith(_START):
                return self._open_page(asked.removeprefix(_START)), None
            case _ if asked.startswith("stay_on "):
                self._handset.stay_on(int(asked.removeprefix("stay_on ")))
            case _:
                raise ValueError(asked)
        return _DONE, None

    def _open_page(self, name: str) -> Answer:
        """ActivityManagerShellCommand (frameworks/base): what isn't there is told, with a 0."""
        has_reset_page = self._handset.plan.model.sdk >= _FIRST_WITH_RESET_PAGE
        if name not in _PAGES and not (name == _RESET_PAGE and has_reset_page):
            return Answer(text=f"Error: Activity not started, unable to resolve Intent {name}\n")
        self._handset.android = replace(self._handset.android, page=name)
        return _DONE

    def _judge_test_harness(self) -> tuple[Answer, Wipe | None]:
        plan = self._handset.plan
        if plan.model.sdk < _FIRST_WITH_TEST_HARNESS:
            return _NO_SERVICE, None
        if self._handset.android.screen_lock:
            return _LOCKED, None
        match plan.test_harness:
            case TestHarness.WORKS:
                return _DONE, Wipe.TEST_HARNESS
            case TestHarness.LIES:
                return _DONE, None
            case TestHarness.UNSUPPORTED:
                return _UNSUPPORTED, None
