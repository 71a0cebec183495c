"""Debian's nginx on loopback with a server that a manual or a shipped file shows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

NGINX = Path("/usr/sbin/nginx")
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


def moved(server: str, places: dict[str, str]) -> str:
    """The server's own lines at a test's places, each of which has to stand there."""
    for stated, here in places.items():
        assert stated in server, stated
        server = server.replace(stated, here)
    return server


@contextmanager
def nginx_with(server: str, folder: Path) -> Generator[None]:
    """A running nginx."""
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(AROUND.format(folder=folder, server=server))
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    running = subprocess.Popen([NGINX, "-c", config, "-e", "stderr"], env=environment)
    try:
        yield
    finally:
        running.terminate()
        running.wait(ENDS_WITHIN_S)
