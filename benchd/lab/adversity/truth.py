"""What a handset really is: what lies in its flash, its chip, whose it was. It never lies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from benchd.domain.handset import Package
from benchd.lab.adversity.kinds import ChipState, Lie, Owner, Radio, Thing
from benchd.lab.adversity.schedule import HandsetPlan

GIB: Final = 1 << 30
EXTENTS: Final = 64
"""The user storage in pieces of one GiB, each of which holds one thing."""
SYSTEM_EXTENTS: Final = range(3)
"""What the system itself occupies, freshly reset too."""
RESERVED_EXTENTS: Final = range(3, 4)
"""What the file system keeps back: the certificate says that nobody reaches it."""
REACHABLE: Final = range(4, EXTENTS)
CAPACITY_BYTES: Final = EXTENTS * GIB

OWNER: Final = "owner"
SYSTEM: Final = "system"
FILES_IN_EXTENT: Final = 200
FEW_EXTENTS: Final = 2
MANY_EXTENTS: Final = 20
OLD_BOOT_COUNT: Final = 214
FILLER: Final = "0123456789ABCDEF"
"""A serial that many handsets have."""
SIGNS: Final = ("ro.build.keys=test-keys", "ro.boot.verifiedbootstate=orange")
"""The first of them is what stock systems of some makers say too."""
HOSTILE_WORDS: Final = ' <b>"); DROP\u202e\u0000\ud800 ${x} 携帯' + "A" * 40


@dataclass(slots=True, kw_only=True)
class Chip:
    """A FeliCa chip."""

    number: str
    in_use: bool


@dataclass(slots=True, kw_only=True)
class HeldFile:
    """A fill file, where it lies and which stretch of the keystream it is to hold."""

    extent: int
    stream_offset: int


@dataclass(slots=True, kw_only=True)
class Truth:
    """One handset."""

    name: str
    lies_in: str | None = None
    """The slot that it lies in: it can't be in two."""
    serial: str
    imei: str
    model: str
    boards: int = 0
    """How often its board was replaced."""
    rewritten: int = 0
    """How often another IMEI was written into it."""
    android_id: str
    tells_imei: bool
    lie: Lie
    chip: Chip | None
    contents: list[str]
    live: set[int] = field(default_factory=set[int])
    """Extents in which files of an owner live: no fill can reach those."""
    files: dict[str, HeldFile] = field(default_factory=dict[str, HeldFile])
    files_key: str = ""
    """The digest of the key that these files were made with."""
    quiet: bool = False
    """Whether what an owner has left lies where nobody counts files."""
    makes_account: bool = False
    """Whether its maker's system makes an account by itself, after each reset too."""
    brings: tuple[Package, ...] = ()
    """Apps that come with its system, and count as installed ones after each reset too."""
    maker_accounts: int = 0
    packages: tuple[Package, ...] = ()
    accounts: int = 0
    apps: int = 0
    boot_count: int = 1
    adb_on: bool = True
    welcome: bool = True
    """Whether its screen shows what a handset shows that was reset and not touched since."""
    filled_since_reset: bool = False
    radio: Radio = Radio.SILENCES
    nfc_on: bool = True
    second_imei: str | None = None
    tells_second: bool = False
    telephony: bool = True
    sim: bool = False
    card: bool = False
    """Whether a memory card is in it."""
    managed: bool = False
    """Whether an organisation's server takes hold of it again after every reset."""
    users: tuple[int, ...] = (0,)
    bound: bool = False
    """Whether it was reset with an account on it: its protection asks for that one for ever."""
    open_boot: bool = False
    signs: int = 0
    faulty: bool = False
    quota_extents: int = 0
    listed: tuple[str, ...] = ()
    """Its numbers that the dealer's list looks for."""
    restricted: tuple[str, ...] = ()
    """Its numbers whose use a carrier restricts."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """Those that its screen shows."""
        second = (self.second_imei,) if self.second_imei else ()
        return (self.imei, *second) if self.telephony else ()

    def gets(self, thing: Thing) -> None:
        """Something comes into it that forbids a sale."""
        match thing:
            case Thing.ACCOUNT:
                self.accounts += 1
            case Thing.CARD:
                self.card = True
            case Thing.USER:
                self.users = (0, 10)
            case Thing.MANAGER:
                self.managed = True
            case Thing.SIM:
                self.sim = True
            case Thing.OPEN_BOOT:
                self.open_boot = True
        free = self.free_extents()
        if thing in (Thing.ACCOUNT, Thing.USER) and free:
            self.live.add(free[0])
            self.contents[free[0]] = OWNER

    def gets_another_board(self) -> None:
        """Its numbers, its chip and its serial are those of the new one."""
        self.boards += 1
        name = f"{self.name}, board {self.boards}"
        self.imei, self.second_imei = _imei(name), self.second_imei and _imei(f"{name}, second")
        self.serial = f"R5C{digest(name)[:8].upper()}"
        self.chip = self.chip and Chip(number=digest(f"chip of {name}"), in_use=False)

    def gets_another_imei(self) -> None:
        """Somebody writes another one into it; all else stays as it was."""
        self.rewritten += 1
        self.imei = _imei(f"{self.name}, rewritten {self.rewritten}")

    @property
    def audible_chip(self) -> Chip | None:
        """Its chip, where that answers over the air just now."""
        return self.chip if self.nfc_on or self.radio is Radio.APART else None

    def switch_nfc(self, *, on: bool) -> None:
        """Its system is asked to."""
        if self.radio is not Radio.REFUSES:
            self.nfc_on = on

    def reset(self, *, keeps_adb: bool) -> None:
        """What a real reset does: all names are gone, the flash is as it was."""
        self.bound = self.bound or bool(self.accounts)
        self.users = (0,)
        self.live.clear()
        self.files.clear()
        self.accounts = self.apps = 0
        self.quiet, self.packages = False, self.brings
        self.maker_accounts = int(self.makes_account)
        self.boot_count = 1
        self.android_id = digest(f"{self.name}{self.android_id}")[:16]
        self.adb_on = keeps_adb
        # Test Harness Mode skips the first questions; adb after any other reset means the same.
        self.welcome = not keeps_adb
        self.filled_since_reset = False
        self.nfc_on = True

    def restart(self, *, keeps_adb: bool) -> None:
        """What a mere restart does."""
        self.boot_count += 1
        self.adb_on = keeps_adb

    def set_up(self) -> None:
        """Somebody goes through the first questions and switches debugging on."""
        self.adb_on = True
        self.welcome = False

    @property
    def owner_files(self) -> int:
        """How many files an owner has left that still live."""
        return 0 if self.quiet else len(self.live) * FILES_IN_EXTENT

    @property
    def used_extents(self) -> int:
        """How many extents `df` has to count."""
        return len(SYSTEM_EXTENTS) + len(self.live) + len(self.files)

    def free_extents(self) -> list[int]:
        """Those that a fill can reach now."""
        taken = self.live | {file.extent for file in self.files.values()}
        return [extent for extent in REACHABLE if extent not in taken]


def digest(text: str | bytes) -> str:
    """SHA-256 as hex."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def make_truth(plan: HandsetPlan, *, name: str, like: str) -> Truth:
    """The handset of a plan; two with the same `like` are twins, only their IMEIs differ."""
    words = HOSTILE_WORDS if plan.hostile_words else ""
    truth = Truth(
        name=name,
        serial=f"R5C{digest(like)[:8].upper()}",
        imei=_imei(name),
        model=_clean(f"SO-{int(digest(like)[:4], 16) % 100:02d}C{words}"),
        android_id=digest(name)[:16],
        tells_imei=plan.tells_imei,
        lie=plan.lie,
        chip=_chip(plan, name),
        radio=plan.radio,
        adb_on=plan.set_up or plan.owner is not Owner.RESET,
        contents=[SYSTEM if extent in SYSTEM_EXTENTS else OWNER for extent in range(EXTENTS)],
    )
    if plan.dual:
        truth.second_imei, truth.tells_second = _imei(f"{name}, second"), plan.tells_second
    if plan.filler:
        truth.serial = FILLER
    truth.telephony, truth.sim, truth.signs = plan.telephony, plan.sim, plan.signs
    truth.faulty, truth.quota_extents = plan.faulty, plan.quota_extents
    truth.listed = _chosen(truth, plan.listed)
    truth.restricted = _chosen(truth, plan.restricted)
    move_in(truth, plan.owner)
    return truth


def _chosen(truth: Truth, which: int) -> tuple[str, ...]:
    return truth.numbers[which - 1 : which] if which else ()


def move_in(truth: Truth, owner: Owner) -> None:
    """Put on it what an owner has left, and debugging on as the seller was asked to."""
    if owner is Owner.RESET:
        truth.welcome = not truth.adb_on
        return
    truth.boot_count = OLD_BOOT_COUNT
    truth.welcome = False
    extents = MANY_EXTENTS if owner is Owner.APPS else FEW_EXTENTS
    truth.adb_on = True
    truth.live = set(REACHABLE[:extents])
    for extent in truth.live:
        truth.contents[extent] = OWNER
    truth.apps = 31 if owner is Owner.APPS else 0
    truth.accounts = 1 if owner is Owner.LOCKED else 0


def _chip(plan: HandsetPlan, name: str) -> Chip | None:
    if plan.chip is ChipState.ABSENT:
        return None
    return Chip(number=digest(f"chip of {name}"), in_use=plan.chip is ChipState.IN_USE)


def _clean(words: str) -> str:
    """As benchd's own reading of a handset's words leaves them: printable and bounded."""
    return "".join(c if c.isprintable() else "\ufffd" for c in words)[:64]


def _imei(name: str) -> str:
    """A whole number with its check digit (Luhn)."""
    body = f"35{int(digest(name)[:12], 16) % 10**12:012d}"
    doubled = [int(d) * (1 + place % 2) for place, d in enumerate(body)]
    return f"{body}{-sum(d // 10 + d % 10 for d in doubled) % 10}"
