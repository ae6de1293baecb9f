"""Groups: the tree of customers, regions and branches that campaigns and numbers belong to."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Select, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column, validates

from models.base import Base, words
from routing.destinations import countries_in
from routing.numbers import PhoneNumber
from routing.route import CallerId


class GroupCycle(ValueError):
    """A group cannot stand below itself."""


class Group(Base):
    """One node of the tree. `default_*` pre-fill new tracking numbers and route nothing themselves.

    A plan, time zone or default that is None is the parent's (`models.inheritance`).
    """

    __tablename__ = "groups"
    __table_args__ = (
        CheckConstraint("trim(name) <> ''", name="named"),
        CheckConstraint("parent_id <> id", name="not_its_own_parent"),
        CheckConstraint("default_ring_timeout BETWEEN 5 AND 600", name="default_ring_timeout"),
        CheckConstraint("talk_limit BETWEEN 60 AND 14400", name="talk_limit"),
        CheckConstraint("keep_callers_days BETWEEN 1 AND 3650", name="keep_callers_days"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("groups.id"), index=True)
    name: Mapped[str]
    external_id: Mapped[str | None]
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("plans.id"), index=True)
    """None: the parent's plan."""
    countries: Mapped[str | None]
    """Where calls may be connected to, such as `CA,GB,US`; None: as the parent says."""
    talk_limit: Mapped[int | None]
    """Seconds that a connection may last; None: as the parent says."""
    time_zone: Mapped[str | None]
    """A name of the IANA time zone database."""
    industry: Mapped[str | None]
    phone: Mapped[PhoneNumber | None]
    city: Mapped[str | None]
    archived_at: Mapped[datetime | None]
    default_destination: Mapped[PhoneNumber | None]
    default_whisper: Mapped[str | None]
    default_ring_timeout: Mapped[int | None]
    """Seconds."""
    default_record_calls: Mapped[bool | None]
    default_caller_id: Mapped[CallerId | None] = mapped_column(words(CallerId, "default_caller_id"))
    mask_callers: Mapped[bool | None]
    """Whether standard users see callers' numbers masked; None: as the parent says."""
    keep_callers_days: Mapped[int | None]
    """So many days after a caller's last call his number is replaced by a hash; None: as the parent says."""
    callers_forgotten_at: Mapped[datetime | None]
    """When the worker looked last for numbers that are not kept any longer."""

    @validates("countries")
    def _known_countries(self, _key: str, countries: str | None) -> str | None:
        return None if countries is None else ",".join(countries_in(countries.split(",")))


def subtree(*group_ids: int) -> Select[int]:
    """The ids of groups and of all below them, to be used in `.in_()`."""
    below = select(Group.id).where(Group.id.in_(group_ids)).cte("subtree", recursive=True)
    child = aliased(Group)
    below = below.union(select(child.id).join(below, child.parent_id == below.c.id))
    return select(below.c.id)


def ancestors(session: Session, group_id: int) -> list[Group]:
    """The way from the root to the group, the group included: the breadcrumb."""
    way: list[Group] = []
    group = session.get(Group, group_id)
    while group is not None and group not in way:
        way.append(group)
        group = None if group.parent_id is None else session.get(Group, group.parent_id)
    return way[::-1]


def countries_of(session: Session, group_id: int) -> tuple[str, ...] | None:
    """Where a group's calls may be connected to: its own list or the nearest above; None: there is none."""
    lists = (group.countries for group in reversed(ancestors(session, group_id)))
    found = next((countries for countries in lists if countries is not None), None)
    return None if found is None else tuple(found.split(","))


def refuse_cycles(session: Session, moved: Collection[Group]) -> None:
    """Raise `GroupCycle` if one of the groups, whose parents were changed, stands below itself."""
    parents = {group.id: group.parent_id for group in moved}
    with session.no_autoflush:
        for group in moved:
            seen: set[int] = set()
            above = group.parent_id
            while above is not None and above not in seen:
                if above == group.id:
                    raise GroupCycle(f"group {group.id} cannot stand below itself")
                seen.add(above)
                # Not from the session's own objects: others may have moved groups meanwhile.
                stored = select(Group.parent_id).where(Group.id == above)
                above = parents[above] if above in parents else session.scalar(stored)


def heirs(groups: Select[int]) -> Select[int]:
    """The ids of `groups` and of all groups that have their plan from one of them."""
    inheriting = groups.cte("heirs", recursive=True)
    child = aliased(Group)
    inheriting = inheriting.union(
        select(child.id).join(inheriting, child.parent_id == inheriting.c.id).where(child.plan_id.is_(None))
    )
    return select(inheriting.c.id)
