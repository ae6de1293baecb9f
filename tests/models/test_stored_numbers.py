"""What the database puts together for the index is what the encoder would have written."""

from models.database import Database
from models.routes import stream_numbers, stream_stored_numbers
from routing.encoding import encoded
from routing.numbers import PhoneNumber
from routing.route import CallerId
from tests.builders import BUSINESS, NOW, a_campaign, a_number


def test_numbers_put_together_by_the_database_equal_encoded_ones(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session)
        for _ in range(3):
            a_number(session, campaign=campaign)
        for own in (
            {"destination": BUSINESS},
            {"whisper": "A call from the leaflet"},
            {"ring_timeout": 20},
            {"record_calls": True},
            {"caller_id": CallerId.TRACKING_NUMBER},
        ):
            a_number(session, campaign=campaign, **own)
        a_number(session)
        a_number(session, campaign=campaign).release(NOW)
        again = PhoneNumber("+15005550177")
        a_number(session, again, campaign).release(NOW)
        session.flush()
        a_number(session, again, campaign)
    with database.reading() as session:
        stored = {
            number: facts if isinstance(facts, bytes) else facts.encode()
            for number, facts in stream_stored_numbers(session)
        }
        assert stored == dict(encoded(stream_numbers(session)))
    assert len(stored) == 11
