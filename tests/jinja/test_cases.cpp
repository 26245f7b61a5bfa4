// Several hundred templates against what Python's jinja2 makes of them (make_cases.py).
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tokenizer/jinja/template.h"

namespace hearth::jinja {
namespace {

using Json = nlohmann::ordered_json;

std::tm friday_morning() {
  std::tm clock = {};
  clock.tm_year = 2024 - 1900;
  clock.tm_mon = 6;
  clock.tm_mday = 26;
  clock.tm_hour = 9;
  clock.tm_min = 30;
  clock.tm_wday = 5;
  clock.tm_yday = 207;
  return clock;
}

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
      rendered = Template::parse(source).render(data["context"], {.now = friday_morning()});
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
