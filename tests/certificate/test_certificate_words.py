"""Each sentence is the one that a certificate's own numbers make: nothing can be said beside."""

from __future__ import annotations

import pytest

from benchd.certificate import SigningKey, gaps_of, sign_statement
from benchd.domain.errors import CertificateGap
from benchd.domain.ids import Evidence
from tests.certificate.test_certificate_verification import Json, changed, refusal, sign_anything


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("issued_at",), "2026-11-24T09:29:59+00:00", "before network was decided"),
        (("confirmation", "at"), "2026-11-24T13:00:01+00:00", "before it was confirmed"),
        (("technique",), "overwritten", "technique isn't what"),
        (("standard",), "NIST SP 800-88 Rev. 2, Clear", "standard isn't what"),
        (("medium", "type"), "flash memory", "medium.type isn't what"),
        (("not_reached",), ["nothing"], "not_reached isn't what"),
        (("trusted", "read_by"), "an attestation", "trusted.read_by isn't what"),
        (("trusted",), None, "object"),
        (("final_reset", "kinds"), ["seen"], "final_reset.kinds isn't what"),
        (("bound_by",), [], "list"),
        (("bound_by",), ["faith"], "bound_by isn't what"),
        (("in_use_before", "at_overwrite_bytes"), 0, "not_reached isn't what"),
        (("in_use_before", "free_after_overwrite_bytes"), 1, "not_reached isn't what"),
        (("in_use_before", "free_after_overwrite_bytes"), 7 << 30, "more than last gaps"),
        (("in_use_before", "free_after_overwrite_bytes"), -1, "free_after_overwrite_bytes"),
        (("nominal_capacity_bytes",), "64 GB", "nominal_capacity_bytes"),
        (("nominal_capacity_bytes",), None, "nominal_capacity_bytes"),
        (("felica", "clear"), "done", "felica.clear isn't what"),
        (("felica", "baseline_sha256"), "00", "SHA-256"),
    ],
)
def test_what_it_says_is_what_the_rest_of_it_says(
    key: SigningKey, statement: Evidence, path: tuple[str | int, ...], value: Json, reason: str
) -> None:
    broken = changed(statement, ("predicate", *path), value)
    assert reason in "; ".join(gaps_of(broken))
    with pytest.raises(CertificateGap):
        sign_statement(broken, key)
    assert reason in refusal(sign_anything(broken, key), key.public_key_pem)
