#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"
#include "tests/support/terminal_session.h"

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

TEST(Main, MisuseIsOneLineThatSaysWhatIsRight) {
  const ProgramResult result = run_hearth({"run", "--blas", "perhaps", "text"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err,
            "hearth: --blas: perhaps is none of auto, on, off; hearth run --help says more\n");
}

TEST(Main, AFileThatShrinksWhileItIsUsedIsAClearError) {
  const TempDir dir;
  const std::string model = (dir / "model.gguf").string();
  std::filesystem::copy_file(HEARTH_SOURCE_DIR "/engine/runtime/builtin/hearth-toy.gguf", model);
  TerminalSession terminal({"chat", "-t", "1", "--no-repack", "-m", model});
  ASSERT_TRUE(terminal.sees("> ")) << terminal.screen();
  std::filesystem::resize_file(model, 0);
  terminal.type("Hello\r");  // the rows of the embedding are read from the file
  EXPECT_TRUE(terminal.sees("cut short")) << terminal.screen();
  EXPECT_EQ(terminal.wait(), 1) << terminal.screen();
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
