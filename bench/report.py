"""A run's results as files: bench/results/latest.md, latest.json and the plots; and the block of README.md that shows the newest."""

import json
import pathlib

import ceilings
import machine
import plots
from figures import BROKERS
from goals import GOALS
from measures import FAMILIES, FIGURES

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
# Of the README's table.
README_FIGURES = ["produce.1k.mb_s", "produce.1k.cpu_s_per_gb", "cold.produce_cpu_s_per_gb", "produce.small.cpu_s_per_million", "consume.hot.cpu_s_per_gb",
                  "latency.10000.p99_ms", "latency.10000.p99_9_ms", "durable.64.records_s", "compaction.cpu_s_per_gb", "start.ms", "start.rss_idle_mib", "produce.rss_loaded_mib",
                  "scale.10000.rss_mib", "scale.10000.start_clean_ms", "restart.killed_s"]
QUICK = "**A quick run: it shows that the bench works. Its figures are not to be quoted.**"


class Report:
    """`facts`: when, commit, machine (machine.describe), quick, pairs, seconds, names, command."""

    def __init__(self, samples, facts):
        self.samples, self.facts = samples, facts
        self.names = facts["names"]

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.svg"):
            old.unlink()
        drawn = plots.draw(self.samples)
        for name, text in drawn.items():
            (folder / name).write_text(text)
        (folder / "latest.json").write_text(json.dumps(self.as_data(), indent=1, ensure_ascii=False) + "\n")
        (folder / "latest.md").write_text(self.as_markdown(drawn))

    def as_data(self):
        samples = self.samples
        goals = [{"what": goal.what, "how": goal.how, "goal": goal.text_of_limit(goal.goal), "floor": goal.text_of_limit(goal.floor), "value": value,
                  "result": word} for goal in GOALS for value, word in [goal.judge(samples)]]
        figures = {key: {"what": figure.what, "unit": figure.unit, "better": figure.better, "samples": samples.values[key],
                         "medians": {name: samples.median(name, key) for name in samples.values[key]}, "brook_to_kafka": samples.ratio(key)}
                   for key, figure in FIGURES.items() if key in samples.values}
        limits = {figure.key: {"what": figure.what, "unit": figure.unit, "samples": samples.of(ceilings.MACHINE, f"ceiling.{figure.key}")}
                  for figure in ceilings.FIGURES}
        return {**self.facts, "goals": goals, "ceilings": limits, "figures": figures, "notes": samples.notes, "loads": samples.loads}

    def as_markdown(self, drawn):
        facts = self.facts
        lines = [f"# Bench of {facts['when']}", "",
                 f"{machine.one_line(facts['machine'])}. Commit {facts['commit']}; `{facts['command']}`; {facts['pairs']} rounds of each broker in turns after "
                 f"the warm-up (fewer where a note says so); {facts['seconds'] / 60:.0f} minutes. Brokers, clients and loads share the machine: ratios hold, "
                 "absolute figures are lower bounds. Each cell: median (least to most).", ""]
        if facts["quick"]:
            lines += [QUICK, ""]
        lines += ["## Goals", "", *self._goals(), "", "## The machine's own limits", "", *self._ceilings(), ""]
        for family in FAMILIES:
            table = self._table([figure for key, figure in FIGURES.items() if key.split(".")[0] == family])
            if len(table) > 2:
                lines += [f"## {family.capitalize()}", "", *table, ""]
        for name in drawn:
            lines += [f"![{name.removesuffix('.svg').replace('_', ' ')}]({name})", ""]
        if self.samples.notes:
            lines += ["## Notes", "", *(f"- {note}" for note in self.samples.notes), ""]
        return "\n".join(lines)

    def readme_block(self):
        lines = [BEGIN, f"Measured {self.facts['when'].split(' ')[0]} on {machine.one_line(self.facts['machine'])} "
                        f"([all figures](bench/results/latest.md), medians and least to most of rounds in turns):", ""]
        if self.facts["quick"]:
            lines += [QUICK, ""]
        return "\n".join([*lines, *self._table([FIGURES[key] for key in README_FIGURES]), "", "![latency](bench/results/latency.svg)", END])

    def _goals(self):
        yield "| figure | how | value | goal | floor | |"
        yield "| --- | --- | ---: | ---: | ---: | --- |"
        for goal in GOALS:
            value, word = goal.judge(self.samples)
            text = "" if value is None else goal.text_of(value)
            yield f"| {goal.what} | {goal.how} | {text} | {goal.text_of_limit(goal.goal)} | {goal.text_of_limit(goal.floor)} | {_emphasis(word)} |"

    def _ceilings(self):
        yield "| limit | |"
        yield "| --- | ---: |"
        for figure in ceilings.FIGURES:
            yield f"| {figure.what}, {figure.unit} | {self._cell(ceilings.MACHINE, f'ceiling.{figure.key}', figure)} |"

    def _table(self, figures):
        """Lines of a table; the first two are its head. Figures without a sample are left out."""
        is_pair = len(self.names) == 2
        lines = [f"| | {' | '.join(BROKERS[name] for name in self.names)} |" + (" Brook ÷ Kafka |" if is_pair else ""),
                 "| --- |" + " ---: |" * (len(self.names) + is_pair)]
        for figure in figures:
            cells = [self._cell(name, figure.key, figure) for name in self.names]
            if not any(cells):
                continue
            unit = f", {figure.unit}" if figure.unit else ""
            line = f"| {figure.what}{unit} ({figure.better} is better) | {' | '.join(cells)} |"
            if is_pair:
                ratio = self.samples.ratio(figure.key)
                line += " |" if ratio is None else f" {ratio:.2f} |" if ratio >= 0.1 else f" {ratio:.3f} |"
            lines.append(line)
        return lines

    def _cell(self, name, key, figure):
        values = self.samples.of(name, key)
        if not values:
            return ""
        median, least, most = (f"{value:,.{figure.digits}f}" for value in (self.samples.median(name, key), min(values), max(values)))
        return median if len(values) == 1 else f"{median} ({least} to {most})"


def _emphasis(word):
    return f"**{word}**" if word == "not met" else word


def update_readme(path, block):
    """Puts the block between its two marks, or says that they are not there."""
    text = path.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{pathlib.Path(path).name} needs one line '{BEGIN}' and one line '{END}'")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    path.write_text(head + block + tail)
