"""``campus-risk grafana``, as an operator uses it, against the strict stand-in; and the provisioning files."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.runtime.checks import CannotStart
from grafana.words import DUTY, OPERATORS
from tests.grafana.fake import TOKEN, Fake

Server = tuple[Fake, str]
CONTACTS = "email:duty@example.edu dingding:https://oapi.example.com/robot/send?access_token=sesam"


@pytest.fixture(autouse=True)
def settings(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "CAMPUS_RISK_DATABASE": "postgresql://owner:eigen@db.example.edu:5433/campus",
        "CAMPUS_RISK_KAFKA": "localhost:9092",
        "CAMPUS_RISK_LOCAL": str(tmp_path),
        "CAMPUS_RISK_PUBLIC_URL": "https://risk.example.edu",
        "CAMPUS_RISK_GRAFANA_URL": server[1],
        "CAMPUS_RISK_GRAFANA_TOKEN": TOKEN,
        "CAMPUS_RISK_GRAFANA_DB_PASSWORD": "geheim",
        "CAMPUS_RISK_GRAFANA_CONTACTS": CONTACTS,
        "COLUMNS": "200",
    }.items():
        monkeypatch.setenv(name, value)


def run(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["grafana", *words], input=stdin)


def done(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    assert "geheim" not in result.output
    assert "sesam" not in result.output
    return result.output


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_applied_twice_the_second_changes_nothing(server: Server) -> None:
    fake, _ = server
    assert done("apply").splitlines()[-1] == "新建 14"
    assert (len(fake.folders), len(fake.sources), len(fake.boards), len(fake.rules), len(fake.contacts)) == (
        3,
        1,
        3,
        5,
        2,
    )
    assert fake.secrets == {"campus-risk": "geheim"}
    source = fake.sources["campus-risk"]
    assert (source["url"], source["user"], source["jsonData"]["database"]) == (
        "db.example.edu:5433",
        "grafana",
        "campus",
    )
    rule = fake.rules["campus-risk-unswept"]
    assert rule["annotations"]["runbook_url"] == "https://risk.example.edu/docs/runbooks/kafka-down.md"
    assert rule["notification_settings"]["receiver"] in {one["name"] for one in fake.contacts.values()}
    fake.calls.clear()
    assert done("apply") == "不变 14\n"
    assert fake.changes == []
    assert {held["dashboard"]["version"] for held in fake.boards.values()} == {1}
    assert done("diff") == "不变 14\n"


def test_diff_shows_a_change_by_hand_and_apply_takes_it_back(server: Server) -> None:
    fake, _ = server
    done("apply")
    held = fake.boards[DUTY]["dashboard"]
    held["panels"][0]["title"] = "改过的标题"
    held["version"] += 1
    fake.rules["campus-risk-outbox"]["isPaused"] = True
    fake.calls.clear()
    shown = run("diff")
    assert shown.exit_code == 1
    assert "更新 看板 值班 · 闭环、层级与时限（campus-risk-duty）\n    被人手工改动过\n" in shown.output
    assert 'panels[0].title: "改过的标题" → "未销号"' in shown.output
    assert "isPaused: true → false" in shown.output
    assert fake.changes == []
    assert [(line["change"], line["uid"]) for line in lines(done("apply", "--json"))] == [
        ("update", DUTY),
        ("update", "campus-risk-outbox"),
    ]
    assert (fake.boards[DUTY]["dashboard"]["version"], fake.boards[DUTY]["dashboard"]["uid"]) == (3, DUTY)
    assert fake.boards[DUTY]["folderUid"] == DUTY
    assert done("apply") == "不变 14\n"


def test_what_was_deleted_by_hand_comes_back(server: Server) -> None:
    fake, _ = server
    done("apply")
    del fake.boards[DUTY], fake.rules["campus-risk-outbox"], fake.sources["campus-risk"]
    fake.secrets.clear()
    assert [line["change"] for line in lines(done("apply", "--json"))] == ["create"] * 3
    assert fake.secrets == {"campus-risk": "geheim"}


def test_what_others_made_is_left_alone_and_what_was_ours_goes(server: Server) -> None:
    fake, _ = server
    done("apply")
    fake.boards["theirs"] = {
        "dashboard": {"id": 90, "uid": "theirs", "title": "他人的", "tags": [], "version": 1},
        "folderUid": DUTY,
    }
    fake.rules["theirs"] = {
        **fake.rules["campus-risk-outbox"],
        "uid": "theirs",
        "title": "他人的",
        "notification_settings": None,
    }
    fake.contacts["theirs"] = {
        "uid": "theirs",
        "name": "grafana-default-email",
        "type": "email",
        "settings": {"addresses": "a@b.example"},
    }
    fake.rules["campus-risk-gone"] = {**fake.rules["campus-risk-outbox"], "uid": "campus-risk-gone", "title": "旧规则"}
    assert [(line["change"], line["uid"]) for line in lines(done("apply", "--json"))] == [
        ("remove", "campus-risk-gone")
    ]
    told = done("remove", "--yes")
    assert "保留 文件夹 校园风险 · 值班（campus-risk-duty）\n    里面还有 1 项不属于本平台，文件夹保留" in told
    assert set(fake.folders) == {DUTY, OPERATORS}
    assert (set(fake.boards), set(fake.rules), set(fake.contacts), fake.sources) == (
        {"theirs"},
        {"theirs"},
        {"theirs"},
        {},
    )
    assert done("remove", "--yes").splitlines()[-1] == "保留 2"


def test_remove_asks_first(server: Server) -> None:
    fake, _ = server
    done("apply")
    fake.calls.clear()
    refused = run("remove", stdin="n\n")
    assert isinstance(refused.exception, CannotStart)
    assert isinstance(run("remove", "--json").exception, CannotStart)
    assert fake.changes == []
    assert run("remove", stdin="y\n").output.splitlines()[-1] == "移除 14"
    assert [fake.folders, fake.sources, fake.boards, fake.rules, fake.contacts] == [{}] * 5
    assert done("remove") == "没有属于本平台的内容\n"


def test_a_changed_token_of_a_robot_is_a_new_receiver(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, _ = server
    done("apply")
    before = set(fake.contacts)
    monkeypatch.setenv("CAMPUS_RISK_GRAFANA_CONTACTS", CONTACTS.replace("sesam", "sesam2"))
    assert [line["change"] for line in lines(done("apply", "--json"))] == ["create", "remove"]
    assert len(set(fake.contacts) & before) == 1
    assert {one["settings"].get("url", "sesam2")[-6:] for one in fake.contacts.values()} == {"sesam2"}
    monkeypatch.delenv("CAMPUS_RISK_GRAFANA_CONTACTS")
    assert [line["change"] for line in lines(done("apply", "--json"))] == ["update"] * 5 + ["remove"] * 2
    assert fake.contacts == {}


def test_an_interrupted_apply_is_ended_by_the_next(server: Server) -> None:
    fake, _ = server
    fake.failing = 5
    stopped = run("apply")
    assert "database is locked" in str(stopped.exception)
    assert "applied again" in str(stopped.exception)
    fake.failing = None
    assert len(lines(done("apply", "--json"))) == 9
    assert done("diff") == "不变 14\n"


def test_the_password_can_be_renewed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, _ = server
    done("apply")
    monkeypatch.setenv("CAMPUS_RISK_GRAFANA_DB_PASSWORD", "neu")
    assert done("apply") == "不变 14\n"
    assert [line["kind"] for line in lines(done("apply", "--json", "--renew-password"))] == ["datasource"]
    assert fake.secrets == {"campus-risk": "neu"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("URL", "", "CAMPUS_RISK_GRAFANA_URL is not set"),
        ("URL", "ftp://grafana", "write https://"),
        ("TOKEN", "", "CAMPUS_RISK_GRAFANA_TOKEN is not set"),
        ("TOKEN", "glsa_wrong", "the token is not known"),
        ("DB_PASSWORD", "", "CAMPUS_RISK_GRAFANA_DB_PASSWORD is not set"),
        ("DB_SSL", "maybe", "'maybe' is no way of TLS"),
        ("CONTACTS", "sms:1", "contact 1 has no known type"),
        ("URL", "http://127.0.0.1:1", "does not answer"),
    ],
)
def test_what_a_person_can_cure_is_said(name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CAMPUS_RISK_GRAFANA_{name}", value)
    failed = run("apply")
    assert isinstance(failed.exception, CannotStart)
    assert said in str(failed.exception)
    assert "glsa_" not in str(failed.exception)


def test_files_are_written_once_and_hold_no_secret(tmp_path: Path) -> None:
    first = done("files", str(tmp_path))
    assert first.splitlines()[-1] == "写入 6 个文件"
    assert done("files", str(tmp_path)) == "没有变化\n"
    text = "".join(path.read_text("utf-8") for path in tmp_path.rglob("*.*") if path.is_file())
    assert "geheim" not in text
    assert "db.example.edu" not in text
    assert "https://risk.example.edu/docs/runbooks/kafka-down.md" in text
    assert run("files", str(tmp_path), "--runbooks", "https://wiki.example.edu/").output.endswith("写入 1 个文件\n")
    (tmp_path / "taken").write_text("", "utf-8")
    assert "cannot be written" in str(run("files", str(tmp_path / "taken")).exception)
