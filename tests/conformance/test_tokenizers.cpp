// Every case of ../shared/tokenizers: ids with and without special tokens, and the text back.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "gguf/reader.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kFolder = fs::path(HEARTH_SHARED_DIR) / "tokenizers";

std::vector<fs::path> case_files() {
  std::vector<fs::path> found;
  if (!fs::exists(kFolder)) return found;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".json") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::unique_ptr<Tokenizer> load(const json& file) {
  const auto reader = gguf::Reader::open(kFolder / file.at("vocab").get<std::string>());
  const json& pre = file.at("pre");
  return Tokenizer::create(
      vocab_from_gguf(reader, pre.is_null() ? std::string() : pre.get<std::string>()));
}

class TokenizerConformance : public ::testing::TestWithParam<fs::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TokenizerConformance);

TEST_P(TokenizerConformance, EveryCaseIsExact) {
  const json file = json::parse(std::ifstream(GetParam()));
  const auto tokenizer = load(file);
  ASSERT_FALSE(file.at("cases").empty());
  for (const json& c : file.at("cases")) {
    const auto text = c.at("text").get<std::string>();
    const auto check = [&](const char* key, EncodeOptions options) {
      options.repeat_bos = true;  // the reference warns of a second BOS but adds it
      EXPECT_EQ(tokenizer->encode(text, options), c.at(key).get<std::vector<TokenId>>())
          << key << " of " << c.at("text");
    };
    check("ids", {.add_special = false, .parse_special = false});
    check("ids_parse_special", {.add_special = false, .parse_special = true});
    check("ids_add_special", {.add_special = true, .parse_special = false});
    check("ids_both", {.add_special = true, .parse_special = true});
    EXPECT_EQ(tokenizer->decode(c.at("ids_both").get<std::vector<TokenId>>(),
                                {.render_special = true, .clean_up_spaces = true}),
              from_hex(c.at("detokenized_hex")))
        << "text of " << c.at("text");
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, TokenizerConformance, ::testing::ValuesIn(case_files()),
                         [](const auto& param) {
                           std::string name = param.param.stem().string();
                           for (char& c : name) {
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name;
                         });

TEST(TokenizerConformanceData, IsThere) {
  if (case_files().empty()) GTEST_SKIP() << "no tokenizer cases under " << kFolder;
}

}  // namespace
}  // namespace hearth
