"""A baseline made from a chip whose handset says that it is unused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

from benchd.devices.felica.protocol.codes import ordered, system_text
from benchd.devices.felica.verdict.baselines import parse_baselines, signed_bytes
from benchd.devices.felica.verdict.nodes import NodeCatalogue
from benchd.devices.felica.verdict.scan import Survey
from benchd.domain.chip import BaselineKind
from benchd.domain.errors import UsageRefused

UNUSED_LABELS: Final = ("未利用", "Unused")
"""What the screen メモリ使用状況 (memory usage) of the handset says of an unused chip."""
_FEWEST_PASSES: Final = 2
_LONGEST_MODEL: Final = 128


def capture_baseline(
    survey: Survey, *, name: str, model: str, screen: str, seen_on: date, catalogue: NodeCatalogue
) -> str:
    """The TOML text of an observed baseline, still to be signed by the rack that saw it.

    `model` is the handset's, `screen` what its own screen says of the chip, word by word. Raises
    UsageRefused where the survey or the label doesn't carry a baseline, DataFileInvalid where
    the name isn't one or the chip has a node that belongs to a known service.
    """
    look = survey.look
    if look is None or survey.passes < _FEWEST_PASSES or not survey.power_cycled:
        raise UsageRefused(
            f"a baseline takes {_FEWEST_PASSES} whole looks that agree, after the field was off"
            f" (this survey: {survey.detail or f'{survey.passes} looks'})"
        )
    if screen.strip() not in UNUSED_LABELS:
        raise UsageRefused(
            f"a baseline takes a handset whose screen says {' or '.join(UNUSED_LABELS)}"
        )
    if not 0 < len(model.strip()) <= _LONGEST_MODEL or not model.isprintable():
        raise UsageRefused(f"the handset's model: 1 to {_LONGEST_MODEL} printable characters")
    if not all(listed.complete for listed in look.systems.values()):
        raise UsageRefused("this chip doesn't list all its nodes: it can't be a baseline")
    provenance = f"{model.strip()}, whose screen said {screen.strip()}, on {seen_on.isoformat()}"
    lines = [
        "[[baseline]]",
        f"name = {_text(name)}",
        "version = 1",
        f"kind = {_text(BaselineKind.OBSERVED)}",
        f"ic_types = [{_text(f'{look.ic_type:02X}')}]",
        f"provenance = {_text(provenance)}",
    ]
    for system, listed in look.systems.items():
        nodes = ", ".join(_text(node.text) for node in ordered(listed.nodes))
        lines += [
            "",
            "[[baseline.system]]",
            f"code = {_text(system_text(system))}",
            f"nodes = [{nodes}]",
        ]
    text = "\n".join(lines) + "\n"
    parse_baselines(text, "captured baseline", catalogue)
    return text


def signed_capture(text: str, *, sign: Callable[[bytes], bytes], catalogue: NodeCatalogue) -> str:
    """The text of a baseline that was captured just now, with the signature that makes it count."""
    [baseline] = parse_baselines(text, "captured baseline", catalogue)
    observed = replace(baseline, kind=BaselineKind.OBSERVED)
    head, gap, systems = text.partition("\n\n")
    return f"{head}\nsignature = {_text(sign(signed_bytes(observed)).hex())}{gap}{systems}"


def _text(value: str) -> str:
    """A TOML string; JSON escapes what TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False)
