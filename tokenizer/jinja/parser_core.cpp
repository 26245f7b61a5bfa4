#include "tokenizer/jinja/parser_core.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth::jinja {

void ParserCore::fail_here(std::string_view expected) const {
  fail(current().position, fmt::format("expected {}, got {}", expected, describe(current())));
}

void ParserCore::expect_op(std::string_view op) {
  if (!skip_op(op)) fail_here(fmt::format("'{}'", op));
}

void ParserCore::expect_name(std::string_view name) {
  if (!skip_name(name)) fail_here(fmt::format("'{}'", name));
}

void ParserCore::expect(TokenType type, std::string_view what) {
  if (current().type != type) fail_here(what);
  take();
}

std::string_view ParserCore::take_name(std::string_view what) {
  if (current().type != TokenType::name) fail_here(what);
  return take().text;
}

NameId ParserCore::intern(std::string_view name) {
  const auto [entry, is_new] = ids_.try_emplace(name, static_cast<NameId>(program_.names.size()));
  if (is_new) program_.names.push_back(name);
  return entry->second;
}

ParserCore::Nested::Nested(ParserCore& parser) : parser_(parser) {
  if (++parser_.nesting_ > kMaxNesting) {
    --parser_.nesting_;
    parser_.fail(parser_.current().position,
                 fmt::format("nested more than {} levels deep", kMaxNesting));
  }
}

void ParserCore::raise_height(Expression& node, const Expression* operand) {
  if (operand == nullptr) return;
  node.height = std::max(node.height, operand->height + 1);
  if (node.height > kMaxNesting) {
    fail(node.position,
         fmt::format("an expression of more than {} operations within each other", kMaxNesting));
  }
}

}  // namespace hearth::jinja
