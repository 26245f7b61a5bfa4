// Filters about numbers.
#include <fmt/format.h>

#include <cmath>

#include "tokenizer/jinja/filter_functions.h"
#include "tokenizer/jinja/number_text.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

Value absolute(Runtime& rt, const Value& input, const Bound&) {
  require_defined(rt, input);
  if (!input.is_number()) {
    rt.fail(fmt::format("bad operand type for abs(): '{}'", type_name(input)));
  }
  if (input.is(Kind::floating)) return Value::of_float(std::fabs(input.floating()));
  return input.integer() < 0 ? negate(rt, input) : Value::of_int(input.integer());
}

/// int(value, base), falling back to int(float(value)) and then to the default.
Value to_int_filter(Runtime& rt, const Value& input, const Bound& a) {
  const Value otherwise = a.get(0, Value::of_int(0));
  const std::int64_t base = as_index(rt, a.get(1, Value::of_int(10)), "the base of int");
  require_defined(rt, input);
  if (input.is_text()) {
    if (const auto number = parse_integer(rt, input.text(), base)) return Value::of_int(*number);
    const auto number = parse_float(input.text());
    if (!number || !std::isfinite(*number)) return otherwise;
    return truncated(rt, *number);
  }
  if (input.is_integral()) return Value::of_int(input.integer());
  if (input.is(Kind::floating)) {
    return std::isfinite(input.floating()) ? truncated(rt, input.floating()) : otherwise;
  }
  return otherwise;
}

Value to_float_filter(Runtime& rt, const Value& input, const Bound& a) {
  require_defined(rt, input);
  if (input.is_number()) return Value::of_float(input.floating());
  if (input.is_text()) {
    if (const auto number = parse_float(input.text())) return Value::of_float(*number);
  }
  return a.get(0, Value::of_float(0.0));
}

/// Half to even in decimal, as Python's round(x, n) does: on the exact decimal value of the double.
double rounded(double value, std::int64_t digits) {
  if (!std::isfinite(value) || digits > 300) return value;
  if (digits < -308) return std::copysign(0.0, value);
  if (digits >= 0) return std::stod(fmt::format("{:.{}f}", value, digits));
  const double unit = std::pow(10.0, static_cast<double>(-digits));
  return std::nearbyint(value / unit) * unit;
}

Value round_integer(Runtime& rt, std::int64_t value, std::int64_t digits) {
  if (digits >= 0) return Value::of_int(value);
  if (digits < -18) return Value::of_int(0);
  std::int64_t unit = 1;
  for (std::int64_t i = 0; i < -digits; ++i) unit *= 10;
  const std::int64_t remainder = floor_modulo(value, unit);
  const std::int64_t down = value - remainder;
  const bool odd = floor_modulo(floor_divide(value, unit), 2) != 0;
  const bool up = remainder > unit / 2 || (remainder == unit / 2 && odd);
  return up ? arithmetic(rt, Binary::add, Value::of_int(down), Value::of_int(unit))
            : Value::of_int(down);
}

Value round(Runtime& rt, const Value& input, const Bound& a) {
  const std::int64_t digits = as_index(rt, a.get(0, Value::of_int(0)), "the precision of round");
  const std::string_view method =
      as_text(rt, a.get(1, Value::of_text("common")), "the method of round");
  if (method != "common" && method != "ceil" && method != "floor") {
    rt.fail("method must be common, ceil or floor");
  }
  require_defined(rt, input);
  if (!input.is_number()) {
    rt.fail(fmt::format("type {} doesn't define __round__ method", type_name(input)));
  }
  if (method == "common") {
    if (input.is_integral()) return round_integer(rt, input.integer(), digits);
    return Value::of_float(rounded(input.floating(), digits));
  }
  const Value scale = arithmetic(rt, Binary::power, Value::of_int(10), Value::of_int(digits));
  const double scaled = arithmetic(rt, Binary::multiply, input, scale).floating();
  if (!std::isfinite(scaled)) rt.fail("cannot convert float infinity or NaN to integer");
  const Value whole = truncated(rt, method == "ceil" ? std::ceil(scaled) : std::floor(scaled));
  return arithmetic(rt, Binary::divide, whole, scale);
}

constexpr Filter kFilters[] = {
    {"abs", "", absolute},
    {"int", "default? base?", to_int_filter},
    {"float", "default?", to_float_filter},
    {"round", "precision? method?", round},
};

}  // namespace

std::span<const Filter> number_filters() {
  return kFilters;
}

}  // namespace hearth::jinja
