"""What Twilio reports of a call after it was answered (twilio.com/docs/voice/twiml/dial and …/number)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

from routing.disposition import Disposition, Witness, disposition_of, rank
from routing.events import CallEvent, CallUpdate, EventKind, LegWitness
from webhooks.carriers.errors import ForeignAccount, Malformed
from webhooks.carriers.form import Form

MOST_RAW_FIELDS = 64
LONGEST_RAW_VALUE = 256

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_RECORDING_SID = re.compile(r"RE[0-9a-fA-F]{32}")
_RECORDING_IN_URL = re.compile(r"/Recordings/(RE[0-9a-fA-F]{32})(?![0-9a-fA-F])")
_URL = re.compile(r"https?://[!-~]{1,500}")
_SECONDS = re.compile(r"[0-9]{1,6}")  # up to eleven days; no call lasts longer than one
_KEY_CHARACTERS = re.compile(r"[^0-9A-Za-z_-]")
_LONGEST_NAME = 64
_LONGEST_WORD = 32
# What opens an account or what the caller keyed in or said, who may have been asked for a card number.
_SECRET = re.compile(r"token|secret|passw|signature|credential|auth|digits|speech", re.IGNORECASE)
# A day is more than any two clocks differ; a later stamp is a mistake, and "the latest end" would keep it.
_LATEST_STAMP = timedelta(days=1)


class TwilioEvents:
    """Reads verified forms into events; all methods raise `Malformed` and `ForeignAccount`.

    Only what names the call and the event has to be there and in shape. All else may be absent,
    unknown or nonsense: then it says nothing, and stays readable in the event's `raw`.
    """

    name = "twilio"

    def __init__(self, account_sid: str) -> None:
        self._account_sid = account_sid

    def dial_ended(self, form: Form, received_at: datetime) -> CallEvent:
        """Read the request of a `<Dial>`'s action: it ended, after DialCallDuration seconds of talk."""
        call_sid = self._call_sid(form)
        leg = form.text("DialCallSid")
        leg = leg if _CALL_SID.fullmatch(leg) else ""
        disposition = _dial_disposition(form)
        talk = _seconds(form, "DialCallDuration")
        recording_url = _url(form)
        completed = disposition is Disposition.COMPLETED
        update = CallUpdate(
            disposition=disposition,
            disposition_rank=None if disposition is None else rank(Witness.DIAL, disposition),
            started_at=_before(received_at, talk),
            talk_seconds=talk if completed else None,
            answering_leg=leg if completed and leg else None,
            answering_leg_rank=int(LegWitness.DIAL) if completed and leg else None,
            recording_url=recording_url,
            recording_sid=_recording_sid(form, recording_url),
            recording_seconds=None if recording_url is None else _seconds(form, "RecordingDuration"),
        )
        key = f"dial:{leg}" if leg else "dial"
        return CallEvent(
            self.name, call_sid, EventKind.DIAL, key, None, received_at, update, raw_fields(form)
        )

    def status(self, form: Form, received_at: datetime) -> CallEvent:
        """Read a status callback of either kind: one with a ParentCallSid is about a leg of ours."""
        if form.all("ParentCallSid"):
            return self.leg_status(form, received_at)
        return self.call_status(form, received_at)

    def leg_status(self, form: Form, received_at: datetime) -> CallEvent:
        """Read the status of a leg to the business: CallSid is that leg, ParentCallSid the call."""
        call_sid, leg = self._call_sid(form, "ParentCallSid"), _sid(form, "CallSid")
        word = _status(form)
        word = "answered" if word == "in-progress" else word
        occurred_at = _timestamp(form, received_at)
        at = occurred_at or received_at
        update = leg_update(word, leg, at, _seconds(form, "CallDuration"))
        key = f"leg:{leg}:{word}"
        return CallEvent(
            self.name, call_sid, EventKind.LEG, key, occurred_at, received_at, update, raw_fields(form)
        )

    def call_status(self, form: Form, received_at: datetime) -> CallEvent:
        """Read the status of the caller's own leg, as the number's status callback reports it."""
        call_sid = self._call_sid(form)
        word = _status(form)
        occurred_at = _timestamp(form, received_at)
        at = occurred_at or received_at
        update = call_update(word, at, _seconds(form, "CallDuration"))
        key = f"call:{word}"
        return CallEvent(
            self.name, call_sid, EventKind.CALL, key, occurred_at, received_at, update, raw_fields(form)
        )

    def recording_status(self, form: Form, received_at: datetime) -> CallEvent:
        """Read the status of a recording; only a completed one has an address worth keeping.

        The address is kept as sent. Whoever fetches it checks that the host is the carrier's.
        """
        call_sid = self._call_sid(form)
        recording_sid = _sid(form, "RecordingSid", _RECORDING_SID)
        word = _status(form, "RecordingStatus")
        began_at = _timestamp(form, received_at, "RecordingStartTime")
        seconds = _seconds(form, "RecordingDuration")
        completed = word == "completed"
        update = CallUpdate(
            started_at=began_at or _before(received_at, seconds),
            recording_sid=recording_sid if completed else None,
            recording_url=_url(form) if completed else None,
            recording_seconds=seconds if completed else None,
        )
        occurred_at = None if began_at is None else began_at + timedelta(seconds=seconds or 0)
        key = f"recording:{recording_sid}:{word}"
        return CallEvent(
            self.name, call_sid, EventKind.RECORDING, key, occurred_at, received_at, update, raw_fields(form)
        )

    def _call_sid(self, form: Form, field: str = "CallSid") -> str:
        """Return the call's id once it is certain that the report is for our account."""
        call_sid = _sid(form, field)
        if _only_one(form, "AccountSid") != self._account_sid:
            raise ForeignAccount
        return call_sid


def raw_fields(form: Form) -> dict[str, str]:
    """What was sent, to be kept: the first 64 fields, cut to 256 characters, without secrets.

    Empty fields are left out, and of Twilio's twins (CalledCity is ToCity, CallerCity is FromCity)
    those that say the same: together half of what is sent.
    """
    kept: dict[str, str] = {}
    for raw_name, raw_value in form.fields:
        name = _kept_name(raw_name)
        if name is not None and raw_value and name not in kept:
            kept[name] = raw_value.decode(errors="replace").replace("\0", "")[:LONGEST_RAW_VALUE]
            if len(kept) == MOST_RAW_FIELDS:
                break
    repeated = [name for name in kept if (twin := _twin(name)) and kept.get(twin) == kept[name]]
    for name in repeated:
        del kept[name]
    return kept


@lru_cache(maxsize=1024)
def _kept_name(raw_name: bytes) -> str | None:
    """The name of a field that may be kept. Remembered: Twilio sends the same names each time."""
    name = raw_name.decode(errors="replace").replace("\0", "")
    return None if len(name) > _LONGEST_NAME or _SECRET.search(name) else name


@lru_cache(maxsize=1024)
def _twin(name: str) -> str | None:
    for prefix, original in (("Called", "To"), ("Caller", "From")):
        if name.startswith(prefix):
            return original + name.removeprefix(prefix)
    return None


def call_update(word: str, at: datetime, duration: int | None) -> CallUpdate:
    """What it says that the caller's own leg was in the state `word` at the instant `at`."""
    disposition = disposition_of(word)
    if disposition is None:
        return CallUpdate(started_at=at)
    return CallUpdate(
        disposition=disposition,
        disposition_rank=rank(Witness.CALL, disposition),
        started_at=_before(at, duration),
        ended_at=at,
        duration_seconds=duration,
    )


def leg_update(word: str, leg: str, at: datetime, duration: int | None) -> CallUpdate:
    """What it says that the leg `leg` to the business was in the state `word` at the instant `at`."""
    if word == "ringing":
        return CallUpdate(started_at=at, rang_at=at)
    if word == "answered":
        rank_of_leg = int(LegWitness.LEG)
        return CallUpdate(started_at=at, answered_at=at, answering_leg=leg, answering_leg_rank=rank_of_leg)
    disposition = disposition_of(word)
    if disposition is None:
        return CallUpdate(started_at=at)
    completed = disposition is Disposition.COMPLETED
    return CallUpdate(
        disposition=disposition,
        disposition_rank=rank(Witness.LEG, disposition),
        started_at=_before(at, duration),
        rang_until=None if completed else at,
        talk_seconds=duration if completed else None,
        answering_leg=leg if completed else None,
        answering_leg_rank=int(LegWitness.LEG) if completed else None,
    )


def _dial_disposition(form: Form) -> Disposition | None:
    """Read DialCallStatus; a leg that was never bridged to the caller was no conversation.

    `answered` is what a conference says for `completed`. DialBridged is false where the business
    picked up, heard the whisper and left.
    """
    word = form.text("DialCallStatus")
    disposition = Disposition.COMPLETED if word == "answered" else disposition_of(word)
    if disposition is Disposition.COMPLETED and form.text("DialBridged").lower() == "false":
        return Disposition.NO_ANSWER
    return disposition


def _only_one(form: Form, field: str) -> str:
    values = form.all(field)
    if len(values) != 1:
        raise Malformed(field)
    return values[0]


def _sid(form: Form, field: str, shape: re.Pattern[str] = _CALL_SID) -> str:
    sid = _only_one(form, field)
    if not shape.fullmatch(sid):
        raise Malformed(field)
    return sid


def _status(form: Form, field: str = "CallStatus") -> str:
    """The status as sent, fit for a key, whether we know it or not."""
    sent = _KEY_CHARACTERS.sub("", _only_one(form, field)[:_LONGEST_WORD])
    if not sent:
        raise Malformed(field)
    return sent


def _seconds(form: Form, field: str) -> int | None:
    text = form.text(field)
    return int(text) if _SECONDS.fullmatch(text) else None


def _before(moment: datetime, seconds: int | None) -> datetime:
    try:
        return moment - timedelta(seconds=seconds or 0)
    except OverflowError:  # before the calendar began
        return moment


def _timestamp(form: Form, received_at: datetime, field: str = "Timestamp") -> datetime | None:
    """Read an RFC 2822 date as aware UTC; one without zone is GMT, as Twilio's are."""
    text = form.text(field)
    try:
        stamp = parsedate_to_datetime(text)
        stamp = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return stamp if stamp <= received_at + _LATEST_STAMP else None


def _url(form: Form) -> str | None:
    url = form.text("RecordingUrl")
    return url if _URL.fullmatch(url) else None


def _recording_sid(form: Form, url: str | None) -> str | None:
    if url is None:
        return None
    if _RECORDING_SID.fullmatch(sent := form.text("RecordingSid")):
        return sent
    found = _RECORDING_IN_URL.search(url)
    return found[1] if found else None
