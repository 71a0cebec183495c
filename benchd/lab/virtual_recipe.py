"""The recipe of a virtual rack: the stages of a certified erasure, at its handsets' pace.

`python -m benchd.lab.virtual_recipe < stages.toml` writes one: `stages.toml` has the descriptions,
`deadline_s` of a stage that names none, and a table for each stage with parameters of its own.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping
from typing import Final

from benchd.domain.job import StageName
from benchd.proof.stage_order import REQUIRED_STAGES

Parameters = Mapping[str, float | str]
ATTEMPTS: Final = 3


def recipe_text(
    stages: Mapping[str, Parameters], *, deadline_s: int, description_ja: str, description_en: str
) -> str:
    """A recipe in TOML. `stages` has parameters by the stage's name, perhaps its own deadline."""
    order = (*REQUIRED_STAGES, StageName.CERTIFY)
    if strange := sorted(stages.keys() - set(order)):
        message = f"no stages of an erasure: {', '.join(strange)}"
        raise ValueError(message)
    text = 'name = "overwrite"\n'
    text += _lines({"description_ja": description_ja, "description_en": description_en})
    for name in order:
        every: Parameters = {"name": name, "deadline_s": deadline_s, "attempts": ATTEMPTS}
        text += "\n[[stage]]\n" + _lines({**every, **stages.get(name, {})})
    return text


def _lines(parameters: Parameters) -> str:
    return "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in parameters.items()
    )


def main() -> None:
    """Write the recipe that the tables on standard input ask for."""
    sys.stdout.write(recipe_text(**tomllib.load(sys.stdin.buffer)))


if __name__ == "__main__":
    main()
