"""What the commands say: sections of the catalogue that no page shows."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class SayWord(StrEnum):
    """Sentences of the commands, with what they are about filled in."""

    NOT_RUNNING = "not_running"
    START_IT = "start_it"
    NOT_YOUR_SOCKET = "not_your_socket"
    JOIN_GROUP = "join_group"
    STOPPED_ANSWERING = "stopped_answering"
    SEE_SERVICE = "see_service"
    SEE_SERVICE_AND_JOB = "see_service_and_job"
    NOT_BENCHD = "not_benchd"
    NO_REASON_GIVEN = "no_reason_given"
    NOTHING_CALLED = "nothing_called"
    SLOT_WITHOUT_JOB = "slot_without_job"
    NO_SUCH_JOB = "no_such_job"
    SEVERAL_HANDSETS = "several_handsets"
    NO_OPEN_QUESTION = "no_open_question"
    YES_OR_NO = "yes_or_no"
    YES_OR_NO_FIRST = "yes_or_no_first"
    NOTE_ASKED = "note_asked"
    SIGN_ASKED = "sign_asked"
    NUMBER_ASKED = "number_asked"
    YOUR_ID = "your_id"
    SAY_WHO = "say_who"
    BADGE = "badge"
    ANSWERED = "answered"
    DRAINING = "draining"
    STILL_RUNNING = "still_running"
    ENDED = "ended"
    FILE_THERE = "file_there"
    NO_FILE = "no_file"
    FILE_TROUBLE = "file_trouble"
    NEXT = "next"
    NOTHING_TO_DO = "nothing_to_do"
    RESTARTING = "restarting"
    LEAVE_IT_IN = "leave_it_in"
    MENDS_ITSELF = "mends_itself"
    LEFT = "left"
    FOR = "for"
    MORE_TO_DO = "more_to_do"
    MORE_SLOTS = "more_slots"
    WAITING_FOR_DAEMON = "waiting_for_daemon"
    USAGE = "usage"
    ABORTED = "aborted"
    DETAIL = "detail"


class Failure(StrEnum):
    """What to tell of an error that has no words of its own, by the name of its class."""

    BENCHD_ERROR = "benchd_error"
    USAGE_REFUSED = "usage_refused"
    CONFIG_INVALID = "config_invalid"
    DEPENDENCY_MISSING = "dependency_missing"
    LEDGER_FAULT = "ledger_fault"
    LEDGER_BROKEN = "ledger_broken"
    DECISION_REFUSED = "decision_refused"
    NOT_SIGNED_IN = "not_signed_in"
    NOT_FOUND = "not_found"
    DOSSIER_INVALID = "dossier_invalid"
    CERTIFICATE_INVALID = "certificate_invalid"
    HANDSET_FAULT = "handset_fault"


COMMAND_SECTIONS: Final = {"say": SayWord, "failure": Failure}
SAY_FACTS: Final = frozenset(
    {"path", "name", "slot", "jobs", "job", "detail", "value", "gate", "answer", "count"}
)
"""Placeholders that the sentences of `say` may have."""
LONGEST_SAID: Final = 1000
"""Of one value in a sentence: paths aren't cut, nor a list of jobs."""
