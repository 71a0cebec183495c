"""FeliCa: whether the readers answer, what chips hold, and how long it takes."""

from __future__ import annotations

from benchd.lab.dashboards.series import reasons, stages, stages_by_spent
from benchd.lab.dashboards.sheet import (
    ALIVE,
    Kind,
    Panel,
    Query,
    Sheet,
    Unit,
    Words,
    most,
    of,
    quantile,
    share,
    total,
)

_STAGES = 'stage=~"felica_.*"'

FELICA = Sheet(
    uid="benchd-felica",
    title=Words("benchd FeliCa", "benchd FeliCa"),
    says=Words(
        "リーダー、チップに残ったデータ、確認にかかる時間を見ます。",
        "The readers, what is left in chips, and how long their checks take.",
    ),
    since="now-7d",
    panels=(
        Panel(
            title=Words("応答するリーダー", "Readers that answer"),
            says=Words(
                "スロットごとに、リーダーが応答したかを示します。赤なら USB を挿し直してください。",
                "Whether each slot's reader answers: where it is red, plug its USB in again.",
            ),
            kind=Kind.STATES,
            queries=(Query(of("benchd_reader_up"), "{{rack}} {{slot}}"),),
            states=ALIVE,
            width=24,
            height=14,
        ),
        Panel(
            title=Words("リーダーによる中断", "Cut short by readers"),
            says=Words(
                "リーダーの不調で中断した処理を、スロットごとに示します。",
                "Attempts that a reader has cut short, by slot.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    most(
                        total(
                            "benchd_slot_stage_faults_total",
                            'fault=~"reader_gone|ReaderFault"',
                            by="site, rack, slot",
                        )
                        + " > 0",
                        8,
                    ),
                    "{{rack}} {{slot}}",
                ),
            ),
            known=of("benchd_slot_stage_faults_total"),
            may_be_empty=True,
        ),
        Panel(
            title=Words("データあり", "Chips in use"),
            says=Words(
                "残高や履歴が残っていたチップの台数です。",
                "Handsets in whose chip a balance or a history was found.",
            ),
            kind=Kind.NUMBER,
            queries=(Query(total("benchd_felica_residue_found_total")),),
            width=6,
        ),
        Panel(
            title=Words("その割合", "Their share"),
            says=Words(
                "終わったジョブのうち、チップにデータが残っていた割合です。",
                "The share of ended jobs in which a chip was found in use.",
            ),
            kind=Kind.NUMBER,
            queries=(
                Query(
                    share(total("benchd_felica_residue_found_total"), total("benchd_jobs_total"))
                ),
            ),
            unit=Unit.SHARE,
            width=6,
        ),
        Panel(
            title=Words("FeliCa が理由の不合格", "Not for sale for FeliCa"),
            says=Words(
                "FeliCa が理由で販売可にならなかった端末です。",
                "Handsets that weren't for sale because of their chip, by why.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    total("benchd_dispositions_total", 'reason=~"felica_.*"', by="reason") + " > 0",
                    "{{reason}}",
                ),
            ),
            series=reasons("felica_"),
            known=of("benchd_dispositions_total"),
            may_be_empty=True,
        ),
        Panel(
            title=Words("FeliCa 工程の時間（90%）", "Time of FeliCa stages (90%)"),
            says=Words(
                "10回のうち9回はこの時間までに終わります。人の回答を待つ時間を含みます。",
                "Nine of ten attempts end within this time, people's answers included.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    quantile(0.9, "benchd_stage_duration_seconds", _STAGES, by="stage"), "{{stage}}"
                ),
            ),
            series=stages("felica_"),
            unit=Unit.SECONDS,
        ),
        Panel(
            title=Words("機械の時間と人の時間", "Machines' time and people's"),
            says=Words(
                "FeliCa の工程に、機械と人がかけた時間です。",
                "What the FeliCa stages have taken of machines and of people.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    total("benchd_stage_time_seconds_total", _STAGES, by="stage, spent") + " > 0",
                    "{{stage}} {{spent}}",
                ),
            ),
            series=stages_by_spent("felica_"),
            long_names=True,
            width=24,
            height=10,
            unit=Unit.SECONDS,
        ),
    ),
)
