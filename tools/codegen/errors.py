#!/usr/bin/env python3
"""Writes base/error_code.{h,cc} and base/stale_metadata.h from schemas/errors.tsv: code, name, retriable, refresh-metadata."""
import pathlib
import sys


def camel(name: str) -> str:
    return "k" + "".join(part.capitalize() for part in name.split("_"))


def main(table: pathlib.Path, out: pathlib.Path) -> None:
    rows = []
    for line in table.read_text().splitlines():
        if line.strip():
            cells = (line.split("\t") + ["", "", ""])[:4]
            rows.append((int(cells[0]), cells[1], cells[2] == "retriable", cells[3] == "refresh-metadata"))
    enum = "\n".join(f"  {camel(name)} = {code}," for code, name, *_ in rows)
    names = "\n".join(f'    case ErrorCode::{camel(name)}: return "{name}";' for _, name, *_ in rows)
    retriable = "\n".join(f"    case ErrorCode::{camel(name)}:" for _, name, r, _ in rows if r)
    stale = "\n".join(f"    case ErrorCode::{camel(name)}:" for _, name, _, s in rows if s)
    out.mkdir(parents=True, exist_ok=True)
    (out / "error_code.h").write_text(f"""// Generated from schemas/errors.tsv by tools/codegen/errors.py.
#pragma once

#include <cstdint>
#include <string_view>

namespace brook {{

/// The error codes of the Kafka protocol, by their wire values.
enum class ErrorCode : std::int16_t {{
{enum}
}};

/// Kafka's own name, such as "CORRUPT_MESSAGE"; "UNKNOWN" for a value that the table does not have.
std::string_view error_name(ErrorCode code);

/// Whether a client may send the same request again.
bool is_retriable(ErrorCode code);

}}  // namespace brook
""")
    (out / "stale_metadata.h").write_text("""// Generated from schemas/errors.tsv by tools/codegen/errors.py.
#pragma once

#include "base/error_code.h"

namespace brook {

/// Whether the error says that a client knows the wrong leader, topic id or address: it asks for metadata before it tries again.
bool shows_stale_metadata(ErrorCode code);

}  // namespace brook
""")
    (out / "error_code.cc").write_text(f"""// Generated from schemas/errors.tsv by tools/codegen/errors.py.
#include "base/error_code.h"
#include "base/stale_metadata.h"

namespace brook {{

std::string_view error_name(ErrorCode code) {{
  switch (code) {{
{names}
  }}
  return "UNKNOWN";
}}

bool is_retriable(ErrorCode code) {{
  switch (code) {{
{retriable}
      return true;
    default:
      return false;
  }}
}}

bool shows_stale_metadata(ErrorCode code) {{
  switch (code) {{
{stale}
      return true;
    default:
      return false;
  }}
}}

}}  // namespace brook
""")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
