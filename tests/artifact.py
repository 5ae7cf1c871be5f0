"""The trained classifier of the tests: made once for one state of code and corpus, and kept for the next run."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from deploy.commands.judge import CORPUS
from models.classifier.train import train

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".cache" / "classifier"


def state() -> str:
    """A hash of everything that training reads: the package, its corpus, and the libraries' pinned versions."""
    told = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for path in sorted(path for path in CORPUS.parent.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        told.update(str(path.relative_to(CORPUS.parent)).encode())
        told.update(path.read_bytes())
    return told.hexdigest()[:16]


def artifact() -> Path:
    """The folder that holds it. Trained where there is none: half a minute."""
    folder = KEPT / state()
    if not folder.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=KEPT))
        train(CORPUS / "train", made, lambda line: None)
        try:
            os.replace(made, folder)
        except OSError:  # Another run was quicker.
            shutil.rmtree(made)
    return folder
