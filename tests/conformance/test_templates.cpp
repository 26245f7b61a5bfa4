// Real chat templates, rendered by Python's jinja2 as transformers sets it up, against ours.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tests/support/fixed_clock.h"
#include "tokenizer/jinja/template.h"

namespace hearth {
namespace {

using Json = nlohmann::ordered_json;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Templates, EveryCaseRendersByteForByteOrFailsAsItShould) {
  const std::filesystem::path folder = std::filesystem::path(HEARTH_SHARED_DIR) / "templates";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  int checked = 0;
  for (const Json& entry : Json::parse(read(folder / "cases.json"))) {
    const auto name = entry["template"].get<std::string>();
    const auto chat = jinja::Template::parse(read(folder / name), name);
    for (const Json& example : entry["cases"]) {
      SCOPED_TRACE(name + ", case " + example["name"].get<std::string>());
      ++checked;
      const jinja::RenderOptions options{.now = test::fixed_clock()};
      if (example.contains("expected")) {
        try {
          EXPECT_EQ(chat.render(example["context"], options), example["expected"]);
        } catch (const Error& error) {
          ADD_FAILURE() << error.what();
        }
        continue;
      }
      // "ValueError: the template's own words"
      const auto python = example["error"].get<std::string>();
      try {
        ADD_FAILURE() << "rendered " << chat.render(example["context"], options);
      } catch (const Error& error) {
        EXPECT_EQ(error.parts().what, python.substr(python.find(": ") + 2));
      }
    }
  }
  EXPECT_GT(checked, 100);
}

}  // namespace
}  // namespace hearth
