"""Slots and their cables: which one fails more than its neighbours, and how."""

from __future__ import annotations

from benchd.domain.job import FaultCode
from benchd.lab.dashboards.sheet import (
    Kind,
    Panel,
    Query,
    Sheet,
    Unit,
    Words,
    most,
    of,
    share,
    total,
)
from benchd.texts.catalogue import Catalogue

_TEXTS = Catalogue.load()
_PLACE = "site, rack, slot"
_NAME = "{{rack}} {{slot}}"
_JOBS = total("benchd_slot_jobs_total", by=_PLACE)
_NOT_PASSED = total("benchd_slot_jobs_total", 'outcome!="passed"', by=_PLACE)
_STATES = of("benchd_slot_state")
_OUT_OF_USE = of("benchd_slot_state", 'state="quarantined"') + " == 1"
_RATE = of("benchd_slot_transfer_bytes_per_second")
_WRITTEN = total("benchd_slot_overwrite_new_bytes_total", by=_PLACE)
_WRITING = total("benchd_slot_overwrite_seconds_total", by=_PLACE)
_MEAN_RATE = share(_WRITTEN, _WRITING)
_SHOWN = 10
"""Bars in a panel: who stands out is among the first."""


def _per_job(counter: str) -> str:
    return most(share(total(counter, by=_PLACE), _JOBS), _SHOWN)


def _count(counter: str) -> str:
    return most(total(counter, by=_PLACE) + " > 0", _SHOWN)


def _cut_short(fault: FaultCode) -> Query:
    words = _TEXTS.because(fault)
    counted = total("benchd_slot_stage_faults_total", f'fault="{fault}"', by=_PLACE)
    return Query(most(counted + " > 0", 3), f"{_NAME} {words.ja} / {words.en}")


CABLES = Sheet(
    uid="benchd-cables",
    title=Words("benchd スロットとケーブル", "benchd slots and cables"),
    says=Words(
        "隣より失敗の多いスロットを見つけます。ケーブル、ハブ、リーダーの順に替えてください。",
        "Finds the slot that fails more than its neighbours: change cable, hub, reader, in turn.",
    ),
    since="now-7d",
    panels=(
        Panel(
            title=Words("スロットごとの不合格率", "Share not passed by slot"),
            says=Words(
                "終わったジョブのうち合格しなかった割合です。1つだけ高ければケーブルを疑ってください。",
                "The share of ended jobs that haven't passed; one slot alone points at its cable.",
            ),
            kind=Kind.BARS,
            queries=(Query(most(share(_NOT_PASSED, _JOBS), _SHOWN), _NAME),),
            unit=Unit.SHARE,
            worse_from=0.2,
            height=9,
        ),
        Panel(
            title=Words("中断された処理", "Attempts cut short"),
            says=Words(
                "ジョブは続いたが途中で終わった処理を、スロットと原因ごとに示します。",
                "Attempts that ended while their job went on, by slot and cause.",
            ),
            kind=Kind.BARS,
            queries=tuple(_cut_short(fault) for fault in FaultCode),
            height=9,
            known=of("benchd_slot_stage_faults_total"),
            may_be_empty=True,
        ),
        Panel(
            title=Words("1台あたりの再認識", "Re-enumerations per job"),
            says=Words(
                "1台の処理中に USB へつながり直した回数です。再起動の分より多ければ接触不良です。",
                "How often a handset came back on USB; more than it restarts is a bad contact.",
            ),
            kind=Kind.BARS,
            queries=(Query(_per_job("benchd_slot_reenumerations_total"), _NAME),),
            unit=Unit.RATIO,
            height=9,
        ),
        Panel(
            title=Words("1台あたりの処理の試行", "Attempts per job"),
            says=Words(
                "1台に要した工程の試行回数です。やり直しが多いスロットは高くなります。",
                "Attempts of stages that a job has taken; a slot with many retries stands out.",
            ),
            kind=Kind.BARS,
            queries=(Query(_per_job("benchd_slot_stage_attempts_total"), _NAME),),
            unit=Unit.RATIO,
            height=9,
        ),
        Panel(
            title=Words("応答の停止", "Stalls"),
            says=Words(
                "端末の応答が止まった回数です。ケーブルと端末を見てください。",
                "How often a handset did nothing more: look at cable and handset.",
            ),
            kind=Kind.BARS,
            queries=(Query(_count("benchd_slot_stalls_total"), _NAME),),
            width=8,
            known=of("benchd_slot_stalls_total"),
            may_be_empty=True,
        ),
        Panel(
            title=Words("書き込みの再開", "Overwrites resumed"),
            says=Words(
                "途中で切れた書き込みを、続きから再開した回数です。",
                "How often an overwrite went on where it had been cut off.",
            ),
            kind=Kind.BARS,
            queries=(Query(_count("benchd_slot_overwrite_resumes_total"), _NAME),),
            width=8,
            known=of("benchd_slot_overwrite_resumes_total"),
            may_be_empty=True,
        ),
        Panel(
            title=Words("使用停止", "Out of use"),
            says=Words(
                "使用停止になったスロットです。端末を抜いてください。",
                "Slots that are out of use: unplug their handsets.",
            ),
            kind=Kind.NAMES,
            queries=(Query(_OUT_OF_USE, _NAME),),
            colour="red",
            known=_STATES,
            may_be_empty=True,
            width=4,
        ),
        Panel(
            title=Words("adb の起動", "adb starts"),
            says=Words(
                "adb サーバーが起動し直した回数です。すべてのスロットが同時に止まります。",
                "How often the adb server was begun anew, which interrupts all slots at once.",
            ),
            kind=Kind.NUMBER,
            queries=(Query(total("benchd_adb_server_starts_total")),),
            width=4,
        ),
        Panel(
            title=Words("書き込みの遅いスロット", "Slowest overwrites by slot"),
            says=Words(
                "終わった書き込みの平均速度が遅い順です。1つだけ遅ければハブやケーブルを見てください。",
                "Mean rate of overwrites that ended, the slowest first: look at its hub or cable.",
            ),
            kind=Kind.BARS,
            queries=(Query(f"sort (bottomk ({_SHOWN}, {_MEAN_RATE}))", _NAME),),
            unit=Unit.RATE,
            height=9,
        ),
        Panel(
            title=Words("いまの転送速度", "Rate of transfers now"),
            says=Words(
                "いま書き込みや読み戻しをしているスロットの速度を、遅い順に示します。",
                "How fast the slots that write or read go now, the slowest first.",
            ),
            kind=Kind.BARS,
            queries=(Query(f"sort (bottomk ({_SHOWN}, {_RATE} > 0))", _NAME),),
            unit=Unit.RATE,
            height=9,
            known=_RATE,
            may_be_empty=True,
        ),
    ),
)
