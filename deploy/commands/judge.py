"""``classify``, ``train``, ``evaluate``: the classifier by hand and by machine.

scikit-learn is imported by the commands that use it: it takes seconds, and every other command would wait for it.
"""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import orjson
import typer
from rich.console import Console

from deploy.runtime.checks import CannotStart
from store.settings import Settings

if TYPE_CHECKING:
    from models.classifier.predict import Classifier

console = Console(highlight=False)
CORPUS = Path(__file__).parent.parent.parent / "models" / "classifier" / "corpus"
_BATCH = 500


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (classify, train, evaluate):
        app.command()(command)


def classify(
    file: Annotated[Path | None, typer.Argument(help="JSON lines with a text each; without it, standard input")] = None,
) -> None:
    """JSON lines in, JSON lines out, in the same order: category, subcategory, level, direct, confidence, labels, raises, reasons.

    Every other field of a line comes back as it was. A line that is no JSON object with a ``text`` comes back with an ``error``.
    """
    classifier = _loaded()
    stream = sys.stdin.buffer if file is None else _opened(file)
    with stream:
        lines: Iterator[bytes] = (line for line in stream if line.strip())
        while batch := list(islice(lines, _BATCH)):
            records = [_record(line) for line in batch]
            judged = iter(classifier.classify([r["text"] for r in records if "error" not in r]))
            for record in records:
                answer = record if "error" in record else record | next(judged).as_dict()
                sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
            sys.stdout.buffer.flush()


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise CannotStart(
            f"{file} cannot be read ({error.strerror}): give a file of JSON lines, or pipe them in."
        ) from None


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {"error": f"不是合法的 JSON：{error}"}
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        return {"error": "每行须为一个 JSON 对象，其中 text 是文字"}
    return record


def train(
    corpus: Annotated[Path, typer.Option(help="a folder with train.jsonl")] = CORPUS,
    out: Annotated[Path | None, typer.Option(help="where the artifact goes; by default where the agents look")] = None,
) -> None:
    """Train the classifier and write its artifact with a manifest. Workers take it at their next start."""
    from models.classifier.train import train as fit

    with console.status("训练中") as status:
        manifest = fit(corpus, out or Settings().models_dir, lambda line: status.update(line))
    console.print(f"{manifest.version}  ({manifest.chosen}, {manifest.examples} 句)", markup=False)


def evaluate(
    corpus: Annotated[Path, typer.Option(help="a folder with train.jsonl and test.jsonl")] = CORPUS,
    model: Annotated[Path | None, typer.Option(help="the artifact; by default the agents' one")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Measure the classifier on the frozen test part and on five folds by origin."""
    from models.classifier.evaluate import evaluate as score

    with console.status("评测中") as status:
        found = score(corpus, model or Settings().models_dir, lambda line: status.update(line))
    if as_json:
        console.print(json.dumps(found, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    console.print_json(data=found)


def _loaded() -> "Classifier":
    from models.classifier.predict import Classifier
    from models.classifier.train import train as fit

    directory = Settings().models_dir
    try:
        return Classifier.load(directory)
    except FileNotFoundError:
        fit(CORPUS, directory, lambda line: print(line, file=sys.stderr))  # noqa: T201
        return Classifier.load(directory)
