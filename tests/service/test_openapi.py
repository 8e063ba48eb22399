"""The OpenAPI page against the service itself, by schemathesis, which nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.engine.conftest import BOXES, write_squares
from tests.engine.square_finder import SquareFinder

from .conftest import TOKEN, Live, make_settings, serve

EXAMPLES = 12
"""Requests for each operation. Thousands were sent while this was written."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("openapi")
    (folder / "imagery").mkdir()
    write_squares(folder / "imagery" / "squares.tif", BOXES)
    # Requests that wait must not hold the test up: what they wait for never matters here.
    limits = {"wait_seconds": 2.0, "queue": 8}
    with serve(make_settings(folder, limits=limits), SquareFinder()) as live:
        live.wait(live.ask(Path(folder / "imagery" / "squares.tif")))
        yield live


def test_every_request_the_page_allows_or_forbids_gets_an_answer_it_describes(service: Live) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json", headers=headers)
    wrong: list[str] = []
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: schemathesis.Case) -> None:
            nonlocal asked
            asked += 1
            reply = case.call(headers=headers, timeout=30)
            if reply.status_code >= 500 and reply.status_code != 503:
                raise AssertionError(f"{reply.status_code}: {reply.text}")
            # What a scene or a CRS must be like is more than a schema can say: a 422 with a sentence is fine.
            case.validate_response(reply, excluded_checks=[positive_data_acceptance])

        try:
            ask()
        except (AssertionError, BaseExceptionGroup) as err:
            wrong.append(f"{operation.label}: {err}")
    assert asked > 100
    assert not wrong, "\n\n".join(wrong)


def test_the_service_still_answers_after_all_that(service: Live) -> None:
    assert service.http.get("/health").status_code == 200
    assert service.http.get("/ready").json()["ready"] is True


def test_the_key_that_makes_a_request_repeatable_is_described(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    headers = {one["name"].lower(): one for one in document["paths"]["/ask"]["post"]["parameters"]}
    assert "same job" in headers["idempotency-key"]["description"]
    assert headers["idempotency-key"]["required"] is False
