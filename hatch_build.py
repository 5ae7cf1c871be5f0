"""Puts the built pages into the wheel. An editable install takes them from web/dist, where they are built anew."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Pages(BuildHookInterface[Any]):
    """``web/dist`` becomes ``api/pages``; a wheel without pages would answer 404 to every browser, so it is not made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files."""
        if version == "editable":
            return
        pages = Path(self.root) / "web" / "dist"
        if not (pages / "index.html").is_file():
            raise FileNotFoundError(f"{pages} holds no pages: run `npm ci && npm run build` in web first")
        build_data["force_include"][str(pages)] = "api/pages"
