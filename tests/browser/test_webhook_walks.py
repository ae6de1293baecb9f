"""An admin sets up a webhook, tests it, sees what was sent, and changes its secret."""

from ipaddress import ip_network

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.webhook_endpoint import WebhookEndpoint
from tests.browser.walk import Walk
from tests.services.apart import CourierApart
from tests.services.receiver import Receiver, answering
from webhooks.outgoing.addresses import AddressRules
from webhooks.outgoing.sending import Sender


def deliver(walk: Walk) -> None:
    """What a worker does, once."""
    sender = Sender(AddressRules([ip_network("127.0.0.0/8")]), "Hookswitch/test")
    courier = CourierApart(walk.house.database, sender, "walk")
    while not courier.work():
        pass
    courier.finish()


def point_to(session: Session, address: str) -> None:
    session.scalars(select(WebhookEndpoint).filter_by(archived_at=None)).one().address = address


def test_an_admin_sets_up_a_webhook_and_sees_what_it_was_told(walk: Walk) -> None:
    walk.sign_in()
    walk.menu("Settings")
    walk.page.get_by_role("navigation", name="Settings").get_by_role("link", name="Webhooks").click()
    walk.sees("No webhooks yet")
    assert walk.find_barriers() == []
    walk.open("Create a webhook")
    walk.window.get_by_label("Address").fill("http://169.254.169.254/latest")
    with walk.expecting(422):
        walk.window.get_by_role("button", name="Create").click()
        walk.window.get_by_text("Leads to a network").or_(walk.window.get_by_text("Must begin")).wait_for()
    assert walk.find_barriers() == []
    with Receiver(answering(503, b"be right back")) as receiver:
        walk.window.get_by_label("Address").fill("https://93.184.215.14/hooks")
        walk.window.get_by_label("Name (optional)").fill("CRM")
        walk.window.get_by_role("checkbox", name="call.started").check()
        walk.window.get_by_role("button", name="Create").click()
        walk.window.get_by_text("whsec_").wait_for()
        assert walk.find_barriers() == []
        walk.window.get_by_role("link", name="Done").click()
        walk.sees("Webhook details")
        walk.press("Send a test")
        walk.sees("A test is on its way")
        walk.house.write(lambda session: point_to(session, receiver.address))
        deliver(walk)
        walk.page.reload()
        walk.sees("it answered 503")
        walk.sees("Failing")
        assert walk.find_barriers() == []
        walk.open("webhook.test")
        walk.sees("be right back")
        assert walk.find_barriers() == []
        receiver.behaviour = answering(204)
        walk.press("Send again")
        deliver(walk)
        walk.page.reload()
        walk.sees("delivered")
    walk.open("CRM")
    walk.open("New secret…")
    walk.window.get_by_role("button", name="Make a new secret").click()
    walk.window.get_by_text("signs too, until").wait_for()
    walk.window.get_by_role("link", name="Done").click()
    walk.sees("two sign, until")
    walk.open("Remove…")
    walk.window.get_by_role("button", name="Remove", exact=True).click()
    walk.sees("No webhooks yet")
    assert walk.troubles == []
