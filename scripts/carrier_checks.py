"""What `hookswitch doctor` looks at between the carrier and us: account, address, a request and back."""

import secrets
import time

import requests
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from models.tracking_number import NumberStatus, TrackingNumber
from routing.numbers import PhoneNumber
from scripts.assembly import Parts
from scripts.call import post_signed
from scripts.findings import Finding, Verdict
from scripts.number_market import addresses_of, open_numbers
from scripts.settings import is_loopback
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused
from webhooks.fallback import REHEARSAL

_CARRIER_PATIENCE = 10
"""Seconds."""
_SAMPLE = 5
"""Numbers whose addresses are looked at."""


def carrier(opened: Parts) -> Finding:
    """Ask the carrier who we are (twilio.com/docs/iam/api/account)."""
    account = opened.settings.twilio
    if opened.settings.is_local:
        return Finding("carrier", Verdict.OK, "not asked, since no carrier can reach this installation")
    try:
        with requests.Session() as session:
            session.trust_env = not is_loopback(account.api_base_url)
            answer = session.get(
                f"{account.api_base_url}/2010-04-01/Accounts/{account.account_sid}.json",
                auth=(account.account_sid, account.auth_token.reveal()),
                timeout=_CARRIER_PATIENCE,
            )
        status = answer.json()["status"] if answer.ok else None
    except (requests.RequestException, ValueError, LookupError, TypeError) as error:
        return Finding(
            "carrier",
            Verdict.WARNING,
            f"cannot be asked about the account ({type(error).__name__})",
            "see that this machine reaches TWILIO_API_BASE_URL",
        )
    if answer.status_code in {requests.codes.unauthorized, requests.codes.not_found}:
        return Finding(
            "carrier",
            Verdict.FAILED,
            "does not know TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN",
            "copy both from the carrier's console; its webhooks are signed with that token",
        )
    if status is None:
        return Finding("carrier", Verdict.WARNING, f"answers {answer.status_code}", "try again later")
    if status != "active":
        return Finding(
            "carrier", Verdict.FAILED, f"says that the account is {status}", "see the carrier's console"
        )
    return Finding("carrier", Verdict.OK, "knows the account and its token")


def public_address(opened: Parts) -> Finding:
    settings = opened.settings
    if settings.is_local:
        return Finding(
            "public address",
            Verdict.WARNING,
            f"{settings.public_base_url} is this machine only; no carrier can reach it",
            "fine for a trial; set PUBLIC_BASE_URL to the https origin that the carrier calls",
        )
    return Finding("public address", Verdict.OK, settings.public_base_url)


def web_server(opened: Parts) -> Finding:
    """Send a signed request through the public address to the one handler that needs no store."""
    settings = opened.settings
    form = {"CallSid": "CA" + secrets.token_hex(16), "AccountSid": settings.twilio.account_sid}
    form |= {"From": "anonymous", "To": "", "CallStatus": "ringing", "ErrorCode": REHEARSAL}
    try:
        response = post_signed(settings, "/webhooks/twilio/fallback", form, settings.public_base_url)
    except requests.RequestException as error:
        return Finding(
            "web server",
            Verdict.FAILED,
            f"{settings.public_base_url} does not answer ({type(error).__name__})",
            "start it (`hookswitch serve`), or mend the proxy, DNS or certificate in front of it",
        )
    if response.status_code == requests.codes.forbidden:
        return Finding(
            "web server",
            Verdict.FAILED,
            "refuses a correctly signed request",
            "give the server and this command the same PUBLIC_BASE_URL and TWILIO_*; restart the server",
        )
    if response.status_code != requests.codes.ok or "<Response" not in response.text:
        return Finding(
            "web server",
            Verdict.FAILED,
            f"answers {response.status_code} to a signed request",
            "see that the proxy passes /webhooks/ on unchanged",
        )
    return Finding("web server", Verdict.OK, "a signed request came back as TwiML")


def voice_addresses(opened: Parts) -> Finding:
    """Look whether the carrier would ask us about calls to some of our numbers."""
    check = "voice addresses"
    if not opened.settings.may_ask_carrier:
        return Finding(check, Verdict.OK, "not asked, since this is a local trial")
    try:
        numbers = _some_numbers(opened)
    except SQLAlchemyError as error:
        return Finding(check, Verdict.WARNING, f"unknown ({type(error).__name__})", "mend the database first")
    carrier = open_numbers(opened.settings, pause=_at_most_a_moment)
    wanted = addresses_of(opened.settings)
    try:
        owned = [carrier.owned(number) for number in numbers]
    except (CarrierUnavailable, CredentialsRefused) as error:
        told = error if isinstance(error, CarrierUnavailable) else "refuses the account with its token"
        return Finding(check, Verdict.WARNING, f"the carrier {told}", "try again later")
    wrong = sum(number is None or not number.is_answered_by(wanted) for number in owned)
    if wrong:
        return Finding(
            check,
            Verdict.FAILED,
            f"{wrong} of {len(numbers)} numbers do not point here",
            "run `hookswitch numbers reconcile`, and again with --apply",
        )
    told = f"{len(numbers)} numbers point here" if numbers else "there is no tracking number yet"
    return Finding(check, Verdict.OK, told)


def _some_numbers(opened: Parts) -> list[PhoneNumber]:
    wanted = select(TrackingNumber.number).where(
        TrackingNumber.status == NumberStatus.ACTIVE,
        TrackingNumber.carrier == "twilio",
        TrackingNumber.campaign_id.is_not(None),
    )
    with opened.database.reading() as session:
        return list(session.scalars(wanted.order_by(func.random()).limit(_SAMPLE)))


def _at_most_a_moment(seconds: float) -> None:
    """Who asks what is wrong does not want to wait for a busy carrier."""
    if seconds > 1:
        raise CarrierUnavailable("is busy")
    time.sleep(seconds)
