#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/console.h"

namespace brook::cli {

enum class Align : std::uint8_t { kLeft, kRight };

struct Column {
  std::string heading;
  Align align = Align::kLeft;
};

/// How a cell looks on a terminal; elsewhere all look the same.
enum class Emphasis : std::uint8_t { kNone, kBold, kBad };

/// `text` as it is written to standard output.
[[nodiscard]] std::string emphasize(const Console& console, std::string_view text, Emphasis how);

/// Columns of a terminal that a UTF-8 text takes: its code points, as long as none is wide.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// Rows that are known before the first is printed; each column is as wide as its widest cell.
class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// A cell for each column; missing ones are empty.
  void add(std::vector<std::string> cells, Emphasis how = Emphasis::kNone);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// The heading and the rows, each line indented by `indent` spaces.
  void print(Console& console, std::size_t indent = 0) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Emphasis how;
  };

  [[nodiscard]] std::vector<std::size_t> widths() const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace brook::cli
