"""The command line, as a person or a script uses it, on a running platform."""

import asyncio
import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from openpyxl import Workbook

from deploy.cities import load_city
from deploy.demo import NINGBO
from deploy.simulate import Simulator
from models.taxonomy import subcategories
from store import db
from streams.context import now
from tests.conftest import Deployment

pytestmark = pytest.mark.runtime

SCHOOL = "330203-001"


async def run(platform: Deployment, *words: str, stdin: bytes = b"", **env: str) -> tuple[int, str, str]:
    """``campus-risk`` with these words → its exit code, output and complaints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy", *words, env=platform.env | {"COLUMNS": "200"} | env,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(stdin)
    return process.returncode or 0, out.decode(), err.decode()


async def one(platform: Deployment, statement: str, *values: Any) -> Any:
    """The one value of a query."""
    async with db.connect(str(platform.settings.database)) as conn:
        row = await (await conn.execute(statement, values)).fetchone()
    assert row
    return next(iter(row.values()))


async def test_ten_thousand_reports_land_and_the_same_file_again_adds_nothing(
    platform: Deployment, tmp_path: Path
) -> None:
    simulator, at = Simulator(load_city(NINGBO).units, subcategories(), seed=5, source="file-of-ten-thousand"), now()
    path = tmp_path / "reports.jsonl"
    path.write_bytes(b"".join(orjson.dumps(simulator.next(at)) + b"\n" for _ in range(10_000)))
    code, out, err = await run(platform, "ingest", str(path), "--json")
    assert code == 0, err
    first = json.loads(out)
    assert (first["accepted"], first["known"], first["refused"]) == (10_000, 0, 0)
    assert sum(first["landed"].values()) == 10_000
    assert "waiting" not in first["landed"]
    landed = "SELECT count(*) FROM intake WHERE source = 'file-of-ten-thousand' AND landed_at IS NOT NULL"
    assert await one(platform, landed) == 10_000
    hazards = await one(platform, "SELECT count(*) FROM hazards")
    code, out, _ = await run(platform, "ingest", str(path), "--json")
    assert (json.loads(out)["accepted"], json.loads(out)["known"]) == (0, 10_000)
    assert await one(platform, landed) == 10_000
    assert await one(platform, "SELECT count(*) FROM hazards") == hazards
    code, out, _ = await run(platform, "audit", "--json")
    assert code == 0, out


async def test_a_spreadsheet_as_schools_keep_it_is_taken_in(platform: Deployment, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["单位", "隐患描述", "地点", "发现时间"])
    sheet.append([SCHOOL, "配电箱裸露漏电", "1号楼一层", "2026-05-12 09:30"])
    sheet.append(["没有这所学校", "消火栓没水", "", ""])
    path = tmp_path / "隐患台账.xlsx"
    book.save(path)
    code, out, _ = await run(platform, "ingest", str(path), "--json")
    told = json.loads(out)
    assert code == 2, "a refused row must not look like success to a script"
    assert (told["accepted"], told["refused"]) == (1, 1)
    assert told["errors"][0]["row"] == 3
    assert await one(platform, "SELECT count(*) FROM dead_letters WHERE topic = %s", f"file:{path.name}") == 1


async def test_a_csv_in_the_encoding_of_excel_is_taken_in(platform: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "导出.csv"
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([["学校编码", "内容", "地点"], [SCHOOL, "食品留样不足48小时", "一食堂"]])
    code, out, _ = await run(platform, "ingest", str(path), "--json")
    assert code == 0
    assert json.loads(out)["landed"] == {"opened": 1}


async def test_a_file_that_is_no_file_of_reports_gets_one_sentence(platform: Deployment, tmp_path: Path) -> None:
    for name, content in (("empty.csv", b""), ("picture.xlsx", b"\x89PNG"), ("missing.csv", None)):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        code, _, err = await run(platform, "ingest", str(tmp_path / name))
        assert code == 1
        assert "Traceback" not in err
        assert len(err.strip().splitlines()) == 1, err


async def test_kcat_puts_a_record_onto_the_topic_and_it_lands(platform: Deployment) -> None:
    kcat = shutil.which("kcat")
    assert kcat, "Debian's kcat speaks to Kafka here: `make tools` installs it"
    text = "食堂后厨燃气管道腐蚀漏气"
    record = orjson.dumps({"source": "kcat", "unit": SCHOOL, "text": text})
    process = await asyncio.create_subprocess_exec(
        kcat, "-P", "-b", str(platform.settings.kafka), "-t", platform.topic("reports"), "-k", SCHOOL,
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await process.communicate(record)
    assert process.returncode == 0
    async with asyncio.timeout(20):
        while not await one(platform, "SELECT count(*) FROM hazards WHERE text = %s", text):
            await asyncio.sleep(0.1)
    assert (
        await one(platform, "SELECT caller FROM intake i JOIN reports r USING (id) WHERE r.text = %s", text) == "kafka"
    )


async def test_the_simulator_sends_through_the_door(platform: Deployment) -> None:
    code, _, err = await run(platform, "simulate", "--rate", "20", "--seconds", "2", "--seed", "77")
    assert code == 0, err
    assert await one(platform, "SELECT count(*) FROM intake WHERE source = 'simulate-77'") >= 20


async def test_a_row_that_was_refused_is_listed_lands_when_its_file_is_taken_in_again_and_is_dismissed(
    platform: Deployment, tmp_path: Path
) -> None:
    path = tmp_path / "late.jsonl"
    path.write_bytes(orjson.dumps({"source": "x", "unit": "330203-888", "text": "校门口积水倒灌地下室"}))
    assert (await run(platform, "ingest", str(path)))[0] == 2
    code, out, _ = await run(platform, "dead", "list", "--json")
    letter = next(told for told in map(json.loads, out.splitlines()) if told["topic"] == "file:late.jsonl")
    assert code == 0
    assert "330203-888" in letter["detail"]
    code, _, err = await run(platform, "dead", "replay", letter["id"])
    assert (code, "ingest the file again" in err) == (1, True)
    async with db.connect(str(platform.settings.database)) as conn:
        await conn.execute(
            "INSERT INTO units (code, name, kind, tier, parent, path) "
            "VALUES ('330203-888', '迟到的学校', 'school', 'school', '330203', '/330200/330203/330203-888/')"
        )
    code, _, err = await run(platform, "ingest", str(path))
    assert code == 0, err
    assert await one(platform, "SELECT count(*) FROM hazards WHERE unit = '330203-888'") == 1
    assert (await run(platform, "dead", "dismiss", letter["id"], "--reason", "文件已重新导入"))[0] == 0
    _, out, _ = await run(platform, "dead", "list", "--json")
    assert letter["id"] not in out


async def test_a_key_is_made_used_and_ended(platform: Deployment) -> None:
    code, out, err = await run(
        platform, "key", "create", "--name", "教务平台", "--unit", SCHOOL, "--role", "machine", "--json"
    )
    assert code == 0, err
    made = json.loads(out)
    headers = {"Authorization": f"Bearer {made['token']}"}
    async with httpx.AsyncClient(base_url=platform.url, headers=headers) as client:
        assert (await client.get("/api/v1/me")).json()["role"] == "machine"
        assert (await run(platform, "key", "revoke", made["id"]))[0] == 0
        assert (await client.get("/api/v1/me")).status_code == 401
    assert (await run(platform, "key", "create", "--name", "x", "--unit", "nowhere", "--role", "machine"))[0] == 1


async def test_classify_answers_line_by_line(platform: Deployment) -> None:
    lines = [
        {"text": "飞线充电，电瓶车停在楼道里", "n": 1},
        {"text": "消防演练顺利结束，一切正常", "n": 2},
        {"no": "text"},
    ]
    stdin = b"\n".join(map(orjson.dumps, lines)) + b"\n{broken\n"
    code, out, err = await run(platform, "classify", stdin=stdin)
    assert code == 0, err
    answers = list(map(json.loads, out.splitlines()))
    assert [a.get("n") for a in answers[:2]] == [1, 2]
    assert (answers[0]["subcategory"], answers[0]["level"], answers[0]["direct"]) == ("0104", "red", True)
    assert answers[1]["raises"] is False
    assert "error" in answers[2]
    assert "error" in answers[3]


async def test_the_loop_is_shown_as_a_table_that_an_officer_can_read(platform: Deployment) -> None:
    code, out, _ = await run(platform, "loop", "--table")
    assert code == 0
    for word in ("研判定级", "待研判", "督导员", "五落实"):
        assert word in out


async def test_a_database_that_is_not_there_gets_one_sentence(platform: Deployment) -> None:
    code, _, err = await run(platform, "audit", CAMPUS_RISK_DATABASE="postgresql://127.0.0.1:1/none")
    assert code == 1
    assert "CAMPUS_RISK_DATABASE" in err
    assert "Traceback" not in err
