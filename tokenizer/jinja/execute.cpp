// What each kind of statement does.
#include "tokenizer/jinja/ast.h"
#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/evaluator.h"
#include "tokenizer/jinja/loop.h"
#include "tokenizer/jinja/members.h"
#include "tokenizer/jinja/repr.h"

namespace hearth::jinja {
namespace {

Value filtered(Evaluator& ev, const std::vector<std::unique_ptr<FilterUse>>& filters, Value value) {
  for (const auto& filter : filters) value = filter->apply(ev, value);
  return value;
}

}  // namespace

Flow Text::execute(Evaluator& ev) const {
  ev.print(text);
  return Flow::next;
}

Flow Print::execute(Evaluator& ev) const {
  std::string scratch;
  for (const ExpressionPtr& value : values) {
    const Value shown = value->evaluate(ev);
    ev.rt().at(position);
    ev.print(str(ev.rt(), shown, scratch));
  }
  return Flow::next;
}

Flow If::execute(Evaluator& ev) const {
  for (const Branch& branch : branches) {
    if (!branch.test || truth(ev.rt(), branch.test->evaluate(ev))) return ev.execute(branch.body);
  }
  return Flow::next;
}

Flow For::execute(Evaluator& ev) const {
  run_loop(ev, *this, items->evaluate(ev), 0);
  return Flow::next;
}

Flow Set::execute(Evaluator& ev) const {
  ev.assign(target, value->evaluate(ev));
  return Flow::next;
}

Flow SetBlock::execute(Evaluator& ev) const {
  Value text;
  {
    const Evaluator::Enter enter(ev, ev.new_scope(ev.scope()));
    text = ev.capture([&] { ev.execute(block); });
    text = filtered(ev, filters, text);
  }
  ev.assign(target, text);
  return Flow::next;
}

Flow With::execute(Evaluator& ev) const {
  Scope* inner = ev.new_scope(ev.scope());
  for (const auto& [target, expression] : assignments) {
    const Value value = expression->evaluate(ev);  // sees nothing of the block's own variables
    const Evaluator::Enter enter(ev, inner);
    ev.assign(target, value);
  }
  const Evaluator::Enter enter(ev, inner);
  return ev.execute(block);
}

Flow Macro::execute(Evaluator& ev) const {
  ev.define(name, ev.closure(routine));
  return Flow::next;
}

Flow CallBlock::execute(Evaluator& ev) const {
  const Value callee = call->callee->evaluate(ev);
  const Value result = ev.with_arguments(call->arguments, [&](const Args& args) {
    std::vector<Named> named(args.named.begin(), args.named.end());
    named.push_back({"caller", ev.closure(caller)});
    ev.rt().at(position);
    return jinja::call(ev.rt(), callee, {args.positional, named});
  });
  std::string scratch;
  ev.print(str(ev.rt(), result, scratch));
  return Flow::next;
}

Flow FilterBlock::execute(Evaluator& ev) const {
  const Evaluator::Enter enter(ev, ev.new_scope(ev.scope()));
  const Value text = ev.capture([&] { ev.execute(block); });
  std::string scratch;
  ev.print(str(ev.rt(), filtered(ev, filters, text), scratch));
  return Flow::next;
}

Flow Scoped::execute(Evaluator& ev) const {
  const Evaluator::Enter enter(ev, ev.new_scope(sees_locals ? ev.scope() : ev.root()));
  return ev.execute(block);
}

Flow Jump::execute(Evaluator&) const {
  return flow;
}

}  // namespace hearth::jinja
