// One rendering: its heap, its limits, and the place in the template that is being worked on.
// Every builtin gets it, makes values through it and reports errors through it.
#pragma once

#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/jinja/heap.h"
#include "tokenizer/jinja/limits.h"
#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

/// A place in the template's source, both from 1; columns count characters.
struct Position {
  int line = 1;
  int column = 1;
};

[[noreturn]] void fail_at(std::string_view template_name, Position position, std::string what);

class Runtime {
 public:
  Runtime(std::string_view template_name, const Limits& limits, std::tm now)
      : limits_(limits), template_name_(template_name), now_(now) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const Limits& limits() const { return limits_; }
  const std::tm& now() const { return now_; }
  Heap& heap() { return heap_; }

  /// Where errors are said to be. Set by the evaluator before each operation.
  void at(Position position) { position_ = position; }
  Position position() const { return position_; }

  [[noreturn]] void fail(std::string what) const;

  /// Counts work: one step per node, and one per 64 bytes looked at.
  void step(std::uint64_t steps = 1) {
    steps_ += steps;
    if (steps_ > limits_.steps) fail_steps();
  }
  void work(std::size_t bytes) { step(1 + bytes / 64); }

  /// Fails if `bytes` more would be too much memory. Ask before making a temporary of that size.
  void check_room(std::size_t bytes) const;

  /// The same for a value that is about to be made, which is also work.
  void claim(std::size_t bytes) {
    check_room(bytes);
    work(bytes);
  }

  // Values in the heap.
  Value text(std::string_view text, bool markup = false);  // copies
  Value concat(std::string_view left, std::string_view right, bool markup = false);
  Value list(std::span<const Value> items);
  Value tuple(std::span<const Value> items);
  Value undefined_because(std::string_view message);
  Value undefined_name(std::string_view name);
  Value undefined_member(const Value& owner, const Value& name);
  template <typename T, typename... Arguments>
  T* make(Arguments&&... arguments) {
    claim(sizeof(T));
    return heap_.make<T>(std::forward<Arguments>(arguments)...);
  }

  /// Guards recursion; counts until it goes out of scope.
  class Deeper {
   public:
    explicit Deeper(Runtime& rt) : rt_(rt) {
      if (++rt_.depth_ > rt_.limits_.depth) rt_.fail_depth();
    }
    ~Deeper() { --rt_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    Runtime& rt_;
  };

 private:
  [[noreturn]] void fail_steps() const;
  [[noreturn]] void fail_depth();

  Heap heap_;
  Limits limits_;
  std::string_view template_name_;
  std::tm now_;
  Position position_;
  std::uint64_t steps_ = 0;
  int depth_ = 0;
};

/// Text that is being put together, checked against the memory limit as it grows.
class TextBuilder {
 public:
  explicit TextBuilder(Runtime& rt) : rt_(rt) {}
  void append(std::string_view text) {
    if (text_.size() + text.size() > text_.capacity()) {
      rt_.check_room(2 * (text_.size() + text.size()));
    }
    rt_.work(text.size());
    text_.append(text);
  }
  std::size_t size() const { return text_.size(); }
  Value finish(bool markup = false) { return rt_.text(text_, markup); }

 private:
  Runtime& rt_;
  std::string text_;
};

/// Items that are being collected, checked likewise.
class ListBuilder {
 public:
  explicit ListBuilder(Runtime& rt) : rt_(rt) {}
  void append(const Value& value) {
    rt_.step();
    if (items_.size() == items_.capacity()) {
      rt_.check_room((2 * items_.size() + 1) * sizeof(Value));
    }
    items_.push_back(value);
  }
  std::vector<Value>& items() { return items_; }
  Value list() { return rt_.list(items_); }
  Value tuple() { return rt_.tuple(items_); }

 private:
  Runtime& rt_;
  std::vector<Value> items_;
};

}  // namespace hearth::jinja
