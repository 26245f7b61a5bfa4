// The model in the box. What it must say was computed from the same file by
// tools/toy_model/expect.py, which shares no code with Hearth.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>

#include <nlohmann/json.hpp>

#include "engine/runtime/builtin_model.h"
#include "engine/runtime/context.h"
#include "gguf/check.h"
#include "gguf/reader.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::AnyOf;
using testing::Eq;

const json& expected() {
  static const json kExpected =
      json::parse(std::ifstream(HEARTH_SOURCE_DIR "/tests/runtime/builtin_model.json"));
  return kExpected;
}

gguf::Reader open_builtin() {
  return gguf::Reader::from_bytes(builtin_model_bytes(), "built-in model");
}

TEST(BuiltinModel, IsSmallAndAligned) {
  const auto bytes = builtin_model_bytes();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64, 0u);
  EXPECT_LE(bytes.size(), 3'000'000u);
  std::uint64_t parameters = 0;
  const gguf::Reader file = open_builtin();
  for (const gguf::Tensor& tensor : file.tensors()) {
    parameters += tensor.elements();
    EXPECT_THAT(tensor.type, AnyOf(Eq(QuantType::Q8_0), Eq(QuantType::F32))) << tensor.name;
  }
  EXPECT_GT(parameters, 500'000u);
  EXPECT_LE(parameters, 1'500'000u);
}

TEST(BuiltinModel, IsWhatTheSourceTreeHolds) {
  std::ifstream file(HEARTH_SOURCE_DIR "/engine/runtime/builtin/hearth-toy.gguf", std::ios::binary);
  const std::string content(std::istreambuf_iterator<char>(file), {});
  const auto bytes = builtin_model_bytes();
  ASSERT_EQ(content.size(), bytes.size());
  EXPECT_TRUE(std::equal(content.begin(), content.end(), bytes.begin(), [](char a, std::byte b) {
    return static_cast<unsigned char>(a) == static_cast<unsigned char>(b);
  }));
}

TEST(BuiltinModel, KeepsTheRulesOfTheFormat) {
  const gguf::CheckReport report = gguf::check_bytes(builtin_model_bytes(), "built-in model");
  EXPECT_TRUE(report.ok()) << report.findings.front().what;
}

TEST(BuiltinModel, SaysWhatItIs) {
  const gguf::Reader file = open_builtin();
  EXPECT_EQ(file.at("general.license").as_string(), "MIT");
  EXPECT_THAT(std::string(file.at("general.description").as_string()), testing::HasSubstr("toy"));
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(file));
  const TokenId end = expected()["end_of_answer"];
  EXPECT_EQ(tokenizer->vocab().eos, end);
  EXPECT_TRUE(tokenizer->is_end_of_generation(end));
  EXPECT_FALSE(tokenizer->vocab().chat_template.empty());
}

TEST(BuiltinModel, TokenizesLikeItsTrainer) {
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(open_builtin()));
  for (const json& item : expected()["tokenized"]) {
    const std::string text = item["text"];
    const std::vector<TokenId> ids = tokenizer->encode(text);
    EXPECT_EQ(ids, item["ids"].get<std::vector<TokenId>>()) << "text: " << item["text"];
    EXPECT_EQ(tokenizer->decode(ids), text);
  }
}

TEST(BuiltinModel, ReadsTheChatFormatLikeItsTrainer) {
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(open_builtin()));
  for (const json& item : expected()["conversations"]) {
    EXPECT_EQ(tokenizer->encode(item["prompt"].get<std::string>(), {.parse_special = true}),
              item["prompt_ids"].get<std::vector<TokenId>>());
  }
}

class BuiltinModelAnswers : public testing::TestWithParam<LoadOptions::On> {};

TEST_P(BuiltinModelAnswers, WithTheExpectedText) {
  const gguf::Reader file = open_builtin();
  const auto tokenizer = Tokenizer::create(vocab_from_gguf(file));
  const ModelBundle bundle = load_model(file, {.device = GetParam(), .n_threads = 1});
  ASSERT_GE(expected()["conversations"].size(), 8u);
  for (const json& item : expected()["conversations"]) {
    bundle.context->truncate(0);
    std::vector<TokenId> feed = item["prompt_ids"];
    std::vector<TokenId> said;
    while (said.size() < 400) {
      const auto logits = bundle.context->eval(feed);
      const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      if (tokenizer->is_end_of_generation(static_cast<TokenId>(best))) break;
      said.push_back(static_cast<TokenId>(best));
      feed = {said.back()};
    }
    EXPECT_EQ(said, item["answer_ids"].get<std::vector<TokenId>>()) << item["messages"];
    EXPECT_EQ(tokenizer->decode(said), item["answer"].get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(OnEveryDevice, BuiltinModelAnswers,
                         testing::Values(LoadOptions::On::reference, LoadOptions::On::cpu),
                         [](const auto& on) {
                           return on.param == LoadOptions::On::cpu ? "Cpu" : "Reference";
                         });

}  // namespace
}  // namespace hearth
