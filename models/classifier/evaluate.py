"""Honest figures: on the test part, written apart from the training part, and on folds where no writer is seen before."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from models.classifier.examples import Example, fingerprint, load
from models.classifier.model import expected_calibration_error
from models.classifier.predict import Classifier
from models.classifier.train import fit, folds, write
from models.taxonomy import OTHER


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares 0–1. Accuracies count raising texts only. ``guess_*`` take the likeliest class, however unsure; ``subcategory`` counts an
    abstention as wrong, ``answered`` is the share not abstained and ``precision`` the accuracy among those. ``false_raises``: raised
    ÷ negatives; ``missed``: fell silent ÷ raising texts. ``level`` agreement only where an example states one (``None``: nowhere)."""

    examples: int
    guess_category: float
    guess_subcategory: float
    macro_f1: float
    subcategory: float
    answered: float
    precision: float
    labels_recall: float
    direct_recall: float | None
    direct_false: int
    missed: float
    false_raises: float
    calibration_error: float
    level: float | None


def score(classifier: Classifier, examples: Sequence[Example]) -> Scores:
    """Figures of a classifier on examples it was not trained on."""
    texts = [one.text for one in examples]
    judged = classifier.classify(texts)
    guessed = [classifier.codes[place] for place in classifier.probabilities(texts).argmax(axis=1)]
    hazards = [place for place, one in enumerate(examples) if one.raises]
    right = [guessed[place] == examples[place].main for place in hazards]
    answered = [place for place in hazards if judged[place].subcategory != OTHER]
    correct = [place for place in answered if judged[place].subcategory == examples[place].main]
    named = [(label, place) for place in hazards for label in examples[place].labels]
    direct = [place for place in hazards if examples[place].direct]
    silent = [place for place, one in enumerate(examples) if not one.raises]
    leveled = [(judged[place].level, examples[place].level) for place in hazards if examples[place].level]
    return Scores(
        examples=len(examples),
        guess_category=_share([guessed[place][:2] == examples[place].main[:2] for place in hazards]) or 0.0,
        guess_subcategory=_share(right) or 0.0,
        macro_f1=float(
            f1_score(
                [examples[place].main for place in hazards],
                [guessed[place] for place in hazards],
                average="macro",
                labels=sorted({examples[place].main for place in hazards}),
                zero_division=0.0,
            )
        ),
        subcategory=len(correct) / max(len(hazards), 1),
        answered=len(answered) / max(len(hazards), 1),
        precision=len(correct) / max(len(answered), 1),
        labels_recall=_share([label in judged[place].labels for label, place in named]) or 0.0,
        direct_recall=_share([judged[place].direct for place in direct]),
        direct_false=sum(one.direct and not example.direct for one, example in zip(judged, examples, strict=True)),
        missed=_share([not judged[place].raises for place in hazards]) or 0.0,
        false_raises=_share([judged[place].raises for place in silent]) or 0.0,
        calibration_error=expected_calibration_error([judged[place].confidence for place in hazards], right),
        level=_share([ours is theirs for ours, theirs in leveled]),
    )


def _share(flags: Sequence[bool]) -> float | None:
    return float(np.mean(flags)) if flags else None


def evaluate(corpus_dir: Path, artifact_dir: Path, say: Callable[[str], None]) -> dict[str, object]:
    """``{"model", "test": Scores, "folds": [Scores …]}`` as plain values. Fold models are trained anew, in a temporary folder."""
    classifier = Classifier.load(artifact_dir)
    test = score(classifier, load(corpus_dir / "test.jsonl"))
    say(f"test part: {test.guess_subcategory:.3f} subcategory, {test.guess_category:.3f} category")
    path = corpus_dir / "train.jsonl"
    examples = load(path)
    by_fold = []
    for number, (seen, held) in enumerate(folds(examples), 1):
        part = [examples[place] for place in seen]
        model, notes = fit(part, lambda _: None)
        with tempfile.TemporaryDirectory() as folder:
            write(model, notes, len(part), fingerprint([path]), Path(folder))
            by_fold.append(score(Classifier.load(Path(folder)), [examples[place] for place in held]))
        say(f"fold {number}: {by_fold[-1].guess_subcategory:.3f} subcategory")
    return {"model": classifier.manifest.version, "test": asdict(test), "folds": [asdict(one) for one in by_fold]}
