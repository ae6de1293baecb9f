"""The fields of an order of numbers: what is looked for, which are chosen, what each gets."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from admin.drafts import whole
from admin.errors import Conflict, Invalid
from admin.number_filling import region_of
from admin.ui import number_forms
from admin.ui.forms import Form, Wrong
from models.group import Group

KINDS = (("local", "Local"), ("toll-free", "Toll-free"), ("mobile", "Mobile"))
# A field called "contains" would hide the method of that name of its form from every script.
_SEARCHED = {
    "country": "country",
    "kind": "kind",
    "area_code": "area_code",
    "digits": "contains",
    "region": "region",
}
"""Fields of the search, and what the use cases call them."""
SIDS = ("address_sid", "bundle_sid")
_CHOSEN = ("quantity", "numbers", *number_forms.SETTINGS, *SIDS)
SENT = ("campaign_id", "group_id", *_SEARCHED, "how", *_CHOSEN)
"""What goes on from page to page of an order."""
_OFFERED = 30


def form_of(sent: MultiDict[str, str]) -> Form:
    """The form as it was sent; the numbers that were ticked, in one line."""
    return Form({name: sent[name] for name in sent} | {"numbers": " ".join(sent.getlist("numbers"))})


def filled(session: Session, group: Group, placed: Mapping[str, str]) -> Form:
    """The form with which an order begins: what the group gives to new numbers, its country."""
    plain = {"country": region_of(session, group.id) or "", "kind": "local", "quantity": "1"}
    numbers = placed.get("numbers", "")
    how = {"how": "these" if numbers else "like", "numbers": numbers}
    return Form(number_forms.defaults(session, group.id) | plain | how | dict(placed))


def chosen(form: Form) -> list[str]:
    """The numbers that were ticked, in E.164."""
    return form["numbers"].split()


def criteria(form: Form) -> dict[str, Any]:
    """What is looked for, as `admin.number_search` reads it."""
    return _typed(form, _SEARCHED) | {"limit": _OFFERED}


def refuse(form: Form, refusal: Invalid | Conflict | Wrong) -> None:
    """Put the errors of a search or an order beside their fields."""
    form.refuse(refusal, ("campaign_id", *_SEARCHED.values(), *_CHOSEN))
    if "contains" in form.errors:
        form.errors["digits"] = form.errors.pop("contains")


def _typed(form: Form, fields: Mapping[str, str]) -> dict[str, Any]:
    """What was typed into some fields, under the names that use cases have for them."""
    return {known: form[name].strip() for name, known in fields.items() if form[name].strip()}


def read(form: Form, group: Group) -> dict[str, Any]:
    """The order as the use case reads it (`NewOrder`); what cannot be read is noted in the form."""
    raw: dict[str, Any] = number_forms.read(form)
    campaign_id = form.whole("campaign_id")
    raw |= {"group_id": group.id} if campaign_id is None else {"campaign_id": campaign_id}
    raw |= _typed(form, {name: name for name in (*SIDS, "key")})
    if form["how"] == "these":
        # Their country and kind tell the price.
        raw |= _typed(form, {name: name for name in ("country", "kind")})
        raw["numbers"] = chosen(form)
        if not raw["numbers"]:
            form.add("numbers", "tick at least one number, or say how many like these")
        return raw
    raw |= _typed(form, _SEARCHED)
    quantity = whole(form["quantity"].strip())
    if quantity is None:
        form.add("quantity", "type how many, such as 5")
    else:
        raw["quantity"] = quantity
    return raw
