// How tokenizer.json cuts a text into words before it joins bytes, as GGUF calls it.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace hearth {

/// The name for tokenizer.ggml.pre of tokenizer.json's part "pre_tokenizer"; empty for one that is
/// not known.
std::string_view gguf_pre_tokenizer(const nlohmann::json& pre_tokenizer);

}  // namespace hearth
