#include "engine/runtime/stop_strings.h"

#include <algorithm>
#include <queue>

#include "base/error.h"

namespace hearth {
namespace {

std::size_t byte_of(char c) {
  return static_cast<unsigned char>(c);
}

}  // namespace

StopStrings::StopStrings(const std::vector<std::string>& stops) : nodes_(1) {
  for (const std::string& stop : stops) add(stop);
  link();
}

// The trie. 0, the root, stands for "no child" until link().
void StopStrings::add(std::string_view stop) {
  constexpr std::size_t kMostNodes = 16384;  // a node is 1 KB
  if (stop.empty()) {
    throw Error(Error::Parts{
        .where = "stop", .what = "empty stop string", .expected = "some text", .got = {}});
  }
  std::int32_t at = 0;
  for (const char c : stop) {
    std::int32_t child = nodes_[static_cast<std::size_t>(at)].next[byte_of(c)];
    if (child == 0) {
      if (nodes_.size() == kMostNodes) {
        throw Error(Error::Parts{.where = "stop",
                                 .what = "the stop strings are too long",
                                 .expected = "at most 16383 bytes together",
                                 .got = {}});
      }
      child = static_cast<std::int32_t>(nodes_.size());
      nodes_[static_cast<std::size_t>(at)].next[byte_of(c)] = child;
      const std::int32_t depth = nodes_[static_cast<std::size_t>(at)].depth + 1;
      nodes_.push_back(Node{});
      nodes_.back().depth = depth;
    }
    at = child;
  }
  nodes_[static_cast<std::size_t>(at)].match = static_cast<std::int32_t>(stop.size());
}

// Breadth first: a node's missing transitions are those of its fallback, the node of the longest
// proper suffix, which is less deep and thus complete.
void StopStrings::link() {
  std::vector<std::int32_t> fallback(nodes_.size(), 0);
  std::queue<std::int32_t> open;
  open.push(0);
  while (!open.empty()) {
    const std::int32_t at = open.front();
    open.pop();
    Node& node = nodes_[static_cast<std::size_t>(at)];
    const Node& shorter = nodes_[static_cast<std::size_t>(fallback[static_cast<std::size_t>(at)])];
    if (node.match == 0) node.match = shorter.match;
    for (std::size_t byte = 0; byte < node.next.size(); ++byte) {
      const std::int32_t child = node.next[byte];
      if (child == 0) {
        node.next[byte] = shorter.next[byte];
      } else {
        fallback[static_cast<std::size_t>(child)] = at == 0 ? 0 : shorter.next[byte];
        open.push(child);
      }
    }
  }
}

std::string StopStrings::push(std::string_view text) {
  if (found_) return {};
  for (const char c : text) {
    held_.push_back(c);
    state_ = nodes_[static_cast<std::size_t>(state_)].next[byte_of(c)];
    const std::int32_t match = nodes_[static_cast<std::size_t>(state_)].match;
    if (match > 0) {
      found_ = true;
      std::string shown = held_.substr(0, held_.size() - static_cast<std::size_t>(match));
      held_.clear();
      return shown;
    }
  }
  const auto keep = static_cast<std::size_t>(nodes_[static_cast<std::size_t>(state_)].depth);
  std::string shown = held_.substr(0, held_.size() - keep);
  held_.erase(0, shown.size());
  return shown;
}

std::string StopStrings::finish() {
  std::string shown = std::move(held_);
  reset();
  return shown;
}

void StopStrings::reset() {
  state_ = 0;
  held_.clear();
  found_ = false;
}

}  // namespace hearth
