// Lists, dicts, ranges and views: building, looking up, slicing, iterating.
#pragma once

#include <string_view>
#include <vector>

#include "tokenizer/jinja/runtime.h"
#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

/// The value of `key`, nullptr if absent. Throws if the key cannot be hashed (a list, a dict).
const Value* find(Runtime& rt, const Dict& dict, const Value& key);
const Value* find(const Dict& dict, std::string_view key);

/// Builds a dict; setting a key again replaces its value, keeping its place.
class DictBuilder {
 public:
  explicit DictBuilder(Runtime& rt) : rt_(rt) {}
  bool set(const Value& key, const Value& value);  // true if the key is new
  Value finish();

 private:
  void grow();

  Runtime& rt_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;
};

/// Iterates any iterable value; nullptr if it is none. Texts give characters, dicts their keys.
Iterator* iterate(Runtime& rt, const Value& value);

/// The same, throwing "'int' object is not iterable".
Iterator& must_iterate(Runtime& rt, const Value& value);

/// All items of an iterable; a list or tuple is shared.
std::span<const Value> collect(Runtime& rt, const Value& value);

/// len(value); nullopt if it has none.
std::optional<std::size_t> length(Runtime& rt, const Value& value);

/// value[key], missing if there is none (out of range, no such key, not subscriptable).
Value item(Runtime& rt, const Value& value, const Value& key);

/// value[start:stop:step]; each part may be none. Missing if the value or a part is not such as can
/// be sliced.
Value slice(Runtime& rt, const Value& value, const Value& start, const Value& stop,
            const Value& step);

/// The positions that a slice of a sequence of `length` takes: from first, before end, by step.
struct SliceRange {
  std::int64_t first;
  std::int64_t end;
  std::int64_t step;
  std::size_t count;

  std::size_t at(std::size_t i) const {
    return static_cast<std::size_t>(first + static_cast<std::int64_t>(i) * step);
  }
};
SliceRange slice_range(Runtime& rt, std::size_t length, const Value& start, const Value& stop,
                       const Value& step);

Value make_range(Runtime& rt, std::int64_t start, std::int64_t stop, std::int64_t step);

/// dict.keys(), dict.values(), dict.items().
enum class ViewKind { keys, values, items };
Value make_view(Runtime& rt, const Dict& dict, ViewKind kind);

/// The sequence backwards, as reversed() gives it; missing if it cannot be.
Value reversed(Runtime& rt, const Value& value);

}  // namespace hearth::jinja
