"""Wording, evidence and the weights: what speaks for and against, and a file that is what was fitted."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.duplicates import score
from models.duplicates.score import Weights, digest, evidence, rivals, weights
from models.duplicates.wording import held, shared, telling, weight
from tests.factories import steady

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("one", "other", "kind", "name"),
    [
        ("消防栓没水", "消火栓拧开一滴水都没有", "thing", "消火栓"),
        ("小电驴进楼", "电瓶车停楼道", "thing", "电动车"),
        ("挂了把大锁", "铁链拴着上锁", "trouble", "锁着"),
        ("一教大厅", "教学楼前厅", "place", "教学楼"),
    ],
)
def test_words_of_one_meaning(one: str, other: str, kind: str, name: str) -> None:
    assert name in telling(one, None).words[kind] & telling(other, None).words[kind]


def test_the_longest_word_counts() -> None:
    assert telling("煤气罐", None).words["thing"] == {"液化气罐"}
    assert telling("生物安全柜", None).words["thing"] == {"生物安全柜"}


def test_rare_words_weigh_more_than_common_ones() -> None:
    assert weight(frozenset({"横纹"})) > weight(frozenset({"学生"})) > 0


grams = st.frozensets(st.text(alphabet="安全出口被锁学生", min_size=1, max_size=2))


@steady
@given(grams, grams)
def test_overlaps_are_symmetric_shares(one: frozenset[str], other: frozenset[str]) -> None:
    for overlap in (shared, held):
        assert overlap(one, other) == pytest.approx(overlap(other, one))
        assert 0 <= overlap(one, other) <= 1 + 1e-9
    assert held(one, one) == pytest.approx(1 if weight(one) else 0)


texts = st.text(alphabet="三号楼二层东西侧安全出口被锁漏水12", min_size=1, max_size=20)


@steady
@given(texts, texts)
def test_the_evidence_of_two_tellings_is_symmetric_but_for_who_names_no_place(one: str, other: str) -> None:
    a, b = telling(one, None), telling(other, None)
    there, back = evidence(a, [b], HOUR, HOUR), evidence(b, [a], HOUR, HOUR)
    assert there.veto == back.veto
    assert there.values == pytest.approx(back.values)


def test_an_only_candidate_leads_by_all_it_has_and_two_alike_by_nothing() -> None:
    one = evidence(telling("安全出口锁着", None), [telling("安全出口上锁", None)], HOUR, HOUR)
    assert rivals([one])[0]["chars_lead"] == one.values["chars_mean"]
    assert [each["chars_lead"] for each in rivals([one, one])] == [0, 0]
    assert rivals([]) == []


def test_every_weight_has_its_evidence() -> None:
    one = evidence(telling("安全出口锁着", None), [telling("安全出口上锁", None)], HOUR, HOUR)
    assert set(weights().weights) == set(rivals([one])[0])
    assert 0 < weights().grey < weights().same < 1


def test_a_score_is_the_logistic_of_the_weighted_sum() -> None:
    assert Weights(0.0, {}, 1, 1).score({}) == 0.5
    assert Weights(1.0, {"a": 2.0}, 1, 1).score({"a": -0.5}) == 0.5
    assert Weights(1e9, {}, 1, 1).score({}) == pytest.approx(1)


def test_numbers_that_somebody_changed_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = json.loads(score.FILE.read_text("utf-8"))
    assert digest(content["model"]) == content["sha256"]
    content["model"]["same"] = 0.1
    changed = tmp_path / "score.json"
    changed.write_text(json.dumps(content), "utf-8")
    monkeypatch.setattr(score, "FILE", changed)
    weights.cache_clear()
    try:
        with pytest.raises(ValueError, match="not what was fitted"):
            weights()
    finally:
        weights.cache_clear()
