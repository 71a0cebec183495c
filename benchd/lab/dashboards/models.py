"""Models: how fast each is written, and how its handsets end."""

from __future__ import annotations

from benchd.lab.dashboards.sheet import (
    Kind,
    Panel,
    Query,
    Sheet,
    Unit,
    Words,
    most,
    share,
    total,
)

_BYTES, _SECONDS = "benchd_model_overwritten_bytes_total", "benchd_model_overwrite_seconds_total"
_JOBS = "benchd_model_jobs_total"
_MODEL = "{{model}}"
_SHOWN = 14
"""Bars in a panel: a rack may see a hundred models."""
_FEW = 8
_RATE = share(total(_BYTES, by="model"), total(_SECONDS, by="model"))
_RATE_OF_ALL = share(total(_BYTES), total(_SECONDS))
_AGAINST_ALL = f"{_RATE} / on () group_left () ({_RATE_OF_ALL}) > 0"


def _recent(name: str) -> str:
    return total(name, by="model", within="6h")


MODELS = Sheet(
    uid="benchd-models",
    title=Words("benchd 機種ごとの書き込み速度", "benchd overwrite rate by model"),
    says=Words(
        "機種ごとの書き込み速度と結果です。機種名はカタログのもので、ない機種は unknown です。",
        "How fast each model is written and how it ends, by the catalogue's names or `unknown`.",
    ),
    since="now-7d",
    panels=(
        Panel(
            title=Words("機種ごとの書き込み速度", "Overwrite rate by model"),
            says=Words(
                "休止を除く速度を遅い順に示します。急に遅い機種は劣化や偽物を疑ってください。",
                "The rate without rests, slowest first; one that becomes slow may be worn or fake.",
            ),
            kind=Kind.BARS,
            queries=(Query(f"sort (bottomk ({_SHOWN}, {_RATE} > 0))", _MODEL),),
            unit=Unit.RATE,
            height=12,
        ),
        Panel(
            title=Words("全体の平均との比", "Against the mean of all"),
            says=Words(
                "全機種の平均を1とした速度です。カタログに部品の仕様がないため、ほかの機種と比べます。",
                "The rate where the mean of all is 1: the catalogue has no figures of the flash.",
            ),
            kind=Kind.BARS,
            queries=(Query(f"sort (bottomk ({_SHOWN}, {_AGAINST_ALL}))", _MODEL),),
            unit=Unit.RATIO,
            height=12,
        ),
        Panel(
            title=Words("速度の推移", "Rate over time"),
            says=Words(
                "直前の6時間の平均速度を機種ごとに示します。",
                "The mean rate of the last six hours, by model.",
            ),
            kind=Kind.LINES,
            queries=(Query(f"{share(_recent(_BYTES), _recent(_SECONDS))} > 0", _MODEL),),
            unit=Unit.RATE,
            width=24,
        ),
        Panel(
            title=Words("機種ごとの失敗率", "Share failed by model"),
            says=Words(
                "合格または失敗で終わったジョブのうち、失敗の割合です。",
                "Of the jobs that passed or failed, the share that failed.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    most(
                        share(
                            total(_JOBS, 'outcome="failed"', by="model"),
                            total(_JOBS, by="model"),
                        ),
                        _FEW,
                    ),
                    _MODEL,
                ),
            ),
            unit=Unit.SHARE,
            worse_from=0.2,
            width=8,
            height=12,
            long_names=True,
        ),
        Panel(
            title=Words("機種ごとの台数", "Handsets by model"),
            says=Words(
                "合格または失敗で終わったジョブの数です。unknown が多ければカタログに足します。",
                "Jobs that passed or failed; where many are `unknown`, add to the catalogue.",
            ),
            kind=Kind.BARS,
            queries=(Query(most(f"{total(_JOBS, by='model')} > 0", _FEW), _MODEL),),
            width=8,
            height=12,
            long_names=True,
        ),
        Panel(
            title=Words("書き込んだ量", "Bytes written"),
            says=Words(
                "表示期間に書き込んだ量を機種ごとに示します。",
                "What was written in the time shown, by model.",
            ),
            kind=Kind.BARS,
            queries=(Query(most(f"{total(_BYTES, by='model')} > 0", _FEW), _MODEL),),
            unit=Unit.BYTES,
            width=8,
            height=12,
            long_names=True,
        ),
    ),
)
