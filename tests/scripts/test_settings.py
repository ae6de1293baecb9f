"""Settings: complete, well-formed, or one line that names what is wrong."""

from pathlib import Path

import pytest

from scripts.settings import BadSetting, Secret, environment, is_loopback, load

GOOD = {
    "SECRET_KEY": "s" * 32,
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "token",
}


def test_the_three_secrets_are_all_that_must_be_set(tmp_path: Path) -> None:
    settings = load(GOOD, tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/var/hookswitch.db"
    assert settings.public_base_url == "http://127.0.0.1:8000"
    assert settings.is_local


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_secret_has_no_default(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: is missing"):
        load({k: v for k, v in GOOD.items() if k != name}, tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("TWILIO_ACCOUNT_SID", "SK" + "0" * 32),
        ("DATABASE_URL", "mysql://db"),
        ("REDIS_URL", "memcached://cache"),
        ("REDIS_URL", "redis"),
        ("REDIS_URL", "redis://127.0.0.1:port/0"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:65536/0"),
        ("REDIS_URL", "redis+sentinel://one:26379,two:x/service/0"),
        ("DATABASE_URL", "postgresql+psycopg://user@host:po/0"),
        ("PUBLIC_BASE_URL", "calls.example.com"),
        ("PUBLIC_BASE_URL", "https://calls.example.com/prefix"),
        ("PUBLIC_BASE_URL", "https://calls.example.com:99999"),
        ("PUBLIC_BASE_URL", "http://calls.example.com"),
        ("PUBLIC_BASE_URL", "https://"),
        ("FALLBACK_URL", "fallback.example.com"),
        ("FALLBACK_URL", "http://fallback.example.com/webhooks/twilio/fallback"),
        ("FALLBACK_URL", "https://fallback.example.com/webhooks/twilio/fallback#rt=1"),
        ("TWILIO_API_BASE_URL", "api.twilio.com"),
        ("WEB_CONCURRENCY", "0"),
        ("WEB_CONCURRENCY", "two"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("TRUSTED_PROXIES", "proxy.example.com"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_a_malformed_setting_is_named_in_one_line(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting) as raised:
        load(GOOD | {name: value}, tmp_path)
    message = str(raised.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["SECRET_KEY", "TWILIO_ACCOUNT_SID", "DATABASE_URL", "REDIS_URL"])
def test_a_complaint_never_repeats_the_value(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSetting) as raised:
        load(GOOD | {name: "hunter2"}, tmp_path)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("port", ["1", "8080", "65535"])
def test_a_port_is_any_from_1_to_65535(tmp_path: Path, port: str) -> None:
    assert load(GOOD | {"PORT": port}, tmp_path).port == int(port)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("REDIS_URL", "redis+sentinel://user:secret@one:26379,two:26380/service/0"),
        ("REDIS_URL", "rediss://:p%40ss@redis.example.com:6380/1"),
        ("REDIS_URL", "unix:///run/redis.sock?db=0"),
        ("DATABASE_URL", "postgresql+psycopg:///hookswitch"),
        ("DATABASE_URL", "postgresql+psycopg://user:pw@[::1]:5432/hookswitch"),
        ("DATABASE_URL", "sqlite:///relative.db"),
    ],
)
def test_addresses_of_every_kind_of_store_are_taken(tmp_path: Path, name: str, url: str) -> None:
    settings = load(GOOD | {name: url}, tmp_path)
    assert url in {settings.redis_url, settings.database_url}


def test_the_default_public_address_follows_the_port(tmp_path: Path) -> None:
    assert load(GOOD | {"PORT": "9001"}, tmp_path).public_base_url == "http://127.0.0.1:9001"


@pytest.mark.parametrize("name", [*sorted(GOOD), "TWILIO_AUTH_TOKEN_SECONDARY", "DATABASE_URL"])
def test_every_secret_may_come_from_a_file(tmp_path: Path, name: str) -> None:
    value = GOOD.get(name, "postgresql+psycopg://u:p@h/d" if name == "DATABASE_URL" else "other")
    file = tmp_path / "secret"
    file.write_text(value + "\n")
    from_file = {k: v for k, v in GOOD.items() if k != name} | {f"{name}_FILE": str(file)}
    assert load(from_file, tmp_path) == load(GOOD | {name: value}, tmp_path)


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"^SECRET_KEY_FILE: "):
        load({k: v for k, v in GOOD.items() if k != "SECRET_KEY"} | {"SECRET_KEY_FILE": "/nowhere"}, tmp_path)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="set twice"):
        load(GOOD | {"SECRET_KEY_FILE": "/nowhere"}, tmp_path)


def test_printing_settings_shows_no_secret(tmp_path: Path) -> None:
    settings = load(
        GOOD
        | {
            "DATABASE_URL": "postgresql+psycopg://u:hunter2@h/d",
            "REDIS_URL": "redis://:hunter2@h",
            "SECRET_KEY": "hunter2" * 8,
            "TWILIO_AUTH_TOKEN": "hunter2",
        },
        tmp_path,
    )
    assert "hunter2" not in f"{settings!r} {settings}"
    assert str(Secret("hunter2")) == "•••"


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000", True),
        ("https://calls.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://10.0.0.1", False),
        ("http://[", False),
    ],
)
def test_only_this_machine_is_local(url: str, local: bool) -> None:  # noqa: FBT001
    assert is_loopback(url) is local


def test_the_environment_comes_before_dotenv_and_dotenv_before_local_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "local.env").write_text("A_SETTING=local\nB_SETTING=local\nC_SETTING=local\n")
    (tmp_path / ".env").write_text("A_SETTING=dotenv\nB_SETTING='dot env' # why\n")
    monkeypatch.setenv("A_SETTING", "environment")
    given = environment(tmp_path)
    assert [given[f"{name}_SETTING"] for name in "ABC"] == ["environment", "dot env", "local"]


def test_a_public_installation_never_falls_back_to_local_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "local.env").write_text("TWILIO_AUTH_TOKEN=trial\n")
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://calls.example.com")
    assert "TWILIO_AUTH_TOKEN" not in environment(tmp_path)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:9464", "localhost:9464", "[::1]:9464", "0.0.0.0:9464", "unix:/run/metrics.sock"]
)
def test_metrics_may_be_shown_at_any_address_of_their_own(tmp_path: Path, address: str) -> None:
    assert load(GOOD | {"METRICS_ADDRESS": address}, tmp_path).metrics_address == address


@pytest.mark.parametrize(
    "address",
    [
        "9464",
        ":9464",
        "localhost",
        "localhost:0",
        "localhost:99999",
        "unix:",
        "http://h:9464",
        "a@h:9464",
        "h:8000",
    ],
)
def test_an_address_of_metrics_that_is_none_or_the_carriers_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(BadSetting, match=r"^METRICS_ADDRESS: "):
        load(GOOD | {"METRICS_ADDRESS": address}, tmp_path)
