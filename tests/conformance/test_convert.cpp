// A checkpoint of an independent implementation: tokens are its tokens, vectors its vectors (a
// cosine distance of 1e-6 at most).
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "engine/convert/convert.h"
#include "engine/runtime/embedder.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

TEST(Mpnet, EmbedsAsTheOriginal) {
  const fs::path folder = fs::path(HEARTH_SHARED_DIR) / "hf/mpnet-tiny";
  if (!fs::exists(folder)) GTEST_SKIP() << "no conformance data at " << folder;
  const test::TempDir dir;
  const fs::path out = dir / "mpnet.gguf";
  convert_checkpoint(folder, out, {});
  const gguf::Reader file = gguf::Reader::open(out);
  Embedder embedder(file);
  const auto cases = nlohmann::json::parse(std::ifstream(folder / "expected.json"));
  ASSERT_GT(cases.size(), 0U);
  std::vector<std::string> texts;
  for (const auto& one : cases) texts.push_back(one["text"]);
  const auto embeddings = embedder.embed(texts, TextRole::document);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    SCOPED_TRACE(texts[i].substr(0, 60));
    std::vector<TokenId> ids = embedder.tokens(texts[i], TextRole::document);
    const auto expected = cases[i]["ids"].get<std::vector<TokenId>>();
    if (embeddings[i].is_truncated()) {
      ids.resize(expected.size());
      ids.back() = expected.back();
    }
    EXPECT_EQ(ids, expected);
    EXPECT_EQ(embeddings[i].n_kept, static_cast<int>(expected.size()));
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t j = 0; j < embeddings[i].values.size(); ++j) {
      const double a = embeddings[i].values[j], b = cases[i]["embedding"][j];
      dot += a * b;
      aa += a * a;
      bb += b * b;
    }
    EXPECT_LE(1.0 - dot / std::sqrt(aa * bb), 1e-6);
  }
}

}  // namespace
}  // namespace hearth
