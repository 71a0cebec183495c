"""What a certificate can say of the binding."""

from __future__ import annotations

from benchd.certificate.trust_section import BindingSection
from benchd.domain.evidence_json import from_json, to_json
from tests.certificate.certificate_rack import IMEI, proven_erasure


def test_it_names_every_tie_and_no_number() -> None:
    section = BindingSection.of(proven_erasure())
    told = to_json(section)
    assert [(tie["tie"], tie["strong"]) for tie in told["bound_by"]] == [
        ("imei", True),
        ("screen_imei", True),
        ("serial", False),
    ]
    assert told["returns"] == 2
    assert IMEI not in str(told)
    assert from_json(BindingSection, told, "binding") == section
