// The arguments of a builtin, sorted out by the names of its parameters.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "tokenizer/jinja/runtime.h"
#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

inline constexpr std::size_t kMaxParameters = 8;

/// Arguments by the place of their parameter. What was not passed is `missing`.
struct Bound {
  std::array<Value, kMaxParameters> values;
  Args rest;  // for a signature with "*": what no parameter took

  const Value& operator[](std::size_t i) const { return values[i]; }
  bool has(std::size_t i) const { return !values[i].is_missing(); }

  /// The argument, or what stands for it when it was not passed.
  Value get(std::size_t i, const Value& otherwise) const {
    return values[i].is_missing() ? otherwise : values[i];
  }
};

/// Matches arguments to `parameters`: names with spaces between them, '?' behind what may be left
/// out, a '*' at the end if any others are taken too, a '/' at the start if none may be given by
/// name. `callee` is named in messages.
Bound bind(Runtime& rt, std::string_view callee, std::string_view parameters, const Args& args);

// Conversions that Python's C functions do on their arguments; a wrong type is an error that names
// `what`.
std::int64_t as_index(Runtime& rt, const Value& value, std::string_view what);
std::string_view as_text(Runtime& rt, const Value& value, std::string_view what);

}  // namespace hearth::jinja
