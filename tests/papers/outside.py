"""Programs of others that read what benchd has written: poppler, qpdf, zbar."""

import subprocess
from pathlib import Path


def read_by(*command: str | Path) -> str:
    """What a program says; fails the test when the program fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, timeout=50
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def text_of(pdf: Path) -> str:
    """The text of a PDF, as a search or a screen reader finds it."""
    return read_by("pdftotext", "-layout", pdf, "-")


def check_structure(pdf: Path) -> None:
    """Fails where qpdf finds anything to complain of."""
    assert "No syntax or stream encoding errors found" in read_by("qpdf", "--check", pdf)


def scanned(picture: Path) -> list[str]:
    """What a reader of codes reads in a picture."""
    return read_by("zbarimg", "--quiet", "--raw", picture).splitlines()
