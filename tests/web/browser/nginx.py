"""Debian's nginx in front of a rack, as docs/service.md sets it up for an admin."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.free_port import free_port
from tests.web.certificates import Pair

NGINX = Path("/usr/sbin/nginx")
MANUAL = Path(__file__).parents[3] / "docs" / "service.md"
HOST = "rack7.localhost"
"""What browsers take for this machine without asking anybody."""
ENDS_WITHIN_S = 10

needs_nginx = pytest.mark.skipif(not NGINX.exists(), reason="Debian's nginx-light isn't here")

AROUND = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path       {folder}/proxy;
    fastcgi_temp_path     {folder}/fastcgi;
    uwsgi_temp_path       {folder}/uwsgi;
    scgi_temp_path        {folder}/scgi;
{server}
}}
"""


def of_the_manual() -> str:
    """The one server that the manual shows."""
    [server] = re.findall(
        r"^```\n(server \{.*?^\})\n```$", MANUAL.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return server


def moved(server: str, places: dict[str, str]) -> str:
    """The manual's own lines at this test's places, each of which has to stand there."""
    for stated, here in places.items():
        assert stated in server, stated
        server = server.replace(stated, here)
    return server


@contextmanager
def in_front_of(socket: Path, folder: Path, pair: Pair, logins: dict[str, str]) -> Generator[int]:
    """A running nginx; gives its port."""
    port = free_port()
    folder.mkdir()
    passwords = folder / "htpasswd"
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
    config = folder / "nginx.conf"
    config.write_text(AROUND.format(folder=folder, server=server))
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    running = subprocess.Popen([NGINX, "-c", config, "-e", "stderr"], env=environment)
    try:
        yield port
    finally:
        running.terminate()
        running.wait(ENDS_WITHIN_S)
