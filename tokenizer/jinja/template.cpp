#include "tokenizer/jinja/template.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tokenizer/jinja/ast.h"
#include "tokenizer/jinja/evaluator.h"
#include "tokenizer/jinja/parser.h"

namespace hearth::jinja {
namespace {

std::tm local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm broken_down = {};
  localtime_r(&now, &broken_down);
  return broken_down;
}

}  // namespace

Template Template::parse(std::string_view source, std::string name) {
  return Template(jinja::parse(source, std::move(name)));
}

std::string Template::render(const nlohmann::ordered_json& context,
                             const RenderOptions& options) const {
  if (!context.is_object()) {
    throw Error({.where = program_->name,
                 .what = "a template is rendered with an object of variables",
                 .expected = "a JSON object",
                 .got = context.type_name()});
  }
  Runtime rt(program_->name, options.limits, options.now ? *options.now : local_time());
  return Evaluator(*program_, context, rt).run();
}

bool Template::mentions(std::string_view variable) const {
  return std::find(program_->names.begin(), program_->names.end(), variable) !=
         program_->names.end();
}

}  // namespace hearth::jinja
