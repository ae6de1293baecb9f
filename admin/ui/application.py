"""Adds the pages to the Flask application of a web process."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Flask, Response, g
from werkzeug.routing import PathConverter

from admin.access.gate import Gate
from admin.access.identity import Identity
from admin.access.passwords import Passwords
from admin.desk import Desk
from admin.errors import NotAllowed, NotThere
from admin.number_search import Market
from admin.own_account import OwnAccount
from admin.room import Room
from admin.signing_in import SigningIn
from admin.ui import (
    account,
    audit,
    blocks,
    call_page,
    call_wording,
    calls,
    campaign_creating,
    campaign_page,
    campaigns,
    choosing,
    faults,
    groups,
    home,
    number_creating,
    number_page,
    numbers,
    order_creating,
    orders,
    picker,
    prompt_editing,
    prompt_page,
    prompts,
    report_wording,
    reports,
    settings,
    sign_in,
    tokens,
    users,
    webhooks,
    wording,
)
from admin.ui.assets import Asset, asset_pages
from admin.ui.frame import MENU, SETTINGS, Frame, csrf_token, scope_id, scope_name, theme
from admin.webhook_endpoints import RefusalOf

LARGEST_FORM = 8 * 1024 * 1024
"""Bytes; a recording is the largest that a form sends."""
_HERE = Path(__file__).parent


class _Elsewhere(PathConverter):
    """Addresses at which no page is, and which are no business of carriers, programs or probes."""

    regex = r"(?!api/|webhooks/|assets/|prompts/\d+/|metrics$|healthz$|readyz$).+"


def serve_pages(
    app: Flask,
    *,
    desk: Desk,
    gate: Gate,
    room: Room,
    passwords: Passwords,
    assets: Mapping[str, Asset],
    explain: campaign_page.Explain,
    examine: home.Examine,
    refusal_of: RefusalOf,
    market: Market,
) -> None:
    """Add all pages to an application that the gate guards."""
    frame = Frame(desk, gate, room)
    door = SigningIn(desk, passwords, gate.secret_key)
    own = OwnAccount(desk, passwords, gate.secret_key)
    pages = Blueprint("pages", __name__, template_folder=str(_HERE / "templates"))
    for views in (
        home.home(frame, examine),
        picker.picker(frame),
        sign_in.sign_in(frame, door, own),
        account.account(frame, own),
        groups.groups(frame),
        users.users(frame),
        campaigns.campaigns(frame),
        campaign_creating.campaign_creating(frame),
        campaign_page.campaign_page(frame, explain),
        choosing.choosing(frame),
        numbers.numbers(frame),
        number_creating.number_creating(frame),
        number_page.number_page(frame, explain),
        order_creating.order_creating(frame, market),
        orders.orders(frame, market),
        calls.calls(frame),
        call_page.call_page(frame),
        reports.reports(frame),
        prompts.prompts(frame),
        prompt_page.prompt_page(frame),
        prompt_editing.prompt_editing(frame),
        settings.settings(),
        webhooks.webhooks(frame, refusal_of),
        tokens.tokens(frame),
        blocks.blocks(frame),
        audit.audit(frame),
    ):
        pages.register_blueprint(views)
    pages.register_error_handler(Exception, lambda error: faults.fault_page(frame, error))
    app.url_map.converters["elsewhere"] = _Elsewhere
    pages.add_url_rule("/<elsewhere:path>", "elsewhere", _nowhere)
    pages.context_processor(
        lambda: {"csrf_token": csrf_token(gate), "theme": theme(), "menu": MENU, "settings_tabs": SETTINGS}
    )
    pages.add_app_template_filter(scope_id, "scope_id")
    pages.add_app_template_filter(scope_name, "scope_name")
    pages.before_request(_people_only)
    pages.after_request(_private)
    wording.install(pages)
    call_wording.install(pages)
    report_wording.install(pages)
    app.register_blueprint(asset_pages(assets))
    app.register_blueprint(pages)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.config |= {
        # Of whatever sets no limit of its own, also before anybody is known.
        "MAX_CONTENT_LENGTH": LARGEST_FORM,
        "SESSION_COOKIE_NAME": f"{gate.cookie_name}-page",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": gate.is_https,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=7),
    }


def _people_only() -> None:
    """Programs have the API, where what they send is bounded and counted."""
    identity: Identity | None = g.get("identity")
    if identity is not None and identity.session_id is None:
        raise NotAllowed("a token opens no page; programs use the API")


def _nowhere(path: str) -> Response:
    raise NotThere(f"no page has the address /{path}")


def _private(answer: Response) -> Response:
    """Nobody on the way keeps a page, and after signing out the browser shows none."""
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer
