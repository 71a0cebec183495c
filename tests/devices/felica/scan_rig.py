"""A scan of model chips as tests ask for it."""

from __future__ import annotations

from chip_model import ModelField
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.devices.felica.verdict.baselines import Baselines, load_baselines, parse_baselines
from benchd.devices.felica.verdict.capture import signed_capture
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.devices.felica.verdict.scan import ChipHashes, Survey, scan_chip, survey_chip
from benchd.domain.chip import ChipScan
from benchd.signing.private_key import SigningKey

CATALOGUE = shipped_catalogue()
SHIPPED = load_baselines(CATALOGUE)
KEY = SigningKey(Ed25519PrivateKey.generate())
SIGNER = KEY.private.public_key()


def scan(
    field: ModelField,
    *,
    baselines: Baselines = SHIPPED,
    passes: int = 2,
    power_cycle: bool = True,
) -> ChipScan:
    return scan_chip(
        field,
        catalogue=CATALOGUE,
        baselines=baselines,
        identify=lambda idm: ChipHashes(f"hash of {idm.hex()}"),
        passes=passes,
        power_cycle=power_cycle,
        reader="Model Reader",
        clock=field.clock,
    )


def survey(field: ModelField, *, passes: int = 2, power_cycle: bool = True) -> Survey:
    return survey_chip(
        field, catalogue=CATALOGUE, passes=passes, power_cycle=power_cycle, clock=field.clock
    )


def with_baseline(text: str) -> Baselines:
    """The shipped baselines behind one that this rack has captured."""
    captured = parse_baselines(signed(text), "test", CATALOGUE, signer=SIGNER)
    return Baselines(all=(*captured, *SHIPPED.all))


def signed(text: str) -> str:
    """The text of one baseline as if this rack had captured it."""
    return signed_capture(text.lstrip("\n"), sign=KEY.sign, catalogue=CATALOGUE)
