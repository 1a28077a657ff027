#!/usr/bin/env python3
"""Writes, for tests/wire only, functions that fill every generated message with random values, and the table of all messages.

  generate.py --list SCHEMAS      the files that it writes
  generate.py SCHEMAS OUTPUT      writes them
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "codegen"))
from messages import INTS, NOTE, Coder, condition, flag, groups, indent, member, nullable, sources
from schema import parse_file


def fill_field(field, message, possible):
    to = f"out.{member(field.name)}"
    inside = field.versions & possible
    may = nullable(field, message)
    if field.array:
        lines = [f"auto& list = {to}.emplace();" if may else f"auto& list = {to};"]
        lines.append(f"for (auto left = random.length(depth, {'true' if field.struct else 'false'}); left > 0; --left) {{")
        lines.append("  fill(random, list.emplace_back(), version, depth + 1);" if field.struct
                     else f"  list.push_back({scalar(field, message)});")
        lines.append("}")
    elif field.struct:
        lines = [f"fill(random, {to + '.emplace()' if may else to}, version, depth + 1);"]
    else:
        lines = [f"{to} = {scalar(field, message)};"]
    if may:
        null = flag(field.nullable, inside)
        if null != "false":
            lines = [f"if ({'' if null == 'true' else f'({null}) && '}random.one_in(4)) {{", f"  {to}.reset();", "} else {",
                     *indent(lines), "}"]
    return ["{", *indent(lines), "}"]


def scalar(field, message):
    if field.type in INTS:
        return f"static_cast<{INTS[field.type]}>(random.number())"
    if field.type == "records":
        return "ForeignRecords{.bytes = random.view()}" if message.kind == "response" else "RecordsView(random.view())"
    return {"bool": "random.one_in(2)", "float64": "random.float64()", "string": "random.text()", "bytes": "random.bytes()",
            "uuid": "random.uuid()"}[field.type]


def fill(coder, struct):
    message = coder.message
    possible = coder.possible(struct)
    body = []
    for field in struct.fields:
        test = condition(field.versions, possible)
        if test == "false":
            continue
        tests = [t for t in (test, "random.one_in(2)" if field.tag is not None else None) if t]
        lines = fill_field(field, message, possible)
        body += [f"if ({' && '.join(tests)}) {lines[0]}", *lines[1:]] if tests else lines
    return [f"void fill([[maybe_unused]] Random& random, [[maybe_unused]] {coder.type_name(struct)}& out, "
            "[[maybe_unused]] std::int16_t version, [[maybe_unused]] int depth) {", *indent(body), "}", ""]


def generate(schemas):
    out = {}
    parsed = {h: parse_file(p) for h, p in sources(schemas).items()}
    tables = []
    for cc, headers in groups(schemas).items():
        name = pathlib.Path(cc).stem
        lines = []
        messages = [m for h in headers for m in parsed[h]]
        for message in messages:
            coder = Coder(message)
            for struct in [*message.structs, message.root]:
                lines += fill(coder, struct)
        table = f"{name}_entries"
        tables.append(table)
        includes = "\n".join(f'#include "{h}"' for h in headers)
        entries = "\n".join(f"      entry<{m.name}>()," for m in messages)
        out[f"wire/{name}.cc"] = NOTE.replace("tools/codegen/messages.py", "tests/wire/generate.py").format("schemas") + f"""{includes}
#include "entry.h"

namespace brook::protocol::wire {{
namespace {{

{chr(10).join(lines)}
{ENTRY}
}}  // namespace

std::vector<Entry> {table}() {{
  return {{
{entries}
  }};
}}

}}  // namespace brook::protocol::wire
"""
    declared = "\n".join(f"std::vector<Entry> {t}();" for t in tables)
    calls = "\n".join(f"  for (Entry& entry : {t}()) all.push_back(entry);" for t in tables)
    out["wire/all_entries.cc"] = f"""#include "entry.h"

namespace brook::protocol::wire {{

{declared}

std::vector<Entry> all_entries() {{
  std::vector<Entry> all;
{calls}
  return all;
}}

}}  // namespace brook::protocol::wire
"""
    return out


# Here and not in a header, so that `fill` of the message is found where the template is instantiated.
ENTRY = """template <class Message>
Result<Case> random_case(Random& random, std::int16_t read_version, std::int16_t write_version) {
  Message message;
  fill(random, message, read_version, 0);
  return make_case(message, read_version, write_version);
}

template <class Message>
Entry entry() {
  return {Message::kName, Message::kMinVersion, Message::kMaxVersion, &transcode<Message>, &default_case<Message>, &random_case<Message>};
}
"""


def main():
    if sys.argv[1] == "--list":
        print("\n".join(generate(pathlib.Path(sys.argv[2]))))
        return
    for name, text in generate(pathlib.Path(sys.argv[1])).items():
        path = pathlib.Path(sys.argv[2]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


if __name__ == "__main__":
    main()
