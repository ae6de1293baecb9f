"""Tracking numbers: what is published in advertisements and dialled by callers."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, case, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column, validates

from models.base import Base, words
from routing.destinations import refuse_unfit
from routing.numbers import PhoneNumber
from routing.route import CallerId


class NumberTaken(Exception):
    """Numbers are held already, here or in another group; `numbers` says which."""

    def __init__(self, numbers: Collection[PhoneNumber]) -> None:
        # They print themselves masked, as the driver's words would not.
        super().__init__(f"held already: {', '.join(map(str, sorted(numbers)))}")
        self.numbers = frozenset(numbers)


class NumberStatus(StrEnum):
    ACTIVE = "active"
    RELEASED = "released"


class TrackingNumber(Base):
    """One holding of a number, from `hold_number` to `release`; held again it becomes a new row.

    Every write raises `revision`; a write based on an older one raises SQLAlchemy's StaleDataError.
    The columns that are None leave the matter to the campaign or the default.
    """

    __tablename__ = "tracking_numbers"
    __table_args__ = (
        Index(
            "uq_tracking_numbers_held",
            "number",
            unique=True,
            postgresql_where=text("status = 'active'"),
            sqlite_where=text("status = 'active'"),
        ),
        Index(None, "number", "id"),
        Index(None, "created_at", "id"),
        CheckConstraint("ring_timeout BETWEEN 5 AND 600", name="ring_timeout"),
        CheckConstraint("(status = 'released') = (released_at IS NOT NULL)", name="released_at_an_instant"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[PhoneNumber]
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id"), index=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id"), index=True)
    """That of its campaign, where it is on one."""
    name: Mapped[str] = mapped_column(default="")
    destination: Mapped[PhoneNumber | None]
    whisper: Mapped[str | None]
    ring_timeout: Mapped[int | None]
    """Seconds."""
    record_calls: Mapped[bool] = mapped_column(default=False)
    caller_id: Mapped[CallerId] = mapped_column(words(CallerId, "caller_id"), default=CallerId.CALLER)
    status: Mapped[NumberStatus] = mapped_column(words(NumberStatus, "status"), default=NumberStatus.ACTIVE)
    released_at: Mapped[datetime | None]
    carrier: Mapped[str]
    carrier_sid: Mapped[str | None]
    revision: Mapped[int] = mapped_column()
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    # The session counts (models.propagation), because a new holding starts above all earlier ones.
    __mapper_args__ = {"version_id_col": revision, "version_id_generator": False}  # noqa: RUF012

    def release(self, at: datetime) -> None:
        """Give the number back; its row stays, so that late callers are known to dial a released number."""
        self.status = NumberStatus.RELEASED
        self.released_at = at

    @validates("destination")
    def _fit_to_dial(self, _key: str, destination: PhoneNumber | None) -> PhoneNumber | None:
        if destination is not None:
            refuse_unfit(destination)
        return destination

    @validates("number", "status")
    def _one_way(self, key: str, value: object) -> object:
        """The index compares revisions per number: a row that came back or changed its number would lose."""
        before = getattr(self, key)
        if key == "number" and before not in {None, value}:
            raise ValueError("a tracking number keeps its number; release it and hold another")
        if before is NumberStatus.RELEASED and value is not NumberStatus.RELEASED:
            raise ValueError("a released number comes back by holding it again")
        return value


def hold_number(
    session: Session,
    number: PhoneNumber,
    *,
    group_id: int,
    carrier: str,
    carrier_sid: str | None = None,
    campaign_id: int | None = None,
    name: str = "",
    destination: PhoneNumber | None = None,
    whisper: str | None = None,
    ring_timeout: int | None = None,
    record_calls: bool = False,
    caller_id: CallerId = CallerId.CALLER,
) -> TrackingNumber:
    """Write down that we hold `number`, or raise `NumberTaken`, also when another session was faster.

    The row is flushed. Its revision is above that of every earlier holding: the index compares the
    revisions of one number and keeps the highest.
    """
    holding = TrackingNumber(
        number=number,
        group_id=group_id,
        carrier=carrier,
        carrier_sid=carrier_sid,
        campaign_id=campaign_id,
        name=name,
        destination=destination,
        whisper=whisper,
        ring_timeout=ring_timeout,
        record_calls=record_calls,
        caller_id=caller_id,
    )
    hold(session, [holding])
    return holding


def hold(session: Session, holdings: Collection[TrackingNumber]) -> None:
    """Write down new holdings, all or none, as `hold_number` does for one."""
    numbers = [holding.number for holding in holdings]
    earlier = session.execute(
        # Locked: a release that is not yet committed raises the revision we have to exceed.
        select(TrackingNumber.number, TrackingNumber.revision)
        .where(TrackingNumber.number.in_(numbers))
        .order_by(TrackingNumber.id)
        .with_for_update()
    ).all()
    highest: dict[PhoneNumber, int] = {}
    for number, revision in earlier:
        highest[number] = max(revision, highest.get(number, 0))
    try:
        with session.begin_nested():
            # In the order of the numbers: two who want the same ones wait for, and never block, each other.
            for holding in sorted(holdings, key=lambda holding: holding.number):
                holding.revision = 1 + highest.get(holding.number, 0)
                session.add(holding)
            session.flush()
    except IntegrityError:
        taken = held_numbers(session, numbers)
        if not taken:
            raise  # something else is wrong, such as a group that does not exist
        raise NumberTaken(taken) from None


def held_numbers(session: Session, numbers: Collection[PhoneNumber]) -> list[PhoneNumber]:
    """Which of the numbers are held."""
    held = TrackingNumber.status == NumberStatus.ACTIVE
    return list(
        session.scalars(select(TrackingNumber.number).where(TrackingNumber.number.in_(numbers), held))
    )


def held_number(session: Session, number: PhoneNumber) -> TrackingNumber | None:
    """The holding in force, if there is one."""
    held = TrackingNumber.status == NumberStatus.ACTIVE
    return session.scalar(select(TrackingNumber).where(TrackingNumber.number == number, held))


def last_holding(session: Session, number: PhoneNumber) -> TrackingNumber | None:
    """The holding in force, else the last one: what a call of the number is routed by."""
    held_first = case((TrackingNumber.status == NumberStatus.ACTIVE, 0), else_=1)
    holdings = select(TrackingNumber).where(TrackingNumber.number == number)
    return session.scalar(holdings.order_by(held_first, TrackingNumber.id.desc()).limit(1))
