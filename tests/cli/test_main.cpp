#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "tests/support/run_hearth.h"

namespace hearth::test {
namespace {

using ::testing::HasSubstr;

std::set<std::string> commands_in_help() {
  const std::string help = run_hearth({"--help"}).out;
  std::set<std::string> names;
  const std::regex line("\n  ([a-z]+)  +[A-Z]");
  for (std::sregex_iterator it(help.begin(), help.end(), line), end; it != end; ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

TEST(Main, AnUnknownCommandIsNamed) {
  const ProgramResult result = run_hearth({"chatt"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("no command 'chatt'"));
}

TEST(Main, WithoutACommandItIsMisuse) {
  EXPECT_EQ(run_hearth({}).exit_code, 2);
}

TEST(Main, AnUnknownOptionIsMisuse) {
  EXPECT_EQ(run_hearth({"inspect", "--no-such-option"}).exit_code, 2);
}

TEST(Main, TheReadmeListsTheCommandsThatTheProgramHas) {
  std::ifstream file(HEARTH_SOURCE_DIR "/README.md");
  const std::string readme(std::istreambuf_iterator<char>(file), {});
  const std::set<std::string> commands = commands_in_help();
  EXPECT_GE(commands.size(), 10u);
  for (const std::string& name : commands) EXPECT_THAT(readme, HasSubstr("`" + name + "`"));
}

TEST(Main, EveryCommandHasHelpWithoutTheParsersInnards) {
  for (const std::string& name : commands_in_help()) {
    const ProgramResult result = run_hearth({name, "--help"});
    EXPECT_EQ(result.exit_code, 0) << name;
    EXPECT_EQ(result.out.find(":INT"), std::string::npos) << name;
    EXPECT_EQ(result.out.find(" in {"), std::string::npos) << name;
    EXPECT_EQ(result.out.find("Excludes:"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace hearth::test
