"""Webhook endpoints by the API: their secret is shown once, their address checked, their deliveries seen."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from admin.api.webhook_events import PAYLOADS
from models import call_log
from models.news import News, tell
from models.webhook_delivery import DeliveryStatus, WebhookAttempt, WebhookDelivery
from models.webhook_endpoint import WebhookEndpoint, WebhookEvent
from routing.arrival import Arrival, Source
from routing.events import CallEvent, CallUpdate, EventKind
from routing.route import Route
from tests.admin.api.integrator import Answer, Integrator, Premises
from tests.admin.knocks import A_PUBLIC_ADDRESS
from tests.builders import (
    NOW,
    a_campaign,
    a_number,
    an_endpoint,
    an_inbound_call,
    campaign_facts,
    number_facts,
)

NEW = {"address": A_PUBLIC_ADDRESS, "events": ["call.updated", "call.started"]}


def create(ada: Integrator, **said: object) -> Answer:
    return ada.post("webhook-endpoints", NEW | said)


def endpoint_with_deliveries(premises: Premises, count: int = 3) -> int:
    with premises.database.session() as session:
        endpoint = an_endpoint(session, group_id=premises.people.root, created_at=NOW)
        news = [
            News("call.started", f"call {n}", "1", premises.people.root, None, NOW, {"n": n})
            for n in range(count)
        ]
        assert tell(session, news, NOW) == count
        return endpoint.id


def give_up(premises: Premises) -> None:
    with premises.database.session() as session:
        for delivery in session.scalars(select(WebhookDelivery)):
            delivery.status, delivery.attempts = DeliveryStatus.FAILED, 10
            session.add(
                WebhookAttempt(
                    delivery_id=delivery.id, at=NOW, status=503, milliseconds=7, problem="it answered 503"
                )
            )


def test_its_secret_is_shown_once(ada: Integrator) -> None:
    made = create(ada, name="CRM", fields={"tenant": "north"})
    assert made.status == 201
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made.json["secret"])
    assert made.json["events"] == ["call.started", "call.updated"]
    assert made.json["fields"] == {"tenant": "north"}
    for shown in (ada.get(f"webhook-endpoints/{made.json['id']}"), ada.get("webhook-endpoints")):
        assert made.json["secret"] not in shown.response.text
    assert ada.get(f"webhook-endpoints/{made.json['id']}").json == {
        name: value for name, value in made.json.items() if name != "secret"
    }


def test_it_is_created_once_under_a_key_and_the_secret_is_not_kept(ada: Integrator) -> None:
    first = ada.post("webhook-endpoints", NEW, Idempotency_Key="k1")
    again = ada.post("webhook-endpoints", NEW, Idempotency_Key="k1")
    assert first.json["secret"] not in again.response.text
    assert len(ada.get("webhook-endpoints").json["items"]) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/hooks",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://0x7f000001/",
        "https://10.1.2.3/",
        "https://user@crm.example.com/",
        "file:///etc/passwd",
        "http://93.184.215.14/hooks",
    ],
)
def test_an_address_that_may_not_be_reached_is_refused(ada: Integrator, address: str) -> None:
    assert list(create(ada, address=address).wrong) == ["address"]
    made = create(ada)
    changed = ada.patch(f"webhook-endpoints/{made.json['id']}", {"address": address})
    assert list(changed.wrong) == ["address"]


def test_all_that_is_wrong_is_said_at_once(ada: Integrator) -> None:
    answer = ada.post(
        "webhook-endpoints",
        {
            "address": "ftp://x",
            "events": ["call.eaten"],
            "campaign_ids": [404],
            "group_id": 404,
            "fields": {"tenant": "a\nb"},
        },
    )
    assert set(answer.wrong) == {"address", "events.0", "campaign_ids", "group_id", "fields.tenant"}
    assert set(ada.post("webhook-endpoints", {}).wrong) == {"address", "events"}


def test_it_is_changed_but_keeps_its_group(ada: Integrator, premises: Premises) -> None:
    with premises.database.session() as session:
        campaign = a_campaign(session, group_id=premises.people.root, owner_id=premises.people.otis.id)
    path = f"webhook-endpoints/{create(ada).json['id']}"
    changed = ada.patch(path, {"events": ["call.completed"], "campaign_ids": [campaign.id], "revision": 1})
    assert (changed.json["events"], changed.json["campaign_ids"]) == (["call.completed"], [campaign.id])
    assert changed.json["revision"] == 2
    assert ada.patch(path, {"name": "x", "revision": 1}).status == 409
    assert list(ada.patch(path, {"group_id": premises.people.north}).wrong) == ["group_id"]
    assert set(ada.patch(path, {"address": None, "events": None}).wrong) == {"address", "events"}
    assert ada.patch(path, {"campaign_ids": None}).json["campaign_ids"] is None


def test_rotation_lets_both_secrets_sign_for_a_time(ada: Integrator, premises: Premises) -> None:
    made = create(ada).json
    rotated = ada.post(f"webhook-endpoints/{made['id']}/rotate", {"overlap_hours": 1}).json
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"] is not None
    with premises.database.reading() as session:
        row = session.get_one(WebhookEndpoint, made["id"])
        assert row.secrets(row.created_at) == (rotated["secret"], made["secret"])
    at_once = ada.post(f"webhook-endpoints/{made['id']}/rotate", {"overlap_hours": 0}).json
    assert at_once["previous_secret_until"] is None


def test_the_audit_trail_knows_of_it_and_not_its_secrets(ada: Integrator) -> None:
    made = create(ada, fields={"key": "hush"}).json
    rotated = ada.post(f"webhook-endpoints/{made['id']}/rotate").json
    ada.patch(f"webhook-endpoints/{made['id']}", {"fields": {"key": "hush hush"}})
    trail = ada.get(f"audit-entries?entity=webhook_endpoint&entity_id={made['id']}")
    assert {entry["field"] for entry in trail.json["items"]} >= {"created", "secret", "fields"}
    for hidden in (made["secret"], rotated["secret"], "hush"):
        assert hidden not in trail.response.text


def test_pause_and_resume(ada: Integrator, premises: Premises) -> None:
    path = f"webhook-endpoints/{create(ada).json['id']}"
    assert ada.post(f"{path}/pause").json["paused"]
    with premises.database.session() as session:
        row = session.get_one(WebhookEndpoint, int(path.rpartition("/")[2]))
        row.disabled_at, row.disabled_because = NOW, "gone"
    assert ada.get(path).json["disabled_because"] == "gone"
    opened = ada.post(f"{path}/resume").json
    assert (opened["paused"], opened["disabled_at"]) == (False, None)


def test_what_was_removed_is_not_there_and_gets_nothing(ada: Integrator, premises: Premises) -> None:
    endpoint_id = endpoint_with_deliveries(premises)
    assert ada.delete(f"webhook-endpoints/{endpoint_id}").status == 204
    assert ada.get(f"webhook-endpoints/{endpoint_id}").status == 404
    assert ada.get("webhook-endpoints").json["items"] == []
    with premises.database.reading() as session:
        assert set(session.scalars(select(WebhookDelivery.status))) == {DeliveryStatus.FAILED}


def test_a_test_is_a_delivery_like_others(ada: Integrator) -> None:
    path = f"webhook-endpoints/{create(ada).json['id']}"
    sent = ada.post(f"{path}/test").json
    assert (sent["event"], sent["status"], sent["payload"]["type"]) == (
        "webhook.test",
        "pending",
        "webhook.test",
    )
    assert ada.get(f"{path}/deliveries/{sent['id']}").json == sent
    assert [each["id"] for each in ada.get(f"{path}/deliveries?event=webhook.test").json["items"]] == [
        sent["id"]
    ]


def test_deliveries_are_listed_with_what_came_of_them(ada: Integrator, premises: Premises) -> None:
    path = f"webhook-endpoints/{endpoint_with_deliveries(premises)}"
    page = ada.get(f"{path}/deliveries?limit=2&count=true").json
    assert (len(page["items"]), page["total"]) == (2, 3)
    rest = ada.get(f"{path}/deliveries?cursor={page['next_cursor']}").json
    assert len(rest["items"]) == 1
    give_up(premises)
    assert ada.get(f"{path}/deliveries?status=pending").json["items"] == []
    failed = ada.get(f"{path}/deliveries?status=failed").json["items"][0]
    assert (failed["last_status"], failed["last_problem"]) == (503, "it answered 503")
    shown = ada.get(f"{path}/deliveries/{failed['id']}").json
    assert [each["problem"] for each in shown["tried"]] == ["it answered 503"]
    assert shown["payload"]["data"] == {"n": 2}
    assert ada.get(f"{path}/deliveries/404").status == 404


def test_one_or_all_of_a_span_are_sent_again_under_the_same_id(ada: Integrator, premises: Premises) -> None:
    path = f"webhook-endpoints/{endpoint_with_deliveries(premises)}"
    give_up(premises)
    failed = ada.get(f"{path}/deliveries").json["items"]
    again = ada.post(f"{path}/deliveries/{failed[0]['id']}/replay").json
    assert (again["status"], again["attempts"]) == ("pending", 0)
    assert again["message_id"] == failed[0]["message_id"]
    assert len(again["tried"]) == 1  # what came of it before can still be seen

    def replay(**said: object) -> Any:
        return ada.post(f"{path}/replay", said).json

    assert replay(created_before="2026-03-04T12:00:00Z") == {"queued": 0, "more": False}
    assert replay(event=["call.completed"]) == {"queued": 0, "more": False}
    assert replay(created_from="2026-03-04T12:00:00Z") == {"queued": 2, "more": False}
    assert replay() == {"queued": 0, "more": False}
    assert ada.get(path).json["waiting"] == 3


def test_deliveries_of_another_endpoint_are_not_there(ada: Integrator, premises: Premises) -> None:
    theirs = endpoint_with_deliveries(premises)
    delivery = ada.get(f"webhook-endpoints/{theirs}/deliveries").json["items"][0]["id"]
    mine = create(ada).json["id"]
    assert ada.get(f"webhook-endpoints/{mine}/deliveries/{delivery}").status == 404
    assert ada.post(f"webhook-endpoints/{mine}/deliveries/{delivery}/replay").status == 404


def test_failing_endpoints_can_be_asked_for(ada: Integrator, premises: Premises) -> None:
    create(ada)
    gone = create(ada).json["id"]
    with premises.database.session() as session:
        row = session.get_one(WebhookEndpoint, gone)
        row.disabled_at, row.disabled_because = NOW, "gone"
    assert [each["id"] for each in ada.get("webhook-endpoints?failing=true").json["items"]] == [gone]


def test_a_group_has_so_many_endpoints_at_most(ada: Integrator, premises: Premises) -> None:
    with premises.database.session() as session:
        for _ in range(50):
            an_endpoint(session, group_id=premises.people.root)
    assert list(create(ada).wrong) == ["group_id"]
    assert create(ada, group_id=premises.people.north).status == 201


def test_what_is_told_is_what_the_document_says(premises: Premises) -> None:
    """Field by field, with what the database really writes."""
    heard: dict[str, Any] = {}
    with premises.database.session() as session:
        group = premises.people.root
        an_endpoint(session, group_id=group, created_at=NOW - timedelta(days=9))
        campaign = a_campaign(session, group_id=group, owner_id=premises.people.otis.id, starts_at=NOW)
        number = a_number(session, campaign=campaign)
        number.release(NOW)
        campaign.archived_at = NOW
    route = Route(number_facts(campaign_id=campaign.id), campaign_facts(campaign.id, group_id=group))
    arrival = Arrival(an_inbound_call(call_sid="CA1"), route, Source.INDEX)
    update = CallUpdate(answered_at=NOW, ended_at=NOW, recording_sid="RE1", recording_url="https://x/RE1")
    for more in (update, CallUpdate(talk_seconds=7)):
        report = CallEvent("twilio", "CA1", EventKind.CALL, repr(more), None, NOW, more)
        call_log.record(premises.database, [arrival, report], NOW, "v1")
    with premises.database.reading() as session:
        for body in session.scalars(select(WebhookDelivery.body)):
            heard[json.loads(body)["type"]] = json.loads(body)
    assert set(heard) == {event.value for event in PAYLOADS}
    for event, (model, _) in PAYLOADS.items():
        told, data = heard[event.value], model.model_fields["data"].annotation
        assert data is not None
        assert set(told["data"]) == set(data.model_fields), event
        assert model.model_validate(told).model_dump(mode="json")["data"] == told["data"]
        assert ("changes" in told) == (event is WebhookEvent.CALL_UPDATED)
