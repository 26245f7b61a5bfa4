// The methods of Python's str, dict, list and tuple that templates may call. One table per type.
#pragma once

#include <span>
#include <string_view>

#include "tokenizer/jinja/bind.h"
#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

struct Method {
  std::string_view name;
  std::string_view parameters;  // as bind.h reads them
  Value (*call)(Runtime& rt, const Value& self, const Bound& arguments);
};

std::span<const Method> text_methods();
std::span<const Method> dict_methods();
std::span<const Method> list_methods();

/// The method of `value`'s type; nullptr if it has none of that name.
const Method* find_method(const Value& value, std::string_view name);

/// Whether the name is a method of Python's that changes its object; the sandbox refuses it.
bool is_mutating(const Value& value, std::string_view name);

}  // namespace hearth::jinja
