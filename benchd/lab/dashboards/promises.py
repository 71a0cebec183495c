"""The panels of the service's objectives; docs/grafana.md says what each of them is for."""

from __future__ import annotations

from typing import Final

from benchd.lab.dashboards.sheet import Kind, Panel, Query, Unit, Words, of, quantile, share, total

STARTS_WITHIN_S: Final = "60.0"
"""One of the histogram's own bounds, as it writes them."""
COMMITS_WITHIN_S: Final = "0.1"
_STARTS: Final = "benchd_hotplug_to_start_seconds"
_COMMITS: Final = "benchd_ledger_commit_seconds"
_BROKEN: Final = of("benchd_ledger_broken")
_MISSING: Final = of("benchd_certificate_files_missing")
_MISSED: Final = "benchd_metrics_faults_total"


def _kept(histogram: str, bound: str) -> str:
    return share(total(f"{histogram}_bucket", f'le="{bound}"'), total(f"{histogram}_count"))


PROMISES = (
    Panel(
        title=Words("目標: 60秒で開始", "Begun in 60 s"),
        says=Words(
            "端末を挿してから60秒以内に始まったジョブの割合です。目標は95%です。",
            "The share of jobs that began within 60 s of the plug; the objective is 95%.",
        ),
        kind=Kind.NUMBER,
        queries=(Query(_kept(_STARTS, STARTS_WITHIN_S), "端末 / handsets"),),
        known=of(f"{_STARTS}_count"),
        unit=Unit.SHARE,
        good_from=0.95,
        width=6,
        height=6,
    ),
    Panel(
        title=Words("目標: 0.1秒で記録", "On disk in 0.1 s"),
        says=Words(
            "0.1秒以内に台帳へ書かれた記録の割合です。目標は99%です。",
            "The share of records that were on disk within 0.1 s; the objective is 99%.",
        ),
        kind=Kind.NUMBER,
        queries=(Query(_kept(_COMMITS, COMMITS_WITHIN_S), "記録 / records"),),
        known=of(f"{_COMMITS}_count"),
        unit=Unit.SHARE,
        good_from=0.99,
        width=6,
        height=6,
    ),
    Panel(
        title=Words("目標: 記録の喪失0", "None lost"),
        says=Words(
            "台帳の破損と、ファイルのない証明書の数です。目標は「なし」です。",
            "Ledgers that don't hold, and certificates without their file; there ought to be none.",
        ),
        kind=Kind.NUMBER,
        queries=(
            Query(f"sum ({_BROKEN} > 0)", "台帳 / ledger"),
            Query(f"sum ({_MISSING} > 0)", "証明書 / certificates"),
        ),
        # Not a number where a folder doesn't answer, and then neither is their sum.
        known=f"{_BROKEN} + {_MISSING}",
        may_be_empty=True,
        width=6,
        height=6,
        worse_from=1,
        colour="green",
    ),
    Panel(
        title=Words("数え漏れ", "Not counted"),
        says=Words(
            "メトリクスが数えられなかった台帳の記録です。「なし」でなければここの数字は低めです。",
            "Ledger records that metrics have missed; where there are any, figures are too low.",
        ),
        kind=Kind.NUMBER,
        queries=(Query(f"{total(_MISSED)} > 0", "記録 / records"),),
        known=of(_MISSED),
        may_be_empty=True,
        width=6,
        height=6,
        worse_from=1,
        colour="green",
    ),
    Panel(
        title=Words("接続から開始まで（95%）", "From plug to start (95%)"),
        says=Words(
            "20台のうち19台は、挿してからこの時間までに始まりました。",
            "Nineteen of twenty handsets began within this time.",
        ),
        kind=Kind.LINES,
        queries=(Query(quantile(0.95, _STARTS, within="1h"), "95%"),),
        unit=Unit.SECONDS,
        width=8,
    ),
    Panel(
        title=Words("台帳への書き込み（99%）", "Writes to the ledger (99%)"),
        says=Words(
            "100件のうち99件の記録は、この時間までにディスクへ書かれました。",
            "Ninety-nine of a hundred records were on disk within this time.",
        ),
        kind=Kind.LINES,
        queries=(Query(quantile(0.99, _COMMITS, within="1h"), "99%"),),
        unit=Unit.SECONDS,
        width=8,
    ),
    Panel(
        title=Words("イベントループの遅れ（99%）", "Lag of the event loop (99%)"),
        says=Words(
            "benchd の内部の遅れです。0.1秒を超え続けるなら、PC が忙しすぎます。",
            "How late benchd comes to its work; above 0.1 s for long, the PC has too much to do.",
        ),
        kind=Kind.LINES,
        queries=(Query(quantile(0.99, "benchd_event_loop_lag_seconds", within="1h"), "99%"),),
        unit=Unit.SECONDS,
        width=8,
    ),
)
