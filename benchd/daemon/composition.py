"""The composition root: builds the parts, owns the top task group and the signals."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager
from functools import partial

import anyio
import structlog
from anyio.abc import TaskGroup

from benchd.certificate import DsseIssuer, SigningKey, load_rack_key
from benchd.config import Settings
from benchd.daemon.applied_settings import own_pictures, recover, take_over
from benchd.daemon.clock_watch import ClockWatch, Timekeeping, rack_time_of
from benchd.daemon.directories import make_directories
from benchd.daemon.disk_space import DiskSpaceWatch
from benchd.daemon.http_listener import tls_of
from benchd.daemon.integrity import Integrity
from benchd.daemon.interrupted_handsets import TrayWatch
from benchd.daemon.kernel_clock import is_synchronised, was_synchronised
from benchd.daemon.ledger_witnesses import anchors_of, witnesses_at_start
from benchd.daemon.rack_dossiers import RackDossiers
from benchd.daemon.rack_fleet import RackFleet
from benchd.daemon.rack_hooks import Directing, HookBoard, HookLife, hook_settings_of, recall_held
from benchd.daemon.rack_intake import open_intake, required_by
from benchd.daemon.rack_labels import label_desk
from benchd.daemon.rack_metrics import metrics_of, show_ledger
from benchd.daemon.rack_papers import lot_press_of, shipping_desk_of
from benchd.daemon.rack_people import Staffing, open_people, sessions_of
from benchd.daemon.rack_tokens import latest_time, open_tokens, token_authenticator
from benchd.daemon.rack_traces import RackTraces
from benchd.daemon.reload import Reloader, tell_retired
from benchd.daemon.service_lifecycle import keep_responsive, serve_rack
from benchd.daemon.services import RunningRack, services
from benchd.daemon.signals import Hear, hear_signals
from benchd.daemon.system_clock import SystemClock, SystemEntropy
from benchd.daemon.watch_list_reload import ListWatch
from benchd.devices.android.dossier.dossier_store import DossierShelf
from benchd.devices.android.fill.keystream import HostKeystream
from benchd.devices.android.filler import BUILD_ALL, require_programs
from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.domain.ports import HotplugSource
from benchd.domain.version_info import commit, version
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.unplugged_handsets import HandDesk
from benchd.ledger import open_ledger
from benchd.ledger.ledger_access import SqliteLedger
from benchd.ledger.patrol import Patrol
from benchd.ledger.records.records_access import Records
from benchd.ledger.records.records_database import records_path
from benchd.observe.announcing_ledger import announcing, bulkhead, keep_following
from benchd.observe.job_log import JobLog
from benchd.observe.log_level_change import LogLevels
from benchd.observe.notify_socket import Notifier
from benchd.observe.private_words import PrivateWords
from benchd.observe.record_metrics import RecordMetrics
from benchd.outbound.anchors.anchor_sender import Anchoring
from benchd.outbound.hooks.hook_dispatcher import Hooks
from benchd.papers.labels.label_source import LabelSource
from benchd.papers.labels.wanted_labels import WantedLabels
from benchd.pipelines.android import android_support
from benchd.pipelines.device_support import device_kinds
from benchd.signing.paper_keys import signer_text
from benchd.signing.rack_secrets import CHIP_SALT
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.slots.disposal_desk import DisposalDesk
from benchd.slots.question_desk import Desk
from benchd.slots.slot_dependencies import NoReaders, RackParts
from benchd.slots.supervisor import Supervisor
from benchd.web.dashboard import Addition
from benchd.web.service import LogControl, PlanInEffect

_log = structlog.get_logger()


async def run_daemon(  # noqa: PLR0913 - what it runs, and what is its machine's
    settings: Settings,
    hotplug: HotplugSource,
    *,
    usb: bool = True,
    listener: socket.socket | None = None,
    reread: Callable[[], Settings] | None = None,
    words: PrivateWords | None = None,
    levels: LogLevels | None = None,
    was_synchronised: Callable[[], bool | None] = was_synchronised,
    hear: Hear = hear_signals,
    addition: Addition | None = None,
) -> None:
    """The daemon: runs until SIGTERM, SIGINT or the end of a drain, then settles what is open.

    `reread` reads the configuration anew on SIGHUP; `words` learns what the logs have to mask,
    and `levels` is how much they tell. `usb=False` keeps the adb server off the machine's own USB
    ports; a `listener` that listens already takes the place of the TCP address in the settings.
    `was_synchronised` says whether something has set the clock since the machine was started,
    and `hear` is how signals are heard. An `addition` is served beside the rack's own pages.
    Raises DependencyMissing when something isn't there, LedgerFault when the ledger can't serve.
    """
    _look_first(settings, usb=usb)
    key = load_rack_key(settings.certificate.key, os.environ)
    make_directories(settings)
    tls = tls_of(settings.http)
    clock, metrics = SystemClock(), metrics_of(settings)
    hooks = Hooks([hook_settings_of(hook) for hook in settings.hooks])
    witnesses = await witnesses_at_start(settings, key.ring)
    async with AsyncExitStack() as stack:
        until_end = stack.enter_context(ExitStack())
        stored = await stack.enter_async_context(
            open_ledger(
                settings.ledger.path,
                head_key=key,
                ring=key.ring,
                witnesses=witnesses,
                commit_seconds=bulkhead(metrics.commit_took, metrics.fault),
                committed=bulkhead(metrics.ledger.committed, metrics.fault),
            )
        )
        newest, seen = await stored.entry_at(stored.head.sequence), await latest_time(stored)
        rack_time = rack_time_of(stored, clock, was_synchronised, seen)
        records = Records(records_path(settings.ledger.path), stored)
        # Before any slot is shown: what was held stays held.
        await recall_held(hooks.held, settings.ledger.path)
        wanted, board = WantedLabels(hooks.held), RackBoard(hooks.held.directed)
        issuer = DsseIssuer(
            key=key,
            directory=settings.certificate.directory,
            site=settings.site.name,
            site_address=settings.site.address,
            benchd_version=version(),
            benchd_commit=commit(),
        )
        traces = RackTraces(settings, stored.for_visitors(stored.append), issuer, metrics.traces)
        fleet = await stack.enter_async_context(
            aclosing(RackFleet(settings, stored, key, metrics.fleet))
        )
        ledger = announcing(
            stored,
            (
                rack_time,
                RecordMetrics(metrics, time.monotonic),
                words or PrivateWords(),
                JobLog(time.monotonic),
                records.follower,
                hooks,
                traces.follower,
                fleet.follower,
                wanted,
                Directing(board),
            ),
            metrics.fault,
        )
        pictures = own_pictures(settings, key)
        await show_ledger(metrics, stored, ring=key.ring, clock=clock)
        await recover(ledger, issuer, clock, settings, pictures)
        intake, grades = await open_intake(stored, ledger, clock, rack_time, settings.grades)
        people = await stack.enter_async_context(
            open_people(settings.ledger.path, stored, ledger.append, key)
        )
        chips = chip_access(settings, key, fleet.chip_secret)
        desk = IntakeDesk(
            intake, SystemEntropy(), board.views, required_by(settings.recipes.values())
        )
        rack = RunningRack(
            board=board,
            # Whoever isn't a slot reads beside the slots.
            ledger=stored.for_visitors(ledger.append),
            desk=Desk(ledger, clock, people),
            issuer=issuer,
            metrics=metrics,
            admission=Admission(),
            dossiers=RackDossiers(DossierShelf(settings.dossiers.directory), board),
            people=people,
            sessions=sessions_of(people, ledger.append, clock, settings.people),
            tokens=token_authenticator(
                await open_tokens(stored, ledger.append, seen), settings.tokens
            ),
            tls=tls,
            records=records,
            disposal=DisposalDesk(
                stored.for_visitors(ledger.append, patient=True), clock, hooks.held.holder
            ),
            intake=desk,
            grades=grades,
            hand=HandDesk(
                desk,
                chips=chips,
                ledger=stored.for_visitors(ledger.append),
                views=board.views,
            ),
            papers=lot_press_of(
                settings,
                key,
                stored=stored,
                ledger=stored.for_visitors(ledger.append, patient=True),
                issuer=issuer,
                records=records,
                intake=intake,
                grades=grades.book,
                holder=hooks.held.holder,
                clock=clock,
            ),
            shipping=shipping_desk_of(
                settings,
                stored=stored,
                ledger=stored.for_visitors(ledger.append, patient=True),
                issuer=issuer,
                records=records,
                intake=intake,
                holder=hooks.held.holder,
            ),
            labels=label_desk(
                settings,
                wanted,
                source=LabelSource(
                    ledger=stored.for_visitors(ledger.append, patient=True),
                    issuer=issuer,
                    files=records,
                    held=hooks.held,
                    grades=grades.book,
                ),
                board=board,
                metrics=metrics,
            ),
            wall=PlanInEffect(settings.wall),
            holder=hooks.held.holder,
            directions=hooks.directions,
            trace=traces.of_job,
            scrape=metrics.expose if settings.http.metrics else None,
            logs=None
            if levels is None
            else LogControl(change=levels.change, in_effect=levels.in_effect),
        )
        integrity = Integrity(board=rack.board, admission=rack.admission, metrics=metrics.ledger)
        patrol = Patrol(stored, ledger.append, clock, integrity)
        await patrol.recall()
        timekeeping = Timekeeping(board=board, metrics=metrics.clock, intake=intake)
        clock_watch = ClockWatch(
            clock=clock,
            monotonic=time.monotonic,
            is_synchronised=is_synchronised,
            record=ledger.append,
            running_jobs=timekeeping.running_jobs,
            timekeeping=timekeeping,
            unsynchronised_s=settings.clock.unsynchronised_s,
        )
        await clock_watch.compare_with(newest)
        anchoring = Anchoring(
            stored,
            ledger.append,
            anchors_of(settings.ledger.anchor, key.ring),
            key=key.ring,
            clock=clock,
            sink=integrity,
            every_s=settings.ledger.anchor.every_s,
        )
        async with (
            services(
                settings, rack, chips, usb=usb, listener=listener, addition=addition
            ) as access,
            _background(levels, stored) as background,
        ):
            parts = RackParts(
                ledger=ledger,
                kinds=device_kinds(android_support(access)),
                chips=chips,
                issuer=issuer,
                board=rack.board,
                desk=rack.desk,
                clock=clock,
                entropy=SystemEntropy(),
                keystream=HostKeystream(),
                recipes=settings.recipes,
                timing=settings.timing,
                admission=rack.admission,
                intake=intake,
                models=settings.models,
                pictures=pictures,
                other_racks=fleet.other_racks(SystemEntropy()),
            )
            supervisor = Supervisor(settings.topology, parts, hotplug)
            rack.dossiers.serve(supervisor, access)
            notifier = Notifier.of(os.environ)
            reloader = Reloader(
                settings,
                read=reread or (lambda: settings),
                apply=partial(take_over, supervisor, parts, rack, key),
                notifier=notifier,
            )
            keep_responsive()
            background.start_soon(Staffing(people, board=board, admission=rack.admission).run)
            background.start_soon(ListWatch(lambda: reloader.settings.recipes, board).run)
            background.start_soon(
                DiskSpaceWatch(
                    (settings.ledger.path.parent, settings.certificate.directory),
                    board=board,
                    admission=rack.admission,
                ).run
            )
            for run in (patrol.run, clock_watch.run, anchoring.run):
                background.start_soon(run)
            told = HookBoard(board, metrics.hooks)
            for follow in (
                TrayWatch(records, board).run,
                records.run,
                rack.labels.run,
                traces.run,
                partial(fleet.run, ledger.append, clock.now),
                HookLife(hooks, settings, ledger.append, issuer, told).run,
            ):
                background.start_soon(keep_following, follow, metrics.fault)
            await serve_rack(
                supervisor,
                board=rack.board,
                admission=rack.admission,
                reloader=reloader,
                notifier=notifier,
                failed=metrics.fault,
                hear=hear,
                until_end=until_end,
            )
    _log.info("stopped")


def chip_access(
    settings: Settings, key: SigningKey, fleet_secret: bytes | None
) -> NoReaders | PcscChipAccess:
    """The rack's readers and providers, if it has any."""
    if not settings.felica.is_used:
        return NoReaders()
    # The same whatever key signs, and useless to whoever doesn't have the rack's secrets.
    return PcscChipAccess(
        settings.felica,
        salt=key.derive(CHIP_SALT),
        fleet_secret=fleet_secret,
        clock=time.monotonic,
        signer=signer_text(key.public_key_pem, key.ring),
    )


@asynccontextmanager
async def _background(
    levels: LogLevels | None, stored: SqliteLedger
) -> AsyncGenerator[TaskGroup, None]:
    """What goes on beside the slots and ends with them; without a ledger, all of it does."""
    async with anyio.create_task_group() as group:
        group.start_soon(stored.until_over)
        if levels is not None:
            group.start_soon(levels.run)
        yield group
        group.cancel_scope.cancel()


def _look_first(settings: Settings, *, usb: bool) -> None:
    """Tell now, not in the middle of a job, of keys without effect and of missing programs."""
    tell_retired(settings)
    missing = require_programs()
    if missing and usb:
        _log.warning("fill_program_missing", abis=missing, cure=BUILD_ALL)
