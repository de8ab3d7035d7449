"""Pages of the documentation, and the marked code blocks in them, as tests run them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.engine.support.stack import Program

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
#: Everything that people read.
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
#: In the examples, the service that is there already. Ids are made by the cloud.
SHOWN_ID = "gp-demo:ms-0123456789ab"

#: A code block with a comment before it, such as `<!-- run -->`, that says what it is.
_MARKED = re.compile(r"^<!-- (?P<mark>.+) -->\n```\w+\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
#: Any code block, also one that is indented below the item of a list.
_FENCED = re.compile(r"^ *```(?P<kind>\w*)\n(?P<text>(?:.*\n)*?) *```$", re.MULTILINE)
#: A program begins with its imports; what begins otherwise is an excerpt.
_PROGRAM = re.compile(r"^```python\n(?P<text>(?:import|from) (?:.*\n)*?)```$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A marked block of a page."""

    mark: str
    text: str
    place: str

    def program(self, service_id: str = SHOWN_ID) -> Program:
        """The block as a Pulumi program, in a namespace of its own."""
        code = compile(self.text.replace(SHOWN_ID, service_id), self.place, "exec")

        def run() -> None:
            exec(code, {"__name__": "__main__"})  # noqa: S102 - the documentation is ours

        return run


def blocks(page: Path, mark: str, title: str | None = None) -> list[Block]:
    """The blocks of a page, or of one section, whose mark begins like this, in order."""
    text = page.read_text(encoding="utf-8")
    part = text if title is None else section(page, title)
    start = text.index(part)
    found = []
    for match in _MARKED.finditer(text, start, start + len(part)):
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match["mark"], match["text"], f"{page.name}:{line}"))
    return [block for block in found if block.mark.startswith(mark)]


def programs(page: Path) -> list[str]:
    """The code blocks of a page that are whole programs, marked or not."""
    return [match["text"] for match in _PROGRAM.finditer(page.read_text(encoding="utf-8"))]


def commands(page: Path) -> list[str]:
    """The commands that the page has people type, each as one line."""
    text = "".join(match["text"] for match in _FENCED.finditer(page.read_text(encoding="utf-8")))
    joined = re.sub(r"\\\n *", "", text)
    return [line.strip()[2:] for line in joined.splitlines() if line.strip().startswith("$ ")]


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Where a link can lead to within a page."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def section(page: Path, title: str) -> str:
    """The text below a heading of the second level."""
    _, found, rest = page.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found, f"{page.name} has no section {title!r}"
    return rest.partition("\n## ")[0]


def told(text: str) -> set[str]:
    """The lines of an output without what differs from run to run."""
    text = re.sub(r"ms-[0-9a-f]{12}", "ms-…", text)
    text = re.sub(r"@ updating\.+", "@ updating", text)
    text = re.sub(r"\b[0-9.]+ ?s\b", "0 s", text)
    return {line.rstrip() for line in text.splitlines()}
