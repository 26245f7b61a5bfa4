// The embedder against an encoder written out in double once more, whole texts at a time, from the
// papers: BERT (arXiv 1810.04805), MPNet's relative position bias (arXiv 2004.09297, buckets of
// arXiv 1910.10683), nomic-bert (arXiv 2402.01613: rotary positions, gated feed-forward).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/error.h"
#include "engine/model/relative_bias.h"
#include "engine/runtime/embedder.h"
#include "tests/support/tensor_tables.h"
#include "tests/support/toy_embedder.h"

namespace hearth {
namespace {

using test::dot;
using test::operator+;
using test::Row;
using test::Table;
using test::TensorTables;

/// An encoder of the toy's size: 2 layers, 4 heads of 8.
class PlainEncoder : TensorTables {
 public:
  explicit PlainEncoder(const gguf::Reader& file)
      : TensorTables(file), family_(file.at("general.architecture").as_string()) {}

  Table hidden(const std::vector<TokenId>& tokens) const {
    Table x;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      Row row = table("token_embd.weight")[static_cast<std::size_t>(tokens[t])];
      for (const auto& [name, index] : std::map<std::string, std::size_t>{
               {"position_embd.weight", t}, {"token_types.weight", 0}}) {
        if (has(name)) row = row + table(name)[index];
      }
      x.push_back(normed(row, "token_embd_norm"));
    }
    for (int il = 0; il < 2; ++il) {
      const std::string layer = "blk." + std::to_string(il) + ".";
      const Table a = attention(x, layer);
      for (std::size_t t = 0; t < x.size(); ++t) {
        x[t] = normed(x[t] + a[t], layer + "attn_output_norm");
        x[t] = normed(x[t] + feed_forward(x[t], layer), layer + "layer_output_norm");
      }
    }
    return x;
  }

 private:
  Row normed(Row x, const std::string& name) const {
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
    for (double& v : x) v -= mean;
    const double size = std::sqrt(dot(x, x) / static_cast<double>(x.size()) + double{1e-5F});
    const Row weight = table(name + ".weight")[0];
    const Row bias = table(name + ".bias")[0];
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = x[i] / size * weight[i] + bias[i];
    return x;
  }

  Row feed_forward(const Row& x, const std::string& layer) const {
    Row inner = product(layer + "ffn_up", x);
    if (family_ == "nomic-bert") {
      const Row gate = product(layer + "ffn_gate", x);
      for (std::size_t i = 0; i < inner.size(); ++i) {
        inner[i] *= gate[i] / (1 + std::exp(-gate[i]));
      }
    } else {
      for (double& v : inner) v = v * 0.5 * std::erfc(-v / std::sqrt(2.0));
    }
    return product(layer + "ffn_down", inner);
  }

  void rotate(Row& x, std::size_t position) const {
    if (family_ != "nomic-bert") return;
    for (std::size_t h = 0; h < 32; h += 8) {
      for (std::size_t i = 0; i < 4; ++i) {
        const double angle =
            static_cast<double>(position) * std::pow(10000.0, -static_cast<double>(i) / 4);
        const double a = x[h + i];
        const double b = x[h + i + 4];
        x[h + i] = a * std::cos(angle) - b * std::sin(angle);
        x[h + i + 4] = a * std::sin(angle) + b * std::cos(angle);
      }
    }
  }

  /// 8 buckets up to distance 16: one each for 0 and 1, then [2, 5.66) and the rest; keys that come
  /// later have the upper four.
  static std::size_t bucket(int distance) {
    const int n = std::abs(distance);
    const int place = n < 2 ? n : n * n < 2 * 16 ? 2 : 3;
    return static_cast<std::size_t>(distance > 0 ? 4 + place : place);
  }

  Table attention(const Table& x, const std::string& layer) const {
    Table q, k, v;
    for (std::size_t t = 0; t < x.size(); ++t) {
      q.push_back(product(layer + "attn_q", x[t]));
      k.push_back(product(layer + "attn_k", x[t]));
      v.push_back(product(layer + "attn_v", x[t]));
      rotate(q[t], t);
      rotate(k[t], t);
    }
    Table out;
    for (std::size_t t = 0; t < x.size(); ++t) {
      Row joined(32, 0.0);
      for (std::size_t h = 0; h < 4; ++h) {
        Row weights;
        for (std::size_t p = 0; p < x.size(); ++p) {
          double score = 0.0;
          for (std::size_t d = 8 * h; d < 8 * h + 8; ++d) score += q[t][d] * k[p][d];
          score /= std::sqrt(8.0);
          if (has("attn_rel_b.weight")) {
            const int distance = static_cast<int>(p) - static_cast<int>(t);
            score += table("attn_rel_b.weight")[bucket(distance)][h];
          }
          weights.push_back(std::exp(score));
        }
        const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
        for (std::size_t p = 0; p < x.size(); ++p) {
          for (std::size_t d = 8 * h; d < 8 * h + 8; ++d) joined[d] += weights[p] / total * v[p][d];
        }
      }
      out.push_back(product(layer + "attn_output", joined));
    }
    return out;
  }

  std::string family_;
};

Row mean_of_length_1(const Table& rows) {
  Row mean(rows[0].size(), 0.0);
  for (const Row& row : rows) {
    for (std::size_t j = 0; j < row.size(); ++j) mean[j] += row[j];
  }
  const double size = std::sqrt(dot(mean, mean));
  for (double& v : mean) v /= size;
  return mean;
}

void expect_near(const std::vector<float>& got, const Row& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(got[i]), expected[i], 2e-6) << i;
  }
}

template <class Change>
EmbedderOptions options(Change change) {
  EmbedderOptions made;
  change(made);
  return made;
}

const std::vector<std::string> kTexts = {"hello world", "a", "the quick brown fox, 42!",
                                         "one more text of some length.", ""};

class Encoders : public testing::TestWithParam<std::string> {};

TEST_P(Encoders, AgreeWithThePlainFormulas) {
  const auto bytes = test::toy_embedder({.family = GetParam()});
  const gguf::Reader file = gguf::Reader::from_bytes(bytes, GetParam());
  Embedder embedder(file);
  const auto got = embedder.embed(kTexts, TextRole::plain);
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    SCOPED_TRACE(kTexts[i]);
    const auto tokens = embedder.tokens(kTexts[i], TextRole::plain);
    EXPECT_EQ(got[i].n_tokens, static_cast<int>(tokens.size()));
    expect_near(got[i].values, mean_of_length_1(PlainEncoder(file).hidden(tokens)));
  }
}

TEST_P(Encoders, ATextGivesTheSameBitsAloneAndAmongOthers) {
  const auto bytes = test::toy_embedder({.family = GetParam()});
  const gguf::Reader file = gguf::Reader::from_bytes(bytes, GetParam());
  Embedder together(file);
  Embedder in_twos(file, options([](EmbedderOptions& o) {
                     o.load.n_threads = 1;
                     o.n_batch_tokens = 70;
                     o.n_batch_texts = 2;
                   }));
  const auto all = together.embed(kTexts, TextRole::plain);
  const auto twos = in_twos.embed(kTexts, TextRole::plain);
  for (std::size_t i = 0; i < kTexts.size(); ++i) {
    const std::vector<std::string> one = {kTexts[i]};
    EXPECT_EQ(together.embed(one, TextRole::plain)[0].values, all[i].values) << kTexts[i];
    EXPECT_EQ(twos[i].values, all[i].values) << kTexts[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Encoders, testing::Values("bert", "mpnet", "nomic-bert"),
                         [](const testing::TestParamInfo<std::string>& row) {
                           std::string name = row.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class EmbedderTest : public testing::Test {
 protected:
  const gguf::Reader& file(const std::function<void(gguf::Writer&)>& metadata = {}) {
    bytes_ = test::toy_embedder({.metadata = metadata});
    file_.emplace(gguf::Reader::from_bytes(bytes_, "toy"));
    return *file_;
  }

  std::vector<std::byte> bytes_;
  std::optional<gguf::Reader> file_;
};

TEST_F(EmbedderTest, PoolsAsAsked) {
  file();
  const std::vector<std::string> text = {"abc"};
  const Table rows = [&] {
    Embedder embedder(*file_);
    return PlainEncoder(*file_).hidden(embedder.tokens(text[0], TextRole::plain));
  }();
  ASSERT_EQ(rows.size(), 5U);  // [CLS] a b c [SEP]
  const auto raw = [&](Pooling pooling) {
    return Embedder(*file_, options([&](EmbedderOptions& o) {
             o.pooling = pooling;
             o.normalize = false;
           }))
        .embed(text, TextRole::plain)[0]
        .values;
  };
  expect_near(raw(Pooling::cls), rows.front());
  expect_near(raw(Pooling::last), rows.back());
  Row mean(32, 0.0), flat;
  for (const Row& row : rows) {
    for (std::size_t j = 0; j < 32; ++j) mean[j] += row[j] / 5;
    flat.insert(flat.end(), row.begin(), row.end());
  }
  expect_near(raw(Pooling::mean), mean);
  expect_near(raw(Pooling::none), flat);
}

TEST_F(EmbedderTest, SaysWhatItCutOff) {
  file([](gguf::Writer& w) { w.set("bert.embedding.max_tokens", std::uint32_t{8}); });
  Embedder embedder(*file_);
  EXPECT_EQ(embedder.max_tokens(), 8);
  const std::vector<std::string> texts = {"abcdefghijkl", "abcdef", "a\u00e9 b"};
  const auto got = embedder.embed(texts, TextRole::plain);
  EXPECT_EQ(got[0].n_tokens, 14);
  EXPECT_EQ(got[0].n_kept, 8);
  EXPECT_TRUE(got[0].is_truncated());
  EXPECT_FALSE(got[1].is_truncated());
  EXPECT_EQ(got[0].values, got[1].values) << "[CLS] a b c d e f [SEP] is what counts of both";
}

TEST_F(EmbedderTest, CountsUnknownTokens) {
  file();
  Embedder embedder(*file_);
  const std::vector<std::string> texts = {"abc \u4f60 def"};
  EXPECT_EQ(embedder.embed(texts, TextRole::plain)[0].n_unknown, 1);
}

TEST_F(EmbedderTest, PutsThePrefixOfARoleInFront) {
  file([](gguf::Writer& w) {
    w.set("bert.embedding.query_prefix", "query ");
    w.set("bert.embedding.document_prefix", "text ");
  });
  Embedder embedder(*file_);
  const std::vector<std::string> bare = {"abc"}, asked = {"query abc"}, told = {"text abc"};
  const auto values = [&](const std::vector<std::string>& text, TextRole role) {
    return embedder.embed(text, role)[0].values;
  };
  EXPECT_EQ(values(bare, TextRole::query), values(asked, TextRole::plain));
  EXPECT_EQ(values(bare, TextRole::document), values(told, TextRole::plain));
  EXPECT_NE(values(bare, TextRole::document), values(bare, TextRole::plain));
}

TEST_F(EmbedderTest, HasAFingerprintOfEverythingThatCounts) {
  const std::string plain = Embedder(file()).fingerprint();
  const auto shorter = options([](EmbedderOptions& o) { o.max_tokens = 9; });
  const auto prefixed = options([](EmbedderOptions& o) { o.query_prefix = "q"; });
  EXPECT_EQ(Embedder(file()).fingerprint(), plain);
  EXPECT_EQ(Embedder(file([](gguf::Writer& w) { w.set("general.name", "x"); })).fingerprint(),
            plain);
  EXPECT_NE(Embedder(file(), shorter).fingerprint(), plain);
  EXPECT_NE(Embedder(file(), prefixed).fingerprint(), plain);
  bytes_.back() ^= std::byte{1};
  EXPECT_NE(Embedder(*file_).fingerprint(), plain);
}

TEST_F(EmbedderTest, RefusesAModelThatDoesNotSayHowToPool) {
  file([](gguf::Writer& w) { w.set("bert.pooling_type", std::uint32_t{0}); });
  EXPECT_THROW(Embedder{*file_}, Error);
  EXPECT_NO_THROW(Embedder(*file_, options([](EmbedderOptions& o) { o.pooling = Pooling::mean; })));
}

// T5's and MPNet's usual numbers: 16 buckets for one side, 8 of them single distances, then bounds
// at 8 times the powers of the square root of 2.
TEST(RelativeBuckets, AreThoseOfThePaper) {
  const auto bucket = [](int distance) { return relative_bucket(distance, 32, 128); };
  EXPECT_EQ(bucket(0), 0);
  EXPECT_EQ(bucket(-7), 7);
  EXPECT_EQ(bucket(7), 23);
  const std::map<int, int> first_of = {{8, 8},   {12, 9},  {16, 10}, {23, 11},
                                       {32, 12}, {46, 13}, {64, 14}, {91, 15}};
  for (const auto& [distance, number] : first_of) {
    EXPECT_EQ(bucket(-distance), number) << distance;
    EXPECT_EQ(bucket(distance), 16 + number) << distance;
    EXPECT_EQ(bucket(1 - distance), number - 1) << distance;
  }
  EXPECT_EQ(bucket(-100000), 15);
}

}  // namespace
}  // namespace hearth
