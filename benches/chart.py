"""Small charts as SVG: one quantity along the bottom, others above it, a panel each, on logarithmic scales.

All charts of a set share their vertical scales, so that a steeper line is a steeper line in each of them.
"""

import math
from html import escape
from typing import NamedTuple

WIDTH, LEFT, RIGHT = 400, 50, 22
# Of a panel: where its title stands, what is drawn in, and room below.
TITLE, PANEL, GAP = 24, 104, 14
BELOW = 46

# Browsers follow the reader's choice of light or dark in pictures too. The background is drawn, since the page's may
# be another. Colours stand with each rule, because not every viewer of SVG knows variables.
STYLE = """\
text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #1f2328 }
.ground { fill: #fff }
.tick { font-size: 11px; fill: #59636e }
.value { font-size: 11px; paint-order: stroke; stroke: #fff; stroke-width: 4 }
.grid { stroke: #d1d9e0 }
.line { stroke: #0969da; stroke-width: 2; fill: none; stroke-linejoin: round }
.point { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .ground { fill: #0d1117 }
  .value { stroke: #0d1117 }
  .tick { fill: #9198a1 }
  .grid { stroke: #3d444d }
  .line { stroke: #4493f8 }
  .point { fill: #4493f8 }
}"""


class Panel(NamedTuple):
    """One quantity: what it is called, its values, and its scale's ends as powers of ten."""

    title: str
    values: list
    scale: tuple


def short(number):
    """A number as people say it: 300k, 20M; two digits are enough of one that was counted."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def scale(values):
    """The ends of a scale that holds all values, as powers of ten: from a whole one to a little above the last."""
    return math.floor(math.log10(min(values))), math.log10(max(values)) + 0.05


def draw(name, label, xs, panels, logarithmic=True):
    """The chart; `label` says what is along the bottom."""
    place = math.log10 if logarithmic else float
    first, last = place(xs[0]), place(xs[-1])
    inset = 16

    def across(x):
        return LEFT + inset + (place(x) - first) / (last - first) * (WIDTH - LEFT - RIGHT - 2 * inset)

    if logarithmic:
        ticks = [10**power for power in range(math.ceil(first - 0.2), math.floor(last) + 1)]
    else:
        ticks = xs
    height = len(panels) * (TITLE + PANEL + GAP) + BELOW - GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img">',
        f"<title>{escape(name)}</title>",
        f"<style>\n{STYLE}\n</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
    ]
    top = 0
    for panel in panels:
        top += TITLE
        lines += _panel(panel, top, [across(x) for x in xs], [across(x) for x in ticks])
        top += PANEL + GAP
    top -= GAP
    for tick in ticks:
        lines.append(_text("tick", across(tick), top + 16, short(tick), "middle"))
    lines.append(_text("axis", (LEFT + WIDTH - RIGHT) / 2, top + 36, label, "middle"))
    return "\n".join([*lines, "</svg>", ""])


def _panel(panel, top, across, ticks):
    low, high = panel.scale

    def up(value):
        return top + PANEL * (1 - (math.log10(value) - low) / (high - low))

    yield _text("title", LEFT, top - 9, panel.title, "start")
    for power in range(low, math.floor(high) + 1):
        yield f'<path class="grid" d="M{LEFT} {up(10**power):.1f}H{WIDTH - RIGHT}"/>'
        yield _text("tick", LEFT - 6, up(10**power) + 4, f"{10**power:,}", "end")
    for tick in ticks:
        yield f'<path class="grid" d="M{tick:.1f} {top + PANEL}v4"/>'
    points = [(x, up(value)) for x, value in zip(across, panel.values)]
    yield f'<path class="line" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>'
    for x, y in points:
        yield f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>'
    for which in (0, -1):
        x, y = points[which]
        yield _text("value", x, y - 8, f"{panel.values[which]:,.0f}", "middle")


def _text(of, x, y, words, anchor):
    return f'<text class="{of}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
