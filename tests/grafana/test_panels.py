"""Each panel's, variable's and rule's SQL, as it reaches PostgreSQL, by Grafana's own login and in a filled database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from grafana.alerts import alerts
from grafana.dashboards import boards
from grafana.words import BUREAU, DUTY
from store.db import Connection
from tests.grafana.filled import SECRET, WORDS
from tests.grafana.macros import Dashboard, Value, quoted

CITY_PATH = "/330200/"
TIERS = ("school", "district", "university", "city")
# The panels that may show that there is nothing to tell: a lane under five.
MAY_BE_SILENT = {"保密通道 · 全市未销号"}


def chosen(unit: str = CITY_PATH, tier: Value = TIERS, days: int = 90) -> Dashboard:
    now = datetime.now(UTC)
    return Dashboard(now - timedelta(days=days), now, {"unit": unit, "tier": tier})


def panels() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for board in boards():
        for panel in board.body["dashboard"]["panels"]:
            for target in panel["targets"]:
                yield board.uid, panel["title"], target


PANELS = list(panels())
_NAMES = [f"{uid} {title}" for uid, title, _ in PANELS]


def variables() -> Iterator[tuple[str, str]]:
    for board in boards():
        for variable in board.body["dashboard"].get("templating", {}).get("list", []):
            yield variable["name"], variable["query"]


async def rows(conn: Connection, statement: str) -> list[dict[str, Any]]:
    # By a cursor without parameters, so that a per cent sign stays one: as Grafana's driver sends it.
    return await (await conn.execute(statement.encode())).fetchall()


@pytest.mark.runtime
@pytest.mark.timeout(300)
async def test_every_panel_has_rows_in_a_filled_database(grafana: Connection) -> None:
    silent, ill = [], []
    for uid, title, target in PANELS:
        sql = chosen().expand(target["rawSql"])
        assert "$" not in sql, title
        told = await rows(grafana, sql)
        text = str(told)
        assert SECRET not in text, title
        assert WORDS not in text, title
        if not any(isinstance(value, int | float) or value for row in told for value in list(row.values())[-1:]):
            silent.append(f"{uid} {title}: {told[:2]}")
        if target["format"] == "time_series" and [row["time"] for row in told] != sorted(row["time"] for row in told):
            ill.append(title)
    assert (silent, ill) == ([], [])


@pytest.mark.runtime
async def test_variables_offer_what_the_panels_understand(grafana: Connection) -> None:
    offered = {name: await rows(grafana, sql) for name, sql in variables()}
    assert offered["unit"][0]["__value"] == CITY_PATH
    assert {row["__value"] for row in offered["tier"]} == set(TIERS)
    assert all(set(row) == {"__text", "__value"} for some in offered.values() for row in some)


@pytest.mark.runtime
async def test_a_part_of_the_city_shows_its_own_and_a_tier_shows_its_own(grafana: Connection) -> None:
    count = next(target["rawSql"] for uid, title, target in PANELS if (uid, title) == (DUTY, "未销号"))

    async def n(**wanted: Any) -> int:
        return int((await rows(grafana, chosen(**wanted).expand(count)))[0]["value"])

    whole = await n()
    assert whole == sum([await n(tier=(tier,)) for tier in TIERS])
    assert whole == await n(unit="/330200/330203/") + await n(unit="/330200/U01/")
    assert await n(unit="/330200/330203/") > await n(unit="/330200/330203/330203-002/") > 0
    assert await n(unit="/no/such/") == 0


# What somebody may put behind ?var-unit= in the address of a dashboard.
HOSTILE = (
    "' OR true --",
    "'; DROP TABLE hazards; --",
    "' UNION SELECT text FROM public.hazards --",
    "''",
    "'''",
    "\\' OR true --",
    '" OR true --',
    "$1",
    "%s",
    "%(unit)s",
    "${tier:raw}",
    "/330200/'||(SELECT text FROM public.reports LIMIT 1)||'",
    "$$ OR true --",
    "E'\\''",
    "/* */",
    "x\ny",
    "🏫",
)
# Macros come after the variables, so that one in a value is expanded within the quotes.
WITH_MACROS = (
    "$__timeFrom() OR true --",
    "$__timeFilter(x) OR true --",
    "' OR $__timeTo() --",
    "$__timeGroupAlias(at, 1h)",
)


@pytest.mark.runtime
@pytest.mark.timeout(300)
@pytest.mark.parametrize("value", HOSTILE)
async def test_a_hostile_value_is_a_value(grafana: Connection, value: str) -> None:
    assert (await rows(grafana, f"SELECT {quoted(value)} AS it"))[0]["it"].replace('\\"', '"') == value
    for uid, title, target in PANELS:
        if uid not in {DUTY, BUREAU} or "sqlstring" not in target["rawSql"]:
            continue
        for wanted in (chosen(unit=value), chosen(tier=("school", value))):
            told = await rows(grafana, wanted.expand(target["rawSql"]))
            assert WORDS not in str(told), title


@pytest.mark.runtime
@pytest.mark.parametrize("value", WITH_MACROS)
async def test_a_macro_in_a_value_gives_nothing_or_an_error(grafana: Connection, value: str) -> None:
    count = next(target["rawSql"] for uid, title, target in PANELS if (uid, title) == (DUTY, "未销号"))
    try:
        told = await rows(grafana, chosen(unit=value).expand(count))
    except psycopg.errors.SyntaxError:
        return
    assert told == [{"value": 0}]


def test_no_variable_stands_bare_and_no_time_is_written_out() -> None:
    assert {target["format"] for _, _, target in PANELS} == {"table", "time_series"}
    for _, title, target in PANELS:
        sql = target["rawSql"]
        chosen().expand(sql)
        assert (target["format"] == "time_series") == ("$__timeGroupAlias" in sql), title
        assert "public." not in sql, title
        assert sql.count("FROM figures.") >= 1, title


def test_every_panel_is_told_apart_by_its_title() -> None:
    assert len(set(_NAMES)) == len(_NAMES)
    for board in boards():
        ids = [panel["id"] for panel in board.body["dashboard"]["panels"]]
        assert ids == list(range(1, len(ids) + 1))


@pytest.mark.runtime
async def test_each_rule_asks_one_number(grafana: Connection, filled: Connection) -> None:
    told = {}
    for rule in alerts("https://risk.example.edu/runbooks", notify=True):
        query = rule.body["data"][0]
        assert query["datasourceUid"] == "campus-risk"
        answer = await rows(grafana, query["model"]["rawSql"])
        assert [list(row) for row in answer] == [["value"]]
        told[rule.uid.removeprefix("campus-risk-")] = answer[0]["value"]
    assert told["red-unassessed"] == 1
    assert told["dead-letters"] == 1
    assert 3500 < told["waiting"] < 3700
    assert told["outbox"] >= 0
    await filled.execute(
        "UPDATE deadlines SET due_at = now() - interval '5 minutes' WHERE missed_at IS NULL AND met_at IS NULL"
    )
    await filled.commit()
    late = await rows(grafana, "SELECT unswept_seconds FROM figures.pulse")
    assert 299 < late[0]["unswept_seconds"] < 330
