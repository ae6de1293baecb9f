"""Prompts: what an ended campaign tells callers, as text or as a recording named by its digest."""

from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, words

EXTENSIONS = {"audio/wav": "wav", "audio/mpeg": "mp3"}
"""The media types that are kept, with the ends of their file names."""


class PromptKind(StrEnum):
    TEXT = "text"
    RECORDING = "recording"


class PromptAudio(Base):
    """Audio that never changes: another recording has another digest and is another row."""

    __tablename__ = "prompt_audio"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of `data` in lower-case hexadecimal."""
    media_type: Mapped[str]
    seconds: Mapped[float]
    created_at: Mapped[datetime]
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Prompt(Base):
    """What to say, or which recording to play; without a `text` it is the standard wording."""

    __tablename__ = "prompts"
    __table_args__ = (
        CheckConstraint("trim(name) <> ''", name="named"),
        CheckConstraint("kind = 'text' OR digest IS NOT NULL", name="recording_has_audio"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), index=True)
    name: Mapped[str]
    kind: Mapped[PromptKind] = mapped_column(words(PromptKind, "kind"))
    language: Mapped[str] = mapped_column(default="en")
    voice: Mapped[str | None]
    text: Mapped[str | None]
    """None: the standard wording of the language."""
    digest: Mapped[str | None] = mapped_column(ForeignKey("prompt_audio.digest"), index=True)
    """The current recording; earlier ones stay readable by their own digests."""
    archived_at: Mapped[datetime | None]
    """Since when it can no longer be chosen."""


def store_recording(
    session: Session, data: bytes, *, media_type: str, seconds: float, at: datetime
) -> PromptAudio:
    """Keep audio under its digest, once however often it comes; ValueError for a media type not kept."""
    if media_type not in EXTENSIONS:
        raise ValueError(f"{media_type} is not kept; known are {', '.join(EXTENSIONS)}")
    digest = sha256(data).hexdigest()
    kept = session.get(PromptAudio, digest)
    if kept is None:
        kept = PromptAudio(digest=digest, media_type=media_type, seconds=seconds, created_at=at, data=data)
        session.add(kept)
        session.flush()
    return kept


def audio_by_digest(session: Session, digest: str) -> PromptAudio | None:
    return session.get(PromptAudio, digest)
