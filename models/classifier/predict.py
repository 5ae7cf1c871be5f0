"""The classifier in use: texts in, judgements out. It answers every text, and in bounded time."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.classifier import calibrate, polarity, rules
from models.classifier.features import ready, tokens
from models.classifier.level import suggested
from models.classifier.model import Floats, Model, heaviest, pulls
from models.classifier.text import CUT_REASON, Cleaned, clean
from models.classifier.train import ARTIFACT, CODE_VERSION, MANIFEST, Manifest
from models.judgement import Judgement
from models.levels import Level
from models.scales import LevelBands
from models.taxonomy import OTHER, is_confidential, subcategory

# A text that lists hazards names some five; each part costs one more row of the batch.
MAX_PARTS = 8
# From this probability of a confidential lane on the text stays in it, however unsure the rest: an abstention must not open it to others.
CONFIDENTIAL_MASS = 0.3
# A part this short ("请处理") names nothing by itself.
MIN_PART = 5
# A part names a second hazard only where it is this sure of it: a part is short, and a wrong extra label dispatches a second crew.
PART_SURE = 0.75
# And only where the whole gives it some chance as well: "the gauge is in the red" is a boiler's until one reads on from "the extinguisher".
# By the sentences of dev, where it costs 2 of 17 second labels and takes 5 of 64 wrong ones away (test, looked at afterwards: 5 of 105, and 32 of 245).
PART_ECHO = 0.0005


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
    found = [clause.text for clause in clauses if clause.open and (not aside or polarity.defective(clause.text))]
    rest = "，".join(found) if aside else cleaned.text
    parts = [part for part in found if len(part) >= MIN_PART][:MAX_PARTS]
    return _Parsed(cleaned, clauses, rest, tuple(parts) if len(parts) > 1 else ())


@dataclass(frozen=True, slots=True)
class _Seen:
    """One text's numbers: class probabilities, those of its parts, the chances that it raises and is judged directly, its
    features as places and values."""

    kinds: Floats
    confidence: float
    parts: Floats
    part_confidence: Floats
    raises: float
    direct: float
    row: tuple[Any, Any]


class Classifier:
    """Judges texts with one artifact. Stateless after loading: safe to share between threads."""

    def __init__(self, model: Model, manifest: Manifest) -> None:
        self.manifest = manifest
        self._model = model
        self._limits = model.calibration
        self._vectorizer = ready(model.words, model.idf)
        self._codes = model.kinds.classes
        self._pulls = pulls(model.kinds)
        self._confidential = np.array([is_confidential(code) for code in self._codes])

    @classmethod
    def load(cls, path: Path) -> "Classifier":
        """From the folder that ``train`` wrote. Raises ``ValueError`` where artifact, manifest and code do not belong together."""
        told = json.loads((path / MANIFEST).read_text("utf-8"))
        if told.get("code") != CODE_VERSION:
            raise ValueError(f"{ARTIFACT} is of code version {told.get('code')}, this is {CODE_VERSION}: train again")
        manifest = Manifest(**told | {"calibration": calibrate.read(told["calibration"])})
        raw = (path / ARTIFACT).read_bytes()
        if hashlib.sha256(raw).hexdigest() != manifest.sha256:
            raise ValueError(f"{ARTIFACT} is not the file its manifest names: train again with `campus-risk train`")
        return cls(Model.from_bytes(raw, manifest.calibration), manifest)

    def classify(self, texts: Sequence[str], bands: LevelBands | None = None) -> list[Judgement]:
        """One judgement a text, in order; levels by a city's own bands where it has some."""
        parsed = [_parse(text) for text in texts]
        return [self._judge(one, seen, bands) for one, seen in zip(parsed, self._look(parsed), strict=True)]

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """(texts, classes) for the part of each text that raises something, all of it where nothing does."""
        seen = self._look([_parse(text) for text in texts])
        return np.stack([one.kinds for one in seen]) if seen else np.zeros((0, len(self._codes)))

    @property
    def codes(self) -> tuple[str, ...]:
        """The columns of ``probabilities``."""
        return self._codes

    def _look(self, parsed: Sequence[_Parsed]) -> list[_Seen]:
        """All texts, what is left of those with something set aside, and their parts, through the model in one batch."""
        if not parsed:
            return []
        size = len(parsed)
        flat = [tokens(one.cleaned.text, one.clauses) for one in parsed]
        ours = list(range(size))
        for place, one in enumerate(parsed):
            if one.set_aside and len(one.rest) >= MIN_PART:
                ours[place] = len(flat)
                flat.append(tokens(one.rest, ()))
        start = len(flat)
        flat += [tokens(part, ()) for one in parsed for part in one.parts]
        features = self._vectorizer.transform(flat)
        about = features[[*ours, *range(start, len(flat))]]
        scores = self._model.kinds.scores(about)
        kinds, sure = self._model.probabilities(scores), self._model.confidence(scores)
        # A finding beside a drill or a passed check raises by itself, whatever the whole sounds like.
        raises = np.maximum(self._model.raises(features[:size]), self._model.raises(features[ours]))
        direct = self._model.is_direct(features[:size])
        seen, start, begins = [], size, about.indptr
        for place, one in enumerate(parsed):
            end = start + len(one.parts)
            seen.append(
                _Seen(
                    kinds=kinds[place],
                    confidence=float(sure[place]),
                    parts=kinds[start:end],
                    part_confidence=sure[start:end],
                    raises=float(raises[place]),
                    direct=float(direct[place]),
                    row=(
                        about.indices[begins[place] : begins[place + 1]],
                        about.data[begins[place] : begins[place + 1]],
                    ),
                )
            )
            start = end
        return seen

    def _judge(self, one: _Parsed, seen: _Seen, bands: LevelBands | None) -> Judgement:
        raises, why = self._raises(one, seen)
        fired = rules.direct(one.clauses) if raises else ()
        alike = raises and not fired and seen.direct >= self._limits.direct_threshold
        guess = int(seen.kinds.argmax())
        reasons = [CUT_REASON] if one.cleaned.cut else []
        reasons += why
        reasons += [f"直接判定：{rule.sentence}（{rules.GUIDE}，{rule.article}）" for rule in fired]
        if alike:
            reasons.append(f"与直接判定情形相近（{seen.direct:.0%}），按红色流转，请研判员对照{rules.GUIDE}核定")
        main, unsure = self._main(seen, self._codes[guess], tuple(rule.subcategory for rule in fired))
        reasons += unsure
        words = heaviest(self._pulls[guess], self._model.words, *seen.row) if main != OTHER else []
        if words:
            reasons.append(f"判为“{subcategory(main).name}”的依据：{'、'.join(words)}")
        labels = self._labels(main, seen, tuple(rule.subcategory for rule in fired))
        score = None
        if not raises:
            level = Level.BLUE
        elif fired or alike:
            level = Level.RED
        else:
            score, lifted = suggested(labels, one.rest or one.cleaned.text, bands=bands)
            parts = score.parts
            told = f"建议评分 LS：可能性 {parts['likelihood']:g} × 严重性 {parts['severity']:g} = {score.product:g}"
            level, reasons = score.level, [*reasons, *lifted, told]
        return Judgement(
            category=main[:2],
            subcategory=main,
            level=level,
            direct=bool(fired) or alike,
            # To six digits: the order of sums, and so the last ones, differ between a batch and a single text.
            confidence=round(seen.confidence, 6),
            labels=labels,
            raises=raises,
            reasons=tuple(reasons),
            model=self.manifest.version,
            score=score,
        )

    def _raises(self, one: _Parsed, seen: _Seen) -> tuple[bool, list[str]]:
        """Whether it raises anything, and what of it was set aside as a drill, a passed check, a solved or a denied matter."""
        why = [f"“{clause.text[:20]}”属{polarity.LABELS[clause.status]}，不作隐患" for clause in one.set_aside[:3]]
        if not any(char.isalnum() for char in one.cleaned.text):
            return False, ["没有可研判的文字"]
        if seen.raises < self._limits.raise_threshold:
            return False, [*why, "未见隐患表述"]
        return True, why

    def _main(self, seen: _Seen, guess: str, fired: tuple[str, ...]) -> tuple[str, list[str]]:
        """The subcategory to report and why it is not the guess."""
        if fired and guess not in fired and seen.confidence < self._limits.threshold:
            return fired[0], []
        mass = float(seen.kinds[self._confidential].sum())
        if mass >= CONFIDENTIAL_MASS and (seen.confidence < self._limits.threshold or is_confidential(guess)):
            best = int(np.where(self._confidential, seen.kinds, -1.0).argmax())
            return self._codes[best], [] if is_confidential(guess) else ["可能涉及保密类别，按保密类别流转"]
        if seen.confidence >= self._limits.threshold or guess == OTHER:
            return guess, []
        name = subcategory(guess).name
        return OTHER, [f"把握不足（{seen.confidence:.0%}），请研判员定类；最可能为“{name}”（{guess}）"]

    def _labels(self, main: str, seen: _Seen, fired: tuple[str, ...]) -> tuple[str, ...]:
        """The main label, those of direct rules, a runner-up that is likely enough, and those that a part names by itself."""
        named = [main, *fired]
        second = int(np.argsort(seen.kinds)[-2])
        if float(seen.kinds[second]) >= self._limits.second_threshold:
            named.append(self._codes[second])
        for row, sure in zip(seen.parts, seen.part_confidence, strict=True):
            best = int(row.argmax())
            if float(sure) >= PART_SURE and float(seen.kinds[best]) >= PART_ECHO:
                named.append(self._codes[best])
        return tuple(dict.fromkeys(label for label in named if label != OTHER or main == OTHER))
