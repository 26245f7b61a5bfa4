// hearth tokenize and detokenize, run as a user would.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/gguf_builder.h"
#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

using test::ProgramResult;
using testing::HasSubstr;

// 0 <unk>, 1 <s>, 2 </s>, 3 to 258 the bytes, 259 "▁", 260 "▁hi", then the ways to it.
class TokenizeCommand : public testing::Test {
 protected:
  TokenizeCommand() : model_((dir_ / "model.gguf").string()) {
    std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> types = {2, 3, 3};
    constexpr std::string_view kHex = "0123456789ABCDEF";
    for (unsigned byte = 0; byte < 256; ++byte) {
      tokens.push_back({'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'});
      types.push_back(6);
    }
    for (const char* text : {"▁", "▁hi", "h", "i", "hi"}) {
      tokens.push_back(text);
      types.push_back(1);
    }
    test::GgufBuilder builder;
    builder.kv_str("general.architecture", "llama")
        .kv_str("tokenizer.ggml.model", "llama")
        .kv_strings("tokenizer.ggml.tokens", tokens)
        .kv_array("tokenizer.ggml.token_type", test::kI32, types);
    std::ofstream(model_, std::ios::binary) << builder.build().data();
  }

  ProgramResult tokenize(std::vector<std::string> args, std::string_view input = {}) const {
    args.insert(args.begin(), {"tokenize", "-m", model_});
    return test::run_hearth(args, input);
  }
  ProgramResult detokenize(std::vector<std::string> args, std::string_view input = {}) const {
    args.insert(args.begin(), {"detokenize", "-m", model_});
    return test::run_hearth(args, input);
  }

  test::TempDir dir_;
  std::string model_;
};

TEST_F(TokenizeCommand, PrintsTheIdsOfStdinAsItIs) {
  const ProgramResult result = tokenize({"--ids"}, "hi\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "1 260 13\n");  // byte 10 is token 13
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(tokenize({"--ids"}, "").out, "1\n");
  EXPECT_EQ(tokenize({"--ids", "--no-special"}, "").out, "\n");
  EXPECT_EQ(tokenize({"--ids", "--no-special"}, std::string_view("\0", 1)).out, "259 3\n");
}

TEST_F(TokenizeCommand, ParsesSpecialTextOnlyWhenAsked) {
  EXPECT_EQ(tokenize({"--ids", "--no-special", "--parse-special"}, "hi</s>").out, "260 2\n");
  EXPECT_EQ(tokenize({"--ids", "--no-special"}, "</").out, "259 63 50\n");
  EXPECT_EQ(tokenize({"--ids", "--parse-special"}, "<s>hi").out, "1 1 260\n");
}

TEST_F(TokenizeCommand, TakesTheTextFromAnArgumentOrAFile) {
  EXPECT_EQ(tokenize({"--ids", "hi"}).out, "1 260\n");
  const std::string path = (dir_ / "text").string();
  std::ofstream(path, std::ios::binary) << "hi hi";
  EXPECT_EQ(tokenize({"--ids", "--file", path}).out, "1 260 260\n");
  const ProgramResult missing = tokenize({"--ids", "--file", path + "x"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr(path + "x"));
  EXPECT_EQ(tokenize({"hi", "--file", path}).exit_code, 2);
}

TEST_F(TokenizeCommand, ShowsPiecesToPeopleAndMachines) {
  EXPECT_EQ(tokenize({"hi\n"}).out,
            "      1       0..3       \"<s>\"   (special)\n"
            "    260       3..6       \" hi\"\n"
            "     13       6..7       \"\\n\"\n"
            "3 tokens\n");
  const auto json = nlohmann::json::parse(tokenize({"--json", "hi\xFF"}).out);
  EXPECT_EQ(json.at("ids"), (std::vector<int>{1, 260, 258}));
  EXPECT_EQ(json.at("tokens").at(1).at("piece"), " hi");
  EXPECT_EQ(json.at("tokens").at(2).at("hex"), "ff");
  EXPECT_EQ(json.at("tokens").at(2).at("begin"), 6);
  EXPECT_EQ(json.at("tokens").at(0).at("special"), true);
}

TEST_F(TokenizeCommand, DetokenizeWritesExactBytes) {
  EXPECT_EQ(detokenize({"260 13"}).out, "hi\n");
  EXPECT_EQ(detokenize({}, "[1, 260, 258]").out, "<s> hi\xFF");
  EXPECT_EQ(detokenize({"--no-special"}, "1 260 2").out, "hi");
  EXPECT_EQ(detokenize({}, "").out, "");
}

TEST_F(TokenizeCommand, RefusesIdsThatAreNone) {
  for (const char* ids : {"264", "-1", "1 x", "1.5", "99999999999"}) {
    const ProgramResult result = detokenize({}, ids);
    EXPECT_EQ(result.exit_code, 1) << ids;
    EXPECT_EQ(result.out, "") << ids;
    EXPECT_THAT(result.err, HasSubstr("token id")) << ids;
  }
}

}  // namespace
}  // namespace hearth
