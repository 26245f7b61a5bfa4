// hearth embed, as a user runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"
#include "tests/support/toy_embedder.h"

namespace hearth {
namespace {

using test::run_hearth;
using testing::HasSubstr;

class EmbedCommand : public testing::Test {
 protected:
  EmbedCommand() {
    test::write_toy_embedder(model_, {.metadata = [](gguf::Writer& w) {
                               w.set("bert.embedding.max_tokens", std::uint32_t{8});
                             }});
  }

  test::TempDir dir_;
  std::string model_ = (dir_ / "toy.gguf").string();
};

TEST_F(EmbedCommand, WritesJson) {
  const auto result = run_hearth({"embed", "-m", model_, "abc", "abcdefghijkl"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["model"], "toy.gguf");
  EXPECT_EQ(json["dimension"], 32);
  ASSERT_EQ(json["embeddings"].size(), 2U);
  double square = 0;
  for (const double v : json["embeddings"][0]) square += v * v;
  EXPECT_NEAR(square, 1.0, 1e-5);
  EXPECT_EQ(json["tokens"], (std::vector<int>{5, 14}));
  EXPECT_EQ(json["truncated"], nlohmann::json::parse(R"([{"text":1,"tokens":14,"kept":8}])"));
  EXPECT_THAT(result.err, HasSubstr("text 2 has 14 tokens, of which the first 8 count"));
}

TEST_F(EmbedCommand, WritesTheSameNumbersAsNumPysFile) {
  const auto json = nlohmann::json::parse(run_hearth({"embed", "-m", model_, "abc", "x y"}).out);
  const std::string path = (dir_ / "out.npy").string();
  ASSERT_EQ(run_hearth({"embed", "-m", model_, "-o", path}, "abc\nx y\n").exit_code, 0);
  std::ifstream file(path, std::ios::binary);
  const std::string npy(std::istreambuf_iterator<char>(file), {});
  ASSERT_EQ(npy.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const std::size_t header = 10U + static_cast<unsigned char>(npy[8]);
  EXPECT_EQ(header % 64, 0U);
  EXPECT_THAT(npy.substr(10, header - 10), HasSubstr("'shape': (2, 32)"));
  ASSERT_EQ(npy.size(), header + 2 * 32 * 4);
  for (std::size_t i = 0; i < 64; ++i) {
    float value;
    std::memcpy(&value, npy.data() + header + 4 * i, 4);
    EXPECT_EQ(value, json["embeddings"][i / 32][i % 32].get<float>());
  }
}

// Lines as an editor of Windows leaves them are the same texts.
TEST_F(EmbedCommand, TakesLinesOfAnySystem) {
  const auto plain = run_hearth({"embed", "-m", model_}, "abc\n\nx y\n");
  const auto marked = run_hearth({"embed", "-m", model_},
                                 "\xEF\xBB\xBF"
                                 "abc\r\n\r\nx y");
  EXPECT_EQ(plain.exit_code, 0) << plain.err;
  EXPECT_EQ(plain.out, marked.out);
  EXPECT_EQ(nlohmann::json::parse(plain.out)["embeddings"].size(), 3U);
}

TEST_F(EmbedCommand, RefusesWhatIsNoText) {
  const auto line = run_hearth({"embed", "-m", model_}, "abc\nx\xFFy\n");
  EXPECT_EQ(line.exit_code, 1);
  EXPECT_THAT(line.err, HasSubstr("stdin:2: is not UTF-8 text"));
  EXPECT_THAT(line.err, HasSubstr("0xff at offset 1"));
  EXPECT_EQ(line.out, "");
  const auto word = run_hearth({"embed", "-m", model_, "abc", "\xC3"});
  EXPECT_EQ(word.exit_code, 1);
  EXPECT_THAT(word.err, HasSubstr("text 2: is not UTF-8 text"));
}

TEST_F(EmbedCommand, RefusesAModelThatWritesText) {
  const auto result = run_hearth({"embed", "hello"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("--pooling"));
}

}  // namespace
}  // namespace hearth
