"""``campus-risk train``, ``evaluate``, ``corrections``: a worse version is refused, and what was learned says so."""

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.runtime.checks import CannotStart
from models.classifier import evaluate
from models.classifier.examples import load
from models.classifier.predict import Classifier
from models.classifier.train import MANIFEST
from models.levels import Level
from models.loop import Action
from store import units
from store.db import Connection
from tests.factories import CITY, NOW, SCHOOL
from tests.store.test_hazards import ASSESSOR, act
from tests.store.test_landing import opened

CORPUS = """@0401 guard orange
电梯困人 一直按铃没人理
货梯门夹了我的手
轿厢停在两层中间不动了
@0102 guard yellow
灭火器压力表在红区
消火栓里没有水带
应急灯一个都不亮
@0104 student red direct
室友把电瓶拎上来充电
楼道里停着电动车还插着线
@- cook solved
电梯修好了，可以用
@- teacher drill
下午疏散演练，请准时参加
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A corpus of a few sentences: it trains in no time, and badly. Twice as many writers, so that folds can be made."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(5):
        text = CORPUS.replace("guard", f"guard{number}").replace("student", f"student{number}")
        text = text.replace("cook", f"cook{number}").replace("teacher", f"teacher{number}")
        (folder / f"part-{number}.txt").write_text(text, "utf-8")
    return folder


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def trained(small: Path, out: Path, *more: str) -> Result:
    return run("train", "--corpus", str(small), "--out", str(out), *more)


def test_the_first_version_is_taken_and_says_what_it_is(small: Path, tmp_path: Path) -> None:
    result = trained(small, tmp_path / "models")
    assert result.exit_code == 0, (result.output, result.exception)
    manifest = json.loads((tmp_path / "models" / MANIFEST).read_text())
    assert manifest["version"] in result.output
    assert (manifest["examples"], manifest["corrections"]) == (50, 0)


def test_a_worse_version_is_refused_and_the_old_one_stays(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "models"
    trained(small, out)
    before = (out / MANIFEST).read_bytes()
    (small / "more.txt").write_text("@0803 shop blue\n少了两把伞\n伞又被拿走了\n", "utf-8")
    real, count = evaluate.score, iter(range(9))

    def ever_worse(classifier: Classifier, examples: Any) -> evaluate.Scores:
        # The new version is scored first.
        return replace(real(classifier, examples[:20]), category=0.2 if next(count) == 0 else 0.9)

    monkeypatch.setattr(evaluate, "score", ever_worse)
    result = trained(small, out)
    assert isinstance(result.exception, CannotStart)
    assert "category 0.900 → 0.200" in str(result.exception)
    assert (out / MANIFEST).read_bytes() == before
    count = iter(range(9))
    assert trained(small, out, "--force").exit_code == 0
    assert (out / MANIFEST).read_bytes() != before


def test_corrections_are_learned_with_the_corpus(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "corrections"
    folder.mkdir()
    (folder / "corrections.txt").write_text("@0803 assessor blue\n少了两把伞\n伞又被拿走了\n", "utf-8")
    assert trained(small, tmp_path / "models", "--corrections", str(folder)).exit_code == 0
    manifest = json.loads((tmp_path / "models" / MANIFEST).read_text())
    assert manifest["corrections"] == 2
    assert "0803" in Classifier.load(tmp_path / "models").codes


def test_two_versions_are_compared(small: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    trained(small, one)
    shutil.copytree(one, two)
    words = ("evaluate", "--part", str(small), "--model", str(one), "--against", str(two))
    assert "没有变差" in run(*words).output
    told = json.loads(run(*words, "--json").output)
    assert told["now"] == told["against"]
    assert told["now"]["examples"] == 50


@pytest.mark.runtime
async def test_corrections_are_written_where_a_unit_consents(
    conn: Connection, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", dsn)
    hazard = await opened(conn, text="3号楼电梯门夹人")
    await act(conn, hazard, (Action.ASSESS, ASSESSOR, {"category": "0401", "level": Level.ORANGE, "reason": "改类"}))
    await conn.commit()
    none = await asyncio.to_thread(run, "corrections", str(tmp_path / "out"))
    assert "[learning]" in none.output
    await units.load(conn, CITY, "试验市", {"learning": {"units": [SCHOOL]}}, await units.tree(conn), NOW)
    await conn.commit()
    assert json.loads((await asyncio.to_thread(run, "corrections", str(tmp_path / "out"), "--json")).output) == {
        "sentences": 1
    }
    (one,) = load(tmp_path / "out")
    assert (one.labels, one.level) == (("0401",), Level.ORANGE)
    assert "3" not in one.text
