"""One act upon many campaigns: each wholly or not at all, with a report."""

from datetime import timedelta

import pytest

from admin import campaign_bulk
from admin.drafts import spelled
from admin.errors import Invalid, NotAllowed
from tests.admin.office import Office, problems
from tests.builders import NOW


def test_a_report_tells_what_became_of_each(office: Office) -> None:
    own, others = office.campaign(office.olga), office.campaign(office.ned)
    elsewhere = office.campaign(office.sam)
    wanted = {"action": "pause", "ids": [own, others, elsewhere, 999_999, own]}
    with office.writing(office.olga) as session:
        report = campaign_bulk.act(session, office.olga, wanted, NOW)
    assert (report.done, report.refused) == (1, 3)
    assert [(o.id, o.problem) for o in report.outcomes] == [
        (own, None),
        (others, "only the campaign's owner and admins may do this"),
        (elsewhere, "there is no such campaign"),
        (999_999, "there is no such campaign"),
    ]
    assert not office.stored_campaign(own).enabled
    assert office.stored_campaign(others).enabled


@pytest.mark.parametrize("action", ["pause", "resume", "end", "change_owner"])
def test_each_act_reaches_every_campaign(office: Office, action: str) -> None:
    ids = [office.campaign(office.ned, enabled=action != "resume") for _ in range(3)]
    wanted = {"action": action, "ids": ids, "owner_id": office.olga.user_id}
    with office.writing(office.ned) as session:
        assert campaign_bulk.act(session, office.ned, wanted, NOW).done == 3
    for each in map(office.stored_campaign, ids):
        assert each.enabled is (action != "pause")
        assert each.ends_at == (NOW if action == "end" else None)
        assert each.owner_id == (office.olga if action == "change_owner" else office.ned).user_id


def test_what_is_refused_for_one_is_done_for_the_others(office: Office) -> None:
    over = office.campaign(office.ned, ends_at=spelled(NOW - timedelta(hours=1)))
    live = office.campaign(office.ned)
    with office.writing(office.ned) as session:
        report = campaign_bulk.act(session, office.ned, {"action": "end", "ids": [over, live]}, NOW)
    assert [o.problem for o in report.outcomes] == ["the campaign has ended already", None]
    assert office.stored_campaign(live).ends_at == NOW


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"action": "delete", "ids": [1]}, "action"),
        ({"action": "pause", "ids": []}, "ids"),
        ({"action": "pause", "ids": list(range(1, 202))}, "ids"),
        ({"action": "pause", "ids": ["1"]}, "ids.0"),
        ({"action": "change_owner", "ids": [1]}, "owner_id"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    on_sqlite: Office, wanted: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refusal, on_sqlite.writing(on_sqlite.ada) as session:
        campaign_bulk.act(session, on_sqlite.ada, wanted, NOW)
    assert problems(refusal).keys() == {field}


def test_a_token_that_reads_acts_on_nothing(office: Office) -> None:
    reader = office.reader(office.ada)
    with pytest.raises(NotAllowed), office.writing(reader) as session:
        campaign_bulk.act(session, reader, {"action": "pause", "ids": [1]}, NOW)
