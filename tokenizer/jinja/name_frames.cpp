#include "tokenizer/jinja/name_frames.h"

#include <algorithm>

namespace hearth::jinja {

void NameFrames::open() {
  Frame& frame = frames_.emplace_back();
  frame.parent = current_;
  current_ = &frame;
}

void NameFrames::close(Block* block) {
  current_->block = block;
  current_ = current_->parent;
}

void NameFrames::load(NameId name) {
  current_->mentioned.try_emplace(name, false);
  for (Frame* frame = current_->parent; frame != nullptr; frame = frame->parent) {
    frame->read_within.insert(name);
  }
}

void NameFrames::store(NameId name) {
  // Without a reader before the assignment nobody could tell the difference.
  const bool plain = current_->branches == 0 && current_->read_within.count(name) != 0;
  current_->mentioned.try_emplace(name, plain);
}

void NameFrames::resolve() {
  for (const Frame& frame : frames_) {
    if (frame.block == nullptr) continue;
    for (const auto& [name, first_assigned] : frame.mentioned) {
      bool known_around = false;
      for (const Frame* outer = frame.parent; outer != nullptr; outer = outer->parent) {
        known_around |= outer->mentioned.count(name) != 0;
      }
      if (first_assigned && !known_around) frame.block->unset.push_back(name);
    }
    std::sort(frame.block->unset.begin(), frame.block->unset.end());
  }
}

}  // namespace hearth::jinja
