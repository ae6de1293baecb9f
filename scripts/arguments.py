"""Kinds of command-line arguments: a phone number, an instant."""

from datetime import UTC, datetime

import click

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


PHONE_NUMBER = _PhoneNumber()
INSTANT = _Instant()
