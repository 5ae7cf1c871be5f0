"""The linear model and its file: features → TF-IDF → scores of subcategories, of raising, of a direct judgement → probabilities.

The artifact is numbers only: a NumPy archive read with ``allow_pickle=False`` and the list of features as JSON inside it. Nothing in it
can run code, and ``load`` refuses it where its SHA-256 is not the manifest's.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.classifier.features import readable

Floats = NDArray[np.float64]


def softmax(scores: Floats) -> Floats:
    """Rows of scores to rows of probabilities."""
    exponent = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(exponent / exponent.sum(axis=1, keepdims=True), dtype=np.float64)


def logistic(values: Floats) -> Floats:
    """Any number to 0–1."""
    return np.asarray(1 / (1 + np.exp(-values)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Linear:
    """``coefficients`` (classes, features), ``intercepts`` (classes,)."""

    classes: tuple[str, ...]
    coefficients: NDArray[np.float32]
    intercepts: Floats

    def scores(self, features: Any) -> Floats:
        """(texts, classes) from a sparse (texts, features)."""
        return np.asarray(features @ self.coefficients.T, dtype=np.float64) + self.intercepts


@dataclass(frozen=True, slots=True)
class Calibration:
    """What held-out folds say of the scores (``calibrate``): how they become probabilities, and from where on they count.

    ``temperature`` divides the scores of kinds before softmax. ``trust``: a weight for ``lead`` and a bias, whose logistic is the chance
    that the likeliest kind is right (Platt scaling). ``raising``, ``direct``: weight and bias likewise. Thresholds are 0–1.
    """

    temperature: float
    trust: tuple[float, float]
    raising: tuple[float, float]
    direct: tuple[float, float]
    threshold: float
    second_threshold: float
    raise_threshold: float
    direct_threshold: float


def lead(scores: Floats) -> Floats:
    """(texts,) from (texts, classes): how far the best score is ahead of the second. What a confidence is made of: the best score alone
    says little, for it is low for what nobody has seen and for what several kinds share."""
    best = np.sort(scores, axis=1)[:, -2:]
    return np.asarray(best[:, 1] - best[:, 0], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Model:
    """``kinds`` tells subcategories apart; ``raising`` and ``direct`` have one class ``yes`` each."""

    words: tuple[str, ...]
    idf: Floats
    kinds: Linear
    raising: Linear
    direct: Linear
    calibration: Calibration

    def probabilities(self, scores: Floats) -> Floats:
        """(texts, classes) from the scores of ``kinds``."""
        return softmax(scores / self.calibration.temperature)

    def confidence(self, scores: Floats) -> Floats:
        """(texts,) from the scores of ``kinds``: the chance that the best one is right."""
        weight, bias = self.calibration.trust
        return logistic(lead(scores) * weight + bias)

    def raises(self, features: Any) -> Floats:
        """(texts,): the chance that a text raises a hazard at all."""
        weight, bias = self.calibration.raising
        return logistic(self.raising.scores(features)[:, 0] * weight + bias)

    def is_direct(self, features: Any) -> Floats:
        """(texts,): the chance that the guide judges it directly."""
        weight, bias = self.calibration.direct
        return logistic(self.direct.scores(features)[:, 0] * weight + bias)

    def to_bytes(self) -> bytes:
        """The artifact, without the calibration, which stands in the manifest."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {
            "words": np.frombuffer(json.dumps(self.words, ensure_ascii=False).encode(), dtype=np.uint8),
            "idf": self.idf,
        }
        for name in ("kinds", "raising", "direct"):
            linear: Linear = getattr(self, name)
            arrays[f"{name}_classes"] = np.array(linear.classes)
            # Half precision on disk: no probability moves by more than 1e-3, and the file is half as large.
            arrays[f"{name}_coefficients"] = linear.coefficients.astype(np.float16)
            arrays[f"{name}_intercepts"] = linear.intercepts
        np.savez(buffer, **arrays)
        return buffer.getvalue()

    @staticmethod
    def from_bytes(raw: bytes, calibration: Calibration) -> "Model":
        """Inverse of ``to_bytes``; never unpickles."""
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            words = tuple(json.loads(arrays["words"].tobytes().decode()))
            kinds, raising, direct = (
                Linear(
                    classes=tuple(str(one) for one in arrays[f"{name}_classes"]),
                    coefficients=arrays[f"{name}_coefficients"].astype(np.float32),
                    intercepts=arrays[f"{name}_intercepts"],
                )
                for name in ("kinds", "raising", "direct")
            )
            return Model(words, arrays["idf"], kinds, raising, direct, calibration)


# Words among the heaviest features: characters stand before them, so that three words are found among some sixty.
_LOOKED_AT = 60


def pulls(linear: Linear) -> NDArray[np.float32]:
    """(classes, features): how much more each feature speaks for a class than for the others on average."""
    return np.asarray(linear.coefficients - linear.coefficients.mean(axis=0), dtype=np.float32)


def heaviest(pull: NDArray[np.float32], words: Sequence[str], indices: Any, values: Any, limit: int = 3) -> list[str]:
    """Words that speak most for a class in one sparse row, heaviest first, none a part of another. ``pull`` is the class's own."""
    pull = values * pull[indices]
    found: list[str] = []
    for position in np.argsort(-pull)[:_LOOKED_AT]:
        if pull[position] <= 0 or len(found) >= limit:
            break
        word = readable(words[indices[position]])
        if word and not any(word in other or other in word for other in found):
            found.append(word)
    return found


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
