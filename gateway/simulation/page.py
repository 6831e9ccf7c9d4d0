"""One page that stands alone, for what the simulator tells: its frame, and bars.

Nothing is loaded from elsewhere and nothing runs in it, so that it can be mailed, kept with a merge request
or opened from a file. Every word that goes into it is escaped here or is `Markup` made by `Markup.format`,
which escapes. What the pages say is `report_html.py` and `summary_html.py`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What no page can carry, and what turns the direction of writing.
_UNFIT: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)

_FRAME: Final = Markup(
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title} · Tocsin</title>
<style>
:root {{ color-scheme: light dark; --text: #1c1c1e; --soft: #5f6368; --back: #fff; --card: #f4f4f6;
  --line: #d9d9de; --bad: #b3261e; --good: #146c2e; --hand: #0b57d0; --band: #d3e3fd; }}
@media (prefers-color-scheme: dark) {{ :root {{ --text: #ececf1; --soft: #a5a7ae; --back: #151517;
  --card: #222226; --line: #3a3a40; --bad: #ff8a80; --good: #7bd88f; --hand: #8ab4f8; --band: #24406b; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--back); color: var(--text);
  font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ margin: .2rem 0 .4rem; font-size: 1.4rem; }}
h2 {{ margin: 1.6rem 0 .5rem; font-size: 1.1rem; }}
p {{ margin: .3rem 0; }}
figure {{ margin: 1rem 0; padding: .5rem; overflow-x: auto; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; }}
figcaption {{ padding: .3rem .2rem 0; color: var(--soft); font-size: .9rem; }}
svg {{ display: block; font: 13px system-ui, sans-serif; fill: var(--text); }}
figcaption svg {{ display: inline-block; width: 16px; height: 12px; vertical-align: -1px; }}
summary {{ color: var(--soft); font-size: .85rem; cursor: pointer; }}
table {{ width: 100%; border-collapse: collapse; font-size: .95rem; }}
th {{ white-space: nowrap; }}
th, td {{ padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }}
td.time {{ white-space: nowrap; font-variant-numeric: tabular-nums; }}
@media (max-width: 36rem) {{ table {{ font-size: .8rem; }}
  td.time {{ white-space: normal; overflow-wrap: normal; }} }}
pre {{ margin: .3rem 0; padding: .5rem .6rem; white-space: pre-wrap; background: var(--card);
  border-left: .2rem solid var(--line); font-size: .85rem; }}
.soft {{ color: var(--soft); }}
.ring {{ color: var(--bad); font-weight: 600; }}
.end {{ color: var(--good); }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
)


def page(title: str, *parts: Markup) -> str:
    """The whole page; `title` is its heading too."""
    heading = Markup("<h1>{}</h1>").format(title)
    return str(_FRAME.format(title=title, body=Markup("\n").join((heading, *parts))))


def shown(text: str) -> str:
    """`text` without what a page cannot carry, and what misleads its readers; it is still to be escaped."""
    return _UNFIT.sub("\ufffd", text)


_HIGH: Final = 160
_WIDE: Final = 720


def bars(title: str, names: Sequence[str], series: Mapping[str, Sequence[float]]) -> Markup:
    """A figure of bars: for each name one of every series, the first hollow and the last solid.

    Each bar says its name and number where it is pointed at; what does not see reads `title` and should find
    the numbers in a table beside.
    """
    highest = max((value for values in series.values() for value in values), default=0) or 1
    room = _WIDE / max(len(names), 1)
    wide = max(room * 0.8 / max(len(series), 1), 1)
    drawn = [
        Markup(
            '<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" stroke="var(--hand)"'
            ' fill="{fill}"><title>{what}: {value:g}</title></rect>'
        ).format(
            x=number * room + place * wide,
            y=20 + _HIGH * (1 - value / highest),
            wide=wide - 1 if wide > 3 else wide,
            high=_HIGH * value / highest,
            fill="none" if place < len(series) - 1 else "var(--hand)",
            what=shown(f"{name}, {which}" if which else name),
            value=value,
        )
        for place, (which, values) in enumerate(series.items())
        for number, (name, value) in enumerate(zip(names, values, strict=True))
        if value
    ]
    every = max(1, -(-len(names) // (_WIDE // 60)))
    under = [
        Markup('<text x="{x:.1f}" y="{y}">{name}</text>').format(
            x=number * room, y=_HIGH + 38, name=shown(name)
        )
        for number, name in enumerate(names)
        if number % every == 0
    ]
    legend = ""
    if len(series) > 1:
        *hollow, solid = series
        legend = f" Hollow: {', '.join(hollow)}; solid: {solid}."
    return Markup(
        '<figure><svg role="img" aria-label="{title}" viewBox="-4 0 {wide} {high}" width="100%">\n'
        '<text x="0" y="12">{most:g}</text><line x1="0" x2="{axis}" y1="{base}" y2="{base}"'
        ' stroke="var(--line)"/>\n{drawn}\n</svg><figcaption>{title}.{legend}</figcaption></figure>'
    ).format(
        title=shown(title),
        legend=shown(legend),
        wide=_WIDE + 8,
        high=_HIGH + 46,
        axis=_WIDE,
        base=_HIGH + 20,
        most=highest,
        drawn=Markup("\n").join([*drawn, *under]),
    )
