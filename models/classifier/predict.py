"""The classifier in use: texts in, judgements out. It answers every text, and in bounded time."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.classifier import polarity, rules
from models.classifier.concepts import defective, with_concepts
from models.classifier.level import suggested
from models.classifier.model import Floats, Model, heaviest, softmax
from models.classifier.text import CUT_REASON, Cleaned, clean, masked
from models.classifier.train import ARTIFACT, CODE_VERSION, MANIFEST, Manifest
from models.judgement import Judgement
from models.levels import Level
from models.taxonomy import OTHER, is_confidential, subcategory

# A text that lists hazards names some five; each part costs one more row of the batch.
MAX_PARTS = 8
# A second hazard must be surer than a first: a wrong extra label dispatches a second crew.
SECOND_LABEL = 0.5
# From this probability of a confidential lane on the text stays in it, however unsure the rest: an abstention must not open it to others.
CONFIDENTIAL_MASS = 0.3
# What sounds like paperwork raises from this probability on. Over the folds of the corpus: at 0.5 21 of 1,578 hazards fall silent and
# 69 of 299 harmless texts raise, at 0.35 14 and 82, at 0.25 10 and 90. A hazard lost costs more than a report rejected.
PAPERWORK = 0.35
# A part this short ("请处理") names nothing by itself.
MIN_PART = 4


@dataclass(frozen=True, slots=True)
class _Parsed:
    cleaned: Cleaned
    clauses: tuple[polarity.Clause, ...]
    rest: str
    parts: tuple[str, ...]

    @property
    def set_aside(self) -> list[polarity.Clause]:
        return [clause for clause in self.clauses if not clause.open]


def _parse(text: str) -> _Parsed:
    cleaned = clean(text)
    clauses = polarity.clauses(cleaned.text)
    aside = any(not clause.open for clause in clauses)
    # Beside a passed check an open part without any word of a defect is place, time or paperwork ("报告已归档"): no finding.
    rest = "，".join(clause.text for clause in clauses if clause.open and (not aside or defective(clause.text)))
    parts = [clause.text for clause in clauses if clause.open and len(clause.text) >= MIN_PART][:MAX_PARTS]
    return _Parsed(cleaned, clauses, rest, tuple(parts) if len(parts) > 1 else ())


@dataclass(frozen=True, slots=True)
class _Seen:
    """One text's numbers: class probabilities, those of its parts, the probability that it raises, its sparse row."""

    kinds: Floats
    confidence: float
    parts: Floats
    part_confidence: Floats
    raising: float
    row: Any


class Classifier:
    """Judges texts with one artifact. Stateless after loading: safe to share between threads."""

    def __init__(self, model: Model, manifest: Manifest) -> None:
        self.manifest = manifest
        self._model = model
        self._vectorizer = model.features()
        self._codes = model.kinds.classes
        self._confidential = np.array([is_confidential(code) for code in self._codes])
        self._yes = model.raising.classes.index("yes")

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """From the folder that ``train`` wrote. Raises ``ValueError`` where artifact, manifest and code do not belong together."""
        manifest = Manifest(**json.loads((path / MANIFEST).read_text("utf-8")))
        raw = (path / ARTIFACT).read_bytes()
        if hashlib.sha256(raw).hexdigest() != manifest.sha256:
            raise ValueError(f"{ARTIFACT} is not the file its manifest names: train again with `campus-risk train`")
        if manifest.code != CODE_VERSION:
            raise ValueError(f"{ARTIFACT} is of code version {manifest.code}, this is {CODE_VERSION}: train again")
        return cls(Model.from_bytes(raw), manifest)

    def classify(self, texts: Sequence[str]) -> list[Judgement]:
        """One judgement a text, in order."""
        parsed = [_parse(text) for text in texts]
        return [self._judge(one, seen) for one, seen in zip(parsed, self._look(parsed), strict=True)]

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """(texts, classes) for the part of each text that raises something, all of it where nothing does."""
        seen = self._look([_parse(text) for text in texts])
        return np.stack([one.kinds for one in seen]) if seen else np.zeros((0, len(self._codes)))

    @property
    def codes(self) -> tuple[str, ...]:
        """The columns of ``probabilities``."""
        return self._codes

    def _look(self, parsed: Sequence[_Parsed]) -> list[_Seen]:
        """All texts and parts through the model in one batch."""
        if not parsed:
            return []
        mains = [one.rest if len(one.rest) >= MIN_PART else one.cleaned.text for one in parsed]
        flat = mains + [part for one in parsed for part in one.parts]
        features = self._vectorizer.transform([with_concepts(masked(text)) for text in flat])
        scores = self._model.kinds.scores(features)
        kinds = softmax(scores / self._model.kinds.temperature)
        sure = self._model.confidence(scores)
        raising = self._model.raising.probabilities(features[: len(mains)])[:, self._yes]
        seen, start = [], len(mains)
        for place, one in enumerate(parsed):
            end = start + len(one.parts)
            numbers = _Seen(
                kinds[place],
                float(sure[place]),
                kinds[start:end],
                sure[start:end],
                float(raising[place]),
                features[place],
            )
            seen.append(numbers)
            start = end
        return seen

    def _judge(self, one: _Parsed, seen: _Seen) -> Judgement:
        raises, why = self._raises(one, seen)
        fired = rules.direct(one.clauses) if raises else ()
        guess = int(seen.kinds.argmax())
        confidence = seen.confidence
        reasons = [CUT_REASON] if one.cleaned.cut else []
        reasons += why
        reasons += [f"直接判定：{rule.sentence}（{rules.GUIDE}，{rule.article}）" for rule in fired]
        main = self._codes[guess]
        if fired and confidence < SECOND_LABEL and main not in {rule.subcategory for rule in fired}:
            main = fired[0].subcategory
        elif not fired:
            main, unsure = self._main(seen, main, confidence)
            reasons += unsure
        words = heaviest(self._model, seen.row, guess)
        if words and main != OTHER:
            reasons.append(f"判为“{subcategory(main).name}”的依据：{'、'.join(words)}")
        labels = self._labels(main, seen, tuple(rule.subcategory for rule in fired))
        if not raises:
            level = Level.BLUE
        elif fired:
            level = Level.RED
        else:
            level, lifted = suggested(labels, one.rest or one.cleaned.text)
            reasons += lifted
        return Judgement(
            category=main[:2],
            subcategory=main,
            level=level,
            direct=bool(fired),
            confidence=confidence,
            labels=labels,
            raises=raises,
            reasons=tuple(reasons),
            model=self.manifest.version,
        )

    def _raises(self, one: _Parsed, seen: _Seen) -> tuple[bool, list[str]]:
        """Whether anything is left to raise once drills, passed checks and solved matters are set aside."""
        aside = one.set_aside
        why = [f"“{clause.text[:20]}”属{polarity.LABELS[clause.status]}，不作隐患" for clause in aside[:3]]
        if not one.cleaned.text or not any(char.isalnum() for char in one.cleaned.text):
            return False, ["没有可研判的文字"]
        if aside and len(one.rest) < MIN_PART:
            return False, why
        # With a part set aside, what is left is often only place and time, and a text without any word of a defect is mostly a
        # notice or a question: such need more evidence. For all others any doubt raises.
        wanted = PAPERWORK if aside or not defective(one.cleaned.text) else self.manifest.raise_threshold
        if seen.raising < wanted:
            return False, [*why, "未见隐患表述"]
        return True, why

    def _main(self, seen: _Seen, guess: str, confidence: float) -> tuple[str, list[str]]:
        """The subcategory to report and why it is not the guess."""
        mass = float(seen.kinds[self._confidential].sum())
        if mass >= CONFIDENTIAL_MASS and (confidence < self.manifest.threshold or is_confidential(guess)):
            best = int(np.where(self._confidential, seen.kinds, -1.0).argmax())
            return self._codes[best], [] if is_confidential(guess) else ["可能涉及保密类别，按保密类别流转"]
        if confidence >= self.manifest.threshold or guess == OTHER:
            return guess, []
        return OTHER, [f"把握不足（{confidence:.0%}），请研判员定类；最可能为“{subcategory(guess).name}”（{guess}）"]

    def _labels(self, main: str, seen: _Seen, fired: tuple[str, ...]) -> tuple[str, ...]:
        """The main label, those of direct rules, and those that a part of the text names by itself."""
        named = [main, *fired]
        for row, sure in (*zip(seen.parts, seen.part_confidence, strict=True), (seen.kinds, seen.confidence)):
            best = self._codes[int(row.argmax())]
            if float(sure) >= SECOND_LABEL and best != OTHER:
                named.append(best)
        return tuple(dict.fromkeys(named))
