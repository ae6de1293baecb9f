"""What we send for numbers, held against Twilio's own OpenAPI description by a server made from it."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
import requests

from routing.numbers import PhoneNumber
from tests.services.ports import free_port
from webhooks.carriers.carrier_number import VoiceAddresses, Wanted
from webhooks.carriers.twilio_numbers import TwilioNumbers

ACCOUNT = "AC" + "5" * 32
SID = "PN" + "5" * 32
ADDRESSES = VoiceAddresses(
    "https://a.example.com/voice#rc=1", "https://b.example.com/", "https://c.example.com/"
)

# The description has two megabytes, and the server comes by npm: neither is part of this repository.
pytestmark = pytest.mark.skipif(
    not shutil.which("prism") or not os.environ.get("TWILIO_OPENAPI"),
    reason="takes Prism (npm: @stoplight/prism-cli) on PATH, and twilio_api_v2010.json in TWILIO_OPENAPI",
)


@pytest.fixture(scope="module")
def prism() -> Iterator[str]:
    port = free_port()
    words = ["prism", "mock", "-h", "127.0.0.1", "-p", str(port), os.environ["TWILIO_OPENAPI"]]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    origin = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 60
    try:
        while not listens(origin):
            assert process.poll() is None, "prism ended"
            assert time.monotonic() < deadline, "prism does not listen"
            time.sleep(0.1)
        yield origin
    finally:
        process.terminate()
        process.wait(10)


def listens(origin: str) -> bool:
    try:
        requests.get(origin, timeout=5)
    except requests.RequestException:
        return False
    return True


@pytest.fixture
def numbers(prism: str) -> TwilioNumbers:
    return TwilioNumbers(ACCOUNT, "token", prism, trust_environment=False)


def test_what_is_bought_and_set_up_is_understood(numbers: TwilioNumbers) -> None:
    number = PhoneNumber("+14155550100")
    address, bundle = "AD" + "5" * 32, "BU" + "5" * 32
    assert numbers.buy(number, "order", ADDRESSES, address_sid=address, bundle_sid=bundle).sid.startswith(
        "PN"
    )
    assert numbers.configure(SID, "Leaflet", ADDRESSES, detach=False) is not None
    assert numbers.by_sid(SID) is not None


def test_what_is_asked_for_and_given_back_is_understood(numbers: TwilioNumbers) -> None:
    wanted = Wanted("US", "local", "415", "55*", "CA", PhoneNumber("+14155550123"))
    assert numbers.search(wanted, 5)
    assert next(numbers.all(PhoneNumber="+14155550100", FriendlyName="order"))
    numbers.release(SID)
