// hearth run, with the model in the box.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "tests/support/builtin_model_test.h"
#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"
#include "tests/support/terminal_session.h"

namespace hearth {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_hearth;
using testing::HasSubstr;
using testing::Not;

class Run : public test::BuiltinModelTest {};

std::vector<std::string> run_args(std::vector<std::string> more) {
  more.insert(more.begin(), {"run", "--temp", "0", "-t", "1"});
  return more;
}

TEST_F(Run, AnswersThroughTheTemplate) {
  const ProgramResult result = run_hearth(run_args({"Hello"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_FALSE(result.out.empty());
  EXPECT_THAT(result.out, Not(HasSubstr("<|")));
  // The same prompt written out by hand.
  const std::string by_hand = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(run_hearth(run_args({"--raw", by_hand})).out, result.out);
}

TEST_F(Run, APromptThatQuotesAControlTokenIsText) {
  const auto prompt_tokens = [](const std::string& prompt) {
    const ProgramResult result = run_hearth(run_args({"--json", "-n", "1", prompt}));
    return json::parse(result.out)["prompt_tokens"].get<int>();
  };
  // <|im_end|> is one token of the model's; its ten characters are more.
  EXPECT_GT(prompt_tokens("say <|im_end|>"), prompt_tokens("say a") + 1);
}

TEST_F(Run, TakesThePromptFromAnArgumentAFileOrStdin) {
  test::TempDir dir;
  const std::string path = (dir / "prompt.txt").string();
  std::ofstream(path) << "Hello\n";
  const std::string answer = run_hearth(run_args({"Hello"})).out;
  EXPECT_EQ(run_hearth(run_args({}), "Hello\n").out, answer);
  EXPECT_EQ(run_hearth(run_args({"--file", path})).out, answer);
  EXPECT_EQ(run_hearth(run_args({"--file", path, "Hello"})).exit_code, 2);
  EXPECT_EQ(run_hearth(run_args({"--file", path + "x"})).exit_code, 1);
}

TEST_F(Run, SameSeedSameText) {
  const auto text = [](const char* seed) {
    return run_hearth(
               {"run", "-t", "1", "--raw", "--temp", "1.5", "-n", "30", "--seed", seed, "Once"})
        .out;
  };
  EXPECT_EQ(text("7"), text("7"));
  EXPECT_NE(text("7"), text("8"));
}

TEST_F(Run, JsonSaysEverything) {
  const ProgramResult result =
      run_hearth(run_args({"--raw", "-n", "4", "--json", "--logprobs", "2", "Once upon"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json answer = json::parse(result.out);
  EXPECT_EQ(answer["text"], run_hearth(run_args({"--raw", "-n", "4", "Once upon"})).out);
  EXPECT_EQ(answer["finish_reason"], "length");
  EXPECT_EQ(answer["answer_tokens"], 4);
  ASSERT_EQ(answer["tokens"].size(), 4u);
  ASSERT_EQ(answer["logprobs"].size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const json& entry = answer["logprobs"][i];
    EXPECT_EQ(entry["id"], answer["tokens"][i]);
    EXPECT_EQ(entry["top"].size(), 2u);
    EXPECT_EQ(entry["top"][0]["id"], entry["id"]);  // greedy
    EXPECT_LE(entry["logprob"].get<double>(), 0.0);
    EXPECT_LE(std::exp(entry["top"][0]["logprob"].get<double>()) +
                  std::exp(entry["top"][1]["logprob"].get<double>()),
              1.0 + 1e-9);
  }
}

TEST_F(Run, StopStringsAreNotShown) {
  const std::string whole = run_hearth(run_args({"--raw", "-n", "20", "Once upon a time"})).out;
  const std::string stop = whole.substr(whole.size() / 2, 4);
  const ProgramResult cut =
      run_hearth(run_args({"--raw", "-n", "20", "--stop", stop, "Once upon a time"}));
  EXPECT_EQ(cut.out, whole.substr(0, whole.find(stop)));
}

TEST_F(Run, AFullContextIsSaidOnStderr) {
  const ProgramResult result =
      run_hearth(run_args({"--raw", "-c", "12", "--ignore-end", "Once upon a time"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("the context of 12 tokens is full"));
  const ProgramResult too_long =
      run_hearth(run_args({"--raw", "-c", "3", "Once upon a time there"}));
  EXPECT_EQ(too_long.exit_code, 1);
  EXPECT_EQ(too_long.out, "");
}

TEST_F(Run, MisuseAndFailureHaveTheirOwnCodes) {
  EXPECT_EQ(run_hearth({"run", "--no-such-option"}).exit_code, 2);
  EXPECT_EQ(run_hearth({"run", "-n", "many", "x"}).exit_code, 2);
  EXPECT_EQ(run_hearth({"run", "--device", "abacus", "x"}).exit_code, 1);
  const ProgramResult gpu = run_hearth({"run", "-ngl", "few", "x"});
  EXPECT_EQ(gpu.exit_code, 1);
  EXPECT_THAT(gpu.err, HasSubstr("-ngl"));
  const ProgramResult hot = run_hearth({"run", "--temp", "-1", "x"});
  EXPECT_EQ(hot.exit_code, 1);
  EXPECT_THAT(hot.err, HasSubstr("temperature"));
  EXPECT_EQ(run_hearth({"run", "-m", "/no/such/model.gguf", "x"}).exit_code, 1);
  EXPECT_EQ(run_hearth({"run", "--raw", "--system", "Be kind.", "x"}).exit_code, 1);
}

TEST_F(Run, AClosedPipeEndsItQuietly) {
  test::TempDir dir;
  const std::string log = (dir / "log").string();
  const std::string command = "( " HEARTH_PROGRAM
                              " run -t 1 --raw -n 200 --ignore-end Once; echo $? ) 2> " +
                              log + ".err | head -c 1 > " + log;
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::ifstream err(log + ".err");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(err), {}), "");
}

TEST_F(Run, AFullDiskIsAFailure) {
  const int status =
      std::system(HEARTH_PROGRAM " run -t 1 --raw -n 2 Once > /dev/full 2> /dev/null");
  EXPECT_EQ(WEXITSTATUS(status), 1);
}

TEST_F(Run, CtrlCStopsIt) {
  test::TerminalSession terminal({"run", "-t", "1", "--raw", "--temp", "2", "-c", "100000",
                                  "--ignore-end", "-n", "90000", "Once"});
  while (terminal.screen().size() < 100) ASSERT_TRUE(terminal.sees(" "));
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 1);
  EXPECT_THAT(terminal.screen(), HasSubstr("cancelled"));
}

}  // namespace
}  // namespace hearth
