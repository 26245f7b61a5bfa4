#include "tokenizer/jinja/globals.h"

#include <fmt/format.h>

#include <ctime>

#include "base/error.h"
#include "tokenizer/jinja/bind.h"
#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/runtime.h"

namespace hearth::jinja {

struct Namespace final : Object {
  Value members;  // a dict; setting a member makes a new one where the name is new

  explicit Namespace(const Value& dict) : members(dict) {}
  std::string_view type_name() const override { return "Namespace"; }
  std::string repr(Runtime& rt) const override {
    return "<Namespace " + jinja::repr(rt, members) + ">";
  }
  Value attribute(Runtime&, std::string_view name) override {
    const Value* found = find(members.dict(), name);
    return found == nullptr ? Value() : *found;
  }
};

namespace {

using Function = Value (*)(Runtime& rt, const Args& args);

struct GlobalFunction final : Object {
  std::string_view name;
  Function function;

  GlobalFunction(std::string_view called, Function what) : name(called), function(what) {}
  std::string_view type_name() const override { return "function"; }
  std::string repr(Runtime&) const override { return fmt::format("<function {}>", name); }
  bool callable() const override { return true; }
  Value call(Runtime& rt, const Args& args) override { return function(rt, args); }
};

Value range(Runtime& rt, const Args& args) {
  const Bound bound = bind(rt, "range", "/ start stop? step?", args);
  const std::int64_t first = as_index(rt, bound[0], "an argument of range()");
  if (!bound.has(1)) return make_range(rt, 0, first, 1);
  return make_range(rt, first, as_index(rt, bound[1], "an argument of range()"),
                    bound.has(2) ? as_index(rt, bound[2], "an argument of range()") : 1);
}

/// dict(mapping or pairs, **more)
Value dict(Runtime& rt, const Args& args) {
  DictBuilder built(rt);
  if (args.positional.size() > 1) {
    rt.fail(fmt::format("dict expected at most 1 argument, got {}", args.positional.size()));
  }
  if (!args.positional.empty()) {
    const Value& from = args.positional[0];
    if (from.is(Kind::dict)) {
      for (const Entry& entry : from.dict().entries) built.set(entry.key, entry.value);
    } else {
      for (const Value& pair : collect(rt, from)) {
        const std::span<const Value> parts = collect(rt, pair);
        if (parts.size() != 2) {
          rt.fail(fmt::format("dict() needs pairs, got one with {} items", parts.size()));
        }
        built.set(parts[0], parts[1]);
      }
    }
  }
  for (const Named& named : args.named) built.set(Value::of_text(named.name), named.value);
  return built.finish();
}

Value make_namespace(Runtime& rt, const Args& args) {
  return Value::of_object(rt.make<Namespace>(dict(rt, args)));
}

Value raise_exception(Runtime& rt, const Args& args) {
  const Bound bound = bind(rt, "raise_exception", "message", args);
  rt.fail(str(rt, bound[0]));
}

Value strftime_now(Runtime& rt, const Args& args) {
  const Bound bound = bind(rt, "strftime_now", "format", args);
  const std::string format(as_text(rt, bound[0], "the format of strftime_now()"));
  if (format.size() > 1000) rt.fail("the format of strftime_now() is too long");
  if (format.empty()) return rt.text("");
  char buffer[4096];
  const std::size_t length = std::strftime(buffer, sizeof buffer, format.c_str(), &rt.now());
  return rt.text({buffer, length});
}

/// joiner(separator): prints nothing when first called, the separator from then on.
struct Joiner final : Object {
  Value separator;
  bool used = false;

  explicit Joiner(const Value& text) : separator(text) {}
  std::string_view type_name() const override { return "Joiner"; }
  bool callable() const override { return true; }
  Value call(Runtime&, const Args&) override {
    return std::exchange(used, true) ? separator : Value::of_text("");
  }
};

Value joiner(Runtime& rt, const Args& args) {
  const Bound bound = bind(rt, "joiner", "sep?", args);
  return Value::of_object(rt.make<Joiner>(bound.get(0, Value::of_text(", "))));
}

/// cycler(a, b, …): next() walks around.
struct Cycler final : Object {
  std::span<const Value> items;
  std::size_t at = 0;

  explicit Cycler(std::span<const Value> all) : items(all) {}
  std::string_view type_name() const override { return "Cycler"; }
  Value attribute(Runtime& rt, std::string_view name) override;
};

struct CyclerMethod final : Object {
  Cycler* cycler;
  bool resets;

  CyclerMethod(Cycler* of, bool reset) : cycler(of), resets(reset) {}
  std::string_view type_name() const override { return "method"; }
  bool callable() const override { return true; }
  Value call(Runtime&, const Args&) override {
    if (resets) {
      cycler->at = 0;
      return Value::none();
    }
    const Value item = cycler->items[cycler->at];
    cycler->at = (cycler->at + 1) % cycler->items.size();
    return item;
  }
};

Value Cycler::attribute(Runtime& rt, std::string_view name) {
  if (name == "current") return items[at];
  if (name == "next" || name == "reset") {
    return Value::of_object(rt.make<CyclerMethod>(this, name == "reset"));
  }
  return {};
}

Value cycler(Runtime& rt, const Args& args) {
  if (args.positional.empty()) rt.fail("at least one item has to be provided");
  return Value::of_object(rt.make<Cycler>(rt.tuple(args.positional).items()));
}

Value lipsum(Runtime& rt, const Args&) {
  rt.fail("lipsum() is random text, which a chat template must not have");
}

struct Row {
  std::string_view name;
  Function function;
};

constexpr Row kGlobals[] = {
    {"range", range},
    {"namespace", make_namespace},
    {"dict", dict},
    {"raise_exception", raise_exception},
    {"strftime_now", strftime_now},
    {"joiner", joiner},
    {"cycler", cycler},
    {"lipsum", lipsum},
};

}  // namespace

Value find_global(Runtime& rt, std::string_view name) {
  for (const Row& row : kGlobals) {
    if (row.name == name) return Value::of_object(rt.make<GlobalFunction>(row.name, row.function));
  }
  return {};
}

Namespace* as_namespace(const Value& value) {
  return value.is(Kind::object) ? dynamic_cast<Namespace*>(&value.object()) : nullptr;
}

void set_member(Runtime& rt, Namespace& space, std::string_view name, const Value& value) {
  DictBuilder built(rt);
  for (const Entry& entry : space.members.dict().entries) built.set(entry.key, entry.value);
  built.set(Value::of_text(name), value);
  space.members = built.finish();
}

}  // namespace hearth::jinja
