"""Words of the pages: how templates show instants, numbers and the states of a campaign."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import phonenumbers
from flask import Blueprint
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from admin.ui import times
from routing.numbers import PhoneNumber
from routing.policy import State


class Dated(Protocol):
    """What a countdown needs to know of a campaign."""

    @property
    def state(self) -> State: ...
    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime | None: ...
    @property
    def referral_ends_at(self) -> datetime | None: ...


_SOON = timedelta(days=30)
"""An end that lies farther ahead is no countdown yet."""


def countdown(campaign: Dated, now: datetime) -> str:
    """What comes next in the life of a campaign, such as `12 days left`; empty where nothing does soon."""
    match campaign.state:
        case State.SCHEDULED:
            return f"starts in {times.ahead(campaign.starts_at - now)}"
        case State.LIVE if campaign.ends_at is not None and campaign.ends_at - now <= _SOON:
            return f"ends in {times.ahead(campaign.ends_at - now)}"
        case State.REFERRAL if campaign.referral_ends_at is not None:
            return f"{times.ahead(campaign.referral_ends_at - now)} left"
        case _:
            return ""


def national(number: PhoneNumber) -> str:
    """As it is written in its own country: `(415) 555-0190`."""
    parsed = phonenumbers.parse(number.e164)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def international(number: PhoneNumber) -> str:
    """As it is written abroad: `+1 415-555-0190`."""
    parsed = phonenumbers.parse(number.e164)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def callers(pattern: str) -> str:
    """Whom a block is for, as a number is written abroad; patterns as they are."""
    is_number = pattern.startswith("+") and not pattern.endswith("*")
    return international(PhoneNumber(pattern)) if is_number else pattern


def sentence(text: str) -> str:
    """With a capital at its beginning; the rest stays, as `str.capitalize` would not let it."""
    return text[:1].upper() + text[1:]


_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)")


@pass_context
def _value(context: Context, text: str | None) -> Markup | str:
    """A value of the audit trail or of a decision's facts: instants in the user's zone."""
    if text is None or text == "":
        return "nothing"
    if _INSTANT.fullmatch(text):
        moment = datetime.fromisoformat(text)
        return _time(moment, times.full(moment, context["zone"]))
    return text


def label(name: str) -> str:
    """The name of a field in words: `ends_at` is `End`, `external_id` is `External ID`."""
    return _LABELS.get(name) or sentence(name.removesuffix("_id").replace("_", " "))


_LABELS = {
    "starts_at": "Start",
    "ends_at": "End",
    "external_id": "External ID",
    "enabled": "Switched on",
    "archived_at": "Archived",
    "lifted_at": "Lifted",
    "expires_at": "Ends by itself",
    "password_hash": "Password",
    "password_changed_at": "Password changed",
    "totp_secret": "Second factor",
    "totp_confirmed_at": "Second factor confirmed",
    "token_hash": "Token",
}


def install(pages: Blueprint) -> None:
    """Give templates the filters of this file."""
    pages.add_app_template_filter(_when, "when")
    pages.add_app_template_filter(_stacked, "stacked")
    pages.add_app_template_filter(_stacked_to_the_second, "stacked_to_the_second")
    pages.add_app_template_filter(_to_the_second, "to_the_second")
    pages.add_app_template_filter(_typed, "typed")
    pages.add_app_template_filter(international, "phone")
    pages.add_app_template_filter(national, "national")
    pages.add_app_template_filter(callers, "callers")
    pages.add_app_template_filter(_countdown, "countdown")
    pages.add_app_template_filter(_value, "value")
    pages.add_app_template_filter(label, "label")
    pages.add_app_template_filter(sentence, "capitalize_first")


def _time(moment: datetime, shown: str) -> Markup:
    exact = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Markup('<time datetime="{}">{}</time>').format(exact, escape(shown))


def _shown_by(writer: Callable[..., str]) -> Callable[[Context, datetime | None, str], Markup | str]:
    @pass_context
    def shown(context: Context, moment: datetime | None, otherwise: str = "") -> Markup | str:
        return otherwise if moment is None else _time(moment, writer(moment, context["zone"]))

    return shown


def _stacked_by(writer: Callable[..., str]) -> Callable[[Context, datetime | None, str], Markup | str]:
    """The hour below the day, for columns."""

    @pass_context
    def stacked(context: Context, moment: datetime | None, otherwise: str = "") -> Markup | str:
        if moment is None:
            return otherwise
        zone = context["zone"]
        below = Markup('<span class="hs-sub">{}</span>').format(writer(moment, zone))
        return _time(moment, escape(times.day(moment, zone)) + below)

    return stacked


_stacked = _stacked_by(times.hour)
_stacked_to_the_second = _stacked_by(times.hour_to_the_second)
_when = _shown_by(times.full)
_to_the_second = _shown_by(times.to_the_second)


@pass_context
def _typed(context: Context, moment: datetime | None) -> str:
    return "" if moment is None else times.typed(moment, context["zone"])


@pass_context
def _countdown(context: Context, campaign: Dated) -> str:
    return countdown(campaign, context["now"])
