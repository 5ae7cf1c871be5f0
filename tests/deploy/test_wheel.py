"""The wheel holds what runs: the image installs it and has nothing else of the project."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PACKAGES = ("models", "store", "streams", "api", "deploy", "grafana")
# What the program reads when it runs. Neither the recipes of image and cluster nor anything that was made while it ran.
NEEDED = {".py", ".sql", ".json", ".jsonl", ".toml", ".csv", ".geojson", ".txt", ".xml", ".typed"}
LEFT_OUT = ("deploy/kustomize/", "deploy/locks/", "deploy/secrets/")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built as the image builds it, from what the image copies. Where nobody has built the pages, others stand in for them."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheels")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", *PACKAGES):
        (source / name).symlink_to(PROJECT / name)
    made, pages = source / "web" / "dist", PROJECT / "web" / "dist"
    if (pages / "index.html").is_file():
        made.parent.mkdir()
        made.symlink_to(pages)
    else:
        (made / "assets").mkdir(parents=True)
        for name in ("index.html", "sign-in.html", "assets/wall.js"):
            (made / name).write_text("")
    _build(source, out)
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def _build(source: Path, out: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)


def test_every_file_that_runs_is_in_it(wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    missing = []
    for package in PACKAGES:
        for path in (PROJECT / package).rglob("*"):
            name = path.relative_to(PROJECT).as_posix()
            if path.suffix in NEEDED and path.is_file() and "__pycache__" not in name and not name.startswith(LEFT_OUT):
                missing += [name] if name not in inside else []
    assert missing == []


@pytest.mark.parametrize(
    "name",
    [
        "store/migrations/0001-units.sql", "store/migrations/0013-keeping.sql", "models/taxonomy.json",
        "models/classifier/corpus/train/direct.txt", "models/classifier/corpus/test/part-1.txt", "models/duplicates/score.json",
        "deploy/cities/ningbo/city.toml", "deploy/cities/ningbo/units.csv", "api/pages/index.html", "api/pages/sign-in.html",
    ],
)  # fmt: skip
def test_what_is_no_python_is_in_it(wheel: zipfile.ZipFile, name: str) -> None:
    assert name in wheel.namelist()


def test_nothing_else_is_in_it(wheel: zipfile.ZipFile) -> None:
    allowed = (*(f"{package}/" for package in PACKAGES), "campus_risk-")
    assert [name for name in wheel.namelist() if not name.startswith(allowed)] == []
    assert [name for name in wheel.namelist() if name.startswith(LEFT_OUT) or "Containerfile" in name] == []


def test_the_command_is_in_it(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "campus-risk = deploy.cli:main" in wheel.read(name).decode()


def test_the_app_serves_the_packed_pages(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    code = "import api.app; print(api.app.PAGES)"
    env = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(tmp_path / "api" / "pages")


def test_a_wheel_without_pages_is_not_made(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", *PACKAGES):
        (tmp_path / name).symlink_to(PROJECT / name)
    with pytest.raises(AssertionError, match="npm run build"):
        _build(tmp_path, tmp_path / "out")
