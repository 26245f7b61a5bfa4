// Any bytes as a template, rendered with a small conversation: it may fail, with an Error.
// What stands behind a line of "---" in the input, if it is JSON, takes the context's place.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tokenizer/jinja/template.h"

namespace {

using Json = nlohmann::ordered_json;

const Json& small_context() {
  static const Json kContext = Json::parse(R"({
    "messages": [
      {"role": "system", "content": " Be brief. "},
      {"role": "user", "content": "Hi, \u00e9\u65e5\ud83d\ude00"},
      {"role": "assistant", "content": null,
       "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1, "b": [1.5, true]}}}]}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
    "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>",
    "x": 5, "y": 2.5, "l": [3, 1, 2], "d": {"b": 1, "a": "z"}, "s": "Hello World", "n": null})");
  return kContext;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view source(reinterpret_cast<const char*>(data), size);
  const Json* context = &small_context();
  Json own;
  constexpr std::string_view kRule = "\n---\n";
  if (const std::size_t rule = source.rfind(kRule); rule != std::string_view::npos) {
    own = Json::parse(source.substr(rule + kRule.size()), nullptr, false);
    source = source.substr(0, rule);
    if (own.is_object()) context = &own;
  }
  hearth::jinja::RenderOptions options;
  options.limits.steps = 100'000;
  options.limits.output_bytes = 1 << 20;
  options.limits.memory_bytes = 16 << 20;
  options.now = std::tm{};
  try {
    hearth::jinja::Template::parse(source).render(*context, options);
  } catch (const hearth::Error&) {
  }
  return 0;
}
