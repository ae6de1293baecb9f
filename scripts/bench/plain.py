"""Yardstick: the plain way to write this webhook, as a competent developer would on PostgreSQL.

Flask view, the carrier's own validator and TwiML builder, one query, one insert, one commit; a pooled
engine, indexes where they belong. It has no index, no journal and no fallback.
"""

import os
from datetime import UTC, datetime, timedelta

from flask import Flask, Response, abort, request
from sqlalchemy import DateTime, ForeignKey, create_engine, delete, func, insert, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from scripts.bench.seeding import campaign_at, destination_at, number_at
from scripts.bench.traffic import VOICE_PATH

_THREADS = 4


class _Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy's declaration


class PlainCampaign(_Base):
    __tablename__ = "plain_campaigns"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    enabled: Mapped[bool]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    destination: Mapped[str]


class PlainNumber(_Base):
    __tablename__ = "plain_numbers"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("plain_campaigns.id"), index=True)


class PlainCall(_Base):
    __tablename__ = "plain_calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    call_sid: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str]
    caller: Mapped[str]
    caller_city: Mapped[str | None]
    caller_state: Mapped[str | None]
    caller_country: Mapped[str | None]
    campaign_id: Mapped[int | None]
    decision: Mapped[str]
    started_at: Mapped[datetime]


def prepare(engine: Engine, positions: range, now: datetime) -> None:
    """Make the tables and fill them with the same numbers and campaigns as ours."""
    _Base.metadata.create_all(engine)
    campaigns = {campaign_at(position): destination_at(position).e164 for position in positions}
    common = {"enabled": True, "starts_at": now, "ends_at": now + timedelta(days=365)}
    rows = [
        {"id": campaign, "name": f"Spring campaign {campaign}", "destination": destination, **common}
        for campaign, destination in campaigns.items()
    ]
    numbers = [{"number": number_at(p).e164, "campaign_id": campaign_at(p)} for p in positions]
    with engine.begin() as connection:
        connection.execute(insert(PlainCampaign), rows)
        connection.execute(insert(PlainNumber), numbers)


def forget_calls(engine: Engine) -> int:
    """Empty the call table; return how many calls were in it."""
    with engine.begin() as connection:
        count = connection.scalar(select(func.count()).select_from(PlainCall)) or 0
        connection.execute(delete(PlainCall))
    return count


def application() -> Flask:
    """The web application; reads its database, token and public address from the environment."""
    engine = create_engine(os.environ["DATABASE_URL"], pool_size=_THREADS)
    sessions = sessionmaker(engine)
    validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
    public_base_url = os.environ["PUBLIC_BASE_URL"]
    app = Flask(__name__, static_folder=None)

    @app.post(VOICE_PATH)
    def voice() -> Response:
        signature = request.headers.get("X-Twilio-Signature", "")
        if not validator.validate(public_base_url + request.path, request.form, signature):
            abort(403)
        now = datetime.now(UTC)
        with sessions.begin() as session:
            campaign = _campaign_of(session, request.form["To"])
            live = (
                campaign is not None
                and campaign.enabled
                and campaign.starts_at <= now
                and (campaign.ends_at is None or now < campaign.ends_at)
            )
            session.add(_call(campaign, live=live, now=now))
            response = VoiceResponse()
            if campaign is not None and live:
                dial = response.dial(answer_on_bridge=True, timeout=25)
                dial.number(campaign.destination)
            else:
                response.reject(reason="rejected")
        return Response(str(response), content_type="text/xml; charset=utf-8")

    return app


def _campaign_of(session: Session, number: str) -> PlainCampaign | None:
    return session.scalar(select(PlainCampaign).join(PlainNumber).where(PlainNumber.number == number))


def _call(campaign: PlainCampaign | None, *, live: bool, now: datetime) -> PlainCall:
    form = request.form
    return PlainCall(
        call_sid=form["CallSid"],
        number=form["To"],
        caller=form["From"],
        caller_city=form.get("FromCity"),
        caller_state=form.get("FromState"),
        caller_country=form.get("FromCountry"),
        campaign_id=None if campaign is None else campaign.id,
        decision="connect" if live else "reject",
        started_at=now,
    )
