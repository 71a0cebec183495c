"""What a fresh picture has excused, and who has seen what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.signed_pictures import picture_sha256
from benchd.domain.evidence_values import Said, Sha256, Whole
from benchd.domain.person_names import same_person
from benchd.proof.evidence.handset_evidence import InitialiseEvidence
from benchd.proof.fresh_proof import excused_accounts, excused_packages, pictured_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshPictureSection:
    """The picture by its digest, and what this handset was excused by it; null without one."""

    sha256: Sha256 | None = None
    taken_by: tuple[Said, ...] = ()
    accounts: Whole = 0
    account_types: tuple[Said, ...] = ()
    packages: Whole = 0
    used_bytes_allowed: Whole = 0
    excuses: str | None = None

    @classmethod
    def of(cls, evidence: InitialiseEvidence) -> FreshPictureSection:
        """From what the handset was held against; nothing where that was the recipe alone."""
        if evidence.picture is None:
            return cls()
        picture, left = evidence.picture.picture, evidence.left
        accounts = excused_accounts(left, picture)
        section = cls(
            sha256=picture_sha256(picture),
            taken_by=tuple(witness.by for witness in picture.witnesses),
            accounts=accounts,
            account_types=left.maker_account_types if accounts else (),
            packages=excused_packages(left, picture),
            used_bytes_allowed=pictured_bytes(picture),
        )
        return replace(section, excuses=excuses_of(section))


def excuses_of(section: FreshPictureSection) -> str:
    """The sentence that its numbers make."""
    return Sentence.EXCUSED.format(
        accounts=section.accounts,
        packages=section.packages,
        bytes=section.used_bytes_allowed,
    )


def gaps_of_fresh(section: FreshPictureSection) -> Iterator[str]:
    """All that keeps it from saying by whose sight something was excused."""
    if section.sha256 is None:
        if section != FreshPictureSection():
            yield "something is excused without a fresh picture"
        return
    if section.excuses != excuses_of(section):
        yield "fresh_picture.excuses isn't what the rest of it says"
    if len(section.taken_by) != 2 or same_person(*section.taken_by):
        yield "the fresh picture wasn't taken by two people"
    if bool(section.accounts) is not bool(section.account_types):
        yield "the accounts that are excused have no types"
