"""Training: choose the better of a few linear models by honest folds, calibrate it, write it down with its manifest.

Some five seconds on one core, since ``make run`` trains where no artifact is there.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GroupKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from models.classifier.concepts import with_concepts
from models.classifier.examples import Example, fingerprint, load
from models.classifier.model import MIN_COUNT, Floats, Linear, Model, evidence, softmax, vectorizer
from models.classifier.text import clean, masked

# Raised by hand whenever text, concepts, rules or model change what a judgement says.
CODE_VERSION = "1"
ARTIFACT = "classifier.npz"
MANIFEST = "manifest.json"
FOLDS = 5
# Below this accuracy among the judged ones an officer stops reading suggestions; the threshold is the smallest that reaches it on the
# folds, so that no more is sent to the assessor than must be.
WANTED_PRECISION = 0.85
# A missed hazard costs more than a report that an assessor rejects: of a thousand raising texts at most five may fall silent.
WANTED_RECALL = 0.995

CANDIDATES: dict[str, Callable[[], Any]] = {
    "linear-svc": lambda: LinearSVC(C=1.0, random_state=0),
    "ridge": lambda: RidgeClassifier(alpha=1.0),
    "complement-nb": lambda: ComplementNB(alpha=0.3),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artifact is: ``sha256`` of its bytes, ``corpus`` the SHA-256 of the training file, ``candidates`` fold accuracies."""

    version: str
    sha256: str
    corpus: str
    code: str
    examples: int
    chosen: str
    candidates: dict[str, float]
    threshold: float
    raise_threshold: float


def prepared(text: str) -> str:
    """A raw text as the vectorizer takes it."""
    return with_concepts(masked(clean(text).text))


def half_hidden(text: str) -> str:
    """A prepared text with every other concept sign hidden: the table of concepts was written with the training sentences in view, so
    held-out ones that show all their signs would make the model look surer than it is on words nobody foresaw."""
    words, *signs = text.split("\n")
    return "\n".join([words, *signs[::2]])


def _rows(examples: Sequence[Example], texts: Sequence[str], kinds: bool) -> tuple[list[str], list[str], list[float]]:
    """Texts, targets, weights. For ``kinds`` one row a label, a text with several sharing its weight among them, and none for texts
    about nothing: what they are not is the other model's question. Else one row a text, ``yes`` where it raises."""
    if not kinds:
        return list(texts), ["yes" if one.raises else "no" for one in examples], [1.0] * len(texts)
    found = [
        (text, label, 1 / len(one.labels)) for one, text in zip(examples, texts, strict=True) for label in one.labels
    ]
    return [row[0] for row in found], [row[1] for row in found], [row[2] for row in found]


def _scores(fitted: Any, features: Any) -> Floats:
    """(texts, classes); two classes give one column in scikit-learn, here always two."""
    raw = (
        fitted.decision_function(features)
        if hasattr(fitted, "decision_function")
        else fitted.predict_joint_log_proba(features)
    )
    scores = np.asarray(raw, dtype=np.float64)
    return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores


def _linear(fitted: Any, temperature: float) -> Linear:
    coefficients = np.asarray(fitted.coef_ if hasattr(fitted, "coef_") else fitted.feature_log_prob_, dtype=np.float64)
    intercepts = np.asarray(getattr(fitted, "intercept_", np.zeros(len(coefficients))), dtype=np.float64)
    if len(coefficients) == 1:
        coefficients, intercepts = np.vstack([-coefficients, coefficients]), np.concatenate([-intercepts, intercepts])
    return Linear(tuple(str(one) for one in fitted.classes_), coefficients, intercepts, temperature)


def _temperature(scores: Floats, right: Sequence[int]) -> float:
    """The divisor that makes the right classes likeliest on held-out folds (temperature scaling, Guo et al. 2017)."""
    rows = np.arange(len(right))

    def loss(divisor: float) -> float:
        return float(-np.log(softmax(scores / divisor)[rows, right] + 1e-12).mean())

    return float(min(np.geomspace(0.02, 5, 80), key=loss))


def folds(examples: Sequence[Example]) -> list[tuple[list[int], list[int]]]:
    """Train and held-out places; whoever wrote a held-out text wrote nothing of that fold's training part."""
    groups = [one.origin for one in examples]
    return [(list(a), list(b)) for a, b in GroupKFold(FOLDS).split(groups, groups=groups)]


def _held_out(
    make: Callable[[], Any], examples: Sequence[Example], texts: Sequence[str], classes: Sequence[str], kinds: bool
) -> Floats:
    """Scores of every example by a model that has not seen its origin."""
    result = np.full((len(examples), len(classes)), -1e3)
    for seen, held in folds(examples):
        rows, labels, weights = _rows([examples[i] for i in seen], [texts[i] for i in seen], kinds)
        words = vectorizer(min_df=MIN_COUNT)
        fitted = make().fit(words.fit_transform(rows), labels, sample_weight=weights)
        columns = [classes.index(str(one)) for one in fitted.classes_]
        result[np.ix_(held, columns)] = _scores(fitted, words.transform([half_hidden(texts[i]) for i in held]))
    return result


def _raising() -> Any:
    return LinearSVC(C=0.5, class_weight="balanced", random_state=0)


@dataclass(frozen=True, slots=True)
class _Kinds:
    """The candidate that won on the folds, and what the folds say of its scores."""

    name: str
    accuracy: dict[str, float]
    temperature: float
    trust: tuple[float, float, float]
    threshold: float


def _choose(examples: Sequence[Example], texts: Sequence[str], say: Callable[[str], None]) -> _Kinds:
    """The best of the candidates on raising texts, with temperature, trust and threshold from its held-out scores."""
    classes = sorted({label for one in examples for label in one.labels})
    raising = [place for place, one in enumerate(examples) if one.raises]
    right = np.array([classes.index(examples[place].main) for place in raising])
    held = {}
    accuracy = {}
    for name, make in CANDIDATES.items():
        held[name] = _held_out(make, examples, texts, classes, kinds=True)[raising]
        accuracy[name] = float((held[name].argmax(axis=1) == right).mean())
        say(f"{name}: {accuracy[name]:.3f} subcategory accuracy over {FOLDS} folds by origin")
    chosen = max(accuracy, key=lambda name: accuracy[name])
    hit = held[chosen].argmax(axis=1) == right
    facts = evidence(held[chosen])
    platt = LogisticRegression(C=1e3).fit(facts, hit)
    first, second = (float(one) for one in platt.coef_[0])
    return _Kinds(
        name=chosen,
        accuracy=accuracy,
        temperature=_temperature(held[chosen], list(right)),
        trust=(first, second, float(platt.intercept_[0])),
        threshold=_threshold(platt.predict_proba(facts)[:, 1], hit),
    )


def fit(examples: Sequence[Example], say: Callable[[str], None]) -> tuple[Model, dict[str, Any]]:
    """Model and what the manifest tells of it: candidates' fold accuracy on raising texts, thresholds. Deterministic, one core."""
    with threadpool_limits(1):
        texts = [prepared(one.text) for one in examples]
        best = _choose(examples, texts, say)
        raising = np.array([one.raises for one in examples])
        flags = _held_out(_raising, examples, texts, ["no", "yes"], kinds=False)
        temperature = _temperature(flags, [int(flag) for flag in raising])
        sure = np.sort(softmax(flags / temperature)[raising, 1])
        raise_threshold = float(min(sure[int((1 - WANTED_RECALL) * len(sure))], 0.5))

        words = vectorizer(min_df=MIN_COUNT)
        rows, flag_labels, flag_weights = _rows(examples, texts, kinds=False)
        flag = _raising().fit(words.fit_transform(rows), flag_labels, sample_weight=flag_weights)
        rows, labels, weights = _rows(examples, texts, kinds=True)
        kinds = CANDIDATES[best.name]().fit(words.transform(rows), labels, sample_weight=weights)
        model = Model(
            words=tuple(str(word) for word in words.get_feature_names_out()),
            idf=np.asarray(words.idf_, dtype=np.float64),
            kinds=_linear(kinds, best.temperature),
            raising=_linear(flag, temperature),
            trust=best.trust,
        )
    notes = {
        "chosen": best.name,
        "candidates": best.accuracy,
        "threshold": best.threshold,
        "raise_threshold": raise_threshold,
    }
    return model, notes


def _threshold(sure: Floats, hit: Any) -> float:
    """The smallest confidence from which on held-out texts are right as often as wanted; 0.5 at most."""
    for step in np.arange(0.05, 0.5, 0.01):
        if hit[sure >= step].mean() >= WANTED_PRECISION:
            return round(float(step), 2)
    return 0.5


def write(model: Model, notes: dict[str, Any], examples: int, corpus: str, out_dir: Path) -> Manifest:
    """Artifact first, then the manifest that vouches for it."""
    raw = model.to_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    manifest = Manifest(
        version=f"{CODE_VERSION}-{digest[:10]}",
        sha256=digest,
        corpus=corpus,
        code=CODE_VERSION,
        examples=examples,
        **notes,
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / ARTIFACT).write_bytes(raw)
    (out_dir / MANIFEST).write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1) + "\n", "utf-8")
    return manifest


def train(corpus_dir: Path, out_dir: Path, say: Callable[[str], None]) -> Manifest:
    """Train on ``train.jsonl`` of a corpus and write artifact and manifest to ``out_dir``. ``test.jsonl`` is never opened here."""
    path = corpus_dir / "train.jsonl"
    examples = load(path)
    say(f"{len(examples)} sentences, {sum(not one.raises for one in examples)} of them raise nothing")
    model, notes = fit(examples, say)
    manifest = write(model, notes, len(examples), fingerprint([path]), out_dir)
    say(f"{manifest.chosen} as {manifest.version}, sends to the assessor below {manifest.threshold:.2f}")
    return manifest
