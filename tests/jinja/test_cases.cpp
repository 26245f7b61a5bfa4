// Several hundred templates against what Python's jinja2 makes of them (make_cases.py).
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tests/support/fixed_clock.h"
#include "tokenizer/jinja/template.h"

namespace hearth::jinja {
namespace {

using Json = nlohmann::ordered_json;

TEST(Cases, RenderAsJinja2DoesOrFailWhereItFails) {
  std::ifstream file(HEARTH_SOURCE_DIR "/tests/jinja/cases.json");
  const Json data = Json::parse(file);
  int checked = 0;
  for (const Json& example : data["cases"]) {
    const auto source = example["template"].get<std::string>();
    ++checked;
    std::string rendered;
    std::string error;
    try {
      rendered = Template::parse(source).render(data["context"], {.now = test::fixed_clock()});
    } catch (const Error& failure) {
      error = failure.what();
    }
    if (example.contains("expected")) {
      EXPECT_EQ(error, "") << source;
      EXPECT_EQ(rendered, example["expected"].get<std::string>()) << source;
    } else {
      EXPECT_NE(error, "") << source << "\nrendered " << rendered << "\nbut jinja2 raises "
                           << example["error"];
    }
  }
  EXPECT_GT(checked, 500);
}

}  // namespace
}  // namespace hearth::jinja
