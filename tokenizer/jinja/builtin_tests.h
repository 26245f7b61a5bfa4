// The tests of the language: {{ value is name }}. One table, one function each.
#pragma once

#include <string>
#include <string_view>

#include "tokenizer/jinja/bind.h"
#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

struct Test {
  std::string_view name;
  std::string_view parameters;  // as bind.h reads them
  bool (*holds)(Runtime& rt, const Value& value, const Bound& arguments);
};

/// nullptr if there is no test of that name.
const Test* find_test(std::string_view name);

/// "unknown test 'x'; known tests: …".
std::string unknown_test(std::string_view name);

bool apply_test(Runtime& rt, const Test& test, const Value& value, const Args& arguments);

}  // namespace hearth::jinja
