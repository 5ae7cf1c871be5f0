"""A copy of the trained artifact, and what every test of the model looks at."""

import shutil
from pathlib import Path

import pytest

from models.classifier.predict import Classifier
from tests import artifact as kept


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(kept.artifact(), tmp_path_factory.mktemp("classifier") / "artifact"))


@pytest.fixture(scope="session")
def classifier(artifact: Path) -> Classifier:
    return Classifier.load(artifact)
