"""What a shift asks: what each slot does, how much has passed, and who waits for whom."""

from __future__ import annotations

from benchd.lab.dashboards.series import (
    between_jobs,
    dispositions,
    gates,
    open_items,
    outcomes,
    reasons,
    stages,
    stages_by_spent,
)
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
    total,
)
from benchd.lab.dashboards.sheet import share as share_of
from benchd.lab.dashboards.states import shown_states, state_numbers

_SLOT = "{{rack}} {{slot}}"
_OUT_OF_USE = of("benchd_slot_state", 'state="quarantined"') + " == 1"
_SILENT = "label_replace (" + of("benchd_reader_up") + ' == 0, "what", "FeliCa", "", "") + 1'
_RACKS = of("up", 'job="benchd"')
_AWAY = f'label_replace ({_RACKS} == 0, "what", "{ALIVE[0].words}", "", "") + 1'
_OLDEST = of("benchd_question_oldest_timestamp_seconds")
_NEEDS = of("benchd_slot_needs_person")
# Before the first look at its readers nobody knows; what isn't a number isn't itself.
_KNOWN = (
    f"({of('benchd_slot_state')} unless on (job, instance, site, rack) "
    f"({of('benchd_reader_up')} != {of('benchd_reader_up')}))"
)
_BROKEN = f"{_OUT_OF_USE} or {_SILENT} or {_AWAY}"
_SHOWN = 9
"""Bars whose names stand above them."""
_PEOPLE = (
    "label_replace ("
    + total("benchd_stage_time_seconds_total", 'spent="people"', by="stage")
    + ', "step", "$1", "stage", "(.*)")'
)
_BETWEEN = total("benchd_between_jobs_seconds_total", by="step")
_ENDED = total("benchd_jobs_total")
_PASSED = total("benchd_jobs_total", 'outcome="passed"')

RACK_TODAY = Sheet(
    uid="benchd-rack-today",
    title=Words("benchd ラックの今日", "benchd rack today"),
    says=Words(
        "各スロットの状態、処理台数、待っている人を、シフト単位で見ます。",
        "What each slot does, how much has passed and who waits for whom, over a shift.",
    ),
    since="now-12h",
    panels=(
        Panel(
            title=Words("合格した台数", "Passed"),
            says=Words(
                "表示期間に合格で終わった端末の数です。",
                "Handsets that have ended as passed in the time shown.",
            ),
            kind=Kind.NUMBER,
            queries=(Query(_PASSED),),
            width=4,
            height=5,
        ),
        Panel(
            title=Words("合格率", "Yield"),
            says=Words(
                "終わったジョブのうち、合格の割合です。",
                "The share of ended jobs that have passed.",
            ),
            kind=Kind.NUMBER,
            queries=(Query(share_of(_PASSED, _ENDED)),),
            unit=Unit.SHARE,
            width=4,
            height=5,
        ),
        Panel(
            title=Words("最長の待ち", "Longest"),
            says=Words(
                "未回答の質問のうち、最も古いものの経過時間です。「なし」なら質問はありません。",
                "How long the oldest open question has waited; none while no question is open.",
            ),
            kind=Kind.NUMBER,
            # 0 is none. Another clock than Prometheus's own may be ahead.
            queries=(Query(f"clamp_min (time() - min ({_OLDEST} > 0), 1)", "未回答 / unanswered"),),
            known=_OLDEST,
            unit=Unit.SECONDS,
            width=4,
            height=5,
            worse_from=1800,
            colour="green",
            may_be_empty=True,
        ),
        Panel(
            title=Words("人を待つスロット", "Slots that wait for people"),
            says=Words(
                "誰かが来るまで進まないスロットです。ラックへ行ってください。",
                "These go on only once somebody has come: go to the rack.",
            ),
            kind=Kind.NAMES,
            queries=(Query(f"{_NEEDS} == 1", _SLOT),),
            width=7,
            height=5,
            colour="orange",
            known=_NEEDS,
            may_be_empty=True,
        ),
        Panel(
            title=Words("故障", "Broken"),
            says=Words(
                "使用停止のスロット、応答しないリーダー、応答しないラックです。",
                "Slots out of use, readers that are silent, and racks that don't answer.",
            ),
            kind=Kind.NAMES,
            queries=(Query(_BROKEN, f"{_SLOT} {{{{what}}}}"),),
            width=5,
            height=5,
            colour="red",
            # One that doesn't answer is known to be broken.
            known=f"{_KNOWN} or {_RACKS} == 0",
            may_be_empty=True,
        ),
        Panel(
            title=Words("スロットの状態", "Slots over time"),
            says=Words(
                "スロットごとの状態の移り変わりです。「要対応」「回答待ち」が長い行を見てください。",
                "Each slot's states over time: look at rows that need you for long.",
            ),
            kind=Kind.STATES,
            queries=(Query(state_numbers(), _SLOT),),
            states=shown_states(),
            width=24,
            height=15,
        ),
        Panel(
            title=Words("1時間の処理台数", "Throughput per hour"),
            says=Words(
                "直前の1時間に終わったジョブの数を、結果ごとに示します。",
                "Jobs that have ended within the last hour, by how they ended.",
            ),
            kind=Kind.LINES,
            queries=(
                Query(
                    f"{total('benchd_jobs_total', by='outcome', within='1h')} > 0", "{{outcome}}"
                ),
            ),
            series=outcomes(),
            width=6,
        ),
        Panel(
            title=Words("転送速度の合計", "Rate of all transfers"),
            says=Words(
                "すべてのスロットの書き込みと読み戻しの速度の合計を、ラックごとに示します。",
                "How fast all slots together write and read back, by rack.",
            ),
            kind=Kind.LINES,
            queries=(
                Query(
                    f"sum by (site, rack) ({of('benchd_slot_transfer_bytes_per_second')})",
                    "{{rack}}",
                ),
            ),
            unit=Unit.RATE,
            width=6,
        ),
        Panel(
            title=Words("1時間の書き込み", "Written per hour"),
            says=Words(
                "直前の1時間に終わった書き込みの量です。短いものも含みます。",
                "What the overwrites that ended within the last hour have written, short ones too.",
            ),
            kind=Kind.LINES,
            queries=(
                Query(
                    total("benchd_overwritten_bytes_total", by="site, rack", within="1h"),
                    "{{rack}}",
                ),
            ),
            unit=Unit.BYTES,
            width=6,
        ),
        Panel(
            title=Words("未回答の質問", "Open questions"),
            says=Words(
                "いま回答を待つ質問を、種類ごとに示します。",
                "Questions that wait for an answer now, by their kind.",
            ),
            kind=Kind.BARS,
            queries=(Query(f"sum by (gate) ({of('benchd_questions_open')}) > 0", "{{gate}}"),),
            series=gates(),
            width=6,
            known=of("benchd_questions_open"),
            may_be_empty=True,
        ),
        Panel(
            title=Words("行き先", "Dispositions"),
            says=Words(
                "終わった端末の行き先（販売可、返却、保留、破砕）です。",
                "Where handsets went: for sale, returned, held, or to be destroyed.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(total("benchd_dispositions_total", by="disposition"), "{{disposition}}"),
            ),
            series=dispositions(),
            width=6,
            height=10,
        ),
        Panel(
            title=Words("合格しない理由", "Why not"),
            says=Words(
                "販売可にならなかった理由の多い順です。",
                "The most frequent reasons for which handsets weren't for sale.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    most(
                        total("benchd_dispositions_total", 'reason!="none"', by="reason") + " > 0",
                        6,
                    ),
                    "{{reason}}",
                ),
            ),
            series=reasons(),
            width=11,
            height=10,
            known=of("benchd_dispositions_total"),
            may_be_empty=True,
        ),
        Panel(
            title=Words("行き先が未記録", "To be settled"),
            says=Words(
                "誰かが行き先を記録するのを待つ端末です。「処分・返却・保留」で記録してください。",
                'Handsets whose fate somebody has to record: do so under "Disposal".',
            ),
            kind=Kind.BARS,
            queries=(Query(f"sum by (state) ({of('benchd_disposal_open')})", "{{state}}"),),
            series=open_items(),
            known=of("benchd_disposal_open"),
            width=7,
            height=10,
        ),
        Panel(
            title=Words("機械の時間と人の時間", "Machines' time and people's"),
            says=Words(
                "工程ごとに、機械の処理時間と、人の回答を待った時間を分けて示します。",
                "What each stage has taken of machines, and of people while a question was open.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    most(
                        total("benchd_stage_time_seconds_total", by="stage, spent") + " > 0", _SHOWN
                    ),
                    "{{stage}} {{spent}}",
                ),
            ),
            series=stages_by_spent(),
            long_names=True,
            unit=Unit.SECONDS,
            width=8,
            height=13,
        ),
        Panel(
            title=Words("人を待った時間（工程ごと）", "Time waited for people, by step"),
            says=Words(
                "スロットが人を待った時間です。挿してから作業開始まで、質問、次の端末に替えるまでを含みます。",
                "How long slots have waited for people: plugging, questions, the next handset.",
            ),
            kind=Kind.BARS,
            queries=(Query(most(f"({_PEOPLE} or {_BETWEEN}) > 0", _SHOWN), "{{step}}"),),
            series={**stages(), **between_jobs()},
            long_names=True,
            unit=Unit.SECONDS,
            width=8,
            height=13,
            may_be_empty=True,
        ),
        Panel(
            title=Words("回答までの時間（中央値）", "Time to an answer (median)"),
            says=Words(
                "質問の種類ごとに、回答までにかかった時間の中央値を示します。",
                "Half of all questions of a kind were answered within this time.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(most(quantile(0.5, "benchd_answer_seconds", by="gate"), _SHOWN), "{{gate}}"),
            ),
            series=gates(),
            long_names=True,
            unit=Unit.SECONDS,
            width=8,
            height=13,
            known=of("benchd_answer_seconds_count"),
            may_be_empty=True,
        ),
    ),
)
