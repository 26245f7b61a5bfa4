#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

using test::ProgramResult;
using test::run_hearth;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// On the model in the box, as little as there is to measure.
ProgramResult bench(std::vector<std::string> more) {
  more.insert(more.begin(), {"bench", "-p", "8", "-n", "2", "-r", "1", "-t", "1"});
  return run_hearth(more);
}

TEST(BenchCommand, PrintsATable) {
  const ProgramResult result = bench({"--depth", "0", "16"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, AllOf(HasSubstr("this machine at most"), HasSubstr("prefill 8"),
                                HasSubstr("decode"), HasSubstr("bound by")));
}

TEST(BenchCommand, PrintsJson) {
  const ProgramResult result = bench({"--json", "--batch", "3", "--no-repack", "--depth", "4"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_GT(json["prefill_tps"].get<double>(), 0);
  EXPECT_GT(json["decode_tps"].get<double>(), 0);
  EXPECT_GT(json["load_s"].get<double>(), 0);
  EXPECT_GT(json["peak_rss_bytes"].get<double>(), 1e6);
  for (const char* ceiling : {"int8_gops", "bf16_gflops", "fma_gflops", "read_gb_per_s"}) {
    EXPECT_GT(json["ceilings"][ceiling].get<double>(), 0) << ceiling;
  }
  EXPECT_EQ(json["batch"], 3);
  EXPECT_EQ(json["repack"], false);
  EXPECT_EQ(json["kv_type"], "F16");
  EXPECT_EQ(json["blas"], "off");
  ASSERT_EQ(json["results"].size(), 1U);
  EXPECT_EQ(json["results"][0]["depth"], 4);
  EXPECT_EQ(json["results"][0]["decode"]["tps"], json["decode_tps"]);
}

TEST(BenchCommand, LeavesOutWhatIsNotWanted) {
  const ProgramResult result =
      run_hearth({"bench", "--json", "-p", "0", "-n", "2", "-r", "1", "-t", "1", "--reference"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json json = nlohmann::json::parse(result.out);
  EXPECT_TRUE(json["prefill_tps"].is_null());
  EXPECT_EQ(json["device"], "reference");
  EXPECT_EQ(json["kv_type"], "F32") << "the reference keeps nothing else";
}

TEST(BenchCommand, DrawsAPicture) {
  const test::TempDir dir;
  const std::string path = (dir / "roofline.svg").string();
  const ProgramResult result = bench({"--svg", path});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::ifstream file(path);
  const std::string svg{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(svg, AllOf(HasSubstr("<svg "), HasSubstr("</svg>"), HasSubstr("int8"),
                         HasSubstr("prefill 8"), HasSubstr("decode")));
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(BenchCommand, MisuseIsTwo) {
  EXPECT_EQ(run_hearth({"bench", "-r", "0"}).exit_code, 2);
  EXPECT_EQ(run_hearth({"bench", "--batch", "0"}).exit_code, 2);
  EXPECT_EQ(run_hearth({"bench", "-m", "no-such.gguf"}).exit_code, 1);
}

}  // namespace
}  // namespace hearth
