"""Training: the linear models of a corpus, their calibration, and the artifact with its manifest.

Some twenty seconds on one core where the calibration lies beside the corpus, since ``make run`` trains where no artifact is there.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from models.classifier import calibrate
from models.classifier.examples import Example, files, fingerprint, load
from models.classifier.features import about_kind
from models.classifier.fitting import DIRECT, KINDS, RAISING, fitted, rows
from models.classifier.model import Calibration, Model

# Raised by hand whenever text, features, rules or model change what a judgement says.
CODE_VERSION = "2"
ARTIFACT = "classifier.npz"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artifact is: ``sha256`` of its bytes, ``corpus`` the SHA-256 of the training files, ``corrections`` how many of the examples
    assessors gave."""

    version: str
    sha256: str
    corpus: str
    code: str
    examples: int
    corrections: int
    calibration: Calibration


def fit(examples: Sequence[Example], known: Calibration | None, say: Callable[[str], None]) -> Model:
    """The model of these examples; without a ``known`` calibration it is made on folds, which takes five times as long. Deterministic."""
    with threadpool_limits(1):
        say(f"{len(examples)} sentences, {sum(not one.raises for one in examples)} of them raise nothing")
        made = rows(examples)
        if known is None:
            known = calibrate.calibrated(made, say)
        everything = range(len(examples))
        say("kinds of hazards")
        kinds = fitted(KINDS, made, everything, about_kind(made.words))
        say("what raises, what is judged directly")
        return Model(
            words=made.words,
            idf=made.idf,
            kinds=kinds,
            raising=fitted(RAISING, made, everything, None),
            direct=fitted(DIRECT, made, everything, None),
            calibration=known,
        )


def write(model: Model, examples: int, corrections: int, corpus: str, out_dir: Path) -> Manifest:
    """Artifact first, then the manifest that vouches for it."""
    raw = model.to_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    manifest = Manifest(
        version=f"{CODE_VERSION}-{digest[:10]}",
        sha256=digest,
        corpus=corpus,
        code=CODE_VERSION,
        examples=examples,
        corrections=corrections,
        calibration=model.calibration,
    )
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / ARTIFACT).write_bytes(raw)
    (out_dir / MANIFEST).write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1) + "\n", "utf-8")
    return manifest


def made_of(folder: Path) -> str:
    """The fingerprint of a corpus folder together with the code's version."""
    return hashlib.sha256(f"{CODE_VERSION}/{fingerprint(files(folder))}".encode()).hexdigest()


def train(
    folder: Path, out_dir: Path, say: Callable[[str], None], corrections: Sequence[Example] = (), *, anew: bool = False
) -> Manifest:
    """Train on a folder of examples, and on ``corrections`` besides, and write artifact and manifest to ``out_dir``.

    ``anew`` makes the calibration on folds again and keeps it beside the corpus; otherwise that is done only where it was made of another
    corpus. Nothing outside the folder is opened: not the test part either.
    """
    examples = load(folder)
    known = None if anew or corrections else calibrate.kept(folder, made_of(folder))
    model = fit([*examples, *corrections], known, say)
    if anew and not corrections:
        calibrate.keep(folder, made_of(folder), model.calibration)
    manifest = write(model, len(examples), len(corrections), fingerprint(files(folder)), out_dir)
    say(f"{manifest.version}: sends to the assessor below {manifest.calibration.threshold:.2f}")
    return manifest
