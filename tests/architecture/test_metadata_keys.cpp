// Metadata keys that code names, wherever it stands, have a row in gguf/keys_table.cpp.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "gguf/keys.h"

namespace {

namespace fs = std::filesystem;

// The first group of `pattern` everywhere in the sources of `folder`.
std::set<std::string> mentions(const std::string& folder, const std::regex& pattern) {
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(HEARTH_SOURCE_DIR) / folder)) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
      found.insert((*at)[1]);
  }
  return found;
}

TEST(MetadataKeys, WithFullNamesAreInTheTable) {
  const std::regex literal(R"re("((?:general|tokenizer|split)\.[a-z0-9_.]*[a-z0-9_])")re");
  std::set<std::string> all;
  for (const char* folder : {"base", "gguf", "tokenizer", "engine", "tools"})
    all.merge(mentions(folder, literal));
  for (const char* file : {"tokenizer.json", "tokenizer.model"}) all.erase(file);
  EXPECT_GT(all.size(), 20u);
  for (const std::string& key : all)
    EXPECT_NE(hearth::gguf::find_key(key, {}), nullptr) << key << " is named in code only";
}

TEST(MetadataKeys, OfAnArchitectureAreInTheTable) {
  const std::regex call(R"re(keys\.[a-z_]+\(\s*"([a-z0-9_.]+)")re");
  const std::set<std::string> all = mentions("engine/model", call);
  EXPECT_GT(all.size(), 20u);
  for (const std::string& key : all)
    EXPECT_NE(hearth::gguf::find_key("x." + key, "x"), nullptr) << key << " is named in code only";
}

}  // namespace
