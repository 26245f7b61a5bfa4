// How each kind of expression gets its value.
#include <fmt/format.h>

#include "tokenizer/jinja/ast.h"
#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/evaluator.h"
#include "tokenizer/jinja/members.h"
#include "tokenizer/jinja/repr.h"

namespace hearth::jinja {
namespace {

/// The value of a part that may be absent.
Value optional_part(Evaluator& ev, const ExpressionPtr& part) {
  return part ? part->evaluate(ev) : Value::none();
}

/// Every operation starts with this: count it, guard the recursion.
class Operation {
 public:
  Operation(Evaluator& ev, Position) : deeper_(ev.rt()) { ev.rt().step(); }

 private:
  Runtime::Deeper deeper_;
};

bool compare_pair(Runtime& rt, ComparisonChain::Op op, const Value& a, const Value& b) {
  using Op = ComparisonChain::Op;
  switch (op) {
    case Op::equal:
      return equals(rt, a, b);
    case Op::not_equal:
      return !equals(rt, a, b);
    case Op::less:
      return compare(rt, Comparison::less, a, b);
    case Op::less_equal:
      return compare(rt, Comparison::less_equal, a, b);
    case Op::greater:
      return compare(rt, Comparison::greater, a, b);
    case Op::greater_equal:
      return compare(rt, Comparison::greater_equal, a, b);
    case Op::in:
      return contains(rt, b, a);
    case Op::not_in:
      return !contains(rt, b, a);
  }
  return false;
}

}  // namespace

Value Literal::evaluate(Evaluator&) const {
  return value;
}

Value Variable::evaluate(Evaluator& ev) const {
  ev.rt().step();
  ev.rt().at(position);
  return ev.look_up(name);
}

Value Sequence::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  ListBuilder values(ev.rt());
  for (const ExpressionPtr& item : items) values.append(item->evaluate(ev));
  ev.rt().at(position);
  return kind == Kind::list ? values.list() : values.tuple();
}

Value DictDisplay::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  DictBuilder dict(ev.rt());
  for (const auto& [key, value] : entries) {
    const Value k = key->evaluate(ev);
    const Value v = value->evaluate(ev);
    ev.rt().at(position);
    dict.set(k, v);
  }
  return dict.finish();
}

Value Unary::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  const Value value = operand->evaluate(ev);
  ev.rt().at(position);
  switch (op) {
    case Op::minus:
      return negate(ev.rt(), value);
    case Op::plus:
      return positive(ev.rt(), value);
    default:
      return Value::of_bool(!truth(ev.rt(), value));
  }
}

Value Arithmetic::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  const Value a = left->evaluate(ev);
  const Value b = right->evaluate(ev);
  ev.rt().at(position);
  return arithmetic(ev.rt(), op, a, b);
}

Value Concatenation::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  std::string scratch;
  const Value first = parts.front()->evaluate(ev);
  Value joined =
      first.is_text() ? Value::of_text(first.text()) : ev.rt().text(str(ev.rt(), first, scratch));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Value next = parts[i]->evaluate(ev);
    ev.rt().at(position);
    joined = ev.rt().concat(joined.text(), str(ev.rt(), next, scratch));
  }
  return joined;
}

Value Logical::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  const Value value = left->evaluate(ev);
  return truth(ev.rt(), value) == conjunction ? right->evaluate(ev) : value;
}

Value ComparisonChain::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  Value left = first->evaluate(ev);
  for (const auto& [op, operand] : rest) {
    const Value right = operand->evaluate(ev);
    ev.rt().at(position);
    if (!compare_pair(ev.rt(), op, left, right)) return Value::of_bool(false);
    left = right;
  }
  return Value::of_bool(true);
}

Value Conditional::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  if (truth(ev.rt(), test->evaluate(ev))) return when_true->evaluate(ev);
  if (when_false) return when_false->evaluate(ev);
  return ev.rt().undefined_because(
      "the inline if-expression evaluated to false and no else section was defined.");
}

Value Member::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  const Value value = object->evaluate(ev);
  ev.rt().at(position);
  return get_member(ev.rt(), value, name);
}

Value Subscript::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  const Value value = object->evaluate(ev);
  const Value which = key->evaluate(ev);
  ev.rt().at(position);
  return get_subscript(ev.rt(), value, which);
}

Value Slice::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  const Value value = object->evaluate(ev);
  const Value from = optional_part(ev, start);
  const Value to = optional_part(ev, stop);
  const Value by = optional_part(ev, step);
  ev.rt().at(position);
  require_defined(ev.rt(), value);
  const Value taken = slice(ev.rt(), value, from, to, by);
  if (taken.is_missing()) {
    ev.rt().fail(
        fmt::format("'{}' object cannot be sliced like this; a text, list or tuple can be, "
                    "with integers",
                    type_name(value)));
  }
  return taken;
}

Value Call::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  const Value function = callee->evaluate(ev);
  return ev.with_arguments(arguments, [&](const Args& args) {
    ev.rt().at(callee->position);
    return call(ev.rt(), function, args);
  });
}

Value FilterUse::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  return apply(ev, input->evaluate(ev));
}

Value FilterUse::apply(Evaluator& ev, const Value& value) const {
  return ev.with_arguments(arguments, [&](const Args& args) {
    ev.rt().at(position);
    if (filter == nullptr) ev.rt().fail(unknown_filter(name));
    return apply_filter(ev.rt(), *filter, value, args);
  });
}

Value TestUse::evaluate(Evaluator& ev) const {
  const Operation operation(ev, position);
  const Value value = input->evaluate(ev);
  return ev.with_arguments(arguments, [&](const Args& args) {
    ev.rt().at(position);
    if (test == nullptr) ev.rt().fail(unknown_test(name));
    return Value::of_bool(apply_test(ev.rt(), *test, value, args) != negated);
  });
}

}  // namespace hearth::jinja
