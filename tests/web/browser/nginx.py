"""Debian's nginx in front of a rack, as docs/service.md sets it up for an admin."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.free_port import free_port
from tests.nginx_running import moved, nginx_with
from tests.web.certificates import Pair

MANUAL = Path(__file__).parents[3] / "docs" / "service.md"
HOST = "rack7.localhost"
"""What browsers take for this machine without asking anybody."""


def of_the_manual() -> str:
    """The one server that the manual shows."""
    [server] = re.findall(
        r"^```\n(server \{.*?^\})\n```$", MANUAL.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return server


@contextmanager
def in_front_of(socket: Path, folder: Path, pair: Pair, logins: dict[str, str]) -> Generator[int]:
    """A running nginx; gives its port."""
    port = free_port()
    passwords = folder.with_name(f"{folder.name}.htpasswd")
    passwords.write_text("".join(f"{name}:{{PLAIN}}{word}\n" for name, word in logins.items()))
    server = moved(
        of_the_manual(),
        {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "rack7.example": HOST,
            "/etc/nginx/tls/rack.pem": str(pair.certificate),
            "/etc/nginx/tls/rack_key.pem": str(pair.key),
            "/etc/nginx/benchd.htpasswd": str(passwords),
            "/run/benchd/benchd.sock": str(socket),
        },
    )
    with nginx_with(server, folder):
        yield port
