"""The stores of a bench: what is seeded, what is signed."""

from datetime import UTC, datetime
from urllib.parse import parse_qs

from twilio.request_validator import RequestValidator

from admin.access.actor import Actor
from models.database import Database
from models.routes import count_campaigns, count_numbers, route_of
from models.user import Role
from routing.decision import Connect
from routing.policy import decide
from scripts.bench import account, api, seeding, traffic
from scripts.settings import Secret, TwilioAccount

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ACCOUNT = TwilioAccount("AC" + "0" * 32, Secret("a-token"), None, "https://api.example.com")
BASE = "https://calls.example.com"


def test_every_seeded_number_is_connected_to_its_campaigns_destination(database: Database) -> None:
    seeding.seed(database, range(20), NOW)
    seeding.seed(database, range(20, 50), NOW)
    with database.session() as session:
        assert (count_numbers(session), count_campaigns(session)) == (50, 5)
        for position in (0, 9, 10, 49):
            decision = decide(route_of(session, seeding.number_at(position)), NOW)
            assert isinstance(decision, Connect)
            assert decision.destination == seeding.destination_at(position)
        assert route_of(session, seeding.number_at(50)) is None


def test_prepared_calls_are_signed_and_all_different() -> None:
    calls = traffic.calls(ACCOUNT, BASE, range(100), 50)
    validator = RequestValidator("a-token")
    sids = set()
    for call in calls:
        head, _, body = call.wire.decode().partition("\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        fields = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        assert validator.validate(BASE + traffic.VOICE_PATH, fields, headers["X-Twilio-Signature"])
        assert int(headers["Content-Length"]) == len(body)
        assert len(fields) == 20
        sids.add(fields["CallSid"])
    assert len(sids) == 50


def test_a_yardstick_is_only_asked_for_a_dial() -> None:
    calls = traffic.calls(ACCOUNT, BASE, range(10), 3)
    assert [(call.wire, b"<Dial") for call in calls] == [
        (call.wire, call.marker) for call in traffic.with_any_dial(calls)
    ]


def test_a_seeded_account_has_every_kind_of_row_in_every_list(postgres_database: Database) -> None:
    account.seed(postgres_database, groups=20, campaigns=100, numbers=500, calls=500, now=NOW)
    actor = Actor(1, 1, Role.ADMIN, "UTC")
    for resource, (page, _model, filters) in api.lists(NOW).items():
        with postgres_database.reading() as session:
            assert page(session, actor, {"count": "true"}, NOW).total > 0, resource
            for values in filters.values():
                page(session, actor, values, NOW)
