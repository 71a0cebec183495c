from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from benchd.domain.errors import DependencyMissing
from benchd.web.sockets import tcp_listener, unix_listener


def leave_stale(path: Path) -> None:
    """What a daemon that died leaves behind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
        dead.listen()


def test_stale_files_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "benchd.sock"
    leave_stale(path)
    leave_stale(tmp_path / f"benchd.sock.{os.getpid()}")
    with unix_listener(path), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(path))
        assert [file.name for file in tmp_path.iterdir()] == ["benchd.sock"]
    assert not path.exists()


def test_socket_on_which_somebody_answers_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "benchd.sock"
    with unix_listener(path):
        before = path.stat().st_ino
        with (
            pytest.raises(DependencyMissing, match="another program answers") as refused,
            unix_listener(path),
        ):
            pass
        assert "One benchd per rack" in refused.value.cure
        assert path.stat().st_ino == before


def test_other_files_are_left_alone_and_links_not_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "precious", tmp_path / "benchd.sock"
    path.write_text("precious")
    link.symlink_to(path)
    for taken in (path, link):
        with pytest.raises(DependencyMissing, match="isn't a socket"), unix_listener(taken):
            pass
    assert link.is_symlink()
    assert path.read_text() == "precious"


def test_socket_of_a_successor_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "benchd.sock"
    with unix_listener(path):
        path.unlink()
        leave_stale(path)
    assert path.exists()


@pytest.mark.parametrize(
    ("name", "message", "cure"),
    [
        ("run/benchd.sock", "can't make its socket", "install -d"),
        ("x" * 120, "", "90 characters"),
    ],
    ids=["its folder is missing", "it is too long"],
)
def test_a_path_that_cannot_be_had(tmp_path: Path, name: str, message: str, cure: str) -> None:
    with pytest.raises(DependencyMissing) as refused, unix_listener(tmp_path / name):
        pass
    assert message in str(refused.value)
    assert cure in refused.value.cure


def test_port_in_use() -> None:
    with tcp_listener("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DependencyMissing) as refused, tcp_listener("127.0.0.1", port):
            pass
    assert f"port {port}" in refused.value.message
    assert f"sport = :{port}" in refused.value.cure
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "a\ud800b"])
def test_address_of_another_machine(host: str) -> None:
    with pytest.raises(DependencyMissing) as refused, tcp_listener(host, 0):
        pass
    assert "ip address" in refused.value.cure


def test_port_is_free_again_at_once() -> None:
    with tcp_listener("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = first.accept()
            accepted.close()
            client.recv(1)
    with tcp_listener("127.0.0.1", port) as second:
        assert second.getsockname()[1] == port
