"""What is asked of each page, as `knocks` has it for everything else."""

from datetime import UTC, datetime
from pathlib import Path

from admin.ui.assets import assets_in
from models.campaign import Campaign
from tests.admin.knocks import A_PUBLIC_ADDRESS, Call, Recipe, Things, a_sound
from tests.admin.people import PASSWORD
from tests.builders import NOW, a_phone

_ASSETS = assets_in(Path(__file__).parents[2] / ".assets")
_ANOTHER = "a kettle of wet otters"


def _plain(_things: Things) -> Call:
    return Call()


def _form(**fields: object) -> Recipe:
    return lambda _things: Call(form=fields)


def _campaign(**said: object) -> Recipe:
    return lambda things: Call({"campaign_id": things.campaign(**said).id})


def _act(act: str, **form: object) -> Recipe:
    return lambda things: Call({"campaign_id": things.campaign().id, "act": act}, form=form)


def _fields(campaign: Campaign | None = None) -> dict[str, object]:
    """A campaign's form as a page of ours sends it."""
    plain: dict[str, object] = {
        "name": "New",
        "enabled": "yes",
        "starts": "now",
        "ends": "never",
        "end_of_campaign": "normal",
        "destination": "+14155550190",
    }
    return plain if campaign is None else plain | {"owner_id": campaign.owner_id}


def _edit(things: Things) -> Call:
    campaign = things.campaign()
    return Call({"campaign_id": campaign.id}, form=_fields(campaign))


def _extension(things: Things) -> Call:
    campaign = things.campaign(ends_at=NOW)
    return Call({"campaign_id": campaign.id}, form={"ends": "at", "ends_at": "2199-01-01T00:00"})


def _number(**form: object) -> Recipe:
    return lambda things: Call({"number_id": things.number()}, form=form)


def _moved(things: Things) -> Call:
    return Call({"number_id": things.number()}, form={"campaign_id": things.campaign().id})


def _new_number(things: Things) -> Call:
    return Call(form={"number": a_phone().e164, "campaign_id": things.campaign().id})


def _order(things: Things) -> Call:
    wanted = {"country": "US", "kind": "local", "how": "like", "quantity": "1"}
    return Call(form=wanted | {"campaign_id": things.campaign().id, "caller_id": "caller"})


def _about_an_order(things: Things) -> Call:
    return Call({"order_id": things.order()}, form={})


def _group(**form: object) -> Recipe:
    return lambda things: Call({"group_id": things.group().id}, form=form)


def _prompt(**form: object) -> Recipe:
    return lambda things: Call({"prompt_id": things.text()}, form=form)


def _user(**form: object) -> Recipe:
    return lambda things: Call({"user_id": things.user().id}, form=form)


def _invited(things: Things) -> Call:
    sent = {"email": f"new{a_phone().e164}@example.com", "name": "New", "role": "standard"}
    return Call(form=sent | {"group_id": things.north})


def _webhook(act: str = "", **form: object) -> Recipe:
    parts = {"act": act} if act else {}
    return lambda things: Call({"endpoint_id": things.endpoint(), **parts}, form=form)


_WEBHOOK = {"address": A_PUBLIC_ADDRESS, "call.started": "yes"}

PAGES: dict[str, Recipe] = {
    "GET /": _plain,
    "GET /{path}": lambda _things: Call({"path": "nothing/here"}),
    "GET /assets/{digest}/{name}": lambda _things: Call(
        {"digest": _ASSETS["theme.js"].digest, "name": "theme.js"}
    ),
    "GET /choose-group": _plain,
    "GET /login": _plain,
    "POST /login": lambda things: Call(form={"email": things.me.email, "password": PASSWORD}),
    "GET /login/second-factor": _plain,
    "POST /login/second-factor": _form(code="123456"),
    "POST /sign-out": _form(),
    "GET /password": _plain,
    "POST /password": lambda things: Call(
        form={"token": things.link(), "password": _ANOTHER, "repeated": _ANOTHER}
    ),
    "GET /account/first-password": _plain,
    "POST /account/first-password": _form(old_password=PASSWORD, new_password=_ANOTHER, repeated=_ANOTHER),
    "GET /account": _plain,
    "POST /account": _form(name="Other", time_zone="Europe/Berlin"),
    "POST /account/theme": _form(theme="dark"),
    "POST /account/password": _form(old_password=PASSWORD, new_password=_ANOTHER, repeated=_ANOTHER),
    "POST /account/second-factor": _form(password=PASSWORD),
    "POST /account/second-factor/confirm": lambda things: Call(form={"code": things.code()}),
    "POST /account/second-factor/remove": _form(password=PASSWORD),
    "GET /campaigns": _plain,
    "POST /campaigns/filters": _form(query="state=live"),
    "POST /campaigns/filters/reset": _form(),
    "GET /campaigns/download.{form}": lambda _things: Call({"form": "csv"}),
    "POST /campaigns/bulk": lambda things: Call(form={"action": "pause", "ids": str(things.campaign().id)}),
    "GET /campaigns/new": _plain,
    "POST /campaigns/new": lambda things: Call(form=_fields() | {"group_id": things.north}),
    "POST /campaigns/new/preview": lambda things: Call(form=_fields() | {"group_id": things.north}),
    "GET /campaigns/{campaign_id}": _campaign(),
    "GET /campaigns/{campaign_id}/created": _campaign(),
    "GET /campaigns/{campaign_id}/edit": _campaign(),
    "POST /campaigns/{campaign_id}/edit": _edit,
    "GET /campaigns/{campaign_id}/extend": _campaign(ends_at=datetime(2190, 1, 1, tzinfo=UTC)),
    "POST /campaigns/{campaign_id}/extend": _extension,
    "GET /campaigns/{campaign_id}/at": _campaign(),
    "GET /campaigns/{campaign_id}/{act}": _act("end"),
    "POST /campaigns/{campaign_id}/{act}": _act("end"),
    "GET /home/calls": _plain,
    "GET /options/{kind}": lambda _things: Call({"kind": "campaigns"}),
    "GET /tracking-numbers": _plain,
    "POST /tracking-numbers/filters": _form(query="status=active"),
    "POST /tracking-numbers/filters/reset": _form(),
    "GET /tracking-numbers/download.{form}": lambda _things: Call({"form": "csv"}),
    "GET /tracking-numbers/new": _plain,
    "GET /tracking-numbers/new/settings": _plain,
    "POST /tracking-numbers/new": _new_number,
    "GET /tracking-numbers/{number_id}": _number(),
    "GET /tracking-numbers/{number_id}/created": _number(),
    "GET /tracking-numbers/{number_id}/edit": _number(),
    "POST /tracking-numbers/{number_id}/edit": _number(name="Other", record_calls="no", caller_id="caller"),
    "GET /tracking-numbers/{number_id}/move": _number(),
    "POST /tracking-numbers/{number_id}/move": _moved,
    "GET /tracking-numbers/{number_id}/release": _number(),
    "POST /tracking-numbers/{number_id}/release": lambda things: Call(
        {"number_id": things.spare_number()}, form={"days": "30"}
    ),
    "POST /tracking-numbers/{number_id}/undo-release": lambda things: Call(
        {"number_id": things.released_number()}, form={}
    ),
    "GET /tracking-numbers/orders": _plain,
    "POST /tracking-numbers/orders": _order,
    "GET /tracking-numbers/orders/new": _plain,
    "POST /tracking-numbers/orders/new": _form(country="US", kind="local"),
    "POST /tracking-numbers/orders/plan": _order,
    "GET /tracking-numbers/orders/{order_id}": _about_an_order,
    "POST /tracking-numbers/orders/{order_id}/cancel": _about_an_order,
    "POST /tracking-numbers/orders/{order_id}/resume": _about_an_order,
    "GET /calls": _plain,
    "GET /calls/live": _plain,
    "POST /calls/filters": _form(query="decision=connect"),
    "POST /calls/filters/reset": _form(),
    "GET /calls/download.{form}": lambda _things: Call({"form": "csv"}),
    "GET /calls/{call_id}": lambda things: Call({"call_id": things.logged_call()}),
    "GET /reports": _plain,
    "GET /reports/{name}": lambda _things: Call({"name": "campaigns"}),
    "GET /reports/{name}/download.{form}": lambda _things: Call({"name": "numbers", "form": "xlsx"}),
    "POST /reports/filters": _form(query="period=7d"),
    "POST /reports/filters/reset": _form(),
    "GET /prompts": _plain,
    "POST /prompts/filters": _form(query="kind=text"),
    "POST /prompts/filters/reset": _form(),
    "GET /prompts/download.{form}": lambda _things: Call({"form": "csv"}),
    "GET /prompts/new": _plain,
    "GET /prompts/upload": _plain,
    "POST /prompts/preview": _form(language="en"),
    "POST /prompts/new": lambda things: Call(
        form={"name": "New", "language": "en", "group_id": things.north}
    ),
    "POST /prompts/upload": lambda things: Call(
        form={"name": "New", "language": "en", "group_id": things.north, "file": a_sound()}
    ),
    "GET /prompts/{prompt_id}": _prompt(),
    "GET /prompts/{prompt_id}/edit": _prompt(),
    "GET /prompts/{prompt_id}/sound": _prompt(),
    "POST /prompts/{prompt_id}/edit": _prompt(name="Other"),
    "POST /prompts/{prompt_id}/sound": lambda things: Call(
        {"prompt_id": things.text()}, form={"file": a_sound()}
    ),
    "GET /prompts/{prompt_id}/archive": _prompt(),
    "POST /prompts/{prompt_id}/archive": _prompt(),
    "GET /groups": _plain,
    "GET /groups/new": _plain,
    "POST /groups/new": lambda things: Call(form={"name": "New", "parent_id": things.north}),
    "GET /groups/{group_id}": _group(),
    "GET /groups/{group_id}/edit": _group(),
    "POST /groups/{group_id}/edit": _group(name="Other"),
    "GET /groups/{group_id}/{act}": lambda things: Call({"group_id": things.group().id, "act": "move"}),
    "POST /groups/{group_id}/{act}": lambda things: Call(
        {"group_id": things.group().id, "act": "move"}, form={"parent_id": things.group().id}
    ),
    "GET /users": _plain,
    "POST /users/filters": _form(query="role=admin"),
    "POST /users/filters/reset": _form(),
    "GET /users/new": _plain,
    "POST /users/new": _invited,
    "GET /users/{user_id}": _user(),
    "GET /users/{user_id}/edit": _user(),
    "POST /users/{user_id}/edit": _user(name="Other"),
    "GET /users/{user_id}/disable": _user(),
    "POST /users/{user_id}/disable": _user(),
    "POST /users/{user_id}/enable": _user(),
    "GET /users/{user_id}/link": _user(),
    "POST /users/{user_id}/link": _user(),
    "GET /users/{user_id}/second-factor": _user(),
    "POST /users/{user_id}/second-factor": _user(),
    "GET /settings": _plain,
    "GET /settings/tokens": _plain,
    "POST /settings/tokens": _form(name="crm", scope="read"),
    "GET /settings/blocks": _plain,
    "POST /settings/blocks/filters": _form(query="ended=true"),
    "POST /settings/blocks/filters/reset": _form(),
    "GET /settings/blocks/download.{form}": lambda _things: Call({"form": "csv"}),
    "GET /settings/blocks/new": _plain,
    "POST /settings/blocks/new": lambda things: Call(
        form={"callers": a_phone().e164, "group_id": things.north}
    ),
    "POST /settings/blocks/{block_id}/lift": lambda things: Call({"block_id": things.block()}, form={}),
    "GET /settings/webhooks": _plain,
    "GET /settings/webhooks/new": _plain,
    "POST /settings/webhooks/new": lambda things: Call(form=_WEBHOOK | {"group_id": things.group().id}),
    "GET /settings/webhooks/{endpoint_id}": _webhook(),
    "GET /settings/webhooks/{endpoint_id}/edit": _webhook(),
    "POST /settings/webhooks/{endpoint_id}/edit": _webhook(**_WEBHOOK),
    "GET /settings/webhooks/{endpoint_id}/{act}": _webhook("rotate"),
    "POST /settings/webhooks/{endpoint_id}/{act}": _webhook("pause"),
    "GET /settings/webhooks/{endpoint_id}/deliveries/{delivery_id}": lambda things: Call(things.delivery()),
    "POST /settings/webhooks/{endpoint_id}/deliveries/{delivery_id}/replay": lambda things: Call(
        things.delivery(), form={}
    ),
    "GET /settings/audit": _plain,
    "POST /settings/audit/filters": _form(query="entity=campaign"),
    "POST /settings/audit/filters/reset": _form(),
    "GET /settings/audit/download.{form}": lambda _things: Call({"form": "csv"}),
    "POST /settings/tokens/{token_id}/revoke": lambda things: Call({"token_id": things.token()}, form={}),
}
