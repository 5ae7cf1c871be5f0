"""Calibration on held-out folds: nobody whose sentences are scored has written one of those that were trained on.

Minutes of work, so its outcome lies beside the corpus (``calibration.json``) with the fingerprint of what it was made of; a
training on that very corpus takes it from there, any other makes its own.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from models.classifier.examples import Example
from models.classifier.features import about_kind
from models.classifier.fitting import DIRECT, KINDS, RAISING, Rows, fitted
from models.classifier.model import Calibration, Floats, lead, logistic, softmax

FILE = "calibration.json"
FOLDS = 5
# Below this chance a guess is more often wrong than right: it goes to the assessor without one.
WORTH_SAYING = 0.5
# A second label dispatches a second crew: as often right as wrong at least.
WANTED_SECOND = 0.5
# A hazard that falls silent costs more than a report that an assessor rejects, so at most this share may; what that means for
# texts that raise nothing is in docs/classifier.md.
MAY_FALL_SILENT = 0.04
# A direct judgement that is missed weighs as ten that are not: a false one costs an assessor a look within a quarter of an hour, a
# missed one leaves people asleep without an alarm. So it counts from a chance of 1 in 11 on.
MISSED_DIRECT = 10
# Two processors: the solver leaves Python's lock, and a third thread would only wait.
_THREADS = 2


def folds(examples: Sequence[Example]) -> list[tuple[list[int], list[int]]]:
    """Train and held-out places; whoever wrote a held-out text wrote nothing of that fold's training part."""
    groups = [one.group for one in examples]
    return [(list(a), list(b)) for a, b in GroupKFold(FOLDS).split(groups, groups=groups)]


def held_out(rows: Rows, say: Callable[[str], None]) -> tuple[Floats, Floats, Floats, tuple[str, ...]]:
    """Scores of kinds, of raising and of direct judgements for every example, by models that have not seen its group."""
    classes = tuple(sorted({label for one in rows.examples for label in one.labels}))
    kinds = np.full((len(rows.examples), len(classes)), -1e3)
    raising, direct = np.zeros(len(rows.examples)), np.zeros(len(rows.examples))
    about = about_kind(rows.words)

    def fold(part: tuple[list[int], list[int]]) -> int:
        seen, held = part
        model = fitted(KINDS, rows, seen, about)
        columns = [classes.index(one) for one in model.classes]
        kinds[np.ix_(held, columns)] = model.scores(rows.features[held])
        raising[held] = fitted(RAISING, rows, seen, None).scores(rows.features[held])[:, 0]
        direct[held] = fitted(DIRECT, rows, seen, None).scores(rows.features[held])[:, 0]
        return len(held)

    with ThreadPoolExecutor(_THREADS) as pool:
        for done, size in enumerate(pool.map(fold, folds(rows.examples)), 1):
            say(f"fold {done} of {FOLDS}: {size} sentences scored by a model that never saw their writers")
    return kinds, raising, direct, classes


def calibrated(rows: Rows, say: Callable[[str], None]) -> Calibration:
    """From held-out scores."""
    kinds, raising, direct, classes = held_out(rows, say)
    hazards = np.array([one.raises for one in rows.examples])
    scores = kinds[hazards]
    named = [one for one in rows.examples if one.raises]
    right = np.array([classes.index(one.main) for one in named])
    hit = scores.argmax(axis=1) == right
    raises = _line(raising, hazards)
    return Calibration(
        temperature=_temperature(scores, right),
        trust=_line(lead(scores), hit),
        raising=raises,
        direct=_line(direct, np.array([one.direct for one in rows.examples])),
        threshold=WORTH_SAYING,
        second_threshold=_second(softmax(scores / _temperature(scores, right)), named, classes),
        raise_threshold=round(float(np.quantile(_sure(raising, raises)[hazards], MAY_FALL_SILENT)), 3),
        direct_threshold=round(1 / (1 + MISSED_DIRECT), 3),
    )


def _line(fact: Floats, yes: Any) -> tuple[float, float]:
    """Weight and bias of a logistic regression on one fact (Platt scaling). Where all answers are the same there is no line to draw: then
    the chance is theirs, by the rule of succession, whatever the fact."""
    if len(set(map(bool, yes))) < 2:
        chance = (sum(map(bool, yes)) + 1) / (len(yes) + 2)
        return 0.0, float(np.log(chance / (1 - chance)))
    made = LogisticRegression(C=1e3).fit(fact[:, None], yes)
    return float(made.coef_[0][0]), float(made.intercept_[0])


def _sure(scores: Floats, line: tuple[float, float]) -> Floats:
    """Scores as chances."""
    return logistic(scores * line[0] + line[1])


def _temperature(scores: Floats, right: Any) -> float:
    """The divisor that makes the right classes likeliest on held-out folds (temperature scaling, Guo et al. 2017)."""
    rows = np.arange(len(right))

    def loss(divisor: float) -> float:
        return float(-np.log(softmax(scores / divisor)[rows, right] + 1e-12).mean())

    return float(min(np.geomspace(0.02, 5, 80), key=loss))


def _second(sure: Floats, named: Sequence[Example], classes: Sequence[str]) -> float:
    """The smallest probability of a runner-up from which on it is a label of its text as often as wanted."""
    second = np.argsort(sure, axis=1)[:, -2]
    chance = sure[np.arange(len(named)), second]
    hit = np.array([classes[place] in one.labels for place, one in zip(second, named, strict=True)])
    for step in np.arange(0.05, 0.5, 0.01):
        if (chance >= step).any() and hit[chance >= step].mean() >= WANTED_SECOND:
            return round(float(step), 2)
    return 0.5


def kept(folder: Path, fingerprint: str) -> Calibration | None:
    """The calibration beside a corpus, if it was made of this very corpus and code."""
    path = folder / FILE
    if not path.exists():
        return None
    raw = json.loads(path.read_text("utf-8"))
    if raw.pop("made_of") != fingerprint:
        return None
    return read(raw)


def read(raw: dict[str, Any]) -> Calibration:
    """Inverse of ``asdict``, from JSON."""
    made: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
    return Calibration(**made)


def keep(folder: Path, fingerprint: str, made: Calibration) -> None:
    """Write it beside the corpus."""
    (folder / FILE).write_text(json.dumps({"made_of": fingerprint, **asdict(made)}, indent=1) + "\n", "utf-8")
