// Python's operators on values.
#pragma once

#include <string_view>

#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

bool truth(Runtime& rt, const Value& value);
bool equals(Runtime& rt, const Value& a, const Value& b);
bool contains(Runtime& rt, const Value& container, const Value& item);

enum class Binary { add, subtract, multiply, divide, floor_divide, modulo, power };
enum class Comparison { less, less_equal, greater, greater_equal };

/// "+", "//" …, as in messages.
std::string_view symbol(Binary op);
std::string_view symbol(Comparison op);

Value arithmetic(Runtime& rt, Binary op, const Value& a, const Value& b);
bool compare(Runtime& rt, Comparison op, const Value& a, const Value& b);
Value negate(Runtime& rt, const Value& value);
Value positive(Runtime& rt, const Value& value);

/// a < b, for sorting.
inline bool less(Runtime& rt, const Value& a, const Value& b) {
  return compare(rt, Comparison::less, a, b);
}

/// Python's // and % on integers: the quotient is rounded down, the remainder has the divisor's
/// sign.
std::int64_t floor_divide(std::int64_t a, std::int64_t b);
std::int64_t floor_modulo(std::int64_t a, std::int64_t b);

/// Throws "'x' is undefined" and the like if `value` is undefined.
void require_defined(Runtime& rt, const Value& value);

/// `a + b` for the sizes of things: throws when it does not fit.
[[noreturn]] void fail_operands(Runtime& rt, std::string_view op, const Value& a, const Value& b);
[[noreturn]] void fail_too_large(Runtime& rt);

}  // namespace hearth::jinja
