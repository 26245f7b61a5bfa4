// Filters about any value: default, attr, tojson …
#include <fmt/format.h>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/filter_functions.h"
#include "tokenizer/jinja/json.h"
#include "tokenizer/jinja/members.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"

namespace hearth::jinja {
namespace {

Value otherwise(Runtime& rt, const Value& input, const Bound& a) {
  const bool replace = input.is_undefined() || (flag(rt, a, 1) && !truth(rt, input));
  return replace ? a.get(0, Value::of_text("")) : input;
}

Value attr(Runtime& rt, const Value& input, const Bound& a) {
  require_defined(rt, input);
  const Value found = get_attribute(rt, input, as_text(rt, a[0], "the name for |attr"));
  return found.is_missing() ? rt.undefined_member(input, a[0]) : found;
}

/// transformers' tojson: json.dumps(x, ensure_ascii, indent, separators, sort_keys).
Value tojson(Runtime& rt, const Value& input, const Bound& a) {
  JsonStyle style;
  style.ensure_ascii = flag(rt, a, 0);
  const Value indent = a.get(1, Value::none());
  std::string spaces;
  if (indent.is_text()) {
    style.indent = indent.text();
  } else if (!indent.is_none()) {
    const std::int64_t width = as_index(rt, indent, "the indent of tojson");
    if (width > 1000) rt.fail("the indent of tojson is at most 1000");
    spaces.assign(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
    style.indent = spaces;
  }
  if (style.indent) style.item_separator = ",";
  const Value separators = a.get(2, Value::none());
  if (!separators.is_none()) {
    const std::span<const Value> parts = collect(rt, separators);
    if (parts.size() != 2) rt.fail("the separators of tojson are two texts");
    style.item_separator = as_text(rt, parts[0], "a separator of tojson");
    style.key_separator = as_text(rt, parts[1], "a separator of tojson");
  }
  style.sort_keys = flag(rt, a, 3);
  return to_json(rt, input, style);
}

Value refuse_random(Runtime& rt, const Value&, const Bound&) {
  rt.fail("|random is refused: the same conversation must give the same prompt");
}

constexpr Filter kFilters[] = {
    {"default", "default_value? boolean?", otherwise},
    {"d", "default_value? boolean?", otherwise},
    {"attr", "name", attr},
    {"tojson", "ensure_ascii? indent? separators? sort_keys?", tojson},
    {"pprint", "", [](Runtime& rt, const Value& v, const Bound&) { return rt.text(repr(rt, v)); }},
    {"random", "", refuse_random},
};

}  // namespace

std::span<const Filter> general_filters() {
  return kFilters;
}

}  // namespace hearth::jinja
