"""``classify``, ``train``, ``evaluate``, ``corrections``: the classifier by hand and by machine.

scikit-learn is imported by the commands that use it: it takes seconds, and every other command would wait for it.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy import connection
from deploy.runtime.checks import CannotStart
from models.learning import Correction, as_corpus
from store import corrections as stored
from store import db
from store.settings import Settings

if TYPE_CHECKING:
    from models.classifier.evaluate import Scores
    from models.classifier.predict import Classifier

console = Console(highlight=False)
CORPUS = Path(__file__).parent.parent.parent / "models" / "classifier" / "corpus"
_BATCH = 500
# Folds, kinds, raising and direct judgements: what training says while it works.
_STEPS = 8

AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (classify, train, evaluate, corrections):
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
    corpus: Annotated[Path, typer.Option(help="a folder of texts with headers")] = CORPUS / "train",
    out: Annotated[Path | None, typer.Option(help="where the artifact goes; by default where the agents look")] = None,
    corrections: Annotated[Path | None, typer.Option(help="a folder that `corrections` wrote")] = None,
    anew: Annotated[bool, typer.Option(help="make the calibration on folds anew and keep it with the corpus")] = False,
    force: Annotated[bool, typer.Option(help="take the new version even where it is worse")] = False,
) -> None:
    """Train the classifier and write its artifact with a manifest. A version that is worse than the one in place is refused.

    Workers take it at their next start.
    """
    from models.classifier.evaluate import score, worse
    from models.classifier.examples import TEST, load
    from models.classifier.predict import Classifier
    from models.classifier.train import train as fit

    folder = out or Settings().models_dir
    given = load(corrections) if corrections else []
    with tempfile.TemporaryDirectory() as spare, _progress() as progress:
        task = progress.add_task("读语料", total=_STEPS if anew or given else 3)

        def say(line: str) -> None:
            progress.update(task, description=line, advance=1)

        manifest = fit(corpus, Path(spare), say, given, anew=anew)
        old = _in_place(folder)
        examples = load(TEST)
        new_scores = score(Classifier.load(Path(spare)), examples)
        reasons = worse(score(old, examples), new_scores) if old else []
        if reasons and not force:
            raise CannotStart(
                f"{manifest.version} is worse than {old.manifest.version if old else ''} on the test part "
                f"({'; '.join(reasons)}) and was not taken. `--force` takes it all the same."
            )
        folder.mkdir(parents=True, exist_ok=True)
        for file in Path(spare).iterdir():
            shutil.copyfile(file, folder / file.name)
    console.print(f"{manifest.version}：{manifest.examples} 句，更正 {manifest.corrections} 句", markup=False)
    _show({"now": new_scores})


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
    )


def _in_place(folder: Path) -> "Classifier | None":
    """The version that a new one would take the place of; none where there is none, or none that this code can read."""
    from models.classifier.predict import Classifier

    try:
        return Classifier.load(folder)
    except (FileNotFoundError, ValueError):
        return None


def evaluate(
    part: Annotated[Path, typer.Option(help="a folder of texts with headers")] = CORPUS / "test",
    model: Annotated[Path | None, typer.Option(help="the artifact; by default the agents' one")] = None,
    against: Annotated[Path | None, typer.Option(help="another artifact to compare with")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a classifier on the frozen test part, or on another one; beside a second version where one is named."""
    from models.classifier.evaluate import score, worse
    from models.classifier.examples import load
    from models.classifier.predict import Classifier

    examples = load(part)
    found = {"now": score(_loaded() if model is None else Classifier.load(model), examples)}
    if against is not None:
        found["against"] = score(Classifier.load(against), examples)
    if as_json:
        told = {name: scores.as_dict() for name, scores in found.items()}
        console.print(json.dumps(told, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    _show(found)
    if "against" in found:
        reasons = worse(found["against"], found["now"])
        console.print("变差：" + "；".join(reasons) if reasons else "没有变差", markup=False)


def _show(found: "dict[str, Scores]") -> None:
    table = Table("figure", *found)
    for name in next(iter(found.values())).as_dict():
        values = [scores.as_dict()[name] for scores in found.values()]
        table.add_row(name, *("—" if value is None else str(value) for value in values))
    console.print(table)


def corrections(
    out: Annotated[Path, typer.Argument(help="a folder, made where it is not there")],
    as_json: AsJson = False,
) -> None:
    """Write what assessors corrected as training sentences: masked, and only of units whose city profile consents."""

    async def read() -> list[Correction]:
        async with db.connect(str(connection.resolved().database)) as conn:
            return await stored.read(conn)

    found = asyncio.run(read())
    out.mkdir(parents=True, exist_ok=True)
    if found:
        (out / "corrections.txt").write_text(as_corpus(found), "utf-8")
    if as_json:
        console.print(json.dumps({"sentences": len(found)}))
    else:
        console.print(
            f"{len(found)} 句更正写入 {out}" if found else "没有可用的更正：看看城市配置里的 [learning]", markup=False
        )


def _loaded() -> "Classifier":
    from models.classifier.predict import Classifier
    from models.classifier.train import train as fit

    directory = Settings().models_dir
    try:
        return Classifier.load(directory)
    except FileNotFoundError:
        fit(CORPUS / "train", directory, lambda line: print(line, file=sys.stderr))  # noqa: T201
        return Classifier.load(directory)
