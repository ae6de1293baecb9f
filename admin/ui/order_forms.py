"""The fields of an order of numbers: what is looked for, which are chosen, what each gets."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from admin.number_filling import region_of
from admin.ui import number_forms
from admin.ui.forms import Form
from models.group import Group

KINDS = (("local", "Local"), ("toll-free", "Toll-free"), ("mobile", "Mobile"))
SEARCHED = ("country", "kind", "area_code", "contains", "region")
SIDS = ("address_sid", "bundle_sid")
SHOWN = ("campaign_id", *SEARCHED, "quantity", "numbers", *number_forms.SETTINGS, *SIDS)
SENT = ("campaign_id", "group_id", *SEARCHED, "how", "quantity", "numbers", *number_forms.SETTINGS, *SIDS)
"""What goes on from page to page of an order."""
_MOST_DIGITS = 6
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


def criteria(form: Form) -> dict[str, object]:
    """What is looked for, as `admin.number_search` reads it."""
    return {name: form[name].strip() for name in SEARCHED if form[name].strip()} | {"limit": _OFFERED}


def read(form: Form, group: Group) -> dict[str, Any]:
    """The order as the use case reads it (`NewOrder`); what cannot be read is noted in the form."""
    raw: dict[str, Any] = number_forms.read(form)
    if form["campaign_id"].isdecimal():
        raw["campaign_id"] = int(form["campaign_id"])
    else:
        raw["group_id"] = group.id
    wanted = ("country", "kind") if form["how"] == "these" else SEARCHED
    raw |= {name: form[name].strip() for name in (*wanted, *SIDS, "key") if form[name].strip()}
    if form["how"] == "these":
        raw["numbers"] = chosen(form)
        if not raw["numbers"]:
            form.add("numbers", "tick at least one number, or say how many like these")
    elif form["quantity"].strip().isdecimal() and len(form["quantity"].strip()) <= _MOST_DIGITS:
        raw["quantity"] = int(form["quantity"])
    else:
        form.add("quantity", "type how many, such as 5")
    return raw
