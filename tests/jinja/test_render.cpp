// What the cases of jinja2 cannot tell: places in messages, variables from the context, one
// template for several threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tokenizer/jinja/template.h"

namespace hearth::jinja {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::ordered_json;

std::string render(const std::string& source, const Json& context = Json::object()) {
  return Template::parse(source).render(context);
}

std::string failure(const std::string& source, const Json& context = Json::object()) {
  try {
    return "no failure: " + render(source, context);
  } catch (const Error& error) {
    return error.what();
  }
}

struct FailureCase {
  const char* source;
  const char* message;  // its beginning
};

void PrintTo(const FailureCase& c, std::ostream* out) {
  *out << c.source;
}

class Failure : public testing::TestWithParam<FailureCase> {};

TEST_P(Failure, NamesThePlaceAndWhatIsWrong) {
  EXPECT_THAT(failure(GetParam().source), StartsWith(GetParam().message)) << GetParam().source;
}

INSTANTIATE_TEST_SUITE_P(
    Render, Failure,
    testing::Values(
        FailureCase{"a\n  {{ x|foo }}",
                    "chat template:2:8: unknown filter 'foo'; known filters: "
                    "abs, attr, batch"},
        FailureCase{"{{ 1 is foo }}", "chat template:1:9: unknown test 'foo'; known tests: odd"},
        FailureCase{"{% foo %}", "chat template:1:4: unknown tag 'foo'; known tags: if, for"},
        FailureCase{"{% if x %}\n{% for %}",
                    "chat template:2:8: expected a name to assign to, got "
                    "the end of the tag"},
        FailureCase{"{% if x %}abc",
                    "chat template:1:14: expected '{% endif %}', got the end of "
                    "the template"},
        FailureCase{"é{{ missing.member }}", "chat template:1:12: 'missing' is undefined"},
        FailureCase{"{{ {}.a.b }}", "chat template:1:8: 'dict object' has no attribute 'a'"},
        FailureCase{"{{ none.a.b }}", "chat template:1:10: 'None' has no attribute 'a'"},
        FailureCase{"\n\n{{ 'a' + 1 }}",
                    "chat template:3:8: can only concatenate str (not \"int\")"},
        FailureCase{"{{ raise_exception('no') }}", "chat template:1:4: no"},
        FailureCase{"{{ 'abc }}", "chat template:1:4: this text is not closed by its quote"},
        FailureCase{"x {# abc", "chat template:1:3: this comment is not closed; it ends with '#}'"},
        FailureCase{"{{ (1] }}",
                    "chat template:1:6: unexpected ']'; the last bracket opened is '('"},
        FailureCase{"{% include 'x' %}", "chat template:1:4: '{% include %}' is not possible"},
        FailureCase{"{{ [].append(1) }}",
                    "chat template:1:6: access to attribute 'append' of 'list' object is unsafe."},
        FailureCase{"{{ l|random }}", "chat template:1:6: |random is refused"},
        FailureCase{"{{ 9223372036854775807 + 1 }}", "chat template:1:24: an integer is too large"},
        FailureCase{"{{ 99999999999999999999 }}", "chat template:1:4: this integer is too large"},
        FailureCase{"a\nb\xff", "chat template:2:1: this line is not UTF-8"}));

TEST(Render, TheNameOfTheTemplateStandsInMessages) {
  try {
    Template::parse("{{", "my.jinja");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), StartsWith("my.jinja:1:"));
  }
}

TEST(Render, NumbersOfTheContextKeepTheirKind) {
  EXPECT_EQ(render("{{ a }} {{ b }} {{ c }} {{ d }}",
                   {{"a", 1}, {"b", 1.0}, {"c", -1e22}, {"d", 9223372036854775807U}}),
            "1 1.0 -1e+22 9223372036854775807");
  EXPECT_THAT(failure("{{ a }}", {{"a", 18446744073709551615U}}), HasSubstr("too large"));
}

TEST(Render, KeysOfTheContextKeepTheirOrder) {
  EXPECT_EQ(render("{{ d }}", Json::parse(R"({"d": {"z": 1, "a": {"y": null, "b": true}}})")),
            "{'z': 1, 'a': {'y': None, 'b': True}}");
}

TEST(Render, DictsOfManyKeysAreSearchedByHash) {
  Json dict = Json::object();
  for (int i = 0; i < 500; ++i) dict["key" + std::to_string(i)] = i;
  EXPECT_EQ(render("{{ d.key0 }} {{ d['key499'] }} {{ d.get('key250') }} {{ d.key500 is defined }}",
                   {{"d", dict}}),
            "0 499 250 False");
}

TEST(Render, AContextThatIsNoObjectIsRefused) {
  EXPECT_THAT(failure("x", Json::array()), HasSubstr("expected a JSON object, got array"));
}

TEST(Render, LocalTimeIsTheClockByDefault) {
  const std::string year = render("{{ strftime_now('%Y') }}");
  EXPECT_GE(std::stoi(year), 2024);
}

TEST(Render, OneTemplateServesSeveralThreads) {
  const auto shared = Template::parse(
      "{% macro m(x) %}[{{ x }}]{% endmacro %}{% for i in range(50) %}{{ m(i ~ name) }}{% endfor "
      "%}");
  std::vector<std::string> results(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < results.size(); ++t) {
    threads.emplace_back([&, t] { results[t] = shared.render({{"name", std::to_string(t)}}); });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < results.size(); ++t) {
    EXPECT_EQ(results[t], shared.render({{"name", std::to_string(t)}}));
  }
}

TEST(Render, ATextBuiltPieceByPieceKeepsItsEarlierValues) {
  EXPECT_EQ(render("{% set a = 'x' * 600 ~ 'y' %}{% set b = a ~ 'B' %}{% set c = a ~ 'C' %}"
                   "{{ a|length }}{{ b[-2:] }}{{ c[-2:] }}"),
            "601yByC");
  EXPECT_EQ(render("{{ '' ~ 1e15 }}{{ none_such ~ 2.5 }}"), "1000000000000000.02.5");
}

TEST(Render, ABlockThatAssignsANameOwnsItFromTheStart) {
  // jinja2's compiler decides this from the source: the context's x is not seen
  const Json context = {{"x", "outside"}};
  EXPECT_EQ(render("{% for i in [1] %}[{{ x }}]{% endfor %}{% set x = 1 %}", context), "[]");
  EXPECT_EQ(render("{{ x }}{% for i in [1] %}[{{ x }}]{% endfor %}{% set x = 1 %}", context),
            "outside[outside]");
  EXPECT_EQ(render("{% for i in [1] %}[{{ x }}]{% endfor %}{% if true %}{% set x = 1 %}{% endif %}",
                   context),
            "[outside]");
}

}  // namespace
}  // namespace hearth::jinja
