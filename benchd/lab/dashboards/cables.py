"""Slots and their cables: which one fails more than its neighbours, and how."""

from __future__ import annotations

from benchd.lab.dashboards.sheet import Kind, Panel, Query, Sheet, Unit, Words, of, share, total

_PLACE = "site, rack, slot"
_NAME = "{{rack}} {{slot}}"
_JOBS = total("benchd_slot_jobs_total", by=_PLACE)
_NOT_PASSED = total("benchd_slot_jobs_total", 'outcome!="passed"', by=_PLACE)
_OUT_OF_USE = of("benchd_slot_state", 'state="quarantined"')


def _per_job(counter: str) -> str:
    return share(total(counter, by=_PLACE), _JOBS)


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
            queries=(Query(share(_NOT_PASSED, _JOBS), _NAME),),
            unit=Unit.SHARE,
            worse_from=0.2,
        ),
        Panel(
            title=Words("中断された処理", "Attempts cut short"),
            says=Words(
                "ジョブは続いたが途中で終わった処理を、スロットと原因ごとに示します。",
                "Attempts that ended while their job went on, by slot and cause.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    total("benchd_slot_stage_faults_total", by=f"{_PLACE}, fault") + " > 0",
                    f"{_NAME} {{{{fault}}}}",
                ),
            ),
        ),
        Panel(
            title=Words("1台あたりの再認識", "Re-enumerations per job"),
            says=Words(
                "1台の処理中に USB へつながり直した回数です。再起動の分より多ければ接触不良です。",
                "How often a handset came back on USB; more than it restarts is a bad contact.",
            ),
            kind=Kind.BARS,
            queries=(Query(_per_job("benchd_slot_reenumerations_total"), _NAME),),
        ),
        Panel(
            title=Words("1台あたりの処理の試行", "Attempts per job"),
            says=Words(
                "1台に要した工程の試行回数です。やり直しが多いスロットは高くなります。",
                "Attempts of stages that a job has taken; a slot with many retries stands out.",
            ),
            kind=Kind.BARS,
            queries=(Query(_per_job("benchd_slot_stage_attempts_total"), _NAME),),
        ),
        Panel(
            title=Words("応答の停止と書き込みの再開", "Stalls and resumes"),
            says=Words(
                "端末の応答が止まった回数と、書き込みを途中から再開した回数です。",
                "How often a handset did nothing more, and how often an overwrite went on.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(total("benchd_slot_stalls_total", by=_PLACE) + " > 0", f"{_NAME} stalls"),
                Query(
                    total("benchd_slot_overwrite_resumes_total", by=_PLACE) + " > 0",
                    f"{_NAME} resumes",
                ),
            ),
        ),
        Panel(
            title=Words("使用停止のスロット", "Slots out of use"),
            says=Words(
                "使用停止になったスロットです。端末を抜いてください。",
                "Slots that are out of use: unplug their handsets.",
            ),
            kind=Kind.NUMBER,
            queries=(Query(f"sum ({_OUT_OF_USE})"),),
            worse_from=1,
            width=6,
        ),
        Panel(
            title=Words("adb サーバーの起動", "Starts of the adb server"),
            says=Words(
                "adb サーバーが起動し直した回数です。すべてのスロットが同時に止まります。",
                "How often the adb server was begun anew, which interrupts all slots at once.",
            ),
            kind=Kind.NUMBER,
            queries=(Query(total("benchd_adb_server_starts_total")),),
            width=6,
        ),
        Panel(
            title=Words("いまの転送速度", "Rate of transfers now"),
            says=Words(
                "スロットごとの現在の転送速度です。1つだけ遅ければハブやケーブルを見てください。",
                "How fast each slot writes or reads now; a slow one points at its hub or cable.",
            ),
            kind=Kind.LINES,
            queries=(Query(f"{of('benchd_slot_transfer_bytes_per_second')} > 0", _NAME),),
            unit=Unit.RATE,
        ),
        Panel(
            title=Words("いまの転送量", "Transferred now"),
            says=Words(
                "いま動いている書き込みや読み戻しが済ませた量です。",
                "How much the overwrite or read-back that runs has done.",
            ),
            kind=Kind.LINES,
            queries=(Query(f"{of('benchd_slot_transfer_bytes')} > 0", _NAME),),
            unit=Unit.BYTES,
        ),
    ),
)
