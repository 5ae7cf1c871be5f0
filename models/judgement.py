"""What the classifier says of one text: kind, level, and why, in words an officer can check."""

from dataclasses import dataclass
from typing import Any

from models.levels import Level
from models.scales import Score
from models.taxonomy import OTHER


@dataclass(frozen=True, slots=True)
class Judgement:
    """A suggestion, never a decision: an assessor confirms it.

    ``category`` two digits, ``subcategory`` four (``9900`` where the classifier is too unsure); ``direct``: a direct rule of the
    ministry's guide made it red; ``confidence`` 0–1; ``labels``: all subcategories named, the main one first; ``raises``: False for
    drills, passed checks, solved and denied matters; ``reasons`` in Chinese; ``model``: version of the artifact that judged; ``score``: the suggested LS score, None where nothing
    is raised or a direct rule stands above all scores.
    """

    category: str
    subcategory: str
    level: Level
    direct: bool
    confidence: float
    labels: tuple[str, ...]
    raises: bool
    reasons: tuple[str, ...]
    model: str
    score: Score | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON keys as the command line and ``POST /classify`` give them."""
        return {
            "category": self.category,
            "subcategory": self.subcategory,
            "level": self.level.value,
            "direct": self.direct,
            "confidence": round(self.confidence, 4),
            "labels": list(self.labels),
            "raises": self.raises,
            "reasons": list(self.reasons),
            "model": self.model,
            "score": self.score and self.score.as_dict(),
        }


def abstention(reason: str, model: str) -> Judgement:
    """For a text that nobody could judge: to the assessor, at a level that does not wait for tomorrow."""
    return Judgement(
        category=OTHER[:2],
        subcategory=OTHER,
        level=Level.YELLOW,
        direct=False,
        confidence=0.0,
        labels=(),
        raises=True,
        reasons=(reason,),
        model=model,
    )
