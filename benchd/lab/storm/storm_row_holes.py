"""The mends of the walls' rows, each with what stands in its place while it's taken out."""

from __future__ import annotations

from typing import Final

from benchd.lab.adversity.holes import Replaced
from benchd.lab.storm import former
from benchd.lab.storm.storm_holes import Hole
from benchd.lab.storm.storm_referee import Rule
from benchd.lab.storm.storm_schedule import Kind


def _put(module: str, name: str, by: object) -> Replaced:
    return Replaced(module=f"benchd.{module}", name=name, by=by)


READERS: Final = (
    _put("ledger.read_turns", "ReadTurns.surely", former.one_reader),
    _put("ledger.read_turns", "ReadTurns.or_refuse", former.one_reader),
    _put("ledger.ledger_access", "SqliteLedger.for_visitors", former.with_slots),
)
NO_SHARES: Final = (
    _put("web.proofs", "Proofs._known", former.asked_each_time),
    _put("web.shares", "Shares.serve", former.serve_all),
)

ROW_HOLES: Final = (
    Hole(
        row=1,
        says="web and slots share one reader, whose deadline runs while it's waited for",
        needs=(Kind.SLOW_DISK,),
        shows_as=(Rule.ENDED, Rule.OTHERWISE),
        replaced=READERS,
    ),
    Hole(
        row=1,
        says="strangers have no share of their own, and each asks the ledger for a proof",
        needs=(Kind.PAGES, Kind.SLOW_DISK),
        shows_as=(Rule.ENDED, Rule.OTHERWISE, Rule.SLOW, Rule.PROBE),
        replaced=(*READERS, *NO_SHARES),
    ),
    Hole(
        row=2,
        says="an attestation that is withdrawn while the door is held is gone by",
        needs=(Kind.WITHDRAWN,),
        shows_as=(Rule.WITHDRAWN,),
        replaced=(
            _put("pipelines.runner", "JobRunner._let_through", former.let_through),
            _put("pipelines.stage_contract", "JobContext.while_it_stands", former.wait),
            _put("pipelines.stage_contract", "JobContext.refuse_withdrawn", former.refuse_nothing),
        ),
    ),
    Hole(
        row=3,
        says="tries without a badge count against who shows one",
        needs=(Kind.SIGN_INS,),
        shows_as=(Rule.REFUSED,),
        replaced=(
            _put("people.authentication", "_whom", former.by_person),
            _put("people.authentication", "Authentication._admit", former.admit),
        ),
    ),
    Hole(
        row=5,
        says="a record with a word of the next release ends the start",
        needs=(),
        next_release=True,
        shows_as=(Rule.ENDED, Rule.OTHERWISE),
        replaced=(_put("domain.record", "EntryKind.read", classmethod(former.known_only)),),
    ),
    Hole(
        row=6,
        says="anonymous event streams keep everybody out",
        needs=(Kind.STREAMS,),
        shows_as=(Rule.PROBE, Rule.SLOW, Rule.REFUSED),
        replaced=(
            _put("web.connection_limit", "_who_gives_way", former.only_who_waits),
            _put("web.streams", "Streams.one_of", former.as_many_as_come),
        ),
    ),
    Hole(
        row=7,
        says="of two who say at once that an asset can't be erased both are told yes",
        needs=(Kind.UNERASABLE,),
        shows_as=(Rule.TWICE,),
        replaced=(_put("intake.intake_store", "IntakeStore.writing", former.all_write),),
    ),
    Hole(
        row=7,
        says="of two labels that are bound to a slot at once both are told yes",
        needs=(Kind.LABELS,),
        shows_as=(Rule.TWICE,),
        replaced=(_put("intake.intake_store", "IntakeStore.binding", former.all_bind),),
    ),
    Hole(
        row=8,
        says="a reader worker that was stopped counts as up",
        needs=(Kind.WORKER,),
        shows_as=(Rule.HELPER,),
        replaced=(
            _put("devices.felica.worker.process", "ReaderWorker._missed_a_beat", former.one_beat),
        ),
    ),
    Hole(
        row=9,
        says="who reads nothing of papers holds their place for ever",
        needs=(Kind.PAPERS,),
        shows_as=(Rule.SLOW,),
        replaced=(_put("web.middleware", "PIECE_WITHIN_S", 1e6),),
    ),
    Hole(
        row=10,
        says="another process' lock of a moment ends all jobs",
        needs=(Kind.LOCK,),
        shows_as=(Rule.ENDED, Rule.OTHERWISE),
        replaced=(_put("ledger.ledger_store", "LedgerStore._begin", former.begin_once),),
    ),
    Hole(
        row=11,
        says="a second SIGTERM kills in the middle of the end",
        needs=(),
        signals=2,
        shows_as=(Rule.KILLED,),
        replaced=(_put("daemon.service_lifecycle", "signals_obeyed", former.hears_once),),
    ),
    Hole(
        row=11,
        says="a plug-in that raises at a reload ends the daemon",
        needs=(Kind.BAD_RELOAD,),
        shows_as=(Rule.ENDED, Rule.OTHERWISE),
        replaced=(_put("daemon.reload", "Reloader.reload", former.reload_bare),),
    ),
    Hole(
        row=11,
        says="the end waits for a walk that hangs",
        needs=(Kind.HUNG_WALK,),
        shows_as=(Rule.DIDNT_END,),
        replaced=(_put("ledger.ledger_access", "SqliteLedger._walk", former.walk_to_the_end),),
    ),
    Hole(
        row=11,
        says="small steps of the clock back never add up",
        needs=(Kind.CLOCK_CREEPS,),
        shows_as=(Rule.UNNOTICED,),
        replaced=(_put("daemon.clock_watch", "ClockWatch.look", former.look_at_last),),
    ),
)
"""Rows 4 and 12 aren't here: docs/storm.md says which tests hold them."""
