"""What a template is allowed to do, and for how long: Jinja2, cut down so that every step of it is small.

A template can neither run for long nor grow large nor reach into Python: every loop, call and filter looks at
the deadline, every value that it makes is weighed, and attributes, filters and functions are those of a list.
It does not know messages; `render.py` does.

Jinja2's own sandbox keeps templates away from Python's internals, but not from a billion turns of a loop or
from a string that doubles thirty times ("Security Considerations" in its documentation). What is added here:
the syntax tree is rewritten so that loops tick and that `~` and literals are weighed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from jinja2 import ChainableUndefined, TemplateSyntaxError, Undefined, nodes, pass_environment
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS, make_attrgetter
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, htmlsafe_json_dumps
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from receivers.budget import MAX_ITEMS, MAX_TEXT, LimitError, Weighed, printed, take, tick, weigh

if TYPE_CHECKING:
    from jinja2 import Environment

_MAX_INT_BITS: Final = 256


def _range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > MAX_ITEMS:
        raise LimitError(f"range() is limited to {MAX_ITEMS:,} numbers")
    return numbers


def _dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **kwargs)


class _Notes(Namespace):
    """`namespace()`: what is kept in it is weighed, and it is printed without its contents."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{name: weigh(value) for name, value in kwargs.items()})

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, weigh(value))

    def __repr__(self) -> str:
        return "<namespace>"


def _joined(environment: Environment, pieces: list[Any]) -> str:
    """`a ~ b` and `| join`: the total is known before it is made; in HTML what is not safe yet is escaped."""
    tick()
    weigh(pieces)
    safe = environment.autoescape and any(hasattr(piece, "__html__") for piece in pieces)
    text = Markup("").join(pieces) if safe else "".join(map(str, pieces))
    if len(text) > MAX_TEXT:
        raise LimitError("a text in it grew too large")
    return text


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    text, old, new = (part if isinstance(part, str) else str(part) for part in (text, old, new))
    if isinstance(text, Markup):
        old, new = escape(old), escape(new)
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise LimitError("replace makes its text too large")
    return cast("str", text.replace(old, new, count))


@pass_environment
def _join(
    environment: Environment, items: Iterable[Any], separator: str = "", attribute: str | None = None
) -> str:
    if attribute is not None:
        items = map(make_attrgetter(environment, attribute), items)
    return _joined(environment, [part for item in take(items) for part in (separator, item)][1:])


def _truncate(text: Any, length: int = 255, end: str = "…") -> str:
    """At most `length` characters; what was cut shows as `end`."""
    whole = text if isinstance(text, str) else str(text)
    return whole if len(whole) <= length else whole[: max(0, length - len(end))].rstrip() + end


def _indent(text: Any, width: int = 4, *, first: bool = False) -> str:
    margin = " " * min(max(width, 0), 40)
    lines = _replace(text, "\n", "\n" + margin)
    return margin + lines if first else lines


def _format(pattern: str, *args: Any) -> str:
    """`"%.1f"|format(x)`, with widths below a hundred."""
    if re.search(r"\*|\d{3}", pattern):
        raise LimitError("format takes widths of at most two digits")
    weigh(args)
    return str(pattern) % args


def _round(number: float, digits: int = 0) -> float:
    return round(float(number), min(max(int(digits), -15), 15))


def _json(value: Any) -> Markup:
    return htmlsafe_json_dumps(weigh(value))


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose result is made at once, counted and weighed."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        tick()
        result = function(*args, **kwargs)
        return weigh(take(result) if isinstance(result, Iterator) else result)

    return guarded


def words(text: str) -> frozenset[str]:
    """A table of names, written as a sentence."""
    return frozenset(text.split())


_JINJA_FILTERS: Final = words(
    "abs capitalize count d default dictsort e escape first float forceescape groupby int items last length"
    " list lower map max min reject rejectattr reverse select selectattr sort string sum"
    " title trim unique upper urlencode wordcount"
)
_OUR_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "replace": _replace,
    "join": _join,
    "truncate": _truncate,
    "indent": _indent,
    "format": _format,
    "round": _round,
    "tojson": _json,
}
_STRING_METHODS: Final = words(
    "capitalize count endswith find isdigit lower lstrip removeprefix removesuffix rsplit rstrip split"
    " splitlines startswith strip title upper"
)
_MAPPING_METHODS: Final = words("get items keys values")
_LOOP: Final = words(
    "changed cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0"
)
_REFUSED: Final[dict[type[nodes.Node], str]] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.ScopedEvalContextModifier: "autoescape",
}


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment that all templates are compiled in; one that escapes HTML and one that does not."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    concat = staticmethod(printed)
    weigh = staticmethod(weigh)

    def __init__(self, *, html: bool, filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(
            autoescape=html,
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=lambda value: "" if value is None else value,
        )
        known = {name: FILTERS[name] for name in _JINJA_FILTERS} | _OUR_FILTERS | dict(filters)
        self.filters = {name: _guarded(function) for name, function in known.items()}
        self.globals = {"range": _range, "dict": _dict, "namespace": _Notes}

    def joined(self, pieces: list[Any]) -> str:
        """`a ~ b`."""
        return _joined(self, pieces)

    @staticmethod
    def ticking(items: Iterable[Any]) -> Iterator[Any]:
        """The items of a `for`, each after a look at the clock."""
        for item in items:
            tick()
            yield item

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,  # noqa: FBT001, FBT002 - as Jinja2 declares it
    ) -> str:
        return super()._generate(_Rewriting(self).visit(source), name, filename, defer_init)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Undefined):  # what is missing has nothing in it, and prints as nothing
            return obj
        if isinstance(obj, Mapping) and attribute not in _MAPPING_METHODS:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        if isinstance(obj, Weighed) and not isinstance(obj, Mapping) and attribute not in obj.fields:
            raise SecurityError(f"there is no {attribute!r} here; there are {', '.join(sorted(obj.fields))}")
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002 - as Jinja2's
        match obj:
            case Mapping():
                return attr in _MAPPING_METHODS
            case Weighed():
                return attr in obj.fields
            case str():
                return attr in _STRING_METHODS
            case LoopContext():
                return attr in _LOOP
            case Namespace():
                return not attr.startswith("_")
            case tuple():
                return attr in ("grouper", "list")  # an item of `groupby`
            case _:
                return False

    def is_safe_callable(self, obj: Any) -> bool:
        return obj is _Notes or (not isinstance(obj, type) and super().is_safe_callable(obj))

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        raise SecurityError(f"{attribute!r} of a {type(obj).__name__} is not available in a template")

    def wrap_str_format(self, value: Any) -> None:
        """`str.format` is not on the list at all."""

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        tick()
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "**":
            raise SecurityError("powers (**) are not available in a template")
        if operator in "*%" and not numbers:
            raise SecurityError(f"{operator} is only for numbers in a template")
        if isinstance(left, int) and isinstance(right, int):
            if left.bit_length() + right.bit_length() > _MAX_INT_BITS:
                raise LimitError("a number in it grew too large")
        elif not numbers:
            weigh((left, right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        tick()
        result = super().call(context, function, *args, **kwargs)
        return result if isinstance(result, Namespace) else weigh(result)


class _Rewriting(NodeTransformer):
    """Puts the clock and the scales into a template's syntax tree."""

    def __init__(self, environment: Sandbox) -> None:
        self._environment = environment

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        if word := _REFUSED.get(type(node)):
            raise TemplateSyntaxError(f"{word} is not available in a template here", node.lineno)
        return super().generic_visit(node, *args, **kwargs)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's naming
        if node.recursive:
            raise TemplateSyntaxError("recursive loops are not available in a template here", node.lineno)
        self.generic_visit(node)
        node.iter = self._through("ticking", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._through("joined", nodes.List(node.nodes, lineno=node.lineno))

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return self._through("weigh", self.generic_visit(node))

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return self._through("weigh", self.generic_visit(node))

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._through("weigh", node) if node.ctx == "load" else node

    def _through(self, method: str, node: nodes.Node) -> nodes.Node:
        called = nodes.EnvironmentAttribute(method)
        call = nodes.Call(called, [node], [], None, None, lineno=node.lineno)
        return call.set_environment(self._environment)
