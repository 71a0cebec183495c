"""Why a daemon didn't start, or had to end: a line of the journal, with what to do about it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import structlog

from benchd.daemon.exit_codes import IN_THE_JOURNAL, exit_code_of, gravest
from benchd.domain.errors import BenchdError, ConfigInvalid, LedgerFault
from benchd.texts.catalogue import Catalogue
from benchd.texts.failures import failure_text

MISTAKE_CURE = (
    "Mend each config_mistake before this line: `benchd check-config {file}` names them again;"
    " then `systemctl start benchd`."
)
LEDGER_CURE = (
    "Nothing is wiped without a ledger. `sudo benchd doctor` and `sudo benchd ledger verify` look"
    ' at it; what to do then: docs/runbooks/recovery.md, "Exit 4".'
)
FILE_CURE = "Correct the path, or who may use it; then `systemctl start benchd`."
OWN_CURE = "A mistake of benchd's own: send the makers this line and those before it."

_log = structlog.get_logger()


@contextmanager
def failure_in_journal(config: Path) -> Generator[None]:
    """Log whatever ends the block, and let it through; what was asked to end has no fault."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        _tell(error, config)
        raise


def _tell(error: BaseException, config: Path) -> None:
    status = exit_code_of(error)
    cause = gravest(error) or error
    cause.add_note(IN_THE_JOURNAL)
    match cause:
        case ConfigInvalid() as invalid:
            tell_mistakes(invalid)
            first, *more = invalid.issues
            detail = f"{first}, and {len(more)} more" if more else str(first)
            cure = MISTAKE_CURE.format(file=config)
            _log.error("ended_by_fault", status=status, detail=detail, cure=cure)
        case BenchdError() as fault:
            detail, cure = _words(fault)
            _log.error("ended_by_fault", status=status, detail=detail, cure=cure)
        case OSError() as refused if refused.filename:
            detail = f"{refused.filename}: {refused.strerror}"
            _log.error("ended_by_fault", status=status, detail=detail, cure=FILE_CURE)
        case other:
            detail = type(other).__name__
            _log.error(
                "ended_by_fault", status=status, detail=detail, cure=OWN_CURE, exc_info=error
            )


def _words(fault: BenchdError) -> tuple[str, str]:
    """Why, and what to do, each in a line; of the journal, as all of it in English."""
    detail, _, cure = failure_text(fault, Catalogue.load(), "en").partition("\n")
    if isinstance(fault, LedgerFault) and not getattr(fault, "cure", ""):
        # Those of the catalogue send people here.
        detail, cure = str(fault), LEDGER_CURE
    return " ".join(detail.splitlines()), " ".join(cure.splitlines())


def tell_mistakes(invalid: ConfigInvalid) -> None:
    """Log each mistake of a configuration with its place."""
    for issue in invalid.issues:
        _log.error(
            "config_mistake",
            place=f"{issue.file}:{issue.line}:{issue.column}",
            name=issue.key,
            detail=issue.message,
        )
