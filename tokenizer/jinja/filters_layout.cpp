// Filters that lay text out: indent, center, truncate, wordwrap …
#include <fmt/format.h>

#include <algorithm>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/filter_functions.h"
#include "tokenizer/jinja/format.h"
#include "tokenizer/jinja/number_text.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/text.h"
#include "tokenizer/jinja/text_tools.h"
#include "tokenizer/jinja/wrap.h"

namespace hearth::jinja {
namespace {

std::size_t at_least_zero(std::int64_t n) {
  return static_cast<std::size_t>(std::max<std::int64_t>(n, 0));
}

Value indent(Runtime& rt, const Value& input, const Bound& a) {
  const Value width = a.get(0, Value::of_int(4));
  std::string margin;
  if (width.is_text()) {
    margin = width.text();
  } else {
    const std::size_t spaces = at_least_zero(as_index(rt, width, "the width of indent"));
    rt.claim(spaces);
    margin.assign(spaces, ' ');
  }
  require_defined(rt, input);
  if (!input.is_text()) {
    rt.fail(fmt::format("indent needs a text, not {}; use |string before it", type_name(input)));
  }
  const std::string text = std::string(input.text()) + "\n";
  const bool blank = flag(rt, a, 2);
  TextBuilder out(rt);
  if (flag(rt, a, 1)) out.append(margin);
  bool first = true;
  for (const std::string_view line : lines(rt, text, false)) {
    if (!first) out.append("\n");
    if (!first && (blank || !line.empty())) out.append(margin);
    out.append(line);
    first = false;
  }
  return out.finish(input.is_markup());
}

Value center(Runtime& rt, const Value& input, const Bound& a) {
  FormatSpec spec;
  spec.width = as_index(rt, a.get(0, Value::of_int(80)), "the width of center");
  return rt.text(centered(rt, str(rt, input), spec.width, " "));
}

Value truncate(Runtime& rt, const Value& input, const Bound& a) {
  const std::string end = str(rt, a.get(2, Value::of_text("...")));
  const std::int64_t most = as_index(rt, a.get(0, Value::of_int(255)), "the length of truncate");
  const Value leeway_value = a.get(3, Value::none());
  const std::int64_t leeway =
      leeway_value.is_none() ? 5 : as_index(rt, leeway_value, "the leeway of truncate");
  const auto end_length = static_cast<std::int64_t>(text::length(end));
  if (most < end_length) {
    rt.fail(fmt::format("expected length >= {}, got {}", end_length, most));
  }
  if (leeway < 0) rt.fail(fmt::format("expected leeway >= 0, got {}", leeway));
  const auto whole = length(rt, input);
  if (!whole) rt.fail(fmt::format("object of type '{}' has no len()", type_name(input)));
  const auto size = static_cast<std::int64_t>(*whole);
  if (size <= most || size - most <= leeway) return input;
  std::string_view kept = as_text(rt, input, "what is truncated");
  kept = kept.substr(0, text::offset(kept, static_cast<std::size_t>(most - end_length)));
  if (!flag(rt, a, 1)) kept = kept.substr(0, kept.rfind(' '));
  return rt.text(std::string(kept) + end, input.is_markup());
}

Value wordwrap(Runtime& rt, const Value& input, const Bound& a) {
  WrapStyle style;
  style.width = as_index(rt, a.get(0, Value::of_int(79)), "the width of wordwrap");
  style.break_long_words = !a.has(1) || truth(rt, a[1]);
  const Value separator = a.get(2, Value::none());
  const std::string_view line_end =
      separator.is_none() ? "\n" : as_text(rt, separator, "wrapstring");
  style.break_on_hyphens = !a.has(3) || truth(rt, a[3]);
  require_defined(rt, input);
  TextBuilder out(rt);
  bool first = true;
  for (const std::string_view paragraph :
       lines(rt, as_text(rt, input, "the input of wordwrap"), false)) {
    const std::vector<std::string> wrapped = wrap(rt, paragraph, style);
    if (!first) out.append(line_end);
    first = false;
    for (std::size_t i = 0; i < wrapped.size(); ++i) {
      if (i > 0) out.append(line_end);
      out.append(wrapped[i]);
    }
  }
  return out.finish();
}

Value filesizeformat(Runtime& rt, const Value& input, const Bound& a) {
  const bool binary = flag(rt, a, 0);
  const double base = binary ? 1024 : 1000;
  const Value number = to_float(rt, input);
  const double bytes = number.floating();
  if (bytes == 1) return rt.text("1 Byte");
  if (bytes < base) return rt.text(fmt::format("{} Bytes", static_cast<std::int64_t>(bytes)));
  constexpr std::string_view kLetters = "kMGTPEZY";
  double unit = base;
  std::size_t letter = 0;
  while (bytes >= unit * base && letter + 1 < kLetters.size()) {
    unit *= base;
    ++letter;
  }
  FormatSpec spec;
  spec.type = 'f';
  spec.precision = 1;
  const char prefix = binary && letter == 0 ? 'K' : kLetters[letter];
  return rt.text(
      fmt::format("{} {}{}", format_float(rt, bytes / unit, spec), prefix, binary ? "iB" : "B"));
}

constexpr Filter kFilters[] = {
    {"indent", "width? first? blank?", indent},
    {"center", "width?", center},
    {"truncate", "length? killwords? end? leeway?", truncate},
    {"wordwrap", "width? break_long_words? wrapstring? break_on_hyphens?", wordwrap},
    {"filesizeformat", "binary?", filesizeformat},
};

}  // namespace

std::span<const Filter> layout_filters() {
  return kFilters;
}

}  // namespace hearth::jinja
