// Filters that make a text of a text.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/escape.h"
#include "tokenizer/jinja/filter_functions.h"
#include "tokenizer/jinja/format.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/text.h"
#include "tokenizer/jinja/text_tools.h"

namespace hearth::jinja {
namespace {

/// The text of any value; shared where it is one.
Value as_str(Runtime& rt, const Value& value) {
  return value.is_text() ? value : rt.text(str(rt, value));
}

template <std::string (*change)(std::string_view)>
Value changed(Runtime& rt, const Value& input, const Bound&) {
  const Value text = as_str(rt, input);
  rt.claim(3 * text.text().size());
  return rt.text(change(text.text()), text.is_markup());
}

Value trim(Runtime& rt, const Value& input, const Bound& a) {
  const Value text = as_str(rt, input);
  const Value chars = a.get(0, Value::none());
  rt.work(text.text().size());
  if (chars.is_none()) {
    return Value::of_text(text::strip(text.text(), text::Side::both), text.is_markup());
  }
  const std::string_view set = as_text(rt, chars, "the argument of trim");
  return Value::of_text(text::strip(text.text(), set, text::Side::both), text.is_markup());
}

Value replace(Runtime& rt, const Value& input, const Bound& a) {
  const Value count = a.get(2, Value::none());
  const std::int64_t most = count.is_none() ? -1 : as_index(rt, count, "the count of replace");
  const std::string from = str(rt, a[0]);
  const std::string to = str(rt, a[1]);
  const Value text = as_str(rt, input);
  return Value::of_text(replaced(rt, text.text(), from, to, most).text(), text.is_markup());
}

/// Words as jinja2 sees them: broken at spaces, hyphens and opening brackets.
Value title(Runtime& rt, const Value& input, const Bound&) {
  const Value text = as_str(rt, input);
  rt.claim(3 * text.text().size());
  std::string out;
  std::string word;
  const auto flush = [&] {
    const std::string_view rest = std::string_view(word).substr(text::offset(word, 1));
    out += text::upper(std::string_view(word).substr(0, word.size() - rest.size()));
    out += text::lower(rest);
    word.clear();
  };
  text::each(text.text(), [&](char32_t c, std::string_view bytes) {
    const bool separates =
        text::is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
    if (separates) {
      flush();
      out += bytes;
    } else {
      word += bytes;
    }
  });
  flush();
  return rt.text(out);
}

Value striptags(Runtime& rt, const Value& input, const Bound&) {
  return rt.text(without_tags(str(rt, input)));
}

Value urlencode(Runtime& rt, const Value& input, const Bound&) {
  if (input.is_text() || (!input.is(Kind::dict) && iterate(rt, input) == nullptr)) {
    return rt.text(percent_encoded(str(rt, input), "/", false));
  }
  TextBuilder out(rt);
  const auto add = [&](const Value& key, const Value& value) {
    if (out.size() > 0) out.append("&");
    out.append(percent_encoded(str(rt, key), "", true));
    out.append("=");
    out.append(percent_encoded(str(rt, value), "", true));
  };
  if (input.is(Kind::dict)) {
    for (const Entry& entry : input.dict().entries) add(entry.key, entry.value);
  } else {
    for (const Value& pair : collect(rt, input)) {
      const std::span<const Value> parts = collect(rt, pair);
      if (parts.size() != 2) rt.fail("urlencode needs a text, a dict or pairs");
      add(parts[0], parts[1]);
    }
  }
  return out.finish();
}

Value format(Runtime& rt, const Value& input, const Bound& a) {
  if (!a.rest.positional.empty() && !a.rest.named.empty()) {
    rt.fail("can't handle positional and keyword arguments at the same time");
  }
  const Value pattern = as_str(rt, input);
  if (a.rest.named.empty()) return percent_format(rt, pattern, rt.tuple(a.rest.positional));
  DictBuilder values(rt);
  for (const Named& named : a.rest.named) values.set(Value::of_text(named.name), named.value);
  return percent_format(rt, pattern, values.finish());
}

constexpr Filter kFilters[] = {
    {"upper", "", changed<text::upper>},
    {"lower", "", changed<text::lower>},
    {"capitalize", "", changed<text::capitalize>},
    {"title", "", title},
    {"trim", "chars?", trim},
    {"replace", "old new count?", replace},
    {"striptags", "", striptags},
    {"urlencode", "", urlencode},
    {"format", "*", format},
    {"string", "", [](Runtime& rt, const Value& v, const Bound&) { return as_str(rt, v); }},
    {"safe", "",
     [](Runtime& rt, const Value& v, const Bound&) {
       return Value::of_text(as_str(rt, v).text(), true);
     }},
    {"escape", "",
     [](Runtime& rt, const Value& v, const Bound&) {
       return v.is_markup() ? v : escaped(rt, str(rt, v));
     }},
    {"e", "",
     [](Runtime& rt, const Value& v, const Bound&) {
       return v.is_markup() ? v : escaped(rt, str(rt, v));
     }},
    {"forceescape", "",
     [](Runtime& rt, const Value& v, const Bound&) { return escaped(rt, str(rt, v)); }},
    {"wordcount", "",
     [](Runtime& rt, const Value& v, const Bound&) {
       return Value::of_int(count_words(str(rt, v)));
     }},
};

}  // namespace

std::span<const Filter> text_filters() {
  return kFilters;
}

}  // namespace hearth::jinja
