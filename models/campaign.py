"""Campaigns: the agreements that own tracking numbers for a time."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, validates

from models.base import Base, words
from routing.destinations import refuse_unfit
from routing.numbers import PhoneNumber
from routing.route import EndOfCampaign


class Campaign(Base):
    """A campaign; its state and `active` are derived from these facts and the clock, never stored.

    Every write raises `revision`; a write based on an older one raises SQLAlchemy's StaleDataError.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("trim(name) <> ''", name="named"),
        CheckConstraint("ends_at > starts_at", name="ends_after_its_start"),
        Index(None, "starts_at", "id"),
        Index(None, "ends_at"),
        Index(None, "created_at", "id"),
        Index(None, "updated_at", "id"),
        CheckConstraint("talk_limit BETWEEN 60 AND 14400", name="talk_limit"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    external_id: Mapped[str | None] = mapped_column(index=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), index=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    archived_at: Mapped[datetime | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    """The first instant at which it is over; None: never."""
    end_of_campaign: Mapped[EndOfCampaign] = mapped_column(
        words(EndOfCampaign, "end_of_campaign"), default=EndOfCampaign.NORMAL
    )
    business_name: Mapped[str] = mapped_column(default="")
    business_number: Mapped[PhoneNumber | None]
    prompt_id: Mapped[int | None] = mapped_column(ForeignKey("prompts.id"), index=True)
    destination: Mapped[PhoneNumber | None] = mapped_column(index=True)
    talk_limit: Mapped[int | None]
    """Seconds that a connection may last; None: as the group says."""
    revision: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @validates("destination")
    def _fit_to_dial(self, _key: str, destination: PhoneNumber | None) -> PhoneNumber | None:
        if destination is not None:
            refuse_unfit(destination)
        return destination

    # The session counts (models.propagation): a campaign's facts also change with its group's plan.
    __mapper_args__ = {"version_id_col": revision, "version_id_generator": False}  # noqa: RUF012
