"""What the trained classifier answers, and that it always does."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from models.classifier.evaluate import Scores, score, worse
from models.classifier.examples import DEV, TRAIN, load
from models.classifier.predict import Classifier
from models.classifier.train import ARTIFACT, MANIFEST, train
from models.levels import Level
from models.scales import LevelBands
from models.taxonomy import OTHER, subcategories


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("教学楼二层安全出口被锁，推不开", "0101"),
        ("三楼灭火器压力不足，已过期", "0102"),
        ("电梯困人，里面有三名学生", "0401"),
        ("食堂午餐后多名学生呕吐腹泻", "0502"),
        ("学生站在天台要跳楼", "0901"),
        ("宿舍笔记本电脑被偷", "0803"),
    ],
)
def test_plain_reports_find_their_subcategory(classifier: Classifier, text: str, code: str) -> None:
    (judgement,) = classifier.classify([text])
    assert (judgement.subcategory, judgement.category, judgement.raises) == (code, code[:2], True)
    assert judgement.labels[0] == code
    assert judgement.model == classifier.manifest.version
    assert any("依据" in reason for reason in judgement.reasons)


def test_a_direct_rule_makes_it_red(classifier: Classifier) -> None:
    (judgement,) = classifier.classify(["走廊里停着电动车，还在充电"])
    assert (judgement.level, judgement.direct, judgement.raises) == (Level.RED, True, True)
    assert any(reason.startswith("直接判定：") and "20号" in reason for reason in judgement.reasons)


@pytest.mark.parametrize(
    "text",
    ["今天下午组织消防疏散演练", "楼道堆放的纸箱已全部清理完毕", "灭火器年检全部合格，无异常", "网传图书馆着火是谣言"],
)
def test_what_raises_nothing(classifier: Classifier, text: str) -> None:
    (judgement,) = classifier.classify([text])
    assert (judgement.raises, judgement.direct, judgement.level) == (False, False, Level.BLUE)
    assert any("不作隐患" in reason for reason in judgement.reasons)


def test_a_finding_beside_a_drill_still_raises(classifier: Classifier) -> None:
    (judgement,) = classifier.classify(["A栋演练正常，但B栋安全出口被锁"])
    assert (judgement.raises, judgement.subcategory) == (True, "0101")


def test_several_hazards_give_several_labels(classifier: Classifier) -> None:
    (judgement,) = classifier.classify(["楼道堆满纸箱堵住安全出口，灭火器过期，电梯困人"])
    assert len(judgement.labels) >= 2


def test_a_clause_without_a_subject_names_no_other_hazard(classifier: Classifier) -> None:
    judged = classifier.classify(["实验楼一层走廊灭火器过期，压力表指到红区"])[0]
    assert judged.labels == ("0102",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "。。。！！！",
        "😀😀",
        "hello",
        "'; DROP TABLE reports; --",
        "\x00\ud800",
        "0" * 100_000,
        "火" * 100_000,
        "a.b@" * 25_000,
        "，" * 9,
    ],
)
def test_every_text_gets_an_answer_in_bounded_time(classifier: Classifier, text: str) -> None:
    start = time.perf_counter()
    (judgement,) = classifier.classify([text])
    assert time.perf_counter() - start < 0.5
    assert set(judgement.labels) <= set(subcategories())
    assert 0 <= judgement.confidence <= 1
    assert judgement.reasons
    json.dumps(judgement.as_dict())


def test_a_cut_text_says_so(classifier: Classifier) -> None:
    (judgement,) = classifier.classify(["安全出口被锁，" * 20_000])
    assert "原文过长" in judgement.reasons[0]


def test_unsure_goes_to_the_assessor_with_the_guess(classifier: Classifier) -> None:
    judged = classifier.classify([*(one.text for one in load(DEV)), "那个东西又那样了", "请来看一下", "不对劲"])
    unsure = [one for one in judged if any("把握不足" in reason for reason in one.reasons)]
    assert unsure
    assert all(one.subcategory == OTHER and one.category == "99" for one in unsure)
    assert all(one.confidence < classifier.manifest.calibration.threshold for one in unsure)


def test_a_batch_judges_like_one_by_one(classifier: Classifier) -> None:
    texts = [one.text for one in load(DEV)[::20]]
    assert classifier.classify(texts) == [classifier.classify([text])[0] for text in texts]
    assert classifier.classify([]) == []


def test_a_changed_artifact_is_refused(artifact: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(artifact, folder)
    (folder / ARTIFACT).write_bytes((folder / ARTIFACT).read_bytes() + b"x")
    with pytest.raises(ValueError, match="not the file its manifest names"):
        Classifier.load(folder)


def test_an_artifact_of_other_code_is_refused(artifact: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(artifact, folder)
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**manifest, "code": "0"}), "utf-8")
    with pytest.raises(ValueError, match="train again"):
        Classifier.load(folder)


def test_training_is_repeatable(classifier: Classifier, tmp_path: Path) -> None:
    """How long it takes: bench/classify.py."""
    assert train(TRAIN, tmp_path, lambda _: None) == classifier.manifest


@pytest.fixture(scope="module")
def scores(classifier: Classifier) -> Scores:
    """On the part that is for choosing; the frozen part is for `campus-risk evaluate`."""
    return score(classifier, load(DEV))


def test_the_figures_do_not_fall(scores: Scores) -> None:
    """Floors a little below what was measured, so that a change which costs accuracy is seen."""
    assert scores.category >= 0.85
    assert scores.subcategory >= 0.80
    assert scores.calibration_error <= 0.10


def test_a_worse_version_is_seen(scores: Scores) -> None:
    assert worse(scores, scores) == []
    assert worse(scores, replace(scores, category=scores.category - 0.009)) == []
    (reason,) = worse(scores, replace(scores, category=scores.category - 0.02))
    assert reason.startswith("category 0.")
    assert worse(scores, replace(scores, missed=scores.missed + 0.02))
    assert worse(scores, replace(scores, missed=0.0, category=1.0)) == []


def test_a_suggested_score_says_how_it_came_to_its_level(classifier: Classifier) -> None:
    (judgement,) = classifier.classify(["食堂地面油腻湿滑，一名学生摔伤骨折送医"])
    assert judgement.score
    assert judgement.score.level is judgement.level
    assert any(reason.startswith("建议评分 LS") for reason in judgement.reasons)
    strict = LevelBands.of({"levels": {"ls": [4, 3, 2]}})
    assert classifier.classify(["食堂地面油腻湿滑"], strict)[0].level is Level.RED
