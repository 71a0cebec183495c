"""What `benchd doctor` says: what it looks at, how that is, and what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """How something is. What couldn't be looked at is never `ok`."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    NOT_CHECKED = "not_checked"


class Check(StrEnum):
    """What is looked at."""

    CONFIGURATION = "configuration"
    DAEMON = "daemon"
    UNITS = "units"
    STATE_FOLDER = "state_folder"
    CERTIFICATE_FOLDER = "certificate_folder"
    SPACE = "space"
    FLUSH = "flush"
    LEDGER = "ledger"
    KEY = "key"
    KEY_AGE = "key_age"
    CLOCK = "clock"
    ADB = "adb"
    UDEV_RULES = "udev_rules"
    READERS = "readers"
    PORTS = "ports"
    PROMETHEUS = "prometheus"
    FONTS = "fonts"


class DoctorWord(StrEnum):
    """What was found, with what it is about filled in."""

    NEEDS_CONFIGURATION = "needs_configuration"
    NEEDS_DAEMON = "needs_daemon"
    NOT_TO_BE_SEEN = "not_to_be_seen"
    CONFIG_VALID = "config_valid"
    CONFIG_MISTAKES = "config_mistakes"
    CONFIG_MISSING = "config_missing"
    DAEMON_ANSWERS = "daemon_answers"
    DAEMON_SILENT = "daemon_silent"
    UNIT_ACTIVE = "unit_active"
    UNIT_INACTIVE = "unit_inactive"
    UNIT_FAILED = "unit_failed"
    UNIT_MISSING = "unit_missing"
    UNIT_NOT_ENABLED = "unit_not_enabled"
    NO_SYSTEMD = "no_systemd"
    FOLDER_PRIVATE = "folder_private"
    FOLDER_OPEN = "folder_open"
    FOLDER_OF_ANOTHER = "folder_of_another"
    FOLDER_MISSING = "folder_missing"
    SPACE_FREE = "space_free"
    READ_ONLY = "read_only"
    FLUSH_REACHES = "flush_reaches"
    FLUSH_OFF = "flush_off"
    FLUSH_MEMORY = "flush_memory"
    FLUSH_ELSEWHERE = "flush_elsewhere"
    FLUSH_UNDERNEATH = "flush_underneath"
    FLUSH_UNKNOWN = "flush_unknown"
    LEDGER_SERVES = "ledger_serves"
    LEDGER_HOLDS_NOT = "ledger_holds_not"
    LEDGER_SIGNED = "ledger_signed"
    LEDGER_DAMAGED = "ledger_damaged"
    LEDGER_NOT_WHOLE = "ledger_not_whole"
    LEDGER_NOT_YET = "ledger_not_yet"
    KEY_PRIVATE = "key_private"
    KEY_OPEN = "key_open"
    KEY_MISSING = "key_missing"
    KEY_UNUSABLE = "key_unusable"
    KEY_DAYS = "key_days"
    KEY_AGE_UNKNOWN = "key_age_unknown"
    CLOCK_KEPT = "clock_kept"
    CLOCK_FREE = "clock_free"
    CLOCK_UNKNOWN = "clock_unknown"
    ADB_ANSWERS = "adb_answers"
    ADB_SILENT = "adb_silent"
    ADB_IDLE = "adb_idle"
    RULES_THERE = "rules_there"
    RULES_MISSING = "rules_missing"
    NO_READERS = "no_readers"
    READERS_UP = "readers_up"
    READERS_DOWN = "readers_down"
    READERS_UNTOLD = "readers_untold"
    PORT_LOOPBACK = "port_loopback"
    PORT_OPEN_TLS = "port_open_tls"
    PORT_OPEN = "port_open"
    PORT_UNUSED = "port_unused"
    ALERTS_LOADED = "alerts_loaded"
    ALERTS_NOT_LOADED = "alerts_not_loaded"
    NO_PROMETHEUS = "no_prometheus"
    FONTS_THERE = "fonts_there"
    FONTS_MISSING = "fonts_missing"


class Cure(StrEnum):
    """What to do about it."""

    CHECK_CONFIG = "check_config"
    NAME_THE_FILE = "name_the_file"
    AS_ROOT = "as_root"
    START_BENCHD = "start_benchd"
    START_UNIT = "start_unit"
    LOOK_AT_UNIT = "look_at_unit"
    ENABLE_UNIT = "enable_unit"
    INSTALL_AGAIN = "install_again"
    CLOSE_FOLDER = "close_folder"
    GIVE_FOLDER = "give_folder"
    MADE_AT_START = "made_at_start"
    MAKE_ROOM = "make_room"
    LOOK_AT_DISK = "look_at_disk"
    MOUNT_OTHERWISE = "mount_otherwise"
    MOVE_TO_DISK = "move_to_disk"
    VERIFY_LEDGER = "verify_ledger"
    CLOSE_KEY = "close_key"
    MAKE_KEY = "make_key"
    KEY_AS_SAID = "key_as_said"
    ROTATE_KEY = "rotate_key"
    SET_CLOCK = "set_clock"
    RESTART_ADB = "restart_adb"
    LOOK_AT_READERS = "look_at_readers"
    LISTEN_ON_LOOPBACK = "listen_on_loopback"
    LOAD_ALERTS = "load_alerts"


DOCTOR_FACTS: Final = frozenset({"path", "name", "detail", "value", "count"})
"""Placeholders that these texts may have."""
DOCTOR_SECTIONS: Final = {
    "verdict": Verdict,
    "check": Check,
    "doctor": DoctorWord,
    "cure": Cure,
}
