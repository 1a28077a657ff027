#!/usr/bin/env python3
"""Writes the protocol's C++ from schemas/kafka and schemas/state.

  messages.py --list SCHEMAS        the files that it writes, one a line, relative to the output folder
  messages.py SCHEMAS OUTPUT        writes them (a file that would not change is left alone)

Per schema file one header, `protocol/fetch.h` or `protocol/state/storage.h`; per GROUP of schema files one .cc, so that the
number of translation units stays small. How a type is read and written is said once, in READ and WRITE; versions become plain
comparisons. No message is treated specially but by what its schema says.
"""
from __future__ import annotations

import pathlib
import re
import sys

from schema import MAX, Field, Message, Struct, Versions, min_element, parse_file, snake

GROUP = 8
NOTE = "// Generated from {} by tools/codegen/messages.py.\n"
INTS = {"int8": "std::int8_t", "int16": "std::int16_t", "uint16": "std::uint16_t", "int32": "std::int32_t",
        "uint32": "std::uint32_t", "int64": "std::int64_t"}
TYPES = INTS | {"bool": "bool", "float64": "double", "string": "std::string", "bytes": "Bytes", "uuid": "Uuid"}
KEYWORDS = {"default", "operator", "class", "struct", "enum", "namespace", "private", "protected", "public", "register", "union",
            "export", "new", "delete", "int", "bool", "signed", "unsigned", "long", "short"}


# ---- names and types -------------------------------------------------------------------------------------------------------

def member(name: str) -> str:
    word = snake(name)
    return word + "_" if word in KEYWORDS else word


def element_type(field: Field, message: Message) -> str:
    if field.type == "records":
        return "ForeignRecords" if message.kind == "response" else "RecordsView"
    return TYPES.get(field.type, field.type)


def nullable(field: Field, message: Message) -> bool:
    return bool(field.nullable & field.versions & message.versions)


def cpp_type(field: Field, message: Message) -> str:
    kind = element_type(field, message)
    if field.array:
        kind = f"std::vector<{kind}>"
    return f"std::optional<{kind}>" if nullable(field, message) else kind


def number(field: Field) -> str:
    """The default of a number as a C++ literal."""
    text = field.default or "0"
    value = int(text, 0)
    if field.type == "int64" and value == -2**63:
        return "std::numeric_limits<std::int64_t>::min()"
    return str(value)


def initializer(field: Field, message: Message) -> str:
    if not field.array:
        if field.type == "bool":
            return " = true" if field.default == "true" else " = false"
        if field.type in INTS:
            return f" = {number(field)}"
        if field.type == "float64":
            return f" = {float(field.default or 0)}"
    if nullable(field, message) and field.default != "null" and field.type != "records":
        kind = f"std::vector<{element_type(field, message)}>" if field.array else element_type(field, message)
        return f" = {kind}()"
    return "{}"


def differs(field: Field, message: Message, at: str) -> str:
    """An expression: the field at `at` has another value than its default."""
    if nullable(field, message):
        if field.default == "null" or field.type == "records":
            return f"{at}.has_value()"
        if field.struct and not field.array:
            return f"!({at} && *{at} == {message.name}::{field.type}{{}})"
        return f"!({at} && {at}->empty())"
    if field.array or field.type in ("string", "bytes"):
        return f"!{at}.empty()"
    if field.type == "uuid":
        return f"!{at}.is_zero()"
    if field.type == "records":
        return f"{at} != {element_type(field, message)}{{}}"
    if field.struct:
        return f"{at} != {message.name}::{field.type}{{}}"
    if field.type == "bool":
        return f"!{at}" if field.default == "true" else at
    return f"{at} != {number(field) if field.type != 'float64' else float(field.default or 0)}"


# ---- conditions on the version -----------------------------------------------------------------------------------------------

def condition(versions: Versions, possible: Versions) -> str | None:
    """None: always; "false": never; else a comparison of `version`, given that it is one of the possible."""
    inside = versions & possible
    if not inside:
        return "false"
    if inside == possible:
        return None
    if inside.first == inside.last:
        return f"version == {inside.first}"
    parts = []
    if inside.first > possible.first:
        parts.append(f"version >= {inside.first}")
    if inside.last < possible.last:
        parts.append(f"version <= {inside.last}")
    return " && ".join(parts)


def flag(versions: Versions, possible: Versions) -> str:
    return condition(versions, possible) or "true"


class Coder:
    """The read and write functions of one message."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.uses: dict[str, Versions] = {message.root.name: message.versions}
        for struct in reversed([*message.structs, message.root]):  # users before the used
            for field in struct.fields:
                if field.struct:
                    has = field.versions & self.uses[struct.name] & field.struct.versions
                    old = self.uses.get(field.type)
                    self.uses[field.type] = has if old is None else Versions(min(old.first, has.first), max(old.last, has.last))

    def possible(self, struct: Struct) -> Versions:
        return self.uses[struct.name]

    def flexible_of(self, field: Field) -> Versions:
        return field.flexible if field.flexible is not None else self.message.flexible

    def compact(self, field: Field, possible: Versions) -> str:
        if field.flexible is not None:
            return flag(field.flexible, possible)
        return {None: "true", "false": "false"}.get(condition(self.message.flexible, possible), "flexible")

    def type_name(self, struct: Struct) -> str:
        name = self.message.name
        return name if struct is self.message.root else f"{name}::{struct.name}"

    def prologue(self, struct: Struct, body: list[str]) -> list[str]:
        if any("flexible" in line for line in body):
            return [f"  const bool flexible = {flag(self.message.flexible, self.possible(struct))};"]
        return []

    # -- reading

    def read_value(self, field: Field, possible: Versions) -> str:
        """An expression that reads one value that is not an array and not a struct."""
        if field.type in INTS or field.type == "uuid" or field.type == "float64":
            return f"in.{field.type}()"
        if field.type == "bool":
            return "in.boolean()"
        compact = self.compact(field, possible)
        if not field.array and nullable(field, self.message):
            allowed = flag(field.nullable, field.versions & possible)
            return f'in.nullable_{field.type}({compact}, {allowed}, "{field.name}")'
        return f'in.{field.type}({compact}, "{field.name}")'

    def read_field(self, field: Field, possible: Versions) -> list[str]:
        inside = field.versions & possible
        to = f"out.{member(field.name)}"
        may = nullable(field, self.message)
        if field.array:
            low = min(min_element(field, v, v in self.flexible_of(field)) for v in inside.all())
            lines = [f'if (const auto count = in.array_count({self.compact(field, possible)}, {max(low, 1)}, '
                     f'{flag(field.nullable, inside)}, "{field.name}"); count >= 0) {{']
            lines.append(f"  auto& list = {to}.emplace();" if may else f"  auto& list = {to};")
            lines.append("  list.reserve(reserve_for(count));")
            if field.struct:
                lines.append("  for (auto i = 0; i < count && in.ok(); ++i) get(in, list.emplace_back(), version);")
            else:
                lines.append(f"  for (auto i = 0; i < count && in.ok(); ++i) list.push_back({self.read_value(field, possible)});")
            if may and field.default != "null":
                return [*lines, "} else {", f"  {to}.reset();", "}"]
            return [*lines, "}"]
        if field.struct:
            if may:
                present = "in.uvarint() > 0" if field.tag is not None else \
                    f'in.struct_present({flag(field.nullable, inside)}, "{field.name}")'
                return [f"if ({present}) {{", f"  get(in, {to}.emplace(), version);", "} else {", f"  {to}.reset();", "}"]
            return [f"get(in, {to}, version);"]
        value = self.read_value(field, possible)
        if field.type == "records" and self.message.kind == "response":
            if may:
                return [f"if (const auto view = {value}) {to} = ForeignRecords{{.bytes = *view}};"]
            return [f"{to} = ForeignRecords{{.bytes = {value}}};"]
        return [f"{to} = {value};"]

    def reader(self, struct: Struct) -> list[str]:
        possible = self.possible(struct)
        body: list[str] = []
        for field in struct.fields:
            test = condition(field.versions, possible)
            if field.tag is not None or test == "false":
                continue
            lines = self.read_field(field, possible)
            body += guard(test, lines)
        flexible = condition(self.message.flexible, possible)
        if flexible != "false":
            body += guard(flexible and "flexible", self.read_tags(struct, possible))
        prologue = self.prologue(struct, body)
        out = "out" if any("out." in line for line in body) else "/*out*/"
        return [f"void get(Reader& in, {self.type_name(struct)}& {out}, std::int16_t {version_name(prologue + body)}) {{",
                *prologue, *indent(body), "}"]

    def read_tags(self, struct: Struct, possible: Versions) -> list[str]:
        tagged = sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)
        if not tagged:
            return ["for (TagReader tags(in); tags.next();) tags.skip();"]
        lines = ["for (TagReader tags(in); tags.next();) {", "  switch (tags.tag()) {"]
        for field in tagged:
            test = condition(field.versions & self.message.flexible, possible & self.message.flexible)
            lines.append(f"    case {field.tag}:")
            if test:
                lines += [f"      if (!({test})) {{", "        tags.refuse();", "        break;", "      }"]
            lines += indent(self.read_field(field, possible & self.message.flexible), 6)
            lines.append("      break;")
        return [*lines, "    default:", "      tags.skip();", "  }", "}"]

    # -- writing

    def write_value(self, field: Field, possible: Versions, at: str) -> str:
        if field.type in INTS or field.type in ("uuid", "float64"):
            return f"out.{field.type}({at});"
        if field.type == "bool":
            return f"out.boolean({at});"
        compact = self.compact(field, possible)
        if field.type == "string":
            return f'out.string({compact}, {at}, "{field.name}");'
        return f"out.{'byte_field' if field.type == 'bytes' else 'records'}({compact}, {at});"

    def write_field(self, field: Field, possible: Versions) -> list[str]:
        inside = field.versions & possible
        at = f"m.{member(field.name)}"
        may = nullable(field, self.message)
        value = f"*{at}" if may else at
        if field.array:
            size = f"{at}->size()" if may else f"{at}.size()"
            each = ("put(out, item, version);" if field.struct else self.write_value(field, possible, "item"))
            lines = [f"out.array_count({self.compact(field, possible)}, {size});", f"for (const auto& item : {value}) {each}"]
        elif field.struct:
            lines = [f"put(out, {value}, version);"]
            if may:
                # Kafka writes -1 or 1 in front of a struct that may be null, but 0 or 1 where it is a tagged field.
                mark = f"out.boolean({at}.has_value());" if field.tag is not None else \
                    f'out.struct_mark({at}.has_value(), {flag(field.nullable, inside)}, "{field.name}");'
                lines = [mark,
                         f"if ({at}) put(out, {value}, version);"]
            return lines
        else:
            lines = [self.write_value(field, possible, value)]
        if not may:
            return lines
        null = "null_string" if field.type == "string" and not field.array else "null_array"
        return [f"if ({at}) {{", *indent(lines), "} else {",
                f'  out.{null}({self.compact(field, possible)}, {flag(field.nullable, inside)}, "{field.name}");', "}"]

    def writer(self, struct: Struct) -> list[str]:
        possible = self.possible(struct)
        body: list[str] = []
        for field in struct.fields:
            test = condition(field.versions, possible)
            refuse = [] if field.ignorable else \
                [f'if ({differs(field, self.message, f"m.{member(field.name)}")}) out.refuse_absent("{field.name}");']
            if field.tag is not None:
                if test and refuse:
                    body += guard(f"!({test})", refuse)
                continue
            if test == "false":
                body += refuse
                continue
            lines = self.write_field(field, possible)
            if test is None:
                body += lines
            elif refuse:
                body += [f"if ({test}) {{", *indent(lines), f"}} else {refuse[0]}"]
            else:
                body += guard(test, lines)
        flexible = condition(self.message.flexible, possible)
        if flexible != "false":
            body += guard(flexible and "flexible", self.write_tags(struct, possible))
        prologue = self.prologue(struct, body)
        name = "m" if any("m." in line for line in body) else "/*m*/"
        return ["template <class Out>", f"void put(Out& out, const {self.type_name(struct)}& {name}, std::int16_t {version_name(prologue + body)}) {{",
                *prologue, *indent(body), "}"]

    def write_tags(self, struct: Struct, possible: Versions) -> list[str]:
        tagged = sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)
        if not tagged:
            return ["out.uvarint(0);"]
        inner = possible & self.message.flexible
        lines = []
        for field in tagged:
            test = condition(field.versions, inner)
            there = differs(field, self.message, f"m.{member(field.name)}")
            lines.append(f"const bool has_{field.tag} = {f'{test} && ' if test else ''}{there};")
        count = " + ".join(f"(has_{f.tag} ? 1U : 0U)" for f in tagged)
        lines.append(f"out.uvarint({count});")
        for field in tagged:
            body = " ".join(self.write_field(field, inner))
            body = body.replace("out.", "to.").replace("put(out,", "put(to,")
            lines.append(f"if (has_{field.tag}) put_tag(out, {field.tag}, [&](auto& to) {{ {body} }});")
        return lines

    # -- errors of a response

    def error_lister(self, struct: Struct) -> list[str]:
        body: list[str] = []
        for field in struct.fields:
            at = f"m.{member(field.name)}"
            if is_error(field):
                body.append(f"if ({at} != 0) into.push_back({at});")
            elif field.struct and has_errors(field.struct):
                value = f"*{at}" if nullable(field, self.message) else at
                line = f"for (const auto& item : {value}) list_errors(item, into);" if field.array else f"list_errors({value}, into);"
                body.append(f"if ({at}) {line}" if nullable(field, self.message) else line)
        return [f"void list_errors(const {self.type_name(struct)}& m, std::vector<std::int16_t>& into) {{", *indent(body), "}"]

    # -- the message's own functions

    def source(self) -> str:
        lines = ["namespace {", ""]
        for struct in [*self.message.structs, self.message.root]:
            lines += [*self.reader(struct), "", *self.writer(struct), ""]
            if lists_errors(self.message) and has_errors(struct):
                lines += [*self.error_lister(struct), ""]
        name = self.message.name
        bad = "if (wire_version < kMinVersion || wire_version > kMaxVersion) return unsupported_version(kName, wire_version);"
        lines += ["}  // namespace", "",
                  f"Result<{name}> {name}::decode(Reader& in, std::int16_t wire_version) {{", f"  {bad}", f"  {name} out;",
                  "  get(in, out, wire_version);", "  if (!in.ok()) return in.failure(kName, wire_version);", "  return out;", "}", "",
                  f"Result<void> {name}::encode(Writer& out, std::int16_t wire_version) const {{", f"  {bad}",
                  "  const Writer::Mark mark = out.mark();", "  put(out, *this, wire_version);",
                  "  return out.finish(mark, kName, wire_version);", "}", "",
                  f"std::size_t {name}::size(std::int16_t wire_version) const {{", "  Sizer out;", "  put(out, *this, wire_version);",
                  "  return out.size();", "}", ""]
        if lists_errors(self.message):
            lines += [f"void {name}::errors(std::vector<std::int16_t>& into) const {{ list_errors(*this, into); }}", ""]
        return "\n".join(lines)


def is_error(field: Field) -> bool:
    return field.name.endswith("ErrorCode") and field.type == "int16" and not field.array


def has_errors(struct: Struct) -> bool:
    return any(is_error(field) or (field.struct and has_errors(field.struct)) for field in struct.fields)


def lists_errors(message: Message) -> bool:
    return message.kind == "response" and has_errors(message.root)


def version_name(lines: list[str]) -> str:
    """The parameter's name: commented out where no line uses it."""
    return "version" if any(re.search(r"(?<![.\w])version\b", line) for line in lines) else "/*version*/"


def indent(lines: list[str], by: int = 2) -> list[str]:
    return [" " * by + line if line else line for line in lines]


def guard(test: str | None, lines: list[str]) -> list[str]:
    if test is None:
        return lines
    if len(lines) == 1 and not lines[0].startswith("if"):
        return [f"if ({test}) {lines[0]}"]
    return [f"if ({test}) {{", *indent(lines), "}"]


# ---- headers -----------------------------------------------------------------------------------------------------------------

def declaration(message: Message) -> str:
    """The parts stand in a namespace of their own, since a class that is complete only at the end of another cannot be the content
    of that other's optional; the message names them as members: FetchRequest::FetchTopic."""
    name = message.name
    lines = []
    if message.structs:
        lines += [f"namespace {snake(name)} {{"]
        for struct in message.structs:
            lines += ["", f"struct {struct.name} {{", *indent(fields(struct, message)), *indent(visitor(struct, message)),
                      f"  friend bool operator==(const {struct.name}&, const {struct.name}&) = default;", "};"]
        lines += ["", f"}}  // namespace {snake(name)}", ""]
    lines += [f"struct {name} {{", f'  static constexpr std::string_view kName = "{name}";']
    if message.key is not None:
        constant = "kApiKey" if message.kind in ("request", "response") else "kRecordType"
        lines.append(f"  static constexpr std::int16_t {constant} = {message.key};")
    lines += [f"  static constexpr std::int16_t kMinVersion = {message.versions.first};",
              f"  static constexpr std::int16_t kMaxVersion = {message.versions.last};",
              f"  /// The first version with compact lengths and tagged fields; {MAX} where there is none.",
              f"  static constexpr std::int16_t kFlexibleFrom = {message.flexible.first if message.flexible else MAX};", ""]
    lines += [f"  using {struct.name} = {snake(name)}::{struct.name};" for struct in message.structs]
    lines += [""] if message.structs else []
    lines += [*indent(fields(message.root, message)), *indent(visitor(message.root, message)), "",
              f"  static Result<{name}> decode(Reader& in, std::int16_t version);",
              "  Result<void> encode(Writer& out, std::int16_t version) const;",
              "  [[nodiscard]] std::size_t size(std::int16_t version) const;",
              *(["  /// Every error code in it that is not 0, as often as it stands there.",
                 "  void errors(std::vector<std::int16_t>& into) const;"] if lists_errors(message) else []),
              f"  friend bool operator==(const {name}&, const {name}&) = default;", "};", ""]
    return "\n".join(lines)


def fields(struct: Struct, message: Message) -> list[str]:
    lines = []
    for field in struct.fields:
        has = field.versions & message.versions
        note = ""
        if has != message.versions & struct.versions:
            note = f"  // v{has.first}" + ("+" if has.last == message.versions.last else "" if has.last == has.first
                                          else f"-{has.last}") if has else "  // in no version"
        lines.append(f"{cpp_type(field, message)} {member(field.name)}{initializer(field, message)};{note}")
    return lines


def visitor(struct: Struct, message: Message) -> list[str]:
    """What shows a record to a person: its fields by name. Requests and responses have no use for it."""
    if message.kind in ("request", "response", "header"):
        return []
    body: list[str] = []
    asks = False
    for field in struct.fields:
        test = condition(field.versions, Coder(message).possible(struct))
        if test == "false":
            continue
        asks = asks or test is not None
        test = test and test.replace("version", "wire_version")  # some have a field `version`
        body += guard(test, [f'visit("{snake(field.name)}", {member(field.name)});'])
    version = "wire_version" if asks else "/*wire_version*/"
    return ["", "/// Calls visit(name, value) for each field that `wire_version` has.", "template <class Visit>",
            f"void visit_fields(std::int16_t {version}, const Visit& visit) const {{", *indent(body), "}"]


def header(source: str, messages: list[Message]) -> str:
    return NOTE.format(source) + """#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "protocol/types.h"

namespace brook::protocol {

class Reader;
class Writer;

""" + "\n".join(map(declaration, messages)) + "\n}  // namespace brook::protocol\n"


# ---- the API table -----------------------------------------------------------------------------------------------------------

def api_table(schemas: pathlib.Path, files: dict[str, list[Message]]) -> dict[str, str]:
    requests = sorted((m for ms in files.values() for m in ms if m.kind == "request"), key=lambda m: m.key)
    advertised = {}
    for line in (schemas / "kafka/apis.tsv").read_text().splitlines():
        if line and not line.startswith(("#", "key")):
            key, name, low, high, flags = line.split("\t")
            advertised[int(key)] = (name, low, high, set(flags.split(",")))
    keys, rows = [], []
    for m in requests:
        name, low, high, flags = advertised.pop(m.key)
        if name + "Request" != m.name or ("latest_unstable" in flags) != m.latest_unstable:
            raise SystemExit(f"apis.tsv and the schema of {m.name} disagree")
        keys.append(f"  k{name} = {m.key},")
        low, high = (low, high) if low != "-" else ("0", "-1")
        flexible = m.flexible.first if m.flexible else MAX
        rows.append(f'    {{ApiKey::k{name}, "{name}", {m.versions.first}, {m.versions.last}, {flexible}, {low}, {high}, '
                    f'{"true" if "broker" in m.listeners else "false"}, {"true" if "telemetry" in flags else "false"}}},')
    if advertised:
        raise SystemExit(f"apis.tsv has APIs without a schema: {advertised}")
    note = NOTE.format("schemas/kafka")
    return {"protocol/api_key.h": note + """#pragma once

#include <cstdint>

namespace brook::protocol {

/// The APIs by their wire values. A request may carry any other value: see find_api in protocol/api.h.
enum class ApiKey : std::int16_t {
""" + "\n".join(keys) + "\n};\n\n}  // namespace brook::protocol\n",
            "protocol/api_table.cc": note + """#include <array>

#include "protocol/api.h"

namespace brook::protocol {
namespace {

constexpr std::array kApis = std::to_array<ApiInfo>({
""" + "\n".join(rows) + """
});

}  // namespace

std::span<const ApiInfo> apis() { return kApis; }

}  // namespace brook::protocol
"""}


# ---- files -------------------------------------------------------------------------------------------------------------------

def sources(schemas: pathlib.Path) -> dict[str, pathlib.Path]:
    """Header -> its schema file, in the order of API keys."""
    found = {}
    for path in sorted((schemas / "kafka").glob("*.txt")):
        number, _, name = path.stem.partition("_")
        found[f"protocol/{snake(name)}.h" if number.isdigit() else f"protocol/wire_{path.stem}.h"] = path
    for path in sorted((schemas / "state").glob("*.txt")):
        found[f"protocol/state/{path.stem}.h"] = path
    return found


def groups(schemas: pathlib.Path) -> dict[str, list[str]]:
    """.cc -> the headers whose messages it implements."""
    headers = list(sources(schemas))
    wire = [h for h in headers if "/state/" not in h]
    out = {f"protocol/messages_{i // GROUP:02}.cc": wire[i:i + GROUP] for i in range(0, len(wire), GROUP)}
    for h in headers:
        if "/state/" in h:
            out[h.replace(".h", ".cc")] = [h]
    return out


def generate(schemas: pathlib.Path) -> dict[str, str]:
    parsed = {h: parse_file(p) for h, p in sources(schemas).items()}
    out = api_table(schemas, parsed)
    for h, path in sources(schemas).items():
        out[h] = header(f"schemas/{path.relative_to(schemas)}", parsed[h])
    for cc, headers in groups(schemas).items():
        includes = "\n".join(f'#include "{h}"' for h in headers)
        code = "\n".join(Coder(m).source() for h in headers for m in parsed[h])
        out[cc] = NOTE.format("schemas") + includes + '\n#include "protocol/reader.h"\n#include "protocol/writer.h"\n\n' \
            "namespace brook::protocol {\n\n" + code + "\n}  // namespace brook::protocol\n"
    return out


def main() -> None:
    if sys.argv[1] == "--list":
        schemas = pathlib.Path(sys.argv[2])
        print("\n".join([*sources(schemas), *groups(schemas), "protocol/api_key.h", "protocol/api_table.cc"]))
        return
    schemas, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for name, text in generate(schemas).items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


if __name__ == "__main__":
    main()
