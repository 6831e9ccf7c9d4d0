"""Tables in a test file: `<team>` in a test stands for what each line of its `examples:` gives for `team`.

A value that is a placeholder and nothing else becomes what the example has there, be it a text, a list or a
mapping; inside of a longer text only a text can stand. What was filled in is not looked at again, and keys
are never filled in. Without examples `<b>` inside of a text is plain text. What a test means is not known
here.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from config.problems import did_you_mean
from gateway.simulation.values import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.document import Node
    from gateway.simulation.values import Values

_PLACEHOLDER: Final = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>")


def filled(value: Value, example: Mapping[str, Node] | None, values: Values) -> Value:
    """The value with all placeholders in it filled in; those that nothing fills in are told to `values`."""
    if example is not None:
        return Value(value.path, _filled(value, example, values))
    for path, node in value.node.walk(value.path):
        if node.kind == "text" and _PLACEHOLDER.fullmatch(node.text):
            message = f"{node.text} stands for a column of examples:, and this test has none"
            values.wrong(Value(path, node), message)
    return value


def _filled(value: Value, example: Mapping[str, Node], values: Values) -> Node:
    node = value.node
    match node.kind:
        case "text":
            return _text(value, example, values) if "<" in node.text else node
        case "list":
            items = [
                _filled(Value((*value.path, index), item), example, values)
                for index, item in enumerate(node.items)
            ]
            return replace(node, items=items)
        case "mapping":
            entries = {
                name: (key, _filled(Value((*value.path, name), below), example, values))
                for name, (key, below) in node.entries.items()
            }
            return replace(node, entries=entries)
        case _:
            return node


def _text(value: Value, example: Mapping[str, Node], values: Values) -> Node:
    text = value.node.text
    for found in _PLACEHOLDER.finditer(text):
        if found[1] not in example:
            message = f"the examples have no {found[1]!r}; expected <{'>, <'.join(example)}>"
            values.wrong(value, message + did_you_mean(found[1], example), offset=found.start())
            return value.node
        if example[found[1]].kind != "text" and found[0] != text:
            message = f"{found[0]} stands inside of a text, and is a {example[found[1]].kind} in an example"
            values.wrong(value, f"{message}; expected a text there", offset=found.start())
            return value.node
    if _PLACEHOLDER.fullmatch(text):
        return example[text[1:-1]]
    return replace(
        value.node, text=_PLACEHOLDER.sub(lambda found: example[found[1]].text, text), literal=False
    )
