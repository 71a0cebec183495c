"""`benchd handset record`: what it asks for, and what it refuses before it asks anybody."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from benchd.cli.handset_commands import handset_app


def said(*arguments: str) -> tuple[int, str]:
    finished = CliRunner().invoke(handset_app, arguments)
    return finished.exit_code, finished.output


def test_either_a_slot_or_an_address_is_named(tmp_path: Path) -> None:
    folder = str(tmp_path / "dossier")
    for arguments in ((), ("--slot", "A1", "--address", "usb:1-4")):
        code, output = said("record", folder, *arguments)
        assert code == 2
        assert "either the slot or the address" in output
    assert not Path(folder).exists()


def test_a_dossier_is_read_and_its_refusals_are_told(tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("Users:\n\tUserInfo{0:Owner:c13} running\n")
    code, output = said("read", str(tmp_path))
    assert (code, "user_ids\t0" in output) == (0, True)
    (tmp_path / "trust.txt").write_text("Trust service, version 2\n")
    code, output = said("read", str(tmp_path))
    assert (code, "not understood: trust" in output) == (1, True)
