"""The live API does what its document says: schemathesis tries to show that it does not."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import NonFatalError, ScenarioFinished
from schemathesis.engine.recorder import ScenarioRecorder

from admin.api.limits import Counters
from models.api_token import Scope
from models.webhook_endpoint import WebhookEvent
from tests.admin.api.integrator import Premises
from tests.builders import a_campaign, a_number, a_text_prompt, an_endpoint
from tests.scripts.installation import Server
from webhooks.outgoing import addresses

_EXAMPLES = 2
"""For each operation, beside all that its boundaries suggest."""
_THOROUGHLY = ["examples", "coverage", "fuzzing"]
_AT_THE_DOOR = ["examples", "fuzzing"]
"""Without a token nearly everything is refused before it is looked at."""
# What is allowed by the schema may still be refused for what it means: an end before its start.
_MAY_BE_ANSWERED = ["2xx", "304", "401", "403", "404", "409", "422"]


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of requests a minute are too many only for a real installation."""
    monkeypatch.setattr(Counters, "add", lambda *_: 1)
    # Nobody looks up names that were made up.
    monkeypatch.setattr(addresses, "look_up", lambda *_: ["93.184.215.14"])


@pytest.fixture
def furnished(premises: Premises, unlimited: None) -> Premises:
    """An installation with things in it, some of which the boundaries (id 1) name."""
    with premises.database.session() as session:
        for group_id in (premises.people.root, premises.people.north):
            campaign = a_campaign(session, group_id=group_id, owner_id=premises.people.otis.id)
            a_number(session, campaign=campaign)
            a_text_prompt(session, group_id=group_id)
            an_endpoint(session, group_id=group_id)
    for person in (premises.people.otis, premises.people.nora):  # the first tokens may be revoked
        premises.program_of(person, Scope.READ)
    return premises


def findings(origin: str, phases: list[str], token: str | None) -> Iterator[str]:
    config = SchemathesisConfig()
    schema = schemathesis.openapi.from_url(f"{origin}/api/v1/openapi.json", config=config)
    project = schema.config
    project.update(headers=None if token is None else {"Authorization": f"Bearer {token}"}, workers=1)
    project.generation.update(max_examples=_EXAMPLES, deterministic=True, no_shrink=True)
    project.phases.update(phases=phases)
    project.checks.positive_data_acceptance.expected_statuses = _MAY_BE_ANSWERED
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError):
            yield f"{event.label}: {event.value!r}"
        if isinstance(event, ScenarioFinished):
            yield from _failures(event.recorder)


def _failures(recorder: ScenarioRecorder) -> Iterator[str]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                case, failure = recorder.cases[case_id].value, check.failure_info.failure
                yield f"{case.as_curl_command()}\n{failure.title}: {failure.message}"


@pytest.mark.parametrize(("who", "phases"), [("an admin", _THOROUGHLY), ("nobody", _AT_THE_DOOR)])
def test_nothing_is_found_by_requests_of(who: str, phases: list[str], furnished: Premises) -> None:
    token = furnished.program_of(furnished.people.ada).token if who == "an admin" else None
    with Server(furnished.application) as server:
        found = list(findings(server.origin, phases, token))
    if found:
        pytest.fail("\n\n".join(found), pytrace=False)


@pytest.fixture
def described(premises: Premises) -> Any:
    return premises.stranger().get("openapi.json").json


def _operations(described: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_every_address_of_the_api_is_described(premises: Premises, described: Any) -> None:
    shown = {(method.upper(), path) for method, path, _ in _operations(described)}
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in premises.flask.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
    }
    assert shown == served
    assert len(shown) > 50


def test_every_operation_says_what_it_does_under_a_name_of_its_own(described: Any) -> None:
    names = [operation["operationId"] for _, _, operation in _operations(described)]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for _, _, operation in _operations(described))


def test_every_body_and_answer_has_an_example_that_fits_its_schema(described: Any) -> None:
    shown = 0
    for _, _, operation in _operations(described):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        answers = [answer for answer in operation["responses"].values() if "content" in answer]
        for content in (content for part in (*bodies, *answers) for content in part["content"].items()):
            if content[0] == "application/json":
                shown += 1
                schema = content[1]["schema"] | {"components": described["components"]}
                jsonschema_rs.validate(schema, content[1]["example"])
    assert shown > 80


def test_every_webhook_has_an_example_that_fits_its_schema(described: Any) -> None:
    for event, methods in described["webhooks"].items():
        content = methods["post"]["requestBody"]["content"]["application/json"]
        jsonschema_rs.validate(
            content["schema"] | {"components": described["components"]}, content["example"]
        )
        assert content["example"]["type"] == event
    assert set(described["webhooks"]) == {event.value for event in WebhookEvent}


def test_every_problem_has_an_example_that_fits_its_schema(described: Any) -> None:
    for answer in described["components"]["responses"].values():
        content = answer["content"]["application/problem+json"]
        schema = content["schema"] | {"components": described["components"]}
        jsonschema_rs.validate(schema, content["example"])


def test_nothing_is_described_that_nobody_refers_to(described: Any) -> None:
    text = json.dumps(described)
    assert [name for name in described["components"]["schemas"] if f'schemas/{name}"' not in text] == []


def test_the_page_that_shows_it_has_no_code_of_its_own(premises: Premises) -> None:
    page = premises.stranger().get("/api/docs").response
    assert "'unsafe" not in page.headers["Content-Security-Policy"]
    assert (
        re.findall(r"<script(?! src=\"/api/docs/[\w.-]+\"></script>)|<style|style=| on\w+=", page.text) == []
    )
    for asset in re.findall(r'(?:src|href)="(/api/docs/[^"]+)"', page.text):
        answer = premises.stranger().get(asset)
        assert (answer.status, answer.response.headers["X-Content-Type-Options"]) == (200, "nosniff")
    assert premises.stranger().get("/api/docs/../../wsgi.py").status == 404
