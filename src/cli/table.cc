#include "cli/table.h"

#include <fmt/format.h>

#include <algorithm>

namespace brook::cli {
namespace {

constexpr std::string_view kGap = "  ";

std::string line(const std::vector<Column>& columns, const std::vector<std::size_t>& widths,
                 const std::vector<std::string>& cells) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - display_width(cells[i]), ' ');
    text += columns[i].align == Align::kRight ? padding + cells[i] : cells[i] + padding;
    text += kGap;
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

std::string emphasize(const Console& console, std::string_view text, Emphasis how) {
  if (how == Emphasis::kNone || !console.colours()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", how == Emphasis::kBold ? "1" : "31", text);
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

void Table::add(std::vector<std::string> cells, Emphasis how) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), how});
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.heading));
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row.cells[i]));
  }
  return widths;
}

void Table::print(Console& console, std::size_t indent) const {
  const std::vector<std::size_t> wide = widths();
  const std::string before(indent, ' ');
  std::vector<std::string> headings;
  for (const Column& column : columns_) headings.push_back(column.heading);
  console.out(before + emphasize(console, line(columns_, wide, headings), Emphasis::kBold) + "\n");
  for (const Row& row : rows_) {
    console.out(before + emphasize(console, line(columns_, wide, row.cells), row.how) + "\n");
  }
}

}  // namespace brook::cli
