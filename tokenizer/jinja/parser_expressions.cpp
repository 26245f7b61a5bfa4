#include "tokenizer/jinja/parser_expressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace hearth::jinja {
namespace {

template <typename T>
struct Operator {
  std::string_view text;
  T op;
};

using Compared = ComparisonChain::Op;
constexpr Operator<Compared> kComparisons[] = {
    {"==", Compared::equal},      {"!=", Compared::not_equal}, {"<", Compared::less},
    {"<=", Compared::less_equal}, {">", Compared::greater},    {">=", Compared::greater_equal},
};
constexpr Operator<Binary> kSums[] = {{"+", Binary::add}, {"-", Binary::subtract}};
constexpr Operator<Binary> kProducts[] = {{"*", Binary::multiply},
                                          {"/", Binary::divide},
                                          {"//", Binary::floor_divide},
                                          {"%", Binary::modulo}};

struct Constant {
  std::string_view name;
  Value value;
};

std::optional<Value> constant(std::string_view name) {
  static const Constant kConstants[] = {
      {"true", Value::of_bool(true)},   {"True", Value::of_bool(true)},
      {"false", Value::of_bool(false)}, {"False", Value::of_bool(false)},
      {"none", Value::none()},          {"None", Value::none()},
  };
  for (const Constant& entry : kConstants) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

template <typename T, std::size_t n>
const Operator<T>* find_operator(const Operator<T> (&table)[n], const Token& token) {
  if (token.type != TokenType::op) return nullptr;
  for (const Operator<T>& row : table) {
    if (row.text == token.text) return &row;
  }
  return nullptr;
}

}  // namespace

ExpressionPtr ExpressionParser::expression(bool with_condition) {
  const Nested nested(*this);
  return with_condition ? conditional() : disjunction();
}

ExpressionPtr ExpressionParser::conditional() {
  const std::size_t known = unknown_.size();
  ExpressionPtr value = disjunction();
  while (is_name("if")) {
    const Nested nested(*this);
    auto node = std::make_unique<Conditional>(take().position);
    node->when_true = std::move(value);
    node->test = disjunction();
    if (skip_name("else")) node->when_false = expression();
    set_height(*node, node->when_true, node->test, node->when_false);
    for (std::size_t i = known; i < unknown_.size(); ++i) unknown_[i].in_branch = true;
    value = std::move(node);
  }
  return value;
}

ExpressionPtr ExpressionParser::disjunction() {
  ExpressionPtr left = conjunction();
  while (is_name("or")) {
    const Position position = take().position;
    auto node = std::make_unique<Logical>(position, false, std::move(left), conjunction());
    set_height(*node, node->left, node->right);
    left = std::move(node);
  }
  return left;
}

ExpressionPtr ExpressionParser::conjunction() {
  ExpressionPtr left = negation();
  while (is_name("and")) {
    const Position position = take().position;
    auto node = std::make_unique<Logical>(position, true, std::move(left), negation());
    set_height(*node, node->left, node->right);
    left = std::move(node);
  }
  return left;
}

ExpressionPtr ExpressionParser::negation() {
  if (!is_name("not")) return comparison();
  const Nested nested(*this);
  const Position position = take().position;
  auto node = std::make_unique<Unary>(position, Unary::Op::logical_not, negation());
  set_height(*node, node->operand);
  return node;
}

ExpressionPtr ExpressionParser::comparison() {
  const Position position = current().position;
  ExpressionPtr first = sum();
  auto chain = std::make_unique<ComparisonChain>(position);
  for (;;) {
    if (const auto* row = find_operator(kComparisons, current())) {
      take();
      chain->rest.emplace_back(row->op, sum());
    } else if (skip_name("in")) {
      chain->rest.emplace_back(Compared::in, sum());
    } else if (is_name("not") && ahead().type == TokenType::name && ahead().text == "in") {
      take();
      take();
      chain->rest.emplace_back(Compared::not_in, sum());
    } else {
      break;
    }
    set_height(*chain, chain->rest.back().second);
  }
  if (chain->rest.empty()) return first;
  set_height(*chain, first);
  chain->first = std::move(first);
  return chain;
}

ExpressionPtr ExpressionParser::sum() {
  ExpressionPtr left = concatenation();
  while (const auto* row = find_operator(kSums, current())) {
    const Position position = take().position;
    auto node = std::make_unique<Arithmetic>(position, row->op, std::move(left), concatenation());
    set_height(*node, node->left, node->right);
    left = std::move(node);
  }
  return left;
}

ExpressionPtr ExpressionParser::concatenation() {
  const Position position = current().position;
  ExpressionPtr first = product();
  if (!is_op("~")) return first;
  auto node = std::make_unique<Concatenation>(position);
  node->parts.push_back(std::move(first));
  while (skip_op("~")) node->parts.push_back(product());
  for (const ExpressionPtr& part : node->parts) set_height(*node, part);
  return node;
}

ExpressionPtr ExpressionParser::product() {
  ExpressionPtr left = power();
  while (const auto* row = find_operator(kProducts, current())) {
    const Position position = take().position;
    auto node = std::make_unique<Arithmetic>(position, row->op, std::move(left), power());
    set_height(*node, node->left, node->right);
    left = std::move(node);
  }
  return left;
}

ExpressionPtr ExpressionParser::power() {
  ExpressionPtr left = unary();
  while (is_op("**")) {
    const Position position = take().position;
    auto node = std::make_unique<Arithmetic>(position, Binary::power, std::move(left), unary());
    set_height(*node, node->left, node->right);
    left = std::move(node);
  }
  return left;
}

ExpressionPtr ExpressionParser::unary(bool with_filters) {
  ExpressionPtr node;
  if (is_op("-") || is_op("+")) {
    const Nested nested(*this);
    const Token sign = take();
    const auto op = sign.text == "-" ? Unary::Op::minus : Unary::Op::plus;
    auto signed_node = std::make_unique<Unary>(sign.position, op, unary(false));
    set_height(*signed_node, signed_node->operand);
    node = std::move(signed_node);
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return with_filters ? filters_and_tests(std::move(node)) : std::move(node);
}

ExpressionPtr ExpressionParser::primary() {
  const Token& token = current();
  switch (token.type) {
    case TokenType::name:
      return name();
    case TokenType::string:
      return strings();
    case TokenType::integer:
      return std::make_unique<Literal>(token.position, Value::of_int(take().integer));
    case TokenType::floating:
      return std::make_unique<Literal>(token.position, Value::of_float(take().floating));
    default:
      break;
  }
  if (is_op("(")) return parenthesized();
  if (is_op("[")) return list();
  if (is_op("{")) return dict();
  fail_here("an expression");
}

ExpressionPtr ExpressionParser::name() {
  const Token token = take();
  if (const auto value = constant(token.text)) {
    return std::make_unique<Literal>(token.position, *value);
  }
  note_special_name(token.text);
  const NameId id = intern(token.text);
  frames_.load(id);
  return std::make_unique<Variable>(token.position, id);
}

void ExpressionParser::note_special_name(std::string_view name) {
  for (Routine* routine : routines_) {
    routine->uses_caller |= name == "caller";
    routine->uses_varargs |= name == "varargs";
    routine->uses_kwargs |= name == "kwargs";
  }
}

ExpressionPtr ExpressionParser::strings() {
  const Token first = take();
  if (current().type != TokenType::string) {
    return std::make_unique<Literal>(first.position, Value::of_text(first.text));
  }
  std::string joined(first.text);
  while (current().type == TokenType::string) joined += take().text;
  const std::string_view kept = program_.strings.emplace_back(std::move(joined));
  return std::make_unique<Literal>(first.position, Value::of_text(kept));
}

ExpressionPtr ExpressionParser::parenthesized() {
  const Position position = take().position;
  if (skip_op(")")) return std::make_unique<Sequence>(position, Kind::tuple);
  ExpressionPtr node = tuple(true);
  expect_op(")");
  return node;
}

ExpressionPtr ExpressionParser::tuple(bool with_condition) {
  const Position position = current().position;
  const auto at_end = [&] {
    return current().type == TokenType::variable_end || current().type == TokenType::block_end ||
           is_op(")");
  };
  ExpressionPtr first = expression(with_condition);
  if (!is_op(",")) return first;
  auto node = std::make_unique<Sequence>(position, Kind::tuple);
  node->items.push_back(std::move(first));
  while (skip_op(",") && !at_end()) node->items.push_back(expression(with_condition));
  for (const ExpressionPtr& item : node->items) set_height(*node, item);
  return node;
}

ExpressionPtr ExpressionParser::list() {
  auto node = std::make_unique<Sequence>(take().position, Kind::list);
  while (!is_op("]")) {
    if (!node->items.empty()) expect_op(",");
    if (is_op("]")) break;
    node->items.push_back(expression());
    set_height(*node, node->items.back());
  }
  take();
  return node;
}

ExpressionPtr ExpressionParser::dict() {
  auto node = std::make_unique<DictDisplay>(take().position);
  while (!is_op("}")) {
    if (!node->entries.empty()) expect_op(",");
    if (is_op("}")) break;
    ExpressionPtr key = expression();
    expect_op(":");
    ExpressionPtr value = expression();
    set_height(*node, key, value);
    node->entries.emplace_back(std::move(key), std::move(value));
  }
  take();
  return node;
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr node) {
  for (;;) {
    if (is_op(".")) {
      node = member(std::move(node));
    } else if (is_op("[")) {
      node = subscript(std::move(node));
    } else if (is_op("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::filters_and_tests(ExpressionPtr node) {
  for (;;) {
    if (skip_op("|")) {
      auto use = filter();
      set_height(*use, node);
      use->input = std::move(node);
      node = std::move(use);
    } else if (is_name("is")) {
      node = test(std::move(node));
    } else if (is_op("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

ExpressionPtr ExpressionParser::member(ExpressionPtr node) {
  const Position position = take().position;
  const Token which = current();
  ExpressionPtr result;
  if (which.type == TokenType::name) {
    result = std::make_unique<Member>(position, std::move(node), Value::of_text(which.text));
    raise_height(*result, static_cast<Member&>(*result).object.get());
  } else if (which.type == TokenType::integer) {
    auto key = std::make_unique<Literal>(which.position, Value::of_int(which.integer));
    result = std::make_unique<Subscript>(position, std::move(node), std::move(key));
    raise_height(*result, static_cast<Subscript&>(*result).object.get());
  } else {
    fail_here("a name or a number behind '.'");
  }
  take();
  return result;
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr node) {
  const Position position = take().position;
  if (is_op(":")) return slice(std::move(node), nullptr, position);
  ExpressionPtr key;
  if (is_op("]")) {  // x[] is x[()]
    key = std::make_unique<Sequence>(position, Kind::tuple);
  } else {
    key = expression();
  }
  if (is_op(":")) return slice(std::move(node), std::move(key), position);
  if (is_op(",")) {
    auto keys = std::make_unique<Sequence>(position, Kind::tuple);
    keys->items.push_back(std::move(key));
    while (skip_op(",")) keys->items.push_back(expression());
    for (const ExpressionPtr& item : keys->items) set_height(*keys, item);
    key = std::move(keys);
  }
  expect_op("]");
  auto result = std::make_unique<Subscript>(position, std::move(node), std::move(key));
  set_height(*result, result->object, result->key);
  return result;
}

ExpressionPtr ExpressionParser::slice(ExpressionPtr node, ExpressionPtr start, Position position) {
  auto result = std::make_unique<Slice>(position, std::move(node));
  result->start = std::move(start);
  expect_op(":");
  if (!is_op("]") && !is_op(":")) result->stop = expression();
  if (skip_op(":") && !is_op("]")) result->step = expression();
  expect_op("]");
  set_height(*result, result->object, result->start, result->stop, result->step);
  return result;
}

ExpressionPtr ExpressionParser::call(ExpressionPtr node) {
  auto result = std::make_unique<Call>(current().position, std::move(node));
  result->arguments = arguments();
  set_height(*result, result->callee);
  set_argument_heights(*result, result->arguments);
  return result;
}

void ExpressionParser::set_argument_heights(Expression& node, const Arguments& arguments) {
  for (const ExpressionPtr& argument : arguments.positional) set_height(node, argument);
  for (const auto& [name, argument] : arguments.named) set_height(node, argument);
  set_height(node, arguments.more_positional, arguments.more_named);
}

Arguments ExpressionParser::arguments() {
  Arguments result;
  expect_op("(");
  for (bool first = true; !is_op(")"); first = false) {
    if (!first) expect_op(",");
    if (!first && is_op(")")) break;
    const Position position = current().position;
    const bool has_named = !result.named.empty() || result.more_named != nullptr;
    if (skip_op("*")) {
      if (result.more_positional || result.more_named) fail(position, "'*' after '*' or '**'");
      result.more_positional = expression();
    } else if (skip_op("**")) {
      if (result.more_named) fail(position, "'**' twice in a call");
      result.more_named = expression();
    } else if (current().type == TokenType::name && ahead().type == TokenType::op &&
               ahead().text == "=") {
      if (result.more_named) fail(position, "an argument after '**'");
      const std::string_view name = take().text;
      take();
      for (const auto& other : result.named) {
        if (other.first == name) fail(position, fmt::format("argument '{}' is given twice", name));
      }
      result.named.emplace_back(name, expression());
    } else {
      if (has_named || result.more_positional) {
        fail(position, "an argument without a name after arguments with names");
      }
      result.positional.push_back(expression());
    }
  }
  expect_op(")");
  return result;
}

std::unique_ptr<FilterUse> ExpressionParser::filter() {
  auto use = std::make_unique<FilterUse>(current().position);
  std::string_view name = take_name("the name of a filter");
  while (skip_op(".")) {
    name = program_.strings.emplace_back(std::string(name) + "." +
                                         std::string(take_name("a name behind '.'")));
  }
  use->name = name;
  use->filter = find_filter(name);
  if (use->filter == nullptr) unknown(use->position, unknown_filter(name));
  if (is_op("(")) use->arguments = arguments();
  set_argument_heights(*use, use->arguments);
  return use;
}

std::vector<std::unique_ptr<FilterUse>> ExpressionParser::filter_chain(bool first_bare) {
  std::vector<std::unique_ptr<FilterUse>> chain;
  if (first_bare) chain.push_back(filter());
  while (skip_op("|")) chain.push_back(filter());
  return chain;
}

ExpressionPtr ExpressionParser::test(ExpressionPtr node) {
  take();
  auto use = std::make_unique<TestUse>(current().position);
  use->negated = skip_name("not");
  std::string_view name = take_name("the name of a test");
  while (skip_op(".")) {
    name = program_.strings.emplace_back(std::string(name) + "." +
                                         std::string(take_name("a name behind '.'")));
  }
  use->name = name;
  use->test = find_test(name);
  if (use->test == nullptr) unknown(use->position, unknown_test(name));
  const Token& next = current();
  const bool is_word = next.type == TokenType::name && next.text != "else" && next.text != "or" &&
                       next.text != "and";
  if (is_op("(")) {
    use->arguments = arguments();
  } else if (is_word || next.type == TokenType::string || next.type == TokenType::integer ||
             next.type == TokenType::floating || is_op("[") || is_op("{")) {
    if (is_name("is")) fail(next.position, "tests cannot be chained with 'is'; use 'and'");
    use->arguments.positional.push_back(postfix(primary()));
  }
  set_argument_heights(*use, use->arguments);
  set_height(*use, node);
  use->input = std::move(node);
  return use;
}

}  // namespace hearth::jinja
