#include "keeper/internal/encoding.h"

#include <utility>

namespace brook::keeper::internal {
namespace {

enum class Tag : std::uint8_t { kCreate = 1, kSet = 2, kRemove = 3, kCheck = 4 };

void write_version(Writer& writer, std::optional<Version> version) {
  writer.integer<std::uint8_t>(version ? 1 : 0);
  writer.integer<std::int32_t>(version.value_or(0));
}

std::optional<Version> read_version(Reader& reader) {
  const bool present = reader.integer<std::uint8_t>() != 0;
  const auto value = reader.integer<std::int32_t>();
  return present ? std::optional(value) : std::nullopt;
}

void write(Writer& writer, const CreateOp& op) {
  writer.integer(std::to_underlying(Tag::kCreate));
  writer.text(op.path);
  writer.text(op.data);
  writer.integer(static_cast<std::uint8_t>(op.mode));
}
void write(Writer& writer, const SetOp& op) {
  writer.integer(std::to_underlying(Tag::kSet));
  writer.text(op.path);
  writer.text(op.data);
  write_version(writer, op.version);
}
void write(Writer& writer, const RemoveOp& op) {
  writer.integer(std::to_underlying(Tag::kRemove));
  writer.text(op.path);
  write_version(writer, op.version);
}
void write(Writer& writer, const CheckOp& op) {
  writer.integer(std::to_underlying(Tag::kCheck));
  writer.text(op.path);
  write_version(writer, op.version);
}

std::optional<Operation> read_operation(Reader& reader) {
  switch (static_cast<Tag>(reader.integer<std::uint8_t>())) {
    case Tag::kCreate: {
      CreateOp op{reader.text(), reader.text(), CreateMode::kPersistent};
      const auto mode = reader.integer<std::uint8_t>();
      if (mode > 3) return std::nullopt;
      op.mode = static_cast<CreateMode>(mode);
      return op;
    }
    case Tag::kSet:
      return SetOp{reader.text(), reader.text(), read_version(reader)};
    case Tag::kRemove:
      return RemoveOp{reader.text(), read_version(reader)};
    case Tag::kCheck:
      return CheckOp{reader.text(), read_version(reader)};
  }
  return std::nullopt;
}

}  // namespace

void write_proposal(Writer& writer, const Proposal& proposal) {
  writer.integer(proposal.zxid.value());
  writer.integer(proposal.time.value());
  writer.integer(proposal.session.value());
  writer.integer<std::uint8_t>(proposal.closes_session ? 1 : 0);
  writer.integer(static_cast<std::uint32_t>(proposal.operations.size()));
  for (const Operation& operation : proposal.operations) {
    std::visit([&](const auto& op) { write(writer, op); }, operation);
  }
}

std::optional<Proposal> read_proposal(Reader& reader) {
  Proposal proposal;
  proposal.zxid = Zxid(reader.integer<std::int64_t>());
  proposal.time = Timestamp(reader.integer<std::int64_t>());
  proposal.session = SessionId(reader.integer<std::int64_t>());
  proposal.closes_session = reader.integer<std::uint8_t>() != 0;
  for (auto left = reader.integer<std::uint32_t>(); left > 0; --left) {
    auto operation = read_operation(reader);
    if (!operation || !reader.ok()) return std::nullopt;
    proposal.operations.push_back(*std::move(operation));
  }
  if (!reader.ok()) return std::nullopt;
  return proposal;
}

void write_node(Writer& writer, const std::string& path, const Tree::Node& node) {
  writer.text(path);
  writer.text(node.data);
  writer.integer(node.stat.czxid.value());
  writer.integer(node.stat.mzxid.value());
  writer.integer(node.stat.pzxid.value());
  writer.integer(node.stat.ctime.value());
  writer.integer(node.stat.mtime.value());
  writer.integer(node.stat.version);
  writer.integer(node.stat.aversion);
  writer.integer(node.children_created);
  writer.integer<std::uint8_t>(node.stat.ephemeral_owner ? 1 : 0);
  writer.integer(node.stat.ephemeral_owner.value_or(SessionId(0)).value());
}

Tree::Node read_node(Reader& reader, std::string& path) {
  Tree::Node node;
  path = reader.text();
  node.data = reader.text();
  node.stat.czxid = Zxid(reader.integer<std::int64_t>());
  node.stat.mzxid = Zxid(reader.integer<std::int64_t>());
  node.stat.pzxid = Zxid(reader.integer<std::int64_t>());
  node.stat.ctime = Timestamp(reader.integer<std::int64_t>());
  node.stat.mtime = Timestamp(reader.integer<std::int64_t>());
  node.stat.version = reader.integer<std::int32_t>();
  node.stat.aversion = reader.integer<std::int32_t>();
  node.children_created = reader.integer<std::int32_t>();
  const bool ephemeral = reader.integer<std::uint8_t>() != 0;
  const auto owner = reader.integer<std::int64_t>();
  if (ephemeral) node.stat.ephemeral_owner = SessionId(owner);
  return node;
}

}  // namespace brook::keeper::internal
