#include "cli/consume/record_format.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "cli/time_text.h"

namespace brook::cli {
namespace {

/// The character that a backslash and `letter` stand for; nothing for other letters.
std::optional<char> escaped(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '0':
      return '\0';
    case '\\':
      return '\\';
    default:
      return std::nullopt;
  }
}

std::optional<char> hex_digits(std::string_view two) {
  unsigned value = 0;
  if (two.size() != 2) return std::nullopt;
  const auto [end, error] = std::from_chars(two.data(), two.data() + 2, value, 16);
  if (error != std::errc{} || end != two.data() + 2) return std::nullopt;
  return static_cast<char>(value);
}

std::int64_t length_of(const std::optional<ByteView>& bytes) {
  return bytes ? static_cast<std::int64_t>(bytes->size()) : -1;
}

}  // namespace

Result<RecordFormat> RecordFormat::parse(std::string_view text) {
  RecordFormat format;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_last = i + 1 == text.size();
    if (text[i] == '%') {
      if (is_last) return fail(ErrorCode::kInvalidRequest, "a '%' ends the format; %% writes one");
      BROOK_CHECK(format.add_token(text[++i]));
      continue;
    }
    if (text[i] != '\\' || is_last) {
      format.add_text(text[i]);
      continue;
    }
    const char letter = text[++i];
    const auto plain = letter == 'x' ? hex_digits(text.substr(i + 1, 2)) : escaped(letter);
    if (!plain) return fail(ErrorCode::kInvalidRequest, fmt::format("there is no escape '\\{}'", letter));
    if (letter == 'x') i += 2;
    format.add_text(*plain);
  }
  return format;
}

void RecordFormat::add_text(char c) {
  if (parts_.empty() || !std::holds_alternative<std::string>(parts_.back()))
    parts_.emplace_back(std::string());
  std::get<std::string>(parts_.back()) += c;
}

Result<void> RecordFormat::add_token(char letter) {
  constexpr std::array<std::pair<char, Token>, 11> kTokens = {{{'t', Token::kTopic},
                                                               {'p', Token::kPartition},
                                                               {'o', Token::kOffset},
                                                               {'T', Token::kTimestamp},
                                                               {'I', Token::kTime},
                                                               {'k', Token::kKey},
                                                               {'v', Token::kValue},
                                                               {'s', Token::kValue},
                                                               {'K', Token::kKeyLength},
                                                               {'S', Token::kValueLength},
                                                               {'h', Token::kHeaders}}};
  if (letter == '%') return add_text('%'), Result<void>{};
  for (const auto& [known, token] : kTokens) {
    if (known == letter) return parts_.emplace_back(token), Result<void>{};
  }
  return fail(ErrorCode::kInvalidRequest,
              fmt::format("there is no token '%{}': %t %p %o %T %I %k %v %K %S %h and %% are", letter));
}

void RecordFormat::append(std::string& to, const client::ConsumedBatch& batch,
                          const client::ConsumedRecord& each) const {
  for (const Part& part : parts_) {
    if (const auto* text = std::get_if<std::string>(&part)) {
      to += *text;
    } else {
      append_token(to, std::get<Token>(part), batch, each);
    }
  }
}

void RecordFormat::append_token(std::string& to, Token token, const client::ConsumedBatch& batch,
                                const client::ConsumedRecord& each) {
  const auto number = [&to](std::int64_t value) { fmt::format_to(std::back_inserter(to), "{}", value); };
  switch (token) {
    case Token::kTopic:
      to += batch.partition.topic;
      break;
    case Token::kPartition:
      number(batch.partition.partition.value());
      break;
    case Token::kOffset:
      number(each.offset.value());
      break;
    case Token::kTimestamp:
      number(each.timestamp.value());
      break;
    case Token::kTime:
      to += format_time(each.timestamp);
      break;
    case Token::kKey:
      if (each.key) to += as_chars(*each.key);
      break;
    case Token::kValue:
      if (each.value) to += as_chars(*each.value);
      break;
    case Token::kKeyLength:
      number(length_of(each.key));
      break;
    case Token::kValueLength:
      number(length_of(each.value));
      break;
    case Token::kHeaders:
      for (const record::HeaderView& header : each.headers) {
        if (&header != each.headers.data()) to += ',';
        to += as_chars(header.key);
        to += '=';
        if (header.value) to += as_chars(*header.value);
      }
      break;
  }
}

}  // namespace brook::cli
