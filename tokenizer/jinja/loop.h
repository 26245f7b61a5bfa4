// The variable `loop` of a for loop, and the iteration behind it.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "tokenizer/jinja/value.h"

namespace hearth::jinja {

class Evaluator;
struct For;
struct Scope;

struct Loop final : Object {
  Loop(Evaluator* evaluator, const For* of, Scope* in, int depth0, Value items, Iterator* iterator)
      : ev(evaluator), statement(of), scope(in), depth(depth0), source(items), rest(iterator) {}

  /// Goes on to the next item; false at the end.
  bool advance(Runtime& rt);

  std::string_view type_name() const override { return "LoopContext"; }
  std::string repr(Runtime& rt) const override;
  bool callable() const override { return true; }
  Value call(Runtime& rt, const Args& args) override;  // loop(items) of a recursive loop
  Value attribute(Runtime& rt, std::string_view name) override;
  std::optional<std::size_t> length(Runtime& rt) override;

  bool peek(Runtime& rt);  // looks one item ahead
  Value cycle(Runtime& rt, const Args& args) const;
  Value changed(Runtime& rt, const Args& args);

  Evaluator* ev;
  const For* statement;
  Scope* scope;  // around the loop; a recursive call runs in it
  int depth;     // of recursion, from 0
  Value source;
  Iterator* rest;
  std::int64_t index0 = -1;
  std::int64_t total = -1;  // -1: not known yet
  Value before, current, after;
  Value last_changed;
};

/// Runs a loop over `items`.
void run_loop(Evaluator& ev, const For& statement, const Value& items, int depth);

}  // namespace hearth::jinja
