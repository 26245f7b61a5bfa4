// The functions that every template has: range, namespace, dict, raise_exception …
#pragma once

#include <string_view>

#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

/// missing if there is no global of that name.
Value find_global(Runtime& rt, std::string_view name);

/// A namespace() object: the one thing in a template that can be changed.
struct Namespace;

/// nullptr if `value` is no namespace.
Namespace* as_namespace(const Value& value);
void set_member(Runtime& rt, Namespace& space, std::string_view name, const Value& value);

}  // namespace hearth::jinja
