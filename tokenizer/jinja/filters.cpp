#include "tokenizer/jinja/filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/filter_functions.h"
#include "tokenizer/jinja/members.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

/// All filters, sorted by name.
const std::vector<Filter>& all_filters() {
  static const std::vector<Filter> kAll = [] {
    std::vector<Filter> all;
    for (const auto part : {text_filters(), layout_filters(), number_filters(), sequence_filters(),
                            stream_filters(), general_filters()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    std::sort(all.begin(), all.end(),
              [](const Filter& a, const Filter& b) { return a.name < b.name; });
    return all;
  }();
  return kAll;
}

/// "a.0.b" taken apart: digits are indices.
Value follow(Runtime& rt, Value value, std::string_view path) {
  for (bool more = true; more;) {
    const std::size_t dot = path.find('.');
    const std::string_view part = path.substr(0, dot);
    more = dot != std::string_view::npos;
    if (more) path.remove_prefix(dot + 1);
    const bool is_index =
        !part.empty() && part.size() < 10 &&
        std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    value = get_subscript(
        rt, value, is_index ? Value::of_int(std::stoll(std::string(part))) : Value::of_text(part));
  }
  return value;
}

}  // namespace

const Filter* find_filter(std::string_view name) {
  const auto& all = all_filters();
  const auto found = std::lower_bound(
      all.begin(), all.end(), name,
      [](const Filter& filter, std::string_view wanted) { return filter.name < wanted; });
  return found != all.end() && found->name == name ? &*found : nullptr;
}

std::string unknown_filter(std::string_view name) {
  std::string known;
  for (const Filter& filter : all_filters()) {
    known += (known.empty() ? "" : ", ") + std::string(filter.name);
  }
  return fmt::format("unknown filter '{}'; known filters: {}", name, known);
}

Value apply_filter(Runtime& rt, const Filter& filter, const Value& input, const Args& arguments) {
  return filter.apply(rt, input, bind(rt, filter.name, filter.parameters, arguments));
}

Value AttributePath::of(Runtime& rt, const Value& item) const {
  Value value = item;
  if (attribute.is_text()) {
    value = follow(rt, item, attribute.text());
  } else if (!attribute.is_missing() && !attribute.is_none()) {
    value = get_subscript(rt, item, attribute);
  }
  return value.is_undefined() && !fallback.is_missing() ? fallback : value;
}

Value comparison_key(Runtime& rt, const Value& value, bool case_sensitive) {
  if (case_sensitive || !value.is_text()) return value;
  rt.work(value.text().size());
  return rt.text(text::lower(value.text()));
}

bool flag(Runtime& rt, const Bound& arguments, std::size_t i) {
  return arguments.has(i) && truth(rt, arguments[i]);
}

}  // namespace hearth::jinja
