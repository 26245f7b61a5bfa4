// Runs a program: variables and their scopes, macros, loops, output.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tokenizer/jinja/ast.h"
#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {

/// Variables of one block, newest first. Scopes live in the heap: a macro keeps the one it was
/// defined in.
struct Scope {
  struct Binding {
    NameId name;
    Value value;
    Binding* next;
  };
  Scope* parent = nullptr;
  Binding* first = nullptr;
};

class Evaluator {
 public:
  Evaluator(const Program& program, const nlohmann::ordered_json& context, Runtime& rt);

  std::string run();

  Runtime& rt() { return rt_; }
  const Program& program() const { return program_; }

  /// The value of a variable: of the scopes from the inside out, of the context, of the globals.
  Value look_up(NameId name);
  void define(NameId name, const Value& value);
  void assign(const Target& target, const Value& value);

  Flow execute(const Body& body);
  Flow execute(const Block& block);  // in a scope that was made for it
  void print(std::string_view text);

  /// What `body` prints, as a value, in a scope of its own below the current one.
  template <typename Body>
  Value capture(Body body) {
    std::string outer = std::exchange(output_, {});
    const std::size_t outer_total = std::exchange(captured_, captured_ + outer.size());
    try {
      body();
    } catch (...) {
      output_ = std::move(outer);
      captured_ = outer_total;
      throw;
    }
    const Value result = rt_.text(output_);
    output_ = std::move(outer);
    captured_ = outer_total;
    return result;
  }

  /// Makes `scope` the current one until it goes out of scope itself.
  class Enter {
   public:
    Enter(Evaluator& ev, Scope* scope) : ev_(ev), outer_(std::exchange(ev.scope_, scope)) {}
    ~Enter() { ev_.scope_ = outer_; }
    Enter(const Enter&) = delete;
    Enter& operator=(const Enter&) = delete;

   private:
    Evaluator& ev_;
    Scope* outer_;
  };

  Scope* scope() { return scope_; }
  Scope* root() { return root_; }
  Scope* new_scope(Scope* parent) { return rt_.make<Scope>(parent); }

  /// Calls `use` with the values of the arguments.
  template <typename Use>
  auto with_arguments(const Arguments& arguments, Use use) {
    std::vector<Value> positional;
    std::vector<Named> named;
    if (!arguments.positional.empty() || !arguments.named.empty() || arguments.more_positional ||
        arguments.more_named) {
      evaluate_arguments(arguments, positional, named);
    }
    return use(Args{positional, named});
  }

  /// A macro or caller that sees the current scope.
  Value closure(const Routine& routine);

 private:
  void evaluate_arguments(const Arguments& arguments, std::vector<Value>& positional,
                          std::vector<Named>& named);

  const Program& program_;
  const nlohmann::ordered_json& context_;
  Runtime& rt_;
  std::vector<Value> outside_;  // by NameId: from the context or the globals, once looked up
  Scope* root_ = nullptr;
  Scope* scope_ = nullptr;
  std::string output_;
  std::size_t captured_ = 0;  // bytes held by the outputs around a capture
};

}  // namespace hearth::jinja
