"""One training a session, in a temporary folder, and what every test of the model looks at."""

from pathlib import Path

import pytest

from models.classifier.examples import TRAIN
from models.classifier.predict import Classifier
from models.classifier.train import train


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    train(TRAIN, folder, lambda _: None)
    return folder


@pytest.fixture(scope="session")
def classifier(artifact: Path) -> Classifier:
    return Classifier.load(artifact)
