"""Fitting one linear model on the rows of a corpus: kinds, raising, direct judgement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from models.classifier.examples import Example
from models.classifier.features import MIN_COUNT, tokens, vectorizer
from models.classifier.model import Linear
from models.classifier.polarity import clauses
from models.classifier.text import clean


@dataclass(frozen=True, slots=True)
class Rows:
    """A corpus as numbers: ``features`` sparse (examples, words)."""

    examples: Sequence[Example]
    features: Any
    words: tuple[str, ...]
    idf: NDArray[np.float64]


def rows(examples: Sequence[Example]) -> Rows:
    """The features of all examples. The vocabulary holds what the held-out texts of a fold say, too: words without labels."""
    made = vectorizer(min_df=MIN_COUNT)
    features = made.fit_transform(prepared([one.text for one in examples]))
    words = tuple(str(word) for word in made.get_feature_names_out())
    return Rows(examples, features, words, np.asarray(made.idf_, dtype=np.float64))


def prepared(texts: Sequence[str]) -> list[list[str]]:
    """Texts as their features."""
    cleaned = [clean(text).text for text in texts]
    return [tokens(text, clauses(text)) for text in cleaned]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a text: its classes, one row a label; ``C`` of the machine; whether rare answers weigh more."""

    answers: Callable[[Example], tuple[str, ...]]
    c: float
    balanced: bool


# C from a coarse search on the folds (bench/compare_classifiers.py): flat around these.
KINDS = Question(lambda one: one.labels, 1.0, False)
RAISING = Question(lambda one: ("yes" if one.raises else "no",), 0.5, True)
DIRECT = Question(lambda one: ("yes" if one.direct else "no",), 0.5, True)


def fitted(question: Question, given: Rows, places: Sequence[int], about: NDArray[np.bool_] | None) -> Linear:
    """The linear model of a question on some places. A text with several labels counts once for each, sharing its weight among them.

    ``about``: the features that count; the others get weight 0. Two answers give one class, ``yes``.
    """
    pairs = [
        (place, label, 1 / len(labels))
        for place in places
        for labels in (question.answers(given.examples[place]),)
        for label in labels
    ]
    features = given.features[[place for place, _, _ in pairs]]
    if about is not None:
        features = features[:, np.flatnonzero(about)]
    machine = LinearSVC(C=question.c, class_weight="balanced" if question.balanced else None, random_state=0)
    machine.fit(features, [label for _, label, _ in pairs], sample_weight=[weight for _, _, weight in pairs])
    coefficients = np.asarray(machine.coef_, dtype=np.float32)
    if about is not None:
        whole = np.zeros((len(coefficients), len(given.words)), dtype=np.float32)
        whole[:, about] = coefficients
        coefficients = whole
    classes = tuple(str(one) for one in machine.classes_)
    return Linear(
        classes if len(coefficients) > 1 else classes[1:], coefficients, np.asarray(machine.intercept_, np.float64)
    )
