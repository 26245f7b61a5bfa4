// Holds the map: which folder may include which. A folder that is not in the table may not exist.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Rule {
  std::string folder;
  std::vector<std::string>
      may_include;  // folders, or single files; its own folder is always allowed
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> kRules = {
      {"base", {}},
      {"kernels", {}},
      {"gguf", {"base", "kernels/quant_types.h"}},
      {"tokenizer/vocab_gguf.cpp", {"base", "gguf", "tokenizer"}},
      {"tokenizer/jinja", {"base"}},
      {"tokenizer", {"base"}},
      {"engine/device", {"base", "kernels"}},
      {"engine/model", {"base", "gguf", "kernels/quant_types.h", "engine/device"}},
      {"engine/quantize", {"base", "gguf", "kernels"}},
      {"engine/synth", {"base", "gguf", "kernels", "tokenizer", "engine/model", "engine/quantize"}},
      {"engine/retrieval",
       {"base", "kernels", "engine/device/thread_pool.h", "engine/device/cpu/isa.h"}},
      {"engine/convert", {"base", "gguf", "kernels", "engine/model", "engine/quantize"}},
      {"engine/measure",
       {"base", "gguf", "kernels", "engine/device", "engine/model", "engine/runtime"}},
      {"engine/runtime", {"base", "gguf", "tokenizer", "engine/device", "engine/model"}},
      {"tools", {"base", "gguf", "kernels", "tokenizer", "engine"}},
      {"fuzz", {"base", "gguf", "kernels", "tokenizer", "engine"}},
      {"bench", {"base", "gguf", "kernels", "tokenizer", "engine", "tools"}},
      {"tests", {"base", "gguf", "kernels", "tokenizer", "engine", "tools", "fuzz"}},
  };
  return kRules;
}

bool is_within(const std::string& path, const std::string& prefix) {
  return path == prefix || path.rfind(prefix + "/", 0) == 0;
}

const Rule* rule_for(const std::string& path) {
  for (const Rule& rule : rules()) {
    if (is_within(path, rule.folder)) return &rule;
  }
  return nullptr;
}

bool allowed(const Rule& rule, const std::string& include) {
  if (is_within(include, rule.folder)) return true;
  for (const std::string& prefix : rule.may_include) {
    if (is_within(include, prefix)) return true;
  }
  return false;
}

std::vector<fs::path> sources() {
  const fs::path root = HEARTH_SOURCE_DIR;
  const std::set<std::string> endings = {".h", ".cpp", ".inc", ".c"};
  std::vector<fs::path> found;
  for (const auto& top : fs::directory_iterator(root)) {
    const std::string name = top.path().filename().string();
    if (!top.is_directory() || name == "build" || name[0] == '.') continue;
    for (const auto& entry : fs::recursive_directory_iterator(top.path())) {
      if (entry.is_regular_file() && endings.count(entry.path().extension().string())) {
        found.push_back(fs::relative(entry.path(), root));
      }
    }
  }
  return found;
}

TEST(IncludeRules, EveryFolderIncludesOnlyWhatTheMapAllows) {
  const std::regex quoted("^\\s*#\\s*include\\s+\"([^\"]+)\"");
  int checked = 0;
  for (const fs::path& path : sources()) {
    const Rule* rule = rule_for(path.generic_string());
    ASSERT_NE(rule, nullptr) << path << " is in a folder without a row in the table";
    std::ifstream file(fs::path(HEARTH_SOURCE_DIR) / path);
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
      std::smatch match;
      if (!std::regex_search(line, match, quoted)) continue;
      ++checked;
      EXPECT_TRUE(fs::exists(fs::path(HEARTH_SOURCE_DIR) / match[1].str()))
          << path << ":" << number << " includes \"" << match[1]
          << "\", which is not a path from the root";
      EXPECT_TRUE(allowed(*rule, match[1].str()))
          << path << ":" << number << " may not include " << match[1];
    }
  }
  EXPECT_GT(checked, 10);
}

TEST(Shape, NoSourceFileIsLongerThanSevenHundredLines) {
  for (const fs::path& path : sources()) {
    std::ifstream file(fs::path(HEARTH_SOURCE_DIR) / path);
    int lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    EXPECT_LE(lines, 700) << path << " is a design question: split it by what it does";
  }
}

}  // namespace
