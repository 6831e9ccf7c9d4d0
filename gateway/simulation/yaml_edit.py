"""A YAML text, changed in a few places: all else of it stays as it is, comments too.

What stands elsewhere (an alias, a merged key) is not changed: others may refer to it. New values are given in
flow style, on one line. The text is valid and bounded (`config/source.py` has read it); what becomes of it
should be read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from config.problems import Path


class NotHereError(Exception):
    """What is to be changed does not stand where it is used, or in a form that is not changed here."""


class YamlText:
    """Changes are collected, each of another place, and made by `changed`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._break = "\r\n" if "\r\n" in text else "\n"
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        self._changes: list[tuple[int, int, str]] = []

    def changed(self) -> str:
        """The text with all changes."""
        text = self._text
        for start, end, new in sorted(self._changes, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    @property
    def count(self) -> int:
        """How many changes there are."""
        return len(self._changes)

    def forget(self, count: int) -> None:
        """Keeps only the first `count` changes."""
        del self._changes[count:]

    def has(self, path: Path) -> bool:
        """Whether something stands there."""
        try:
            self._node(path)
        except NotHereError:
            return False
        return True

    def set_value(self, path: Path, value: str) -> None:
        """Replaces a value."""
        node = self._node(path)
        self._changes.append((_start(node), self._end(node), value))

    def set_items(self, path: Path, instead: Mapping[int, Sequence[str]], more: Sequence[str] = ()) -> None:
        """Replaces items of a list by others, each by any number of them; `more` come last.

        A list that would be left empty is removed with its key.
        """
        node = self._node(path)
        if not isinstance(node, yaml.SequenceNode):
            raise NotHereError
        items: list[list[str] | None] = [None] * len(node.value)
        for at, texts in instead.items():
            items[at] = list(texts)
        if more and items and items[-1] is not None:
            items[-1] += more
            more = ()
        if not more and all(texts == [] for texts in items):
            self.remove(path)
        elif node.flow_style:
            self._set_flow(node, items, more)
        else:
            self._set_block(node, items, more)

    def _set_flow(self, node: Any, items: Sequence[list[str] | None], more: Sequence[str]) -> None:
        texts: list[str] = []
        for item, new in zip(node.value, items, strict=True):
            texts += [self._text[_start(item) : self._end(item)]] if new is None else new
        self._changes.append((_start(node), self._end(node), f"[{', '.join([*texts, *more])}]"))

    def _set_block(self, node: Any, items: Sequence[list[str] | None], more: Sequence[str]) -> None:
        dash = f"{self._break}{' ' * node.start_mark.column}- "
        for item, new in zip(node.value, items, strict=True):
            if new:
                self._changes.append((_start(item), self._end(item), dash.join(new)))
            elif new is not None:
                self._remove_lines(self._text.rindex("-", 0, _start(item)), self._end(item))
        if more:
            end = self._line_end(self._end(node))
            self._changes.append((end, end, "".join(dash + text for text in more)))

    def add(self, path: Path, after: str, key: str, value: str | Sequence[str]) -> None:
        """Adds a key to a mapping, in block style after the key `after`; a list is one of items."""
        node = self._node(path)
        if not isinstance(node, yaml.MappingNode):
            raise NotHereError
        if node.flow_style:
            end = self._end(node.value[-1][1])
            text = value if isinstance(value, str) else f"[{', '.join(value)}]"
            self._changes.append((end, end, f", {key}: {text}"))
            return
        before = self._break + " " * node.value[0][0].start_mark.column
        end = self._line_end(self._end(self._node((*path, after))))
        text = f" {value}" if isinstance(value, str) else "".join(f"{before}  - {item}" for item in value)
        self._changes.append((end, end, f"{before}{key}:{text}"))

    def remove(self, path: Path) -> None:
        """Removes a key and its value from a mapping."""
        parent = self._node(path[:-1])
        at = next((at for at, (key, _) in enumerate(parent.value) if key.value == path[-1]), -1)
        if at < 0:
            raise NotHereError
        key, value = parent.value[at]
        if not parent.flow_style:
            self._remove_lines(_start(key), self._end(value))
        elif at + 1 < len(parent.value):
            self._changes.append((_start(key), _start(parent.value[at + 1][0]), ""))
        else:
            self._changes.append((self._end(parent.value[at - 1][1]), self._end(value), ""))

    def _remove_lines(self, start: int, end: int) -> None:
        begin = self._text.rfind("\n", 0, start) + 1
        if self._text[begin:start].strip():
            raise NotHereError  # something else stands before it on its line
        self._changes.append((begin, min(self._line_end(end) + len(self._break), len(self._text)), ""))

    # --- places ---

    def _node(self, path: Path) -> Any:
        here: Any = self._root
        for part in path:
            if isinstance(part, int) and isinstance(here, yaml.SequenceNode) and part < len(here.value):
                below, after = here.value[part], _start(here)
            elif isinstance(part, str) and isinstance(here, yaml.MappingNode):
                found = next(((key, value) for key, value in here.value if key.value == part), None)
                if found is None:
                    raise NotHereError
                below, after = found[1], _start(found[0])
            else:
                raise NotHereError
            if _start(below) < after:
                raise NotHereError  # an alias of what stands before
            here = below
        return here

    def _end(self, node: Any) -> int:
        """Where it ends; of what is in block style without the lines and comments that follow."""
        if isinstance(node, yaml.ScalarNode):
            return _start(node) + len(self._text[_start(node) : node.end_mark.index].rstrip())
        if node.flow_style or not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        return max(_start(node), self._end(last[1] if isinstance(last, tuple) else last))

    def _line_end(self, at: int) -> int:
        found = self._text.find(self._break, at)
        return len(self._text) if found < 0 else found


def _start(node: Any) -> int:
    return int(node.start_mark.index)
