#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "cli/bytes_text.h"
#include "cli/json.h"
#include "cli/suggestion.h"
#include "cli/table.h"
#include "cli/testing/fake_console.h"
#include "cli/time_text.h"
#include "record/batch.h"

namespace brook::cli {
namespace {

using testing::FakeConsole;

std::string base64(std::string_view text) { return base64_encode(as_bytes(text)); }

TEST(BytesText, TellsUtf8FromOtherBytes) {
  for (const char* text :
       {"", "plain", "h\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(as_bytes(text))) << text;
  }
  // A lone continuation, an overlong '/', a surrogate, past U+10FFFF, a cut sequence.
  for (const char* text :
       {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(is_utf8(as_bytes(text)));
  }
}

TEST(BytesText, Base64IsThatOfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe"), "//4=");
  for (const char* text : {"", "f", "fo", "foo", "\xff\xfe\xfd\xfc"})
    EXPECT_EQ(base64_decode(base64(text)).value(), text);
}

TEST(BytesText, RefusesWhatIsNoBase64) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Z===", "Zh==", "Zg==Zg==", "Z-_=", " Zg="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
}

TEST(BytesText, ShowsControlCharactersAndStrayBytes) {
  EXPECT_EQ(printable(as_bytes("a\tb\n\\ \x1b \xff \xc3\xa9")), "a\\tb\\n\\\\ \\x1b \\xff \xc3\xa9");
}

TEST(BytesText, SizesHaveOneDecimal) {
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_size(5ULL << 40U), "5.0 TiB");
}

TEST(TimeText, FormatsInUtcWithMilliseconds) {
  EXPECT_EQ(format_time(Timestamp(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(Timestamp(1'795'746'181'254)), "2026-11-27T02:23:01.254Z");
  EXPECT_EQ(format_time(Timestamp(-2)), "1969-12-31T23:59:59.998Z");
  EXPECT_EQ(format_time(Timestamp(-1)), "-");
  EXPECT_EQ(format_time(Timestamp(INT64_MAX)), "9223372036854775807");
}

TEST(TimeText, SaysADurationInItsTwoGreatestUnits) {
  using std::chrono::milliseconds;
  EXPECT_EQ(format_duration(milliseconds(-5)), "0s");
  EXPECT_EQ(format_duration(milliseconds(0)), "0s");
  EXPECT_EQ(format_duration(milliseconds(999)), "999ms");
  EXPECT_EQ(format_duration(milliseconds(59'999)), "59s");
  EXPECT_EQ(format_duration(milliseconds(60'000)), "1m 0s");
  EXPECT_EQ(format_duration(milliseconds(3'599'000)), "59m 59s");
  EXPECT_EQ(format_duration(milliseconds(7'500'000)), "2h 5m");
  EXPECT_EQ(format_duration(milliseconds(356'400'000)), "4d 3h");
}

TEST(TimeText, ParsesDatesTimesAndZones) {
  EXPECT_EQ(parse_time("1970-01-01"), Timestamp(0));
  EXPECT_EQ(parse_time("2026-11-27T02:23:01.254Z"), Timestamp(1'795'746'181'254));
  EXPECT_EQ(parse_time("2026-11-27 03:23+01:00"), Timestamp(1'795'746'180'000));
  EXPECT_EQ(parse_time("2026-11-26T21:23:00-05:00"), Timestamp(1'795'746'180'000));
  for (const char* text : {"", "now", "2026", "2026-13-01", "2026-02-30", "2026-11-27T", "2026-11-27T24:00",
                           "2026-11-27T10:00x", "2026-11-27T10:00+1", "2026-11-27T10"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({{"NAME"}, {"COUNT", Align::kRight}});
  table.add({"\xc3\xa9t\xc3\xa9", "7"});
  table.add({"a-longer-one", "1234567"});
  FakeConsole console;

  table.print(console, 2);

  EXPECT_EQ(console.written,
            "  NAME            COUNT\n"
            "  \xc3\xa9t\xc3\xa9                 7\n"
            "  a-longer-one  1234567\n");
}

TEST(Json, BytesThatAreNoUtf8AreBase64) {
  const auto text = [](std::optional<ByteView> bytes) {
    FakeConsole console;
    print_json(console, to_json(bytes));
    return console.written;
  };

  EXPECT_EQ(text(std::nullopt), "null\n");
  EXPECT_EQ(text(as_bytes("a\"\n")), "\"a\\\"\\n\"\n");
  EXPECT_EQ(text(as_bytes("\xff")), "{\"base64\":\"/w==\"}\n");
  EXPECT_EQ(bytes_from_json(to_json(as_bytes("\xff"))).value(), "\xff");
}

TEST(Suggestion, IsTheNearestWordIfItIsNear) {
  const std::vector<std::string> known{"create", "delete", "describe"};

  EXPECT_EQ(did_you_mean("crate", known), "; did you mean 'create'?");
  EXPECT_EQ(did_you_mean("descrieb", known), "; did you mean 'describe'?");
  EXPECT_EQ(did_you_mean("frobnicate", known), "");
}

}  // namespace
}  // namespace brook::cli
