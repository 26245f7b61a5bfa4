// Python's two ways to format: "%s items" % values and "{} items".format(values).
#pragma once

#include <string>
#include <string_view>

#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

/// pattern % values, where a tuple gives several and a dict serves %(name)s.
Value percent_format(Runtime& rt, const Value& pattern, const Value& values);

/// pattern.format(*args, **kwargs), fields with attributes, indices, conversions and format specs.
Value brace_format(Runtime& rt, std::string_view pattern, const Args& args);

/// What both reduce to: [[fill]align][sign][#][0][width][,][.precision][type].
struct FormatSpec {
  std::string fill = " ";
  char align = 0;  // < > ^ = or 0: the type's own
  char sign = 0;   // + or space for what is not negative, - or 0 for nothing
  bool alternate = false;
  char grouping = 0;  // , or _
  std::int64_t width = 0;
  std::int64_t precision = -1;  // -1: none
  char type = 0;
};

/// The text of an integer of type d, x, X, o, b or of a float of type e, f, g, % …
std::string format_integer(Runtime& rt, std::int64_t number, const FormatSpec& spec);
std::string format_float(Runtime& rt, double number, const FormatSpec& spec);

/// `text` filled up to the width.
std::string pad(Runtime& rt, std::string_view text, const FormatSpec& spec, char default_align);

}  // namespace hearth::jinja
