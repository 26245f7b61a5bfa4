#include "tokenizer/jinja/members.h"

#include <fmt/format.h>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/methods.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {
namespace {

/// What a method of a text marked as safe gives is as safe.
Value marked(Runtime& rt, const Value& result) {
  if (result.is_text()) return Value::of_text(result.text(), true);
  if (!result.is_sequence()) return result;
  ListBuilder items(rt);
  for (const Value& item : result.items()) items.append(marked(rt, item));
  return result.is(Kind::list) ? items.list() : items.tuple();
}

struct BoundMethod final : Object {
  Value self;
  const Method* method;

  BoundMethod(const Value& of, const Method* what) : self(of), method(what) {}
  std::string_view type_name() const override { return "builtin_function_or_method"; }
  std::string repr(Runtime&) const override {
    return fmt::format("<built-in method {} of {} object>", method->name, jinja::type_name(self));
  }
  bool callable() const override { return true; }
  Value call(Runtime& rt, const Args& args) override {
    const Value result = method->call(rt, self, bind(rt, method->name, method->parameters, args));
    return self.is_markup() ? marked(rt, result) : result;
  }
  bool equals(Runtime& rt, const Object& other) override {
    const auto* bound = dynamic_cast<const BoundMethod*>(&other);
    return bound != nullptr && bound->method == method && jinja::equals(rt, bound->self, self);
  }
};

Value unsafe(Runtime& rt, const Value& value, std::string_view name) {
  return rt.undefined_because(
      fmt::format("access to attribute '{}' of '{}' object is unsafe.", name, type_name(value)));
}

}  // namespace

Value get_attribute(Runtime& rt, const Value& value, std::string_view name) {
  if (value.is(Kind::object)) return value.object().attribute(rt, name);
  if (const Method* method = find_method(value, name)) {
    return Value::of_object(rt.make<BoundMethod>(value, method));
  }
  if (is_mutating(value, name)) return unsafe(rt, value, name);
  return {};
}

Value get_member(Runtime& rt, const Value& value, const Value& name) {
  require_defined(rt, value);
  Value result = get_attribute(rt, value, name.text());
  if (result.is_missing()) result = item(rt, value, name);
  return result.is_missing() ? rt.undefined_member(value, name) : result;
}

Value get_subscript(Runtime& rt, const Value& value, const Value& key) {
  require_defined(rt, value);
  Value result = item(rt, value, key);
  if (result.is_missing() && key.is_text()) result = get_attribute(rt, value, key.text());
  return result.is_missing() ? rt.undefined_member(value, key) : result;
}

Value call(Runtime& rt, const Value& callee, const Args& args) {
  require_defined(rt, callee);
  if (!callee.is(Kind::object) || !callee.object().callable()) {
    rt.fail(fmt::format("'{}' object is not callable", type_name(callee)));
  }
  return callee.object().call(rt, args);
}

}  // namespace hearth::jinja
