"""The pages are built when their sources changed, and only then."""

import os
from pathlib import Path

import pytest

from deploy.runtime import web
from deploy.runtime.checks import CannotStart

_NPM = """\
#!/bin/sh
echo "$1" >> "$CALLS"
case "$1" in
  ci) mkdir -p node_modules; [ ! -e fail-ci ] ;;
  run) [ ! -e src/broken.ts ] || { echo "src/broken.ts: oops"; exit 2; }; mkdir -p dist; echo page > dist/index.html ;;
esac
"""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("npm", _NPM), ("node", "#!/bin/sh\n")):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    sources = tmp_path / "web"
    (sources / "src").mkdir(parents=True)
    (sources / "package.json").write_text("{}")
    (sources / "package-lock.json").write_text("{}")
    (sources / "src" / "main.ts").write_text("1")
    return sources


def _calls(pages: Path) -> list[str]:
    path = pages.parent / "calls"
    calls = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return calls


async def _build(pages: Path) -> Path:
    return await web.build(pages, pages.parent / "web.log", lambda line: None)


async def test_builds_once_and_again_only_after_a_change(pages: Path) -> None:
    assert await _build(pages) == pages / "dist"
    assert _calls(pages) == ["ci", "run"]
    await _build(pages)
    assert _calls(pages) == []
    (pages / "src" / "main.ts").write_text("2")
    await _build(pages)
    assert _calls(pages) == ["run"]
    (pages / "package-lock.json").write_text('{"lockfileVersion": 3}')
    await _build(pages)
    assert _calls(pages) == ["ci", "run"]


async def test_a_new_date_or_a_new_module_folder_is_no_change(pages: Path) -> None:
    await _build(pages)
    os.utime(pages / "src" / "main.ts", (1, 1))
    (pages / "node_modules" / "x.js").write_text("x")
    (pages / "dist" / "y.js").write_text("y")
    _calls(pages)
    await _build(pages)
    assert _calls(pages) == []


def test_renaming_a_file_is_a_change(pages: Path) -> None:
    before = web.digest(pages)
    (pages / "src" / "main.ts").rename(pages / "src" / "start.ts")
    assert web.digest(pages) != before


async def test_a_failed_build_says_why_and_does_not_count(pages: Path) -> None:
    (pages / "src" / "broken.ts").touch()
    with pytest.raises(CannotStart, match=r"could not be built(.|\n)*src/broken\.ts: oops"):
        await _build(pages)
    (pages / "src" / "broken.ts").unlink()
    await _build(pages)
    assert _calls(pages) == ["ci", "run", "run"]


async def test_packages_that_cannot_be_had(pages: Path) -> None:
    (pages / "fail-ci").touch()
    with pytest.raises(CannotStart, match="npm could not install"):
        await _build(pages)


async def test_missing_node(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(pages))
    with pytest.raises(CannotStart, match=r"^node was not found: Node\.js 20"):
        await _build(pages)


async def test_no_sources(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="start from a clone"):
        await _build(tmp_path)
