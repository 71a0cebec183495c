"""What the commands print for people: the rack, the jobs and one job's story."""

from __future__ import annotations

from benchd.commands.tables.show import (
    show_chips,
    show_disposal,
    show_found,
    show_handset_file,
    show_job,
    show_jobs,
    show_question,
    show_queue,
    show_report,
    show_status,
    show_trace,
)
from benchd.commands.tables.watch import watch_status

__all__ = [
    "show_chips",
    "show_disposal",
    "show_found",
    "show_handset_file",
    "show_job",
    "show_jobs",
    "show_question",
    "show_queue",
    "show_report",
    "show_status",
    "show_trace",
    "watch_status",
]
