"""One exception tree: a class is a decision for whoever catches it.

Adapters translate every foreign exception into one of these, so that the core decides
by class alone and never by a message. The classes that end a job carry a `Reason`
code; what an operator reads comes from the catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchd.domain.job import FaultCode, Reason

LONGEST_DETAIL = 1000
"""Characters of what is told of a failure: a handset's answer may be part of it."""


class BenchdError(Exception):
    """Base of all that benchd raises on purpose; `exit_code` is the command's."""

    exit_code = 1
    japanese: str | None = None
    """The same in Japanese, where whoever raised it took its words from the catalogue."""
    refusal: str | None = None
    """The API's code, where the daemon has refused and a command tells of it."""


class UsageRefused(BenchdError):
    """Raised when a request makes no sense as it stands; the text says what would."""

    exit_code = 2


class BadgeInText(UsageRefused):
    """Raised when somebody's badge stands in what is to be kept; nothing repeats it."""


BADGE_IN_TEXT = (
    "a badge stands in what was entered, and nothing of it was kept: take it out, and scan or type"
    " what belongs there"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigIssue:
    """One mistake in a configuration file, with the place and what is allowed there."""

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.key}: {self.message}"


class ConfigInvalid(BenchdError):
    """Raised with every mistake of a configuration at once."""

    exit_code = 2

    def __init__(self, issues: tuple[ConfigIssue, ...]) -> None:
        super().__init__("\n".join(str(issue) for issue in issues))
        self.issues = issues


class ListRefused(BenchdError):
    """Raised when a list that is watched can't be read any more; the former one stays."""


class DependencyMissing(BenchdError):
    """Raised when a program, device or key isn't there; `cure` says what to do."""

    exit_code = 3

    def __init__(self, message: str, *, cure: str) -> None:
        super().__init__(f"{message}\n{cure}")
        self.message = message
        self.cure = cure


class LedgerFault(BenchdError):
    """Raised when the ledger can't serve: no ledger, no wipe, so the daemon stops."""

    exit_code = 4


class ReadCutShort(LedgerFault):
    """Raised when a read of the ledger was interrupted or kept out: made again, it may well do."""


class LedgerBroken(LedgerFault):
    """Raised when the ledger doesn't verify; `sequence` is the first record that is wrong."""

    def __init__(self, message: str, *, sequence: int, cure: str = "") -> None:
        super().__init__(f"{message}\n{cure}" if cure else message)
        self.cure = cure
        self.sequence = sequence


class LedgerBusy(BenchdError):
    """Raised when a visitor's read of the ledger isn't made now; ledger and jobs go on."""

    exit_code = 4


class BackupInvalid(BenchdError):
    """Raised when a backup isn't just as this rack wrote it: none of it is put back."""


class SignedByRetired(BackupInvalid):
    """Raised where a retired key signed a backup, or a ledger: its thief may have, too."""


class WouldLose(UsageRefused):
    """Raised when a restore would lose records; `known` is the last there is, 0 for not known."""

    def __init__(self, message: str, *, kept: int, known: int) -> None:
        super().__init__(message)
        self.kept = kept
        self.known = known


class WouldVoid(UsageRefused):
    """Raised when a rotation would leave out certificates that the key has signed: so many."""

    def __init__(self, message: str, *, count: int) -> None:
        super().__init__(message)
        self.count = count


class NoLedger(UsageRefused):
    """Raised when a key would be retired without the ledger that says what it has signed."""


class AnchorUnreachable(BenchdError):
    """Raised when a place outside can't keep or tell a ledger's head: try again, never stop."""


class DecisionRefused(BenchdError):
    """Raised when a person's answer isn't accepted, or isn't this person's to give."""


class SecondPersonNeeded(DecisionRefused):
    """Raised when somebody confirms what they have worked on."""


class NameRefused(DecisionRefused):
    """Raised when what was given as a name can't be a person's."""


class NotAllowed(DecisionRefused):
    """Raised when somebody may not do this, or hasn't shown enough for it; the text says what."""


class MoreToShow(NotAllowed):
    """Raised when somebody might do this, but has shown less than it takes."""


class NotSignedIn(DecisionRefused):
    """Raised when nobody has shown who they are, or no more; the text says how to."""


class CodeOfAsset(NotSignedIn):
    """Raised when what was shown as a badge is an asset's tag: no try, and nobody is let in."""


class TriedTooOften(DecisionRefused):
    """Raised for a while after tries that failed; `wait_s` says for how long."""

    def __init__(self, message: str, *, wait_s: float) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class PersonRefused(DecisionRefused):
    """Raised when a change of people can't be made as it stands; the text says what could."""


class TokenRefused(DecisionRefused):
    """Raised when a change of tokens can't be made as it stands; the text says what could."""


class LookUpResultNeeded(DecisionRefused):
    """Raised when a network restriction is approved without the sign that the look-up gave."""


class ScreenNumberNeeded(DecisionRefused):
    """Raised when what was read from a handset's screen can't be the number that was asked for."""


class SameOrOtherNeeded(DecisionRefused):
    """Who is asked whether two handsets are one has to say which, and how they know."""


class ReasonNeeded(DecisionRefused):
    """Raised when a handset that was to be destroyed is let go on and nobody says why."""


class RecheckRefused(DecisionRefused):
    """Raised when no handset that waits for a recheck is meant by an answer, or several are."""


class IntakeRefused(DecisionRefused):
    """Raised when what somebody takes in or attests can't be so; nothing has changed."""


class ShippingRefused(DecisionRefused):
    """Raised when what is to go out has a handset that mustn't; nothing has changed."""


class HandsetAtWork(IntakeRefused):
    """Raised when a handset is said to have come in again whose job runs just then."""


class ModelDiffers(IntakeRefused):
    """Raised when only its model keeps a handset from being an asset: somebody may insist."""


class AnsweredAlready(DecisionRefused):
    """Raised when somebody else has answered first."""


class NotFound(BenchdError):
    """Raised when a slot, job or certificate of that name doesn't exist."""


class SettlingRefused(DecisionRefused):
    """Raised when what is said of a handset can't have become of it; the text says what can."""


class RecordsUnavailable(BenchdError):
    """Raised when the read model can't serve now; the ledger and the jobs go on."""


class LabelRefused(BenchdError):
    """Raised when a job has no label to print now; the text says why."""


class HooksUnavailable(BenchdError):
    """Raised when the file that says how far hooks have come can't be used: jobs go on."""


class SlotBusy(BenchdError):
    """Raised when something has to wait for the end of a slot's job."""


class DossierInvalid(BenchdError):
    """Raised when a folder isn't a handset's dossier, or can't be read as one."""

    exit_code = 2


class CertificateInvalid(BenchdError):
    """Raised when a certificate doesn't verify with the public key that was given."""


class CertificateGap(BenchdError):
    """Raised when the evidence of a job doesn't prove an erasure; `missing` lists every gap."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__("; ".join(missing))
        self.missing = missing


class HandsetFault(BenchdError):
    """Base of what goes wrong between benchd and one handset; `code` is the ledger's word."""

    code: ClassVar[FaultCode]


class TransientFault(HandsetFault):
    """Raised when the same attempt may well succeed if it is made again."""

    code = FaultCode.TRANSIENT_FAULT


class AccessLost(HandsetFault):
    """Base of what there is no way to any device by: wait for it, it isn't the device's fault."""


class ReaderFault(TransientFault):
    """Raised when a contactless reader failed or hung in mid-exchange; another attempt may do."""

    code = FaultCode.READER_FAULT


class ReaderGone(HandsetFault):
    """Raised while a slot's contactless reader or its pcscd is away: wait for it."""

    code = FaultCode.READER_GONE


class ReaderStuck(ReaderGone):
    """Raised while a reader is known not to come back from a command: wait for it.

    Unlike one that is away, its field may be on.
    """


class HandsetGone(HandsetFault):
    """Raised when the transport ended before the answer did: nothing is known of what was asked."""

    code = FaultCode.HANDSET_GONE


class StageFailed(BenchdError):
    """Raised to end the job as FAILED; `reason` decides where the handset goes."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail[:LONGEST_DETAIL]
        super().__init__(self.detail)


class HandsetStalled(StageFailed):
    """Raised when a handset that is connected has said nothing for too long."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.HANDSET_STALLED, detail)


class StorageFault(StageFailed):
    """Raised when the handset's storage refused, lost or changed what was written to it."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.STORAGE_FAULT, detail)


class AnswerNotRecognised(StageFailed):
    """Raised when an answer has a form that benchd doesn't know: a problem, never a default."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.ANSWER_NOT_RECOGNISED, detail)


class StorageContradicts(AnswerNotRecognised):
    """Raised when a handset's own programs tell two sizes of one storage: neither is believed."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.reason = Reason.STORAGE_CONTRADICTS


class OtherUserClosed(AnswerNotRecognised):
    """Raised when another user is closed to adb: somebody has to remove that user."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.reason = Reason.OTHER_USER


class UnsupportedHandset(StageFailed):
    """Raised when benchd has no way to erase this kind of handset."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.UNSUPPORTED_MODEL, detail)


class RecordRefused(StageFailed):
    """Raised when the ledger can't keep a record as it is: that job's trouble, not the ledger's."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.RECORD_REFUSED, detail)
