#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "gguf/reader.h"
#include "gguf/writer.h"
#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using test::ProgramResult;
using test::run_hearth;
using ::testing::AllOf;
using ::testing::HasSubstr;

class QuantizeCommand : public ::testing::Test {
 protected:
  QuantizeCommand() {
    std::vector<float> wide(256 * 64);
    std::vector<float> narrow(96 * 64);
    for (std::size_t i = 0; i < wide.size(); ++i) wide[i] = static_cast<float>(i % 97) - 48.0f;
    for (std::size_t i = 0; i < narrow.size(); ++i) narrow[i] = static_cast<float>(i % 89) - 44.0f;
    gguf::Writer writer;
    writer.set("general.architecture", "llama");
    writer.set("llama.block_count", std::uint32_t{1});
    add(writer, "token_embd.weight", 256, wide);
    add(writer, "blk.0.attn_q.weight", 256, wide);
    add(writer, "blk.0.ffn_up.weight", 96, narrow);
    writer.write(in());
  }

  static void add(gguf::Writer& writer, std::string_view name, std::uint64_t columns,
                  const std::vector<float>& data) {
    writer.add_tensor(name, QuantType::F32, std::vector<std::uint64_t>{columns, 64},
                      std::as_bytes(std::span(data)));
  }

  std::string in() const { return (dir_ / "in.gguf").string(); }
  std::string out() const { return (dir_ / "out.gguf").string(); }

  ProgramResult quantize(const std::string& type, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"quantize", in(), out(), type});
    return run_hearth(more);
  }

  test::TempDir dir_;
};

TEST_F(QuantizeCommand, WritesTheFileAndSaysWhatItDid) {
  const ProgramResult result = quantize("q4_k_m", {"-t", "2"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");  // no bar where there is no terminal
  EXPECT_THAT(result.out, AllOf(HasSubstr("bits per weight"),
                                HasSubstr("1 of 3 tensors have rows that do not fit")));
  const gguf::Reader reader = gguf::Reader::open(out());
  EXPECT_EQ(reader.find_tensor("blk.0.attn_q.weight")->type, QuantType::Q4_K);
  EXPECT_EQ(reader.find_tensor("blk.0.ffn_up.weight")->type, QuantType::Q5_0);
  EXPECT_EQ(reader.find_tensor("token_embd.weight")->type, QuantType::Q6_K);  // tied
}

TEST_F(QuantizeCommand, PrintsTheErrorPerType) {
  const ProgramResult result = quantize("Q8_0", {"--stats"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("worst NMSE"), HasSubstr("Q8_0")));
}

TEST_F(QuantizeCommand, ReportsAsJson) {
  const ProgramResult result = quantize("Q4_K_S", {"--json", "--stats"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json report = nlohmann::json::parse(result.out);
  EXPECT_EQ(report["type"], "Q4_K_S");
  EXPECT_EQ(report["bytes_in"], fs::file_size(in()));
  EXPECT_EQ(report["bytes_out"], fs::file_size(out()));
  ASSERT_EQ(report["tensors"].size(), 3u);
  EXPECT_EQ(report["tensors"][1]["name"], "blk.0.attn_q.weight");
  EXPECT_EQ(report["tensors"][1]["from"], "F32");
  EXPECT_EQ(report["tensors"][1]["to"], "Q4_K");
  EXPECT_EQ(report["tensors"][1]["fallback"], false);
  EXPECT_EQ(report["tensors"][2]["fallback"], true);
  EXPECT_LT(report["tensors"][1]["nmse"].get<double>(), 0.01);
}

TEST_F(QuantizeCommand, NeedsLeaveToQuantiseTwice) {
  ASSERT_EQ(quantize("Q8_0").exit_code, 0);
  const std::string again = (dir_ / "again.gguf").string();
  const ProgramResult refused = run_hearth({"quantize", out(), again, "Q4_0"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("--allow-requantize"));
  EXPECT_FALSE(fs::exists(again));
  EXPECT_EQ(run_hearth({"quantize", out(), again, "Q4_0", "--allow-requantize"}).exit_code, 0);
}

TEST_F(QuantizeCommand, MisuseIsTwo) {
  const ProgramResult unknown = quantize("Q9_X");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("Q9_X"));
  EXPECT_EQ(run_hearth({"quantize", in()}).exit_code, 2);
  EXPECT_EQ(quantize("Q8_0", {"-t", "0"}).exit_code, 2);
  const ProgramResult help = run_hearth({"quantize", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("Q4_K_M"), HasSubstr("Q2_K")));
}

TEST_F(QuantizeCommand, AMissingFileIsOne) {
  const ProgramResult result = run_hearth({"quantize", (dir_ / "no.gguf").string(), out(), "Q8_0"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no.gguf"));
}

}  // namespace
}  // namespace hearth
