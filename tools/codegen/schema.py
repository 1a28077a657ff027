"""Reads the message notation of schemas/ (schemas/README.md describes it) into plain objects.

Nothing here knows a language or a particular message: the C++ writer (messages.py) and the tests' writer
(tests/wire/generate.py) both work from these objects.
"""
from __future__ import annotations

import dataclasses
import pathlib
import re

MAX = 32767  # "and every later version"


@dataclasses.dataclass(frozen=True)
class Versions:
    """An inclusive range; empty where first > last."""
    first: int
    last: int

    @staticmethod
    def parse(text: str) -> "Versions":
        if text == "none":
            return Versions(1, 0)
        if text.endswith("+"):
            return Versions(int(text[:-1]), MAX)
        first, _, last = text.partition("-")
        return Versions(int(first), int(last or first))

    def __bool__(self) -> bool:
        return self.first <= self.last

    def __contains__(self, version: int) -> bool:
        return self.first <= version <= self.last

    def __and__(self, other: "Versions") -> "Versions":
        return Versions(max(self.first, other.first), min(self.last, other.last))

    def covers(self, other: "Versions") -> bool:
        return not other or (self.first <= other.first and other.last <= self.last)

    def all(self):
        return range(self.first, self.last + 1)


@dataclasses.dataclass
class Field:
    name: str
    type: str                  # the element's type where `array`
    array: bool
    versions: Versions
    nullable: Versions         # the versions in which null is allowed
    default: str | None        # as written; "null", a number, true, false
    tag: int | None
    ignorable: bool
    flexible: Versions | None  # overrides the message's
    struct: "Struct | None" = None


@dataclasses.dataclass
class Struct:
    name: str
    versions: Versions
    fields: list[Field]


@dataclasses.dataclass
class Message:
    kind: str                  # request, response, header, data, coordinator-key, coordinator-value, metadata
    key: int | None
    name: str
    versions: Versions
    flexible: Versions
    root: Struct
    structs: list[Struct]      # without the root; a struct stands after those that it uses
    listeners: list[str]
    latest_unstable: bool


PRIMITIVES = {"bool", "int8", "int16", "uint16", "int32", "uint32", "int64", "float64", "string", "bytes", "uuid", "records"}

HEAD = re.compile(r"([a-z-]+)(?: (\d+))? (\w+) versions (\S+) flexible (\S+)( latest-unstable)?(?: listeners (\S+))?$")
FIELD = re.compile(r"(\w+): (\[?)(\w+)(\]?)(\?)?(?: = (\S+))?(?:  (.*))?$")
MARKS = re.compile(r"(v\d+(?:-\d+|\+)?|null \d+(?:-\d+|\+)?|tag \d+|flexible \S+|inflexible|key|ignorable|@\w+)(?: |$)")


class SchemaError(Exception):
    pass


def parse_file(path: pathlib.Path) -> list[Message]:
    messages, block = [], []
    for number, line in enumerate(path.read_text().splitlines() + [""], 1):
        if line.strip():
            block.append((f"{path.name}:{number}", line))
        elif block:
            messages.append(_message(block))
            block = []
    return messages


def _message(lines: list[tuple[str, str]]) -> Message:
    where, head = lines[0]
    match = HEAD.match(head)
    if not match:
        raise SchemaError(f"{where}: not a message line: {head}")
    kind, key, name, versions, flexible, unstable, listeners = match.groups()
    valid = Versions.parse(versions)
    root = Struct(name, valid, [])
    named: dict[str, Struct] = {}
    open_structs: list[tuple[int, Struct]] = [(0, root)]  # (indent of the struct's line, struct)
    last: Field | None = None
    for where, line in lines[1:]:
        indent = len(line) - len(line.lstrip())
        text = line.strip()
        if text.startswith("struct "):
            words = text.split()
            struct = Struct(words[1], Versions.parse(words[2][1:]) if len(words) > 2 else valid, [])
            if struct.name in named:
                raise SchemaError(f"{where}: struct {struct.name} twice")
            named[struct.name] = struct
            open_structs = [(0, root), (indent, struct)]
            continue
        while indent <= open_structs[-1][0]:
            open_structs.pop()
        parent_indent, parent = open_structs[-1]
        if indent > parent_indent + 2:  # fields of the struct that the field above names
            if last is None or last.type in PRIMITIVES or last.type in named:
                raise SchemaError(f"{where}: indented below what is no new struct")
            parent = Struct(last.type, last.versions, [])
            named[parent.name] = parent
            open_structs.append((indent - 2, parent))
        last = _field(where, text, parent)
        parent.fields.append(last)
    order: list[Struct] = []
    _link(root, named, order, name)
    if {s.name for s in order} != set(named):
        raise SchemaError(f"{name}: a struct that no field uses")
    return Message(kind, int(key) if key is not None else None, name, valid, Versions.parse(flexible), root, order,
                   listeners.split(",") if listeners else [], bool(unstable))


def _field(where: str, text: str, parent: Struct) -> Field:
    match = FIELD.match(text)
    if not match:
        raise SchemaError(f"{where}: not a field: {text}")
    name, opened, kind, closed, null, default, marks = match.groups()
    if bool(opened) != bool(closed):
        raise SchemaError(f"{where}: brackets")
    field = Field(name, kind, bool(opened), parent.versions, Versions(1, 0), default, None, False, None)
    rest = marks or ""
    while rest:
        mark = MARKS.match(rest)
        if not mark:
            raise SchemaError(f"{where}: unknown mark: {rest}")
        word, rest = mark.group(1), rest[mark.end():].strip()
        if word[0] == "v" and word[1:2].isdigit():
            field.versions = Versions.parse(word[1:]) & parent.versions
        elif word.startswith("null "):
            field.nullable = Versions.parse(word[5:])
        elif word.startswith("tag "):
            field.tag = int(word[4:])
        elif word == "ignorable":
            field.ignorable = True
        elif word == "inflexible":
            field.flexible = Versions(1, 0)
        elif word.startswith("flexible "):
            field.flexible = Versions.parse(word[9:])
    if null:
        field.nullable = Versions(0, MAX)
    return field


def _link(struct: Struct, named: dict[str, Struct], order: list[Struct], message: str) -> None:
    for field in struct.fields:
        if field.type in PRIMITIVES:
            continue
        if field.type not in named:
            raise SchemaError(f"{message}: {field.name} has the unknown type {field.type}")
        field.struct = named[field.type]
        if field.struct not in order:
            _link(field.struct, named, order, message)
            if field.struct not in order:
                order.append(field.struct)


def snake(name: str) -> str:
    """LogStartOffset -> log_start_offset, KRaftVersion -> kraft_version."""
    name = name.replace("KRaft", "Kraft")
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", name).lower()


def min_size(struct: Struct, version: int, flexible: bool) -> int:
    """The fewest bytes that a value of the struct takes in that version."""
    return sum(_min_field(f, version, flexible) for f in struct.fields if version in f.versions and f.tag is None) + flexible


def _min_field(field: Field, version: int, flexible: bool) -> int:
    if field.array:
        return 1 if flexible else 4
    return min_element(field, version, flexible)


def min_element(field: Field, version: int, flexible: bool) -> int:
    if field.struct:
        return 1 if version in field.nullable and not field.array else min_size(field.struct, version, flexible)
    return {"bool": 1, "int8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8, "float64": 8, "uuid": 16,
            "string": 1 if flexible else 2, "bytes": 1 if flexible else 4, "records": 1 if flexible else 4}[field.type]
