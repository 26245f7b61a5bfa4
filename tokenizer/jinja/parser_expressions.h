// The expression half of the parser.
#pragma once

#include "tokenizer/jinja/parser_core.h"

namespace hearth::jinja {

class ExpressionParser : protected ParserCore {
 protected:
  using ParserCore::ParserCore;

  ExpressionPtr expression(bool with_condition = true);

  /// One expression, or several with commas between them as a tuple.
  ExpressionPtr tuple(bool with_condition);

  Arguments arguments();  // from '(' to ')'

  /// `|name(args)|…` without an input, for filter blocks; `first_bare`: the first has no '|'.
  std::vector<std::unique_ptr<FilterUse>> filter_chain(bool first_bare);

  ExpressionPtr unary(bool with_filters = true);

 private:
  ExpressionPtr conditional();
  ExpressionPtr disjunction();
  ExpressionPtr conjunction();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr primary();
  ExpressionPtr name();
  ExpressionPtr strings();
  ExpressionPtr parenthesized();
  ExpressionPtr list();
  ExpressionPtr dict();
  ExpressionPtr postfix(ExpressionPtr node);
  ExpressionPtr filters_and_tests(ExpressionPtr node);
  ExpressionPtr member(ExpressionPtr node);
  ExpressionPtr subscript(ExpressionPtr node);
  ExpressionPtr slice(ExpressionPtr node, ExpressionPtr start, Position position);
  ExpressionPtr call(ExpressionPtr node);
  ExpressionPtr test(ExpressionPtr node);
  std::unique_ptr<FilterUse> filter();
  void note_special_name(std::string_view name);
  void set_argument_heights(Expression& node, const Arguments& arguments);
};

}  // namespace hearth::jinja
