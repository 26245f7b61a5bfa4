// Lookup of methods, and those of dicts and lists; texts have methods_text.cpp.
#include "tokenizer/jinja/methods.h"

#include <fmt/format.h>

#include <algorithm>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"

namespace hearth::jinja {
namespace {

Value get(Runtime& rt, const Value& self, const Bound& a) {
  const Value* found = find(rt, self.dict(), a[0]);
  return found == nullptr ? a.get(1, Value::none()) : *found;
}

Value copy(Runtime&, const Value& self, const Bound&) {
  return self;  // nothing can change it, so it is its own copy
}

Value count(Runtime& rt, const Value& self, const Bound& a) {
  std::int64_t n = 0;
  for (const Value& item : self.items()) n += equals(rt, item, a[0]);
  return Value::of_int(n);
}

Value index(Runtime& rt, const Value& self, const Bound& a) {
  const auto size = static_cast<std::int64_t>(self.items().size());
  const auto place = [&](std::size_t i, std::int64_t otherwise) {
    if (!a.has(i)) return otherwise;
    const std::int64_t at = as_index(rt, a[i], "the bounds of index()");
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  const std::int64_t end = place(2, size);
  for (std::int64_t i = place(1, 0); i < end; ++i) {
    if (equals(rt, self.items()[static_cast<std::size_t>(i)], a[0])) return Value::of_int(i);
  }
  rt.fail(fmt::format("{} is not in {}", repr(rt, a[0]), type_name(self)));
}

template <ViewKind kind>
Value view(Runtime& rt, const Value& self, const Bound&) {
  return make_view(rt, self.dict(), kind);
}

constexpr Method kDictMethods[] = {
    {"get", "/ key default?", get},
    {"items", "", view<ViewKind::items>},
    {"keys", "", view<ViewKind::keys>},
    {"values", "", view<ViewKind::values>},
    {"copy", "", copy},
};

constexpr Method kListMethods[] = {
    {"count", "/ value", count},
    {"index", "/ value start? stop?", index},
    {"copy", "", copy},
};

constexpr std::string_view kListMutators[] = {"append", "clear", "pop",    "reverse",
                                              "insert", "sort",  "extend", "remove"};
constexpr std::string_view kDictMutators[] = {"clear", "pop", "popitem", "setdefault", "update"};

}  // namespace

std::span<const Method> dict_methods() {
  return kDictMethods;
}

std::span<const Method> list_methods() {
  return kListMethods;
}

const Method* find_method(const Value& value, std::string_view name) {
  std::span<const Method> methods;
  if (value.is_text()) methods = text_methods();
  if (value.is(Kind::dict)) methods = dict_methods();
  if (value.is(Kind::list)) methods = list_methods();
  if (value.is(Kind::tuple)) methods = list_methods().first(2);  // tuples have no copy()
  const auto found = std::find_if(methods.begin(), methods.end(),
                                  [&](const Method& method) { return method.name == name; });
  return found == methods.end() ? nullptr : &*found;
}

bool is_mutating(const Value& value, std::string_view name) {
  std::span<const std::string_view> names;
  if (value.is(Kind::list)) names = kListMutators;
  if (value.is(Kind::dict)) names = kDictMutators;
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace hearth::jinja
