"""Saved filters: per user and page, until they are reset."""

import pytest

from admin import saved_filters
from admin.errors import Invalid, NotAllowed
from tests.admin.office import Office, problems
from tests.builders import NOW


def save(office: Office, page: str, query: object) -> None:
    with office.writing(office.olga) as session:
        saved_filters.save(session, office.olga, {"page": page, "query": query}, NOW)


def kept(office: Office, page: str = "campaigns") -> str | None:
    with office.reading() as session:
        return saved_filters.saved_for(session, office.olga, page)


def test_a_filter_is_kept_until_the_next_one_or_a_reset(office: Office) -> None:
    save(office, "campaigns", "state=live")
    save(office, "campaigns", "state=ended&sort=name")
    assert kept(office) == "state=ended&sort=name"
    with office.writing(office.olga) as session:
        saved_filters.reset(session, office.olga, "campaigns")
        saved_filters.reset(session, office.olga, "campaigns")
    assert kept(office) is None


def test_each_page_and_each_user_has_his_own(office: Office) -> None:
    save(office, "campaigns", "state=live")
    save(office, "calls", "decision=reject")
    with office.writing(office.ned) as session:
        saved_filters.save(session, office.ned, {"page": "campaigns", "query": ""}, NOW)
        assert [f.page for f in saved_filters.saved(session, office.ned)] == ["campaigns"]
    with office.reading() as session:
        assert [(f.page, f.query) for f in saved_filters.saved(session, office.olga)] == [
            ("calls", "decision=reject"),
            ("campaigns", "state=live"),
        ]


@pytest.mark.parametrize(
    ("page", "query", "field"),
    [
        ("kitchen", "", "page"),
        ("calls", "a" * 2001, "query"),
        ("calls", "a\nb", "query"),
        ("calls", 7, "query"),
    ],
)
def test_what_is_no_filter_is_refused(on_sqlite: Office, page: str, query: object, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        save(on_sqlite, page, query)
    assert problems(refusal).keys() == {field}


def test_a_token_that_reads_saves_nothing(office: Office) -> None:
    reader = office.reader(office.olga)
    with pytest.raises(NotAllowed), office.writing(reader) as session:
        saved_filters.save(session, reader, {"page": "calls", "query": ""}, NOW)
    with pytest.raises(NotAllowed), office.writing(reader) as session:
        saved_filters.reset(session, reader, "calls")
