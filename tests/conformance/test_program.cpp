// The program from end to end with a model of real weights, stories260K.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_hearth;

const std::string kModel = HEARTH_SHARED_DIR "/models/stories260K.gguf";

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class ProgramWithStories : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kModel)) GTEST_SKIP() << "no conformance data at " << kModel;
  }
};

TEST_F(ProgramWithStories, GreedilyFromBosItTellsTheKnownStory) {
  const std::string story = contents(HEARTH_SHARED_DIR "/models/stories260K.greedy.txt");
  for (const char* device : {"cpu", "reference"}) {
    const ProgramResult result = run_hearth({"run", "-m", kModel, "-t", "1", "--raw", "-n", "199",
                                             "--temp", "0", "--device", device, ""});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    // The known text is one token longer.
    ASSERT_GT(result.out.size(), story.size() - 10) << device;
    EXPECT_EQ(result.out, story.substr(0, result.out.size())) << device;
  }
}

TEST_F(ProgramWithStories, PromptsAreContinuedWithTheirSpace) {
  const ProgramResult result = run_hearth(
      {"run", "-m", kModel, "-t", "1", "--raw", "-n", "5", "--temp", "0", "Once upon a time"});
  EXPECT_EQ(result.out.substr(0, 7), ", there");
  const ProgramResult space =
      run_hearth({"run", "-m", kModel, "-t", "1", "--raw", "-n", "5", "--temp", "0", "Once upon"});
  EXPECT_EQ(space.out.substr(0, 7), " a time");
}

TEST_F(ProgramWithStories, ManyThreadsAndMicroBatchesTellTheSameStory) {
  const auto story = [](std::vector<std::string> args) {
    args.insert(args.begin(), {"run", "-m", kModel, "--raw", "-n", "30", "--seed", "11",
                               "Once upon a time there was a little cat who"});
    return run_hearth(args).out;
  };
  const std::string first = story({"-t", "1"});
  EXPECT_GT(first.size(), 30u);
  EXPECT_EQ(story({"-t", "1", "--ubatch", "1"}), first);
  EXPECT_EQ(story({"-t", "2", "--ubatch", "5"}), first);
}

// The definition, from the logits that the program writes and the C library's exp and log.
double perplexity_by_definition(const std::vector<int>& tokens, const std::vector<float>& logits) {
  const std::size_t n_vocab = logits.size() / tokens.size();
  double sum = 0;
  for (std::size_t t = 0; t + 1 < tokens.size(); ++t) {
    const float* row = logits.data() + t * n_vocab;
    double total = 0;
    for (std::size_t i = 0; i < n_vocab; ++i) total += std::exp(static_cast<double>(row[i]));
    sum -= row[tokens[t + 1]] - std::log(total);
  }
  return std::exp(sum / static_cast<double>(tokens.size() - 1));
}

TEST_F(ProgramWithStories, PerplexityIsWhatTheLogitsSay) {
  const std::string text =
      "Once upon a time, there was a little boy named Tim. He liked to play with his red ball. One "
      "day, the ball was gone. Tim was sad, but his mom said, \"Do not cry. We will find it.\"";
  const std::string ids = run_hearth({"tokenize", "-m", kModel, "--ids"}, text).out;
  std::istringstream stream(ids);
  std::vector<int> tokens;
  for (int id = 0; stream >> id;) tokens.push_back(id);
  ASSERT_GT(tokens.size(), 40u);
  test::TempDir dir;
  const std::string path = (dir / "logits.f32").string();
  ASSERT_EQ(run_hearth({"logits", "-m", kModel, "-t", "1", "--tokens", ids, "-o", path}).exit_code,
            0);
  const std::string bytes = contents(path);
  std::vector<float> logits(bytes.size() / sizeof(float));
  std::memcpy(logits.data(), bytes.data(), bytes.size());

  const ProgramResult result = run_hearth({"perplexity", "-m", kModel, "-t", "1", "--json"}, text);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json measured = json::parse(result.out);
  EXPECT_EQ(measured["tokens"], tokens.size() - 1);
  const double expected = perplexity_by_definition(tokens, logits);
  EXPECT_NEAR(measured["perplexity"].get<double>(), expected, 1e-9 * expected);
}

TEST_F(ProgramWithStories, AModelDoesNotDivergeFromItself) {
  const std::string text = "Tom had a dog. The dog was big. Tom and the dog ran to the park.";
  const ProgramResult result = run_hearth(
      {"perplexity", "-m", kModel, "--against", kModel, "-t", "1", "--json", "-c", "8"}, text);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json measured = json::parse(result.out);
  EXPECT_EQ(measured["kl_max"], 0.0);
  EXPECT_EQ(measured["same_top"], 1.0);
  EXPECT_EQ(measured["model"]["perplexity"], measured["against"]["perplexity"]);
  const json alone = json::parse(
      run_hearth({"perplexity", "-m", kModel, "-t", "1", "--json", "-c", "8"}, text).out);
  EXPECT_EQ(measured["model"], alone);
}

}  // namespace
}  // namespace hearth
