"""tools/checks/layers.py fails on a tree that breaks a rule, and passes one that does not."""

import unittest

import tree

GOOD = {
    "src/base/CMakeLists.txt": "brook_module(base USES LIBRARIES fmt::fmt)\n",
    "src/base/bytes.h": "#pragma once\n#include <span>\n#include <fmt/core.h>\n",
    "src/runtime/CMakeLists.txt": "brook_module(runtime USES base)\n",
    "src/runtime/loop.cc": '#include <boost/asio/io_context.hpp>\n#include <sys/socket.h>\n#include "base/bytes.h"\n',
    "src/storage/CMakeLists.txt": "find_package(x)\nbrook_module(storage\n  USES runtime base  # the log's world\n  PRIVATE_LIBRARIES x)\n",
    "src/storage/log.h": '#pragma once\n#include "base/bytes.h"\n',
    "src/storage/internal/index.h": "#pragma once\n",
    "src/storage/log.cc": '#include "storage/log.h"\n#include "storage/internal/index.h"\n',
    "src/storage/testing/memory_directory.h": "#pragma once\n#include <gtest/gtest.h>\n",
    "src/storage/log_test.cc": '#include "storage/testing/memory_directory.h"\n#include <gtest/gtest.h>\n',
    "src/keeper/CMakeLists.txt": "brook_module(keeper USES runtime base)\n",
    "src/keeper/client.h": "#pragma once\n",
    "src/keeper/server.h": "#pragma once\n",
    "src/cluster/CMakeLists.txt": "brook_module(cluster USES keeper base)\n",
    "src/cluster/store.cc": '#include "keeper/client.h"\n',
    "src/app/CMakeLists.txt": "add_executable(brook main.cc)\n",
    "src/app/main.cc": '#include "keeper/server.h"\n#include "storage/log.h"\n#include <CLI/CLI.hpp>\n',
}


class Layers(unittest.TestCase):
    def assert_refused(self, changes, *words):
        status, output = tree.check("layers.py", {**GOOD, **changes})
        self.assertEqual(1, status, output)
        for word in words:
            self.assertIn(word, output)
        self.assertEqual(1, len(output.strip().splitlines()), output)

    def test_passes_a_good_tree(self):
        status, output = tree.check("layers.py", GOOD)
        self.assertEqual((0, "5 modules, every include is allowed\n"), (status, output))

    def test_refuses_an_include_that_is_not_named(self):
        self.assert_refused({"src/storage/log.cc": '#include "cluster/image.h"\n'}, "storage may not include cluster", "src/storage/log.cc")

    def test_refuses_an_edge_to_the_same_or_a_higher_rank(self):
        self.assert_refused({"src/runtime/CMakeLists.txt": "brook_module(runtime USES base cluster)\n",
                             "src/cluster/CMakeLists.txt": "brook_module(cluster USES base)\n", "src/cluster/store.cc": ""},
                            "runtime (rank 1) may not use cluster (rank 4)")
        self.assert_refused({"src/record/CMakeLists.txt": "brook_module(record USES base runtime)\n"}, "equals never use each other")

    def test_names_a_cycle(self):
        status, output = tree.check("layers.py", {**GOOD, "src/base/CMakeLists.txt": "brook_module(base USES storage)\n"})
        self.assertEqual(1, status)
        self.assertIn("cycle base -> storage -> ", output)

    def test_refuses_an_edge_that_the_design_forbids(self):
        self.assert_refused({"src/coordinator/CMakeLists.txt": "brook_module(coordinator USES base replica)\n"},
                            "coordinator may never use replica")
        self.assert_refused({"src/streams/CMakeLists.txt": "brook_module(streams USES base storage)\n"}, "streams may use only")

    def test_refuses_an_unknown_module(self):
        self.assert_refused({"src/utils/CMakeLists.txt": "brook_module(utils USES base)\n"}, "module 'utils' has no rank")
        self.assert_refused({"src/storage/CMakeLists.txt": "brook_module(storage USES runtime base utils)\n"}, "'utils', which is no module")
        self.assert_refused({"src/storage/log.cc": '#include "utils/strings.h"\n'}, "there is no module 'utils'")

    def test_refuses_what_is_private_to_a_module(self):
        self.assert_refused({"src/cluster/store.cc": '#include "keeper/server.h"\n'}, '"keeper/server.h" is private to keeper')
        self.assert_refused({"src/keeper/CMakeLists.txt": "brook_module(keeper USES storage base)\n",
                             "src/keeper/tree.cc": '#include "storage/internal/index.h"\n'}, "is private to storage")

    def test_refuses_a_fake_in_the_product(self):
        self.assert_refused({"src/storage/log.cc": '#include "storage/testing/memory_directory.h"\n'}, "is a fake")

    def test_refuses_a_library_outside_its_modules(self):
        self.assert_refused({"src/storage/log.cc": "#include <boost/asio.hpp>\n"}, "<boost/asio.hpp> belongs to runtime, net")
        self.assert_refused({"src/storage/log.cc": "#include <openssl/ssl.h>\n"}, "belongs to net, security")
        self.assert_refused({"src/storage/log.cc": "#include <gtest/gtest.h>\n"}, "belongs to tests")
        self.assert_refused({"src/storage/log.cc": "#include <curl/curl.h>\n"}, "ranks.toml does not name")

    def test_refuses_a_second_file_with_a_dear_header(self):
        self.assert_refused({"src/app/start.cc": "#include <CLI/CLI.hpp>\n"}, "src/app/main.cc and src/app/start.cc")

    def test_refuses_paths_that_do_not_begin_with_a_module(self):
        self.assert_refused({"src/storage/log.cc": '#include "log.h"\n'}, '"storage/log.h"')
        self.assert_refused({"src/storage/log.cc": "#include <base/bytes.h>\n"}, "is ours")

    def test_refuses_a_module_without_its_list(self):
        self.assert_refused({"src/record/batch.h": "#pragma once\n"}, "src/record/CMakeLists.txt is missing")
        self.assert_refused({"src/record/CMakeLists.txt": "add_library(brook_record)\n"}, "no brook_module(record")
        self.assert_refused({"src/record/CMakeLists.txt": "brook_module(storage USES base)\n"}, "in the folder of record")


if __name__ == "__main__":
    unittest.main()
