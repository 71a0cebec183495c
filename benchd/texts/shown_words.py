"""The values that only screens know: headings, buttons, refusals, each with a text of its own."""

from __future__ import annotations

from enum import StrEnum


class ErrandWord(StrEnum):
    """What an errand says where neither a problem nor a question does."""

    CABLE_OUT = "cable_out"
    IN_HAND = "in_hand"
    TRAY = "tray"
    SELLABLE = "sellable"
    RETURN = "return"
    HOLD = "hold"
    DESTROY = "destroy"
    UNPROVEN = "unproven"
    HELD_BACK = "held_back"
    """Another system holds back what is proven."""
    HIDDEN = "hidden"
    """To whoever may not read the question."""


class Because(StrEnum):
    """Why an attempt was skipped."""

    ARRIVED_RESET = "arrived_reset"
    CHIP_UNUSED = "chip_unused"
    NO_CHIP = "no_chip"
    RECHECK_DUE = "recheck_due"


class Word(StrEnum):
    """Headings and short answers of tables and pages."""

    SLOT = "slot"
    STATE = "state"
    STAGE = "stage"
    PROGRESS = "progress"
    REMAINING = "remaining"
    HANDSET = "handset"
    ATTENTION = "attention"
    JOB = "job"
    RECIPE = "recipe"
    CRUSH_BY_HAND = "crush_by_hand"
    OPENED = "opened"
    ENDED = "ended"
    DURATION = "duration"
    RESULT = "result"
    DISPOSITION = "disposition"
    REASON = "reason"
    WHAT_TO_DO = "what_to_do"
    DETAIL = "detail"
    QUESTION = "question"
    ANSWER = "answer"
    OPERATOR = "operator"
    NOTE = "note"
    AT = "at"
    YES = "yes"
    NO = "no"
    OPERATOR_NAME = "operator_name"
    CERTIFICATE = "certificate"
    ISSUED = "issued"
    NONE = "none"
    STILL_RUNNING = "still_running"
    NOT_PROVEN = "not_proven"
    PROVEN = "proven"
    NO_JOBS = "no_jobs"
    NO_SLOTS = "no_slots"
    CHIP = "chip"
    SERVICES = "services"
    UNKNOWN_MODEL = "unknown_model"
    NO_LAB = "no_lab"
    DOSSIER = "dossier"
    BECAME = "became"
    COUNT = "count"
    FIGURE = "figure"
    LOT = "lot"
    CONSIGNOR = "consignor"
    NOTHING_FOUND = "nothing_found"
    MORE_FOUND = "more_found"
    NOTHING_OPEN = "nothing_open"
    PERHAPS_SAME = "perhaps_same"
    PAPERS = "papers"
    SINCE = "since"


class LearnWord(StrEnum):
    """What `benchd slots learn` says while somebody goes along the rack."""

    BEGIN = "begin"
    STILL_THERE = "still_there"
    NO_READERS = "no_readers"
    PLUG = "plug"
    PORT_FOUND = "port_found"
    PORT_TAKEN = "port_taken"
    TOO_SOON = "too_soon"
    LAY = "lay"
    READER_FOUND = "reader_found"
    TEST_READER = "test_reader"
    READER_TESTED = "reader_tested"
    READER_EXCHANGED = "reader_exchanged"
    READER_TAKEN = "reader_taken"
    READER_NAMELESS = "reader_nameless"
    SEVERAL_READERS = "several_readers"
    SKIPPED = "skipped"
    NOTHING_NEW = "nothing_new"
    CONFIRM = "confirm"
    WRITTEN = "written"
    NOT_WRITTEN = "not_written"


class EarlierWord(StrEnum):
    """How a handset ended when it was here before."""

    LAST_TIME = "last_time"
    LAST_TIME_SOLD = "last_time_sold"
    DOOMED = "doomed"
    RESTRICTED = "restricted"


class MenuWord(StrEnum):
    """Where most handsets have what a person looks for: said where their own menus aren't known."""

    RESET = "reset"
    DEBUGGING = "debugging"


class ChipTrouble(StrEnum):
    """Why a look at a chip has no verdict."""

    READER_GONE = "reader_gone"
    READER_FAULT = "reader_fault"


class Refusal(StrEnum):
    """Why an answer of a person wasn't taken: the codes of the API."""

    SECOND_PERSON_NEEDED = "second_person_needed"
    LOOK_UP_RESULT_NEEDED = "look_up_result_needed"
    SCREEN_NUMBER_NEEDED = "screen_number_needed"
    SAME_OR_OTHER_NEEDED = "same_or_other_needed"
    REASON_NEEDED = "reason_needed"
    RECHECK_REFUSED = "recheck_refused"
    NAME_REFUSED = "name_refused"
    NOT_SIGNED_IN = "not_signed_in"
    NOT_ALLOWED = "not_allowed"
    MORE_TO_SHOW = "more_to_show"
    TRIED_TOO_OFTEN = "tried_too_often"
    PERSON_REFUSED = "person_refused"
    HANDSET_AT_WORK = "handset_at_work"
    ANSWERED_ALREADY = "answered_already"
    DECISION_REFUSED = "decision_refused"
    SETTLING_REFUSED = "settling_refused"
    LABEL_REFUSED = "label_refused"
    RECORDS_UNAVAILABLE = "records_unavailable"
    NOT_FOUND = "not_found"
    INVALID_REQUEST = "invalid_request"
    BODY_TOO_LARGE = "body_too_large"
    LEDGER_FAULT = "ledger_fault"
    HOST_REFUSED = "host_refused"
    ORIGIN_REFUSED = "origin_refused"
    SIGN_IN_NEEDED = "sign_in_needed"
    SOCKET_ONLY = "socket_only"
    PROXY_HEADER_REFUSED = "proxy_header_refused"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    INTERNAL_ERROR = "internal_error"
    UNREACHABLE = "unreachable"
