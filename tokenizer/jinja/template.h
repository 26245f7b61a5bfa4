// Chat templates as Hugging Face writes them: Jinja, parsed once, rendered often.
//
// The language is jinja2 3.1's, set up as transformers sets it up: trim_blocks, lstrip_blocks, loop
// controls, {% generation %}, no automatic escaping, a sandbox without changes to lists and dicts;
// `tojson`, `raise_exception` and `strftime_now` as there. docs/templates.md says what differs.
#pragma once

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "tokenizer/jinja/limits.h"

namespace hearth::jinja {

struct Program;

struct RenderOptions {
  Limits limits = {};
  std::optional<std::tm> now = {};  // what strftime_now() says; absent: the local time
};

class Template {
 public:
  /// Throws Error with name, line and column of what is not jinja. `name` stands in messages.
  static Template parse(std::string_view source, std::string name = "chat template");

  /// The text that the template makes of `context`, an object whose members are its variables.
  /// Throws Error where the template fails, raises an exception itself or passes a limit.
  /// May be called from several threads at once.
  std::string render(const nlohmann::ordered_json& context,
                     const RenderOptions& options = {}) const;

  /// Whether the template speaks of a variable of that name anywhere.
  bool mentions(std::string_view variable) const;

 private:
  explicit Template(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace hearth::jinja
