"""A rack's own files, whole, and the ways in which a start finds them broken."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from benchd.certificate import create_key
from benchd.ledger.ledger_database import open_for_writing
from benchd.ledger.lock import writer_lock
from tests.daemon.rotated_rack import FIRST, SECOND, make_rack, sell
from tests.free_port import free_port

Break = Callable[[Path], AbstractContextManager[None] | None]
"""Given the rack's folder; what has to go on for it to be broken ends with the block."""
CONFIG = """
site.name = "大宮"
recipes.directory = "recipes"
models.fresh_pictures = "fresh"
adb = {{ server = "external", socket = "adb.sock", home = "adb" }}
http = {{ socket = "run/s", listen = "127.0.0.1:{port}" }}
certificate = {{ key = "key.pem", directory = "certificates" }}
ledger = {{ path = "state/ledger.db" }}
"""


async def make_whole_rack(folder: Path) -> None:
    """Two handsets sold; beside it, as `earlier`, the ledger as it was after the first."""
    folder.mkdir()
    settings = make_rack(folder)
    for private in ("state", "certificates"):
        (folder / private).chmod(0o700)
    (folder / "run").mkdir()
    await sell(settings, FIRST)
    shutil.copytree(folder / "state", folder / "earlier")
    await sell(settings, SECOND)


def copy_of(whole: Path, folder: Path) -> Path:
    """One of a test's own, which listens at a port of its own; the configuration's path."""
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    config = folder / "benchd.toml"
    config.write_text(CONFIG.format(port=free_port()), "utf-8")
    return config


def port_of(rack: Path) -> int:
    text = (rack / "benchd.toml").read_text("utf-8")
    return int(text.partition("127.0.0.1:")[2].partition('"')[0])


def ledger_of(rack: Path) -> Path:
    return rack / "state/ledger.db"


def replaced(file: Path, before: str, after: str) -> None:
    text = file.read_text("utf-8")
    assert before in text
    file.write_text(text.replace(before, after), "utf-8")


def a_mistake(rack: Path) -> None:
    replaced(rack / "benchd.toml", "site.name", "rack.settle_s = -1\nsite.name")


def no_configuration(rack: Path) -> None:
    (rack / "benchd.toml").unlink()


def no_toml(rack: Path) -> None:
    (rack / "benchd.toml").write_text("[site\n")


def a_lax_recipe(rack: Path) -> None:
    replaced(rack / "recipes/overwrite.toml", "minimum_coverage = 0.", "minimum_coverage = 0.00")


def no_recipe(rack: Path) -> None:
    shutil.rmtree(rack / "recipes")


def no_page_certificate(rack: Path) -> None:
    """Its key is one."""
    (rack / "page.pem").write_text("not one")
    shutil.copy(rack / "key.pem", rack / "page_key.pem")
    tls = 'http = { tls_certificate = "page.pem", tls_key = "page_key.pem",'
    replaced(rack / "benchd.toml", "http = {", tls)


def no_key(rack: Path) -> None:
    (rack / "key.pem").unlink()


def no_key_in_the_file(rack: Path) -> None:
    (rack / "key.pem").write_text("a certificate, by mistake")


def another_key(rack: Path) -> None:
    for file in rack.glob("key.pem*"):
        file.unlink()
    create_key(rack / "key.pem")


def a_file_for_a_folder(rack: Path) -> None:
    shutil.rmtree(rack / "certificates")
    (rack / "certificates").touch()


def a_torn_ledger(rack: Path) -> None:
    """A page whose second half a power cut has kept from the disk."""
    with ledger_of(rack).open("r+b") as file:
        file.seek(4096 + 2048)
        file.write(bytes(2048))


def a_cut_ledger(rack: Path) -> None:
    with ledger_of(rack).open("r+b") as file:
        file.truncate(4096 * 3)


def not_a_ledger(rack: Path) -> None:
    ledger_of(rack).unlink()
    with closing(sqlite3.connect(ledger_of(rack))) as database:
        database.execute("CREATE TABLE other (x)")


def a_newer_ledger(rack: Path) -> None:
    with closing(open_for_writing(ledger_of(rack))) as connection:
        connection.execute("PRAGMA user_version = 99")


def no_head(rack: Path) -> None:
    ledger_of(rack).with_name("ledger.db.head").unlink()


def an_earlier_ledger(rack: Path) -> None:
    shutil.rmtree(rack / "state")
    shutil.copytree(rack / "earlier", rack / "state")


@contextmanager
def a_held_ledger(rack: Path) -> Generator[None]:
    with writer_lock(ledger_of(rack)):
        yield


@contextmanager
def a_held_port(rack: Path) -> Generator[None]:
    with socket.create_server(("127.0.0.1", port_of(rack))):
        yield


@contextmanager
def a_held_socket(rack: Path) -> Generator[None]:
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(rack / "run/s"))
        held.listen()
        yield


def no_folder_for_the_socket(rack: Path) -> None:
    (rack / "run").rmdir()


def a_file_for_the_socket(rack: Path) -> None:
    (rack / "run/s").touch()
