// What the two halves of the parser (expressions, statements) share: the tokens, the names, and
// the bookkeeping of unknown filters.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/jinja/ast.h"
#include "tokenizer/jinja/lexer.h"
#include "tokenizer/jinja/name_frames.h"

namespace hearth::jinja {

class ParserCore {
 protected:
  ParserCore(Program& program, std::vector<Token> tokens)
      : program_(program), tokens_(std::move(tokens)) {}

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead(std::size_t n = 1) const {
    return tokens_[std::min(at_ + n, tokens_.size() - 1)];
  }
  Token take() {
    const Token token = current();
    if (token.type != TokenType::end) ++at_;
    return token;
  }
  bool is_op(std::string_view op) const {
    return current().type == TokenType::op && current().text == op;
  }
  bool is_name(std::string_view name) const {
    return current().type == TokenType::name && current().text == name;
  }
  bool skip_op(std::string_view op) {
    if (!is_op(op)) return false;
    ++at_;
    return true;
  }
  bool skip_name(std::string_view name) {
    if (!is_name(name)) return false;
    ++at_;
    return true;
  }
  void expect_op(std::string_view op);
  void expect_name(std::string_view name);
  void expect(TokenType type, std::string_view what);
  std::string_view take_name(std::string_view what);

  [[noreturn]] void fail(Position position, std::string what) const {
    fail_at(program_.name, position, std::move(what));
  }
  [[noreturn]] void fail_here(std::string_view expected) const;

  NameId intern(std::string_view name);

  /// Guards the recursion over nested brackets and blocks.
  class Nested {
   public:
    explicit Nested(ParserCore& parser);
    ~Nested() { --parser_.nesting_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

   private:
    ParserCore& parser_;
  };

  /// `node` with its height set from its operands; too high a tree is refused.
  template <typename Node, typename... Operands>
  void set_height(Node& node, const Operands&... operands) {
    (raise_height(node, operands.get()), ...);
  }
  void raise_height(Expression& node, const Expression* operand);

  /// A filter or test that does not exist is an error of the template, except in the branches of a
  /// condition (`{% if %}`, `a if b`), where jinja2 finds it only when it is reached.
  struct Unknown {
    Position position;
    std::string message;
    bool in_branch;
  };
  void unknown(Position position, std::string message) {
    unknown_.push_back({position, std::move(message), in_branch_});
  }

  Program& program_;
  std::vector<Unknown> unknown_;
  bool in_branch_ = false;
  NameFrames frames_;
  std::vector<Routine*> routines_;  // macros and callers around the current place
  int loops_ = 0;                   // loops around it, within the same routine

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  std::unordered_map<std::string_view, NameId> ids_;
};

}  // namespace hearth::jinja
