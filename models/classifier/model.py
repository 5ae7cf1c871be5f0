"""The linear model and its file: character n-grams → TF-IDF → one score a subcategory → probabilities by a temperature.

The artifact is numbers only: a NumPy archive read with ``allow_pickle=False`` and the list of n-grams as JSON inside it. Nothing in it
can run code, and ``load`` refuses it where its SHA-256 is not the manifest's.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from models.classifier.concepts import readable

Floats = NDArray[np.float64]

# 1–3 characters: a Chinese word is mostly two, "灭火器" three; one catches typos and short texts. An n-gram seen once only tells one
# text from all others, so it must occur twice.
NGRAMS = (1, 3)
MIN_COUNT = 2


def vectorizer(**settings: Any) -> TfidfVectorizer:
    """The one way texts become features, in training and in use. Texts must be cleaned and masked."""
    return TfidfVectorizer(
        analyzer="char", ngram_range=NGRAMS, sublinear_tf=True, lowercase=False, dtype=np.float64, **settings
    )


def softmax(scores: Floats) -> Floats:
    """Rows of scores to rows of probabilities."""
    exponent = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponent / exponent.sum(axis=1, keepdims=True), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Linear:
    """``coefficients`` (classes, features), ``intercepts`` (classes,); ``temperature`` divides the scores before softmax."""

    classes: tuple[str, ...]
    coefficients: Floats
    intercepts: Floats
    temperature: float

    def scores(self, features: Any) -> Floats:
        """(texts, classes) from a sparse (texts, features)."""
        return np.asarray(features @ self.coefficients.T, dtype=np.float64) + self.intercepts

    def probabilities(self, features: Any) -> Floats:
        """Rows of ``scores`` as probabilities."""
        return softmax(self.scores(features) / self.temperature)


def evidence(scores: Floats) -> Floats:
    """(texts, 2) from (texts, classes): the best score, and its lead over the second. What a confidence is made of."""
    best = np.sort(scores, axis=1)[:, -2:]
    return np.stack([best[:, 1], best[:, 1] - best[:, 0]], axis=1)


@dataclass(frozen=True, slots=True)
class Model:
    """``kinds`` tells subcategories apart, ``raising`` the two classes ``no`` and ``yes``; ``trust``: two weights for ``evidence`` and
    a bias, whose logistic is the chance that the likeliest kind is right (Platt scaling, fitted on held-out folds)."""

    words: tuple[str, ...]
    idf: Floats
    kinds: Linear
    raising: Linear
    trust: tuple[float, float, float]

    def confidence(self, scores: Floats) -> Floats:
        """(texts,) from the scores of ``kinds``: the chance that the best one is right."""
        return np.asarray(
            1 / (1 + np.exp(-(evidence(scores) @ np.array(self.trust[:2]) + self.trust[2]))), dtype=np.float64
        )

    def to_bytes(self) -> bytes:
        """The artifact. Coefficients are kept as 32-bit floats: half the size, and no probability moves by more than 1e-6."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {
            "words": np.frombuffer(json.dumps(self.words, ensure_ascii=False).encode(), dtype=np.uint8),
            "idf": self.idf,
            "trust": np.array(self.trust),
        }
        for name, linear in (("kinds", self.kinds), ("raising", self.raising)):
            arrays[f"{name}_classes"] = np.array(linear.classes)
            arrays[f"{name}_coefficients"] = linear.coefficients.astype(np.float32)
            arrays[f"{name}_intercepts"] = linear.intercepts
            arrays[f"{name}_temperature"] = np.array(linear.temperature)
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @staticmethod
    def from_bytes(raw: bytes) -> "Model":
        """Inverse of ``to_bytes``; never unpickles."""
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            words = tuple(json.loads(arrays["words"].tobytes().decode()))
            kinds, raising = (
                Linear(
                    classes=tuple(str(one) for one in arrays[f"{name}_classes"]),
                    coefficients=arrays[f"{name}_coefficients"].astype(np.float64),
                    intercepts=arrays[f"{name}_intercepts"],
                    temperature=float(arrays[f"{name}_temperature"]),
                )
                for name in ("kinds", "raising")
            )
            first, second, bias = (float(one) for one in arrays["trust"])
            return Model(words, arrays["idf"], kinds, raising, (first, second, bias))

    def features(self) -> TfidfVectorizer:
        """A vectorizer with this model's n-grams and weights."""
        ready = vectorizer(vocabulary={word: index for index, word in enumerate(self.words)})
        ready.idf_ = self.idf
        return ready


def heaviest(model: Model, row: Any, kind: int, limit: int = 3) -> list[str]:
    """Words and concepts that speak most for class ``kind`` in one sparse row, heaviest first, none a part of another."""
    indices, values = row.indices, row.data
    pull = values * (model.kinds.coefficients[kind, indices] - model.kinds.coefficients[:, indices].mean(axis=0))
    found: list[str] = []
    for position in np.argsort(-pull)[:24]:
        if pull[position] <= 0 or len(found) >= limit:
            break
        for word in readable(model.words[indices[position]]):
            if not any(word in other or other in word for other in found):
                found.append(word)
    return found[:limit]


def expected_calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by size (Guo et al. 2017)."""
    sure, hit = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(sure):
        return 0.0
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [
        abs(sure[place == one].mean() - hit[place == one].mean()) * (place == one).mean() for one in np.unique(place)
    ]
    return float(sum(gaps))
