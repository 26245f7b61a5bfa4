// hearth logits, verify, inspect --graph, as a user runs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"
#include "tests/support/toy_model.h"

namespace hearth {
namespace {

using test::ProgramResult;
using test::run_hearth;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class EngineCommands : public testing::Test {
 protected:
  std::string model(const test::ToyOptions& options) const {
    const std::string path = (dir_ / (options.family + ".gguf")).string();
    const std::vector<std::byte> bytes = test::toy_model(options);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return path;
  }

  std::string out() const { return (dir_ / "logits.f32").string(); }

  std::vector<float> floats() const {
    std::ifstream file(out(), std::ios::binary);
    std::vector<float> values(std::filesystem::file_size(out()) / sizeof(float));
    file.read(reinterpret_cast<char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(float)));
    return values;
  }

  test::TempDir dir_;
};

TEST_F(EngineCommands, LogitsWritesARowPerToken) {
  const std::string path = model({});
  const ProgramResult result =
      run_hearth({"logits", "-m", path, "--tokens", "1 5 9", "-o", out(), "--reference"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  const std::vector<float> reference = floats();
  EXPECT_EQ(reference.size(), 3U * 64);
  EXPECT_TRUE(std::isfinite(reference.front()));
  EXPECT_EQ(run_hearth({"logits", "-m", path, "--tokens", " 1 5 9 ", "-o", out()}).exit_code, 0);
  const std::vector<float> cpu = floats();
  ASSERT_EQ(cpu.size(), reference.size());
  for (std::size_t i = 0; i < cpu.size(); ++i) EXPECT_NEAR(cpu[i], reference[i], 1e-4);
}

TEST_F(EngineCommands, KeysAndValuesCanBeStoredInFewerBits) {
  const std::string path = model({});
  const auto logits = [&](const std::string& kv_type) {
    const ProgramResult result =
        run_hearth({"logits", "-m", path, "--tokens", "1 5 9", "-o", out(), "--kv-type", kv_type});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return floats();
  };
  const std::vector<float> exact = logits("f32");
  EXPECT_EQ(logits("auto"), exact) << "the weights are float32";
  const std::vector<float> half = logits("f16");
  EXPECT_NE(half, exact);
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(half[i], exact[i], 0.01);
  EXPECT_EQ(
      run_hearth({"logits", "-m", path, "--tokens", "1", "-o", out(), "--kv-type", "q3"}).exit_code,
      2);
}

TEST_F(EngineCommands, OpenBlasIsUsedWhenAsked) {
  const std::string path = model({});
  std::string tokens;
  for (int i = 0; i < 40; ++i) tokens += std::to_string(i) + " ";
  const auto run_with = [&](const std::string& blas) {
    return run_hearth({"logits", "-m", path, "--tokens", tokens, "-o", out(), "--blas", blas});
  };
  EXPECT_EQ(run_with("off").exit_code, 0);
  const std::vector<float> ours = floats();
  EXPECT_EQ(run_with("auto").exit_code, 0) << "with the library or without";
  EXPECT_EQ(floats(), ours) << "such short rows stay with our kernels";
  const ProgramResult on = run_with("on");
  if (on.exit_code == 0) {
    const std::vector<float> by_blas = floats();
    ASSERT_EQ(by_blas.size(), ours.size());
    for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_NEAR(by_blas[i], ours[i], 1e-4);
  } else {
    EXPECT_THAT(on.err, AllOf(HasSubstr("--blas"), HasSubstr("libopenblas")));
  }
  EXPECT_EQ(run_with("perhaps").exit_code, 2);
}

TEST_F(EngineCommands, LogitsOfAnEncoderIsItsEmbedding) {
  EXPECT_EQ(run_hearth({"logits", "-m", model({.family = "bert"}), "--tokens", "1 2", "-o", out()})
                .exit_code,
            0);
  EXPECT_EQ(floats().size(), 32U);
}

TEST_F(EngineCommands, LogitsSaysWhatIsWrongAndLeavesNoFile) {
  const std::string path = model({});
  const auto error = [&](const std::string& tokens, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"logits", "-m", path, "--tokens", tokens, "-o", out()});
    const ProgramResult result = run_hearth(more);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_FALSE(std::filesystem::exists(out()));
    return result.err;
  };
  EXPECT_THAT(error("1 x 2"), AllOf(HasSubstr("--tokens"), HasSubstr("1 x 2")));
  EXPECT_THAT(error(""), HasSubstr("--tokens"));
  EXPECT_THAT(error("1 64"), HasSubstr("0 to 63"));
  EXPECT_THAT(error("1 2 3", {"-c", "2"}), HasSubstr("at most 2"));
  EXPECT_EQ(run_hearth({"logits", "-m", path, "-o", out()}).exit_code, 2);
}

TEST_F(EngineCommands, VerifyFindsTheCpuDeviceRight) {
  const ProgramResult result =
      run_hearth({"verify", "-m", model({.family = "gemma3"}), "--tokens", "1 2 3 4"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("matmul"), HasSubstr("attention"), Not(HasSubstr("OFF"))));
}

TEST_F(EngineCommands, GraphListsTheOpsOfAlikeLayersOnce) {
  const std::string path = model({.n_layer = 4});
  const ProgramResult text = run_hearth({"inspect", "-m", path, "--graph"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("blk.0 to blk.3"), HasSubstr("attn_q.weight"),
                              HasSubstr("4 heads on 2"), HasSubstr("logits [64]")));
  const ProgramResult json = run_hearth({"inspect", "-m", path, "--graph", "--json"});
  const nlohmann::json ops = nlohmann::json::parse(json.out);
  EXPECT_EQ(ops.front()["op"], "get_rows");
  EXPECT_EQ(ops.back()["output"], "logits [64]");
}

}  // namespace
}  // namespace hearth
