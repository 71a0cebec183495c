"""The API keeps to its own document, whatever it is asked: Schemathesis against a real server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import httpx2
import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from benchd.web import visitor_shares
from benchd.web.access_level import AccessLevel
from tests.patience import PATIENCE_S
from tests.web.fake_sessions import WORKER, screen_of
from tests.web.test_rows import whole_app
from tests.web.web_fakes import FakeRack, Feed, running_view
from tests.web.web_running import running

NOT_CLAIMED = [negative_data_rejection, positive_data_acceptance, unsupported_method]
"""A schema says neither which day lies before which, nor what else is ignored."""
MADE = ("MADE_PER_S", "MADE_OF_SOURCE_PER_S")
STREAM = "/api/v1/events"
"""Never ends, so nothing could look at the whole of it."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    rack = FakeRack()
    rack.board.show(running_view())
    rack.ledger.keep_sold('{"payload": ""}')
    path = tmp_path_factory.mktemp("served") / "benchd.sock"
    with pytest.MonkeyPatch.context() as patched, start_blocking_portal() as portal:
        # It asks more than all screens of a shop, and as nobody.
        for bound in ("SOURCE_PER_S", "ALL_PER_S", "SIGN_IN_PER_S", *MADE):
            patched.setattr(visitor_shares, bound, 1e6)
        records = portal.call(Records, path.with_name("records.sqlite"), Feed(rack))
        following = portal.start_task_soon(records.run)
        app = portal.call(
            partial(whole_app, rack, Catalogue.load(), AccessLevel.READ, records=records)
        )
        portal.call(records.reached, len(rack.ledger.stored))
        with portal.wrap_async_context_manager(running(app, path)) as served:
            yield f"http://127.0.0.1:{served.port}"
        following.cancel()


def breaches(address: str, mode: GenerationMode) -> list[str]:
    """What the document doesn't tell of, by the operation that gave it."""
    document = schemathesis.openapi.from_url(f"{address}/openapi.json")
    found: list[str] = []
    for result in document.exclude(path=STREAM).get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=8,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Case) -> None:
            try:
                case.call_and_validate(
                    headers=screen_of(WORKER),
                    excluded_checks=NOT_CLAIMED,
                )
            except Failure as failure:
                found.append(f"{case.method} {case.path}: {failure}")
            except FailureGroup as failures:
                found.extend(f"{case.method} {case.path}: {one}" for one in failures.exceptions)

        try:
            ask()
        except Unsatisfiable:
            continue  # nothing of this kind can be asked of it
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", GenerationMode)
def test_each_answer_is_one_that_the_document_tells_of(address: str, mode: GenerationMode) -> None:
    assert breaches(address, mode) == []


@pytest.mark.parametrize("body", [b"\xff\xfe{}", b'{"lot": "\xff"}', b"{", b"\x00" * 9])
@pytest.mark.parametrize(
    "path", ["/api/v1/lots", "/api/v1/session", "/api/v1/network.csv?source=x"]
)
def test_a_body_that_isnt_what_it_says_has_an_answer_in_the_document(
    address: str, path: str, body: bytes
) -> None:
    headers = {**screen_of(WORKER), "content-type": "application/json"}
    with httpx2.Client(base_url=address, timeout=PATIENCE_S) as client:
        told = client.get("/openapi.json").json()["paths"][path.partition("?")[0]]["post"]
        answer = client.post(path, content=body, headers=headers)
    assert str(answer.status_code) in told["responses"]
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"code", "message", "cause"}
