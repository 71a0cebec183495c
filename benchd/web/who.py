"""Who does something at intake: the one place where a request becomes a person.

Until people show who they are, it's the name that they type, as with answers to questions.
"""

from __future__ import annotations

from starlette.types import Scope

from benchd.people import operator_name
from benchd.proof.evidence.intake import Who
from benchd.web.peer import via


def who(operator: str, scope: Scope) -> Who:
    """The person behind a request; raises NameRefused for no name."""
    return Who(operator=operator_name(operator), via=via(scope))
