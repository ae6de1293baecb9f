"""A recording is fetched from the carrier's own hosts, with our token, and from nowhere else."""

import io
from collections.abc import Iterator

import pytest
import responses

from tests.services.ports import free_port
from tests.services.twilio_account import TwilioAccountServer, dripping, saying
from webhooks.carriers import twilio_recording
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused
from webhooks.carriers.twilio_recording import ForeignHost, RecordingGone, TwilioRecordings

ACCOUNT = "AC" + "5" * 32
TOKEN = "0123456789abcdef"
SID = "RE" + "c" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{SID}"
API = "https://api.twilio.com"
AUDIO = b"RIFF" + bytes(range(256)) * 1000


@pytest.fixture
def recordings() -> TwilioRecordings:
    return TwilioRecordings(ACCOUNT, TOKEN, API)


@pytest.fixture
def twilio() -> Iterator[TwilioAccountServer]:
    with TwilioAccountServer(ACCOUNT, TOKEN) as server:
        server.recordings[SID] = AUDIO
        yield server


def fetched(recordings: TwilioRecordings, url: str) -> bytes:
    out = io.BytesIO()
    assert recordings.fetch(url, out) == len(out.getvalue())
    return out.getvalue()


def from_server(twilio: TwilioAccountServer, token: str = TOKEN) -> bytes:
    recordings = TwilioRecordings(ACCOUNT, token, twilio.origin, trust_environment=False)
    return fetched(recordings, twilio.origin + PATH)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.twilio.com/x",
        "https://API.TWILIO.COM/x",
        "https://twilio.com/x",
        "https://api.twilio.com:443/x",
        "https://api.dublin.ie1.twilio.com/x",
    ],
)
def test_twilios_own_hosts_are_the_carriers(recordings: TwilioRecordings, url: str) -> None:
    assert recordings.is_carriers(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.twilio.com/x",
        "ftp://api.twilio.com/x",
        "file:///etc/passwd",
        "https://api.twilio.com:8443/x",
        "https://api.twilio.com:99999/x",
        "https://user@api.twilio.com/x",
        "https://api.twilio.com@evil.example/x",
        "https://evil.example/api.twilio.com",
        "https://evil.example#.twilio.com",
        "https://evil.example\\.twilio.com/x",
        "https://eviltwilio.com/x",
        "https://twilio.com.evil.example/x",
        "https://api.twilio.com./x",
        "https://api.twilio.com\\@evil.example/x",
        "https://api.twilio.com\t.evil.example/x",
        "https://evil.example\n.twilio.com/x",
        " https://api.twilio.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::1/x",
        "https://169.254.169.254/latest/meta-data",
        "//api.twilio.com/x",
        "",
    ],
)
@responses.activate
def test_no_other_host_is_asked(recordings: TwilioRecordings, url: str) -> None:
    with pytest.raises(ForeignHost):
        recordings.fetch(url, io.BytesIO())
    assert len(responses.calls) == 0


def test_the_api_that_a_setting_names_is_the_carriers_and_no_neighbour_of_it() -> None:
    recordings = TwilioRecordings(ACCOUNT, TOKEN, "http://127.0.0.1:4010")
    assert recordings.is_carriers("http://127.0.0.1:4010/x")
    assert not recordings.is_carriers("http://127.0.0.1:4011/x")
    assert not recordings.is_carriers("https://127.0.0.1:4010/x")


def test_the_audio_comes_whole(twilio: TwilioAccountServer) -> None:
    assert from_server(twilio) == AUDIO


@responses.activate
def test_a_storage_of_the_carriers_is_asked_without_our_token(recordings: TwilioRecordings) -> None:
    storage = "https://media.twilio.com/signed?X-Key=1"
    responses.add(responses.GET, API + PATH, status=307, headers={"Location": storage})
    responses.add(responses.GET, storage, body=AUDIO)
    assert fetched(recordings, API + PATH) == AUDIO
    first, second = responses.calls
    assert "Authorization" in first.request.headers
    assert "Authorization" not in second.request.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@responses.activate
def test_a_redirect_away_from_the_carrier_is_not_followed(recordings: TwilioRecordings, status: int) -> None:
    responses.add(responses.GET, API + PATH, status=status, headers={"Location": "https://evil.example/x"})
    with pytest.raises(ForeignHost, match=r"evil\.example"):
        recordings.fetch(API + PATH, io.BytesIO())
    assert len(responses.calls) == 1


@responses.activate
def test_redirects_come_to_an_end(recordings: TwilioRecordings) -> None:
    responses.add(responses.GET, API + PATH, status=302, headers={"Location": PATH})
    with pytest.raises(CarrierUnavailable, match="redirects more than 3 times"):
        recordings.fetch(API + PATH, io.BytesIO())
    assert len(responses.calls) == 4


@responses.activate
def test_a_netrc_does_not_speak_for_us_at_a_storage(
    recordings: TwilioRecordings, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine media.twilio.com login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    responses.add(responses.GET, API + PATH, status=302, headers={"Location": "https://media.twilio.com/x"})
    responses.add(responses.GET, "https://media.twilio.com/x", body=b"RIFF")
    fetched(recordings, API + PATH)
    assert "Authorization" not in responses.calls[1].request.headers


@pytest.mark.parametrize("status", [404, 410])
def test_a_recording_that_was_deleted_is_gone(twilio: TwilioAccountServer, status: int) -> None:
    twilio.spoiled.append(saying(b"{}", status))
    with pytest.raises(RecordingGone):
        from_server(twilio)


@pytest.mark.parametrize("status", [429, 500, 503, 204])
def test_another_answer_is_no_recording(twilio: TwilioAccountServer, status: int) -> None:
    twilio.spoiled.append(saying(b"", status))
    with pytest.raises(CarrierUnavailable, match=f"answers {status}"):
        from_server(twilio)


def test_a_wrong_token_is_refused(twilio: TwilioAccountServer) -> None:
    with pytest.raises(CredentialsRefused):
        from_server(twilio, token="another")


def test_a_carrier_that_is_away_is_unavailable() -> None:
    origin = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CarrierUnavailable, match="ConnectionError"):
        fetched(TwilioRecordings(ACCOUNT, TOKEN, origin, trust_environment=False), origin + PATH)


def test_audio_without_end_is_not_taken(twilio: TwilioAccountServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio_recording, "LARGEST", len(AUDIO))
    assert from_server(twilio) == AUDIO
    monkeypatch.setattr(twilio_recording, "LARGEST", len(AUDIO) - 1)
    with pytest.raises(CarrierUnavailable, match="sends more than"):
        from_server(twilio)


def test_audio_that_drips_is_not_waited_for(
    twilio: TwilioAccountServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_recording, "_WHOLE", 0.1)
    twilio.spoiled.append(dripping(0.02, 30))
    with pytest.raises(CarrierUnavailable, match="TooSlow"):
        from_server(twilio)
