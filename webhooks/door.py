"""The door: what every carrier request must pass before anyone acts on it."""

from collections.abc import Callable

from webhooks import replies
from webhooks.carriers.form import TooManyFields, parse_form
from webhooks.replies import Reply
from webhooks.requests import CarrierRequest

LARGEST_BODY = 64 * 1024
"""Bytes; a voice request has about 1,000, one over SIP with many headers some thousand."""
_FORM = "application/x-www-form-urlencoded"
