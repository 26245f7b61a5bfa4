// HTML escaping, as |escape, |forceescape and additions to marked-safe text do it.
#pragma once

#include <string_view>

#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

/// `text` with & < > " ' as entities, marked as safe.
Value escaped(Runtime& rt, std::string_view text);

}  // namespace hearth::jinja
