"""What the pages beside the wall say: sections of the catalogue, one for each page."""

from __future__ import annotations

from enum import StrEnum

from benchd.words.disposal import DISPOSAL_MOVES


class NavWord(StrEnum):
    """Where the pages lead."""

    LABEL = "label"
    RACK = "rack"
    BOARD = "board"
    LOTS = "lots"
    DISPOSAL = "disposal"
    REPORT = "report"
    HANDSETS = "handsets"
    LOT = "lot"


class ActWord(StrEnum):
    """What all pages say when somebody does something; some are codes of the API."""

    NEEDED = "needed"
    FILL_IN = "fill_in"
    CHOOSE_FILE = "choose_file"
    SENDING = "sending"
    RECORDED = "recorded"
    SHOW = "show"
    PRINT = "print"
    BEFORE = "before"
    AFTER = "after"
    IMEI = "imei"
    NUMBER = "number"
    UNKNOWN_HANDSET = "unknown_handset"
    UPTO = "upto"
    WAIT = "wait"
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    DECISION_REFUSED = "decision_refused"
    MORE_TO_SHOW = "more_to_show"


class WallWord(StrEnum):
    """The rack on its screen, and what has to be done there next."""

    QUEUE = "queue"
    NOTHING_TO_DO = "nothing_to_do"
    MORE = "more"
    REPLUG = "replug"
    RESTARTING = "restarting"
    DONT_PULL = "dont_pull"
    MENDING = "mending"
    TRAY = "tray"
    TRAY_TO_DO = "tray_to_do"
    STAGE_LEFT = "stage_left"
    HANDSET_LEFT = "handset_left"
    RACK_LEFT = "rack_left"
    MINUTES = "minutes"
    HOURS = "hours"
    DISPLAY = "display"
    THEME = "theme"
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"
    SOUNDS = "sounds"
    QUESTION = "question"
    FINISHED = "finished"
    FAULT = "fault"
    CABLE_OUT = "cable_out"
    FIND = "find"
    KIOSK = "kiosk"


class TileWord(StrEnum):
    """How a slot looks in one short word, for tiles that have no room for two."""

    EMPTY = "empty"
    SETTLING = "settling"
    WAITING = "waiting"
    RUNNING = "running"
    AWAITING_OPERATOR = "awaiting_operator"
    REPLUGGING = "replugging"
    QUARANTINED = "quarantined"
    UNPROVEN = "unproven"
    REPLUG = "replug"
    RESTARTING = "restarting"
    MENDING = "mending"
    TRAY = "tray"
    SELLABLE = "sellable"
    RETURN = "return"
    HOLD = "hold"
    DESTROY = "destroy"


class LotsWord(StrEnum):
    """The pages of lots."""

    TITLE = "title"
    OPEN = "open"
    NEWEST_FIRST = "newest_first"
    NONE = "none"
    ADD = "add"
    LOT = "lot"
    LOT_HINT = "lot_hint"
    KIND = "kind"
    CONSIGNOR = "consignor"
    CONSIGNOR_HINT = "consignor_hint"
    PAPER = "paper"
    IDENTITY = "identity"
    IDENTITY_HINT = "identity_hint"
    ATTESTS = "attests"
    ATTESTS_HINT = "attests_hint"
    LOT_REFUSED = "lot_refused"
    TAKEN_IN = "taken_in"
    ASSETS = "assets"
    IN_JOBS = "in_jobs"
    UNERASABLE = "unerasable"
    NETWORK = "network"
    NETWORK_HINT = "network_hint"
    SOURCE = "source"
    SOURCE_HINT = "source_hint"
    FILE = "file"
    CHECK = "check"
    TAKE_IN = "take_in"
    CLEAN = "clean"
    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    MISTAKES = "mistakes"
    FIRST = "first"
    LINE = "line"
    COLUMN = "column"
    MISTAKE = "mistake"
    IMPORT = "import"
    IMPORT_HINT = "import_hint"
    AGAIN = "again"
    AGAIN_HINT = "again_hint"
    ADD_ONE = "add_one"
    ONE_REFUSED = "one_refused"
    TAG = "tag"
    IMEI = "imei"
    SERIAL = "serial"
    MODEL = "model"
    COLOUR = "colour"
    GRADE = "grade"
    NO_ASSETS = "no_assets"
    NOT_YET = "not_yet"
    DEAD = "dead"
    DEAD_HINT = "dead_hint"
    DEAD_DO = "dead_do"
    DEAD_REFUSED = "dead_refused"
    ATTESTATIONS = "attestations"
    NO_ATTESTATIONS = "no_attestations"
    ATTEST = "attest"
    ATTESTED = "attested"
    ATTEST_DO = "attest_do"
    ATTEST_NOTE_HINT = "attest_note_hint"
    ATTEST_REFUSED = "attest_refused"
    COVERS = "covers"
    WHOLE = "whole"
    WHOLE_BUT = "whole_but"
    SOME = "some"
    EXCEPTED = "excepted"
    EXCEPTED_HINT = "excepted_hint"
    TAGS_HINT = "tags_hint"
    WITHDRAW = "withdraw"
    WITHDRAWN = "withdrawn"
    WITHDRAW_KINDS = "withdraw_kinds"
    WITHDRAW_TAGS = "withdraw_tags"
    WITHDRAW_DO = "withdraw_do"
    ALL_OF_IT = "all_of_it"


class DisposalWord(StrEnum):
    """The page of what becomes of the unsold."""

    TITLE = "title"
    ALL = "all"
    OLDEST_FIRST = "oldest_first"
    CHOOSE = "choose"
    SCAN = "scan"
    SCAN_NONE = "scan_none"
    SCAN_SEVERAL = "scan_several"
    CHOOSE_FIRST = "choose_first"
    CHOSEN = "chosen"
    NO_COMMON = "no_common"
    TO = "to"
    RECYCLER = "recycler"
    NUMBER = "number"
    BATCH = "batch"
    DONE_ON = "done_on"
    DONE_ON_HINT = "done_on_hint"
    LATER_JOB = "later_job"
    CERTIFICATE = "certificate"
    TO_WHOM = "to_whom"
    RELEASE_REASON = "release_reason"
    SETTLE = "settle"
    SHOW_BATCH = "show_batch"
    HANDSETS = "handsets"
    ROW = "row"


class ReportWord(StrEnum):
    """The page of a dealer's figures."""

    TITLE = "title"
    FROM = "from"
    TO = "to"
    ONLY_LOT = "only_lot"
    CSV = "csv"
    VALUE = "value"
    NOTHING = "nothing"
    BACK = "back"
    LOT = "lot"
    CONSIGNOR = "consignor"
    BY_LOT = "by_lot"
    BY_CONSIGNOR = "by_consignor"
    OF_NONE = "of_none"
    SUM_WITH = "sum_with"
    SUM_IN_USE = "sum_in_use"
    SUM_NOT_ERASABLE = "sum_not_erasable"
    SUM_SOLD = "sum_sold"


class FindWord(StrEnum):
    """Where a handset is looked up."""

    TITLE = "title"
    ASK = "ask"
    FIND = "find"
    HINT = "hint"
    FOUND = "found"
    NOT_BY_IMEI = "not_by_imei"
    RUN_AGAIN_AS = "run_again_as"
    SETTLED = "settled"
    CHIP_BEFORE = "chip_before"
    CHIP_AFTER = "chip_after"
    CHIP_NOT_SEEN = "chip_not_seen"
    LABEL = "label"
    PEOPLE = "people"
    SHOWN_BY = "shown_by"
    NO_CERTIFICATE = "no_certificate"


class AnsweringWord(StrEnum):
    """What is said of answers on their way, and of codes that aren't one."""

    UNTIL_SENT = "until_sent"
    TAKE_BACK = "take_back"
    TAKE_BACK_HINT = "take_back_hint"
    SEND_NOW = "send_now"
    TAKEN_BACK = "taken_back"
    DROPPED_LOCKED = "dropped_locked"
    DROPPED_PERSON = "dropped_person"
    DROPPED_LEFT = "dropped_left"
    DROPPED_QUESTION = "dropped_question"
    CODE_FIRST = "code_first"
    NO_QUESTION = "no_question"
    GIVEN_ALREADY = "given_already"
    SIGN_ELSEWHERE = "sign_elsewhere"
    CODE_UNKNOWN = "code_unknown"
    NO_NEXT = "no_next"
    NO_PAPER = "no_paper"
    ON_THE_WALL = "on_the_wall"
    SEARCH = "search"
    SEARCH_HINT = "search_hint"


class HelpWord(StrEnum):
    """What each key does."""

    TITLE = "title"
    ARROWS = "arrows"
    ENTER = "enter"
    YES = "yes"
    NO = "no"
    SIGNS = "signs"
    NOTE = "note"
    ESCAPE = "escape"
    NEXT = "next"
    SEARCH = "search"
    LOCK = "lock"
    HELP = "help"
    SCANNER = "scanner"
    SCANNER_TOLD = "scanner_told"
    CARDS = "cards"


class BoardWord(StrEnum):
    """The shift board."""

    TITLE = "title"
    DAY = "day"
    FROM = "from"
    TO = "to"
    DAY_BEFORE = "day_before"
    DAY_AFTER = "day_after"
    NOTHING = "nothing"
    BACK = "back"
    DONE = "done"
    SHARE_SOLD = "share_sold"
    PER_HOUR = "per_hour"
    FAILED = "failed"
    WENT = "went"
    HOURS = "hours"
    HOUR = "hour"
    FAILED_BY_MODEL = "failed_by_model"
    FAILED_BY_SLOT = "failed_by_slot"
    FAILED_BY_REASON = "failed_by_reason"
    MODEL = "model"
    ENDED = "ended"
    OTHERS = "others"
    SOLD = "sold"
    NOT_SOLD = "not_sold"
    UNKNOWN = "unknown"
    OPEN = "open"
    NONE_OPEN = "none_open"
    QUEUE = "queue"
    NOTHING_TO_DO = "nothing_to_do"
    TO_RACK = "to_rack"
    BINS = "bins"
    OLDEST = "oldest"
    AS_OF = "as_of"
    HANDOVER = "handover"


class HandoverWord(StrEnum):
    """The sheet that a shift leaves to the next."""

    TITLE = "title"
    FROM = "from"
    TO = "to"
    RACK = "rack"
    SERIAL = "serial"
    WAITS_FOR = "waits_for"
    FREE_SLOTS = "free_slots"
    OUT_OF_ORDER = "out_of_order"
    NONE_OUT_OF_ORDER = "none_out_of_order"
    NOTICES = "notices"
    NO_NOTICES = "no_notices"
    DONE = "done"
    REMARKS = "remarks"
    UNKNOWN_RACK = "unknown_rack"


class CardWord(StrEnum):
    """The sheet of answer cards and slot labels."""

    TITLE = "title"
    ANSWERS = "answers"
    HINT = "hint"
    SLOTS = "slots"
    SLOT_HINT = "slot_hint"
    YES = "yes"
    NO = "no"
    CIRCLE = "circle"
    TRIANGLE = "triangle"
    CROSS = "cross"
    DASH = "dash"
    NEXT = "next"
    PRINT = "print"
    CANCEL = "cancel"


PAGE_SECTIONS = {
    "nav": NavWord,
    "act": ActWord,
    "wall": WallWord,
    "tile": TileWord,
    "lots": LotsWord,
    "disposal": DisposalWord,
    "report": ReportWord,
    "find": FindWord,
    "answering": AnsweringWord,
    "help": HelpWord,
    "cards": CardWord,
    "board": BoardWord,
    "handover": HandoverWord,
    "settle_as": frozenset[str]().union(*DISPOSAL_MOVES.values()),
}
"""`settle_as` is what people choose to say of a handset."""
