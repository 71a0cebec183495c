"""A browser of the storm: HTTP/1.1 over a socket in memory, and no code of benchd's web."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import anyio

from benchd.lab.storm.ends import ClientEnd
from benchd.lab.storm.sockets import VirtualListener

HEAD_END: Final = b"\r\n\r\n"


class CutOffError(Exception):
    """Raised where a connection ends before its answer does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, and when."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_s: float

    @property
    def json(self) -> Any:  # noqa: ANN401
        """The body, read."""
        return json.loads(self.body)


class Browser:
    """One screen, program or stranger; a request at a time, over one connection."""

    def __init__(self, listener: VirtualListener, peer: tuple[str, int] | int) -> None:
        self._listener = listener
        self.peer = peer
        self.cookie = ""
        self.csrf = ""
        self.end: ClientEnd | None = None
        self._rest = bytearray()
        self._heard = False
        """Whether a byte of the last answer has come."""

    def connect(self) -> ClientEnd:
        """A connection of its own; raises ConnectionRefusedError."""
        if self.end is None or self.end.is_over:
            self.end = self._listener.connect(self.peer)
            self._rest.clear()
        return self.end

    def leave(self, *, reset: bool = False) -> None:
        """Hang up."""
        if self.end is not None:
            self.end.close(reset=reset)
            self.end = None

    def request(self, method: str, path: str, body: object = None) -> bytes:
        """The bytes of a request."""
        sent = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        if self.cookie:
            lines.append(f"Cookie: {self.cookie}")
        if self.csrf:
            lines.append(f"X-Benchd-CSRF: {self.csrf}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(sent)}"]
        return "\r\n".join(lines).encode() + HEAD_END + sent

    async def ask(
        self, method: str, path: str, body: object = None, *, within_s: float = 60.0
    ) -> Answer:
        """Ask and read it all; raises CutOffError, OSError or TimeoutError.

        As browsers do, it asks once more where a connection that had stayed ends before a byte of
        the answer came: the server may have ended it for its idleness just then.
        """
        began = anyio.current_time()
        stayed, self._heard = self.end is not None and not self.end.is_over, False
        try:
            with anyio.fail_after(within_s):
                end = self.connect()
                await end.send(self.request(method, path, body))
                status, headers = await self._head(end)
                told = await self._body(end, headers)
        except (CutOffError, ConnectionError):
            self.leave(reset=True)
            if stayed and not self._heard:
                return await self.ask(method, path, body, within_s=within_s)
            raise
        except BaseException:
            self.leave(reset=True)
            raise
        if headers.get("connection") == "close":
            self.leave()
        for name, value in headers.items():
            if name == "set-cookie":
                self.cookie = value.partition(";")[0]
        took_s = anyio.current_time() - began
        return Answer(status=status, headers=headers, body=told, took_s=took_s)

    async def get(self, path: str, *, within_s: float = 60.0) -> Answer:
        """Look at something."""
        return await self.ask("GET", path, within_s=within_s)

    async def sign_in(self, *, person: str, badge: str | None, pin: str | None) -> Answer:
        """Show who it is."""
        shown = {"person": person, "badge": badge, "pin": pin}
        answer = await self.ask("POST", "/api/v1/session", shown)
        if answer.status == 201:
            self.csrf = answer.json["csrf"]
        return answer

    async def _head(self, end: ClientEnd) -> tuple[int, Mapping[str, str]]:
        while HEAD_END not in self._rest:
            await self._more(end)
        head, _, rest = bytes(self._rest).partition(HEAD_END)
        self._rest = bytearray(rest)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return int(first.split(" ")[1]), headers

    async def _body(self, end: ClientEnd, headers: Mapping[str, str]) -> bytes:
        if "content-length" in headers:
            return await self._exactly(end, int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return b""
        told = b""
        while True:
            while b"\r\n" not in self._rest:
                await self._more(end)
            size, _, rest = bytes(self._rest).partition(b"\r\n")
            self._rest = bytearray(rest)
            piece = await self._exactly(end, int(size, 16) + 2)
            if len(piece) == 2:
                return told
            told += piece[:-2]

    async def _exactly(self, end: ClientEnd, size: int) -> bytes:
        while len(self._rest) < size:
            await self._more(end)
        told = bytes(self._rest[:size])
        del self._rest[:size]
        return told

    async def _more(self, end: ClientEnd) -> None:
        came = await end.receive()
        if not came:
            raise CutOffError
        self._heard = True
        self._rest += came
