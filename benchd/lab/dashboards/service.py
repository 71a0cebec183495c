"""The service itself: whether it runs, keeps its promises, and what it is short of."""

from __future__ import annotations

from benchd.lab.dashboards.promises import PROMISES
from benchd.lab.dashboards.sheet import ALIVE, Kind, Panel, Query, Sheet, Unit, Words, of

_RACK = "{{site}} {{rack}}"
_KEY = "benchd_key_created_timestamp_seconds"
# The watchdog always fires.
_FIRING = of("ALERTS", 'alertstate="firing",alertname!="BenchdWatchdog"')

_SHORT_COMMIT = (
    f"label_replace ({of('benchd_build_info')}, "
    '"commit", "$1", "commit", "([0-9a-f]{7})[0-9a-f]*(?:-dirty)?")'
)


def _age(gauge: str) -> str:
    return f"clamp_min (time() - ({of(gauge)} > 0), 0)"


def _since(gauge: str) -> str:
    return f"{_age(gauge)} or ({of(gauge)} == 0) - 1"


SERVICE = Sheet(
    uid="benchd-service",
    title=Words("benchd サービスと目標", "benchd service and objectives"),
    says=Words(
        "benchd 自体の状態と、サービスの目標を守れているかを見ます。",
        "Whether benchd itself is well, and whether its objectives are kept.",
    ),
    since="now-24h",
    panels=(
        Panel(
            title=Words("動いている", "Up"),
            says=Words(
                "benchd が応答したかを示します。赤なら手順書の BenchdDown を見てください。",
                "Whether benchd answers: where it is red, see BenchdDown in the runbook.",
            ),
            kind=Kind.STATES,
            queries=(Query(of("up", 'job="benchd"'), _RACK),),
            states=ALIVE,
            width=10,
            height=6,
        ),
        Panel(
            title=Words("版", "Version"),
            says=Words(
                "各ラックで動いている版です。",
                "Which version runs on which rack.",
            ),
            kind=Kind.NAMES,
            queries=(
                Query(
                    f"sum by (site, rack, version, commit) ({_SHORT_COMMIT})",
                    _RACK + " {{version}} {{commit}}",
                ),
            ),
            known=of("benchd_build_info"),
            width=6,
            height=6,
        ),
        Panel(
            title=Words("鳴っている警報", "Alerts"),
            says=Words(
                "いま鳴っている警報です。名前の手順書に従ってください。",
                "The alerts that fire now: follow the runbook of that name.",
            ),
            kind=Kind.NAMES,
            queries=(
                Query(
                    f"sum by (site, rack, alertname, slot) ({_FIRING})",
                    "{{rack}} {{slot}} {{alertname}}",
                ),
            ),
            colour="red",
            # Where Prometheus has read no rules, none fires whatever happens.
            known=of("instance:benchd_watched:up"),
            may_be_empty=True,
            width=8,
            height=6,
        ),
        *PROMISES,
        Panel(
            title=Words("台帳の検査と控えからの時間", "Age of the ledger's checks and copies"),
            says=Words(
                "台帳の検査、検証、バックアップ、外部への記録が最後に済んでからの時間です。",
                "Since the ledger was last checked, verified, backed up and told to its anchors.",
            ),
            kind=Kind.BARS,
            queries=(
                Query(
                    _since("benchd_ledger_checked_timestamp_seconds"),
                    "{{rack}} 検査 / checked",
                ),
                Query(
                    _since("benchd_ledger_last_verification_timestamp_seconds"),
                    "{{rack}} 検証 / verified",
                ),
                Query(
                    _since("benchd_ledger_last_backup_timestamp_seconds"),
                    "{{rack}} バックアップ / backed up",
                ),
                Query(
                    _since("benchd_ledger_anchored_timestamp_seconds"),
                    "{{rack}} 外部 / anchored",
                ),
            ),
            known=of("benchd_ledger_checked_timestamp_seconds"),
            unit=Unit.SECONDS,
            is_age=True,
            long_names=True,
            width=24,
            height=12,
        ),
        Panel(
            title=Words("空き容量", "Free disk"),
            says=Words(
                "フォルダーごとのディスクの空きです。足りなくなる前に増やしてください。",
                "How much room each folder's disk has left: add to it before it is short.",
            ),
            kind=Kind.LINES,
            queries=(Query(of("benchd_disk_free_bytes"), f"{_RACK} {{{{folder}}}}"),),
            unit=Unit.BYTES,
        ),
        Panel(
            title=Words("台帳の大きさ", "Ledger's size"),
            says=Words(
                "台帳の大きさです。",
                "How large the ledger's files are.",
            ),
            kind=Kind.LINES,
            queries=(Query(of("benchd_ledger_bytes"), _RACK),),
            unit=Unit.BYTES,
        ),
        Panel(
            title=Words("台帳への記録", "Records per hour"),
            says=Words(
                "1時間に台帳へ加わった記録の数です。",
                "How many records the ledger has got within the last hour.",
            ),
            kind=Kind.LINES,
            queries=(Query(f"delta({of('benchd_ledger_records')}[1h])", _RACK),),
        ),
        Panel(
            title=Words("時計の誤差", "Error of the clock"),
            says=Words(
                "時計の最大の誤差（カーネルの見積もり）です。増え続けるなら時刻同期を見てください。",
                "How wrong the clock is at most, by the kernel; if it only grows, nothing sets it.",
            ),
            kind=Kind.LINES,
            queries=(Query(of("benchd_clock_error_seconds"), _RACK),),
            unit=Unit.SECONDS,
            width=6,
        ),
        Panel(
            title=Words("署名鍵の年齢", "Age of the signing key"),
            says=Words(
                "署名鍵を使い始めてからの時間です。3年で交換してください。",
                "How long the key has signed; change it after three years.",
            ),
            kind=Kind.NUMBER,
            queries=(Query(_age(_KEY), _RACK),),
            known=f"{of(_KEY)} > 0",
            unit=Unit.SECONDS,
            width=6,
            worse_from=3 * 365 * 86400,
        ),
        Panel(
            title=Words("ほかのシステムへの送信待ち", "Events to other systems"),
            says=Words(
                "送信を待つ通知と、あきらめた通知です。",
                "Events that wait to be sent, and those that were given up.",
            ),
            kind=Kind.LINES,
            queries=(
                Query(of("benchd_hook_events_waiting"), f"{_RACK} {{{{hook}}}} 送信待ち / waiting"),
                Query(of("benchd_hook_dead_letters"), f"{_RACK} {{{{hook}}}} 断念 / given up"),
            ),
        ),
        Panel(
            title=Words("メモリー", "Memory"),
            says=Words(
                "benchd が使うメモリーです。増え続けるなら知らせてください。",
                "What benchd holds in memory; tell us if it only grows.",
            ),
            kind=Kind.LINES,
            queries=(Query(of("process_resident_memory_bytes", 'job="benchd"'), _RACK),),
            unit=Unit.BYTES,
        ),
    ),
)
