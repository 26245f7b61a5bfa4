// What the filter files give to the table in filters.cpp.
#pragma once

#include <span>

#include "tokenizer/jinja/filters.h"

namespace hearth::jinja {

std::span<const Filter> text_filters();      // filters_text.cpp
std::span<const Filter> layout_filters();    // filters_layout.cpp
std::span<const Filter> number_filters();    // filters_number.cpp
std::span<const Filter> sequence_filters();  // filters_sequence.cpp
std::span<const Filter> stream_filters();    // filters_stream.cpp
std::span<const Filter> general_filters();   // filters_general.cpp

/// The value that `attribute="a.b.0"` means for each item: names and indices with dots between
/// them, or an integer index; missing `attribute` gives the item itself.
struct AttributePath {
  Value attribute;
  Value fallback;  // when undefined; missing: stays undefined

  Value of(Runtime& rt, const Value& item) const;
};

/// How sort, unique, min … compare: texts in lower case unless case matters.
Value comparison_key(Runtime& rt, const Value& value, bool case_sensitive);

/// The argument as a truth value, `false` when it was not passed.
bool flag(Runtime& rt, const Bound& arguments, std::size_t i);

}  // namespace hearth::jinja
