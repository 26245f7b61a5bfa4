#include "tokenizer/jinja/operators.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/escape.h"
#include "tokenizer/jinja/format.h"
#include "tokenizer/jinja/runtime.h"
#include "tokenizer/jinja/text_tools.h"

namespace hearth::jinja {
namespace {

Value add_numbers(Runtime& rt, const Value& a, const Value& b) {
  if (!a.is_integral() || !b.is_integral()) return Value::of_float(a.floating() + b.floating());
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.integer(), b.integer(), &sum)) fail_too_large(rt);
  return Value::of_int(sum);
}

Value add(Runtime& rt, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return add_numbers(rt, a, b);
  if (a.is_text() && b.is_text()) {
    if (a.is_markup() == b.is_markup()) return rt.concat(a.text(), b.text(), a.is_markup());
    return rt.concat(a.is_markup() ? a.text() : escaped(rt, a.text()).text(),
                     b.is_markup() ? b.text() : escaped(rt, b.text()).text(), true);
  }
  if (a.is_sequence() && a.kind() == b.kind()) {
    ListBuilder items(rt);
    for (const Value& item : a.items()) items.append(item);
    for (const Value& item : b.items()) items.append(item);
    return a.is(Kind::list) ? items.list() : items.tuple();
  }
  if (a.is_text()) {
    rt.fail(fmt::format("can only concatenate str (not \"{}\") to str; `~` joins any values",
                        type_name(b)));
  }
  fail_operands(rt, "+", a, b);
}

Value subtract(Runtime& rt, const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) fail_operands(rt, "-", a, b);
  if (!a.is_integral() || !b.is_integral()) return Value::of_float(a.floating() - b.floating());
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(a.integer(), b.integer(), &difference)) fail_too_large(rt);
  return Value::of_int(difference);
}

Value repeat(Runtime& rt, const Value& value, std::int64_t times) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
  const std::size_t unit =
      value.is_text() ? value.text().size() : value.items().size() * sizeof(Value);
  if (unit != 0 && count > rt.limits().memory_bytes / unit)
    rt.check_room(rt.limits().memory_bytes + 1);
  if (unit == 0 || count == 0) {
    return value.is_text() ? rt.text("", value.is_markup())
                           : (value.is(Kind::list) ? rt.list({}) : rt.tuple({}));
  }
  rt.claim(unit * count);
  if (value.is_text()) {
    std::string out;
    out.reserve(unit * count);
    for (std::size_t i = 0; i < count; ++i) out += value.text();
    return rt.text(out, value.is_markup());
  }
  ListBuilder items(rt);
  for (std::size_t i = 0; i < count; ++i) {
    for (const Value& item : value.items()) items.append(item);
  }
  return value.is(Kind::list) ? items.list() : items.tuple();
}

Value multiply(Runtime& rt, const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(a.integer(), b.integer(), &product)) fail_too_large(rt);
    return Value::of_int(product);
  }
  if (a.is_number() && b.is_number()) return Value::of_float(a.floating() * b.floating());
  if ((a.is_text() || a.is_sequence()) && b.is_integral()) return repeat(rt, a, b.integer());
  if ((b.is_text() || b.is_sequence()) && a.is_integral()) return repeat(rt, b, a.integer());
  if (a.is_text() || a.is_sequence()) {
    rt.fail(fmt::format("can't multiply sequence by non-int of type '{}'", type_name(b)));
  }
  if (b.is_text() || b.is_sequence()) {
    rt.fail(fmt::format("can't multiply sequence by non-int of type '{}'", type_name(a)));
  }
  fail_operands(rt, "*", a, b);
}

void require_divisor(Runtime& rt, const Value& b) {
  if (b.floating() == 0) rt.fail("division by zero");
}

Value divide(Runtime& rt, const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) fail_operands(rt, "/", a, b);
  require_divisor(rt, b);
  return Value::of_float(a.floating() / b.floating());
}

double float_modulo(double a, double b) {
  double remainder = std::fmod(a, b);
  if (remainder != 0) {
    if ((b < 0) != (remainder < 0)) remainder += b;
  } else {
    remainder = std::copysign(0.0, b);
  }
  return remainder;
}

double float_floor_divide(double a, double b) {
  const double remainder = std::fmod(a, b);
  double quotient = (a - remainder) / b;
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value floor_division(Runtime& rt, const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) fail_operands(rt, "//", a, b);
  require_divisor(rt, b);
  if (!a.is_integral() || !b.is_integral()) {
    return Value::of_float(float_floor_divide(a.floating(), b.floating()));
  }
  if (b.integer() == -1 && a.integer() == std::numeric_limits<std::int64_t>::min()) {
    fail_too_large(rt);
  }
  return Value::of_int(floor_divide(a.integer(), b.integer()));
}

Value modulo(Runtime& rt, const Value& a, const Value& b) {
  if (a.is_text()) return percent_format(rt, a, b);
  if (!a.is_number() || !b.is_number()) fail_operands(rt, "%", a, b);
  require_divisor(rt, b);
  if (!a.is_integral() || !b.is_integral()) {
    return Value::of_float(float_modulo(a.floating(), b.floating()));
  }
  return Value::of_int(b.integer() == -1 ? 0 : floor_modulo(a.integer(), b.integer()));
}

Value power(Runtime& rt, const Value& a, const Value& b) {
  if (!a.is_number() || !b.is_number()) fail_operands(rt, "** or pow()", a, b);
  if (!a.is_integral() || !b.is_integral() || b.integer() < 0) {
    if (a.floating() == 0 && b.floating() < 0) {
      rt.fail("0.0 cannot be raised to a negative power");
    }
    const double result = std::pow(a.floating(), b.floating());
    if (std::isnan(result) && !std::isnan(a.floating()) && !std::isnan(b.floating())) {
      rt.fail("a negative number to a fractional power is a complex number");
    }
    if (std::isinf(result) && std::isfinite(a.floating()) && std::isfinite(b.floating())) {
      rt.fail("the result of ** is too large for a float");
    }
    return Value::of_float(result);
  }
  std::int64_t result = 1;
  std::int64_t base = a.integer();
  for (std::int64_t exponent = b.integer(); exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) fail_too_large(rt);
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) fail_too_large(rt);
  }
  return Value::of_int(result);
}

/// -1, 0, 1; 2 if a NaN is in it. Exact even where an integer is no double.
int order_numbers(const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) {
    return a.integer() < b.integer() ? -1 : (a.integer() > b.integer() ? 1 : 0);
  }
  const double x = a.floating();
  const double y = b.floating();
  if (std::isnan(x) || std::isnan(y)) return 2;
  if (x != y || (a.is(Kind::floating) && b.is(Kind::floating))) return x < y ? -1 : (x > y ? 1 : 0);
  const std::int64_t integer = a.is_integral() ? a.integer() : b.integer();
  const double number = a.is_integral() ? y : x;
  if (number >= 9223372036854775808.0) return a.is_integral() ? -1 : 1;
  const auto rounded = static_cast<std::int64_t>(number);
  const int order = integer < rounded ? -1 : (integer > rounded ? 1 : 0);
  return a.is_integral() ? order : -order;
}

bool holds(Comparison op, int order) {
  switch (op) {
    case Comparison::less:
      return order == -1;
    case Comparison::less_equal:
      return order == -1 || order == 0;
    case Comparison::greater:
      return order == 1;
    case Comparison::greater_equal:
      return order == 1 || order == 0;
  }
  return false;
}

bool equal_items(Runtime& rt, std::span<const Value> a, std::span<const Value> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equals(rt, a[i], b[i])) return false;
  }
  return true;
}

bool equal_dicts(Runtime& rt, const Dict& a, const Dict& b) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const Entry& entry : a.entries) {
    const Value* other = find(rt, b, entry.key);
    if (other == nullptr || !equals(rt, entry.value, *other)) return false;
  }
  return true;
}

}  // namespace

bool truth(Runtime& rt, const Value& value) {
  switch (value.kind()) {
    case Kind::missing:
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
    case Kind::integer:
      return value.integer() != 0;
    case Kind::floating:
      return value.floating() != 0;
    case Kind::string:
      return !value.text().empty();
    case Kind::list:
    case Kind::tuple:
      return !value.items().empty();
    case Kind::dict:
      return !value.dict().entries.empty();
    case Kind::object:
      return value.object().length(rt).value_or(1) != 0;
  }
  return false;
}

bool equals(Runtime& rt, const Value& a, const Value& b) {
  rt.step();
  if (a.is_number() && b.is_number()) return order_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::string:
      if (a.text().size() == b.text().size()) rt.work(a.text().size());
      return a.text() == b.text();
    case Kind::list:
    case Kind::tuple: {
      const Runtime::Deeper deeper(rt);
      return equal_items(rt, a.items(), b.items());
    }
    case Kind::dict: {
      const Runtime::Deeper deeper(rt);
      return &a.dict() == &b.dict() || equal_dicts(rt, a.dict(), b.dict());
    }
    case Kind::object:
      return a.object().equals(rt, b.object());
    default:
      return true;  // none, undefined
  }
}

bool contains(Runtime& rt, const Value& container, const Value& item) {
  if (container.is_text()) {
    if (!item.is_text()) {
      require_defined(rt, item);
      rt.fail(
          fmt::format("'in <string>' requires string as left operand, not {}", type_name(item)));
    }
    search_work(rt, container.text(), item.text());
    return container.text().find(item.text()) != std::string_view::npos;
  }
  if (container.is(Kind::dict)) return find(rt, container.dict(), item) != nullptr;
  Iterator* items = iterate(rt, container);
  if (items == nullptr) {
    rt.fail(fmt::format("argument of type '{}' is not iterable", type_name(container)));
  }
  for (Value candidate; items->next(rt, candidate);) {
    if (equals(rt, candidate, item)) return true;
  }
  return false;
}

std::string_view symbol(Binary op) {
  constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "**"};
  return kSymbols[static_cast<int>(op)];
}

std::string_view symbol(Comparison op) {
  constexpr std::string_view kSymbols[] = {"<", "<=", ">", ">="};
  return kSymbols[static_cast<int>(op)];
}

Value arithmetic(Runtime& rt, Binary op, const Value& a, const Value& b) {
  constexpr Value (*kOperations[])(Runtime&, const Value&, const Value&) = {
      add, subtract, multiply, divide, floor_division, modulo, power};
  require_defined(rt, a);
  if (!(op == Binary::modulo && a.is_text())) require_defined(rt, b);
  return kOperations[static_cast<int>(op)](rt, a, b);
}

bool compare(Runtime& rt, Comparison op, const Value& a, const Value& b) {
  rt.step();
  require_defined(rt, a);
  require_defined(rt, b);
  if (a.is_number() && b.is_number()) return holds(op, order_numbers(a, b));
  if (a.is_text() && b.is_text()) {
    rt.work(std::min(a.text().size(), b.text().size()));
    const int order = a.text().compare(b.text());
    return holds(op, order < 0 ? -1 : (order > 0 ? 1 : 0));
  }
  if (a.is_sequence() && a.kind() == b.kind()) {
    const Runtime::Deeper deeper(rt);
    const std::size_t common = std::min(a.items().size(), b.items().size());
    for (std::size_t i = 0; i < common; ++i) {
      if (!equals(rt, a.items()[i], b.items()[i]))
        return compare(rt, op, a.items()[i], b.items()[i]);
    }
    return holds(op, order_numbers(Value::of_int(static_cast<std::int64_t>(a.items().size())),
                                   Value::of_int(static_cast<std::int64_t>(b.items().size()))));
  }
  rt.fail(fmt::format("'{}' not supported between instances of '{}' and '{}'", symbol(op),
                      type_name(a), type_name(b)));
}

Value negate(Runtime& rt, const Value& value) {
  require_defined(rt, value);
  if (value.is(Kind::floating)) return Value::of_float(-value.floating());
  if (!value.is_integral()) {
    rt.fail(fmt::format("bad operand type for unary -: '{}'", type_name(value)));
  }
  return subtract(rt, Value::of_int(0), value);
}

Value positive(Runtime& rt, const Value& value) {
  require_defined(rt, value);
  if (value.is(Kind::floating)) return value;
  if (!value.is_integral()) {
    rt.fail(fmt::format("bad operand type for unary +: '{}'", type_name(value)));
  }
  return Value::of_int(value.integer());
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  HEARTH_CHECK(b != 0);
  const std::int64_t quotient = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? quotient - 1 : quotient;
}

std::int64_t floor_modulo(std::int64_t a, std::int64_t b) {
  HEARTH_CHECK(b != 0);
  const std::int64_t remainder = a % b;
  return (remainder != 0 && (remainder < 0) != (b < 0)) ? remainder + b : remainder;
}

void require_defined(Runtime& rt, const Value& value) {
  if (value.is_undefined()) rt.fail(value.undefined_info()->describe(rt));
}

void fail_operands(Runtime& rt, std::string_view op, const Value& a, const Value& b) {
  rt.fail(fmt::format("unsupported operand type(s) for {}: '{}' and '{}'", op, type_name(a),
                      type_name(b)));
}

void fail_too_large(Runtime& rt) {
  rt.fail("an integer is too large; integers have 64 bits here");
}

}  // namespace hearth::jinja
