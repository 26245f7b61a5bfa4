// Attributes: what `value.name` finds. Methods of texts, dicts and lists, and of objects.
#pragma once

#include <string_view>

#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

/// value.name as jinja2 does it: an attribute, else an item, else undefined.
Value get_member(Runtime& rt, const Value& value, const Value& name);

/// value[key]: an item, else an attribute if the key is a text, else undefined.
Value get_subscript(Runtime& rt, const Value& value, const Value& key);

/// Only attributes, as |attr does; missing if there is none.
Value get_attribute(Runtime& rt, const Value& value, std::string_view name);

/// value(args): methods, macros, functions.
Value call(Runtime& rt, const Value& callee, const Args& args);

}  // namespace hearth::jinja
