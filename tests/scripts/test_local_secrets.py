"""Secrets made up for this machine: once, only where missing, readable by its user alone."""

import stat
from pathlib import Path

import pytest
from dotenv import dotenv_values

from scripts.local_secrets import make_up_missing
from scripts.settings import LOCAL_SECRETS, load

NAMES = ["SECRET_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]


def made_up(var: Path) -> dict[str, str | None]:
    return dotenv_values(var / LOCAL_SECRETS)


def test_what_is_made_up_passes_for_settings(tmp_path: Path) -> None:
    make_up_missing({}, tmp_path)
    secrets = {name: value or "" for name, value in made_up(tmp_path).items()}
    assert list(secrets) == NAMES
    assert load(secrets).twilio.account_sid == secrets["TWILIO_ACCOUNT_SID"]


def test_only_its_user_can_read_them(tmp_path: Path) -> None:
    make_up_missing({}, tmp_path)
    assert stat.S_IMODE((tmp_path / LOCAL_SECRETS).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [LOCAL_SECRETS]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", ["", "_FILE"])
def test_what_is_given_is_not_made_up(tmp_path: Path, name: str, how: str) -> None:
    make_up_missing({name + how: "given"}, tmp_path)
    assert set(made_up(tmp_path)) == set(NAMES) - {name}


def test_what_was_made_up_before_stays(tmp_path: Path) -> None:
    make_up_missing({"SECRET_KEY": "given"}, tmp_path)
    before = made_up(tmp_path)
    make_up_missing({name: value or "" for name, value in before.items()}, tmp_path)
    after = made_up(tmp_path)
    assert after.items() > before.items()
    assert set(after) == set(NAMES)
