// docs/gguf.md says what the code does: its example is a file, its table of rules is ours.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>

#include "gguf/check.h"
#include "gguf/reader.h"
#include "gguf/wire.h"

namespace hearth::gguf {
namespace {

std::string page() {
  std::ifstream file(std::filesystem::path(HEARTH_SOURCE_DIR) / "docs" / "gguf.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

// The lines "offset  bytes  field" of the example, with zeros between them.
std::string example(const std::string& text) {
  const std::regex line(R"(^ *(\d+)  ((?:[0-9a-f]{2} )+) )");
  std::istringstream lines(text);
  std::string bytes;
  for (std::string row; std::getline(lines, row);) {
    std::smatch match;
    if (!std::regex_search(row, match, line)) continue;
    const std::size_t offset = std::stoul(match[1]);
    EXPECT_GE(offset, bytes.size()) << row;
    bytes.resize(offset, '\0');
    std::istringstream hex(match[2]);
    for (std::string byte; hex >> byte;)
      bytes.push_back(static_cast<char>(std::stoi(byte, nullptr, 16)));
  }
  return bytes;
}

TEST(GgufPage, ItsExampleIsAFile) {
  const std::string bytes = example(page());
  const auto file = std::as_bytes(std::span(bytes.data(), bytes.size()));
  EXPECT_EQ(bytes.size(), 136u);
  EXPECT_TRUE(check_bytes(file, "docs/gguf.md").ok());
  const Reader reader = Reader::from_bytes(file, "docs/gguf.md");
  EXPECT_EQ(reader.at("general.architecture").as_string(), "toy");
  const Tensor* tensor = reader.find_tensor("w");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->offset, 128u);
  EXPECT_EQ(load<float>(tensor->data.data()), 1.0f);
  EXPECT_EQ(load<float>(tensor->data.data() + 4), 2.0f);
}

TEST(GgufPage, ItsTableHasEveryRuleInOrder) {
  std::string table = "| rule | a good file |\n|---|---|\n";
  for (const RuleInfo& rule : all_rules()) {
    table += "| `";
    table += rule.name;
    table += "` | ";
    table += rule.summary;
    table += rule.harmless ? " *(harmless)* |\n" : " |\n";
  }
  EXPECT_NE(page().find(table), std::string::npos) << "docs/gguf.md should have this table:\n"
                                                   << table;
}

}  // namespace
}  // namespace hearth::gguf
