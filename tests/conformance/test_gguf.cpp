// Every GGUF file of the conformance data opens, breaks no rule, and survives being written again.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gguf/check.h"
#include "gguf/reader.h"
#include "gguf/writer.h"

namespace hearth::gguf {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files() {
  std::vector<fs::path> found;
  const fs::path root = HEARTH_SHARED_DIR;
  for (const char* folder : {"models", "quant", "tokenizers"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::directory_iterator(root / folder)) {
      if (entry.path().extension() == ".gguf") found.push_back(entry.path());
    }
  }
  return found;
}

TEST(GgufConformance, EveryFileOpens) {
  const auto all = files();
  if (all.empty()) GTEST_SKIP() << "no GGUF files under " << HEARTH_SHARED_DIR;
  for (const fs::path& path : all) {
    const Reader reader = Reader::open(path);
    EXPECT_EQ(reader.file_bytes(), fs::file_size(path));
    EXPECT_FALSE(reader.at("general.architecture").as_string().empty()) << path;
  }
}

TEST(GgufConformance, NoFileBreaksARule) {
  const auto all = files();
  if (all.empty()) GTEST_SKIP() << "no GGUF files under " << HEARTH_SHARED_DIR;
  for (const fs::path& path : all) {
    for (const Finding& finding : check(path).findings)
      ADD_FAILURE() << path << ": " << rule_info(finding.rule).name << " at " << finding.offset
                    << ": " << finding.what << "; expected " << finding.expected << ", got "
                    << finding.got;
  }
}

TEST(GgufConformance, EveryFileIsTheSameAfterWriting) {
  const auto all = files();
  if (all.empty()) GTEST_SKIP() << "no GGUF files under " << HEARTH_SHARED_DIR;
  for (const fs::path& path : all) {
    const Reader reader = Reader::open(path);
    Writer writer;
    writer.copy_metadata(reader);
    for (const Tensor& tensor : reader.tensors()) writer.add_tensor(tensor);
    const std::vector<std::byte> written = writer.to_bytes();
    std::ifstream file(path, std::ios::binary);
    const std::string original{std::istreambuf_iterator<char>(file), {}};
    // A file without tensors may or may not be padded to the alignment.
    ASSERT_LE(written.size(), original.size()) << path;
    if (!reader.tensors().empty()) {
      EXPECT_EQ(written.size(), original.size()) << path;
    }
    EXPECT_EQ(std::memcmp(written.data(), original.data(), written.size()), 0) << path;
  }
}

}  // namespace
}  // namespace hearth::gguf
