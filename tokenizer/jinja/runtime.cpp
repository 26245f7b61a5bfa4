#include "tokenizer/jinja/runtime.h"

#include <fmt/format.h>

#include "base/error.h"

namespace hearth::jinja {

void fail_at(std::string_view template_name, Position position, std::string what) {
  throw Error({.where = fmt::format("{}:{}:{}", template_name, position.line, position.column),
               .what = std::move(what),
               .expected = {},
               .got = {}});
}

void Runtime::fail(std::string what) const {
  fail_at(template_name_, position_, std::move(what));
}

void Runtime::fail_steps() const {
  fail(
      fmt::format("the template takes more than {} steps; it may loop without end", limits_.steps));
}

void Runtime::fail_depth() {
  --depth_;  // the guard that called is not constructed, so it will not count back
  fail(
      fmt::format("more than {} evaluations within each other; a macro or a loop may call itself "
                  "without end",
                  limits_.depth));
}

void Runtime::check_room(std::size_t bytes) const {
  if (bytes > limits_.memory_bytes || heap_.bytes() > limits_.memory_bytes - bytes) {
    fail(fmt::format("the template needs more than {} MiB of memory", limits_.memory_bytes >> 20));
  }
}

Value Runtime::text(std::string_view text, bool markup) {
  claim(text.size());
  return Value::of_text(heap_.copy(text), markup);
}

Value Runtime::concat(std::string_view left, std::string_view right, bool markup) {
  if (heap_.extends(left, right.size())) {
    work(right.size());
  } else {
    claim(2 * (left.size() + right.size()));
  }
  return Value::of_text(heap_.append(left, right), markup);
}

Value Runtime::list(std::span<const Value> items) {
  claim(items.size_bytes());
  return Value::of_list(heap_.copy(items));
}

Value Runtime::tuple(std::span<const Value> items) {
  claim(items.size_bytes());
  return Value::of_tuple(heap_.copy(items));
}

Value Runtime::undefined_because(std::string_view message) {
  return Value::of_undefined(make<UndefinedInfo>(heap_.copy(message), std::string_view(), Value()));
}

Value Runtime::undefined_name(std::string_view name) {
  return Value::of_undefined(
      make<UndefinedInfo>(std::string_view(), std::string_view(), Value::of_text(name)));
}

Value Runtime::undefined_member(const Value& owner, const Value& name) {
  const std::string_view type = owner.is_none() ? "None" : type_name(owner);
  return Value::of_undefined(make<UndefinedInfo>(std::string_view(), type, name));
}

}  // namespace hearth::jinja
