// The methods of str.
#include <fmt/format.h>

#include <algorithm>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/format.h"
#include "tokenizer/jinja/methods.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/text.h"
#include "tokenizer/jinja/text_tools.h"
#include "tokenizer/jinja/wrap.h"

namespace hearth::jinja {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

template <std::string (*change)(std::string_view)>
Value changed(Runtime& rt, const Value& self, const Bound&) {
  rt.claim(3 * self.text().size());
  return rt.text(change(self.text()), self.is_markup());
}

template <text::Side side>
Value strip(Runtime& rt, const Value& self, const Bound& a) {
  rt.work(self.text().size());
  const Value chars = a.get(0, Value::none());
  const std::string_view kept =
      chars.is_none()
          ? text::strip(self.text(), side)
          : text::strip(self.text(), as_text(rt, chars, "the characters to strip"), side);
  return Value::of_text(kept, self.is_markup());
}

/// The part [start, end) of the text that startswith, find, count … look at, in bytes.
struct Window {
  std::string_view text;
  std::size_t begin;
  bool valid;  // false when start is behind the end: not even "" is found there
};

Window window(Runtime& rt, std::string_view text, const Bound& a) {
  rt.work(text.size());
  if (!a.has(1) && !a.has(2)) return {text, 0, true};
  const auto length = static_cast<std::int64_t>(text::length(text));
  const auto place = [&](std::size_t i, std::int64_t otherwise) {
    if (!a.has(i) || a[i].is_none()) return otherwise;
    const std::int64_t at = as_index(rt, a[i], "slice indices");
    return at < 0 ? std::max<std::int64_t>(at + length, 0) : at;
  };
  const std::int64_t start = place(1, 0);
  const std::int64_t end = std::min(place(2, length), length);
  if (start > end) return {{}, 0, false};
  const std::size_t begin = text::offset(text, static_cast<std::size_t>(start));
  const std::size_t bytes = text::offset(text.substr(begin), static_cast<std::size_t>(end - start));
  return {text.substr(begin, bytes), begin, true};
}

/// startswith and endswith: of one text or any of a tuple.
template <bool (*matches)(std::string_view, std::string_view)>
Value affixed(Runtime& rt, const Value& self, const Bound& a) {
  const Window part = window(rt, self.text(), a);
  const std::span<const Value> wanted =
      a[0].is(Kind::tuple) ? a[0].items() : std::span<const Value>(&a[0], 1);
  for (const Value& affix : wanted) {
    const std::string_view text = as_text(rt, affix, "what a text starts or ends with");
    if (part.valid && matches(part.text, text)) return Value::of_bool(true);
  }
  return Value::of_bool(false);
}

bool starts(std::string_view text, std::string_view with) {
  return text.starts_with(with);
}

bool ends(std::string_view text, std::string_view with) {
  return text.ends_with(with);
}

/// The character index at which a[0] is found, -1 if it is not.
std::int64_t position(Runtime& rt, const Value& self, const Bound& a, bool from_right) {
  const std::string_view wanted = as_text(rt, a[0], "what is looked for");
  const Window part = window(rt, self.text(), a);
  if (!part.valid) return -1;
  search_work(rt, part.text, wanted);
  const std::size_t found = from_right ? part.text.rfind(wanted) : part.text.find(wanted);
  if (found == kNone) return -1;
  return static_cast<std::int64_t>(text::length(self.text().substr(0, part.begin + found)));
}

template <bool from_right>
Value find(Runtime& rt, const Value& self, const Bound& a) {
  return Value::of_int(position(rt, self, a, from_right));
}

template <bool from_right>
Value index(Runtime& rt, const Value& self, const Bound& a) {
  const std::int64_t found = position(rt, self, a, from_right);
  if (found < 0) rt.fail("substring not found");
  return Value::of_int(found);
}

Value count(Runtime& rt, const Value& self, const Bound& a) {
  const std::string_view wanted = as_text(rt, a[0], "what is counted");
  const Window part = window(rt, self.text(), a);
  if (!part.valid) return Value::of_int(0);
  search_work(rt, part.text, wanted);
  if (wanted.empty()) return Value::of_int(static_cast<std::int64_t>(text::length(part.text)) + 1);
  std::int64_t n = 0;
  for (std::size_t at = part.text.find(wanted); at != kNone;
       at = part.text.find(wanted, at + wanted.size())) {
    ++n;
  }
  return Value::of_int(n);
}

Value replace(Runtime& rt, const Value& self, const Bound& a) {
  const std::int64_t most = a.has(2) ? as_index(rt, a[2], "the count of replace()") : -1;
  const Value result = replaced(rt, self.text(), as_text(rt, a[0], "replace() argument 1"),
                                as_text(rt, a[1], "replace() argument 2"), most);
  return Value::of_text(result.text(), self.is_markup());
}

template <Value (*at_text)(Runtime&, std::string_view, std::string_view, std::int64_t),
          Value (*at_space)(Runtime&, std::string_view, std::int64_t)>
Value split(Runtime& rt, const Value& self, const Bound& a) {
  const Value separator = a.get(0, Value::none());
  const std::int64_t most = a.has(1) ? as_index(rt, a[1], "maxsplit") : -1;
  if (separator.is_none()) return at_space(rt, self.text(), most);
  return at_text(rt, self.text(), as_text(rt, separator, "the separator"), most);
}

Value splitlines(Runtime& rt, const Value& self, const Bound& a) {
  ListBuilder result(rt);
  for (const std::string_view line : lines(rt, self.text(), a.has(0) && truth(rt, a[0]))) {
    result.append(Value::of_text(line));
  }
  return result.list();
}

template <bool from_right>
Value partition(Runtime& rt, const Value& self, const Bound& a) {
  const std::string_view separator = as_text(rt, a[0], "the separator");
  if (separator.empty()) rt.fail("empty separator");
  search_work(rt, self.text(), separator);
  const std::string_view text = self.text();
  const std::size_t found = from_right ? text.rfind(separator) : text.find(separator);
  const Value empty = Value::of_text("");
  if (found == kNone) {
    const Value whole[] = {from_right ? empty : self, empty, from_right ? self : empty};
    return rt.tuple(whole);
  }
  const Value parts[] = {Value::of_text(text.substr(0, found)), Value::of_text(separator),
                         Value::of_text(text.substr(found + separator.size()))};
  return rt.tuple(parts);
}

Value join(Runtime& rt, const Value& self, const Bound& a) {
  TextBuilder out(rt);
  Iterator* items = iterate(rt, a[0]);
  if (items == nullptr) rt.fail("can only join an iterable");
  std::int64_t n = 0;
  for (Value item; items->next(rt, item); ++n) {
    if (n > 0) out.append(self.text());
    if (!item.is_text()) {
      rt.fail(fmt::format("sequence item {}: expected str instance, {} found", n, type_name(item)));
    }
    out.append(item.text());
  }
  return out.finish(self.is_markup());
}

std::string_view fill_character(Runtime& rt, const Bound& a) {
  if (!a.has(1)) return " ";
  const std::string_view fill = as_text(rt, a[1], "the fill character");
  if (text::length(fill) != 1) rt.fail("the fill character must be exactly one character long");
  return fill;
}

template <char align>
Value justify(Runtime& rt, const Value& self, const Bound& a) {
  FormatSpec spec;
  spec.width = as_index(rt, a[0], "the width");
  spec.fill = fill_character(rt, a);
  return rt.text(pad(rt, self.text(), spec, align), self.is_markup());
}

Value center(Runtime& rt, const Value& self, const Bound& a) {
  const std::int64_t width = as_index(rt, a[0], "the width");
  return rt.text(centered(rt, self.text(), width, fill_character(rt, a)), self.is_markup());
}

Value zfill(Runtime& rt, const Value& self, const Bound& a) {
  FormatSpec spec;
  spec.width = as_index(rt, a[0], "the width");
  spec.fill = "0";
  std::string_view digits = self.text();
  const bool has_sign = digits.starts_with('-') || digits.starts_with('+');
  const std::string sign(digits.substr(0, has_sign ? 1 : 0));
  if (has_sign) {
    digits.remove_prefix(1);
    --spec.width;
  }
  return rt.text(sign + pad(rt, digits, spec, '>'));
}

Value expandtabs(Runtime& rt, const Value& self, const Bound& a) {
  const std::int64_t size = a.has(0) ? as_index(rt, a[0], "the tab size") : 8;
  TextBuilder out(rt);
  std::int64_t column = 0;
  text::each(self.text(), [&](char32_t c, std::string_view bytes) {
    if (c == '\t') {
      const std::int64_t spaces = size > 0 ? size - column % size : 0;
      rt.check_room(static_cast<std::size_t>(spaces));
      out.append(std::string(static_cast<std::size_t>(spaces), ' '));
      column += spaces;
    } else {
      out.append(bytes);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
  });
  return out.finish();
}

Value removeprefix(Runtime& rt, const Value& self, const Bound& a) {
  std::string_view text = self.text();
  const std::string_view prefix = as_text(rt, a[0], "the prefix");
  if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return Value::of_text(text, self.is_markup());
}

Value removesuffix(Runtime& rt, const Value& self, const Bound& a) {
  std::string_view text = self.text();
  const std::string_view suffix = as_text(rt, a[0], "the suffix");
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return Value::of_text(text, self.is_markup());
}

/// isalpha and its like: not empty, and every character is one.
template <bool (*is)(char32_t)>
Value all_characters(Runtime& rt, const Value& self, const Bound&) {
  rt.work(self.text().size());
  bool all = !self.text().empty();
  text::each(self.text(), [&](char32_t c, std::string_view) { all &= is(c); });
  return Value::of_bool(all);
}

/// islower, isupper: some cased character, and none of the other case.
template <bool (*wanted)(char32_t), bool (*unwanted)(char32_t)>
Value cased(Runtime& rt, const Value& self, const Bound&) {
  rt.work(self.text().size());
  bool some = false;
  bool other = false;
  text::each(self.text(), [&](char32_t c, std::string_view) {
    some |= wanted(c);
    other |= unwanted(c) || text::is_title(c);
  });
  return Value::of_bool(some && !other);
}

Value istitle(Runtime& rt, const Value& self, const Bound&) {
  rt.work(self.text().size());
  bool some = false;
  bool wrong = false;
  bool in_word = false;
  text::each(self.text(), [&](char32_t c, std::string_view) {
    const bool starts_word = text::is_upper(c) || text::is_title(c);
    const bool is_cased = starts_word || text::is_lower(c);
    wrong |= starts_word ? in_word : (is_cased && !in_word);
    some |= is_cased;
    in_word = is_cased;
  });
  return Value::of_bool(some && !wrong);
}

Value isidentifier(Runtime& rt, const Value& self, const Bound&) {
  rt.work(self.text().size());
  bool good = !self.text().empty();
  bool first = true;
  text::each(self.text(), [&](char32_t c, std::string_view) {
    good &= first ? text::starts_name(c) : text::continues_name(c);
    first = false;
  });
  return Value::of_bool(good);
}

Value isprintable(Runtime& rt, const Value& self, const Bound&) {
  rt.work(self.text().size());
  bool good = true;
  text::each(self.text(), [&](char32_t c, std::string_view) { good &= text::is_printable(c); });
  return Value::of_bool(good);
}

Value isascii(Runtime&, const Value& self, const Bound&) {
  return Value::of_bool(text::is_ascii(self.text()));
}

Value format(Runtime& rt, const Value& self, const Bound& a) {
  const Value result = brace_format(rt, self.text(), a.rest);
  return Value::of_text(result.text(), self.is_markup());
}

Value format_map(Runtime& rt, const Value& self, const Bound& a) {
  if (!a[0].is(Kind::dict))
    rt.fail(fmt::format("format_map() needs a mapping, not {}", type_name(a[0])));
  std::vector<Named> named;
  for (const Entry& entry : a[0].dict().entries) {
    if (entry.key.is_text()) named.push_back({entry.key.text(), entry.value});
  }
  return brace_format(rt, self.text(), {{}, named});
}

constexpr Method kTextMethods[] = {
    {"capitalize", "", changed<text::capitalize>},
    {"casefold", "", changed<text::casefold>},
    {"center", "/ width fillchar?", center},
    {"count", "/ sub start? end?", count},
    {"endswith", "/ suffix start? end?", affixed<ends>},
    {"expandtabs", "tabsize?", expandtabs},
    {"find", "/ sub start? end?", find<false>},
    {"format", "*", format},
    {"format_map", "/ mapping", format_map},
    {"index", "/ sub start? end?", index<false>},
    {"isalnum", "", all_characters<text::is_alnum>},
    {"isalpha", "", all_characters<text::is_alpha>},
    {"isascii", "", isascii},
    {"isdecimal", "", all_characters<text::is_decimal>},
    {"isdigit", "", all_characters<text::is_digit>},
    {"isidentifier", "", isidentifier},
    {"islower", "", cased<text::is_lower, text::is_upper>},
    {"isnumeric", "", all_characters<text::is_numeric>},
    {"isspace", "", all_characters<text::is_space>},
    {"isprintable", "", isprintable},
    {"istitle", "", istitle},
    {"isupper", "", cased<text::is_upper, text::is_lower>},
    {"join", "/ iterable", join},
    {"ljust", "/ width fillchar?", justify<'<'>},
    {"lower", "", changed<text::lower>},
    {"lstrip", "/ chars?", strip<text::Side::left>},
    {"partition", "/ sep", partition<false>},
    {"removeprefix", "/ prefix", removeprefix},
    {"removesuffix", "/ suffix", removesuffix},
    {"replace", "/ old new count?", replace},
    {"rfind", "/ sub start? end?", find<true>},
    {"rindex", "/ sub start? end?", index<true>},
    {"rjust", "/ width fillchar?", justify<'>'>},
    {"rpartition", "/ sep", partition<true>},
    {"rsplit", "sep? maxsplit?", split<rsplit, rsplit_space>},
    {"rstrip", "/ chars?", strip<text::Side::right>},
    {"split", "sep? maxsplit?", split<jinja::split, split_space>},
    {"splitlines", "keepends?", splitlines},
    {"startswith", "/ prefix start? end?", affixed<starts>},
    {"strip", "/ chars?", strip<text::Side::both>},
    {"swapcase", "", changed<text::swapcase>},
    {"title", "", changed<text::title>},
    {"upper", "", changed<text::upper>},
    {"zfill", "/ width", zfill},
};

}  // namespace

std::span<const Method> text_methods() {
  return kTextMethods;
}

}  // namespace hearth::jinja
