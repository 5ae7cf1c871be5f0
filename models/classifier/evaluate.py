"""Honest figures: on a part written apart from the training part, by other people; and whether one version is worse than another."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from sklearn.metrics import f1_score

from models.classifier.examples import Example
from models.classifier.model import expected_calibration_error
from models.classifier.predict import Classifier
from models.taxonomy import OTHER

# Retraining on a few sentences more moves a figure on 1,100 texts by less than this; what drops further is worse.
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares 0–1. ``category``, ``subcategory`` and ``macro_f1`` take what the classifier answers on raising texts, an abstention counted as
    wrong; ``guess_*`` take the likeliest class, however unsure. ``answered`` is the share not abstained and ``precision`` the accuracy of
    subcategories among those. ``labels_recall``, ``labels_precision``: of all subcategories that a text names. ``false_raises``: raised ÷
    negatives; ``missed``: fell silent ÷ raising texts. ``level`` agreement only where an example states one (``None``: nowhere)."""

    examples: int
    category: float
    subcategory: float
    macro_f1: float
    guess_category: float
    guess_subcategory: float
    answered: float
    precision: float
    labels_recall: float
    labels_precision: float
    direct_recall: float | None
    direct_false: int
    missed: float
    false_raises: float | None
    calibration_error: float
    level: float | None
    level_within_one: float | None

    def as_dict(self) -> dict[str, float | int | None]:
        """Rounded, for people and machines."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def score(classifier: Classifier, examples: Sequence[Example]) -> Scores:
    """Figures of a classifier on examples it was not trained on."""
    texts = [one.text for one in examples]
    judged = classifier.classify(texts)
    guessed = [classifier.codes[place] for place in classifier.probabilities(texts).argmax(axis=1)]
    hazards = [place for place, one in enumerate(examples) if one.raises]
    main = [examples[place].main for place in hazards]
    said = [judged[place].subcategory for place in hazards]
    guess = [guessed[place] for place in hazards]
    answered = [ours == theirs for ours, theirs in zip(said, main, strict=True) if ours != OTHER or theirs == OTHER]
    named = [(label, place) for place in hazards for label in examples[place].labels]
    given = [(label, place) for place in hazards for label in judged[place].labels if label != OTHER]
    silent = [place for place, one in enumerate(examples) if not one.raises]
    ranks = [(judged[place].level, examples[place].level) for place in hazards]
    apart = [abs(ours.rank - theirs.rank) for ours, theirs in ranks if theirs is not None]
    right = [ours == theirs for ours, theirs in zip(guess, main, strict=True)]
    return Scores(
        examples=len(examples),
        category=_share([ours[:2] == theirs[:2] for ours, theirs in zip(said, main, strict=True)]) or 0.0,
        subcategory=_share([ours == theirs for ours, theirs in zip(said, main, strict=True)]) or 0.0,
        macro_f1=float(f1_score(main, said, average="macro", labels=sorted(set(main)), zero_division=0.0)),
        guess_category=_share([ours[:2] == theirs[:2] for ours, theirs in zip(guess, main, strict=True)]) or 0.0,
        guess_subcategory=_share(right) or 0.0,
        answered=len(answered) / max(len(hazards), 1),
        precision=_share(answered) or 0.0,
        labels_recall=_share([label in judged[place].labels for label, place in named]) or 0.0,
        labels_precision=_share([label in examples[place].labels for label, place in given]) or 0.0,
        direct_recall=_share([judged[place].direct for place in hazards if examples[place].direct]),
        direct_false=sum(one.direct and not example.direct for one, example in zip(judged, examples, strict=True)),
        missed=_share([not judged[place].raises for place in hazards]) or 0.0,
        false_raises=_share([judged[place].raises for place in silent]),
        calibration_error=expected_calibration_error([judged[place].confidence for place in hazards], right),
        level=_share([gap == 0 for gap in apart]),
        level_within_one=_share([gap <= 1 for gap in apart]),
    )


def _share(flags: Sequence[bool]) -> float | None:
    return float(np.mean(flags)) if flags else None


# What must not get worse, and which way is better.
_WATCHED = {
    "category": 1,
    "subcategory": 1,
    "macro_f1": 1,
    "direct_recall": 1,
    "missed": -1,
    "false_raises": -1,
    "calibration_error": -1,
}


def worse(old: Scores, new: Scores) -> list[str]:
    """Why the new version may not take the old one's place; empty where it may."""
    reasons = []
    for name, way in _WATCHED.items():
        before, after = getattr(old, name), getattr(new, name)
        if before is not None and after is not None and way * (after - before) < -TOLERANCE:
            reasons.append(f"{name} {before:.3f} → {after:.3f}")
    return reasons
