#!/usr/bin/env python3
"""A flame graph of a running process, as an SVG: `flamegraph.py PID SECONDS OUT.svg [TITLE]`. Needs Linux perf.

Width is the share of processor time, a box stands on its caller. The kernel's functions have another colour. Boxes narrower than a
pixel are left out; the whole name is in each box's tooltip.
"""

import collections
import html
import pathlib
import re
import subprocess
import sys
import tempfile

WIDTH, ROW, MARGIN, FONT = 1200, 17, 10, 11
KERNEL, PROGRAM = "#8fb4d9", "#e8a667"
SKIPPED = ("entry_SYSCALL", "do_syscall_64", "__libc_start", "_start", "[unknown]", "start_thread", "clone3", "__clone")


class Frame:
    def __init__(self, name, is_kernel):
        self.name, self.is_kernel = name, is_kernel
        self.samples, self.callees = 0, {}


def stacks(text):
    """Each sample's frames, outermost first: (name, is_kernel)."""
    for block in text.split("\n\n"):
        frames = []
        for line in block.splitlines()[1:]:
            match = re.match(r"\s+[0-9a-f]+ (.*) \((.*)\)$", line)
            if match:
                frames.append((readable(match[1]), "kernel" in match[2]))
        frames = [frame for frame in reversed(frames) if not frame[0].startswith(SKIPPED)]
        if frames:
            yield frames


def readable(symbol):
    """Without offset, template arguments and parameters; lambdas and coroutines keep the function that they stand in."""
    symbol = symbol.rsplit("+0x", 1)[0]
    previous = None
    while previous != symbol:
        previous = symbol
        symbol = re.sub(r"<[^<>]*>", "", symbol)
    while previous != (symbol := re.sub(r"\((?!anonymous)[^()]*\)", "", symbol)):
        previous = symbol
    symbol = symbol.replace("(anonymous namespace)::", "").replace("brook::", "").replace(" const", "")
    return symbol.split(" ")[-1] or "?"


def tree(samples):
    root = Frame("all", False)
    for frames in samples:
        at = root
        at.samples += 1
        for name, is_kernel in frames:
            at = at.callees.setdefault((name, is_kernel), Frame(name, is_kernel))
            at.samples += 1
    return root


def depth_of(frame, least):
    return 1 + max((depth_of(callee, least) for callee in frame.callees.values() if callee.samples >= least), default=0)


def draw(root, title):
    least = root.samples / WIDTH
    rows = depth_of(root, least)
    height = rows * ROW + 3 * MARGIN + ROW
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 2 * MARGIN} {height}" font-family="monospace" font-size="{FONT}">',
           f'<rect width="100%" height="100%" fill="#fbfaf7"/><text x="{MARGIN}" y="{MARGIN + FONT}" font-size="14">{html.escape(title)}</text>']

    def box(frame, x, row):
        width = frame.samples / root.samples * WIDTH
        y = height - MARGIN - (row + 1) * ROW
        share = frame.samples / root.samples
        out.append(f'<g><title>{html.escape(frame.name)}: {share:.1%}</title><rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}" '
                   f'fill="{KERNEL if frame.is_kernel else PROGRAM}" rx="1"/>')
        room = int((width - 6) / (FONT * 0.6))
        if room >= 3:
            name = frame.name if len(frame.name) <= room else frame.name[:room - 1] + "…"
            out.append(f'<text x="{x + 3:.1f}" y="{y + ROW - 5}" fill="#1c1b19">{html.escape(name)}</text>')
        out.append("</g>")
        for callee in sorted(frame.callees.values(), key=lambda each: each.name):
            if callee.samples >= least:
                box(callee, x, row + 1)
            x += callee.samples / root.samples * WIDTH

    box(root, MARGIN, 0)
    out.append("</svg>")
    return "\n".join(out) + "\n"


def shares(root):
    """Functions by the share of samples that have them anywhere in the stack."""
    total = collections.Counter()

    def walk(frame, above):
        if frame.name not in above:
            total[frame.name] += frame.samples
        for callee in frame.callees.values():
            walk(callee, above | {frame.name})

    walk(root, frozenset())
    return [(name, count / root.samples) for name, count in total.most_common()]


def record(pid, seconds):
    with tempfile.TemporaryDirectory(prefix="flamegraph-") as folder:
        data = f"{folder}/perf.data"
        subprocess.run(["perf", "record", "-q", "-g", "-F", "1999", "-o", data, "-p", str(pid), "--", "sleep", str(seconds)], check=True)
        return subprocess.run(["perf", "script", "-i", data, "-F", "comm,ip,sym,dso"], check=True, capture_output=True, text=True).stdout


def main(arguments):
    if len(arguments) not in (3, 4):
        sys.exit(__doc__)
    root = tree(stacks(record(int(arguments[0]), float(arguments[1]))))
    if root.samples == 0:
        sys.exit("flamegraph: the process used no processor time")
    pathlib.Path(arguments[2]).write_text(draw(root, arguments[3] if len(arguments) == 4 else f"process {arguments[0]}"))
    for name, share in shares(root)[:40]:
        print(f"{share:6.1%}  {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
