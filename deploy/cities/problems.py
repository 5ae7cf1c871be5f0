"""What is wrong in a city's folder: said with file, line and cure, all at once rather than one a run."""

from dataclasses import dataclass, field

# Past this many the list says the same thing again (one wrong column breaks every line); a screen shows about so many.
SHOWN = 20


class CityError(ValueError):
    """A city's folder cannot be used. The message has one line a problem: file, line number, problem, cure."""


@dataclass(slots=True)
class Problems:
    """Collects problems of one file; ``stop`` raises them."""

    file: str
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, problem: str, cure: str) -> None:
        """Notes one problem; ``line`` counts from 1, 0 stands for the file as a whole."""
        where = f"{self.file} 第 {line} 行" if line else self.file
        self.found.append((line, f"{where}：{problem}。{cure}。"))

    def stop(self) -> None:
        """Raises ``CityError`` with what was found, in the order of the file; returns when nothing was."""
        if not self.found:
            return
        said = [message for _, message in sorted(self.found, key=lambda one: one[0])]
        if len(said) > SHOWN:
            said = [*said[:SHOWN], f"……还有 {len(said) - SHOWN} 处问题，改好以上各处后再检查一次。"]
        raise CityError("\n".join(said))
