#include "tokenizer/jinja/evaluator.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/globals.h"
#include "tokenizer/jinja/json.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"

namespace hearth::jinja {
namespace {

/// A macro, or the body of a call block, with the scope it was defined in.
struct Closure final : Object {
  Evaluator* ev;
  const Routine* routine;
  Scope* scope;

  Closure(Evaluator* evaluator, const Routine* of, Scope* in)
      : ev(evaluator), routine(of), scope(in) {}

  std::string_view type_name() const override { return "Macro"; }
  std::string repr(Runtime&) const override { return "<Macro " + quoted(routine->name) + ">"; }
  bool callable() const override { return true; }
  Value attribute(Runtime& rt, std::string_view name) override;
  Value call(Runtime& rt, const Args& args) override;

 private:
  void bind_parameters(Runtime& rt, const Args& args);
  void bind_rest(Runtime& rt, const Args& args);
};

Value Closure::attribute(Runtime& rt, std::string_view name) {
  if (name == "name") return Value::of_text(routine->name);
  if (name == "catch_kwargs") return Value::of_bool(routine->uses_kwargs);
  if (name == "catch_varargs") return Value::of_bool(routine->uses_varargs);
  if (name == "caller") return Value::of_bool(routine->uses_caller);
  if (name != "arguments") return {};
  ListBuilder names(rt);
  for (const auto& parameter : routine->parameters) names.append(Value::of_text(parameter.name));
  return names.tuple();
}

Value Closure::call(Runtime& rt, const Args& args) {
  const Runtime::Deeper deeper(rt);
  const Position position = rt.position();
  const Evaluator::Enter enter(*ev, ev->new_scope(scope));
  bind_parameters(rt, args);
  bind_rest(rt, args);
  const Value result = ev->capture([&] { ev->execute(routine->block); });
  rt.at(position);
  return result;
}

void Closure::bind_parameters(Runtime& rt, const Args& args) {
  for (std::size_t i = 0; i < routine->parameters.size(); ++i) {
    const Routine::Parameter& parameter = routine->parameters[i];
    const Value* named = args.find(parameter.name);
    if (i < args.positional.size()) {
      if (named != nullptr) {
        rt.fail(
            fmt::format("macro {} got argument '{}' twice", quoted(routine->name), parameter.name));
      }
      ev->define(parameter.id, args.positional[i]);
    } else if (named != nullptr) {
      ev->define(parameter.id, *named);
    } else if (parameter.fallback) {
      ev->define(parameter.id, parameter.fallback->evaluate(*ev));
    } else {
      ev->define(parameter.id, rt.undefined_because(fmt::format("parameter {} was not provided",
                                                                quoted(parameter.name))));
    }
  }
}

/// What no parameter took: `caller`, `kwargs` and `varargs`, where the body speaks of them.
void Closure::bind_rest(Runtime& rt, const Args& args) {
  const Program& program = ev->program();
  DictBuilder kwargs(rt);
  Value caller = rt.undefined_because("No caller defined");
  for (const Named& argument : args.named) {
    bool taken = false;
    for (const auto& parameter : routine->parameters) taken |= parameter.name == argument.name;
    if (taken) continue;
    if (argument.name == "caller" && routine->uses_caller) {
      caller = argument.value;
    } else if (routine->uses_kwargs) {
      kwargs.set(Value::of_text(argument.name), argument.value);
    } else {
      rt.fail(fmt::format("macro {} takes no keyword argument {}", quoted(routine->name),
                          quoted(argument.name)));
    }
  }
  bool caller_is_parameter = false;
  for (const auto& parameter : routine->parameters) {
    caller_is_parameter |= parameter.id == program.caller;
  }
  if (routine->uses_caller && !caller_is_parameter) ev->define(program.caller, caller);
  if (routine->uses_kwargs) ev->define(program.kwargs, kwargs.finish());
  const std::size_t n = std::min(routine->parameters.size(), args.positional.size());
  if (routine->uses_varargs) {
    ev->define(program.varargs, rt.tuple(args.positional.subspan(n)));
  } else if (n < args.positional.size()) {
    rt.fail(fmt::format("macro {} takes not more than {} argument(s)", quoted(routine->name),
                        routine->parameters.size()));
  }
}

}  // namespace

Evaluator::Evaluator(const Program& program, const nlohmann::ordered_json& context, Runtime& rt)
    : program_(program), context_(context), rt_(rt), outside_(program.names.size()) {
  root_ = scope_ = new_scope(nullptr);
}

std::string Evaluator::run() {
  execute(program_.block);
  return std::move(output_);
}

Value Evaluator::look_up(NameId name) {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent) {
    for (const Scope::Binding* b = scope->first; b != nullptr; b = b->next) {
      if (b->name == name) return b->value;
    }
  }
  Value& known = outside_[name];
  if (known.is_missing()) {
    const std::string_view text = program_.names[name];
    const auto found = context_.is_object() ? context_.find(std::string(text)) : context_.end();
    if (context_.is_object() && found != context_.end()) {
      known = from_json(rt_, *found);
    } else {
      known = find_global(rt_, text);
      if (known.is_missing()) known = rt_.undefined_name(text);
    }
  }
  return known;
}

void Evaluator::define(NameId name, const Value& value) {
  for (Scope::Binding* b = scope_->first; b != nullptr; b = b->next) {
    if (b->name == name) {
      b->value = value;
      return;
    }
  }
  scope_->first = rt_.make<Scope::Binding>(name, value, scope_->first);
}

void Evaluator::assign(const Target& target, const Value& value) {
  if (!target.attribute.empty()) {
    rt_.at(target.position);
    auto* space = as_namespace(look_up(target.name));
    if (space == nullptr) rt_.fail("cannot assign attribute on non-namespace object");
    return set_member(rt_, *space, target.attribute, value);
  }
  if (!target.is_tuple) return define(target.name, value);
  rt_.at(target.position);
  const std::span<const Value> items = collect(rt_, value);
  if (items.size() != target.items.size()) {
    rt_.fail(fmt::format("{} values cannot be unpacked into {} names", items.size(),
                         target.items.size()));
  }
  for (std::size_t i = 0; i < items.size(); ++i) assign(target.items[i], items[i]);
}

Flow Evaluator::execute(const Body& body) {
  const Runtime::Deeper deeper(rt_);
  for (const auto& statement : body) {
    rt_.step();
    const Flow flow = statement->execute(*this);
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

Flow Evaluator::execute(const Block& block) {
  for (const NameId name : block.unset) define(name, rt_.undefined_name(program_.names[name]));
  return execute(block.body);
}

void Evaluator::print(std::string_view text) {
  if (text.size() >
      rt_.limits().output_bytes - std::min(rt_.limits().output_bytes, captured_ + output_.size())) {
    rt_.fail(fmt::format("the template prints more than {} MiB", rt_.limits().output_bytes >> 20));
  }
  rt_.work(text.size());
  output_ += text;
}

Value Evaluator::closure(const Routine& routine) {
  return Value::of_object(rt_.make<Closure>(this, &routine, scope_));
}

void Evaluator::evaluate_arguments(const Arguments& arguments, std::vector<Value>& positional,
                                   std::vector<Named>& named) {
  const Position position = rt_.position();
  for (const ExpressionPtr& argument : arguments.positional) {
    positional.push_back(argument->evaluate(*this));
  }
  for (const auto& [name, argument] : arguments.named) {
    named.push_back({name, argument->evaluate(*this)});
  }
  if (arguments.more_positional) {
    for (const Value& value : collect(rt_, arguments.more_positional->evaluate(*this))) {
      positional.push_back(value);
    }
  }
  if (arguments.more_named) {
    const Value more = arguments.more_named->evaluate(*this);
    if (!more.is(Kind::dict)) rt_.fail("the argument behind ** must be a mapping");
    for (const Entry& entry : more.dict().entries) {
      named.push_back({as_text(rt_, entry.key, "a keyword"), entry.value});
    }
  }
  rt_.at(position);
}

}  // namespace hearth::jinja
