"""What a warning's report says must not be judged graver than the warning: its grade is the detectors' to give."""

from models.classifier.predict import Classifier
from models.levels import Level
from models.taxonomy import categories
from models.warnings.findings import Kind
from models.warnings.weather import Event
from store.warnings import report_text


def sentences() -> list[str]:
    """One of each kind, as the detectors write them."""
    told = [
        report_text(kind, f"“{name}”{rest}")
        for name in categories().values()
        for kind, rest in (
            (Kind.SURGE, "3 天 7 件，按本单位规律约 0.8 件；偶然出现的可能为万分之一以下"),
            (Kind.CLUSTER, "4 天内 4 个单位共 9 件，有相同线索；各自偶然同时出现的可能为万分之二"),
            (Kind.RECURRENCE, "在同一处销号 21 天后再次出现，第 3 次；上次整改未能根除"),
        )
    ]
    for event in Event:
        rest = f"{event.label}橙色预警，相关隐患尚有 31 件未销号，请先行排查；涉及 12 个区域或单位"
        told.append(report_text(Kind.WEATHER, rest))
    told.append(report_text(Kind.PILEUP, "超期未销号 9 件，本单位常态约 1.2 件"))
    told.append(report_text(Kind.FORECAST, "预计一周后风险指数 92（90–97），近两月中位为 60"))
    return told


def test_no_report_of_ours_is_judged_red(classifier: Classifier) -> None:
    judged = dict(zip(sentences(), classifier.classify(sentences()), strict=True))
    assert [text for text, one in judged.items() if one.direct or one.level is Level.RED] == []
