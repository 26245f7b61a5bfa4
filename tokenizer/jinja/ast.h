// The tree of a parsed template. Expressions evaluate themselves, statements execute themselves
// (evaluate.cpp, execute.cpp); the tree itself never changes and may be shared by threads.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/jinja/builtin_tests.h"
#include "tokenizer/jinja/filters.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/runtime.h"
#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

class Evaluator;

/// Number of a variable's name in its template; see Program::names.
using NameId = std::uint32_t;

struct Expression {
  explicit Expression(Position at) : position(at) {}
  virtual ~Expression() = default;
  virtual Value evaluate(Evaluator& ev) const = 0;

  Position position;
  int height = 1;  // longest way down to a leaf; bounded so that recursion over the tree is
};
using ExpressionPtr = std::unique_ptr<Expression>;

/// What a statement asks of the loop around it.
enum class Flow { next, break_loop, continue_loop };

struct Statement {
  explicit Statement(Position at) : position(at) {}
  virtual ~Statement() = default;
  virtual Flow execute(Evaluator& ev) const = 0;

  Position position;
};
using Body = std::vector<std::unique_ptr<Statement>>;

/// A body with variables of its own.
struct Block {
  Body body;
  std::vector<NameId> unset;  // its own from the start, though assigned later (name_frames.h)
};

// Expressions.

struct Literal final : Expression {
  Literal(Position at, Value v) : Expression(at), value(v) {}
  Value evaluate(Evaluator& ev) const override;
  Value value;
};

struct Variable final : Expression {
  Variable(Position at, NameId id) : Expression(at), name(id) {}
  Value evaluate(Evaluator& ev) const override;
  NameId name;
};

struct Sequence final : Expression {  // [a, b] and (a, b)
  Sequence(Position at, Kind list_or_tuple) : Expression(at), kind(list_or_tuple) {}
  Value evaluate(Evaluator& ev) const override;
  Kind kind;
  std::vector<ExpressionPtr> items;
};

struct DictDisplay final : Expression {
  using Expression::Expression;
  Value evaluate(Evaluator& ev) const override;
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
};

struct Unary final : Expression {
  enum class Op { logical_not, minus, plus };
  Unary(Position at, Op o, ExpressionPtr value)
      : Expression(at), op(o), operand(std::move(value)) {}
  Value evaluate(Evaluator& ev) const override;
  Op op;
  ExpressionPtr operand;
};

struct Arithmetic final : Expression {
  Arithmetic(Position at, Binary o, ExpressionPtr a, ExpressionPtr b)
      : Expression(at), op(o), left(std::move(a)), right(std::move(b)) {}
  Value evaluate(Evaluator& ev) const override;
  Binary op;
  ExpressionPtr left, right;
};

struct Concatenation final : Expression {  // a ~ b ~ c
  using Expression::Expression;
  Value evaluate(Evaluator& ev) const override;
  std::vector<ExpressionPtr> parts;
};

struct Logical final : Expression {  // and, or: the operand that decides is the value
  Logical(Position at, bool is_and, ExpressionPtr a, ExpressionPtr b)
      : Expression(at), conjunction(is_and), left(std::move(a)), right(std::move(b)) {}
  Value evaluate(Evaluator& ev) const override;
  bool conjunction;
  ExpressionPtr left, right;
};

struct ComparisonChain final : Expression {  // a < b <= c: every neighbour is compared
  enum class Op { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };
  using Expression::Expression;
  Value evaluate(Evaluator& ev) const override;
  ExpressionPtr first;
  std::vector<std::pair<Op, ExpressionPtr>> rest;
};

struct Conditional final : Expression {  // a if test else b
  using Expression::Expression;
  Value evaluate(Evaluator& ev) const override;
  ExpressionPtr test, when_true, when_false;  // when_false may be absent
};

struct Member final : Expression {  // a.name
  Member(Position at, ExpressionPtr of, Value member)
      : Expression(at), object(std::move(of)), name(member) {}
  Value evaluate(Evaluator& ev) const override;
  ExpressionPtr object;
  Value name;
};

struct Subscript final : Expression {  // a[key]
  Subscript(Position at, ExpressionPtr of, ExpressionPtr which)
      : Expression(at), object(std::move(of)), key(std::move(which)) {}
  Value evaluate(Evaluator& ev) const override;
  ExpressionPtr object, key;
};

struct Slice final : Expression {  // a[start:stop:step]; each may be absent
  Slice(Position at, ExpressionPtr of) : Expression(at), object(std::move(of)) {}
  Value evaluate(Evaluator& ev) const override;
  ExpressionPtr object, start, stop, step;
};

struct Arguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<std::string_view, ExpressionPtr>> named;
  ExpressionPtr more_positional;  // *expression
  ExpressionPtr more_named;       // **expression
};

struct Call final : Expression {
  Call(Position at, ExpressionPtr what) : Expression(at), callee(std::move(what)) {}
  Value evaluate(Evaluator& ev) const override;
  ExpressionPtr callee;
  Arguments arguments;
};

struct FilterUse final : Expression {
  using Expression::Expression;
  Value evaluate(Evaluator& ev) const override;
  Value apply(Evaluator& ev, const Value& input) const;
  const Filter* filter = nullptr;  // none: an unknown name in a branch, an error if reached
  std::string_view name;
  ExpressionPtr input;  // absent in the filter of a block
  Arguments arguments;
};

struct TestUse final : Expression {
  using Expression::Expression;
  Value evaluate(Evaluator& ev) const override;
  const Test* test = nullptr;  // as above
  std::string_view name;
  bool negated = false;
  ExpressionPtr input;
  Arguments arguments;
};

// Statements.

/// What can be assigned to: a name, an attribute of a namespace, or several of these.
struct Target {
  Position position;
  NameId name = 0;
  std::string_view attribute;  // of the namespace `name`, if not empty
  bool is_tuple = false;
  std::vector<Target> items;  // of a tuple
};

struct Text final : Statement {
  Text(Position at, std::string_view t) : Statement(at), text(t) {}
  Flow execute(Evaluator& ev) const override;
  std::string_view text;
};

struct Print final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  std::vector<ExpressionPtr> values;
};

struct If final : Statement {
  struct Branch {
    ExpressionPtr test;  // absent: else
    Body body;
  };
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  std::vector<Branch> branches;
};

struct For final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  Target target;
  ExpressionPtr items;
  ExpressionPtr filter;  // for … if filter; may be absent
  bool recursive = false;
  Block body;
  Block otherwise;
};

struct Set final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  Target target;
  ExpressionPtr value;
};

struct SetBlock final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  Target target;
  std::vector<std::unique_ptr<FilterUse>> filters;
  Block block;
};

struct With final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
  Block block;
};

/// The callable part of a macro or a call block.
struct Routine {
  struct Parameter {
    std::string_view name;
    NameId id;
    ExpressionPtr fallback;  // absent: undefined when not passed
  };
  std::string_view name;
  std::vector<Parameter> parameters;
  bool uses_caller = false;  // the body speaks of `caller`, `varargs`, `kwargs`
  bool uses_varargs = false;
  bool uses_kwargs = false;
  Block block;
};

struct Macro final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  NameId name = 0;
  Routine routine;
};

struct CallBlock final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  std::unique_ptr<Call> call;
  Routine caller;
};

struct FilterBlock final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  std::vector<std::unique_ptr<FilterUse>> filters;  // in the order they apply
  Block block;
};

/// {% block %} and {% generation %}: a body with variables of its own.
struct Scoped final : Statement {
  using Statement::Statement;
  Flow execute(Evaluator& ev) const override;
  bool sees_locals = true;  // a block sees the template's variables only
  Block block;
};

struct Jump final : Statement {
  Jump(Position at, Flow f) : Statement(at), flow(f) {}
  Flow execute(Evaluator& ev) const override;
  Flow flow;
};

/// A parsed template: its source, its names, its body.
struct Program {
  std::string name;    // for messages
  std::string source;  // normalized; tokens and literals are views into it
  std::deque<std::string> strings;
  std::vector<std::string_view> names;  // by NameId
  NameId loop = 0, caller = 0, varargs = 0, kwargs = 0;
  Block block;
};

}  // namespace hearth::jinja
