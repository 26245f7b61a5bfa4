// Filters that look at a whole sequence: sort, join, min, groupby …
#include <fmt/format.h>

#include <algorithm>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/escape.h"
#include "tokenizer/jinja/filter_functions.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"

namespace hearth::jinja {
namespace {

Value count(Runtime& rt, const Value& input, const Bound&) {
  const auto n = length(rt, input);
  if (!n) rt.fail(fmt::format("object of type '{}' has no len()", type_name(input)));
  return Value::of_int(static_cast<std::int64_t>(*n));
}

Value first(Runtime& rt, const Value& input, const Bound&) {
  Value item;
  if (must_iterate(rt, input).next(rt, item)) return item;
  return rt.undefined_because("No first item, sequence was empty.");
}

Value last(Runtime& rt, const Value& input, const Bound&) {
  const Value backwards = input.is_undefined() ? rt.list({}) : reversed(rt, input);
  if (backwards.is_missing()) {
    rt.fail(
        fmt::format("'{}' object is not reversible; |list before |last helps", type_name(input)));
  }
  Value item;
  if (must_iterate(rt, backwards).next(rt, item)) return item;
  return rt.undefined_because("No last item, sequence was empty.");
}

Value reverse(Runtime& rt, const Value& input, const Bound&) {
  if (input.is_text()) {
    return slice(rt, input, Value::none(), Value::none(), Value::of_int(-1));
  }
  const Value backwards = reversed(rt, input);
  if (!backwards.is_missing()) return backwards;
  if (iterate(rt, input) == nullptr) rt.fail("argument must be iterable");
  ListBuilder items(rt);
  for (const Value& item : collect(rt, input)) items.append(item);
  std::reverse(items.items().begin(), items.items().end());
  return items.list();
}

Value join(Runtime& rt, const Value& input, const Bound& a) {
  const Value separator = a.get(0, Value::of_text(""));
  const AttributePath path{a.get(1, Value::none()), Value()};
  const std::string between = str(rt, separator);
  TextBuilder out(rt);
  std::string scratch;
  Iterator& items = must_iterate(rt, input);
  bool first_item = true;
  for (Value item; items.next(rt, item); first_item = false) {
    if (!first_item) out.append(between);
    const Value shown = path.of(rt, item);
    out.append(str(rt, shown, scratch));
  }
  return out.finish();
}

struct Keyed {
  Value key;
  Value item;
};

std::vector<Keyed> keyed(Runtime& rt, const Value& input, bool case_sensitive,
                         const AttributePath& path) {
  std::vector<Keyed> all;
  Iterator& items = must_iterate(rt, input);
  for (Value item; items.next(rt, item);) {
    rt.check_room(2 * all.size() * sizeof(Keyed));
    all.push_back({comparison_key(rt, path.of(rt, item), case_sensitive), item});
  }
  return all;
}

void stable_sort(Runtime& rt, std::vector<Keyed>& all, bool descending) {
  std::stable_sort(all.begin(), all.end(), [&](const Keyed& a, const Keyed& b) {
    return descending ? less(rt, b.key, a.key) : less(rt, a.key, b.key);
  });
}

Value items_of(Runtime& rt, const std::vector<Keyed>& all) {
  ListBuilder items(rt);
  for (const Keyed& entry : all) items.append(entry.item);
  return items.list();
}

/// "a,b" sorts by a, then by b: the keys become tuples.
Value sort_key(Runtime& rt, const Value& item, const Value& attribute, bool case_sensitive) {
  std::string_view names = attribute.text();
  ListBuilder keys(rt);
  for (bool more = true; more;) {
    const std::size_t comma = names.find(',');
    more = comma != std::string_view::npos;
    const AttributePath path{Value::of_text(names.substr(0, comma)), Value()};
    keys.append(comparison_key(rt, path.of(rt, item), case_sensitive));
    if (more) names.remove_prefix(comma + 1);
  }
  return keys.tuple();
}

Value sort(Runtime& rt, const Value& input, const Bound& a) {
  const bool case_sensitive = flag(rt, a, 1);
  const Value attribute = a.get(2, Value::none());
  std::vector<Keyed> all = keyed(rt, input, true, {});
  for (Keyed& entry : all) {
    if (attribute.is_text()) {
      entry.key = sort_key(rt, entry.item, attribute, case_sensitive);
    } else {
      entry.key =
          comparison_key(rt, AttributePath{attribute, Value()}.of(rt, entry.item), case_sensitive);
    }
  }
  stable_sort(rt, all, flag(rt, a, 0));
  return items_of(rt, all);
}

Value dictsort(Runtime& rt, const Value& input, const Bound& a) {
  const std::string_view by = as_text(rt, a.get(1, Value::of_text("key")), "the 'by' of dictsort");
  if (by != "key" && by != "value") rt.fail("You can only sort by either \"key\" or \"value\"");
  require_defined(rt, input);
  if (!input.is(Kind::dict)) {
    rt.fail(fmt::format("dictsort needs a mapping, not {}", type_name(input)));
  }
  std::vector<Keyed> all;
  for (const Entry& entry : input.dict().entries) {
    const Value pair[] = {entry.key, entry.value};
    all.push_back({comparison_key(rt, by == "key" ? entry.key : entry.value, flag(rt, a, 0)),
                   rt.tuple(pair)});
  }
  stable_sort(rt, all, flag(rt, a, 2));
  return items_of(rt, all);
}

Value extreme(Runtime& rt, const Value& input, const Bound& a, Comparison better) {
  const AttributePath path{a.get(1, Value::none()), Value()};
  const std::vector<Keyed> all = keyed(rt, input, flag(rt, a, 0), path);
  if (all.empty()) return rt.undefined_because("No aggregated item, sequence was empty.");
  const Keyed* best = &all.front();
  for (const Keyed& entry : std::span(all).subspan(1)) {
    if (compare(rt, better, entry.key, best->key)) best = &entry;
  }
  return best->item;
}

Value minimum(Runtime& rt, const Value& input, const Bound& a) {
  return extreme(rt, input, a, Comparison::less);
}

Value maximum(Runtime& rt, const Value& input, const Bound& a) {
  return extreme(rt, input, a, Comparison::greater);
}

Value sum(Runtime& rt, const Value& input, const Bound& a) {
  const AttributePath path{a.get(0, Value::none()), Value()};
  Value total = a.get(1, Value::of_int(0));
  if (total.is_text()) rt.fail("sum() can't sum strings; use |join");
  Iterator& items = must_iterate(rt, input);
  for (Value item; items.next(rt, item);) {
    total = arithmetic(rt, Binary::add, total, path.of(rt, item));
  }
  return total;
}

/// A pair that also answers to .grouper and .list.
struct Group final : Object {
  Value pair;

  explicit Group(const Value& key_and_items) : pair(key_and_items) {}
  std::string_view type_name() const override { return "_GroupTuple"; }
  std::string repr(Runtime& rt) const override { return jinja::repr(rt, pair); }
  Value attribute(Runtime&, std::string_view name) override {
    if (name == "grouper") return pair.items()[0];
    return name == "list" ? pair.items()[1] : Value();
  }
  Value item(Runtime& rt, const Value& key) override { return jinja::item(rt, pair, key); }
  Value slice(Runtime& rt, const Value& start, const Value& stop, const Value& step) override {
    return jinja::slice(rt, pair, start, stop, step);
  }
  bool has_items() const override { return true; }
  bool reversible() const override { return true; }
  std::optional<std::size_t> length(Runtime&) override { return 2; }
  Iterator* iterate(Runtime& rt) override { return jinja::iterate(rt, pair); }
};

Value groupby(Runtime& rt, const Value& input, const Bound& a) {
  const Value fallback = a.get(1, Value::none());
  const AttributePath path{a[0], fallback.is_none() ? Value() : fallback};
  std::vector<Keyed> all = keyed(rt, input, flag(rt, a, 2), path);
  stable_sort(rt, all, false);
  ListBuilder groups(rt);
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    ListBuilder members(rt);
    while (end < all.size() && equals(rt, all[end].key, all[begin].key)) {
      members.append(all[end++].item);
    }
    if (end == begin) members.append(all[end++].item);  // a key that equals nothing, not itself
    const Value pair[] = {path.of(rt, all[begin].item), members.list()};
    groups.append(Value::of_object(rt.make<Group>(rt.tuple(pair))));
    begin = end;
  }
  return groups.list();
}

Value to_list(Runtime& rt, const Value& input, const Bound&) {
  return rt.list(collect(rt, input));
}

constexpr Filter kFilters[] = {
    {"length", "", count},
    {"count", "", count},
    {"first", "", first},
    {"last", "", last},
    {"reverse", "", reverse},
    {"join", "d? attribute?", join},
    {"sort", "reverse? case_sensitive? attribute?", sort},
    {"dictsort", "case_sensitive? by? reverse?", dictsort},
    {"min", "case_sensitive? attribute?", minimum},
    {"max", "case_sensitive? attribute?", maximum},
    {"sum", "attribute? start?", sum},
    {"groupby", "attribute default? case_sensitive?", groupby},
    {"list", "", to_list},
};

}  // namespace

std::span<const Filter> sequence_filters() {
  return kFilters;
}

}  // namespace hearth::jinja
