// However little memory the system gives: the program does its work, or says in a line that there
// was too little.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

using test::ProgramResult;
using testing::AnyOf;
using testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitsWork = false;  // sanitizers take terabytes of address space for themselves
#else
constexpr bool kLimitsWork = true;
#endif

/// hearth with so much address space.
ProgramResult run_within(int mebibytes, const std::vector<std::string>& args) {
  const std::string limit = std::to_string(mebibytes * 1024);
  std::vector<std::string> words = {"/bin/sh", "-c", "ulimit -v " + limit + " && exec \"$@\"", "sh",
                                    HEARTH_PROGRAM};
  words.insert(words.end(), args.begin(), args.end());
  return test::run_program(std::move(words));
}

TEST(LittleMemory, IsAClearErrorWhereverItRunsOut) {
  if (!kLimitsWork) GTEST_SKIP() << "address space cannot be limited under sanitizers";
  const test::TempDir dir;
  std::string tokens;
  for (int i = 0; i < 40; ++i) tokens += std::to_string(i + 3) + " ";
  const std::vector<std::string> args = {
      "logits", "-t", "3", "--tokens", tokens, "-o", (dir / "logits.f32").string()};
  constexpr int kStep = 5;
  constexpr int kMost = 2000;
  int limit = kStep;
  while (limit < kMost && run_within(limit, {"--version"}).exit_code != 0) limit += kStep;
  int n_failed = 0;
  for (; limit < kMost; limit += kStep) {
    const ProgramResult result = run_within(limit, args);
    if (result.exit_code == 0) break;
    ++n_failed;
    EXPECT_EQ(result.exit_code, 1) << limit << " MiB: " << result.err;
    EXPECT_THAT(result.err, AnyOf(HasSubstr("memory"), HasSubstr("map"))) << limit << " MiB";
    EXPECT_EQ(result.err.find("hearth: "), 0U) << result.err;
    EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << "one line: " << result.err;
  }
  EXPECT_LT(limit, kMost) << "it never had enough";
  EXPECT_GT(n_failed, 2) << "the limit was never felt";
}

TEST(LittleMemory, NamesTheThreadsThatItCannotHave) {
  if (!kLimitsWork) GTEST_SKIP() << "address space cannot be limited under sanitizers";
  const test::TempDir dir;
  const ProgramResult result = run_within(
      700, {"logits", "-t", "1000", "--tokens", "5", "-o", (dir / "logits.f32").string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, testing::AllOf(HasSubstr("threads"), HasSubstr("-t"), HasSubstr("1000")));
}

}  // namespace
}  // namespace hearth
