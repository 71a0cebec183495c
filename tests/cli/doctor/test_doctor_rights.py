"""What the daemon's own user may read; root, who looks, may read it all."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchd.cli.doctor.findings import Verdict
from benchd.cli.doctor.folders import Owner
from benchd.cli.doctor.rights import changed_by, closed_to, opened_by, readable
from benchd.config import load_settings

ME = Owner(name="benchd", uid=os.geteuid())


def looked(config: Path, *closed: Path) -> tuple[Verdict, str | None, object]:
    def kept_out(by: str, paths: Sequence[Path], owner: Owner) -> list[Path]:
        assert owner is ME
        if by == "-x":
            return [path for path in paths if path in closed]
        return [path for path in paths if {path, *path.parents} & set(closed)]

    found = readable(config, load_settings(config), ME, kept_out)
    return found.verdict, found.cure, found.facts.get("value")


def test_each_file_that_the_configuration_names_is_asked_for(config: Path) -> None:
    recipe = config.parent / "recipes/delete.toml"
    secret, ring = config.parent / "stock.secret", config.parent / "key.pem.ring"
    secret.write_text("whsec_" + "A" * 32)
    secret.chmod(0o600)
    hook = f'\n[[hooks]]\nname = "stock"\nurl = "http://127.0.0.1:1/"\nsecret = "{secret}"\n'
    config.write_text(config.read_text() + hook)
    assert looked(config)[0] is Verdict.OK
    # A ring that isn't there needs no right.
    assert looked(config, ring)[0] is Verdict.OK
    ring.touch()
    for file in (config, recipe, secret, ring):
        assert looked(config, file) == (Verdict.FAIL, "cure.give_rights", str(file))
    # Of a closed folder on the way the folder is named.
    assert looked(config, recipe.parent)[2] == str(recipe.parent)
    assert looked(config, config.parent)[2] == str(config.parent)


def test_where_nobody_can_tell_it_is_never_ok(config: Path) -> None:
    found = readable(config, load_settings(config), ME, lambda *_: None)
    assert (found.verdict, found.cure) == (Verdict.NOT_CHECKED, "cure.as_root")


def test_the_kernel_says_it_by_a_process_that_is_that_user(tmp_path: Path) -> None:
    none = tmp_path / "none"
    assert closed_to("-r", [tmp_path, none], ME) == [none]
    unknown = Owner(name="nobody-here", uid=4_000_000)
    assert closed_to("-r", [tmp_path], unknown) is None


def test_what_is_roots_or_benchds_and_nobody_else_changes_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert changed_by(Path("/etc/passwd"), ME) is None
    monkeypatch.setattr(pwd, "getpwuid", lambda _: account(file.stat().st_gid))
    for mode, members, told in (
        (0o644, [], None),
        (0o666, [], "0666"),
        # As with Debian's umask of somebody who has a group of their own.
        (0o664, [], None),
        (0o664, ["sato"], None),
        # As the group benchd, which has those in it who may use the command.
        (0o664, ["sato", "suzuki"], "0664"),
    ):
        file.chmod(mode)
        monkeypatch.setattr(grp, "getgrgid", lambda gid, m=members: group(gid, m))
        assert changed_by(file, ME) == told
        # Of a secret no group is too much.
        assert opened_by(file, ME) == f"{mode:04o}"


def account(gid: int) -> pwd.struct_passwd:
    return pwd.struct_passwd(("sato", "x", ME.uid, gid, "", "/", "/bin/sh"))


def group(gid: int, members: list[str]) -> grp.struct_group:
    return grp.struct_group(("sato", "x", gid, members))


@pytest.mark.as_root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_root_is_told_what_another_user_may_not(tmp_path: Path) -> None:
    found = pwd.getpwnam("nobody")
    nobody = Owner(name="nobody", uid=found.pw_uid)
    secret, shared = Path("/etc/shadow"), Path("/etc/passwd")
    assert closed_to("-r", [secret, shared], nobody) == [secret]
    (tmp_path / "closed").mkdir(mode=0o700)
    assert tmp_path / "closed" in (closed_to("-x", [tmp_path / "closed"], nobody) or [])
