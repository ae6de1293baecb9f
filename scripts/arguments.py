"""Kinds of command-line arguments: a phone number, callers, an instant, an origin."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import click

from routing.blocks import CallerPattern, NotAPattern
from routing.numbers import NotE164, PhoneNumber


class _PhoneNumber(click.ParamType[PhoneNumber]):
    name = "number"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> PhoneNumber:
        if isinstance(value, PhoneNumber):
            return value
        try:
            return PhoneNumber.parse(str(value))
        except NotE164 as error:
            self.fail(str(error), param, ctx)


class _Callers(click.ParamType[CallerPattern]):
    name = "callers"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> CallerPattern:
        if isinstance(value, CallerPattern):
            return value
        try:
            return CallerPattern.parse(str(value))
        except NotAPattern as error:
            self.fail(str(error), param, ctx)


class _Instant(click.ParamType[datetime]):
    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(str(value))
            if instant.tzinfo is not None:
                return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        return self.fail(
            "an instant looks like 2026-07-01T09:00:00Z; its offset from UTC is part of it", param, ctx
        )


class _Origin(click.ParamType[str]):
    name = "origin"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        origin = str(value).rstrip("/")
        try:
            parts = urlsplit(origin)
            whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            whole = False
        if not whole or parts.path or parts.query or parts.fragment:
            self.fail("an origin looks like http://127.0.0.1:8000", param, ctx)
        return origin


PHONE_NUMBER = _PhoneNumber()
CALLERS = _Callers()
INSTANT = _Instant()
ORIGIN = _Origin()
