"""A FAKE store that speaks the few words of S3 that are used, and lies as it is told to.

What a real one answers is tried with radosgw (test_locked_store.py), at night.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

RULE = "<Rule><DefaultRetention><Mode>{}</Mode><Days>{}</Days></DefaultRetention></Rule>"
LOCK = (
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{}"
    "</ObjectLockConfiguration>"
)

Answer = tuple[int, bytes, dict[str, str]]


@dataclass
class Kept:
    key: str
    id: str
    content: bytes
    put_at: datetime
    until: datetime
    mode: str | None = "COMPLIANCE"
    is_marker: bool = False

    @property
    def headers(self) -> dict[str, str]:
        told = {
            "Last-Modified": format_datetime(self.put_at, usegmt=True),
            "x-amz-version-id": self.id,
        }
        if self.mode is not None:
            told["x-amz-object-lock-mode"] = self.mode
            told["x-amz-object-lock-retain-until-date"] = self.until.isoformat()
        return told


@dataclass
class FakeS3:
    """One bucket."""

    url: str = ""
    credentials: Path = Path()
    days: int = 90
    mode: str | None = "COMPLIANCE"
    """By which it says that it locks; None for not at all."""
    puts_by: str | None = "COMPLIANCE"
    """By which it does."""
    allows: set[str] = field(default_factory=set)
    """What a good one refuses: "rule", "shorten", "delete"; "lose" is a refusal that deletes."""
    status: int | None = None
    """What it answers to everything."""
    says: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What it answers instead, by what is asked: "GET object-lock", "PUT retention", "HEAD" …"""
    unreadable: set[str] = field(default_factory=set)
    """Keys that nobody is given, as what lies under a key of somebody's own or in an archive."""
    kept: list[Kept] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def hide(self, key: str) -> None:
        self._add(key, b"", is_marker=True)

    def add(self, key: str, content: bytes) -> Kept:
        return self._add(key, content, is_marker=False)

    def _add(self, key: str, content: bytes, *, is_marker: bool) -> Kept:
        # Each a second after the last: HTTP knows of no less.
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=len(self.kept))
        until = at + timedelta(days=self.days)
        number = f"v{len(self.kept)}"
        made = Kept(key, number, content, at, until, self.puts_by, is_marker)
        self.kept.append(made)
        return made

    def answer(self, method: str, key: str, words: dict[str, str], body: bytes) -> Answer:
        self.asked.append(f"{method} {' '.join(words) or key}")
        wanted = (key, words.get("versionId"))
        found = [each for each in self.kept if (each.key, each.id) == wanted]
        what = next(
            (word for word in ("object-lock", "versions", "retention") if word in words), ""
        )
        match method, what, found:
            case _ if self.status is not None:
                told = self.status, b"", {}
            case _ if f"{method} {what}".strip() in self.says:
                told = refused(*self.says[f"{method} {what}".strip()])
            case "GET", "", [one] if one.key in self.unreadable:
                told = refused(400, "InvalidRequest")
            case "GET", "versions", _:
                told = 200, self._listed().encode(), {}
            case _, "object-lock", _:
                told = self._rule(method)
            case "PUT", "", _:
                told = 200, b"", {"x-amz-version-id": self.add(key, body).id}
            case "GET" | "HEAD", "", [one]:
                told = 200, one.content, one.headers
            case "PUT" | "DELETE", _, [one]:
                told = self._undo(method, one)
            case _:
                told = refused(404, "NoSuchKey")
        return told

    def _rule(self, method: str) -> Answer:
        if method == "PUT":
            return (200, b"", {}) if "rule" in self.allows else refused(403, "AccessDenied")
        if self.mode is None:
            return refused(404, "ObjectLockConfigurationNotFoundError")
        return 200, LOCK.format(RULE.format(self.mode, self.days)).encode(), {}

    def _undo(self, method: str, one: Kept) -> Answer:
        if method == "PUT" and "shorten" in self.allows:
            one.until -= timedelta(days=1)
            return 200, b"", {}
        if method == "DELETE" and "delete" in self.allows:
            self.kept.remove(one)
            return 204, b"", {}
        if method == "DELETE" and "lose" in self.allows:
            self.kept.remove(one)
        return refused(403, "AccessDenied")

    def _listed(self) -> str:
        last = {each.key: each.id for each in self.kept}
        parts = [
            f"<{kind}><Key>{each.key}</Key><VersionId>{each.id}</VersionId>"
            f"<IsLatest>{str(last[each.key] == each.id).lower()}</IsLatest>"
            f"<LastModified>{each.put_at:%Y-%m-%dT%H:%M:%SZ}</LastModified></{kind}>"
            for each in self.kept
            for kind in ["DeleteMarker" if each.is_marker else "Version"]
        ]
        return f"<ListVersionsResult>{''.join(parts)}</ListVersionsResult>"


def refused(status: int, code: str) -> Answer:
    return status, f"<Error><Code>{code}</Code></Error>".encode(), {}


@contextmanager
def fake_s3(folder: Path) -> Generator[FakeS3]:
    """One that listens on loopback."""
    here = FakeS3(credentials=folder / "credentials")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            size = int(self.headers.get("content-length", 0))
            body = self.rfile.read(size)
            parts = urlsplit(self.path)
            key = re.sub("^/leaves/?", "", unquote(parts.path))
            words = dict(parse_qsl(parts.query, keep_blank_values=True))
            status, content, headers = here.answer(self.command, key, words, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here.url = f"http://127.0.0.1:{server.server_address[1]}/leaves"
        here.credentials.write_text(
            "[default]\naws_access_key_id = centre\naws_secret_access_key = not a secret\n"
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()
