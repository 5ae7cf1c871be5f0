"""Speed of the classifier on one core, as one JSON line: texts a second in batches of 500, milliseconds for one, memory.

Usage: ``python bench/classify.py [ARTIFACT_FOLDER]``; without a folder it trains one first, and says how long that took.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil
from threadpoolctl import threadpool_limits

from models.classifier.examples import CORPUS, load
from models.classifier.predict import Classifier
from models.classifier.train import train

BATCH = 500
ROUNDS = 10
SINGLES = 200


def main() -> None:
    """Measure on the corpus' own test part, repeated to whole batches."""
    process = psutil.Process()
    process.cpu_affinity([process.cpu_affinity()[0]])
    figures: dict[str, float | str] = {}
    with threadpool_limits(1), tempfile.TemporaryDirectory() as spare:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(spare)
        if len(sys.argv) == 1:
            start = time.perf_counter()
            train(CORPUS / "train", folder, lambda _: None)
            figures["train_s"] = round(time.perf_counter() - start, 2)
        start = time.perf_counter()
        classifier = Classifier.load(folder)
        figures["load_ms"] = round((time.perf_counter() - start) * 1000, 1)
        texts = [one.text for one in load(CORPUS / "test")]
        batch = [texts[place % len(texts)] for place in range(BATCH)]
        classifier.classify(batch)
        rounds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            classifier.classify(batch)
            rounds.append(time.perf_counter() - start)
        singles = []
        for text in texts[:SINGLES]:
            start = time.perf_counter()
            classifier.classify([text])
            singles.append(time.perf_counter() - start)
        start = time.perf_counter()
        classifier.classify(["教学楼安全出口被锁，" * 10_000])
        figures["longest_ms"] = round((time.perf_counter() - start) * 1000, 1)
    figures["texts_per_s"] = round(BATCH / median(rounds))
    figures["one_ms"] = round(median(singles) * 1000, 2)
    figures["rss_mb"] = round(process.memory_info().rss / 2**20, 1)
    print(json.dumps({"bench": "classify", "model": classifier.manifest.version, **figures}))


if __name__ == "__main__":
    main()
