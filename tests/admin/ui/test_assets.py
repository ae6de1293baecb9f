"""The page's files: all there, immutable, compressed where asked for, nothing else within reach."""

import gzip
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from admin.ui.assets import Asset, AssetsMissing, asset_pages, assets_in

INSTALLED = Path(__file__).parents[3] / ".assets"


@pytest.fixture(scope="module")
def assets() -> dict[str, Asset]:
    return assets_in(INSTALLED)


@pytest.fixture
def client(assets: dict[str, Asset]) -> FlaskClient:
    application = Flask(__name__, static_folder=None)
    application.register_blueprint(asset_pages(assets))
    return application.test_client()


def test_make_setup_installs_every_file_of_the_page(assets: dict[str, Asset]) -> None:
    assert {"tabler.css", "htmx.js"} <= assets.keys()


def test_missing_files_are_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissing, match="make setup"):
        assets_in(tmp_path)


def test_a_file_is_kept_by_browsers_for_ever(client: FlaskClient, assets: dict[str, Asset]) -> None:
    answer = client.get(f"/assets/{assets['tabler.css'].digest}/tabler.css")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.mimetype == "text/css"


def test_a_browser_that_takes_gzip_gets_the_same_file_smaller(
    client: FlaskClient, assets: dict[str, Asset]
) -> None:
    asset = assets["htmx.js"]
    answer = client.get(f"/assets/{asset.digest}/htmx.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.data) == asset.content
    assert len(answer.data) < len(asset.content) / 2


@pytest.mark.parametrize("name", ["jquery.min.js", "../sqladmin/__init__.py", "..%2fsqladmin%2f__init__.py"])
def test_nothing_else_of_the_packages_can_be_reached(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/0000000000000000/{name}").status_code == 404


def test_an_outdated_address_is_not_answered_with_another_file(client: FlaskClient) -> None:
    assert client.get("/assets/0000000000000000/tabler.css").status_code == 404
