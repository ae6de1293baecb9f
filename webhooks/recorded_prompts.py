"""Serve recorded prompts to the carrier: immutable, named by their digest, with ranges."""

import io

from flask import Blueprint, Response, abort, send_file
from sqlalchemy.exc import SQLAlchemyError

from models.database import Database
from models.prompt import EXTENSIONS, audio_by_digest

_FOR_EVER = 365 * 24 * 3600
"""Seconds; the address changes with the audio, so it never has to be asked for again."""


def recorded_prompts(database: Database) -> Blueprint:
    """`GET /prompts/<id>/<digest>.<ext>`; public, since carriers fetch it without credentials.

    A digest is 256 bits that only our TwiML names: whoever asks was told.
    """
    pages = Blueprint("recorded_prompts", __name__)

    @pages.get("/prompts/<int:prompt_id>/<digest>.<extension>")
    def play(prompt_id: int, digest: str, extension: str) -> Response:
        del prompt_id  # for people who read addresses; the digest says it all
        try:
            with database.reading() as session:
                audio = audio_by_digest(session, digest)
        except SQLAlchemyError:
            return Response("the recording cannot be read at the moment\n", 503, mimetype="text/plain")
        if audio is None or EXTENSIONS[audio.media_type] != extension:
            abort(404)
        data, media_type, created_at = audio.data, audio.media_type, audio.created_at
        response = send_file(
            io.BytesIO(data),
            mimetype=media_type,
            conditional=True,
            etag=digest,
            last_modified=created_at,
            max_age=_FOR_EVER,
        )
        response.cache_control.immutable = True
        response.cache_control.public = True
        return response

    return pages
