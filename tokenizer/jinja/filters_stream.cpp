// Filters that give a generator: each item is made when it is asked for, once.
#include <fmt/format.h>

#include <algorithm>

#include "tokenizer/jinja/builtin_tests.h"
#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/filter_functions.h"
#include "tokenizer/jinja/members.h"
#include "tokenizer/jinja/operators.h"

namespace hearth::jinja {
namespace {

/// Arguments that outlive the call that gave them.
Args kept(Runtime& rt, const Args& args) {
  rt.claim(args.positional.size_bytes() + args.named.size_bytes());
  return {rt.heap().copy(args.positional), rt.heap().copy(args.named)};
}

/// A generator over the items of `input`, which is asked to be iterable only when the first item is
/// wanted, as in Python.
struct Stream : Iterator {
  Value input;
  Iterator* items = nullptr;

  explicit Stream(const Value& of) : input(of) {}
  bool next_input(Runtime& rt, Value& out) {
    if (items == nullptr) {
      if (!truth(rt, input)) return false;
      items = &must_iterate(rt, input);
    }
    return items->next(rt, out);
  }

 protected:
  ~Stream() = default;
};

struct Mapped final : Stream {
  Args args;

  Mapped(const Value& of, const Args& with) : Stream(of), args(with) {}
  bool next(Runtime& rt, Value& out) override {
    const Runtime::Deeper deeper(rt);
    Value item;
    if (!next_input(rt, item)) return false;
    out = args.positional.empty() ? member(rt, item) : filtered(rt, item);
    return true;
  }

 private:
  Value member(Runtime& rt, const Value& item) const {
    const Value* name = args.find("attribute");
    if (name == nullptr) rt.fail("map requires a filter argument");
    const Value* fallback = args.find("default");
    for (const Named& argument : args.named) {
      if (argument.name != "attribute" && argument.name != "default") {
        rt.fail(fmt::format("Unexpected keyword argument '{}'", argument.name));
      }
    }
    const bool has_fallback = fallback != nullptr && !fallback->is_none();
    return AttributePath{*name, has_fallback ? *fallback : Value()}.of(rt, item);
  }

  Value filtered(Runtime& rt, const Value& item) const {
    const std::string_view name = as_text(rt, args.positional[0], "the filter of map");
    const Filter* filter = find_filter(name);
    if (filter == nullptr) rt.fail(unknown_filter(name));
    return apply_filter(rt, *filter, item, {args.positional.subspan(1), args.named});
  }
};

/// select, reject, selectattr, rejectattr.
struct Selected final : Stream {
  Args args;
  bool by_attribute;
  bool wanted;

  Selected(const Value& of, const Args& with, bool attribute, bool want)
      : Stream(of), args(with), by_attribute(attribute), wanted(want) {}
  bool next(Runtime& rt, Value& out) override {
    const Runtime::Deeper deeper(rt);
    while (next_input(rt, out)) {
      if (holds(rt, out) == wanted) return true;
    }
    return false;
  }

 private:
  bool holds(Runtime& rt, const Value& item) const {
    const std::size_t skipped = by_attribute ? 1 : 0;
    if (by_attribute && args.positional.empty()) rt.fail("Missing parameter for attribute name");
    const Value value =
        by_attribute ? AttributePath{args.positional[0], Value()}.of(rt, item) : item;
    if (args.positional.size() == skipped) return truth(rt, value);
    const std::string_view name = as_text(rt, args.positional[skipped], "the name of the test");
    const Test* test = find_test(name);
    if (test == nullptr) rt.fail(unknown_test(name));
    return apply_test(rt, *test, value, {args.positional.subspan(skipped + 1), args.named});
  }
};

template <bool by_attribute, bool wanted>
Value selected(Runtime& rt, const Value& input, const Bound& a) {
  return Value::of_object(rt.make<Selected>(input, kept(rt, a.rest), by_attribute, wanted));
}

Value map(Runtime& rt, const Value& input, const Bound& a) {
  return Value::of_object(rt.make<Mapped>(input, kept(rt, a.rest)));
}

struct Batches final : Stream {
  std::int64_t size;
  Value filler;

  Batches(const Value& of, std::int64_t n, const Value& fill) : Stream(of), size(n), filler(fill) {}
  bool next(Runtime& rt, Value& out) override {
    if (items == nullptr) items = &must_iterate(rt, input);
    ListBuilder batch(rt);
    for (Value item;
         static_cast<std::int64_t>(batch.items().size()) != std::max<std::int64_t>(size, 1) &&
         items->next(rt, item);) {
      batch.append(item);
    }
    if (batch.items().empty()) return false;
    while (!filler.is_none() && static_cast<std::int64_t>(batch.items().size()) < size) {
      batch.append(filler);
    }
    out = batch.list();
    return true;
  }
};

Value batch(Runtime& rt, const Value& input, const Bound& a) {
  return Value::of_object(
      rt.make<Batches>(input, as_index(rt, a[0], "the size of a batch"), a.get(1, Value::none())));
}

/// |slice(n): n lists, the first ones longer by one where it does not come out even.
struct Slices final : Stream {
  std::int64_t count;
  Value filler;
  std::span<const Value> all;
  std::int64_t made = 0;

  Slices(const Value& of, std::int64_t n, const Value& fill) : Stream(of), count(n), filler(fill) {}
  bool next(Runtime& rt, Value& out) override {
    rt.step();
    if (made == 0) {
      all = collect(rt, input);
      if (count == 0) rt.fail("integer division or modulo by zero");
    }
    if (made >= count) return false;
    const auto total = static_cast<std::int64_t>(all.size());
    const std::int64_t each = total / count;
    const std::int64_t longer = total % count;
    const std::int64_t begin = made * each + std::min(made, longer);
    const std::int64_t size = each + (made < longer ? 1 : 0);
    ListBuilder slice(rt);
    for (const Value& item :
         all.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size))) {
      slice.append(item);
    }
    if (!filler.is_none() && made >= longer) slice.append(filler);
    ++made;
    out = slice.list();
    return true;
  }
};

Value slices(Runtime& rt, const Value& input, const Bound& a) {
  return Value::of_object(
      rt.make<Slices>(input, as_index(rt, a[0], "the number of slices"), a.get(1, Value::none())));
}

struct Unique final : Stream {
  bool case_sensitive;
  AttributePath path;

  Unique(const Value& of, bool sensitive, const AttributePath& by)
      : Stream(of), case_sensitive(sensitive), path(by) {}
  bool next(Runtime& rt, Value& out) override {
    if (items == nullptr) collect_unique(rt);
    return items->next(rt, out);
  }

 private:
  void collect_unique(Runtime& rt) {
    DictBuilder first(rt);
    Iterator& source = must_iterate(rt, input);
    ListBuilder kept_items(rt);
    for (Value item; source.next(rt, item);) {
      const Value key = comparison_key(rt, path.of(rt, item), case_sensitive);
      if (first.set(key, item)) kept_items.append(item);
    }
    items = jinja::iterate(rt, kept_items.list());
  }
};

Value unique(Runtime& rt, const Value& input, const Bound& a) {
  return Value::of_object(
      rt.make<Unique>(input, flag(rt, a, 0), AttributePath{a.get(1, Value::none()), Value()}));
}

/// |items: the pairs of a mapping; none of an undefined value.
struct Pairs final : Stream {
  explicit Pairs(const Value& of) : Stream(of) {}
  bool next(Runtime& rt, Value& out) override {
    if (items == nullptr) {
      if (input.is_undefined()) return false;
      if (!input.is(Kind::dict)) rt.fail("Can only get item pairs from a mapping.");
      items = make_view(rt, input.dict(), ViewKind::items).object().iterate(rt);
    }
    return items->next(rt, out);
  }
};

Value pairs(Runtime& rt, const Value& input, const Bound&) {
  return Value::of_object(rt.make<Pairs>(input));
}

constexpr Filter kFilters[] = {
    {"map", "*", map},
    {"select", "*", selected<false, true>},
    {"reject", "*", selected<false, false>},
    {"selectattr", "*", selected<true, true>},
    {"rejectattr", "*", selected<true, false>},
    {"batch", "linecount fill_with?", batch},
    {"slice", "slices fill_with?", slices},
    {"unique", "case_sensitive? attribute?", unique},
    {"items", "", pairs},
};

}  // namespace

std::span<const Filter> stream_filters() {
  return kFilters;
}

}  // namespace hearth::jinja
