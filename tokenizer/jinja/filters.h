// The filters: one table, one function each. {{ input|name(arguments) }}
#pragma once

#include <string>
#include <string_view>

#include "tokenizer/jinja/bind.h"
#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

struct Filter {
  std::string_view name;
  std::string_view parameters;  // as bind.h reads them
  Value (*apply)(Runtime& rt, const Value& input, const Bound& arguments);
};

/// nullptr if there is no filter of that name.
const Filter* find_filter(std::string_view name);

/// "unknown filter 'x'; known filters: …".
std::string unknown_filter(std::string_view name);

Value apply_filter(Runtime& rt, const Filter& filter, const Value& input, const Args& arguments);

}  // namespace hearth::jinja
