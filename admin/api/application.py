"""The Flask application of a web process: everything that is no mounted carrier path."""

from importlib.metadata import version

from flask import Flask, Response, request
from werkzeug.routing import BaseConverter

from admin.access.gate import Gate
from admin.access.headers import set_headers
from admin.access.passwords import Passwords
from admin.api import problems
from admin.api.audit_entries import audit_entries
from admin.api.available_numbers import available_numbers
from admin.api.blocked_callers import blocked_callers
from admin.api.call_exports import call_exports
from admin.api.calls import calls
from admin.api.campaigns import campaigns
from admin.api.document import document
from admin.api.groups import groups
from admin.api.limits import Limits
from admin.api.number_orders import number_orders
from admin.api.operations import Resource
from admin.api.pages import pages
from admin.api.plans import plans
from admin.api.prompts import prompts
from admin.api.reports import reports
from admin.api.routes import Explain, routes
from admin.api.saved_filters import saved_filters
from admin.api.serving import Serving
from admin.api.signing_in import own_account, signing_in
from admin.api.tokens import tokens
from admin.api.tracking_numbers import tracking_numbers
from admin.api.users import users
from admin.api.webhook_endpoints import endpoints
from admin.desk import Desk
from admin.number_search import Market
from admin.own_account import OwnAccount
from admin.room import Room
from admin.signing_in import SigningIn
from admin.webhook_endpoints import RefusalOf

RESOURCES: tuple[Resource, ...] = (
    campaigns,
    tracking_numbers,
    groups,
    plans,
    prompts,
    blocked_callers,
    calls,
    call_exports,
    reports,
    saved_filters,
    audit_entries,
)


class _Id(BaseConverter):
    """An id in a path. What no id can be matches nothing: it is an address where nothing is."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)


def serve_api(
    app: Flask,
    *,
    desk: Desk,
    gate: Gate,
    room: Room,
    passwords: Passwords,
    limits: Limits,
    explain: Explain,
    refusal_of: RefusalOf,
    market: Market,
) -> None:
    """Add the API to an application whose blueprints so far are open to anybody."""
    gate.guard(app, open_blueprints=tuple(app.blueprints))
    app.url_map.converters["id"] = _Id
    app.url_map.merge_slashes = False
    problems.install(app)
    serving = Serving(desk, room)
    provisioning = available_numbers(market), number_orders(desk, market)
    resources = (
        *RESOURCES,
        *provisioning,
        *_access(desk, gate, passwords),
        routes(explain),
        endpoints(refusal_of),
    )
    app.register_blueprint(pages(lambda: document(resources, version("hookswitch"))))
    for resource in resources:
        for operation in resource.operations:
            app.add_url_rule(
                resource.path + operation.rule,
                endpoint=f"api.{resource.name}.{operation.view.__name__}",
                view_func=serving.view_of(operation),
                methods=[operation.method],
                provide_automatic_options=False,
            )
    set_headers(app, is_https=gate.is_https)
    app.after_request(_private)
    # Its look at the answer comes first: the last that is registered is the first that is asked.
    limits.guard(app, gate.client_address)


def _access(desk: Desk, gate: Gate, passwords: Passwords) -> tuple[Resource, ...]:
    """What lets people and programs in."""
    door = SigningIn(desk, passwords, gate.secret_key)
    account = OwnAccount(desk, passwords, gate.secret_key)
    return signing_in(desk, gate, door), own_account(desk, gate, account), users(gate.link_to), tokens


def _private(answer: Response) -> Response:
    """Nobody on the way may keep an answer that does not say that it is for everybody."""
    if request.path.startswith("/api/"):
        answer.headers.setdefault("Cache-Control", "no-store")
    return answer
