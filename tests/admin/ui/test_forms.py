"""What is typed into forms: moments to the second, errors beside their fields."""

from datetime import UTC, datetime

import pytest

from admin.errors import FieldError, Invalid
from admin.ui import campaign_forms, times
from admin.ui.forms import Form, Wrong

CALIFORNIA = times.zone_named("America/Los_Angeles")


def test_a_time_that_nobody_touched_keeps_its_seconds() -> None:
    exactly = "2026-11-01T09:30:17Z"
    shown = "2026-11-01T01:30"
    form = Form({"ends_at": shown, "ends_at_shown": shown, "ends_at_exactly": exactly})
    assert form.moment("ends_at", CALIFORNIA) == exactly
    assert form.is_right


@pytest.mark.parametrize(("word", "instant"), [("earlier", "08:30"), ("later", "09:30")])
def test_of_two_equal_times_the_user_says_which(word: str, instant: str) -> None:
    form = Form({"ends_at": "2026-11-01T01:30", "ends_at_which": word})
    assert form.moment("ends_at", CALIFORNIA) == f"2026-11-01T{instant}:00Z"


def test_of_two_equal_times_none_is_guessed() -> None:
    form = Form({"ends_at": "2026-11-01T01:30"})
    assert form.moment("ends_at", CALIFORNIA) is None
    assert "twice" in form.error("ends_at")
    assert "ends_at" in form.twice


def test_an_error_stands_beside_its_field_and_others_above_the_form() -> None:
    form = Form()
    form.refuse(
        Invalid(FieldError("name", "is mandatory"), FieldError("group_id", "there is none")), ("name",)
    )
    assert form.error("name") == "is mandatory"
    assert form.others == ["Group there is none"]
    with pytest.raises(Wrong):
        form.finish()


def test_a_new_campaign_starts_now_and_never_ends() -> None:
    form = Form({"name": "Leaflet", "starts": "now", "ends": "never", "enabled": "yes"})
    raw = campaign_forms.read(form, CALIFORNIA)
    assert "starts_at" not in raw
    assert raw["ends_at"] is None
    assert raw["enabled"] is True


def test_a_day_that_was_chosen_and_not_typed_is_asked_for() -> None:
    form = Form({"name": "Leaflet", "starts": "at", "ends": "at"})
    campaign_forms.read(form, CALIFORNIA)
    assert "choose now" in form.error("starts_at")
    assert "choose never" in form.error("ends_at")


def test_a_time_without_an_offset_is_what_the_form_shows() -> None:
    assert times.typed(datetime(2026, 7, 1, 16, 0, 17, tzinfo=UTC), CALIFORNIA) == "2026-07-01T09:00"
