// Which variables a block makes its own, as jinja2's compiler decides it from the source.
//
// Every block with variables of its own is a frame. A name whose first mention in a frame is a
// plain assignment belongs to that frame from the start: blocks within it that read the name before
// it is assigned find it undefined, even where the context has a variable of that name. Assignments
// inside
// {% if %} do not count, nor do names that a frame around this one mentions.
#pragma once

#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "tokenizer/jinja/ast.h"

namespace hearth::jinja {

class NameFrames {
 public:
  /// A frame opens within the current one.
  void open();

  /// The newest frame closes; `block` is its tree, which must stay where it is (null: it has none).
  void close(Block* block);

  void load(NameId name);
  void store(NameId name);
  void parameter(NameId name) { current_->mentioned.try_emplace(name, false); }

  void enter_branch() { ++current_->branches; }
  void leave_branch() { --current_->branches; }

  /// Fills in the blocks' `unset`, once all is parsed.
  void resolve();

 private:
  struct Frame {
    Frame* parent = nullptr;
    Block* block = nullptr;
    int branches = 0;
    std::unordered_map<NameId, bool> mentioned;  // true: first by a plain assignment, read before
    std::unordered_set<NameId> read_within;      // by frames within this one
  };

  std::deque<Frame> frames_;
  Frame* current_ = nullptr;
};

}  // namespace hearth::jinja
