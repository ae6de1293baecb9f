"""`/api/v1/users`."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from admin import users as use_cases
from admin.access.links import VALID_FOR
from admin.api.operations import Asked, Resource
from admin.drafts import Instant
from admin.lists import users as lists
from admin.lists.users import UserFilters
from admin.users import Disabling, NewUser, UserChanges
from admin.views import Page, UserView, View
from models.sign_in import LinkPurpose

USER: dict[str, Any] = {
    "id": 4,
    "email": "otis@example.com",
    "name": "Otis Owner",
    "role": "standard",
    "group_id": 2,
    "group_name": "Bay Bakery North",
    "time_zone": "America/Los_Angeles",
    "status": "active",
    "second_factor": False,
    "created_at": "2026-07-01T07:00:00Z",
}
_LINK = {"link": "https://calls.example.com/password#mYx…", "link_expires_at": "2026-07-04T07:00:00Z"}

LinkTo = Callable[[str], str]
"""The address of the page that takes a one-time secret."""


class LinkView(View):
    """A link by which a user sets a password, once; shown once."""

    link: Annotated[str, Field(description="its secret stands behind the #, where no log has it")]
    link_expires_at: Instant


class InvitedUser(UserView, LinkView):
    """A user who was just created, and the link that invites him."""


def users(link_to: LinkTo) -> Resource:
    resource = Resource(
        "users",
        "Users",
        "Operators. Admins manage those of their subtree; who is no admin sees and changes only himself.",
    )

    @resource.get(
        "",
        query=UserFilters,
        answers=Page[UserView],
        example={"items": [USER], "next_cursor": None, "total": None},
    )
    def list_users(asked: Asked) -> Page[UserView]:
        """List users."""
        return lists.page(asked.session, asked.actor, asked.query, asked.now)

    @resource.get("/<id:user_id>", answers=UserView, example=USER)
    def show_user(asked: Asked, user_id: int) -> UserView:
        """Show a user."""
        return lists.one(asked.session, asked.actor, user_id, asked.now)

    @resource.create(
        "",
        body=NewUser,
        sends={"email": "otis@example.com", "name": "Otis Owner", "role": "standard", "group_id": 2},
        answers=InvitedUser,
        shows_secret=True,
        example=USER | _LINK,
    )
    def create_user(asked: Asked) -> InvitedUser:
        """Create a user.

        The answer has the link of his invitation, valid for 72 hours and shown only this once.
        """
        user, secret = use_cases.create(asked.session, asked.actor, asked.raw, asked.now)
        shown = lists.one(asked.session, asked.actor, user.id, asked.now)
        return InvitedUser(**shown.model_dump(), **_link(asked, link_to, LinkPurpose.INVITE, secret))

    @resource.patch(
        "/<id:user_id>",
        body=UserChanges,
        sends={"role": "admin"},
        answers=UserView,
        example=USER | {"role": "admin"},
    )
    def revise_user(asked: Asked, user_id: int) -> UserView:
        """Change a user.

        Everybody may change his own name and time zone; role and group only another admin. The last
        admin of the whole account stays one.
        """
        use_cases.revise(asked.session, asked.actor, user_id, asked.raw, asked.now)
        return lists.one(asked.session, asked.actor, user_id, asked.now)

    @resource.delete("/<id:user_id>", query=Disabling)
    def disable_user(asked: Asked, user_id: int) -> None:
        """Disable a user.

        His sessions and tokens end at once. If he owns campaigns, `new_owner_id` takes them over.
        """
        use_cases.disable(asked.session, asked.actor, user_id, asked.query, asked.now)

    @resource.post("/<id:user_id>/enable", answers=UserView, example=USER)
    def enable_user(asked: Asked, user_id: int) -> UserView:
        """Enable a user again; his tokens stay revoked."""
        use_cases.enable(asked.session, asked.actor, user_id)
        return lists.one(asked.session, asked.actor, user_id, asked.now)

    @resource.post(
        "/<id:user_id>/link",
        answers=LinkView,
        shows_secret=True,
        example=_LINK,
    )
    def make_link(asked: Asked, user_id: int) -> LinkView:
        """Make a link by which he sets a password.

        An invitation (72 hours) until he has one, then valid for an hour. Earlier links no longer work.
        """
        purpose, secret = use_cases.make_link(asked.session, asked.actor, user_id, asked.now)
        return LinkView(**_link(asked, link_to, purpose, secret))

    @resource.delete("/<id:user_id>/second-factor")
    def remove_second_factor_of_user(asked: Asked, user_id: int) -> None:
        """Remove the second factor of a user who lost it."""
        use_cases.remove_second_factor(asked.session, asked.actor, user_id)

    return resource


def _link(asked: Asked, link_to: LinkTo, purpose: LinkPurpose, secret: str) -> dict[str, Any]:
    return {"link": link_to(secret), "link_expires_at": asked.now + VALID_FOR[purpose]}
