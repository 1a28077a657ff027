#!/usr/bin/env python3
"""Writes cluster/config_table.{h,cc} and docs/configuration.md from schemas/config/*.tsv.

  config.py --cpp FOLDER TABLE...      the C++ table
  config.py --doc FILE TABLE...        the documentation
  config.py --check FILE TABLE...      fails where FILE is not what --doc would write
"""
import pathlib
import re
import sys

COLUMNS = ("key", "type", "default", "valid", "importance", "update", "honoured", "unit", "synonyms", "text")
SCOPES = ("broker", "topic", "group", "client_metrics")
TYPES = {"BOOLEAN": "kBoolean", "STRING": "kString", "INT": "kInt", "SHORT": "kShort", "LONG": "kLong",
         "DOUBLE": "kDouble", "LIST": "kList", "CLASS": "kClass", "PASSWORD": "kPassword"}
UPDATES = {"read-only": "kReadOnly", "per-broker": "kPerBroker", "cluster-wide": "kClusterWide"}
BOUNDS = re.compile(r"\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\](?: or (-?\d+))?")
CHOICE = re.compile(r"(\(case insensitive\) )?\[([^\]]*)\]")


def read(path):
    """The rows of one table, each a dictionary of COLUMNS; any mistake ends the run."""
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != len(COLUMNS):
            sys.exit(f"{path.name}:{number}: {len(cells)} columns instead of {len(COLUMNS)}")
        row = dict(zip(COLUMNS, cells))
        if row["type"] not in TYPES or row["honoured"] not in ("yes", "no"):
            sys.exit(f"{path.name}:{number}: unknown type or honoured")
        if row["honoured"] == "yes" and not row["text"]:
            sys.exit(f"{path.name}:{number}: {row['key']} is honoured but not documented")
        if rows and rows[-1]["key"] >= row["key"]:
            sys.exit(f"{path.name}:{number}: {row['key']} is not in order")
        rows.append(row)
    return rows


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rule(valid):
    """(at_least, at_most, or_else, choices, any_case, not_empty) of a `valid` column."""
    if valid.startswith("non-empty"):
        return None, None, None, [], False, True
    if bounds := BOUNDS.fullmatch(valid):
        return *bounds.groups(), [], False, False
    # Rules that are a form and not a set of words (replica lists, durations) are checked by hand in config_def.cc.
    if (choice := CHOICE.fullmatch(valid)) and ":" not in valid:
        return None, None, None, choice[2].split(", "), bool(choice[1]), False
    return None, None, None, [], False, False


def optional(number):
    return "std::nullopt" if number is None else f"{float(number)!r}"


def cpp(tables):
    arrays, out = [], []
    for scope, rows in tables.items():
        camel = "k" + "".join(part.capitalize() for part in scope.split("_"))
        out.append(f"constexpr ConfigDef {camel}Table[] = {{")
        for row in rows:
            low, high, other, choices, any_case, not_empty = rule(row["valid"])
            name = camel + "".join(part.capitalize() for part in re.split(r"[.]", row["key"]))
            one_of = synonyms = "{}"
            if choices:
                one_of = f"{name}Choices"
                arrays.append(f"constexpr std::string_view {one_of}[] = {{{', '.join(map(quoted, choices))}}};")
            if row["synonyms"]:
                synonyms = f"{name}Synonyms"
                entries = []
                for entry in row["synonyms"].split():
                    key, _, factor = entry.partition("*")
                    entries.append(f"{{{quoted(key)}, {factor or 1}}}")
                arrays.append(f"constexpr ConfigSynonymDef {synonyms}[] = {{{', '.join(entries)}}};")
            default = "std::nullopt" if row["default"] == "null" else f"std::string_view({quoted(row['default'])})"
            update = UPDATES.get(row["update"], "kClusterWide")
            out.append(f"    {{ConfigScope::{camel}, {quoted(row['key'])}, ConfigType::{TYPES[row['type']]}, {default},"
                       f" {quoted(row['valid'])},\n     {optional(low)}, {optional(high)}, {optional(other)}, {one_of},"
                       f" {str(any_case).lower()}, {str(not_empty).lower()}, UpdateMode::{update},"
                       f" {str(row['honoured'] == 'yes').lower()}, {synonyms}, {quoted(row['unit'])},"
                       f"\n     Importance::k{row['importance'].capitalize()}, {quoted(row['text'])}}},")
        out.append("};\n")
    cases = "\n".join(f"    case ConfigScope::k{''.join(p.capitalize() for p in s.split('_'))}:"
                      f" return k{''.join(p.capitalize() for p in s.split('_'))}Table;" for s in tables)
    head = "// Generated from schemas/config/ by tools/codegen/config.py.\n"
    header = head + """#pragma once

#include <span>

#include "cluster/config_def.h"

namespace brook::cluster {

/// Every row of the scope, by key.
[[nodiscard]] std::span<const ConfigDef> config_table(ConfigScope scope);

}  // namespace brook::cluster
"""
    source = head + '#include "cluster/config_table.h"\n\nnamespace brook::cluster {\nnamespace {\n\n' + "\n".join(arrays) + "\n\n" + \
        "\n".join(out) + "\n}  // namespace\n\nstd::span<const ConfigDef> config_table(ConfigScope scope) {\n  switch (scope) {\n" + \
        cases + "\n  }\n  return {};\n}\n\n}  // namespace brook::cluster\n"
    return header, source


def doc(tables):
    out = ["""# Configuration

<!-- Generated from schemas/config/ by tools/codegen/config.py --doc. -->

Brook reads Apache Kafka's `server.properties`. Every key of Kafka 4.3.1 is accepted, checked and shown to clients; those that Brook
acts on are described here, the others are listed at the end of each part and named in the log at start. Keys that begin with
`brook.` are Brook's own. *Update*: `read-only` keys are changed in the file and take effect at the next start; the others may also
be changed while the broker runs, for one broker (`per-broker`) or for all (`cluster-wide`).
"""]
    titles = {"broker": "Brokers", "topic": "Topics", "group": "Groups", "client_metrics": "Client metrics subscriptions"}
    for scope, rows in tables.items():
        honoured = [row for row in rows if row["honoured"] == "yes"]
        out.append(f"## {titles[scope]}\n")
        if honoured:
            last = "Default comes from" if scope == "topic" else "Update"
            out.append(f"| key | type | default | valid | {last} | what it does |\n| --- | --- | --- | --- | --- | --- |")
        for row in honoured:
            default = f"`{row['default']}`" if row["default"] else ""
            unit = f", {row['unit']}" if row["unit"] else ""
            valid = row["valid"].replace("|", "\\|")
            cell = ", ".join(f"`{s.partition('*')[0]}`" for s in row["synonyms"].split()) if scope == "topic" else row["update"]
            out.append(f"| `{row['key']}` | {row['type']}{unit} | {default} | {valid} | {cell} | {row['text']} |")
        others = [f"`{row['key']}`" for row in rows if row["honoured"] == "no"]
        if others:
            out.append("\nAccepted, without effect so far:" if honoured else "Accepted, without effect so far:")
            out.append(", ".join(others) + ".")
        out.append("")
    return "\n".join(out)


def main():
    mode, target, files = sys.argv[1], pathlib.Path(sys.argv[2]), map(pathlib.Path, sys.argv[3:])
    tables = {path.stem: read(path) for path in files}
    tables = {scope: tables[scope] for scope in SCOPES}
    broker = {row["key"] for row in tables["broker"]}
    for rows in tables.values():
        for row in rows:
            for synonym in row["synonyms"].split():
                if synonym.partition("*")[0] not in broker:
                    sys.exit(f"{row['key']}: the synonym {synonym} is no broker key")
    if mode == "--cpp":
        header, source = cpp(tables)
        target.mkdir(parents=True, exist_ok=True)
        (target / "config_table.h").write_text(header)
        (target / "config_table.cc").write_text(source)
    elif mode == "--doc":
        target.write_text(doc(tables))
    elif not target.exists() or target.read_text() != doc(tables):
        sys.exit(f"{target.name} is not current: run tools/codegen/config.py --doc docs/configuration.md schemas/config/*.tsv")


if __name__ == "__main__":
    main()
