"""`hookswitch calls recording`: the audio of one call in a file of its own, or one line why not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.call_event import record_events
from routing.events import CallEvent, CallUpdate, EventKind
from tests.builders import NOW
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation, Outcome
from tests.services.twilio_account import TwilioAccountServer, busy
from tests.webhooks.switchboard import ACCOUNT, TOKEN

CALL = "CA" + "a" * 32
RECORDING = "RE" + "c" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{RECORDING}"
AUDIO = b"RIFF....WAVE"


@pytest.fixture
def twilio(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwilioAccountServer]:
    with TwilioAccountServer(ACCOUNT, TOKEN) as server:
        server.recordings[RECORDING] = AUDIO
        monkeypatch.setenv("TWILIO_API_BASE_URL", server.origin)
        yield server


def recorded(installation: Installation, url: str | None) -> None:
    """A call in the log whose recording is at `url`."""
    known = CallUpdate(recording_sid=RECORDING, recording_url=url)
    event = CallEvent("twilio", CALL, EventKind.RECORDING, "recording", None, NOW, known)
    with installation.database.session() as session:
        record_events(session, [event])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "audio"
    folder.mkdir()
    return folder / "call.wav"


def fetch(typed: Typed, file: Path, *options: str) -> Outcome:
    return typed("calls", "recording", CALL, "--output", str(file), *options)


def test_the_recording_lands_in_the_file_for_its_owner_alone(
    twilio: TwilioAccountServer, installation: Installation, typed: Typed, file: Path
) -> None:
    recorded(installation, twilio.origin + PATH)
    assert fetch(typed, file) == Outcome(0, f"{file}: 12 bytes\n", "")
    assert file.read_bytes() == AUDIO
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_file_that_is_there_stays_unless_forced(
    twilio: TwilioAccountServer, installation: Installation, typed: Typed, file: Path
) -> None:
    recorded(installation, twilio.origin + PATH)
    file.write_bytes(b"mine")
    told = fetch(typed, file)
    assert (told.status, "--force replaces it" in told.complaint) == (1, True)
    assert (file.read_bytes(), twilio.requests) == (b"mine", [])
    assert fetch(typed, file, "--force").status == 0
    assert file.read_bytes() == AUDIO


def test_a_failure_leaves_no_file_and_not_even_a_part_of_one(
    twilio: TwilioAccountServer, installation: Installation, typed: Typed, file: Path
) -> None:
    recorded(installation, twilio.origin + PATH)
    twilio.recordings.clear()
    told = fetch(typed, file)
    assert (told.status, told.complaint) == (
        1,
        "hookswitch: the carrier does not have this recording (any more)",
    )
    twilio.spoiled.append(busy())
    assert "the carrier answers 429" in fetch(typed, file).complaint
    assert list(file.parent.iterdir()) == []


def test_a_call_without_a_recording_is_told(
    twilio: TwilioAccountServer, installation: Installation, typed: Typed, file: Path
) -> None:
    assert fetch(typed, file).complaint == f"hookswitch: the call log has no call {CALL}"
    recorded(installation, None)
    assert fetch(typed, file).complaint == f"hookswitch: call {CALL} has no recording"


def test_an_address_that_is_not_the_carriers_is_never_asked(
    twilio: TwilioAccountServer, installation: Installation, typed: Typed, file: Path
) -> None:
    with TwilioAccountServer(ACCOUNT, TOKEN, recordings={RECORDING: AUDIO}) as foreign:
        recorded(installation, foreign.origin + PATH)
        told = fetch(typed, file)
        assert foreign.requests == []
    assert "leads to 127.0.0.1, which is not the carrier's" in told.complaint
    assert list(file.parent.iterdir()) == []


def test_a_wrong_token_is_told(
    twilio: TwilioAccountServer,
    installation: Installation,
    typed: Typed,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded(installation, twilio.origin + PATH)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "another")
    assert "TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN" in fetch(typed, file).complaint


def test_a_folder_that_is_not_there_is_told(
    twilio: TwilioAccountServer, installation: Installation, typed: Typed, file: Path
) -> None:
    recorded(installation, twilio.origin + PATH)
    assert "cannot be written (No such file" in fetch(typed, file.parent / "gone" / "call.wav").complaint


def test_a_local_trial_does_not_bother_the_real_carrier(
    installation: Installation, typed: Typed, file: Path
) -> None:
    assert "this is a local trial" in fetch(typed, file).complaint


def test_the_file_has_to_be_named(installation: Installation, typed: Typed) -> None:
    assert typed("calls", "recording", CALL).status == 2
