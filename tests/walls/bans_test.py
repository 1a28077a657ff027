"""tools/checks/bans.py fails on what is banned, says what to use, and lets pass what only looks like it."""

import unittest

import tree


class Bans(unittest.TestCase):
    def check(self, line, path="src/storage/log.cc"):
        return tree.check("bans.py", {path: f"// a file\n{line}\n"})

    def assert_refused(self, line, word, path="src/storage/log.cc"):
        status, output = self.check(line, path)
        self.assertEqual(1, status, f"{line!r} passed")
        self.assertIn(f"{path}:2: ", output)
        self.assertIn(word, output)

    def assert_passes(self, line, path="src/storage/log.cc"):
        status, output = self.check(line, path)
        self.assertEqual(0, status, output)

    def test_refuses_what_belongs_to_the_runtime(self):
        for line, instead in [
            ("auto t = std::chrono::steady_clock::now();", "runtime::Clock"),
            ("auto t = time(nullptr);", "runtime::Clock"),
            ("auto t = std::time(NULL);", "runtime::Clock"),
            ("std::this_thread::sleep_for(1s);", "Clock::sleep_until"),
            ("std::thread worker([] {});", "a Shard"),
            ("std::mutex mutex_;", "Shard::run"),
            ("std::shared_mutex mutex_;", "Shard::run"),
            ("std::scoped_lock lock(mutex_);", "Shard::run"),
            ("thread_local int depth;", "Shard"),
            ('std::ifstream in("x");', "runtime::FileSystem"),
            ("FILE* f = fopen(name, mode);", "runtime::FileSystem"),
            ("int fd = ::open(name, 0);", "runtime::FileSystem"),
            ("std::filesystem::remove_all(p);", "runtime::FileSystem"),
            ("#include <fcntl.h>", "runtime"),
            ("int s = ::socket(a, b, c);", "Stream"),
            ("std::random_device device;", "runtime::Random"),
            ("int r = rand();", "runtime::Random"),
            ("::fork();", "a Shard"),
        ]:
            with self.subTest(line):
                self.assert_refused(line, instead)
                self.assert_passes(line, "src/runtime/loop.cc")

    def test_refuses_raw_bytes_outside_base(self):
        self.assert_refused("std::memcpy(a, b, n);", "copy_bytes")
        self.assert_refused("auto p = reinterpret_cast<char*>(q);", "as_bytes")
        self.assert_passes("std::memcpy(a, b, n);", "src/base/bytes.h")
        self.assert_passes("auto p = reinterpret_cast<char*>(q);", "src/net/tls.cc")
        self.assert_refused("std::memcpy(a, b, n);", "copy_bytes", "src/net/tls.cc")

    def test_refuses_plain_assert_and_standard_output(self):
        self.assert_refused("assert(x > 0);", "BROOK_ASSERT", "src/runtime/loop.cc")
        self.assert_refused("std::cout << x;", "log::info")
        self.assert_passes("std::cout << x;", "src/cli/table.cc")

    def test_passes_what_only_looks_like_it(self):
        for line in [
            "// std::mutex would be wrong here, and so would memcpy(a, b)",
            "/* std::thread */ int x = 0;",
            'auto text = "std::mutex and rand()";',
            "auto file = files.open(path, OpenMode::kRead);",
            "[[nodiscard]] Task<void> open(std::string path);",
            "stream->connect(to);",
            "static_assert(sizeof(x) == 4);",
            "std::atomic<int> count;",
            "std::filesystem::path name;",
            "auto operand(int x);",
            "int big = 1'000'000; std::chrono::milliseconds wait{1};",
            "retention_time(now);",
            "log.rename(a, b);",
        ]:
            with self.subTest(line):
                self.assert_passes(line)

    def test_an_exception_gives_its_reason(self):
        self.assert_passes("std::mutex mutex_;  // bans: allow the logger is called from every thread")
        status, output = tree.check("bans.py", {"src/storage/log.cc": "// bans: allow\nstd::mutex mutex_;\n"})
        self.assertEqual(1, status)
        self.assertIn("needs its reason", output)

    def test_a_test_may_read_a_golden_file_and_not_sleep(self):
        self.assert_passes('std::ifstream in("golden");', "src/storage/log_test.cc")
        self.assert_refused("std::this_thread::sleep_for(1s);", "Clock::sleep_until", "src/storage/log_test.cc")

    def test_a_long_file_is_a_warning(self):
        status, output = tree.check("bans.py", {"src/storage/log.cc": "int x;\n" * 900})
        self.assertEqual(0, status)
        self.assertIn("warning: src/storage/log.cc: 901 lines", output)


if __name__ == "__main__":
    unittest.main()
