"""`/api/v1/api-tokens`."""

from typing import Any

from admin import tokens as use_cases
from admin.api.operations import Asked, Resource
from admin.lists import tokens as lists
from admin.lists.tokens import TokenFilters
from admin.tokens import NewToken
from admin.views import MadeToken, Page, TokenView

tokens = Resource(
    "api-tokens",
    "API tokens",
    "What programs sign in with: `Authorization: Bearer hs_…`. A token may do what its user may, and no "
    "more than its scope says. Only a token with the scope `admin` makes or revokes tokens.",
)

TOKEN: dict[str, Any] = {
    "id": 3,
    "user_id": 1,
    "name": "crm",
    "scope": "write",
    "created_at": "2026-07-01T07:00:00Z",
    "expires_at": "2027-07-01T07:00:00Z",
    "last_used_at": "2026-07-02T11:30:00Z",
    "revoked_at": None,
}


@tokens.get(
    "",
    query=TokenFilters,
    answers=Page[TokenView],
    example={"items": [TOKEN], "next_cursor": None, "total": None},
)
def list_tokens(asked: Asked) -> Page[TokenView]:
    """List tokens, the newest first: your own or, as an admin, those of `user_id`."""
    return lists.page(asked.session, asked.actor, asked.query, asked.now)


@tokens.get("/<id:token_id>", answers=TokenView, example=TOKEN)
def show_token(asked: Asked, token_id: int) -> TokenView:
    """Show a token, without its secret."""
    return lists.one(asked.session, asked.actor, token_id, asked.now)


@tokens.create(
    "",
    body=NewToken,
    sends={"name": "crm", "scope": "write", "expires_at": "2027-07-01T07:00:00Z"},
    answers=MadeToken,
    shows_secret=True,
    example=TOKEN | {"last_used_at": None, "token": "hs_vQ2…"},
)
def create_token(asked: Asked) -> MadeToken:
    """Make a token. Its secret is in this answer and nowhere else."""
    token, secret = use_cases.create(asked.session, asked.actor, asked.raw, asked.now)
    shown = lists.one(asked.session, asked.actor, token.id, asked.now)
    return MadeToken(**shown.model_dump(), token=secret)


@tokens.delete("/<id:token_id>")
def revoke_token(asked: Asked, token_id: int) -> None:
    """Revoke a token; it ends at once."""
    use_cases.revoke(asked.session, asked.actor, token_id, asked.now)
