"""YAML text -> a document whose nodes know their place, with `${VAR}` filled in.

It composes the tree itself from the parser's events, because that bounds depth, aliases and size before
anything is expanded, and refuses duplicate keys with the place of the first. Keys are never filled in.
This module knows YAML and the environment, not what a configuration contains.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

import yaml

from config.document import Document, Node
from config.files import MAX_BYTES
from config.problems import ConfigError, Path, Problem, show_path
from config.variables import fill_in, unset

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH: Final = 64
MAX_NODES: Final = 200_000  # after aliases are expanded

_FOR_PEOPLE: Final = "; expected a configuration that people write"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TAG: Final = "tag:yaml.org,2002:"
_CORE: Final = ("str", "int", "float", "bool", "null", "map", "seq")
_TAGS: Final = frozenset({None, "!", *(_TAG + name for name in _CORE)})
_ADDED_UP: Final = frozenset(
    f"{side}{form}" for side in ("", "source_", "target_") for form in ("matchers", "match", "match_re")
)
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(text: str, file: str, env: Mapping[str, str] | None, *, stand_ins: bool = False) -> Document:
    """Parse `text` and fill in variables; `file` is only shown.

    With `env` None nothing is filled in, since `${` means nothing there: the files of Prometheus.

    With `stand_ins` a variable that is not set is no problem: its name stands in for its value.

    Raises:
        ConfigError: it cannot be read at all: not YAML, too deep, too large, several documents.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError([Problem(file, 1, 1, "", f"larger than {MAX_BYTES // 2**20} MiB{_FOR_PEOPLE}")])
    text = text.removeprefix("\ufeff")
    if bad := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        raise ConfigError(
            [Problem(file, line, column, "", f"the character {bad.group()!r} is not allowed in YAML")]
        )
    if not text.strip():
        raise ConfigError(
            [Problem(file, 1, 1, "", "the file is empty; expected at least route: and receivers:")]
        )
    composer = _Composer(text, file, env, stand_ins=stand_ins)
    try:
        root = composer.compose()
    except yaml.MarkedYAMLError as error:
        raise ConfigError([*composer.problems, _syntax(error, text, file)]) from None
    except yaml.YAMLError:
        raise ConfigError([Problem(file, 1, 1, "", "not YAML; expected key: value lines")]) from None
    return Document(file, root, tuple(composer.problems))


class _Composer:
    """Events -> nodes, with an explicit stack instead of recursion."""

    def __init__(self, text: str, file: str, env: Mapping[str, str] | None, *, stand_ins: bool) -> None:
        self.text = text
        self.file = file
        self.env = env
        self.stand_ins = stand_ins
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.open: list[Node] = []
        self.keys: list[Node | None] = []  # beside each open node: the key whose value is being read
        self.merges: list[list[tuple[Node, Node]]] = []  # beside each open node: its `<<` entries
        self.root: Node | None = None

    def compose(self) -> Node:
        for event in yaml.parse(self.text, Loader=_LOADER):
            match event:
                case yaml.ScalarEvent():
                    self._place(event, self._scalar(event))
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._begin(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._end()
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.DocumentStartEvent() if self.root is not None:
                    raise self._fatal(event, "a second document begins; expected one document in the file")
        if self.root is None:
            message = "the file is empty; expected at least route: and receivers:"
            raise ConfigError([Problem(self.file, 1, 1, "", message)])
        return self.root

    def _fatal(self, event: Any, message: str) -> ConfigError:
        mark = event.start_mark
        return ConfigError([*self.problems, Problem(self.file, mark.line + 1, mark.column + 1, "", message)])

    def _report(self, node: Node, message: str) -> None:
        self.problems.append(Problem(self.file, node.line, node.column, show_path(self._path()), message))

    def _path(self) -> Path:
        """Where the node stands that is being read."""
        path: Path = ()
        for node, key in zip(self.open, self.keys, strict=True):
            if node.kind == "list":
                path += (len(node.items) - (node is not self.open[-1]),)  # an open item is counted already
            elif key is not None:
                path += (key.text,)
        return path

    def _scalar(self, event: Any) -> Node:
        mark = event.start_mark
        node = Node("text", mark.line + 1, mark.column + 1, event.value, event.value)
        if (event.implicit[0] and event.value in _NULLS) or event.tag == _TAG + "null":
            node.kind = "nothing"
            return node
        opening = 0 if event.implicit[0] or event.style not in ("'", '"') else 1
        start = mark.index + opening
        if self.text.startswith(event.value, start) and "\n" not in event.value:
            node.literal = True
            node.column += opening
        return node

    def _begin(self, event: Any) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise self._fatal(event, f"nested more than {MAX_DEPTH} levels deep")
        mark = event.start_mark
        kind: Literal["list", "mapping"] = "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
        node = Node(kind, mark.line + 1, mark.column + 1, complete=False)
        self._place(event, node)
        self.open.append(node)
        self.keys.append(None)
        self.merges.append([])

    def _end(self) -> None:
        node = self.open.pop()
        self.keys.pop()
        for key, value in self.merges.pop():
            self._merge(node, key, value)
        node.complete = True
        if self.open:
            self.keys[-1] = None
            self._grow(self.open[-1], node, node.size - 1)

    def _alias(self, event: Any) -> None:
        target = self.anchors.get(event.anchor)
        if target is None:
            raise self._fatal(event, f"the alias *{event.anchor} has no anchor &{event.anchor} before it")
        if not target.complete:
            raise self._fatal(event, f"the alias *{event.anchor} stands inside of what it refers to")
        if len(self.open) + target.height > MAX_DEPTH:
            raise self._fatal(event, f"nested more than {MAX_DEPTH} levels deep, aliases expanded")
        self._place(event, target)
        if self.open:
            self._grow(self.open[-1], target, target.size - 1)

    def _grow(self, node: Node, at: Node, by: int) -> None:
        node.size += by
        node.height = max(node.height, at.height + 1)
        if node.size > MAX_NODES:
            message = f"more than {MAX_NODES:,} values, aliases expanded{_FOR_PEOPLE}"
            raise ConfigError([*self.problems, Problem(self.file, at.line, at.column, "", message)])

    def _place(self, event: Any, node: Node) -> None:
        """Put a node where it belongs: the root, the next item, a key, or the value of the last key."""
        if getattr(event, "tag", None) not in _TAGS:
            self._report(node, f"the tag {event.tag} is not read; expected plain YAML")
        if event.anchor is not None and not isinstance(event, yaml.AliasEvent):
            self.anchors[event.anchor] = node
        if not self.open:
            self.root = self._filled(node)
            return
        parent = self.open[-1]
        self._grow(parent, node, 1)
        key = self.keys[-1]
        if parent.kind == "list":
            parent.items.append(self._filled(node))
        elif key is None:
            if node.kind not in ("text", "nothing"):
                hint = "expected plain text; a value that begins with { or [ has to be quoted"
                raise self._fatal(event, f"a {node.kind} cannot be a key; {hint}")
            self.keys[-1] = node
        else:
            self._enter(parent, key, self._filled(node))
            if node.complete:
                self.keys[-1] = None

    def _enter(self, parent: Node, key: Node, value: Node) -> None:
        if key.text == "<<" and key.literal:
            self.merges[-1].append((key, value))
        elif key.text in parent.entries:
            first = parent.entries[key.text][0]
            self._report(key, f"the key {key.text!r} stands here twice; the first is in line {first.line}")
        else:
            parent.entries[key.text] = (key, value)

    def _merge(self, node: Node, key: Node, value: Node) -> None:
        """`<<: *other`: entries that this one does not have; matchers of both, as Alertmanager adds them."""
        for source in value.items if value.kind == "list" else [value]:
            if source.kind != "mapping":
                self._report(key, "<< takes a mapping or a list of mappings")
                continue
            for name, entry in source.entries.items():
                own = node.entries.setdefault(name, entry)
                if name in _ADDED_UP and own is not entry and own[1].kind == entry[1].kind:
                    node.entries[name] = (own[0], _both(own[1], entry[1]))

    def _filled(self, node: Node) -> Node:
        env = self.env
        if env is not None and node.kind == "text" and "${" in node.written and node.text == node.written:
            names = unset(node.written, env) if self.stand_ins else frozenset()
            node.stands_in = bool(names)
            env = {**env, **{name: name for name in names}} if names else env
            node.text, wrong = fill_in(node.written, env)
            for message in wrong:
                self._report(node, message)
            node.literal = node.literal and node.text == node.written
        return node


def _both(own: Node, merged: Node) -> Node:
    return replace(own, items=merged.items + own.items, entries=merged.entries | own.entries)


_PLAIN_WORDS: Final = {
    "mapping values are not allowed": "a ':' where no key can be; expected one key: value a line, or quotes",
    "could not find expected ':'": "expected a ':' after this key",
    "did not find expected key": "expected a key here; is the indentation right?",
    "did not find expected '-' indicator": "expected an item, '- ', here; is the indentation right?",
    "did not find expected ',' or ']'": "expected ',' or ']'; a list that begins with '[' is not closed",
    "did not find expected ',' or '}'": "expected ',' or '}'; a mapping that begins with '{' is not closed",
    "did not find expected node content": "expected a value here",
    "found unexpected end of stream": "the file ends inside a quoted text; expected the closing quote",
    "found unknown escape character": "no such escape between double quotes; use single quotes",
    "block sequence entries are not allowed": "a '- ' where no list can be; is the indentation right?",
    "did not find expected <document start>": "text after the end of the document; is the indentation right?",
    "found a tab character": "a tab; expected spaces",
}


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    """The parser's error in plain words. Its own text never quotes the file, so no secret is shown."""
    lines = text.splitlines()
    mark = error.problem_mark or error.context_mark
    if mark and error.context_mark and mark.index >= len(text):
        mark = error.context_mark  # where that begins which the end of the file leaves open
    line, column = (mark.line, mark.column) if mark else (0, 0)
    char = lines[line][column : column + 1] if line < len(lines) else ""
    said = error.problem or "not YAML"
    message = next((plain for part, plain in _PLAIN_WORDS.items() if part in said), said)
    if char == "\t" or (line < len(lines) and lines[line][:column].strip(" ") == "\t"):
        message = "a tab in the indentation; expected spaces"
    elif "cannot start any token" in said:
        message = f"no value can begin with {char!r}; put it in quotes"
    return Problem(file, line + 1, column + 1, "", f"not YAML: {message}")
