#include "tokenizer/jinja/builtin_tests.h"

#include <fmt/format.h>

#include "tokenizer/jinja/containers.h"
#include "tokenizer/jinja/filters.h"
#include "tokenizer/jinja/operators.h"
#include "tokenizer/jinja/repr.h"
#include "tokenizer/jinja/text.h"

namespace hearth::jinja {
namespace {

template <Comparison op>
bool ordered(Runtime& rt, const Value& v, const Bound& a) {
  return compare(rt, op, v, a[0]);
}

bool is_equal(Runtime& rt, const Value& v, const Bound& a) {
  return equals(rt, v, a[0]);
}

bool is_unequal(Runtime& rt, const Value& v, const Bound& a) {
  return !equals(rt, v, a[0]);
}

bool has_remainder(Runtime& rt, const Value& v, const Value& divisor, std::int64_t remainder) {
  return equals(rt, arithmetic(rt, Binary::modulo, v, divisor), Value::of_int(remainder));
}

bool is_bool(const Value& v, bool b) {
  return v.is(Kind::boolean) && v.boolean() == b;
}

/// Some letter has a case, and all that have one have this one.
bool all_cased(Runtime& rt, const Value& v, bool (*wanted)(char32_t), bool (*unwanted)(char32_t)) {
  bool found = false;
  bool other = false;
  const std::string text = str(rt, v);
  text::each(text, [&](char32_t c, std::string_view) {
    found |= wanted(c);
    other |= unwanted(c) || text::is_title(c);
  });
  return found && !other;
}

bool is_sequence(Runtime& rt, const Value& v, const Bound&) {
  if (v.is(Kind::object)) return v.object().length(rt).has_value() && v.object().has_items();
  return length(rt, v).has_value();
}

bool is_iterable(Runtime& rt, const Value& v, const Bound&) {
  return iterate(rt, v) != nullptr;
}

constexpr Test kTests[] = {
    {"odd", "",
     [](Runtime& rt, const Value& v, const Bound&) {
       return has_remainder(rt, v, Value::of_int(2), 1);
     }},
    {"even", "",
     [](Runtime& rt, const Value& v, const Bound&) {
       return has_remainder(rt, v, Value::of_int(2), 0);
     }},
    {"divisibleby", "num",
     [](Runtime& rt, const Value& v, const Bound& a) { return has_remainder(rt, v, a[0], 0); }},
    {"defined", "", [](Runtime&, const Value& v, const Bound&) { return !v.is_undefined(); }},
    {"undefined", "", [](Runtime&, const Value& v, const Bound&) { return v.is_undefined(); }},
    {"filter", "",
     [](Runtime&, const Value& v, const Bound&) {
       return v.is_text() && find_filter(v.text()) != nullptr;
     }},
    {"test", "",
     [](Runtime&, const Value& v, const Bound&) {
       return v.is_text() && find_test(v.text()) != nullptr;
     }},
    {"none", "", [](Runtime&, const Value& v, const Bound&) { return v.is_none(); }},
    {"boolean", "", [](Runtime&, const Value& v, const Bound&) { return v.is(Kind::boolean); }},
    {"false", "", [](Runtime&, const Value& v, const Bound&) { return is_bool(v, false); }},
    {"true", "", [](Runtime&, const Value& v, const Bound&) { return is_bool(v, true); }},
    {"integer", "", [](Runtime&, const Value& v, const Bound&) { return v.is(Kind::integer); }},
    {"float", "", [](Runtime&, const Value& v, const Bound&) { return v.is(Kind::floating); }},
    {"lower", "",
     [](Runtime& rt, const Value& v, const Bound&) {
       return all_cased(rt, v, text::is_lower, text::is_upper);
     }},
    {"upper", "",
     [](Runtime& rt, const Value& v, const Bound&) {
       return all_cased(rt, v, text::is_upper, text::is_lower);
     }},
    {"string", "", [](Runtime&, const Value& v, const Bound&) { return v.is_text(); }},
    {"mapping", "", [](Runtime&, const Value& v, const Bound&) { return v.is(Kind::dict); }},
    {"number", "", [](Runtime&, const Value& v, const Bound&) { return v.is_number(); }},
    {"sequence", "", is_sequence},
    {"iterable", "", is_iterable},
    {"callable", "",
     [](Runtime&, const Value& v, const Bound&) {
       return v.is_undefined() || (v.is(Kind::object) && v.object().callable());
     }},
    {"sameas", "other", [](Runtime&, const Value& v, const Bound& a) { return v.same_as(a[0]); }},
    {"escaped", "", [](Runtime&, const Value& v, const Bound&) { return v.is_markup(); }},
    {"in", "seq",
     [](Runtime& rt, const Value& v, const Bound& a) { return contains(rt, a[0], v); }},
    {"==", "other", is_equal},
    {"eq", "other", is_equal},
    {"equalto", "other", is_equal},
    {"!=", "other", is_unequal},
    {"ne", "other", is_unequal},
    {">", "other", ordered<Comparison::greater>},
    {"gt", "other", ordered<Comparison::greater>},
    {"greaterthan", "other", ordered<Comparison::greater>},
    {">=", "other", ordered<Comparison::greater_equal>},
    {"ge", "other", ordered<Comparison::greater_equal>},
    {"<", "other", ordered<Comparison::less>},
    {"lt", "other", ordered<Comparison::less>},
    {"lessthan", "other", ordered<Comparison::less>},
    {"<=", "other", ordered<Comparison::less_equal>},
    {"le", "other", ordered<Comparison::less_equal>},
};

}  // namespace

const Test* find_test(std::string_view name) {
  for (const Test& test : kTests) {
    if (test.name == name) return &test;
  }
  return nullptr;
}

std::string unknown_test(std::string_view name) {
  std::string known;
  for (const Test& test : kTests) known += (known.empty() ? "" : ", ") + std::string(test.name);
  return fmt::format("unknown test '{}'; known tests: {}", name, known);
}

bool apply_test(Runtime& rt, const Test& test, const Value& value, const Args& arguments) {
  return test.holds(rt, value, bind(rt, test.name, test.parameters, arguments));
}

}  // namespace hearth::jinja
