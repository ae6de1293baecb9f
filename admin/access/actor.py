"""Who acts, what his role lets him do, and which part of the tree he sees."""

from dataclasses import dataclass

from sqlalchemy import Select
from sqlalchemy.orm import Session

from admin.errors import NotAllowed, NotThere
from models.api_token import Scope
from models.audit import Via
from models.auditing import Author
from models.campaign import Campaign
from models.group import Group, subtree
from models.user import Role, User

_NO_USER = 0


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in user, or a program that speaks for one by a token.

    `scope` is the most the door lets him do: a page gives all that the role allows, a token what it
    was made for.
    """

    user_id: int
    group_id: int
    role: Role
    time_zone: str
    scope: Scope = Scope.ADMIN
    via: Via = Via.PAGE

    @property
    def author(self) -> Author:
        return Author(self.user_id or None, self.via)

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    def visible_groups(self) -> Select[int]:
        """The ids of his own group and all below it, to be used in `.in_()`."""
        return subtree(self.group_id)

    def may_write(self) -> bool:
        return self.scope is not Scope.READ

    def manages(self, campaign: Campaign) -> bool:
        """Whether he may change the campaign, which lies in his subtree."""
        return self.may_write() and (self.is_admin or campaign.owner_id == self.user_id)

    def require_writing(self) -> None:
        if not self.may_write():
            raise NotAllowed("this token may only read; use one with the scope write")

    def require_admin(self) -> None:
        """For campaigns of others, numbers without a campaign, prompts."""
        self.require_writing()
        if not self.is_admin:
            raise NotAllowed("only an admin may do this")

    def require_administration(self) -> None:
        """For users, groups, plans, tokens of others."""
        self.require_admin()
        if self.scope is not Scope.ADMIN:
            raise NotAllowed("this token may not administer; use one with the scope admin")

    def require_full_scope(self) -> None:
        """For what gives lasting access, such as a token: never by a token that may do less."""
        if self.scope is not Scope.ADMIN:
            raise NotAllowed("this token may not give access; use one with the scope admin")

    def require_managing(self, campaign: Campaign) -> None:
        self.require_writing()
        if not self.manages(campaign):
            raise NotAllowed("only the campaign's owner and admins may do this")


def on_the_server(group_id: int) -> Actor:
    """Whoever types commands on the server: an admin of that group, and no user."""
    return Actor(_NO_USER, group_id, Role.ADMIN, "UTC", Scope.ADMIN, Via.COMMAND)


def visible_group(session: Session, actor: Actor, group_id: int) -> Group:
    """The group, if it lies in the actor's subtree; raise `NotThere`."""
    group = session.get(Group, group_id)
    if group is None or not sees_group(session, actor, group_id):
        raise NotThere("there is no such group")
    return group


def sees_group(session: Session, actor: Actor, group_id: int) -> bool:
    """Whether the group is the actor's own or lies below it."""
    seen: set[int] = set()
    above: int | None = group_id
    while above is not None and above not in seen:
        if above == actor.group_id:
            return True
        seen.add(above)
        group = session.get(Group, above)
        above = None if group is None else group.parent_id
    return False


def sees_user(session: Session, actor: Actor, user: User | None) -> bool:
    """Whether it is the actor himself or, for an admin, somebody in his subtree."""
    if user is None:
        return False
    return user.id == actor.user_id or (actor.is_admin and sees_group(session, actor, user.group_id))
