#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using test::ProgramResult;
using test::run_hearth;
using ::testing::AllOf;
using ::testing::HasSubstr;

class SynthCommand : public ::testing::Test {
 protected:
  std::string out() const { return (dir_ / "out.gguf").string(); }
  ProgramResult synth(std::vector<std::string> words) const {
    words.insert(words.begin(), "synth");
    return run_hearth(words);
  }
  test::TempDir dir_;
};

TEST_F(SynthCommand, WritesAModelThatCanBeChecked) {
  const ProgramResult result =
      synth({"qwen2.5-0.5b", "q4_k_m", out(), "--layers", "1", "--vocab", "400", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const nlohmann::json report = nlohmann::json::parse(result.out);
  EXPECT_EQ(report["bytes"], fs::file_size(out()));
  EXPECT_EQ(report["type"], "Q4_K_M");
  EXPECT_EQ(run_hearth({"inspect", "-m", out(), "--check"}).exit_code, 0);
  const ProgramResult said = run_hearth({"run", "-m", out(), "--raw", "Hello", "-n", "2"});
  EXPECT_EQ(said.exit_code, 0) << said.err;
}

TEST_F(SynthCommand, MisuseIsTwo) {
  const ProgramResult shape = synth({"llama-9b", "Q8_0", out()});
  EXPECT_EQ(shape.exit_code, 2);
  EXPECT_THAT(shape.err, HasSubstr("llama-9b"));
  const ProgramResult type = synth({"gpt2", "Q9_X", out()});
  EXPECT_EQ(type.exit_code, 2);
  EXPECT_THAT(type.err, HasSubstr("Q9_X"));
  EXPECT_EQ(synth({"gpt2", "Q8_0", out(), "--vocab", "3"}).exit_code, 2);
  const ProgramResult help = synth({"--help"});
  EXPECT_THAT(help.out, AllOf(HasSubstr("qwen2.5-7b"), HasSubstr("gpt2")));
}

TEST_F(SynthCommand, AFolderThatIsNotThereIsOne) {
  const ProgramResult result = synth({"minilm-l6", "Q8_0", (dir_ / "no" / "x.gguf").string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("x.gguf"));
}

}  // namespace
}  // namespace hearth
