#!/usr/bin/env python3
"""Fails where a file of src/ calls what our own interfaces stand for: "X is banned, use Y".

A use that is right in its place says so in a comment on its line or the line above: `// bans: allow <why>`.
A *_test.cc may do what a test needs; it may not sleep.
"""

import argparse
import dataclasses
import pathlib
import re
import sys

LINES_MAX = 800  # a warning: a file has grown a second subject
ALLOW = re.compile(r"//\s*bans:\s*allow\b[ \t]*(.*)")


@dataclasses.dataclass(frozen=True)
class Ban:
    pattern: re.Pattern
    instead: str
    allowed_in: frozenset
    in_tests: bool = False


def ban(pattern, instead, allowed_in=("runtime",), in_tests=False):
    return Ban(re.compile(pattern), instead, frozenset(allowed_in), in_tests)


# A C function as a call: not a member, not a name of ours in another namespace.
def call(*names):
    return r"(?:(?<![\w.:>])|(?<=std::)|(?<![\w>:])::)(?:" + "|".join(names) + r")\s*\("


# The same for a name that a method of ours may have too: only with std:: or :: before it. The ban of the header catches the rest.
def qualified_call(*names):
    return r"(?:\bstd::|(?<![\w>:])::)(?:" + "|".join(names) + r")\s*\("


BANS = (
    ban(r"\b(?:steady|system|high_resolution|utc|tai|file)_clock\s*::\s*now\b", "runtime::Clock, which is handed in"),
    ban(call("clock_gettime", "gettimeofday", "localtime(?:_r)?", r"time(?=\s*\(\s*(?:nullptr|NULL|0|&))"), "runtime::Clock, which is handed in"),
    ban(r"\bstd::this_thread\b|" + call("usleep", "nanosleep", "sleep(?=\\s*\\(\\s*\\d)"), "Clock::sleep_until, or wait for the event", in_tests=True),
    ban(r"\bstd::(?:jthread|thread|async|packaged_task)\b|" + call("pthread_\\w+", "fork", "vfork"), "a Shard or the file pool"),
    ban(r"\bstd::(?:\w*mutex|condition_variable\w*|lock_guard|unique_lock|scoped_lock|shared_lock|counting_semaphore|latch|barrier)\b",
        "one shard that owns the data (Shard::run); std::atomic for counters"),
    ban(r"\bthread_local\b", "what a Shard owns"),
    ban(r"\bstd::(?:i|o)?fstream\b|\bstd::basic_\w*fstream\b", "runtime::FileSystem"),
    ban(call("fopen", "freopen", "openat", "creat", "pread", "pwrite", "preadv", "pwritev", "fsync", "fdatasync", "ftruncate", "mmap",
             "unlink", "opendir", "statvfs", "flock"), "runtime::FileSystem and runtime::File"),
    ban(qualified_call("open", "close", "read", "write", "rename", "remove", "mkdir", "truncate", "stat"),
        "runtime::FileSystem and runtime::File"),
    ban(r"\bstd::filesystem::(?!path\b)\w+|\bnamespace\s+\w+\s*=\s*std::filesystem\b", "runtime::FileSystem"),
    ban(qualified_call("socket", "listen", "accept4?", "connect", "recv", "send", "sendfile", "poll", "epoll_\\w+", "getaddrinfo"),
        "runtime's Stream and Listener"),
    ban(r"#\s*include\s*<(?:sys/\w+\.h|netinet/[\w./]+|arpa/inet\.h|netdb\.h|pthread\.h|poll\.h|fcntl\.h|unistd\.h|dirent\.h|signal\.h)>",
        "runtime's interfaces"),
    ban(r"\bstd::random_device\b|" + call("rand", "srand", "drand48", "getrandom", "arc4random\\w*", "RAND_bytes"), "runtime::Random"),
    ban(call("popen", "sigaction") + "|" + qualified_call("system", "signal"), "runtime::Host"),
    ban(call("memcpy", "memmove"), "copy_bytes, load_be and store_be of base/bytes.h", ("base",)),
    ban(r"\breinterpret_cast\b", "as_bytes, as_chars and the readers of base/", ("base", "net")),
    ban(r"\bstd::c(?:out|err)\b|" + call("printf", "fprintf", "puts"), "log::info and its like", ("base", "app", "cli")),
    ban(r"(?<![\w.])assert\s*\(", "BROOK_ASSERT, which is on in release too", ()),
)


def blank_comments_and_strings(text):
    """The text with every comment, string and character literal blanked; lines stay where they are."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'|"(?:\\.|[^"\\\n])*"', re.S)
    return token.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def check_file(path, name, module):
    """Errors and warnings of one file."""
    text = path.read_text(errors="replace")
    is_test = path.stem.endswith("_test")
    errors, warnings = [], []
    lines = text.split("\n")
    if len(lines) > LINES_MAX:
        warnings.append(f"{name}: {len(lines)} lines, more than {LINES_MAX}: does it still have one subject?")
    code = blank_comments_and_strings(text).split("\n")
    for number, line in enumerate(code, 1):
        for each in BANS:
            if module in each.allowed_in or (is_test and not each.in_tests):
                continue
            match = each.pattern.search(line)
            if match is None:
                continue
            allowances = [found for near in lines[max(0, number - 2):number] if (found := ALLOW.search(near))]
            if not allowances:
                errors.append(f"{name}:{number}: {match.group().strip().rstrip('(').strip()} is banned, use {each.instead}")
            elif not any(found.group(1).strip() for found in allowances):
                errors.append(f"{name}:{number}: `bans: allow` needs its reason")
    return errors, warnings


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2], help="of the repository")
    root = parser.parse_args().root.resolve()
    errors, warnings, count = [], [], 0
    for path in sorted((root / "src").rglob("*")):
        if path.suffix in {".h", ".cc"}:
            count += 1
            found, noticed = check_file(path, str(path.relative_to(root)), path.relative_to(root / "src").parts[0])
            errors += found
            warnings += noticed
    for warning in warnings:
        print("warning:", warning)
    print("\n".join(errors) if errors else f"{count} files, nothing banned")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
