// kernels/ is arithmetic on rows: it allocates nothing, starts no thread, throws nothing and prints
// nothing. What it includes and the words it uses show that.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Line {
  fs::path file;
  int number;
  std::string text;  // without a comment at its end
};

std::vector<Line> lines() {
  std::vector<Line> found;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(HEARTH_SOURCE_DIR) / "kernels")) {
    const std::string ending = entry.path().extension().string();
    if (ending != ".h" && ending != ".cpp") continue;
    std::ifstream file(entry.path());
    std::string text;
    for (int number = 1; std::getline(file, text); ++number) {
      found.push_back({entry.path(), number, text.substr(0, text.find("//"))});
    }
  }
  return found;
}

TEST(KernelsAreALeaf, TheyIncludeOnlyHeadersWithoutState) {
  const std::set<std::string> allowed = {"bit",        "cstddef",     "cstdint",    "cstring",
                                         "cpuid.h",    "immintrin.h", "arm_neon.h", "string_view",
                                         "sys/auxv.h", "utility"};
  const std::regex angled("^\\s*#\\s*include\\s+<([^>]+)>");
  int checked = 0;
  for (const Line& line : lines()) {
    std::smatch match;
    if (!std::regex_search(line.text, match, angled)) continue;
    ++checked;
    EXPECT_TRUE(allowed.count(match[1]))
        << line.file << ":" << line.number << " includes <" << match[1] << ">";
  }
  EXPECT_GT(checked, 10);
}

TEST(KernelsAreALeaf, TheyAllocateThrowAndPrintNothing) {
  const std::regex forbidden(
      "\\b(new|delete|malloc|free|throw|try|catch|printf|std::(vector|string|function|thread|"
      "mutex))\\b");
  for (const Line& line : lines()) {
    std::smatch match;
    EXPECT_FALSE(std::regex_search(line.text, match, forbidden))
        << line.file << ":" << line.number << " says " << match[0];
  }
}

}  // namespace
