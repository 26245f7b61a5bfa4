#include "tokenizer/jinja/loop.h"

#include <fmt/format.h>

#include "tokenizer/jinja/ast.h"
#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/evaluator.h"
#include "tokenizer/jinja/operators.h"

namespace hearth::jinja {
namespace {

/// for … if condition: only the items for which it holds.
struct Filtered final : Iterator {
  Evaluator* ev;
  const For* statement;
  Scope* scope;
  Iterator* items;

  Filtered(Evaluator* evaluator, const For* of, Scope* around, Iterator* all)
      : ev(evaluator), statement(of), scope(around), items(all) {}
  bool next(Runtime& rt, Value& out) override {
    while (items->next(rt, out)) {
      const Evaluator::Enter enter(*ev, ev->new_scope(scope));
      ev->assign(statement->target, out);
      if (truth(rt, statement->filter->evaluate(*ev))) return true;
    }
    return false;
  }
};

using LoopCall = Value (*)(Runtime&, Loop&, const Args&);

/// loop.cycle and loop.changed, as values.
struct LoopMethod final : Object {
  Loop* loop;
  LoopCall method;

  LoopMethod(Loop* of, LoopCall what) : loop(of), method(what) {}
  std::string_view type_name() const override { return "method"; }
  bool callable() const override { return true; }
  Value call(Runtime& rt, const Args& args) override { return method(rt, *loop, args); }
};

using LoopAttribute = Value (*)(Runtime&, Loop&);

Value integer(std::int64_t i) {
  return Value::of_int(i);
}

std::int64_t total_of(Runtime& rt, Loop& loop) {
  return static_cast<std::int64_t>(*loop.length(rt));
}

Value method(Runtime& rt, Loop& loop, LoopCall what) {
  return Value::of_object(rt.make<LoopMethod>(&loop, what));
}

struct AttributeRow {
  std::string_view name;
  LoopAttribute get;
};

constexpr AttributeRow kAttributes[] = {
    {"index", [](Runtime&, Loop& l) { return integer(l.index0 + 1); }},
    {"index0", [](Runtime&, Loop& l) { return integer(l.index0); }},
    {"revindex", [](Runtime& rt, Loop& l) { return integer(total_of(rt, l) - l.index0); }},
    {"revindex0", [](Runtime& rt, Loop& l) { return integer(total_of(rt, l) - l.index0 - 1); }},
    {"first", [](Runtime&, Loop& l) { return Value::of_bool(l.index0 == 0); }},
    {"last", [](Runtime& rt, Loop& l) { return Value::of_bool(!l.peek(rt)); }},
    {"length", [](Runtime& rt, Loop& l) { return integer(total_of(rt, l)); }},
    {"depth", [](Runtime&, Loop& l) { return integer(l.depth + 1); }},
    {"depth0", [](Runtime&, Loop& l) { return integer(l.depth); }},
    {"previtem",
     [](Runtime& rt, Loop& l) {
       return l.index0 == 0 ? rt.undefined_because("there is no previous item") : l.before;
     }},
    {"nextitem",
     [](Runtime& rt, Loop& l) {
       return l.peek(rt) ? l.after : rt.undefined_because("there is no next item");
     }},
    {"cycle",
     [](Runtime& rt, Loop& l) {
       return method(rt, l, [](Runtime& r, Loop& o, const Args& a) { return o.cycle(r, a); });
     }},
    {"changed",
     [](Runtime& rt, Loop& l) {
       return method(rt, l, [](Runtime& r, Loop& o, const Args& a) { return o.changed(r, a); });
     }},
};

}  // namespace

bool Loop::advance(Runtime& rt) {
  Value next = after;
  after = Value();
  if (next.is_missing() && !rest->next(rt, next)) return false;
  ++index0;
  before = current;
  current = next;
  return true;
}

bool Loop::peek(Runtime& rt) {
  return !after.is_missing() || rest->next(rt, after);
}

std::optional<std::size_t> Loop::length(Runtime& rt) {
  if (total < 0) {
    if (const auto known = jinja::length(rt, source)) {
      total = static_cast<std::int64_t>(*known);
    } else {  // of a generator: takes the rest of it
      const Value items = Value::of_list(collect(rt, Value::of_object(rest)));
      rest = jinja::iterate(rt, items);
      total = static_cast<std::int64_t>(items.items().size()) + index0 + 1 + !after.is_missing();
    }
  }
  return static_cast<std::size_t>(total);
}

std::string Loop::repr(Runtime& rt) const {
  Loop copy = *this;
  return fmt::format("<LoopContext {}/{}>", index0 + 1, *copy.length(rt));
}

Value Loop::attribute(Runtime& rt, std::string_view name) {
  for (const AttributeRow& row : kAttributes) {
    if (row.name == name) return row.get(rt, *this);
  }
  return {};
}

Value Loop::call(Runtime& rt, const Args& args) {
  if (!statement->recursive) {
    rt.fail("The loop must have the 'recursive' marker to be called recursively.");
  }
  if (args.positional.size() != 1 || !args.named.empty()) {
    rt.fail("loop() takes one argument, the items");
  }
  const Runtime::Deeper deeper(rt);
  const Evaluator::Enter enter(*ev, ev->new_scope(scope));
  return ev->capture([&] { run_loop(*ev, *statement, args.positional[0], depth + 1); });
}

Value Loop::cycle(Runtime& rt, const Args& args) const {
  if (args.positional.empty()) rt.fail("no items for cycling given");
  return args.positional[static_cast<std::size_t>(index0) % args.positional.size()];
}

Value Loop::changed(Runtime& rt, const Args& args) {
  const Value now = rt.tuple(args.positional);
  if (!last_changed.is_missing() && jinja::equals(rt, last_changed, now))
    return Value::of_bool(false);
  last_changed = now;
  return Value::of_bool(true);
}

void run_loop(Evaluator& ev, const For& statement, const Value& items, int depth) {
  Runtime& rt = ev.rt();
  rt.at(statement.items->position);
  Iterator* all = &must_iterate(rt, items);
  Value source = items;
  if (statement.filter) {
    all = rt.make<Filtered>(&ev, &statement, ev.scope(), all);
    source = Value::of_object(all);
  }
  Scope* around = ev.scope();
  auto* loop = rt.make<Loop>(&ev, &statement, around, depth, source, all);
  while (loop->advance(rt)) {
    const Evaluator::Enter enter(ev, ev.new_scope(around));
    ev.assign(statement.target, loop->current);
    ev.define(ev.program().loop, Value::of_object(loop));
    if (ev.execute(statement.body) == Flow::break_loop) break;
  }
  if (loop->index0 < 0 && !statement.otherwise.body.empty()) {
    const Evaluator::Enter enter(ev, ev.new_scope(around));
    ev.execute(statement.otherwise);
  }
}

}  // namespace hearth::jinja
