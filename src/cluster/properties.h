#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace brook::cluster {

struct Property {
  std::string key;
  std::string value;
  int line = 0;  ///< of the key, from 1
};

struct PropertiesProblem {
  int line = 0;
  std::string what;
};

struct Properties {
  std::vector<Property> entries;  ///< in the file's order, with repetitions
  std::vector<PropertiesProblem> problems;
};

/// Reads Java's .properties syntax: `key = value`, `key: value`, `key value`; lines that begin with # or !
/// are comments; a backslash at the end of a line continues it; \t \n \r \f \uXXXX and any other escaped
/// character. The text is UTF-8.
[[nodiscard]] Properties parse_properties(std::string_view text);

}  // namespace brook::cluster
