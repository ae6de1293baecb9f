"""`hookswitch calls recording`: fetch the recording of one call from the carrier into a file."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
from sqlalchemy.exc import SQLAlchemyError

from models.call import call_by_sid
from scripts.assembly import Parts, parts
from scripts.carrier import carrier_explained, check_may_ask
from scripts.cli import run
from scripts.settings import is_loopback


@click.command(name="recording")
@click.argument("call_sid")
@click.option(
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the audio goes (WAV); readable by you alone.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def command(call_sid: str, output: Path, force: bool) -> None:  # noqa: FBT001 - click's way
    """Fetch the recording of a call from the carrier, and only from the carrier, with our token.

    A recording holds what people said: handle it as the law where they are wants it. Example:
    hookswitch calls recording CA0123456789abcdef0123456789abcdef --output call.wav
    """
    with parts() as opened:
        check_may_ask(opened.settings)
        url = _address_of(opened, call_sid)
        with _new_file(output, force=force) as file, carrier_explained():
            length = _fetched(opened, url, file)
    click.echo(f"{output}: {length:,} bytes")


def _address_of(opened: Parts, call_sid: str) -> str:
    try:
        with opened.database.reading() as session:
            call = call_by_sid(session, "twilio", call_sid)
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the call log cannot be read ({type(error).__name__}); try `hookswitch doctor`"
        ) from error
    if call is None:
        raise click.ClickException(f"the call log has no call {call_sid}")
    if call.recording_url is None:
        raise click.ClickException(f"call {call_sid} has no recording")
    return call.recording_url


def _fetched(opened: Parts, url: str, file: BinaryIO) -> int:
    # `requests` is slow to import.
    from webhooks.carriers.twilio_recording import ForeignHost, RecordingGone, TwilioRecordings

    account = opened.settings.twilio
    recordings = TwilioRecordings(
        account.account_sid,
        account.auth_token.reveal(),
        account.api_base_url,
        # No proxy out of this machine leads back to it.
        trust_environment=not is_loopback(account.api_base_url),
    )
    try:
        return recordings.fetch(url, file)
    except ForeignHost as error:
        raise click.ClickException(
            f"the recording's address leads to {error}, which is not the carrier's; nothing was fetched there"
        ) from error
    except RecordingGone as error:
        raise click.ClickException("the carrier does not have this recording (any more)") from error


@contextmanager
def _new_file(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A file, mode 600, that is at `path` once it is whole; what is there stays unless `force`."""
    if path.exists() and not force:
        raise click.ClickException(f"{path} is there already; --force replaces it")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written ({error.strerror})") from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(run(command))
