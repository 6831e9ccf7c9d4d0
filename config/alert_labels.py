"""What is known of the labels that a rule's alerts will have, before there is one.

An alert has the labels of its expression's result without the metric's name, then those that the rule sets
(a template's value is unknown, and an empty one takes the label away), then `alertname`. `external_labels`
add those that are missing; `alert_relabel_configs` of Prometheus can do anything and are not taken into
account. Of an expression only what holds whatever the metrics are is believed; where it cannot be read, it
may give any label.

Rules: Prometheus' `rules/alerting.go`, and its documentation of operators and functions.
"""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING, Final

from config.promql import PromQLError, parse
from config.promql_tree import Aggregation, Binary, Call, Expr, Number, Selector, Text, Wrapped
from routing.matchers import MatcherError, compile_regex
from routing.partial import ABSENT, ANYTHING, SOMETHING, PartialLabels, Values, fits, one

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from config.rule_files import AlertRule
    from routing.matchers import Matcher

NAME: Final = "alertname"

_UNKNOWN: Final = PartialLabels()
_NONE: Final = PartialLabels(more=False)
_SCALARS: Final = frozenset({"time", "pi", "scalar", "start", "end", "step", "range"})
_DATES: Final = frozenset(
    {"days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year"}
)
_KEEPING: Final = _DATES | frozenset(  # functions whose result has the labels of their one vector
    {"abs", "ceil", "floor", "round", "sgn", "sqrt", "exp", "ln", "log2", "log10", "deg", "rad"}
    | {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"}
    | {
        "clamp",
        "clamp_max",
        "clamp_min",
        "sort",
        "sort_desc",
        "sort_by_label",
        "sort_by_label_desc",
        "timestamp",
    }
    | {"rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear", "holt_winters"}
    | {"double_exponential_smoothing", "changes", "resets"}
    | {f"{what}_over_time" for what in ("avg", "min", "max", "sum", "count", "quantile", "stddev", "stdvar")}
    | {f"{what}_over_time" for what in ("last", "present", "mad", "first")}
    | {f"histogram_{what}" for what in ("count", "sum", "avg", "fraction", "stddev", "stdvar")}
)
_PARTITIONING: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})  # they choose among series
_LISTED: Final = re.compile(r"[A-Za-z0-9_-]+(\|[A-Za-z0-9_-]+)*")


def labels_of(rule: AlertRule, external: Mapping[str, str | None] | None = None) -> PartialLabels:
    """What is known of the labels of a rule's alerts.

    `external` are the labels that Prometheus adds where they are missing; None for a value that is unknown.
    """
    result = result_labels(rule.expr)
    known = dict(result.known)
    for label in rule.labels:
        known[label.name] = ANYTHING if "{{" in label.value else one(label.value)
    known[NAME] = one(rule.name)
    found = PartialLabels(known, result.more)
    for name, value in (external or {}).items():
        known[name] = _filled(found.of(name), SOMETHING if value is None else one(value))
    return found


def _filled(values: Values, added: Values) -> Values:
    """A label that is added where it is missing."""
    if values.present:
        return values
    if values.only is None or added.only is None:
        return SOMETHING if added.present else ANYTHING
    return Values((values.only - {""}) | added.only, added.present)


def result_labels(expr: str) -> PartialLabels:
    """What is known of the labels of an expression's result."""
    try:
        found = _labels(parse(expr))
    except PromQLError:
        return _UNKNOWN
    known = {name: values for name, values in found.known.items() if name != "__name__"}
    return PartialLabels(known, found.more)


def readable(expr: str) -> bool:
    """Whether the expression says anything to us."""
    try:
        parse(expr)
    except PromQLError:
        return False
    return True


def _labels(expr: Expr) -> PartialLabels:
    match expr:
        case Number() | Text():
            return _NONE
        case Selector():
            return _selected(expr.matchers)
        case Wrapped():
            return _labels(expr.inner)
        case Call():
            return _called(expr)
        case Aggregation():
            return _aggregated(expr)
        case Binary():
            return _joined(expr)


def _selected(matchers: Iterable[Matcher]) -> PartialLabels:
    by_name: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        by_name.setdefault(matcher.name, []).append(matcher)
    return PartialLabels({name: _meeting(of_one) for name, of_one in by_name.items()})


def _meeting(matchers: list[Matcher]) -> Values:
    """What a label may hold that meets all of these."""
    values = reduce(Values.__and__, map(_listed, matchers))
    if values.only is None:
        return values
    only = frozenset(value for value in values.only if all(fits(m, one(value)) for m in matchers))
    return Values(only, "" not in only)


def _listed(matcher: Matcher) -> Values:
    if matcher.op == "=":
        return one(matcher.value)
    if matcher.op == "=~" and _LISTED.fullmatch(matcher.value):
        return Values(frozenset(matcher.value.split("|")), present=True)
    return SOMETHING if fits(matcher, ABSENT) is False else ANYTHING


# --- functions -----------------------------------------------------------------------------------------


def _called(call: Call) -> PartialLabels:
    name, args = call.function, call.args
    if name in _SCALARS or name == "vector" or (name in _DATES and not args):
        return _NONE
    if name in _KEEPING:
        vectors = [arg for arg in args if not _scalar(arg)]
        return _labels(vectors[0]) if len(vectors) == 1 else _UNKNOWN
    if name in ("absent", "absent_over_time"):
        return _missing(args[0]) if len(args) == 1 else _UNKNOWN
    if name == "histogram_quantile" and len(args) == 2:
        return _with(_labels(args[1]), {"le": ANYTHING})
    if name == "label_replace" and len(args) == 5:
        return _replaced(args)
    if name == "label_join" and len(args) >= 3 and isinstance(args[1], Text):
        return _with(_labels(args[0]), {args[1].value: ANYTHING})
    return _UNKNOWN


def _scalar(expr: Expr) -> bool:
    match expr:
        case Number() | Text():
            return True
        case Wrapped():
            return _scalar(expr.inner)
        case Call():
            return expr.function in _SCALARS
        case Binary():
            return _scalar(expr.left) and _scalar(expr.right)
        case _:
            return False


def _missing(arg: Expr) -> PartialLabels:
    """`absent(x)`: the labels that x asks for with `=`, once; versions differ in the rest."""
    if not isinstance(arg, Selector):
        named = arg.inner.matchers if isinstance(arg, Wrapped) and isinstance(arg.inner, Selector) else ()
        return PartialLabels({matcher.name: ANYTHING for matcher in named}, more=False)
    names = [matcher.name for matcher in arg.matchers]
    known = {
        matcher.name: ANYTHING
        if names.count(matcher.name) > 1
        else (one(matcher.value) if matcher.op == "=" else ABSENT)
        for matcher in arg.matchers
    }
    return PartialLabels(known, more=False)


def _replaced(args: tuple[Expr, ...]) -> PartialLabels:
    """`label_replace(v, target, replacement, source, regex)`."""
    before = _labels(args[0])
    texts = [arg.value for arg in args[1:] if isinstance(arg, Text)]
    if len(texts) != 4:
        return _UNKNOWN
    target, replacement, source, regex = texts
    if "$" in replacement:
        return _with(before, {target: ANYTHING})
    happens = _always_matches(regex, before.of(source) if source not in ("", "__name__") else None, source)
    after = one(replacement)
    return _with(before, {target: after if happens else before.of(target) | after})


def _always_matches(regex: str, values: Values | None, source: str) -> bool:
    if regex in (".*", "(.*)"):
        return True
    if source == "":
        values = ABSENT
    if values is None or values.only is None:
        return False
    try:
        compiled = compile_regex(regex)
    except MatcherError:
        return False
    return all(compiled.search(value.encode()) is not None for value in values.only)


def _with(labels: PartialLabels, changed: Mapping[str, Values]) -> PartialLabels:
    return PartialLabels({**labels.known, **changed}, labels.more)


# --- aggregations and binary operators -----------------------------------------------------------------


def _aggregated(expr: Aggregation) -> PartialLabels:
    inner = _labels(expr.args[-1])
    if expr.operator in _PARTITIONING:
        return inner
    if expr.without is None:
        result = _only(inner, expr.by or ())
    else:
        result = _with(inner, dict.fromkeys(expr.without, ABSENT))
    if expr.operator != "count_values":
        return result
    if not isinstance(expr.args[0], Text):
        return _UNKNOWN
    return _with(result, {expr.args[0].value: SOMETHING})


def _only(labels: PartialLabels, names: Iterable[str]) -> PartialLabels:
    return PartialLabels({name: labels.of(name) for name in names}, more=False)


def _joined(expr: Binary) -> PartialLabels:
    if _scalar(expr.left) or _scalar(expr.right):
        return _labels(expr.right if _scalar(expr.left) else expr.left)
    left, right = _labels(expr.left), _labels(expr.right)
    if expr.operator == "or":
        names = left.known.keys() | right.known.keys()
        return PartialLabels({n: left.of(n) | right.of(n) for n in names}, left.more or right.more)
    if expr.operator == "unless":
        return left
    if expr.many == "right":
        left, right = right, left
    agreed = _agreed(left, right, expr)
    if expr.many is not None:
        return _with(agreed, {name: right.of(name) for name in expr.include})
    if expr.operator == "and":
        return agreed
    if expr.on is not None:
        return _only(agreed, expr.on)
    return _with(agreed, dict.fromkeys(expr.ignoring or (), ABSENT))


def _agreed(left: PartialLabels, right: PartialLabels, expr: Binary) -> PartialLabels:
    """The left side's labels: those that count for the match have a value that the right side has too."""
    if expr.on is not None:
        return _with(left, {name: left.of(name) & right.of(name) for name in expr.on})
    free = {*(expr.ignoring or ()), *(expr.include if expr.many else ())}
    names = (left.known.keys() | right.known.keys()) - free
    known = {name: left.of(name) & right.of(name) for name in names}
    kept = {name: left.of(name) for name in free}
    return PartialLabels(known | kept, left.more and right.more)
