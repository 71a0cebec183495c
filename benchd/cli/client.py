"""Talks to the running daemon over its Unix socket, for the commands."""

from __future__ import annotations

import json
import os
import socket
import ssl
import struct
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, cast
from urllib.parse import quote, urlencode

import httpx2

from benchd.cli.messages import both, error_of, missing
from benchd.domain.errors import (
    BenchdError,
    DecisionRefused,
    LedgerFault,
    MoreToShow,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TriedTooOften,
    UsageRefused,
)
from benchd.domain.ids import JsonObject, JsonValue

SOCKET = Path("/run/benchd/benchd.sock")
SOCKET_VARIABLE = "BENCHD_SOCKET"
TIMEOUT_S = 15.0
"""Longer than the daemon's own deadline for its ledger, so that its answer is heard."""

CONNECT_TIMEOUT_S = 5
TOO_MANY = 429
BUSY = 503


_REFUSALS: Mapping[int, type[BenchdError]] = {
    400: UsageRefused,
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: DecisionRefused,
    413: UsageRefused,
    422: UsageRefused,
    BUSY: LedgerFault,
}


def socket_path(environ: Mapping[str, str]) -> Path:
    """Where the daemon's socket is: what the environment says, else the usual place."""
    return Path(environ.get(SOCKET_VARIABLE) or SOCKET)


class BenchdClient:
    """The API as methods; what the daemon refuses is raised as the same error as over there.

    Making one, and each method, raises DependencyMissing if no daemon answers: with what to do.
    """

    def __init__(self, path: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        _refuse_unless_reachable(path)
        self._path = path
        # Nothing is encrypted on the machine's own socket; loading certificates costs time.
        transport = httpx2.HTTPTransport(
            uds=str(path),
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            trust_env=False,
            socket_options=[_connect_timeout()],
        )
        self._http = httpx2.Client(
            transport=transport,
            base_url="http://benchd",
            timeout=httpx2.Timeout(timeout_s, connect=None),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def slots(self) -> JsonObject:
        """Every slot under `slots`, and ports in use that are no slot under `unknown_ports`."""
        return self.answer("GET", "/api/v1/slots")

    def queue(self) -> JsonObject:
        """What people have to do next under `errands`, and the handsets to carry under `bins`."""
        return self.answer("GET", "/api/v1/queue")

    def slot(self, slot: str) -> JsonObject:
        """One slot."""
        return self.answer("GET", f"/api/v1/slots/{segment(slot)}")

    def jobs(self, limit: int = 50) -> JsonObject:
        """The newest jobs under `jobs`, newest first."""
        return self.answer("GET", f"/api/v1/jobs?limit={limit}")

    def job(self, job: str) -> JsonObject:
        """One job with its stages and answers."""
        return self.answer("GET", f"/api/v1/jobs/{segment(job)}")

    def trace(self, job: str) -> JsonObject:
        """Where an ended job's time went, as OTLP's JSON."""
        return self.answer("GET", f"/api/v1/jobs/{segment(job)}/trace.json")

    def certificate(self, job: str) -> bytes:
        """The signed certificate, byte for byte."""
        return self._request("GET", f"/api/v1/jobs/{segment(job)}/certificate.json").content

    def certificate_pdf(self, job: str) -> bytes:
        """The same as a signed PDF."""
        return self._request("GET", f"/api/v1/jobs/{segment(job)}/certificate.pdf").content

    def sign_in(self, *, person: str, pin: str, badge: str | None = None) -> JsonObject:
        """Be this person from now on; NotSignedIn or TriedTooOften if that can't be."""
        shown = {"person": person, "pin": pin, "badge": badge}
        session = self.answer("POST", "/api/v1/session", json.dumps(shown).encode())
        self._http.headers["x-benchd-csrf"] = str(session["csrf"])
        return session

    def sign_out(self) -> None:
        """Be nobody again."""
        self._request("DELETE", "/api/v1/session")
        self._http.cookies.clear()

    def decide(
        self,
        job: str,
        gate: str,
        *,
        approved: bool,
        operator: str | None = None,
        note: str = "",
        asking: int | None = None,
    ) -> JsonObject:
        """Answer an open question; returns what was recorded.

        With `operator`, only as them; with `asking`, only the very question that was seen.
        """
        answer = {
            "gate": gate,
            "approved": approved,
            "operator": operator,
            "note": note,
            "asking": asking,
        }
        path = f"/api/v1/jobs/{segment(job)}/decisions"
        return self.answer("POST", path, json.dumps(answer).encode())

    def dossiers(self) -> JsonObject:
        """What failed inspections have left on the rack, under `dossiers`, the newest first."""
        return self.answer("GET", "/api/v1/dossiers")

    def record(self, slot: str) -> JsonObject:
        """The dossier of the handset in a slot: `files`, and what was replaced in them."""
        return self.answer("POST", f"/api/v1/slots/{segment(slot)}/dossier")

    def find(self, text: str) -> JsonObject:
        """Handsets by a part of a number, under `handsets`."""
        asked = urlencode({"find": text}, errors="replace")
        return self.answer("GET", f"/api/v1/handsets?{asked}")

    def handset(self, key: str) -> JsonObject:
        """Everything about one handset; any of its jobs is its key."""
        return self.answer("GET", f"/api/v1/handsets/{segment(key)}")

    def upto(self) -> JsonObject:
        """Up to which record of the ledger the read model is true."""
        return self.answer("GET", "/api/v1/records")

    def rebuild_records(self) -> JsonObject:
        """Have the read model made anew; it goes on in the daemon."""
        return self.answer("POST", "/api/v1/records/rebuild")

    def disposal(self, states: Sequence[str] = (), batch: str | None = None) -> JsonObject:
        """Handsets that wait for somebody, under `items`."""
        asked = [("state", state) for state in states] + ([("batch", batch)] if batch else [])
        return self.answer("GET", f"/api/v1/disposal?{urlencode(asked, errors='replace')}")

    def settle(self, job: str, told: Mapping[str, JsonValue]) -> JsonObject:
        """Say what has become of a job's handset; returns what was recorded."""
        path = f"/api/v1/disposal/{segment(job)}"
        return self.answer("POST", path, json.dumps(told).encode())

    def report(
        self,
        begin: str,
        last: str,
        lot: str | None = None,
        consignor: str | None = None,
        *,
        jobs: bool = True,
    ) -> JsonObject:
        """What came in from one day to another, under `figures`; blank names ask for none."""
        asked = {**_asked(begin, last, lot, consignor), "jobs": "true" if jobs else "false"}
        return self.answer("GET", f"/api/v1/report?{urlencode(asked, errors='replace')}")

    def report_csv(
        self, begin: str, last: str, lot: str | None = None, consignor: str | None = None
    ) -> bytes:
        """The same for a spreadsheet, without the jobs."""
        asked = urlencode(_asked(begin, last, lot, consignor), errors="replace")
        return self._request("GET", f"/api/v1/report.csv?{asked}").content

    def people(self) -> JsonObject:
        """Everybody under `people`."""
        return self.answer("GET", "/api/v1/people")

    def add_person(self, new: JsonObject) -> JsonObject:
        """Somebody new; returns them."""
        return self.answer("POST", "/api/v1/people", json.dumps(new).encode())

    def change_person(self, person: str, what: str, change: JsonObject) -> JsonObject:
        """Change somebody's `roles`, `badge`, `pin` or `disabled`; returns them."""
        path = f"/api/v1/people/{segment(person)}/{what}"
        return self.answer("PUT", path, json.dumps(change).encode())

    def tokens(self) -> JsonObject:
        """Every token under `tokens`."""
        return self.answer("GET", "/api/v1/tokens")

    def create_token(self, new: JsonObject) -> JsonObject:
        """A new token; its `secret` is told this once."""
        return self.answer("POST", "/api/v1/tokens", json.dumps(new).encode())

    def rotate_token(self, token: str, asked: JsonObject) -> JsonObject:
        """The same token with a new `secret`."""
        path = f"/api/v1/tokens/{segment(token)}/secret"
        return self.answer("PUT", path, json.dumps(asked).encode())

    def revoke_token(self, token: str) -> JsonObject:
        """Let a token do nothing any more; returns it."""
        return self.answer("DELETE", f"/api/v1/tokens/{segment(token)}")

    def log_level(self) -> JsonObject:
        """Of what everything is logged, under `debug`."""
        return self.answer("GET", "/api/v1/log-level")

    def set_log_level(self, wanted: JsonObject) -> JsonObject:
        """Have more logged for a while; returns what `log_level` tells."""
        return self.answer("PUT", "/api/v1/log-level", json.dumps(wanted).encode())

    def drain(self) -> JsonObject:
        """Let no new job begin; the daemon ends once the last of `running_jobs` has."""
        return self.answer("POST", "/api/v1/drain")

    def pause(self, for_s: float) -> JsonObject:
        """Let no new job begin for so many seconds; tells what `drain` does."""
        asked = json.dumps({"for_s": for_s}).encode()
        return self.answer("PUT", "/api/v1/drain/pause", asked)

    def draining(self) -> JsonObject:
        """What `drain` said, as it is now; DependencyMissing once the daemon has ended."""
        _refuse_unless_reachable(self._path)
        return self.answer("GET", "/api/v1/drain")

    def fetched(self, path: str) -> bytes:
        """What a route answers with, byte for byte."""
        return self._request("GET", path).content

    def streamed(self, path: str, write: Callable[[bytes], object]) -> None:
        """Write what a route answers with, piece by piece; it may be more than memory holds."""
        request = self._http.build_request("GET", path)
        with self._translated("GET"), closing(self._sent(request, stream=True)) as response:
            if not response.is_success:
                response.read()
                raise self._refusal(response)
            for piece in response.iter_bytes():
                write(piece)

    def answer(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> JsonObject:
        """The JSON object that a route answers with; `kind` is the body's media type."""
        answer = _parsed(self._request(method, path, body, kind))
        if answer is None:
            raise error_of(BenchdError, "say.not_benchd", path=str(self._path))
        return answer

    def _request(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> httpx2.Response:
        headers = {} if body is None else {"content-type": kind}
        with self._translated(method):
            response = self._sent(
                self._http.build_request(method, path, content=body, headers=headers)
            )
        if not response.is_success:
            raise self._refusal(response)
        return response

    def _sent(self, request: httpx2.Request, *, stream: bool = False) -> httpx2.Response:
        """Send a request; one that found no connection says why, since nothing was sent."""
        try:
            return self._http.send(request, stream=stream)
        except httpx2.ConnectError:
            _refuse_unless_reachable(self._path)
            raise

    @contextmanager
    def _translated(self, method: str) -> Generator[None]:
        try:
            yield
        except httpx2.HTTPError as error:
            what = both("say.stopped_answering", path=str(self._path), detail=type(error).__name__)
            cure = "say.see_service_and_job" if method == "POST" else "say.see_service"
            raise missing(what, both(cure, name="JOB")) from error

    def _refusal(self, response: httpx2.Response) -> BenchdError:
        told = _parsed(response) or {}
        error = told.get("error")
        message = error.get("message") if isinstance(error, Mapping) else None
        code = error.get("code") if isinstance(error, Mapping) else None
        if not isinstance(message, str):
            path, status = str(self._path), str(response.status_code)
            return error_of(BenchdError, "say.no_reason_given", path=path, value=status)
        if response.status_code == TOO_MANY:
            wait = response.headers.get("retry-after", "")
            refused: BenchdError = TriedTooOften(
                message, wait_s=float(wait) if wait.isdecimal() else 1.0
            )
        else:
            refused = _refusal_of(response.status_code, code)(message)
        refused.refusal = code if isinstance(code, str) else None
        return refused


def _refusal_of(status: int, code: object) -> type[BenchdError]:
    if code == "more_to_show":
        return MoreToShow
    # Others may have too much to ask at once, and then the ledger is as it should be.
    if status == BUSY and code != "ledger_fault":
        return BenchdError
    return _REFUSALS.get(status, BenchdError)


def segment(name: str) -> str:
    """A name as one part of a path; what can't be one names nothing."""
    if name in ("", ".", ".."):
        raise error_of(NotFound, "say.nothing_called", name=repr(name))
    return quote(name, safe="", errors="replace")


def _asked(begin: str, last: str, lot: str | None, consignor: str | None) -> dict[str, str]:
    only = {"lot": lot, "consignor": consignor}
    named = {name: value for name, value in only.items() if value is not None}
    return {"from": begin, "to": last, **named}


def _parsed(response: httpx2.Response) -> JsonObject | None:
    try:
        answer: object = json.loads(response.content)
    except ValueError:
        return None
    return cast("JsonObject", answer) if isinstance(answer, dict) else None


def _connect_timeout() -> tuple[int, int, bytes]:
    """The socket option by which the kernel waits while a crowded socket has no room.

    With Python's own timeout such a socket refuses at once.
    """
    wait = struct.pack("ll", CONNECT_TIMEOUT_S, 0)
    return socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait


def _refuse_unless_reachable(path: Path) -> None:
    """Connect once beforehand: httpx2 doesn't tell why a socket can't be reached."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setsockopt(*_connect_timeout())
        try:
            probe.connect(os.fspath(path))
        except BlockingIOError as error:
            what = both("say.socket_crowded", path=str(path))
            raise missing(what, both("say.see_who_crowds")) from error
        except PermissionError as error:
            what = both("say.not_your_socket", path=str(path))
            raise missing(what, both("say.join_group")) from error
        except OSError as error:
            what = both("say.not_running", path=str(path))
            raise missing(what, both("say.start_it", name=SOCKET_VARIABLE)) from error
