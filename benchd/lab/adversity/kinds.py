"""The kinds of everything that a schedule is made of: handsets, lies, blows, what goes wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Owner(StrEnum):
    """In which state a handset came from its last owner."""

    RESET = "reset"
    """Reset, as most do: nothing lives, all of it is still in the flash."""
    PHOTOS = "photos"
    """A few photos and no account, no app: little more in use than on a fresh one."""
    APPS = "apps"
    """Apps and many files, the accounts removed."""
    LOCKED = "locked"
    """With an account, a screen lock and a few files."""
    QUIET = "quiet"
    """With nothing that tells of an owner but what a fresh picture could excuse."""


class ChipState(StrEnum):
    """What its FeliCa chip is."""

    ABSENT = "absent"
    UNUSED = "unused"
    IN_USE = "in_use"


class Radio(StrEnum):
    """What becomes of its chip when its NFC is switched over adb."""

    SILENCES = "silences"
    """The chip falls silent with it."""
    APART = "apart"
    """The chip is one of its own, and answers all the same."""
    REFUSES = "refuses"
    """The system leaves NFC as it is."""


class Picture(StrEnum):
    """What fresh picture lies in the rack's folder, and what it would excuse."""

    NONE = "none"
    TRUE = "true"
    """Of this model and build, whose system makes an account and brings an app along."""
    ALTERED = "altered"
    """Signed by the rack, and changed afterwards: its digest is another."""
    UNSIGNED = "unsigned"
    FOREIGN = "foreign"
    """Signed by another rack."""
    OTHER_MODEL = "other_model"
    OLDER_BUILD = "older_build"
    """Taken before the model's last update."""
    PERSON = "person"
    """It excuses accounts that people sign in to."""
    DATA_PACKAGE = "data_package"
    """It excuses an app below /data."""


class Lie(StrEnum):
    """The one thing in which a handset, or what lies at it, doesn't tell the truth."""

    NOTHING = "nothing"
    PROGRAM = "program"
    """The fill program writes nothing, and says of all that it is proven."""
    FLASH = "flash"
    """Half of what is written is lost; whoever reads past the cache sees it."""
    DD = "dd"
    """`dd` gives zeros."""
    DF = "df"
    """`df` says that no more is in use than on a fresh handset."""
    ANDROID_ID = "android_id"
    """It says that it was reset and draws a new id, and all stays as it was."""
    IMEI = "imei"
    """adb is told another IMEI than the handset's own screen shows."""
    PROVIDER = "provider"
    """The clear provider claims to be done and has done nothing."""
    DONOR = "donor"
    """A clean chip lies on the reader, under this handset and under another."""
    CARD = "card"
    """A clean chip of nobody's lies on the reader, above the handset's own unused one."""
    BASELINE = "baseline"
    """Its chip is in use, and it's compared with a picture that nobody has taken of a chip."""
    SHORT_FILL = "short_fill"
    """The fill stops long before the storage is full, and says that it is."""


class Kind(StrEnum):
    """A blow."""

    PULL = "pull"
    """Out, and the same handset in again."""
    SWAP = "swap"
    """Out, and another in: the visitor, or after it the handset that was there at first."""
    UNTOLD_SWAP = "untold_swap"
    """The same, told by the port as a new enumeration without a departure."""
    EXCHANGE = "exchange"
    """The handsets of two slots change places."""
    FLAP = "flap"
    """It changes its mode twice."""
    TRANSIENT = "transient"
    GONE = "gone"
    """The transport breaks, and the port tells nothing."""
    HANG = "hang"
    SERVER_DEATH = "server_death"
    LEDGER_SLOW = "ledger_slow"
    LEDGER_FAULT = "ledger_fault"
    """The disk fails: the daemon ends, and is started again."""
    CRASH = "crash"
    CRASH_SWAP = "crash_swap"
    """The handset is changed while no daemon looks."""
    STOP = "stop"
    RELOAD = "reload"
    DRAIN = "drain"
    WRONG_ANSWER = "wrong_answer"
    RACING_ANSWERS = "racing_answers"
    SAME_PERSON = "same_person"
    NO_RESET = "no_reset"
    """Asked for the final reset, somebody switches debugging off and restarts the handset."""
    CLOCK_JUMP = "clock_jump"
    READER_GONE = "reader_gone"
    REWRITTEN_END = "rewritten_end"
    """Somebody makes the end of a job that wasn't sold into one that was, in the ledger's file."""
    REWRITTEN_JOB = "rewritten_job"
    """The same with what a running job has seen of its handset."""
    ROLLBACK = "rollback"
    """An older ledger is put back, with its older head."""
    CHIP_EXCHANGED = "chip_exchanged"
    """Another chip, a clean one, lies on the reader for a while after the check."""
    RELOAD_LAX = "reload_lax"
    """A reload to recipes that ask for nothing."""
    WRONG_SCAN = "wrong_scan"
    """Who is asked for a number scans another one: a `Scan`, at the next question or reading."""
    WRONG_LABEL = "wrong_label"
    """Who scans labels has that of another asset in hand."""
    APPEARS = "appears"
    """Something that forbids a sale comes into the handset in the middle of its job: a `Thing`."""


class Scan(StrEnum):
    """What is scanned instead of all numbers that the handset's own screen shows."""

    NEIGHBOUR = "neighbour"
    """The number of the handset beside it; of one that is alone, that of its visitor."""
    VISITOR = "visitor"
    OTHER_CODE = "other_code"
    """The second bar code of its own alone."""
    PLAIN_LABEL = "plain_label"
    """A bar code that is no IMEI at all."""


class Thing(StrEnum):
    """What may come into a handset after it was looked at."""

    ACCOUNT = "account"
    CARD = "card"
    USER = "user"
    MANAGER = "manager"
    OPEN_BOOT = "open_boot"
    SIM = "sim"


class Numbers(StrEnum):
    """Which of a handset's numbers its system tells adb."""

    NONE = "none"
    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


class Doom(StrEnum):
    """What sends a handset to be destroyed that no job has sent there."""

    SETTLED = "settled"
    """Somebody settles what was held so."""
    DEAD_ASSET = "dead_asset"
    """Its line of the lot is entered as one that can't be plugged in."""


class Lot(StrEnum):
    """What papers a handset comes with that comes again."""

    SAME = "same"
    NEW = "new"
    """It was sold and has come in with another lot."""
    LATE = "late"
    """The same, and that lot isn't imported yet."""


MENDS_ITSELF: Final = frozenset(Kind) - {
    Kind.SWAP,
    Kind.UNTOLD_SWAP,
    Kind.EXCHANGE,
    Kind.CRASH_SWAP,
    Kind.WRONG_ANSWER,
    Kind.RACING_ANSWERS,
    Kind.NO_RESET,
    Kind.RELOAD_LAX,
    Kind.APPEARS,
}
"""After these an honest handset has to end sellable, if need be once it is put in again."""
OF_THE_RACK: Final = frozenset(
    {
        Kind.EXCHANGE,
        Kind.SERVER_DEATH,
        Kind.LEDGER_SLOW,
        Kind.LEDGER_FAULT,
        Kind.CRASH,
        Kind.CRASH_SWAP,
        Kind.STOP,
        Kind.RELOAD,
        Kind.DRAIN,
        Kind.CLOCK_JUMP,
        Kind.REWRITTEN_END,
        Kind.REWRITTEN_JOB,
        Kind.ROLLBACK,
        Kind.RELOAD_LAX,
    }
)
"""They may change what becomes of other slots too."""
OF_THE_FILE: Final = frozenset({Kind.REWRITTEN_END, Kind.REWRITTEN_JOB, Kind.ROLLBACK})
"""By a hand at the ledger's file; a person mends it once it is noticed."""
ERRS: Final = frozenset({Kind.WRONG_SCAN, Kind.WRONG_LABEL, Kind.APPEARS})
"""What people and papers do wrong who mean well."""
ADDED: Final = OF_THE_FILE | ERRS | {Kind.CHIP_EXCHANGED, Kind.RELOAD_LAX}
"""Drawn apart from all others."""
OF_ALL_SLOTS: Final = frozenset({Kind.EXCHANGE, Kind.RELOAD_LAX})
"""No slot's own handset can be counted on after these."""
REFUSED: Final = frozenset({Picture.PERSON, Picture.DATA_PACKAGE})
"""Pictures that no configuration is taken over with: where one lies all the same, all is held."""
