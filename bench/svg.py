"""Line charts as SVG, readable on light and dark ground: the colours follow the reader's scheme."""

import dataclasses
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 80, 24, 48, 60
LEGEND_LINE = 18
CHARACTER = 6.6  # width of one at 12 px, on average

STYLE = """
  svg { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }
  .ground { fill: #ffffff; } .ink { fill: #24292f; } .faint { fill: #57606a; }
  .grid { stroke: #d8dee4; stroke-width: 1; } .axis { stroke: #57606a; stroke-width: 1; }
  .title { font-size: 15px; font-weight: 600; }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round; } .spread { stroke-width: 1; }
  .brook { stroke: #0969da; } .kafka { stroke: #bc4c00; } .machine { stroke: #57606a; }
  .brook-fill { fill: #0969da; } .kafka-fill { fill: #bc4c00; } .machine-fill { fill: #57606a; }
  .second { stroke-dasharray: 7 4; } .third { stroke-dasharray: 2 4; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } .ink { fill: #e6edf3; } .faint { fill: #9198a1; }
    .grid { stroke: #262c36; } .axis { stroke: #9198a1; }
    .brook { stroke: #58a6ff; } .kafka { stroke: #f0883e; } .machine { stroke: #9198a1; }
    .brook-fill { fill: #58a6ff; } .kafka-fill { fill: #f0883e; } .machine-fill { fill: #9198a1; }
  }
"""
DASHES = ["", "second", "third"]


@dataclasses.dataclass
class Series:
    name: str
    colour: str  # a class of STYLE: brook, kafka, machine
    points: list  # (x, y, least, most); least and most may equal y
    dash: int = 0  # of DASHES


@dataclasses.dataclass
class Chart:
    """`ticks` are (x, text); both axes are logarithmic where their flag says so, and then take positive values alone."""

    title: str
    x_label: str
    y_label: str
    series: list
    ticks: list
    log_x: bool = False
    log_y: bool = True
    note: str = ""

    def to_svg(self):
        legend_rows = self._legend_rows()
        top = TOP + LEGEND_LINE * len(legend_rows)
        height = HEIGHT + LEGEND_LINE * len(legend_rows)
        y_ticks = self._y_ticks()
        xs = [x for x, _ in self.ticks]
        x_at = _scale(min(xs), max(xs), LEFT + 24, WIDTH - RIGHT - 24, self.log_x)
        y_at = _scale(y_ticks[0], y_ticks[-1], height - BOTTOM, top, self.log_y)
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
                 f'aria-label="{escape(self.title)}">', f"<style>{STYLE}</style>", f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
                 _text(LEFT, 26, self.title, "ink title")]
        parts += self._legend(legend_rows)
        for y in y_ticks:
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y_at(y):.1f}" y2="{y_at(y):.1f}"/>')
            parts.append(_text(LEFT - 8, y_at(y) + 4, _number(y), "faint", "end"))
        for x, text in self.ticks:
            parts.append(f'<line class="axis" x1="{x_at(x):.1f}" x2="{x_at(x):.1f}" y1="{height - BOTTOM}" y2="{height - BOTTOM + 5}"/>')
            parts.append(_text(x_at(x), height - BOTTOM + 20, text, "faint", "middle"))
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height - BOTTOM}" y2="{height - BOTTOM}"/>')
        parts.append(_text((LEFT + WIDTH - RIGHT) / 2, height - 18, self.x_label, "ink", "middle"))
        middle = (top + height - BOTTOM) / 2
        parts.append(f'<text class="ink" text-anchor="middle" transform="translate(20 {middle:.1f}) rotate(-90)">{escape(self.y_label)}</text>')
        if self.note:
            parts.append(_text(WIDTH - RIGHT, height - 4, self.note, "faint", "end"))
        for series in self.series:
            parts += self._line(series, x_at, y_at)
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _line(self, series, x_at, y_at):
        places = [(x_at(x), y_at(y)) for x, y, _, _ in series.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline class="line {series.colour} {DASHES[series.dash]}" points="{path}"/>'
        for (x, y), (_, _, least, most) in zip(places, series.points):
            if most > least:
                yield f'<line class="spread {series.colour}" x1="{x:.1f}" x2="{x:.1f}" y1="{y_at(least):.1f}" y2="{y_at(most):.1f}"/>'
            yield f'<circle class="{series.colour}-fill" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'

    def _legend_rows(self):
        """Series in rows that fit the width."""
        rows, left = [[]], WIDTH - LEFT - RIGHT
        for series in self.series:
            needed = 44 + CHARACTER * len(series.name)
            if rows[-1] and needed > left:
                rows.append([])
                left = WIDTH - LEFT - RIGHT
            rows[-1].append((WIDTH - RIGHT - left, series))
            left -= needed
        return rows

    def _legend(self, rows):
        for index, row in enumerate(rows):
            y = TOP - 4 + LEGEND_LINE * index
            for x, series in row:
                yield f'<line class="line {series.colour} {DASHES[series.dash]}" x1="{x:.0f}" x2="{x + 26:.0f}" y1="{y}" y2="{y}"/>'
                yield _text(x + 32, y + 4, series.name, "ink")

    def _y_ticks(self):
        values = [value for series in self.series for point in series.points for value in point[1:]]
        least, most = min(values), max(values)
        if not self.log_y:
            step = 10 ** math.floor(math.log10(most)) if most > 0 else 1
            step = next(step * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2) if most / (step * part) <= 8)
            return [step * index for index in range(math.ceil(most / step) + 1)]
        low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
        high = max(high, low + 1)
        steps = (1, 2, 5) if high - low <= 2 else (1,)
        return [10**power * step for power in range(low, high) for step in steps] + [10**high]


def _scale(least, most, from_place, to_place, is_log):
    convert = math.log10 if is_log else float
    low, high = convert(least), convert(most)
    width = high - low or 1.0
    return lambda value: from_place + (convert(max(value, least)) - low) / width * (to_place - from_place)


def _text(x, y, text, classes, anchor="start"):
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"
