"""The plan, from values to values."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from grafana.apply import Change, Step, plan
from grafana.contacts import BadContact, contacts
from grafana.datasource import Database
from grafana.house import House, wanted
from grafana.resource import REDACTED, Kind, Resource, differences, stamped, untouched
from grafana.words import DUTY

DATABASE = Database("db:5432", "campus", "grafana", "geheim")
HOUSE = House(
    DATABASE, "https://risk.example.edu/docs/runbooks", ("email:duty@example.edu", "dingding:https://x.example/y?t=1")
)


def held(house: House = HOUSE) -> list[Resource]:
    """What Grafana has after all was applied: more than was sent, and its secrets not."""
    found = []
    for one in wanted(house):
        body = deepcopy(dict(one.body))
        if one.kind is Kind.DATASOURCE:
            body = {k: v for k, v in body.items() if k != "secureJsonData"} | {
                "id": 7,
                "secureJsonFields": {"password": True},
            }
        if one.kind is Kind.DASHBOARD:
            body["dashboard"] |= {"id": 3, "version": 4}
        if one.kind is Kind.RULE:
            body |= {"id": 9, "orgID": 5, "provenance": "api", "updated": "2026-05-12T06:00:00Z", "record": None}
        if one.kind is Kind.CONTACT and "url" in body["settings"]:
            body["settings"] = {"url": REDACTED}
        found.append(replace(one, body=body))
    return found


def of(kind: Kind, found: list[Resource], uid: str = "") -> dict[str, Any]:
    return next(dict(one.body) for one in found if one.kind is kind and uid in one.uid)


def altering(steps: list[Step]) -> list[tuple[Change, Kind]]:
    return [(step.change, step.resource.kind) for step in steps if step.alters]


def test_an_empty_grafana_gets_everything_in_an_order_in_which_each_needs_only_what_is_there() -> None:
    steps = plan(wanted(HOUSE), [])
    assert {step.change for step in steps} == {Change.CREATE}
    kinds = [step.resource.kind for step in steps]
    assert kinds == sorted(kinds, key=list(Kind).index)
    assert [kinds.count(kind) for kind in Kind] == [3, 1, 2, 3, 5]


def test_what_stands_there_as_wanted_is_left_alone() -> None:
    assert altering(plan(wanted(HOUSE), held())) == []


def test_a_change_by_hand_is_shown_with_its_place_and_both_values() -> None:
    found = held()
    of(Kind.DASHBOARD, found, DUTY)["dashboard"]["panels"][1]["title"] = "改过的标题"
    (step,) = (step for step in plan(wanted(HOUSE), found) if step.alters)
    assert (step.change, step.resource.uid) == (Change.UPDATE, DUTY)
    assert step.why == ("被人手工改动过", 'panels[1].title: "改过的标题" → "超期"')


@pytest.mark.parametrize(
    "change",
    [
        lambda board: board["panels"].pop(),
        lambda board: board["panels"][0].update(links=[{"title": "x", "url": "https://x.example"}]),
        lambda board: board["panels"][0]["targets"][0].update(rawSql="SELECT 1"),
        lambda board: board.update(refresh="5s"),
        lambda board: board["tags"].remove("campus-risk"),
        lambda board: board["tags"].pop(),
        lambda board: board["templating"]["list"].append({"name": "more"}),
        lambda board: board["time"].update({"from": "now-1h"}),
    ],
)
def test_any_change_of_a_dashboard_is_found(change: Any) -> None:
    found = held()
    change(of(Kind.DASHBOARD, found, DUTY)["dashboard"])
    assert altering(plan(wanted(HOUSE), found)) == [(Change.UPDATE, Kind.DASHBOARD)]


def test_an_older_edition_of_ours_is_told_from_a_change_by_hand() -> None:
    found = held()
    body = of(Kind.DASHBOARD, found, DUTY)
    older = stamped(body["dashboard"] | {"description": "以前的说明", "tags": ["campus-risk"]})
    assert untouched(older)
    body["dashboard"].update(older)
    (step,) = (step for step in plan(wanted(HOUSE), found) if step.alters)
    assert step.why[0] == "来自较早的版本"


def test_a_moved_dashboard_goes_back_to_its_folder() -> None:
    found = [
        replace(one, body={**one.body, "folderUid": ""}) if one.uid == DUTY and one.kind is Kind.DASHBOARD else one
        for one in held()
    ]
    assert altering(plan(wanted(HOUSE), found)) == [(Change.UPDATE, Kind.DASHBOARD)]


def test_many_differences_are_counted_and_not_all_told() -> None:
    found = held()
    for panel in of(Kind.DASHBOARD, found, DUTY)["dashboard"]["panels"]:
        panel["title"] += "！"
    (step,) = (step for step in plan(wanted(HOUSE), found) if step.alters)
    assert len(step.why) == 9
    assert step.why[-1] == "……另有 6 处"


def test_rules_folders_and_the_data_source_are_compared_in_what_we_set() -> None:
    found = held()
    of(Kind.RULE, found, "unswept")["annotations"]["runbook_url"] = "https://elsewhere.example"
    of(Kind.RULE, found, "waiting")["labels"]["mine"] = "x"
    of(Kind.RULE, found, "outbox")["data"][1]["model"]["conditions"][0]["evaluator"]["params"] = [9000]
    of(Kind.FOLDER, found, DUTY)["title"]
    of(Kind.DATASOURCE, found)["jsonData"]["sslmode"] = "disable"
    found = [
        replace(one, body={**one.body, "title": "别名"}) if (one.kind, one.uid) == (Kind.FOLDER, DUTY) else one
        for one in found
    ]
    assert altering(plan(wanted(HOUSE), found)) == [
        (Change.UPDATE, Kind.FOLDER),
        (Change.UPDATE, Kind.DATASOURCE),
        *[(Change.UPDATE, Kind.RULE)] * 3,
    ]


def test_the_password_is_sent_where_there_is_none_and_when_asked_for() -> None:
    found = held()
    assert altering(plan(wanted(HOUSE), found, renew_password=True)) == [(Change.UPDATE, Kind.DATASOURCE)]
    of(Kind.DATASOURCE, found)["secureJsonFields"].clear()
    (step,) = (step for step in plan(wanted(HOUSE), found) if step.alters)
    assert step.why == ("password: 重新写入",)
    assert "geheim" not in repr(DATABASE)


def test_a_changed_address_is_a_new_receiver_and_the_old_one_goes_last() -> None:
    other = replace(HOUSE, contacts=("email:duty@example.edu", "dingding:https://x.example/y?t=2"))
    assert altering(plan(wanted(other), held())) == [(Change.CREATE, Kind.CONTACT), (Change.REMOVE, Kind.CONTACT)]
    without = replace(HOUSE, contacts=())
    steps = plan(wanted(without), held())
    # The rules let go of the contact point first: Grafana keeps one that a rule uses.
    assert altering(steps) == [*[(Change.UPDATE, Kind.RULE)] * 5, *[(Change.REMOVE, Kind.CONTACT)] * 2]


def test_a_changed_receiver_is_told_without_its_address() -> None:
    found = held()
    of(Kind.CONTACT, found, "email")["settings"]["addresses"] = "somebody@else.example"
    (step,) = (step for step in plan(wanted(HOUSE), found) if step.alters)
    assert step.why == ("settings: 与设定不同",)


@pytest.mark.parametrize(
    "given",
    ["sms:123", "email:nobody", "webhook:not-an-address", "dingding:", "https://x.example/token", "wecom:ftp://x"],
)
def test_a_contact_that_cannot_be_reached_is_refused_without_telling_its_address(given: str) -> None:
    with pytest.raises(BadContact, match="contact 2") as refused:
        contacts(["email:duty@example.edu", given])
    assert given.partition(":")[2] not in str(refused.value) or given == "dingding:"


def test_removing_goes_backwards_and_leaves_a_folder_in_which_others_keep_something() -> None:
    found = [replace(one, others=2) if (one.kind, one.uid) == (Kind.FOLDER, DUTY) else one for one in held()]
    steps = plan([], found)
    kinds = [step.resource.kind for step in steps]
    assert kinds == sorted(kinds, key=lambda kind: -list(Kind).index(kind))
    assert [step.resource.uid for step in steps if step.change is Change.KEEP] == [DUTY]


def test_an_unknown_way_of_tls_is_refused() -> None:
    with pytest.raises(ValueError, match="verify-full"):
        Database("db:5432", "campus", "grafana", "x", "maybe")  # type: ignore[arg-type]


def test_empty_equals_absent_and_nothing_else_does() -> None:
    assert differences({"a": 0, "b": "", "c": None, "d": [], "e": False}, {}) == []
    assert differences({}, {"x": [], "y": {}}) == []
    assert differences({"a": 1}, {}) == ["a: null → 1"]
    assert differences({}, {"a": 1}) == ["a: 1 → null"]
    assert differences({}, {"a": 1}, whole=False) == []
    assert differences([1, 2], [1]) == [": [1] → [1, 2]"]
    assert differences({"x": "y" * 200}, {})[0].endswith("…")
