"""What the ledger is told of a port and of a job's end."""

from __future__ import annotations

from benchd.domain.ids import ANDROID, Evidence
from benchd.domain.job import DISPOSITION_OF, JobEnd, Outcome, Reason
from benchd.domain.port import Attached


def port_record(attached: Attached) -> Evidence:
    """What was enumerated on a port."""
    return {
        "attachment": attached.attachment,
        "port_path": attached.port_path,
        "interfaces": sorted(attached.interfaces),
        "usb_serial": attached.usb_serial,
        "vendor_id": attached.vendor_id,
        "product_id": attached.product_id,
        # No word of it is a handset over adb.
        **({} if attached.kind == ANDROID else {"kind": attached.kind}),
    }


def end_record(end: JobEnd, certificate: str | None) -> Evidence:
    """How a job ended, with its certificate if it has one."""
    return {
        "outcome": end.outcome,
        "disposition": end.disposition,
        "reason": end.reason,
        "detail": end.detail,
        "certificate": certificate,
        **({} if end.dossier is None else {"dossier": end.dossier}),
    }


def end_cut_short(reason: Reason) -> JobEnd:
    """The end of a job that has come to none by itself."""
    broken = reason is Reason.INTERNAL_ERROR
    return JobEnd(
        outcome=Outcome.FAILED if broken else Outcome.ABORTED,
        disposition=DISPOSITION_OF[reason],
        reason=reason,
    )
