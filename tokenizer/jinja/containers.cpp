#include "tokenizer/jinja/containers.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/utf8.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

constexpr std::size_t kLinearEntries = 8;  // up to here a scan is quicker than a hash

std::uint64_t mix(std::uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xFF51AFD7ED558CCDULL;
  hash ^= hash >> 33;
  return hash;
}

std::uint64_t hash_text(std::string_view text) {
  return mix(std::hash<std::string_view>{}(text));
}

/// Equal values have equal hashes: 1, 1.0 and true are one key.
std::uint64_t hash_value(Runtime& rt, const Value& value) {
  switch (value.kind()) {
    case Kind::string:
      rt.work(value.text().size());
      return hash_text(value.text());
    case Kind::boolean:
    case Kind::integer:
    case Kind::floating: {
      const double number = value.floating() == 0 ? 0.0 : value.floating();
      return mix(std::bit_cast<std::uint64_t>(number));
    }
    case Kind::tuple: {
      const Runtime::Deeper deeper(rt);
      std::uint64_t hash = value.items().size();
      for (const Value& item : value.items()) hash = mix(hash * 31 + hash_value(rt, item));
      return hash;
    }
    case Kind::list:
    case Kind::dict:
      rt.fail(fmt::format("unhashable type: '{}'", type_name(value)));
    case Kind::object:
      return 1;
    default:
      return 2;
  }
}

/// Calls `is_key(entry number)` for the candidates of `hash` until it says yes; -1 if none does.
template <typename IsKey>
std::ptrdiff_t probe(std::span<const std::uint32_t> slots, std::uint64_t hash, IsKey is_key) {
  const std::size_t mask = slots.size() - 1;
  for (std::size_t slot = hash & mask; slots[slot] != 0; slot = (slot + 1) & mask) {
    if (is_key(slots[slot] - 1)) return static_cast<std::ptrdiff_t>(slots[slot] - 1);
  }
  return -1;
}

std::ptrdiff_t find_entry(Runtime& rt, std::span<const Entry> entries,
                          std::span<const std::uint32_t> slots, const Value& key) {
  if (!slots.empty()) {
    return probe(slots, hash_value(rt, key),
                 [&](std::size_t i) { return equals(rt, entries[i].key, key); });
  }
  if (!key.is_text()) hash_value(rt, key);  // refuses what cannot be a key
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (equals(rt, entries[i].key, key)) return static_cast<std::ptrdiff_t>(i);
  }
  return -1;
}

struct ItemsIterator final : Iterator {
  std::span<const Value> items;
  std::string_view type;
  std::size_t next_item = 0;

  ItemsIterator(std::span<const Value> from, std::string_view name) : items(from), type(name) {}
  std::string_view type_name() const override { return type; }
  bool next(Runtime& rt, Value& out) override {
    rt.step();
    if (next_item == items.size()) return false;
    out = items[next_item++];
    return true;
  }
};

struct CharacterIterator final : Iterator {
  std::string_view rest;

  explicit CharacterIterator(std::string_view text) : rest(text) {}
  std::string_view type_name() const override { return "str_iterator"; }
  bool next(Runtime& rt, Value& out) override {
    rt.step();
    if (rest.empty()) return false;
    const std::size_t bytes = utf8::decode_one(rest).length;
    out = Value::of_text(rest.substr(0, bytes));
    rest.remove_prefix(bytes);
    return true;
  }
};

struct EntryIterator final : Iterator {
  const Dict* dict;
  ViewKind kind;
  std::size_t next_entry = 0;

  EntryIterator(const Dict* from, ViewKind what) : dict(from), kind(what) {}
  std::string_view type_name() const override { return "dict_iterator"; }
  bool next(Runtime& rt, Value& out) override {
    rt.step();
    if (next_entry == dict->entries.size()) return false;
    const Entry& entry = dict->entries[next_entry++];
    if (kind == ViewKind::items) {
      const Value pair[] = {entry.key, entry.value};
      out = rt.tuple(pair);
    } else {
      out = kind == ViewKind::keys ? entry.key : entry.value;
    }
    return true;
  }
};

struct View final : Object {
  const Dict* dict;
  ViewKind kind;

  View(const Dict* of, ViewKind what) : dict(of), kind(what) {}
  std::string_view type_name() const override {
    constexpr std::string_view kNames[] = {"dict_keys", "dict_values", "dict_items"};
    return kNames[static_cast<int>(kind)];
  }
  std::string repr(Runtime& rt) const override {
    return fmt::format("{}({})", type_name(),
                       jinja::repr(rt, Value::of_list(collect(rt, Value::of_object(copy(rt))))));
  }
  std::optional<std::size_t> length(Runtime&) override { return dict->entries.size(); }
  Iterator* iterate(Runtime& rt) override { return rt.make<EntryIterator>(dict, kind); }
  bool reversible() const override { return true; }
  bool equals(Runtime& rt, const Object& other) override {
    const auto* view = dynamic_cast<const View*>(&other);
    if (view == nullptr || view->kind != kind || kind == ViewKind::values) return this == &other;
    if (view->dict->entries.size() != dict->entries.size()) return false;
    for (const Entry& entry : dict->entries) {
      const Value* found = find(rt, *view->dict, entry.key);
      if (found == nullptr) return false;
      if (kind == ViewKind::items && !jinja::equals(rt, entry.value, *found)) return false;
    }
    return true;
  }

 private:
  View* copy(Runtime& rt) const { return rt.make<View>(dict, kind); }
};

struct Range final : Object {
  std::int64_t start, stop, step;
  std::size_t count;

  Range(std::int64_t from, std::int64_t to, std::int64_t by, std::size_t n)
      : start(from), stop(to), step(by), count(n) {}

  std::int64_t at(std::size_t i) const { return start + static_cast<std::int64_t>(i) * step; }

  struct Steps final : Iterator {
    const Range* range;
    std::size_t i = 0;

    explicit Steps(const Range* of) : range(of) {}
    std::string_view type_name() const override { return "range_iterator"; }
    bool next(Runtime& rt, Value& out) override {
      rt.step();
      if (i == range->count) return false;
      out = Value::of_int(range->at(i++));
      return true;
    }
  };

  std::string_view type_name() const override { return "range"; }
  std::string repr(Runtime&) const override {
    return step == 1 ? fmt::format("range({}, {})", start, stop)
                     : fmt::format("range({}, {}, {})", start, stop, step);
  }
  std::optional<std::size_t> length(Runtime&) override { return count; }
  Iterator* iterate(Runtime& rt) override { return rt.make<Steps>(this); }
  bool has_items() const override { return true; }
  bool reversible() const override { return true; }
  Value attribute(Runtime&, std::string_view name) override {
    if (name == "start") return Value::of_int(start);
    if (name == "stop") return Value::of_int(stop);
    return name == "step" ? Value::of_int(step) : Value();
  }
  Value item(Runtime&, const Value& key) override {
    if (!key.is_integral()) return {};
    const auto size = static_cast<std::int64_t>(count);
    const std::int64_t index = key.integer() < 0 ? key.integer() + size : key.integer();
    if (index < 0 || index >= size) return {};
    return Value::of_int(at(static_cast<std::size_t>(index)));
  }
  Value slice(Runtime& rt, const Value& from, const Value& to, const Value& by) override {
    const SliceRange taken = slice_range(rt, count, from, to, by);
    std::int64_t stride = 0;
    if (__builtin_mul_overflow(taken.step, step, &stride)) fail_too_large(rt);
    return make_range(rt, start + taken.first * step, start + taken.end * step, stride);
  }
  bool equals(Runtime&, const Object& other) override {
    const auto* range = dynamic_cast<const Range*>(&other);
    if (range == nullptr || range->count != count) return false;
    if (count == 0) return true;
    return range->start == start && (count == 1 || range->step == step);
  }
};

/// Where a character index lands; text.size() is "not there".
Value character(Runtime& rt, std::string_view text, std::int64_t index) {
  rt.work(text.size());
  if (index < 0) index += static_cast<std::int64_t>(text::length(text));
  if (index < 0) return {};
  const std::size_t start = text::offset(text, static_cast<std::size_t>(index));
  if (start >= text.size()) return {};
  return Value::of_text(text.substr(start, utf8::decode_one(text.substr(start)).length));
}

bool is_absent(const Value& part) {
  return part.is_none() || part.is_missing();
}

Value slice_text(Runtime& rt, std::string_view text, const SliceRange& range, bool markup) {
  rt.work(text.size());
  if (range.count == 0) return Value::of_text("", markup);
  if (range.step == 1) {
    const std::size_t begin = text::offset(text, range.at(0));
    const std::size_t bytes = text::offset(text.substr(begin), range.count);
    return Value::of_text(text.substr(begin, bytes), markup);
  }
  std::vector<std::string_view> characters;
  rt.check_room(text.size() * sizeof(std::string_view));
  text::each(text, [&](char32_t, std::string_view bytes) { characters.push_back(bytes); });
  TextBuilder out(rt);
  for (std::size_t i = 0; i < range.count; ++i) {
    out.append(characters[range.at(i)]);
  }
  return out.finish(markup);
}

}  // namespace

const Value* find(Runtime& rt, const Dict& dict, const Value& key) {
  const std::ptrdiff_t i = find_entry(rt, dict.entries, dict.slots, key);
  return i < 0 ? nullptr : &dict.entries[static_cast<std::size_t>(i)].value;
}

const Value* find(const Dict& dict, std::string_view key) {
  const auto is_key = [&](std::size_t i) {
    return dict.entries[i].key.is_text() && dict.entries[i].key.text() == key;
  };
  if (!dict.slots.empty()) {
    const std::ptrdiff_t i = probe(dict.slots, hash_text(key), is_key);
    return i < 0 ? nullptr : &dict.entries[static_cast<std::size_t>(i)].value;
  }
  for (std::size_t i = 0; i < dict.entries.size(); ++i) {
    if (is_key(i)) return &dict.entries[i].value;
  }
  return nullptr;
}

bool DictBuilder::set(const Value& key, const Value& value) {
  const std::ptrdiff_t found = find_entry(rt_, entries_, slots_, key);
  if (found >= 0) {
    entries_[static_cast<std::size_t>(found)].value = value;
    return false;
  }
  rt_.check_room((entries_.size() + 1) * 3 * sizeof(Entry));
  entries_.push_back({key, value});
  if (entries_.size() > kLinearEntries && entries_.size() * 2 > slots_.size()) {
    grow();
  } else if (!slots_.empty()) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = hash_value(rt_, key) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  }
  return true;
}

void DictBuilder::grow() {
  slots_.assign(std::bit_ceil(entries_.size() * 4), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = hash_value(rt_, entries_[i].key) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

Value DictBuilder::finish() {
  rt_.claim(entries_.size() * sizeof(Entry) + slots_.size() * sizeof(std::uint32_t) + sizeof(Dict));
  Heap& heap = rt_.heap();
  return Value::of_dict(heap.make<Dict>(heap.copy(std::span<const Entry>(entries_)),
                                        heap.copy(std::span<const std::uint32_t>(slots_))));
}

Iterator* iterate(Runtime& rt, const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return rt.make<ItemsIterator>(std::span<const Value>(), "generator");
    case Kind::string:
      return rt.make<CharacterIterator>(value.text());
    case Kind::list:
      return rt.make<ItemsIterator>(value.items(), "list_iterator");
    case Kind::tuple:
      return rt.make<ItemsIterator>(value.items(), "tuple_iterator");
    case Kind::dict:
      return rt.make<EntryIterator>(&value.dict(), ViewKind::keys);
    case Kind::object:
      return value.object().iterate(rt);
    default:
      return nullptr;
  }
}

Iterator& must_iterate(Runtime& rt, const Value& value) {
  Iterator* items = iterate(rt, value);
  if (items == nullptr) rt.fail(fmt::format("'{}' object is not iterable", type_name(value)));
  return *items;
}

std::span<const Value> collect(Runtime& rt, const Value& value) {
  if (value.is_sequence()) return value.items();
  Iterator& items = must_iterate(rt, value);
  ListBuilder list(rt);
  for (Value next; items.next(rt, next);) list.append(next);
  return list.list().items();
}

std::optional<std::size_t> length(Runtime& rt, const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
      return 0;
    case Kind::string:
      rt.work(value.text().size());
      return text::length(value.text());
    case Kind::list:
    case Kind::tuple:
      return value.items().size();
    case Kind::dict:
      return value.dict().entries.size();
    case Kind::object:
      return value.object().length(rt);
    default:
      return std::nullopt;
  }
}

Value item(Runtime& rt, const Value& value, const Value& key) {
  switch (value.kind()) {
    case Kind::string:
      return key.is_integral() ? character(rt, value.text(), key.integer()) : Value();
    case Kind::list:
    case Kind::tuple: {
      if (!key.is_integral()) return {};
      const auto size = static_cast<std::int64_t>(value.items().size());
      const std::int64_t index = key.integer() < 0 ? key.integer() + size : key.integer();
      if (index < 0 || index >= size) return {};
      return value.items()[static_cast<std::size_t>(index)];
    }
    case Kind::dict: {
      if (key.is(Kind::list) || key.is(Kind::dict)) return {};
      const Value* found = find(rt, value.dict(), key);
      return found == nullptr ? Value() : *found;
    }
    case Kind::object:
      return value.object().item(rt, key);
    default:
      return {};
  }
}

SliceRange slice_range(Runtime& rt, std::size_t length, const Value& start, const Value& stop,
                       const Value& step) {
  const auto size = static_cast<std::int64_t>(length);
  const std::int64_t stride = is_absent(step) ? 1 : step.integer();
  if (stride == 0) rt.fail("slice step cannot be zero");
  const std::int64_t lowest = stride < 0 ? -1 : 0;
  const std::int64_t highest = stride < 0 ? size - 1 : size;
  const auto place = [&](const Value& part, std::int64_t otherwise) {
    if (is_absent(part)) return otherwise;
    std::int64_t index = part.integer();
    if (index < 0) index = index < -size ? -1 : index + size;
    return std::clamp(index, lowest, highest);
  };
  const std::int64_t first = place(start, stride < 0 ? highest : lowest);
  const std::int64_t end = place(stop, stride < 0 ? lowest : highest);
  const std::int64_t distance = stride < 0 ? first - end : end - first;
  if (distance <= 0) return {first, end, stride, 0};
  const std::uint64_t by =
      stride < 0 ? 0 - static_cast<std::uint64_t>(stride) : static_cast<std::uint64_t>(stride);
  const std::uint64_t count = (static_cast<std::uint64_t>(distance) - 1) / by + 1;
  return {first, end, stride, static_cast<std::size_t>(count)};
}

Value slice(Runtime& rt, const Value& value, const Value& start, const Value& stop,
            const Value& step) {
  for (const Value* part : {&start, &stop, &step}) {
    if (!is_absent(*part) && !part->is_integral()) return {};
  }
  if (value.is(Kind::object)) return value.object().slice(rt, start, stop, step);
  const bool is_list = value.is(Kind::list);
  if (!value.is_text() && !value.is_sequence()) return {};
  const SliceRange range = slice_range(rt, *length(rt, value), start, stop, step);
  if (value.is_text()) return slice_text(rt, value.text(), range, value.is_markup());
  if (range.count == 0) return is_list ? rt.list({}) : rt.tuple({});
  if (range.step == 1) {
    const auto taken = value.items().subspan(static_cast<std::size_t>(range.first), range.count);
    return is_list ? Value::of_list(taken) : Value::of_tuple(taken);
  }
  ListBuilder items(rt);
  for (std::size_t i = 0; i < range.count; ++i) items.append(value.items()[range.at(i)]);
  return is_list ? items.list() : items.tuple();
}

Value make_range(Runtime& rt, std::int64_t start, std::int64_t stop, std::int64_t step) {
  if (step == 0) rt.fail("range() arg 3 must not be zero");
  std::uint64_t count = 0;
  if (step > 0 ? start < stop : start > stop) {
    const auto low = static_cast<std::uint64_t>(step > 0 ? start : stop);
    const auto high = static_cast<std::uint64_t>(step > 0 ? stop : start);
    const std::uint64_t by =
        step > 0 ? static_cast<std::uint64_t>(step) : 0 - static_cast<std::uint64_t>(step);
    count = (high - low - 1) / by + 1;
  }
  if (count > rt.limits().range_items) {
    rt.fail(
        fmt::format("range() of {} items; at most {} are allowed", count, rt.limits().range_items));
  }
  return Value::of_object(rt.make<Range>(start, stop, step, static_cast<std::size_t>(count)));
}

Value make_view(Runtime& rt, const Dict& dict, ViewKind kind) {
  return Value::of_object(rt.make<View>(&dict, kind));
}

Value reversed(Runtime& rt, const Value& value) {
  const bool can = value.is_sequence() || value.is(Kind::dict) || value.is_text() ||
                   (value.is(Kind::object) && value.object().reversible());
  if (!can) return {};
  ListBuilder items(rt);
  for (const Value& item : collect(rt, value)) items.append(item);
  std::reverse(items.items().begin(), items.items().end());
  return Value::of_object(rt.make<ItemsIterator>(items.list().items(), "list_reverseiterator"));
}

}  // namespace hearth::jinja
