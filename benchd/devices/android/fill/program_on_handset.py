"""Where benchd's own programs lie on a handset, and what its shell is told to do with them."""

from __future__ import annotations

import re
from typing import Final

from benchd.devices.android.fill.binaries import Binary
from benchd.devices.android.filler import Program
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised

PROGRAMS: Final = "/data/local/tmp"
"""Where a handset lets its shell run what was pushed."""
PROGRAM_PATH: Final = f"{PROGRAMS}/{Program.FILL}"
CACHE_PATH: Final = f"{PROGRAMS}/{Program.CACHE}"
FILL_DIRECTORY: Final = f"{PROGRAMS}/benchd"

CANNOT_RUN: Final = (126, 127)
"""What a shell ends with where a file may not be executed: noexec, SELinux, another processor."""
_DIES_AT_ONCE: Final = frozenset({132, 134, 135, 139, 159})
"""SIGILL, SIGABRT, SIGBUS, SIGSEGV, SIGSYS: how a program for another processor ends."""

_LOCKS: Final = ("lock", "guard", "probe")
"""What benchd's programs make in the fill directory beside the files of a fill."""
TAKE_BACK: Final = f"""\
cd {PROGRAMS} || exit
rm -f {" ".join(f"{program} {program}.new" for program in Program)} || exit
for file in benchd/* benchd/.*; do
case $file in
{"|".join(f"benchd/{name}" for name in _LOCKS)}|benchd/.|benchd/..|'benchd/*'|'benchd/.*') ;;
*) exit 0 ;;
esac
done
if [ -d benchd ] && [ ! -L benchd ]; then
rm -f {" ".join(f"benchd/{name}" for name in _LOCKS)} && rmdir benchd
fi
"""
"""Removes the programs, and the directory unless something else is in it: files of a fill may be
the proof of another job, and whatever has no name of benchd's isn't benchd's."""

_SIZE: Final = re.compile(r"\s*([0-9]{1,12})\s*")
_DIGEST: Final = re.compile(r"([0-9a-f]{64})\s+-")


def to_write(program: Program) -> str:
    """Take the program from standard input; the new file takes the old one's name in one step.

    Writing over a program that still runs, as it may after an unplug, is refused by the kernel.
    """
    path = f"{PROGRAMS}/{program}"
    new = f"{path}.new"
    return f"rm -rf {new} && cat > {new} && chmod 700 {new} && mv -f {new} {path}"


def to_measure(program: Program) -> str:
    """Tell the size of what lies there, and its SHA-256 where there is a program for that."""
    path = f"{PROGRAMS}/{program}"
    return f"wc -c < {path} && if command -v sha256sum > /dev/null; then sha256sum < {path}; fi"


def is_whole(measured: Answer, binary: Binary, *, just_written: bool) -> bool:
    """Whether this was measured of the binary, byte for byte.

    Before Android 8 there is no sha256sum: the size has to do, but only right after benchd
    itself has written the file.
    """
    if measured.status != 0:
        return False
    size, _, digest = measured.text.partition("\n")
    size_match = _SIZE.fullmatch(size)
    if size_match is None:
        raise AnswerNotRecognised("wc: no size")
    if int(size_match[1]) != binary.size_bytes:
        return False
    if not (digest := digest.strip()):
        return just_written
    digest_match = _DIGEST.fullmatch(digest)
    if digest_match is None:
        raise AnswerNotRecognised("sha256sum: no digest")
    return digest_match[1] == binary.sha256


def to_start(program: Program) -> str:
    """Have the program say its version, and end."""
    return f"exec {PROGRAMS}/{program} version"


def has_run(started: Answer) -> bool:
    """Whether it was this handset's kernel that let it run, and its processor that could."""
    return started.status not in _DIES_AT_ONCE.union(CANNOT_RUN)
