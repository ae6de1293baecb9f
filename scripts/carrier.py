"""Open the carrier's REST account for commands and the worker, and word its errors for people."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from scripts.settings import Settings, is_loopback
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused

if TYPE_CHECKING:
    from webhooks.carriers.twilio_account import TwilioRestAccount

NOT_ASKED = (
    "a local trial ({address}), for which the carrier is not asked;"
    " set PUBLIC_BASE_URL to the address that the carrier calls"
)
CREDENTIALS_ADVICE = (
    "the carrier refuses TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN; copy both from the carrier's console"
)


def open_account(settings: Settings, pause: Callable[[float], object] = time.sleep) -> "TwilioRestAccount":
    """Make the account's client; it connects when it is asked. `pause` waits between its tries."""
    # Takes half a second and 30 MB, which whoever does not ask the carrier should not pay.
    from webhooks.carriers.twilio_account import TwilioRestAccount

    account = settings.twilio
    return TwilioRestAccount(
        account.account_sid,
        account.auth_token.reveal(),
        account.api_base_url,
        pause=pause,
        # No proxy out of this machine leads back to it.
        trust_environment=not is_loopback(account.api_base_url),
    )


def check_may_ask(settings: Settings) -> None:
    """Stop a command of a local trial, whose account is made up, before it bothers the real carrier."""
    if not settings.may_ask_carrier:
        raise click.ClickException(f"this is {NOT_ASKED.format(address=settings.public_base_url)}")


@contextmanager
def carrier_explained() -> Iterator[None]:
    """Say in one line why the carrier gave no answer."""
    try:
        yield
    except CredentialsRefused as error:
        raise click.ClickException(CREDENTIALS_ADVICE) from error
    except CarrierUnavailable as error:
        raise click.ClickException(
            f"the carrier {error}; try again later, or check TWILIO_API_BASE_URL"
        ) from error
