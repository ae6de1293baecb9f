"""`hookswitch call`: play the carrier, with correctly signed webhooks, against a running server."""

import json
import secrets
import sys
from datetime import UTC, datetime
from xml.dom import minidom
from xml.parsers.expat import ExpatError

import click
import requests
from twilio.request_validator import RequestValidator

from routing.numbers import PhoneNumber
from scripts.arguments import INSTANT, ORIGIN, PHONE_NUMBER
from scripts.assembly import parts
from scripts.call_reports import OUTCOMES, reports
from scripts.cli import run
from scripts.explain import explain_number, show
from scripts.settings import Settings, is_loopback
from webhooks.voice import REHEARSED_INSTANT

_CARRIER_PATIENCE = 15
"""Seconds after which Twilio gives up on a webhook."""


def voice_form(settings: Settings, to: PhoneNumber, caller: str, at: datetime | None) -> dict[str, str]:
    """Build the fields that Twilio posts for an inbound call (twilio.com/docs/voice/twiml)."""
    form = {
        "CallSid": "CA" + secrets.token_hex(16),
        "AccountSid": settings.twilio.account_sid,
        "ApiVersion": "2010-04-01",
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": caller,
        "Caller": caller,
        "FromCity": "SAN FRANCISCO",
        "FromState": "CA",
        "FromCountry": "US",
        "FromZip": "",
        "To": to.e164,
        "Called": to.e164,
        "ToCity": "",
        "ToState": "",
        "ToZip": "",
        "ToCountry": "US",
        "StirVerstat": "TN-Validation-Passed-A",
    }
    if at is not None:
        form[REHEARSED_INSTANT] = at.isoformat()
    return form


def post_signed(settings: Settings, path: str, form: dict[str, str], send_to: str) -> requests.Response:
    """Post `form` to `send_to` + `path`, signed for the public address as the carrier would.

    Signs with the carrier's own library, not with our verifier: each proves the other. Follows no
    redirect, since a signature is good for one address. Raises `requests.RequestException`.
    """
    signer = RequestValidator(settings.twilio.auth_token.reveal())
    signature = signer.compute_signature(settings.public_base_url + path, form)
    with requests.Session() as session:
        # No proxy out of this machine leads back to it.
        session.trust_env = not is_loopback(send_to)
        return session.post(
            send_to + path,
            data=form,
            headers={"X-Twilio-Signature": signature},
            timeout=_CARRIER_PATIENCE,
            allow_redirects=False,
        )


@click.command(name="call")
@click.argument("to", type=PHONE_NUMBER)
@click.option("--from", "caller", default="+14155550142", show_default=True, help="The caller, or a word.")
@click.option("--at", type=INSTANT, help="Play the call at this instant; on a local installation only.")
@click.option("--carrier", type=click.Choice(["twilio"]), default="twilio", show_default=True)
@click.option(
    "--url",
    type=ORIGIN,
    help="Send to this origin, such as http://127.0.0.1:8000; default: PUBLIC_BASE_URL.",
)
@click.option(
    "--status",
    type=click.Choice(OUTCOMES),
    help="Play on after a <Dial>: what became of it, with every report that the carrier would send.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(  # noqa: PLR0917 - click hands over one argument an option
    to: PhoneNumber,
    caller: str,
    at: datetime | None,
    carrier: str,
    url: str | None,
    status: str | None,
    as_json: bool,  # noqa: FBT001 - click's way
) -> None:
    """Ring the number TO: send what the carrier would send, print the TwiML and why.

    Example: hookswitch call +15005550100 --from anonymous
    """
    with parts() as opened:
        settings = opened.settings
        if at is not None and not settings.is_local:
            raise click.UsageError(
                "--at works on a local installation only; `hookswitch explain --at` works anywhere"
            )
        form = voice_form(settings, to, caller, at)
        send_to = url or settings.public_base_url
        answer = _answer(settings, f"/webhooks/{carrier}/voice", form, send_to)
        twiml = _indented(answer, send_to)
        destination = minidom.parseString(answer).getElementsByTagName("Number")  # noqa: S318 - our own
        after: list[str] = []
        if status and destination:
            rung = destination[0].firstChild.data  # type: ignore[union-attr]  # a number is text
            for event, fields in reports(form, rung, status, at or datetime.now(UTC)):
                said = _answer(settings, f"/webhooks/{carrier}/{event}", fields, send_to)
                if said:
                    after.append(_indented(said, send_to))
        explanation = explain_number(opened, to, at or datetime.now(UTC), caller)
    if as_json:
        click.echo(
            json.dumps(
                {
                    "call_sid": form["CallSid"],
                    "twiml": answer,
                    "decision": explanation.decision,
                    "reason": explanation.reason,
                    "rule": explanation.rule,
                }
            )
        )
        return
    click.echo(twiml)
    show(explanation)
    for document in after:
        click.echo(f"after the dial ({status}):\n{document}")


def _answer(settings: Settings, path: str, form: dict[str, str], send_to: str) -> str:
    """Post one webhook and return what came back: TwiML, or nothing for a status."""
    try:
        response = post_signed(settings, path, form, send_to)
    except requests.RequestException as error:
        raise click.ClickException(
            f"no answer from {send_to} ({type(error).__name__}); is the server running?"
        ) from error
    if response.status_code not in {requests.codes.ok, requests.codes.no_content}:
        raise click.ClickException(
            f"{send_to} answered {response.status_code}: {_meaning(response.status_code)}"
        )
    return response.text


def _indented(document: str, send_to: str) -> str:
    # What is parsed is our own server's answer, a document of a few lines.
    try:
        root = minidom.parseString(document).documentElement  # noqa: S318
    except ExpatError as error:
        raise click.ClickException(f"{send_to} answered 200, but not with TwiML; is it ours?") from error
    return root.toprettyxml(indent="  ").rstrip() if root is not None else document


def _meaning(status: int) -> str:
    if status == requests.codes.forbidden:
        return (
            "signature or account refused; do this command and the server have the same TWILIO_* and"
            " PUBLIC_BASE_URL?"
        )
    return "the server does not take this for a call"


if __name__ == "__main__":
    sys.exit(run(command))
