"""`benchd bench identity`: what the rule of identity misses, asks and holds, per 10,000 visits."""

from __future__ import annotations

import json
from dataclasses import asdict

import anyio
import typer

from benchd.lab.benchmarks.identity.identity_visits import Visits
from benchd.lab.benchmarks.identity.mix import PER, Mix


def bench_identity(*, visits: int, seed: int, cases: bool, as_json: bool) -> None:
    """Print the figures of one seed."""
    done = Visits(Mix(), seed)
    anyio.run(done.run, visits)
    if as_json:
        told = {
            "visits": visits,
            "seed": seed,
            "mix": asdict(Mix()),
            "counts": done.counts,
            "asked": done.asked,
            "cases": done.cases,
        }
        typer.echo(json.dumps(told, indent=2, sort_keys=True))
        return
    typer.echo(f"{visits} visits of seed {seed}, per {PER}:")
    for counted in (done.counts, done.asked):
        for what, times in sorted(counted.items()):
            typer.echo(f"{times * PER / visits:10.2f}  {what}")
    for kind, stories in sorted(done.cases.items()) if cases else ():
        for story in stories:
            typer.echo("\n".join((f"\n{kind}:", *story)))
