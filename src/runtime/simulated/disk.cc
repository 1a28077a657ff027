#include "runtime/simulated/disk.h"

#include <utility>

namespace brook::runtime::simulated {
namespace {

void change_entries(std::map<std::string, DiskNode::Ptr, std::less<>>& entries,
                    const DiskNode::EntryChange& change) {
  if (!change.renamed.empty()) entries.erase(change.renamed);
  if (change.linked) {
    entries.insert_or_assign(change.name, change.linked);
  } else {
    entries.erase(change.name);
  }
}

/// Calls `call(path, node)` for all below `node`, each once.
template <class Call>
void visit(const DiskNode::Ptr& node, const std::string& path, Call& call) {
  for (const auto& [name, child] : node->entries) {
    const std::string own = path + "/" + name;
    call(own, child);
    if (child->is_directory) visit(child, own, call);
  }
}

void cut_power_below(DiskNode& node, World& world) {
  if (!node.is_directory) {
    node.data.cut_power(world);
    node.sync_error_untold = false;
    return;
  }
  // Nothing of them, all, or some: a file system keeps their order.
  const std::size_t all = node.entry_changes.size();
  const std::uint64_t mood = world.draw(3);
  std::size_t kept = 0;
  if (mood == 1) kept = all;
  if (mood == 2) kept = world.draw(all + 1);
  node.make_entries_durable(node.entries_changed - all + kept);
  node.entry_changes.clear();
  node.entries = node.durable_entries;
  for (const auto& [name, child] : node.entries) cut_power_below(*child, world);
}

}  // namespace

void DiskNode::change_entry(EntryChange change) {
  change_entries(entries, change);
  entry_changes.push_back(std::move(change));
  ++entries_changed;
}

void DiskNode::make_entries_durable(std::uint64_t changed) {
  const std::uint64_t durable = entries_changed - entry_changes.size();
  const std::size_t count = changed <= durable ? 0 : static_cast<std::size_t>(changed - durable);
  for (std::size_t i = 0; i < count; ++i) change_entries(durable_entries, entry_changes[i]);
  entry_changes.erase(entry_changes.begin(), entry_changes.begin() + static_cast<std::ptrdiff_t>(count));
}

void Disk::cut_power() {
  ++power_cuts_;
  cut_power_below(*root_, world_);
}

void Disk::at_change(std::uint64_t changes, std::function<void()> call) {
  fatal_change_ = changes_ + 1 + changes;
  at_fatal_change_ = std::move(call);
}

bool Disk::rot(const std::string& directory, std::string_view suffix) {
  const DiskNode::Ptr base = find(directory);
  if (!base) return false;
  std::vector<DiskNode::Ptr> files;
  const auto collect = [&](const std::string& path, const DiskNode::Ptr& node) {
    if (!node->is_directory && path.ends_with(suffix) && !node->data.content().empty()) files.push_back(node);
  };
  visit(base, directory, collect);
  if (files.empty()) return false;
  FileData& data = files[world_.draw(files.size())]->data;
  const std::size_t at = world_.draw(data.content().size());
  const std::byte flipped = data.content()[at] ^ std::byte{static_cast<unsigned char>(1U << world_.draw(8))};
  data.write(at, {&flipped, 1});
  data.make_durable(data.changed());
  return true;
}

void Disk::sync_all() {
  root_->make_entries_durable(root_->entries_changed);
  const auto sync = [](const std::string&, const DiskNode::Ptr& node) {
    node->data.make_durable(node->data.changed());
    node->make_entries_durable(node->entries_changed);
  };
  visit(root_, "", sync);
}

void Disk::lose_all() {
  const auto lose = [this](const std::string&, const DiskNode::Ptr& node) {
    if (node->is_directory) return;
    node->sync_error_untold = node->sync_error_untold || !node->data.all_durable();
    node->data.lose_changes(node->data.changed(), world_);
  };
  visit(root_, "", lose);
}

std::uint64_t Disk::used() const {
  std::uint64_t total = 0;
  const auto add = [&](const std::string&, const DiskNode::Ptr& node) {
    total += node->data.content().size();
  };
  visit(root_, "", add);
  return total;
}

DiskNode::Ptr Disk::find(std::string_view path) const {
  DiskNode::Ptr node = root_;
  while (node && !path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (name.empty() || name == ".") continue;
    const auto at = node->entries.find(name);
    node = at == node->entries.end() ? nullptr : at->second;
  }
  return node;
}

Disk::Place Disk::place_of(std::string_view path) const {
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  const bool bare = slash == std::string_view::npos;
  return {find(bare ? std::string_view{} : path.substr(0, slash)),
          std::string(bare ? path : path.substr(slash + 1))};
}

void Disk::change(const std::function<void()>& partly, const std::function<void()>& wholly) {
  if (++changes_ != fatal_change_) {
    wholly();
    return;
  }
  const auto call = std::exchange(at_fatal_change_, {});
  const std::uint64_t moment = world_.draw(3);
  if (moment == 1) partly();
  if (moment == 2) wholly();
  call();
}

}  // namespace brook::runtime::simulated
