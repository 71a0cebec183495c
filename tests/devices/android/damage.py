"""Damage as answers take it on their way, and each parser that it is tried on.

Nothing here makes one valid answer into another: a digit never becomes a digit, and lists that
have no count and no end aren't shortened by whole lines, since nobody could see it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from handset_fakes import answer, answers_seen, line, names
from handset_fill_rig import (
    CAPACITY,
    CHECK,
    CHECK_DONE,
    DROP_DONE,
    FILL_DONE,
    MIB,
    ORDER,
    STARTED,
    progress,
)

from benchd.devices.android.facts.account_types import sort_accounts
from benchd.devices.android.facts.accounts import read_account_types
from benchd.devices.android.facts.capability import (
    FELICA_DIRECTORIES,
    felica_capable,
    read_felica_directories,
)
from benchd.devices.android.facts.hardware import (
    has_removable_media,
    has_sim,
    read_battery,
    read_features,
    read_nfc,
)
from benchd.devices.android.facts.modification import modification_signs
from benchd.devices.android.facts.owner import read_file_count, read_row_count
from benchd.devices.android.facts.packages import count_packages, read_packages, read_preinstalled
from benchd.devices.android.facts.policy import has_device_owner, read_lock_admins
from benchd.devices.android.facts.properties import read_properties
from benchd.devices.android.facts.protection import ENCRYPTED, crypto_state, has_screen_lock
from benchd.devices.android.facts.single_values import (
    read_android_id,
    read_boot_count,
    read_frp_armed,
    read_imei,
)
from benchd.devices.android.facts.statfs import read_statfs
from benchd.devices.android.facts.storage_answers import read_mounts, read_storage
from benchd.devices.android.facts.superuser import SUPERUSER_PATHS, read_superuser_paths
from benchd.devices.android.facts.users import read_user_ids
from benchd.devices.android.fill.fill_messages import (
    read_check_done,
    read_drop_done,
    read_error,
    read_fill_done,
    read_line,
    read_progress,
    read_started,
)
from benchd.devices.android.fill.full_storage import takes_no_more
from benchd.devices.android.fill.leftover_files import fill_names
from benchd.devices.android.fill.processors import listed_abis, read_abis
from benchd.devices.android.fill.sample_blocks import SampleBlocks
from benchd.devices.android.fill.shown_reads import shown
from benchd.devices.android.shell.commands import Completed
from benchd.devices.android.shell.packets import Exit, Output, PacketReader
from benchd.domain.errors import StorageFault, UnsupportedHandset

Damage = Callable[[str, random.Random], str]

_RUINED: Final = "\x00\x07\x1b\x7f\ufffd?!#~ \t\u2028\u3000é縁"
"""What a character becomes: nothing that an answer could have meant."""
_NOISE: Final = ("\n", "\r\n", "\x00" * 8, "WARNING: linker: x\n", "null", "[", "]", "}")
_LONGEST: Final = 40
_VALUE: Final = re.compile(r"(?<=\]: \[)[^\]\n]+")


def cut(text: str, draw: random.Random) -> str:
    """The rest never came."""
    return text[: _place(text, draw)]


def cut_the_last_line(text: str, draw: random.Random) -> str:
    """The same, in the last line of a list, and in a script's answer never between two."""
    start = text.rstrip("\n").rfind("\n") + 1
    return text[: draw.randrange(start + 1, len(text))] if start + 1 < len(text) else text


def drop_lines(text: str, draw: random.Random) -> str:
    """Some lines in a row are missing."""
    lines = text.splitlines(keepends=True)
    start = draw.randrange(len(lines))
    return "".join(lines[:start] + lines[start + draw.randint(1, 3) :])


def ruin(text: str, draw: random.Random) -> str:
    """Some characters are no longer what they were."""
    characters = list(text)
    for _ in range(draw.randint(1, 2)):
        characters[_place(text, draw)] = draw.choice(_RUINED)
    return "".join(characters)


def ruin_a_value(text: str, draw: random.Random) -> str:
    """The same within a property's value; its name would be another property's."""
    found = draw.choice(list(_VALUE.finditer(text)))
    value = draw.choice((ruin, insert))(found[0], draw)
    return text[: found.start()] + value + text[found.end() :]


def lose(text: str, draw: random.Random) -> str:
    """A few characters within a line are missing, but no digit: a number would stay one."""
    start = _place(text, draw)
    end = min(start + draw.randint(1, _LONGEST), len(text))
    gone = text[start:end]
    whole = (start == 0 or text[start - 1] == "\n") and text[end : end + 1] in ("", "\n")
    kept = whole or "\n" in gone or re.search(r"[0-9]", gone) is not None
    return text if kept else text[:start] + text[end:]


def double(text: str, draw: random.Random) -> str:
    """A line has come twice."""
    lines = text.splitlines(keepends=True)
    start = draw.randrange(len(lines))
    return "".join(lines[: start + 1] + lines[start:])


def insert(text: str, draw: random.Random) -> str:
    """Something else has got between."""
    start = _place(text, draw)
    return text[:start] + draw.choice(_NOISE) + text[start:]


def as_in_dos(text: str, draw: random.Random) -> str:
    """Lines end with CR LF, all of them or some."""
    ends = ("\r\n",) if draw.random() < 0.5 else ("\n", "\r\n")
    lines = text.split("\n")
    return "".join(line + draw.choice(ends) for line in lines[:-1]) + lines[-1]


WITHIN_LINES: Final[tuple[Damage, ...]] = (cut_the_last_line, ruin, lose, double, insert, as_in_dos)
ANY: Final[tuple[Damage, ...]] = (*WITHIN_LINES, cut, drop_lines)


def _place(text: str, draw: random.Random) -> int:
    return draw.randrange(len(text))


UNKNOWN: Final = 1 << 40
"""What can't be read is never clean."""
_END: Final = "looked everywhere\n"
_ROWS: Final = "".join(f"Row: {number} _id={number + 3}\n" for number in range(12))
PROPERTIES: Final = (ruin_a_value, cut_the_last_line, double, as_in_dos)
NUMBER: Final = (ruin, insert, double, as_in_dos)
_MOUNTS: Final = {name: read_mounts(answer(name)) for name in names("mounts")}
_OVERSEAS: Final = read_packages(answer("packages-16-overseas"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One text for one parser."""

    text: str
    dirt: Callable[[str], int]
    """More of it is never cleaner."""
    damages: tuple[Damage, ...] = ANY


def _accounts(name: str) -> Callable[[str], int]:
    users = (0, 10) if "two" in name else (0, 150) if "many" in name else (0,)
    return lambda text: sort_accounts(read_account_types(text, users)).account_count


def _beyond_a_picture(name: str) -> Callable[[str], int]:
    """What a picture of all that lies on the system's partitions leaves over."""
    pictured = set(read_preinstalled(answer(name), {}))
    return lambda text: (
        count_packages(text) - len(pictured.intersection(read_preinstalled(text, {})))
    )


def _used(name: str) -> Callable[[str], int]:
    mounts = _MOUNTS["mounts-16-f2fs" if "pixel" in name else "mounts-7-ext4"]
    return lambda text: read_storage(text, mounts).used_bytes


def _no_dirt(read: Callable[[str], object]) -> Callable[[str], int]:
    def dirt(text: str) -> int:
        read(text)
        return 0

    return dirt


def _known(count: int | None) -> int:
    return UNKNOWN if count is None else count


def _of(
    kind: str, dirt: Callable[[str], int], damages: tuple[Damage, ...] = ANY
) -> tuple[Subject, ...]:
    return tuple(Subject(text=answer(name), dirt=dirt, damages=damages) for name in names(kind))


def _seen(
    question: str, dirt: Callable[[str], int], damages: tuple[Damage, ...] = ANY
) -> tuple[Subject, ...]:
    return tuple(
        Subject(text=told[question], dirt=dirt, damages=damages) for told in answers_seen(question)
    )


def _held_by_policy(text: str) -> int:
    return UNKNOWN if has_device_owner(text) else len(read_lock_admins(text))


def _used_beside(mounts: str) -> Callable[[str], int]:
    table = read_mounts(mounts)
    return lambda text: read_storage(text, table).used_bytes


def _accounts_of(whole: str) -> Callable[[str], int]:
    users = [
        int(number) for number in re.findall(r"^User UserInfo\{([0-9]+):", whole, re.MULTILINE)
    ]
    return lambda text: sort_accounts(read_account_types(text, users)).account_count


BLOCKS: Final = SampleBlocks(
    name="fill-000001.dat", first=3, count=2, skipped_bytes=100, size_bytes=5000
)
SAMPLE: Final = "0123456789abcde\n" * 512
_HELD: Final = "page_bytes=4096 pages=2 resident="
SHOWN: Final = f"cache empty {_HELD}0\n{SAMPLE}cache count {_HELD}2\n"


def _never_shown(text: str) -> int:
    """A sample that isn't what lies there is no sample; one from a cache is none either."""
    answer = Completed(exit_code=0, stdout=text.encode(), stderr=b"")
    try:
        return int(shown(answer, BLOCKS) != SAMPLE[100:5100].encode())
    except (StorageFault, UnsupportedHandset):
        return UNKNOWN


def _unproven(text: str) -> int:
    done = read_check_done(read_line(text.encode()), CHECK)
    return CHECK.ordered_bytes - done.bytes_proven + done.bytes_bad


def _unwritten(text: str) -> int:
    started = read_started(read_line(_said(line("started", **STARTED)).encode()))
    return CAPACITY - read_fill_done(read_line(text.encode()), started, ORDER).bytes_written


def _not_done(text: str) -> int:
    return CAPACITY - read_progress(read_line(text.encode()), CAPACITY).bytes_done


def _abis(text: str) -> object:
    try:
        return read_abis(text)
    except UnsupportedHandset:
        return ()


def _not_ended(text: str) -> int:
    """A command without its exit packet has not ended; what it has written is no answer yet."""
    told = PacketReader().feed(text.encode("utf-8", "replace"))
    return 0 if any(isinstance(event, Exit) for event in told) else 1


def _said(output: Output) -> str:
    return output.data.decode()


def _of_program(
    name: str, read: Callable[[str], int], fields: Mapping[str, object]
) -> tuple[Subject, ...]:
    return (Subject(text=_said(line(name, **fields)), dirt=read),)


SUBJECTS: Final[dict[str, tuple[Subject, ...]]] = {
    "account": tuple(Subject(text=answer(name), dirt=_accounts(name)) for name in names("account")),
    "users": _of("users", lambda text: len(read_user_ids(text)), WITHIN_LINES),
    "packages": _of("packages", count_packages, WITHIN_LINES),
    "preinstalled": tuple(
        Subject(text=answer(name), dirt=_beyond_a_picture(name), damages=WITHIN_LINES)
        for name in names("packages")
    ),
    "features": _of("features", lambda text: len(read_features(text)), WITHIN_LINES),
    "no chip": _of(
        "features",
        lambda text: felica_capable(read_features(text), _OVERSEAS, ()) is not False,
        (ruin, double, as_in_dos),
    ),
    "battery": _of("battery", _no_dirt(read_battery)),
    "policy": tuple(
        Subject(
            text=answer(name),
            dirt=has_device_owner,
            # Older releases don't tell whether an organisation owns it.
            damages=(cut, ruin, insert, double, as_in_dos) if "profile" in name else ANY,
        )
        for name in names("policy")
    ),
    # Part of a package's name is another package's.
    "policy that was seen": _seen(
        "policy", _held_by_policy, (cut, drop_lines, ruin, double, as_in_dos)
    ),
    "trust": _of("trust", lambda text: has_screen_lock(text) is True),
    "trust that was seen": _seen("trust", lambda text: has_screen_lock(text) is True),
    "df": tuple(Subject(text=answer(name), dirt=_used(name)) for name in names("df")),
    "df that was seen": tuple(
        Subject(text=told["usage"], dirt=_used_beside(told["mounts"]))
        for told in answers_seen("usage")
    ),
    "battery that was seen": _seen("battery", _no_dirt(read_battery)),
    "users that were seen": _seen("users", lambda text: len(read_user_ids(text)), WITHIN_LINES),
    "accounts that were seen": tuple(
        Subject(text=told["accounts"], dirt=_accounts_of(told["accounts"]))
        for told in answers_seen("accounts")
    ),
    "volumes that were seen": _seen(
        "volumes", lambda text: has_removable_media(text, ""), WITHIN_LINES
    ),
    "nfc that was seen": _seen("nfc", _no_dirt(lambda text: read_nfc("null", text))),
    "statfs": _of("statfs", _no_dirt(read_statfs)),
    "mounts": _of("mounts", _no_dirt(read_mounts)),
    "volumes": _of("volumes", lambda text: has_removable_media(text, ""), WITHIN_LINES),
    "disks": (
        Subject(
            text="disk:179,64\ndisk:8,0\n",
            dirt=lambda text: has_removable_media("private mounted null\n", text),
            damages=WITHIN_LINES,
        ),
    ),
    "signs": _of(
        "getprop", lambda text: bool(modification_signs(read_properties(text), ())), PROPERTIES
    ),
    "encryption": _of(
        "getprop", lambda text: crypto_state(read_properties(text), "") != ENCRYPTED, PROPERTIES
    ),
    "sim": (
        Subject(
            text="[gsm.sim.state]: [READY,ABSENT]\n[ro.serialno]: [x]\n",
            dirt=lambda text: has_sim(read_properties(text)) is not False,
            damages=PROPERTIES,
        ),
    ),
    "superuser": (
        Subject(
            text=f"{SUPERUSER_PATHS[1]}\n{SUPERUSER_PATHS[3]}\n{_END}",
            dirt=lambda text: len(read_superuser_paths(text)),
            damages=WITHIN_LINES,
        ),
    ),
    "felica": (
        Subject(
            text=f"{FELICA_DIRECTORIES[0]}\n{_END}",
            dirt=lambda text: len(read_felica_directories(text)),
            damages=WITHIN_LINES,
        ),
    ),
    "imei": _of("imei", _no_dirt(read_imei)),
    "nfc": _of("nfc", _no_dirt(lambda text: read_nfc("1", text))),
    "files": (
        Subject(
            text="/whole\n38\n", dirt=lambda text: _known(read_file_count(text)), damages=NUMBER
        ),
    ),
    "rows": (
        Subject(text=_ROWS, dirt=lambda text: _known(read_row_count(text)), damages=WITHIN_LINES),
    ),
    "boot count": (
        Subject(text="214\n", dirt=lambda text: _known(read_boot_count(text)), damages=NUMBER),
    ),
    "frp": (Subject(text="1\n", dirt=lambda text: bool(read_frp_armed(text))),),
    "android_id": (Subject(text="51b6be48bac8c569\n", dirt=_no_dirt(read_android_id)),),
    "fill program: started": _of_program(
        "started", _no_dirt(lambda text: read_started(read_line(text.encode()))), STARTED
    ),
    "fill program: progress": (Subject(text=_said(progress(MIB)), dirt=_not_done),),
    "fill program: fill done": _of_program("done", _unwritten, FILL_DONE),
    "fill program: check done": _of_program("done", _unproven, CHECK_DONE),
    "fill program: drop done": _of_program(
        "done", _no_dirt(lambda text: read_drop_done(read_line(text.encode()))), DROP_DONE
    ),
    "fill program: error": _of_program(
        "error",
        _no_dirt(lambda text: read_error(read_line(text.encode()))),
        {"code": "busy", "message": "another one"},
    ),
    "shown reads": (Subject(text=SHOWN, dirt=_never_shown),),
    "leftovers": (
        Subject(
            text="fill-000000.dat\nfill-000001.dat\nphoto.jpg\ntail-000002.short\n",
            dirt=_no_dirt(lambda text: fill_names(text.encode())),
        ),
    ),
    "abis": (Subject(text="arm64-v8a\narmeabi-v7a,armeabi\n\n", dirt=_no_dirt(_abis)),),
    "listed abis": _of("getprop", _no_dirt(listed_abis)),
    "complaint": (
        Subject(
            text="dd: /data/local/tmp/benchd/fill-000001.dat: write error: Input/output error\n",
            dirt=lambda text: not takes_no_more(text.encode()),
        ),
    ),
    "packets": (
        Subject(
            text="\x01\x06\x00\x00\x00answer\x02\x03\x00\x00\x00err\x01\x02\x00\x00\x00ok",
            dirt=_not_ended,
        ),
    ),
}
