"""What a power cut leaves of a directory, made of the journal that power_cut.c wrote and of chance.

It leaves of a file what was synced and, of each page, any state that it was in since, the last change perhaps torn at any byte; of a
directory what was synced and any beginning of what was created, renamed and removed in it since. docs/simulation.md has the same disk.
"""

import pathlib
import shutil
import struct

PAGE = 4096
PAGE_CACHE, EARLIER_BOOT = ".brook_page_cache", b"an earlier boot"
HEAD = struct.Struct("=IIIIQ")
WRITE, TRUNCATE, CREATE, MAKE_DIRECTORY, RENAME, REMOVE, SYNC_BEGINS, SYNC_ALL_BEGINS, SYNC_DONE, EXTEND = range(1, 11)


class File:
    def __init__(self, content=b""):
        self.durable, self.size = bytearray(content), len(content)
        self.changes, self.changed = [], 0  # since it was synced: (position, bytes), or (size, None); of how many in all

    def write(self, position, data):
        self.size = max(self.size, position + len(data))
        self._change(position, data)

    def truncate(self, size):
        self.size = size
        self._change(size, None)

    def extend(self, size):
        if size > self.size:
            self.truncate(size)

    def _change(self, position, data):
        self.changes.append((position, data))
        self.changed += 1

    def make_durable(self, changed):
        count = len(self.changes) - (self.changed - changed)
        for position, data in self.changes[:max(0, count)]:
            apply(self.durable, position, data)
        del self.changes[:max(0, count)]

    def left(self, chance):
        """Its content after the cut."""
        count, left = len(self.changes), bytearray(self.durable)
        mood = chance.choice(("nothing", "all", "any"))
        if mood == "nothing":
            return left
        versions = {}  # page -> how many changes the disk has of it
        for number, (position, data) in enumerate(self.changes, 1):
            if data is None:
                if mood == "any" and chance.randrange(3) == 0:
                    break
                apply(left, position, None)
                continue
            if mood == "all":
                apply(left, position, data)
                continue
            at = 0
            while at < len(data):
                page, within = divmod(position + at, PAGE)
                piece = min(len(data) - at, PAGE - within)
                version = versions.setdefault(page, chance.randrange(count + 1))
                if version >= number:
                    # torn where it is the last that the disk has
                    apply(left, position + at, data[at:at + (chance.randrange(piece + 1) if version == number else piece)])
                at += piece
        return left


def apply(content, position, data):
    if data is None:
        del content[position:]
    if data != b"" and len(content) < position:
        content.extend(bytes(position - len(content)))
    if data:
        content[position:position + len(data)] = data


class Directory:
    def __init__(self, entries=None):
        self.entries = dict(entries or {})
        self.durable = dict(self.entries)
        self.changes, self.changed = [], 0  # (name, what it calls now or None, the name that goes or None)

    def change(self, name, node, gone=None):
        change_entry(self.entries, name, node, gone)
        self.changes.append((name, node, gone))
        self.changed += 1

    def make_durable(self, changed):
        count = len(self.changes) - (self.changed - changed)
        for change in self.changes[:max(0, count)]:
            change_entry(self.durable, *change)
        del self.changes[:max(0, count)]

    def left(self, chance):
        """Its entries after the cut."""
        left = dict(self.durable)
        for change in self.changes[:chance.randrange(len(self.changes) + 1)]:
            change_entry(left, *change)
        return left


def change_entry(entries, name, node, gone):
    if gone is not None:
        entries.pop(gone, None)
    if node is None:
        entries.pop(name, None)
    else:
        entries[name] = node


class Disk:
    """One directory, of which everything is on the disk at first. `told` is what happened to it, for a report."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.root = read(self.path) if self.path.exists() else Directory()
        self.told = {"entries": 0, "synced": 0}

    def replay(self, journal):
        data = pathlib.Path(journal).read_bytes()
        at, syncs = 0, {}
        while at + HEAD.size <= len(data):
            kind, path_size, second_size, data_size, number = HEAD.unpack_from(data, at)
            begin = at + HEAD.size
            at = begin + path_size + second_size + data_size
            if at > len(data):
                break  # The kill came while it was written: its call had not returned.
            path = data[begin:begin + path_size].decode()
            second = data[begin + path_size:begin + path_size + second_size].decode()
            self._do(kind, path, second, number, data[at - data_size:at], syncs)
            self.told["entries"] += 1

    def _do(self, kind, path, second, number, data, syncs):
        if kind == SYNC_DONE:
            for node, changed in syncs.pop(number):
                node.make_durable(changed)
            self.told["synced"] += 1
            return
        if path.endswith(" (deleted)"):
            if kind == SYNC_BEGINS:
                syncs[number] = []
            return
        if kind == SYNC_ALL_BEGINS:
            syncs[number] = [(node, node.changed) for node in nodes(self.root)]
        elif kind == SYNC_BEGINS:
            node = self._find(path)
            syncs[number] = [(node, node.changed)]
        elif kind == WRITE:
            self._find(path).write(number, data)
        elif kind == TRUNCATE:
            self._find(path).truncate(number)
        elif kind == EXTEND:
            self._find(path).extend(number)
        elif kind in (CREATE, MAKE_DIRECTORY, REMOVE):
            parent, name = self._place(path)
            parent.change(name, {CREATE: File, MAKE_DIRECTORY: Directory}[kind]() if kind != REMOVE else None)
        elif kind == RENAME:
            (source, old), (target, new) = self._place(path), self._place(second)
            node = source.entries[old]
            if source is target:
                source.change(new, node, old)
            else:
                target.change(new, node)
                source.change(old, None)
        else:
            raise ValueError(f"an entry of kind {kind}")

    def _parts(self, path):
        return pathlib.PurePath(path).relative_to(self.path).parts

    def _find(self, path):
        node = self.root
        for part in self._parts(path):
            node = node.entries[part]
        return node

    def _place(self, path):
        *above, name = self._parts(path)
        node = self.root
        for part in above:
            node = node.entries[part]
        return node, name

    def cut_power(self, chance):
        """Writes what is left in place of the directory, and goes on from there."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        self.root = leave(self.root, self.path, chance)
        start_machine(self.root, self.path)


def start_machine(directory, path):
    """What names the boot it was written in names an earlier one: the kernel of this machine goes on in truth."""
    for name, node in directory.entries.items():
        if isinstance(node, Directory):
            start_machine(node, path / name)
        elif name == PAGE_CACHE:
            (path / name).write_bytes(EARLIER_BOOT)
            node.durable, node.size, node.changes = bytearray(EARLIER_BOOT), len(EARLIER_BOOT), []


def read(path):
    return Directory({each.name: read(each) if each.is_dir() else File(each.read_bytes()) for each in path.iterdir()})


def nodes(node):
    yield node
    if isinstance(node, Directory):
        for child in list(node.entries.values()):
            yield from nodes(child)


def leave(node, path, chance):
    if isinstance(node, File):
        content = node.left(chance)
        path.write_bytes(content)
        return File(content)
    path.mkdir(exist_ok=True)
    return Directory({name: leave(child, path / name, chance) for name, child in sorted(node.left(chance).items())})
