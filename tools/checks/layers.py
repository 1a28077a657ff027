#!/usr/bin/env python3
"""The include wall: fails where a file of src/ includes what its module does not name.

A module is a folder of src/. What it may include stands in its CMakeLists.txt, `brook_module(NAME USES a b c)`, and nowhere else; ranks.toml
has the order between modules, the doors of those that have few, and who may include which library.
"""

import argparse
import pathlib
import re
import sys
import tomllib

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">\n]+)[">]', re.M)
MODULE = re.compile(r"^\s*brook_module\s*\(\s*([^\s)]+)([^)]*)\)", re.M)
KEYWORDS = {"USES", "LIBRARIES", "PRIVATE_LIBRARIES", "GENERATED", "PRECOMPILE"}
# C's and POSIX's headers; which of them a module may call is bans.py's to say
SYSTEM_FOLDERS = {"sys", "netinet", "arpa", "linux", "net"}
SYSTEM_HEADERS = {
    "dirent.h", "dlfcn.h", "errno.h", "fcntl.h", "immintrin.h", "limits.h", "netdb.h", "nmmintrin.h", "poll.h", "pthread.h", "pwd.h", "sched.h",
    "signal.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "termios.h", "time.h", "unistd.h", "x86intrin.h",
}


def uses_of(text):
    """The modules after USES in a call of brook_module, or None where there is no call; with the name that it declares."""
    text = re.sub(r"#.*", "", text)
    call = MODULE.search(text)
    if call is None:
        return None, []
    uses, keyword = [], None
    for word in call.group(2).split():
        if word in KEYWORDS:
            keyword = word
        elif keyword == "USES":
            uses.append(word)
    return call.group(1), uses


def find_cycle(graph):
    done = set()

    def visit(node, path):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        for each in graph.get(node, ()):
            if cycle := visit(each, path + [node]):
                return cycle
        done.add(node)
        return None

    return next((cycle for node in graph if (cycle := visit(node, []))), None)


class Wall:
    def __init__(self, root, rules):
        self.root = root
        self.rank = rules["rank"]
        self.only = rules.get("only", {})
        self.never = rules.get("never", {})
        self.doors = rules.get("doors", {})
        self.third_party = rules.get("third_party", {})
        self.one_file = {prefix: [] for prefix in rules.get("one_file", {}).get("prefixes", [])}
        self.edges = {}
        self.errors = []

    def check(self):
        for folder in sorted(each for each in (self.root / "src").iterdir() if each.is_dir()):
            self.read_edges(folder)
        if cycle := find_cycle(self.edges):
            self.errors.append("src: cycle " + " -> ".join(cycle))
        for path in sorted((self.root / "src").rglob("*")):
            if path.suffix in {".h", ".cc"}:
                self.check_file(path)
            elif path.suffix in {".cpp", ".cxx", ".hpp", ".hh"}:
                self.errors.append(f"{self.name(path)}: sources end in .cc, headers in .h")
        for prefix, files in self.one_file.items():
            if len(files) > 1:
                self.errors.append(f"<{prefix}...> costs seconds to compile: one file includes it, not {' and '.join(files)}")
        return self.errors

    def name(self, path):
        return str(path.relative_to(self.root))

    def read_edges(self, folder):
        module = folder.name
        listing = folder / "CMakeLists.txt"
        where = self.name(listing)
        if module not in self.rank:
            self.errors.append(f"{self.name(folder)}: module '{module}' has no rank in tools/checks/ranks.toml")
        if not listing.exists():
            if any(folder.rglob("*.h")) or any(folder.rglob("*.cc")):
                self.errors.append(f"{where} is missing: it names what {module} may use")
            return
        declared, uses = uses_of(listing.read_text())
        if declared is None:
            if module == "app":  # the composition root is a program and sees all
                return
            self.errors.append(f"{where}: no brook_module({module} USES ...)")
            return
        if declared != module:
            self.errors.append(f"{where}: brook_module({declared}) stands in the folder of {module}")
        self.edges[module] = uses
        for used in uses:
            if used not in self.rank:
                self.errors.append(f"{where}: {module} uses '{used}', which is no module")
            elif module in self.rank and self.rank[used] >= self.rank[module]:
                self.errors.append(f"{where}: {module} (rank {self.rank[module]}) may not use {used} (rank {self.rank[used]}): a module uses "
                                   "lower ranks only, equals never use each other")
            elif used not in self.only.get(module, [used]):
                self.errors.append(f"{where}: {module} may use only {', '.join(self.only[module])}; not {used}")
            elif used in self.never.get(module, []):
                self.errors.append(f"{where}: {module} may never use {used}")

    def check_file(self, path):
        parts = path.relative_to(self.root / "src").parts
        if len(parts) < 2:
            self.errors.append(f"{self.name(path)}: a source lives in a module's folder")
            return
        owner = parts[0]
        is_test = path.stem.endswith("_test") or "testing" in parts[1:-1]
        for match in INCLUDE.finditer(path.read_text(errors="replace")):
            quote, target = match.groups()
            if quote == "<":
                self.check_library(path, owner, target, is_test)
            else:
                self.check_module(path, owner, target, is_test)

    def check_module(self, path, owner, target, is_test):
        where = self.name(path)
        if "/" not in target or target.startswith("."):
            self.errors.append(f'{where}: "{target}" is included by its module\'s path, "{owner}/{pathlib.PurePath(target).name}"')
            return
        used, *below = target.split("/")
        if used not in self.rank:
            self.errors.append(f'{where}: "{target}": there is no module \'{used}\' (libraries are included with <>)')
            return
        if below[0] == "testing" and not is_test:
            self.errors.append(f'{where}: "{target}" is a fake: only *_test.cc and testing/ may include it')
        if used == owner:
            return
        if owner != "app" and used not in self.edges.get(owner, []):
            self.errors.append(f'{where}: {owner} may not include {used} ("{target}"): it is not among the USES of src/{owner}/CMakeLists.txt')
        elif below[0] == "internal":
            self.errors.append(f'{where}: "{target}" is private to {used}')
        elif used in self.doors and below[0] != "testing" and not is_test:
            door = self.doors[used].get(owner, self.doors[used]["headers"])
            if target not in door:
                self.errors.append(f'{where}: "{target}" is private to {used}; its door is {", ".join(door)}')

    def check_library(self, path, owner, target, is_test):
        where = self.name(path)
        for prefix, files in self.one_file.items():
            if target.startswith(prefix):
                files.append(where)
        prefix = max((each for each in self.third_party if target.startswith(each)), key=len, default=None)
        if prefix is not None:
            allowed = self.third_party[prefix]
            if not ("*" in allowed or owner in allowed or (is_test and "tests" in allowed)):
                self.errors.append(f"{where}: <{target}> belongs to {', '.join(allowed)}")
        elif target.split("/")[0] in self.rank and "/" in target:
            self.errors.append(f'{where}: <{target}> is ours: "{target}"')
        elif not is_system(target):
            self.errors.append(f"{where}: <{target}> is of a library that tools/checks/ranks.toml does not name")


def is_system(target):
    return ("." not in target and "/" not in target) or target in SYSTEM_HEADERS or target.split("/")[0] in SYSTEM_FOLDERS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2], help="of the repository")
    parser.add_argument("--ranks", type=pathlib.Path, default=pathlib.Path(__file__).with_name("ranks.toml"))
    arguments = parser.parse_args()
    wall = Wall(arguments.root.resolve(), tomllib.loads(arguments.ranks.read_text()))
    errors = wall.check()
    print("\n".join(errors) if errors else f"{len(wall.edges)} modules, every include is allowed")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
