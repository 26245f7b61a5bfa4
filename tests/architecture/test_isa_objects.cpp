// Code that was compiled for an instruction set must never run where that set is missing. The
// linker keeps one copy of an inline function or template that several object files define, so none
// of the files of a level may define any that others could use; and the rest of the program must
// enter a level through its install function alone, which is called after the machine was asked.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Symbol {
  char type;  // as nm prints it: T code, W weak code, U undefined, other letters data or local
  std::string name;
};

/// What nm, demangling, prints of an object file.
std::vector<Symbol> symbols(const std::string& object) {
  const std::string command = std::string(HEARTH_NM) + " -C '" + object + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::vector<Symbol> found;
  std::string line;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get())) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    // "0000000000000000 T name", and blanks in place of the address if it has none.
    if (line.size() > 19) found.push_back({line[17], line.substr(19)});
    line.clear();
  }
  return found;
}

std::vector<std::string> objects() {
  std::ifstream list(HEARTH_KERNEL_OBJECTS);
  std::vector<std::string> paths;
  for (std::string path; std::getline(list, path);) paths.push_back(path);
  return paths;
}

/// The level that an object file belongs to, or "".
std::string level_of(const std::string& object) {
  for (const char* level : {"avx2", "avx512", "amx", "neon", "neon_i8mm"}) {
    if (fs::path(object).parent_path().filename() == level) return level;
  }
  return "";
}

bool begins_with(const std::string& text, const std::string& start) {
  return text.rfind(start, 0) == 0;
}

/// Constants are the same wherever they were compiled; sanitizers add their own.
bool is_code(const Symbol& symbol) {
  return (symbol.type == 'T' || symbol.type == 'W') && !begins_with(symbol.name, "__");
}

TEST(IsaObjects, DefineNoCodeThatOthersCouldShare) {
  int checked = 0;
  for (const std::string& object : objects()) {
    const std::string level = level_of(object);
    if (level.empty()) continue;
    for (const Symbol& symbol : symbols(object)) {
      if (!is_code(symbol)) continue;
      ++checked;
      EXPECT_EQ(symbol.type, 'T') << object << " defines " << symbol.name << " weakly";
      EXPECT_TRUE(begins_with(symbol.name, "hearth::kernels::" + level + "::") ||
                  begins_with(symbol.name, "hearth::kernels::install_" + level + "("))
          << object << " defines " << symbol.name;
    }
  }
  EXPECT_GT(checked, 1);
}

TEST(IsaObjects, AreEnteredThroughTheirInstallFunctionAlone) {
  int entries = 0;
  for (const std::string& object : objects()) {
    for (const Symbol& symbol : symbols(object)) {
      if (symbol.type != 'U') continue;
      for (const char* name : {"avx2", "avx512", "amx", "neon", "neon_i8mm"}) {
        const std::string level = name;
        if (begins_with(symbol.name, "hearth::kernels::install_" + level + "(")) ++entries;
        if (level_of(object) != level) {
          EXPECT_FALSE(begins_with(symbol.name, "hearth::kernels::" + level + "::"))
              << object << " uses " << symbol.name;
        }
      }
    }
  }
  EXPECT_GT(entries, 0);
}

}  // namespace
