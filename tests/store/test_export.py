"""An exported folder: masked, whole as it was written, and each change of it found and named without the database."""

import csv
import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models import export as lines
from models.events import link
from models.levels import Level
from models.loop import Action
from models.privacy import closed_words
from models.roles import Role
from store import db, escalations, export, exported
from store.db import Connection
from store.export import Wanted
from tests import factories
from tests.factories import CITY, SCHOOL, UNIVERSITY, tree
from tests.store.test_hazards import ASSESSOR, TO_CLOSED, act
from tests.store.test_landing import CLOCK, accepted, hazard_of, land, opened, query

pytestmark = pytest.mark.runtime

NOW = datetime(2026, 5, 12, 6, 0, tzinfo=UTC)
SECRET = "几名学生长期欺负同班同学"
CHILD = "五年级学生在楼梯摔伤"
MOBILE = "13800001234"


async def filled(conn: Connection) -> None:
    """Hazards of several kinds, with trails."""
    await act(conn, await opened(conn, Level.YELLOW), *TO_CLOSED)
    red = await opened(conn, Level.RED, text="=HYPERLINK 配电箱冒烟", place="+1号楼")
    await act(conn, red, (Action.ASSESS, ASSESSOR, {"reason": f"已电话{MOBILE}核实"}))
    secret = await opened(conn, Level.RED, "1001", text=SECRET)
    await escalations.route(conn, [red.id, secret.id], NOW, CLOCK)
    await act(conn, secret, (Action.ASSESS, ASSESSOR, {"reason": SECRET}))
    child = await accepted(conn, text=CHILD, minors_involved=True)
    await land(conn, child, level=Level.ORANGE)
    await escalations.route(conn, [(await hazard_of(conn, child)).id], NOW, CLOCK)
    await act(conn, await hazard_of(conn, child), (Action.FEEDBACK, ASSESSOR, {"text": CHILD}))
    await opened(conn, unit=UNIVERSITY)


def made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def words(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in folder.iterdir())


async def write(conn: Connection, folder: Path, unit: str = CITY, **more: Any) -> dict[str, Any]:
    return await export.write(
        conn, Wanted(unit, tree()[unit].path, **more), made(folder), "test", datetime.now(UTC), lambda _: None
    )


def read(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
async def folder(conn: Connection, tmp_path: Path) -> Path:
    await filled(conn)
    await write(conn, tmp_path)
    return tmp_path


async def test_a_folder_is_whole_as_it_was_written(conn: Connection, folder: Path) -> None:
    proof = exported.prove(folder)
    assert (proof.amiss, proof.whole, proof.unproven, proof.hazards) == ([], True, 0, 5)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for name in lines.FILES:
        row = (await query(conn, f"SELECT count(*) AS n FROM {name}"))[0]
        assert manifest["files"][f"{name}.jsonl"]["rows"] == manifest["files"][f"{name}.csv"]["rows"] == row["n"] > 0
    assert (manifest["unit"], manifest["masked"], manifest["chain_heads"]["hazards"]) == (CITY, True, 5)


async def test_it_is_masked_and_tells_nothing_of_closed_records(folder: Path) -> None:
    everything = words(folder)
    for word in (SECRET, CHILD, MOBILE):
        assert word not in everything
    assert "138****1234" in everything
    assert "配电箱冒烟" in everything
    by_text = {row["text"]: row for row in read(folder, "hazards")}
    assert closed_words() in by_text
    steps = [row for row in read(folder, "trail") if row["masked"]]
    assert {row["action"] for row in steps} == {"assess", "feedback"}


async def test_unmasked_it_holds_all_words_and_is_logged_as_a_reading(conn: Connection, tmp_path: Path) -> None:
    await filled(conn)
    await write(conn, tmp_path, open_words=True)
    assert SECRET in (tmp_path / "trail.jsonl").read_text("utf-8")
    assert not any(row["masked"] for row in read(tmp_path, "trail"))
    assert exported.prove(tmp_path).whole
    logged = await query(conn, "SELECT what, actor, role FROM access_log")
    assert [tuple(row.values()) for row in logged] == [("export", "test", "system")] * 2


async def test_only_the_subtree_and_the_period_asked_for(conn: Connection, tmp_path: Path) -> None:
    await filled(conn)
    await opened(conn, at=NOW - timedelta(days=40))
    await write(conn, tmp_path / "school", SCHOOL, since=NOW - timedelta(days=1), until=NOW + timedelta(days=1))
    await write(conn, tmp_path / "university", UNIVERSITY)
    await write(conn, tmp_path / "none", UNIVERSITY, since=NOW + timedelta(days=1))
    for name, count in (("school", 4), ("university", 1), ("none", 0)):
        assert len(read(tmp_path / name, "hazards")) == count
        assert exported.prove(tmp_path / name).amiss == []
    ids = {row["id"] for row in read(tmp_path / "school", "hazards")}
    assert {row["hazard"] for row in read(tmp_path / "school", "trail")} == ids


async def test_a_spreadsheet_runs_nothing_of_it(folder: Path) -> None:
    text = (folder / "hazards.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    with (folder / "hazards.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"'=HYPERLINK 配电箱冒烟", "'+1号楼"} <= {row["text"] for row in rows} | {row["place"] for row in rows}


def edit(path: Path, change: Callable[[list[bytes]], None]) -> None:
    rows = path.read_bytes().splitlines(keepends=True)
    change(rows)
    path.write_bytes(b"".join(rows))


@pytest.mark.parametrize("name", [*lines.FILES])
async def test_a_changed_line_is_found_and_named(folder: Path, name: str) -> None:
    old = read(folder, name)[1]
    edit(folder / f"{name}.jsonl", lambda rows: rows.__setitem__(1, rows[1].replace(b"2026", b"2025", 1)))
    proof = exported.prove(folder)
    said = "\n".join(proof.amiss)
    assert f"{name}.jsonl 第 2 行：内容被改动（隐患 {old['id' if name == 'hazards' else 'hazard']}" in said
    assert f"{name}.jsonl：内容与清单的 SHA-256 不符" in said
    assert sum("内容被改动" in one for one in proof.amiss) == 1, "and no other"


@pytest.mark.parametrize("name", [*lines.FILES])
@pytest.mark.parametrize("at", [0, 1, -1])
async def test_a_missing_row_is_found_and_named(folder: Path, name: str, at: int) -> None:
    count = len(read(folder, name))
    edit(folder / f"{name}.jsonl", lambda rows: rows.pop(at))
    said = "\n".join(exported.prove(folder).amiss)
    assert (f"{name}.jsonl：缺末尾 1 行" if at == -1 or count == at + 1 else f"{name}.jsonl：缺第 {at + 1} 行") in said
    assert "内容被改动" not in said


@pytest.mark.parametrize("name", ["hazards", "trail", "deadlines"])
@pytest.mark.parametrize("other", [1, 3, -1])
async def test_swapped_rows_are_found_and_named(folder: Path, name: str, other: int) -> None:
    count = len(read(folder, name))

    def swap(rows: list[bytes]) -> None:
        rows[0], rows[other] = rows[other], rows[0]

    edit(folder / f"{name}.jsonl", swap)
    amiss = exported.prove(folder).amiss
    second = other % count + 1
    assert any(f"{name}.jsonl 第 1 行：原为第 {second} 行" in one for one in amiss)
    assert any(f"{name}.jsonl 第 {second} 行：原为第 1 行" in one for one in amiss)
    assert sum("顺序被调换" in one for one in amiss) == 2
    assert not any("内容被改动" in one or "缺" in one for one in amiss)


async def test_two_gaps_are_two_gaps(folder: Path) -> None:
    def drop(rows: list[bytes]) -> None:
        del rows[5], rows[2:4]

    edit(folder / "trail.jsonl", drop)
    amiss = exported.prove(folder).amiss
    assert [one for one in amiss if "缺" in one] == ["trail.jsonl：缺第 3 行至第 4 行", "trail.jsonl：缺第 6 行"]


async def test_a_forger_who_mends_every_link_and_sum_is_found_by_the_chain(folder: Path) -> None:
    """Links, sums and manifest are made anew after the change; the hazards' own chain tells all the same."""
    rows = read(folder, "trail")
    victim = next(row for row in rows if row["action"] == "dispatch")
    victim["actor"] = "test:somebody-else"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    bound, out, table = "", b"", "\ufeff" + ",".join(["n", *lines.FILES["trail"]]) + "\r\n"
    for row in rows:
        bound = lines.bound(bound, row)
        out += lines.canonical(row | {"link": bound}) + b"\n"
        table += export._row(lines.cells("trail", row))
    (folder / "trail.jsonl").write_bytes(out)
    (folder / "trail.csv").write_text(table, "utf-8", newline="")
    manifest["links"]["trail"] = bound
    for name in ("trail.jsonl", "trail.csv"):
        manifest["files"][name]["sha256"] = exported._digest(folder / name)
    (folder / "manifest.json").write_bytes(lines.canonical(manifest))
    assert exported.prove(folder).amiss == [f"履历：隐患 {victim['hazard']} 的哈希链在第 {victim['seq']} 步断开"]


async def test_a_table_that_differs_from_its_lines_is_named(folder: Path) -> None:
    edit(folder / "deadlines.csv", lambda rows: rows.__setitem__(2, rows[2].replace(b"2026", b"2025", 1)))
    assert "deadlines.csv 第 2 行：与 deadlines.jsonl 第 2 行不符" in exported.prove(folder).amiss


async def test_a_lost_file_and_a_line_that_is_none_are_named(folder: Path) -> None:
    (folder / "escalations.csv").unlink()
    edit(folder / "hazards.jsonl", lambda rows: rows.__setitem__(0, b"{]\n"))
    amiss = exported.prove(folder).amiss
    assert "escalations.csv：文件不在了" in amiss
    assert "hazards.jsonl 第 1 行：不是导出的 JSON 行" in amiss


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no readable manifest"),
        ("[]", "holds no readable manifest"),
        ("{}", "holds no readable manifest"),
        ('{"schema": 99, "files": {}}', "newer platform"),
        ('{"schema": 1, "files": {"../x": {}}}', "does not name the files"),
    ],
)
def test_what_is_no_export_is_said_with_the_cure(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content, "utf-8")
    with pytest.raises(exported.Unreadable, match=said):
        exported.prove(tmp_path)


async def test_a_step_of_schema_1_whose_words_are_masked_is_counted_as_unproven(
    conn: Connection, tmp_path: Path
) -> None:
    hazard = await opened(conn)
    await act(conn, hazard, (Action.INSTRUCT, factories.actor(Role.LEADER), {"text": MOBILE}))
    await conn.execute("SET LOCAL session_replication_role = replica")
    rows = await query(conn, "SELECT * FROM trail WHERE hazard = %s ORDER BY seq", hazard.id)
    previous = bytes(32)
    for row in rows:
        event = lines.event_of(row | {"schema": 1})
        previous = link(previous, event)
        await conn.execute("UPDATE trail SET schema = 1, hash = %s WHERE seq = %s", (previous, row["seq"]))
    await conn.execute("UPDATE hazards SET trail_hash = %s", (previous,))
    await write(conn, tmp_path)
    proof = exported.prove(tmp_path)
    assert (proof.amiss, proof.unproven) == ([], 1)


async def test_memory_does_not_grow_with_the_trail(
    conn: Connection, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 100)
    await opened(conn)

    async def grown(seqs: range, folder: Path) -> int:
        await conn.execute("SET LOCAL session_replication_role = replica")
        await conn.execute(
            "INSERT INTO trail SELECT hazard, s, at, schema, action, actor, role, before, after, "
            "jsonb_build_object('text', repeat('字', 200)), hash FROM trail, generate_series(%s::int, %s::int) s WHERE seq = 1",
            (seqs.start, seqs.stop - 1),
        )
        await conn.commit()
        async with db.connect(dsn) as own:
            tracemalloc.start()
            await write(own, folder)
            exported.prove(folder)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return peak

    few = await grown(range(2, 500), tmp_path / "few")
    many = await grown(range(500, 2500), tmp_path / "many")
    assert many < 1.5 * few, (few, many)
