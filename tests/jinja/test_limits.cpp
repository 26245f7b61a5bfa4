// Templates that want too much: each ends with an Error that names the limit, none with a crash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tokenizer/jinja/template.h"

namespace hearth::jinja {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string failure(const std::string& source, const Json& context = Json::object()) {
  // small enough for every case to be quick under a sanitizer
  const Limits limits = {
      .steps = 300'000, .output_bytes = 1 << 20, .memory_bytes = 8 << 20, .range_items = 10'000};
  try {
    return "no failure: " +
           Template::parse(source).render(context, {.limits = limits}).substr(0, 100);
  } catch (const Error& error) {
    return error.what();
  }
}

struct LimitCase {
  const char* source;
  const char* message;
};

void PrintTo(const LimitCase& c, std::ostream* out) {
  *out << c.source;
}

class Limited : public testing::TestWithParam<LimitCase> {};

TEST_P(Limited, EndsWithAnErrorThatNamesTheLimit) {
  EXPECT_THAT(failure(GetParam().source), HasSubstr(GetParam().message)) << GetParam().source;
}

INSTANTIATE_TEST_SUITE_P(
    Limits, Limited,
    testing::Values(
        LimitCase{"{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
                  "takes more than 300000 steps"},
        LimitCase{"{{ 'a' * 10**9 }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ 'a' * 10**18 }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ [0] * 10**18 }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ (10**18) * 'ab' }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ 'a'.ljust(10**12) }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ 'a'.center(10**12) }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ 'a'|center(10**12) }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ 'a'|indent(10**12) }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ 'a'.zfill(10**12) }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ '\t'.expandtabs(10**12) }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ '%999999999d' % 1 }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ '%99999999999d' % 1 }}", "width too big"},
        LimitCase{"{{ '%.999f' % 1 }}", "at most 400"},
        LimitCase{"{{ '{:999999999}'.format(1) }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ ('a' * 10**4).replace('a', 'b' * 10**4) }}", "needs more than 8 MiB"},
        LimitCase{"{{ ('a' * 10**4).replace('', 'b' * 10**4) }}", "needs more than 8 MiB"},
        LimitCase{"{{ ('a' * 10**4)|list|join('b' * 10**4) }}", "needs more than 8 MiB"},
        LimitCase{"{{ [1]|batch(10**12, 0)|list }}", "needs more than 8 MiB of memory"},
        LimitCase{"{{ [1]|slice(10**12)|list }}", "steps"},
        LimitCase{"{{ [1]|tojson(indent=10**12) }}", "at most 1000"},
        LimitCase{"{% set ns = namespace(s='ab') %}{% for i in range(99) %}"
                  "{% set ns.s = ns.s + ns.s %}{% endfor %}",
                  "needs more than 8 MiB of memory"},
        LimitCase{"{% set ns = namespace(l=[1]) %}{% for i in range(99) %}"
                  "{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
                  "takes more than 300000 steps"},
        LimitCase{"{% set ns = namespace(l=[1]) %}{% for i in range(9999) %}"
                  "{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
                  "evaluations within each other"},
        LimitCase{"{% set ns = namespace(l=[1]) %}{% for i in range(9999) %}"
                  "{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }}",
                  "evaluations within each other"},
        LimitCase{"{% set ns = namespace() %}{% set ns.me = [ns] %}{{ ns }}",
                  "evaluations within each other"},
        LimitCase{"{% set ns = namespace(l=[1]) %}{% for i in range(5000) %}"
                  "{% set ns.l = ns.l|map('string') %}{% endfor %}{{ ns.l|list }}",
                  "evaluations within each other"},
        LimitCase{"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                  "evaluations within each other"},
        LimitCase{"{% for i in [[]] recursive %}{{ loop([[]]) }}{% endfor %}",
                  "evaluations within each other"},
        LimitCase{"{% set s = 'x' * 10**5 %}{% for i in range(999) %}{{ s }}{% endfor %}",
                  "prints more than 1 MiB"},
        LimitCase{"{% set s = 'x' * 10**5 %}{% set t %}{% for i in range(999) %}{{ s }}"
                  "{% endfor %}{% endset %}",
                  "prints more than 1 MiB"},
        LimitCase{"{{ ('a' * 10**6).find('a' * 10**5 ~ 'b') }}", "steps"},
        LimitCase{"{{ ('a' * 10**5 ~ 'b') in 'a' * 10**6 }}", "steps"},
        LimitCase{"{{ ('a' * 10**6).rsplit('b' ~ 'a' * 10**5) }}", "steps"},
        LimitCase{"{{ range(10001)|length }}", "at most 10000 are allowed"},
        LimitCase{"{{ range(-9223372036854775807, 9223372036854775807)|length }}",
                  "at most 10000 are allowed"},
        LimitCase{"{{ range(5)[::9223372036854775807] }}", "no failure: range(0, 5, "},
        LimitCase{"{{ range(0, 50, 5)[::9223372036854775807] }}", "too large"},
        LimitCase{"{{ 'abc'[::-9223372036854775807] }}", "no failure: c"},
        LimitCase{"{{ (-9223372036854775807 - 1) // -1 }}", "too large"},
        LimitCase{"{{ (-9223372036854775807 - 1) % -1 }}", "no failure: 0"},
        LimitCase{"{{ (-9223372036854775807 - 1)|abs }}", "too large"},
        LimitCase{"{{ 10**19 }}", "too large"}, LimitCase{"{{ 1e300|int }}", "too large"}));

TEST(Nesting, TooDeepSourcesAreRefusedNotFollowed) {
  const std::pair<const char*, const char*> kBrackets[] = {
      {"(", ")"},  {"[", "]"},   {"{1:", "}"}, {"x[", "]"},
      {"f(", ")"}, {"not ", ""}, {"-", ""},    {"1 if 1 else ", ""}};
  for (const auto& [open, close] : kBrackets) {
    const std::string source = repeat(open, 50'000) + "1" + repeat(close, 50'000);
    EXPECT_THAT(failure("{{ " + source + " }}"), HasSubstr("nested more than 200 levels")) << open;
  }
  for (const char* chain : {"1 + ", "1 and ", "1 or ", "1 * ", "1 ** "}) {
    EXPECT_THAT(failure("{{ " + repeat(chain, 100'000) + "1 }}"),
                HasSubstr("more than 200 operations within each other"))
        << chain;
  }
  for (const char* tail : {".a", "[0]", "()", "|upper", "[:1]"}) {
    EXPECT_THAT(failure("{{ x" + repeat(tail, 100'000) + " }}"),
                HasSubstr("more than 200 operations within each other"))
        << tail;
  }
  for (const char* block : {"{% if x %}", "{% for x in y %}", "{% macro m() %}", "{% set x %}",
                            "{% with %}", "{% filter upper %}", "{% call f() %}"}) {
    EXPECT_THAT(failure(repeat(block, 100'000)), HasSubstr("nested more than 200 levels")) << block;
  }
  EXPECT_THAT(failure("{% set " + repeat("(", 50'000) + "a" + repeat(")", 50'000) + " = 1 %}"),
              HasSubstr("nested more than 200 levels"));
}

TEST(Nesting, WideIsNotDeep) {
  EXPECT_EQ(failure("{{ " + repeat("'' ~ ", 5'000) + "'x' }}"), "no failure: x");
  EXPECT_EQ(failure("{% if 0 %}" + repeat("{% elif 0 %}", 5'000) + "{% else %}x{% endif %}"),
            "no failure: x");
}

TEST(Nesting, ADeepContextIsRefused) {
  Json deep = 1;
  for (int i = 0; i < 1'000; ++i) deep = Json::array({std::move(deep)});
  EXPECT_THAT(failure("{{ x }}", {{"x", deep}}), HasSubstr("nested more than 200 levels deep"));
}

TEST(Limits, AConversationOfManyMessagesIsFarFromThem) {
  Json messages = Json::array();
  for (int i = 0; i < 2'000; ++i) {
    messages.push_back({{"role", i % 2 == 0 ? "user" : "assistant"},
                        {"content", repeat("All work and no play makes a dull text. ", 100)}});
  }
  const auto chat = Template::parse(
      "{% set ns = namespace(out='') %}{% for m in messages %}{% set ns.out = ns.out + '<|' + "
      "m.role "
      "+ '|>' + m.content|trim %}{% endfor %}{{ ns.out }}");
  EXPECT_GT(chat.render({{"messages", messages}}).size(), 8'000'000U);
}

}  // namespace
}  // namespace hearth::jinja
