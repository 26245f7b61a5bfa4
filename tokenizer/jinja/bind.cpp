#include "tokenizer/jinja/bind.h"

#include <fmt/format.h>

#include "tokenizer/jinja/operators.h"

namespace hearth::jinja {
namespace {

/// Takes the next name off a parameter list.
struct Parameter {
  std::string_view name;
  bool optional;
};

Parameter next_parameter(std::string_view& list) {
  const std::size_t space = list.find(' ');
  std::string_view name = list.substr(0, space);
  list = space == std::string_view::npos ? std::string_view() : list.substr(space + 1);
  const bool optional = name.ends_with('?');
  if (optional) name.remove_suffix(1);
  return {name, optional};
}

}  // namespace

Bound bind(Runtime& rt, std::string_view callee, std::string_view parameters, const Args& args) {
  Bound bound;
  std::size_t taken_positional = 0;
  std::size_t taken_named = 0;
  bool takes_rest = false;
  if (parameters.starts_with("/ ")) {
    if (!args.named.empty()) rt.fail(fmt::format("{}() takes no keyword arguments", callee));
    parameters.remove_prefix(2);
  }
  for (std::size_t i = 0; !parameters.empty(); ++i) {
    const Parameter parameter = next_parameter(parameters);
    if (parameter.name == "*") {
      takes_rest = true;
      break;
    }
    const Value* named = args.find(parameter.name);
    if (i < args.positional.size()) {
      if (named != nullptr) {
        rt.fail(fmt::format("{}() got argument '{}' twice", callee, parameter.name));
      }
      bound.values[i] = args.positional[i];
      ++taken_positional;
    } else if (named != nullptr) {
      bound.values[i] = *named;
      ++taken_named;
    } else if (!parameter.optional) {
      rt.fail(fmt::format("{}() lacks its argument '{}'", callee, parameter.name));
    }
  }
  bound.rest = {args.positional.subspan(taken_positional), args.named};
  if (takes_rest) return bound;
  if (taken_positional < args.positional.size()) {
    rt.fail(fmt::format("{}() takes at most {} arguments, got {}", callee, taken_positional,
                        args.positional.size()));
  }
  if (taken_named < args.named.size()) {
    rt.fail(fmt::format("{}() got an argument that it does not take: '{}'", callee,
                        args.named.back().name));
  }
  return bound;
}

std::int64_t as_index(Runtime& rt, const Value& value, std::string_view what) {
  require_defined(rt, value);
  if (!value.is_integral()) {
    rt.fail(fmt::format("{} must be an integer, not {}", what, type_name(value)));
  }
  return value.integer();
}

std::string_view as_text(Runtime& rt, const Value& value, std::string_view what) {
  require_defined(rt, value);
  if (!value.is_text()) {
    rt.fail(fmt::format("{} must be str, not {}", what, type_name(value)));
  }
  return value.text();
}

}  // namespace hearth::jinja
