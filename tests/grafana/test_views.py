"""What a Grafana login may read: the figures, and nothing else of the database."""

from typing import Any

import psycopg
import pytest

from models.levels import Level
from store.db import Connection
from tests.grafana.filled import SECRET, WORDS
from tests.store.test_landing import accepted, land, opened, query

pytestmark = pytest.mark.runtime

_ALL = (
    "SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.oid FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
    "AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
)
# Columns whose values are texts: codes and names of units, and nothing that a person wrote.
_CODES = {
    "code", "name", "kind", "tier", "parent", "path", "unit", "label", "category", "subcategory", "level", "state", "reason",
    "from_tier", "to_tier", "action", "before", "after", "source", "outcome", "topic",
}  # fmt: skip


async def test_it_reads_every_view_of_figures(grafana: Connection) -> None:
    views = [row for row in await query(grafana, _ALL) if row["schema"] == "figures"]
    assert len(views) >= 13
    for view in views:
        told = await query(grafana, f"SELECT * FROM figures.{view['name']}")
        assert told, view["name"]
        text = str(told)
        assert SECRET not in text
        assert WORDS not in text


async def test_it_reads_nothing_else(grafana: Connection) -> None:
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    may = set()
    for one in await query(grafana, _ALL):
        for right in rights if one["kind"] != "S" else ("USAGE", "SELECT", "UPDATE"):
            function = "has_sequence_privilege" if one["kind"] == "S" else "has_table_privilege"
            if (await query(grafana, f"SELECT {function}(%s::oid, %s) AS may", one["oid"], right))[0]["may"]:
                may.add((one["schema"], right))
            if one["kind"] != "S" and right in {"SELECT", "INSERT", "UPDATE"} and one["schema"] != "figures":
                held = await query(grafana, "SELECT has_any_column_privilege(%s::oid, %s) AS may", one["oid"], right)
                assert not held[0]["may"], one["name"]
    assert may == {("figures", "SELECT")}
    for table in ("hazards", "reports", "intake", "trail", "accounts", "warnings", "units"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await grafana.execute(f"SELECT * FROM public.{table}")


async def test_it_calls_no_function_that_reads_for_others(grafana: Connection) -> None:
    made = await query(
        grafana,
        "SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE p.prosecdef AND n.nspname !~ '^pg_' AND has_function_privilege(p.oid, 'EXECUTE')",
    )
    assert made == []
    for call in ("words_closed(gen_random_uuid())", "dead_letters_since(now())", "confidential_open('/')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await grafana.execute(f"SELECT {call}")


async def test_it_makes_nothing_and_becomes_nobody(grafana: Connection) -> None:
    for statement in (
        "CREATE TABLE public.mine (n integer)",
        "CREATE TABLE figures.mine (n integer)",
        "SET ROLE campus_risk_reader",
        "SET ROLE campus_risk_keeper",
        "UPDATE figures.dead_letters SET reason = 'x'",
        "DELETE FROM figures.tiers",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)):
            await grafana.execute(statement)


async def test_no_column_holds_words_a_person_or_the_id_of_a_record(grafana: Connection) -> None:
    columns = await query(
        grafana,
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'figures'",
    )
    assert {row["data_type"] for row in columns} <= {
        "text", "boolean", "integer", "smallint", "bigint", "double precision", "timestamp with time zone",
    }  # fmt: skip
    texts = {row["column_name"] for row in columns if row["data_type"] == "text"}
    assert texts <= _CODES


async def test_confidential_lanes_are_counts_of_five_and_more_and_nowhere_else(
    grafana: Connection, filled: Connection
) -> None:
    told = {row["category"]: row["open"] for row in await query(grafana, "SELECT * FROM figures.confidential")}
    assert told == {"09": None, "10": 6}
    for view in ("hazards", "deadlines", "escalations", "actions"):
        columns = [row["column_name"] for row in await _columns(grafana, view)]
        if "subcategory" in columns:
            lanes = await query(grafana, f"SELECT 1 FROM figures.{view} WHERE left(subcategory, 2) IN ('09', '10')")
            assert lanes == []
    before = await _counts(grafana)
    await opened(filled, Level.RED, "1001", text=SECRET)
    await land(filled, await accepted(filled), category="10", subcategory="1001", labels=("1001",), raises=False)
    await filled.commit()
    assert await _counts(grafana) == before
    assert (await query(grafana, "SELECT open FROM figures.confidential WHERE category = '10'"))[0]["open"] == 7


async def test_no_function_in_a_condition_sees_a_row_that_the_view_leaves_out(
    grafana: Connection, filled: Connection
) -> None:
    """Without the barrier the condition is asked of every deadline before the join finds out whose it is."""
    await filled.execute(
        "UPDATE deadlines SET round = 77 WHERE (hazard, kind, round) = (SELECT d.hazard, d.kind, d.round FROM deadlines d "
        "JOIN hazards h ON h.id = d.hazard WHERE h.confidential ORDER BY 1, 2, 3 LIMIT 1)"
    )
    await filled.commit()
    asked = "SELECT count(*) AS n FROM figures.deadlines WHERE 1 / (round - 77) IS NOT NULL"
    assert (await query(grafana, asked))[0]["n"] > 0
    await filled.execute("ALTER VIEW figures.deadlines RESET (security_barrier)")
    try:
        await filled.commit()
        with pytest.raises(psycopg.errors.DivisionByZero):
            await query(grafana, asked)
    finally:
        await filled.execute("ALTER VIEW figures.deadlines SET (security_barrier)")
        await filled.commit()
    barred = await query(
        grafana,
        "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'figures' "
        "AND NOT coalesce('security_barrier=true' = ANY (c.reloptions), false)",
    )
    # Aggregates alone: no condition reaches below them.
    assert [row["name"] for row in barred] == ["pulse"]


async def test_the_reader_of_people_still_reads_as_before(filled: Connection) -> None:
    await filled.execute("SET LOCAL ROLE campus_risk_reader")
    await filled.execute("SELECT set_config('campus.paths', '/', true), set_config('campus.units', '', true)")
    assert (await query(filled, "SELECT count(*) AS n FROM hazards"))[0]["n"] > 0
    assert (await query(filled, "SELECT count(*) AS n FROM reports"))[0]["n"] > 0
    assert (await query(filled, "SELECT open FROM confidential_open('/') WHERE category = '10'"))[0]["open"] == 6
    assert (await query(filled, "SELECT dead_letters_since(now() - interval '1 day') AS n"))[0]["n"] == 1


async def _columns(conn: Connection, view: str) -> list[dict[str, Any]]:
    return await query(
        conn,
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'figures' AND table_name = %s",
        view,
    )


async def _counts(conn: Connection) -> dict[str, int]:
    names = ("hazards", "deadlines", "escalations", "actions", "intake")
    return {name: (await query(conn, f"SELECT count(*) AS n FROM figures.{name}"))[0]["n"] for name in names}
