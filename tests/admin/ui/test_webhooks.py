"""The pages of webhooks: made, shown with what came of each delivery, changed, sent again, removed."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from models.news import News, tell
from models.webhook_delivery import DeliveryStatus, WebhookAttempt, WebhookDelivery
from models.webhook_endpoint import WebhookEndpoint, WebhookLane
from tests.admin.knocks import A_PUBLIC_ADDRESS
from tests.admin.ui.visits import Visit, stored, writing
from tests.admin.walk import World
from tests.builders import NOW, an_endpoint

PATH = "/settings/webhooks"


def an_endpoint_of(world: World, **said: object) -> int:
    with writing(world) as session:
        return an_endpoint(session, **({"group_id": world.north, "created_at": NOW} | said)).id


def given_up(world: World, endpoint_id: int) -> int:
    """A delivery that failed to the last."""
    with writing(world) as session:
        news = News("call.completed", "call 1", "3", world.north, None, NOW, {"caller": "+14155550142"})
        tell(session, [news], NOW)
        delivery = session.scalars(select(WebhookDelivery).filter_by(endpoint_id=endpoint_id)).one()
        delivery.status, delivery.attempts = DeliveryStatus.FAILED, 10
        problem = "it answered 503"
        session.add(
            WebhookAttempt(
                delivery_id=delivery.id,
                at=NOW,
                status=503,
                milliseconds=7,
                problem=problem,
                answer="<b>later</b>",
            )
        )
        return delivery.id


def test_a_webhook_is_made_and_its_secret_shown_once(world: World, nora: Visit) -> None:
    made = nora.post(
        f"{PATH}/new",
        **{"call.started": "yes", "call.completed": "yes"},
        address=A_PUBLIC_ADDRESS,
        group_id=world.north,
        fields="tenant = north\nkey=a=b",
    )
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", made.source)
    assert secret is not None
    [link] = {link for link in made.links if re.fullmatch(rf"{PATH}/\d+", link)}
    endpoint = stored(world, WebhookEndpoint, int(link.rpartition("/")[2]))
    assert endpoint.secret == secret[0]
    assert endpoint.events == ["call.started", "call.completed"]
    assert endpoint.fields == {"tenant": "north", "key": "a=b"}
    for page in (nora.get(PATH), nora.get(link), nora.get(f"{link}/edit")):
        assert page.status == 200
        assert secret[0] not in page.source


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"address": "http://localhost/"}, {"address"}),
        ({"address": ""}, {"address"}),
        ({"call.started": ""}, {"events"}),
        ({"campaign_ids": "7, seven"}, {"campaign_ids"}),
        ({"campaign_ids": "404404"}, {"campaign_ids"}),
        ({"fields": "tenant"}, {"fields"}),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    world: World, nora: Visit, typed: dict[str, str], wrong: set[str]
) -> None:
    form = {"address": A_PUBLIC_ADDRESS, "call.started": "yes", "group_id": str(world.north)} | typed
    page = nora.post(f"{PATH}/new", **form)
    assert (page.status, set(page.errors)) == (422, wrong)
    endpoint_id = an_endpoint_of(world)
    page = nora.post(f"{PATH}/{endpoint_id}/edit", **form)
    assert (page.status, set(page.errors)) == (422, wrong)


def test_it_is_changed_but_not_over_a_newer_one(world: World, nora: Visit) -> None:
    endpoint_id = an_endpoint_of(world)
    form = {"address": A_PUBLIC_ADDRESS, "call.recorded": "yes", "name": "CRM", "revision": "1"}
    assert nora.post(f"{PATH}/{endpoint_id}/edit", **form).went_to == f"{PATH}/{endpoint_id}"
    assert stored(world, WebhookEndpoint, endpoint_id).events == ["call.recorded"]
    late = nora.post(f"{PATH}/{endpoint_id}/edit", **form | {"name": "Other"})
    assert late.status == 422
    assert "Somebody saved it" in late.text
    assert late.typed("name") == "Other"


def test_it_is_paused_and_opened_and_tested(world: World, nora: Visit) -> None:
    endpoint_id = an_endpoint_of(world)
    page = f"{PATH}/{endpoint_id}"
    assert nora.post(f"{page}/pause").went_to == page
    assert "paused" in nora.get(page).text
    assert nora.post(f"{page}/resume").went_to == page
    assert stored(world, WebhookEndpoint, endpoint_id).is_open
    assert nora.post(f"{page}/test").went_to == page
    assert "webhook.test waiting" in nora.get(page).text


def test_a_new_secret_is_shown_once_and_the_old_one_signs_for_a_while(world: World, nora: Visit) -> None:
    endpoint_id = an_endpoint_of(world)
    old = stored(world, WebhookEndpoint, endpoint_id).secret
    page = nora.post(f"{PATH}/{endpoint_id}/rotate", overlap_hours="2")
    changed = stored(world, WebhookEndpoint, endpoint_id)
    assert changed.secret in page.source
    assert changed.secrets(datetime.now(UTC)) == (changed.secret, old)
    for wrong in ("169", "-1", "many", ""):
        refused = nora.post(f"{PATH}/{endpoint_id}/rotate", overlap_hours=wrong)
        assert (refused.status, set(refused.errors)) == (422, {"overlap_hours"})


def test_a_delivery_shows_its_attempts_and_is_sent_again(world: World, nora: Visit) -> None:
    endpoint_id = an_endpoint_of(world)
    delivery_id = given_up(world, endpoint_id)
    listed = nora.get(f"{PATH}/{endpoint_id}?status=failed")
    assert "call.completed given up" in listed.text
    assert "call.completed given up" not in nora.get(f"{PATH}/{endpoint_id}?status=pending").text
    page = f"{PATH}/{endpoint_id}/deliveries/{delivery_id}"
    shown = nora.get(page)
    assert "It answered 503" in shown.text
    assert "<b>later" not in shown.source
    assert "+14155550142" in shown.text
    assert nora.post(f"{page}/replay").went_to == page
    assert stored(world, WebhookDelivery, delivery_id).status is DeliveryStatus.PENDING


def test_all_of_some_days_are_sent_again(world: World, nora: Visit) -> None:
    endpoint_id = an_endpoint_of(world)
    delivery_id = given_up(world, endpoint_id)
    page = f"{PATH}/{endpoint_id}"
    assert nora.get(f"{page}/replay").status == 200
    nora.post(f"{page}/replay", status="failed", created_from="2026-03-05")
    assert stored(world, WebhookDelivery, delivery_id).status is DeliveryStatus.FAILED
    wrong = nora.post(f"{page}/replay", status="failed", created_from="yesterday")
    assert wrong.status == 422
    done = nora.post(f"{page}/replay", status="failed", created_from="2026-03-04", created_to="2026-03-04")
    assert done.went_to == page
    assert stored(world, WebhookDelivery, delivery_id).status is DeliveryStatus.PENDING


def test_what_was_removed_is_not_there(world: World, nora: Visit) -> None:
    endpoint_id = an_endpoint_of(world)
    assert "Remove the webhook?" in nora.get(f"{PATH}/{endpoint_id}/remove").text
    assert nora.post(f"{PATH}/{endpoint_id}/remove").went_to == PATH
    assert nora.get(f"{PATH}/{endpoint_id}").status == 404
    assert f"{PATH}/{endpoint_id}" not in nora.get(PATH).links


def test_home_shows_webhooks_that_fail(world: World, nora: Visit, otis: Visit, sue: Visit) -> None:
    failing, gone = an_endpoint_of(world, name="CRM"), an_endpoint_of(world, name="Old CRM")
    with writing(world) as session:
        session.get_one(WebhookLane, failing).failing_since = NOW
        row = session.get_one(WebhookEndpoint, gone)
        row.disabled_at, row.disabled_because = NOW, "the receiver answered 410: it is gone"
    home = nora.get("/")
    assert "Webhook CRM fails since" in home.text
    assert "Webhook Old CRM is disabled: the receiver answered 410: it is gone" in home.text
    assert {f"{PATH}/{failing}", f"{PATH}/{gone}"} <= home.links
    assert "Failing since" in nora.get(f"{PATH}/{failing}").text
    assert "Disabled since" in nora.get(f"{PATH}/{gone}").text
    for other in (otis, sue):
        assert "CRM" not in other.get("/").text


def test_only_admins_have_the_tab(nora: Visit, otis: Visit) -> None:
    assert PATH in nora.get("/settings/tokens").links
    assert PATH not in otis.get("/settings/tokens").links
