"""The `benchd` command: turns words into calls, and errors into exit codes."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer

from benchd.cli.bench_commands import bench_app
from benchd.cli.certificate_commands import certificate_app
from benchd.cli.daemon_client import show_view
from benchd.cli.decide_command import decide
from benchd.cli.disposal_commands import disposal_app
from benchd.cli.doctor.doctor_command import doctor
from benchd.cli.drain_commands import drain, pause
from benchd.cli.file_arguments import write_new
from benchd.cli.fleet_checkpoints import checkpoints_app
from benchd.cli.fleet_commands import fleet_app, require_fleet
from benchd.cli.fleet_office import office_app
from benchd.cli.fresh_commands import add_fresh_commands
from benchd.cli.grade_commands import grade_app
from benchd.cli.handset_commands import handset_app
from benchd.cli.hooks_commands import hooks_app
from benchd.cli.intake_commands import assets_app, lots_app
from benchd.cli.key_commands import key_app
from benchd.cli.lab import require_lab
from benchd.cli.label_commands import add_label_commands
from benchd.cli.ledger_commands import ledger_app
from benchd.cli.log_level_commands import log_level
from benchd.cli.messages import say, tell, tell_rows
from benchd.cli.misuse import tell_misuse, tell_of_file
from benchd.cli.models_commands import models_app
from benchd.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from benchd.cli.papers_commands import papers_app
from benchd.cli.people_commands import people_app
from benchd.cli.records_commands import records_app, report
from benchd.cli.setup_command import setup
from benchd.cli.shipping_commands import shipping_app
from benchd.cli.status_commands import add_status_commands
from benchd.cli.time_commands import time_app
from benchd.cli.token_commands import tokens_app
from benchd.cli.translated_help import TranslatedGroup
from benchd.daemon.exit_codes import exit_on_error
from benchd.domain.version_info import commit, version

app = typer.Typer(
    name="benchd",
    cls=TranslatedGroup,
    help="Erases racks of used Android handsets before resale, and proves it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
slots_app = typer.Typer(help="The rack's slots.", no_args_is_help=True)
felica_app = typer.Typer(help="FeliCa chips on the rack's readers.", no_args_is_help=True)
app.add_typer(felica_app, name="felica")
add_fresh_commands(handset_app)
app.add_typer(handset_app, name="handset")
app.add_typer(slots_app, name="slots")
app.add_typer(bench_app, name="bench")
app.add_typer(certificate_app, name="certificate")
app.add_typer(papers_app, name="papers")
app.add_typer(shipping_app, name="shipping")
app.add_typer(ledger_app, name="ledger")
app.add_typer(models_app, name="models")
app.add_typer(people_app, name="people")
app.add_typer(lots_app, name="lots")
app.add_typer(assets_app, name="assets")
app.add_typer(grade_app, name="grade")
app.add_typer(key_app, name="key")
fleet_app.add_typer(office_app, name="office")
fleet_app.add_typer(checkpoints_app, name="checkpoints")
app.add_typer(fleet_app, name="fleet")
app.add_typer(records_app, name="records")
app.add_typer(hooks_app, name="hooks")
app.add_typer(tokens_app, name="tokens")
app.add_typer(disposal_app, name="disposal")
app.add_typer(time_app, name="time")
app.command("report")(report)
app.command("decide")(decide)
add_status_commands(app)
add_label_commands(app, people_app)
app.command("setup")(setup)
app.command("log-level")(log_level)
app.command("drain")(drain)
app.command("pause")(pause)
app.command("doctor")(doctor)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"benchd {version()} ({commit()})")
        raise typer.Exit


@app.callback()
def benchd(
    *,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Tell which benchd it is."
        ),
    ] = False,
) -> None:
    """Erases racks of used Android handsets before resale, and proves it."""


def main() -> None:
    """Run the command and exit with its code."""
    from benchd.observe.command_logs import configure_command_logs

    configure_command_logs()
    with exit_on_error():
        try:
            code = app(prog_name="benchd", standalone_mode=False)
        except typer.Abort:
            typer.echo(say("say.aborted"), err=True)
            sys.exit(1)
        except typer.TyperException as error:
            tell_misuse(error)
            sys.exit(error.exit_code)
        except OSError as error:
            sys.exit(tell_of_file(error))
        sys.exit(code if isinstance(code, int) else 0)


@app.command()
def run(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Run the daemon."""
    from benchd.daemon.failure_report import failure_in_journal
    from benchd.observe.log_level_change import LogLevels
    from benchd.observe.logs import configure_logs

    levels = LogLevels(time.monotonic)
    words = configure_logs(levels)
    with failure_in_journal(config):
        # What an installation is missing is told as well.
        from benchd.config import load_settings
        from benchd.daemon.composition import run_daemon
        from benchd.daemon.signals import hear_signals, ignore_signals
        from benchd.hotplug import UdevHotplug

        read = partial(load_settings, config)
        daemon = partial(
            run_daemon,
            read(),
            UdevHotplug(),
            reread=read,
            words=words,
            levels=levels,
            hear=partial(hear_signals, then_exit=True),
        )
        try:
            anyio.run(daemon)
        finally:
            # A start that failed has not heard any: its exit code says why.
            ignore_signals()


@app.command("check-config")
def check_config(
    file: Annotated[Path, typer.Argument(help="The configuration file.", readable=False)],
) -> None:
    """Report every mistake of a configuration and its recipes; changes nothing."""
    from benchd.daemon.config_check import checked_settings

    settings = checked_settings(file)
    for key in settings.retired:
        typer.echo(str(key))
    tell(
        "say.config_checked",
        path=str(file),
        count=str(len(settings.topology.places)),
        value=str(len(settings.recipes)),
    )


@app.command()
def demo(
    slots: Annotated[int | None, typer.Option(min=1, max=128, help="How many slots.")] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Which handset sits in which slot: A,B,…")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Run every handset to its end, then stop.")
    ] = False,
    json_output: JsonOption = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="The API's port on loopback.")] = 8420,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="Answer the questions yourself, on the dashboard.")
    ] = False,
    directory: Annotated[
        Path | None, typer.Option(help="Where ledger and certificates are left.")
    ] = None,
    dossier: Annotated[
        Path | None, typer.Option(help="One handset, made from the answers in this folder.")
    ] = None,
    lot: Annotated[
        bool,
        typer.Option("--lot", help="One lot, taken in by CSV, to its end; 24 without --slots."),
    ] = False,
    fleet: Annotated[
        int | None,
        typer.Option(min=1, max=8, help="So many racks and their centre; --slots is of each."),
    ] = None,
) -> None:
    """Run the daemon on a virtual rack; no handset is needed."""
    if once and by_hand:
        raise typer.BadParameter("--once has its own operators: it can't be played --by-hand")
    if dossier is not None and (scenario or slots):
        raise typer.BadParameter(
            "--dossier is one handset: it takes neither --slots nor --scenario"
        )
    if lot and (scenario or by_hand or dossier):
        raise typer.BadParameter("--lot brings its own handsets and operators")
    if fleet and (scenario or by_hand or dossier or lot):
        raise typer.BadParameter("--fleet brings its own handsets and operators")
    require_lab()
    if fleet:
        require_fleet()
        from benchd.lab.demo.fleet import run_fleet_demo

        ok = run_fleet_demo(fleet, slots, directory, port, once=once, as_json=json_output)
        raise typer.Exit(0 if ok else 1)
    from benchd.lab.demo.demo_run import run_demo
    from benchd.lab.demo.lot import HANDSETS, LEAST, run_lot_demo

    if lot:
        handsets = slots or HANDSETS
        if handsets < LEAST:
            raise typer.BadParameter("--lot is of four handsets at least")
        raise typer.Exit(0 if run_lot_demo(directory, port, handsets, as_json=json_output) else 1)

    names = tuple(name.strip() for name in scenario.split(",")) if scenario else ()
    ok = run_demo(
        slots=slots,
        scenarios=names,
        once=once,
        as_json=json_output,
        port=port,
        directory=directory,
        by_hand=by_hand,
        dossier=dossier,
    )
    raise typer.Exit(0 if ok else 1)


@slots_app.command("list")
def slots_list(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Name the configured slots and their ports."""
    from benchd.config import load_settings

    places = load_settings(config).topology.places.values()
    rows = ((place.name, place.port_path, place.recipe) for place in places)
    tell_rows(("slot", "port", "recipe"), rows)


@slots_app.command("learn")
def slots_learn(
    slots: Annotated[
        list[str] | None,
        typer.Argument(help="Their names in the order in which you walk; else all there are."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, write nothing.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Find each slot's port and reader: plug one handset, lay one card, slot by slot."""
    from benchd.cli.learning import learn_slots
    from benchd.hotplug import UdevHotplug
    from benchd.observe.logs import configure_logs

    configure_logs()
    done = learn_slots(config, slots or [], UdevHotplug(), dry_run=dry_run)
    raise typer.Exit(0 if done else 1)


@felica_app.command("scan")
def felica_scan(
    slot: Annotated[str | None, typer.Option(help="Only this slot.")] = None,
    json_output: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Look at the chip on every reader; exits with 0 only if nothing was found in any."""
    from benchd.cli.felica_commands import chips_view, exit_code, scan_chips
    from benchd.observe.logs import configure_logs

    configure_logs()
    told = scan_chips(config, slot)
    show_view(json_output, told, chips_view)
    raise typer.Exit(exit_code(told))


@felica_app.command("capture")
def felica_capture(
    file: Annotated[Path, typer.Argument(help="A new file.")],
    slot: Annotated[str, typer.Option(help="The slot on whose reader the handset lies.")],
    name: Annotated[str, typer.Option(help="What the baseline is to be called.")],
    model: Annotated[str, typer.Option(help="The handset's model number.")],
    screen: Annotated[
        str, typer.Option(help="What its screen メモリ使用状況 says, word by word: 未利用.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    r"""Make FILE, a baseline, from an unused chip, for \[felica] baselines."""
    from datetime import UTC, datetime

    from benchd.cli.felica_commands import capture_chip
    from benchd.devices.felica.worker.wire import CaptureOrder
    from benchd.observe.logs import configure_logs

    configure_logs()
    today = datetime.now(UTC).date()
    order = CaptureOrder(name=name, model=model, screen=screen, seen_on=today)
    text = capture_chip(config, slot, order)
    write_new(file, text.encode())
    tell("say.baseline_made", path=str(file))
