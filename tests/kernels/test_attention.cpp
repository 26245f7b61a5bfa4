// Attention kernels: the statement (kernels/scalar/attention.cpp) against the formula in double
// precision, and every level against the statement, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/strips.h"
#include "tests/kernels/aligned_bytes.h"

namespace hearth::kernels {
namespace {

using test::AlignedBytes;

constexpr QuantType kTypes[] = {QuantType::F32, QuantType::F16, QuantType::Q8_0};
constexpr float kGuard = 12345.0F;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// What a test is about.
struct Setting {
  QuantType type = QuantType::F32;
  int n_keys = 0;
  int head_dim_k = 0;
  int head_dim_v = 0;
  float softcap = 0.0F;
  float slope = 0.0F;
  bool bias = false;
  int window = 0;       // 0: all
  bool causal = true;   // false: every row sees every key
  float spread = 1.0F;  // of the queries: large ones make sharp weights
};

void PrintTo(const Setting& s, std::ostream* out) {
  *out << quant_type_info(s.type).name << ", " << s.n_keys << " keys, head " << s.head_dim_k << "/"
       << s.head_dim_v << ", softcap " << s.softcap << ", slope " << s.slope
       << (s.bias ? ", bias" : "") << ", window " << s.window << (s.causal ? "" : ", not causal")
       << ", spread " << s.spread;
}

std::size_t room(int n_keys) {
  return static_cast<std::size_t>((n_keys + kBlockKeys - 1) / kBlockKeys * kBlockKeys);
}

/// Keys and values of one head, as stored and as the floats that are stored.
class Head {
 public:
  Head(const Setting& s, std::mt19937& random)
      : keys_(room(s.n_keys) / kTileKeys * key_tile_bytes(s.type, s.head_dim_k)),
        values_(room(s.n_keys) * value_row_bytes(s.type, s.head_dim_v)) {
    std::vector<std::vector<std::byte>> stored;
    for (int key = 0; key < s.n_keys; ++key) {
      k_.push_back(random_row(s.head_dim_k, random));
      stored.push_back(quantised(s.type, k_.back()));
      v_.push_back(random_row(s.head_dim_v, random));
      const auto v = quantised(s.type, v_.back());
      std::memcpy(
          values_.data() + static_cast<std::size_t>(key) * value_row_bytes(s.type, s.head_dim_v),
          v.data(), v.size());
    }
    store_in_runs(s, stored);
  }

  const std::byte* keys() const { return keys_.data(); }
  const std::byte* values() const { return values_.data(); }
  const std::vector<float>& k(int key) const { return k_[static_cast<std::size_t>(key)]; }
  const std::vector<float>& v(int key) const { return v_[static_cast<std::size_t>(key)]; }

 private:
  /// One key alone, then two, three and so on, as far as a tile goes.
  void store_in_runs(const Setting& s, const std::vector<std::vector<std::byte>>& stored) {
    std::vector<const std::byte*> rows;
    for (const auto& row : stored) rows.push_back(row.data());
    for (int key = 0, wanted = 1; key < s.n_keys; ++wanted) {
      const int n = std::min({wanted, kTileKeys - key % kTileKeys, s.n_keys - key});
      store_keys(s.type, rows.data() + key, n, s.head_dim_k, key, keys_.data());
      key += n;
    }
  }

  static std::vector<float> random_row(int n, std::mt19937& random) {
    std::normal_distribution<float> normal;
    std::vector<float> row(static_cast<std::size_t>(n));
    for (float& x : row) x = normal(random);
    return row;
  }

  /// The row's bytes; the row becomes what they mean.
  static std::vector<std::byte> quantised(QuantType type, std::vector<float>& row) {
    std::vector<std::byte> bytes(row_bytes(quant_type_info(type), row.size()));
    scalar_kernels().quantize_row[type](row.data(), bytes.data(), row.size());
    scalar_kernels().dequantize_row[type](bytes.data(), row.data(), row.size());
    return bytes;
  }

  AlignedBytes keys_;
  AlignedBytes values_;
  std::vector<std::vector<float>> k_;
  std::vector<std::vector<float>> v_;
};

/// Query rows at consecutive positions that end with the last key.
class Queries {
 public:
  Queries(const Setting& s, int n, std::mt19937& random) : setting_(s) {
    std::normal_distribution<float> normal(0.0F, s.spread);
    if (s.bias) biases_.resize(2 * static_cast<std::size_t>(s.n_keys + kBlockKeys) + 1);
    for (float& b : biases_) b = normal(random);
    for (int r = 0; r < n; ++r) {
      const int position = std::max(0, s.n_keys - n + r);
      const int first = s.window > 0 ? std::max(0, position - s.window + 1) : 0;
      rows_.push_back({.first = s.causal ? first : 0,
                       .last = s.causal ? position + 1 : s.n_keys,
                       .position = position,
                       .slope = s.slope * static_cast<float>(r + 1),
                       .bias = s.bias ? biases_.data() + s.n_keys + kBlockKeys : nullptr});
      std::vector<float> q(static_cast<std::size_t>(s.head_dim_k));
      for (float& x : q) x = normal(random);
      q_.push_back(std::move(q));
    }
  }

  int count() const { return static_cast<int>(rows_.size()); }
  const AttentionRow& row(int r) const { return rows_[static_cast<std::size_t>(r)]; }
  const std::vector<float>& q(int r) const { return q_[static_cast<std::size_t>(r)]; }

  /// A tile of rows [first, first + n). `packed` holds its queries.
  AttentionTile tile(const Head& head, int first, int n, std::vector<float>& packed) const {
    const auto width = static_cast<std::size_t>(padded_width(n));
    const auto dim = static_cast<std::size_t>(setting_.head_dim_k);
    packed.assign(dim * width, 0.0F);
    for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r) {
      for (std::size_t d = 0; d < dim; ++d) {
        packed[d * width + r] = q_[static_cast<std::size_t>(first) + r][d];
      }
    }
    return {.n_rows = n,
            .q = packed.data(),
            .rows = rows_.data() + first,
            .keys = head.keys(),
            .values = head.values(),
            .head_dim_k = setting_.head_dim_k,
            .head_dim_v = setting_.head_dim_v,
            .scale = 1.0F / std::sqrt(static_cast<float>(setting_.head_dim_k)),
            .softcap = setting_.softcap};
  }

 private:
  Setting setting_;
  std::vector<AttentionRow> rows_;
  std::vector<std::vector<float>> q_;
  std::vector<float> biases_;  // by distance
};

/// States of one chunk, with guards behind them.
std::vector<float> chunk_states(const KernelTable& table, const Setting& s,
                                const AttentionTile& tile, int chunk) {
  const std::size_t n = static_cast<std::size_t>(tile.n_rows) * state_floats(s.head_dim_v);
  std::vector<float> states(n + 16, kGuard);
  table.attention.attend(s.type)(tile, chunk, states.data());
  return states;
}

/// Results of all rows, in tiles of n_rows: [rows][head_dim_v].
std::vector<std::vector<float>> attend(const KernelTable& table, const Setting& s, const Head& head,
                                       const Queries& queries, int n_rows) {
  std::vector<std::vector<float>> results;
  const std::size_t stride = state_floats(s.head_dim_v);
  for (int first = 0; first < queries.count(); first += n_rows) {
    std::vector<float> packed;
    const int n = std::min(n_rows, queries.count() - first);
    const AttentionTile tile = queries.tile(head, first, n, packed);
    std::vector<float> total(static_cast<std::size_t>(n) * stride);
    for (int chunk = 0; chunk * kChunkKeys < s.n_keys; ++chunk) {
      const std::vector<float> states = chunk_states(table, s, tile, chunk);
      for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r) {
        table.attention.merge(total.data() + r * stride, states.data() + r * stride, s.head_dim_v);
      }
    }
    for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r) {
      std::vector<float> out(static_cast<std::size_t>(s.head_dim_v) + 3, kGuard);
      table.attention.finish(total.data() + r * stride, s.head_dim_v, out.data());
      EXPECT_EQ(out[out.size() - 3], kGuard);
      out.resize(out.size() - 3);
      results.push_back(out);
    }
  }
  return results;
}

/// The formula of arXiv 1706.03762, in double.
std::vector<double> exact(const Setting& s, const Head& head, const AttentionRow& row,
                          const std::vector<float>& q) {
  std::vector<double> weights;
  double total = 0.0;
  for (int key = row.first; key < row.last; ++key) {
    double score = 0.0;
    for (std::size_t d = 0; d < q.size(); ++d) {
      score += static_cast<double>(q[d]) * static_cast<double>(head.k(key)[d]);
    }
    score /= std::sqrt(static_cast<double>(s.head_dim_k));
    const auto cap = static_cast<double>(s.softcap);
    if (cap > 0.0) score = cap * std::tanh(score / cap);
    score -= static_cast<double>(row.slope) * std::abs(row.position - key);
    if (row.bias) score += static_cast<double>(row.bias[key - row.position]);
    weights.push_back(std::exp(score));
    total += weights.back();
  }
  std::vector<double> out(static_cast<std::size_t>(s.head_dim_v));
  for (int key = row.first; key < row.last; ++key) {
    const double w = weights[static_cast<std::size_t>(key - row.first)] / total;
    for (std::size_t d = 0; d < out.size(); ++d) out[d] += w * static_cast<double>(head.v(key)[d]);
  }
  return out;
}

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const QuantType type : kTypes) {
    for (int n_keys : {1, 15, 16, 64, 65, 200, 513, 1200}) {
      all.push_back({.type = type, .n_keys = n_keys, .head_dim_k = 64, .head_dim_v = 64});
    }
    all.push_back({.type = type, .n_keys = 100, .head_dim_k = 128, .head_dim_v = 128});
    all.push_back({.type = type, .n_keys = 90, .head_dim_k = 192, .head_dim_v = 96});
    all.push_back(
        {.type = type, .n_keys = 150, .head_dim_k = 96, .head_dim_v = 32, .softcap = 3.0F});
    all.push_back(
        {.type = type, .n_keys = 600, .head_dim_k = 32, .head_dim_v = 64, .slope = 0.02F});
    all.push_back({.type = type,
                   .n_keys = 150,
                   .head_dim_k = 64,
                   .head_dim_v = 64,
                   .bias = true,
                   .causal = false});
    all.push_back({.type = type, .n_keys = 700, .head_dim_k = 32, .head_dim_v = 32, .window = 70});
    all.push_back(
        {.type = type, .n_keys = 77, .head_dim_k = 32, .head_dim_v = 32, .causal = false});
    all.push_back(
        {.type = type, .n_keys = 600, .head_dim_k = 32, .head_dim_v = 32, .spread = 100.0F});
    if (type == QuantType::Q8_0) continue;
    all.push_back({.type = type, .n_keys = 70, .head_dim_k = 8, .head_dim_v = 8});
    all.push_back({.type = type, .n_keys = 70, .head_dim_k = 80, .head_dim_v = 80});
    all.push_back({.type = type, .n_keys = 70, .head_dim_k = 37, .head_dim_v = 21});
  }
  return all;
}

TEST(Attention, TheStatementIsTheFormula) {
  for (const Setting& s : settings()) {
    if (s.spread > 1.0F) continue;  // exp of large scores overflows without a maximum
    SCOPED_TRACE(testing::PrintToString(s));
    std::mt19937 random(1);
    const Head head(s, random);
    const Queries queries(s, 5, random);
    const auto results = attend(scalar_kernels(), s, head, queries, 5);
    for (int r = 0; r < queries.count(); ++r) {
      const auto want = exact(s, head, queries.row(r), queries.q(r));
      for (std::size_t d = 0; d < want.size(); ++d) {
        ASSERT_NEAR(static_cast<double>(results[static_cast<std::size_t>(r)][d]), want[d], 3e-6)
            << "row " << r << ", element " << d;
      }
    }
  }
}

class AttentionLevels : public testing::TestWithParam<const IsaLevel*> {};

TEST_P(AttentionLevels, EqualTheStatementChunkByChunk) {
  const KernelTable table = make_kernel_table(GetParam());
  for (const Setting& s : settings()) {
    SCOPED_TRACE(testing::PrintToString(s));
    for (int n = 1; n <= table.attention.most_rows; n += s.n_keys == 65 ? 1 : 4) {
      std::mt19937 random(static_cast<unsigned>(n));
      const Head head(s, random);
      const Queries queries(s, n, random);
      std::vector<float> packed;
      const AttentionTile tile = queries.tile(head, 0, n, packed);
      for (int chunk = 0; chunk * kChunkKeys < s.n_keys; ++chunk) {
        const auto got = chunk_states(table, s, tile, chunk);
        const auto want = chunk_states(scalar_kernels(), s, tile, chunk);
        for (std::size_t i = 0; i < want.size(); ++i) {
          ASSERT_EQ(got[i], want[i]) << n << " rows, chunk " << chunk << ", float " << i;
        }
      }
    }
  }
}

TEST_P(AttentionLevels, ARowIsTheSameAloneAndAmongOthers) {
  const KernelTable table = make_kernel_table(GetParam());
  for (const Setting& s : settings()) {
    SCOPED_TRACE(testing::PrintToString(s));
    std::mt19937 random(3);
    const Head head(s, random);
    const Queries queries(s, 13, random);
    const auto alone = attend(scalar_kernels(), s, head, queries, 1);
    for (int n : {1, 3, table.attention.most_rows}) {
      EXPECT_EQ(attend(table, s, head, queries, n), alone) << n << " rows at a time";
    }
  }
}

TEST_P(AttentionLevels, ARowThatSeesNothingHasAnEmptyState) {
  const KernelTable table = make_kernel_table(GetParam());
  const Setting s{.type = QuantType::F32, .n_keys = 40, .head_dim_k = 16, .head_dim_v = 16};
  std::mt19937 random(5);
  const Head head(s, random);
  const Queries queries(s, 2, random);
  std::vector<float> packed;
  AttentionTile tile = queries.tile(head, 0, 2, packed);
  const AttentionRow rows[] = {queries.row(0), {.first = 7, .last = 7, .position = 7}};
  tile.rows = rows;
  const std::vector<float> states = chunk_states(table, s, tile, 0);
  const std::size_t second = state_floats(s.head_dim_v);
  EXPECT_EQ(states[second], -kInfinity);
  for (std::size_t i = 1; i < second; ++i) EXPECT_EQ(states[second + i], 0.0F) << i;
}

TEST_P(AttentionLevels, WhatIsBrokenStaysBroken) {
  const KernelTable table = make_kernel_table(GetParam());
  const Setting s{.type = QuantType::F32, .n_keys = 40, .head_dim_k = 16, .head_dim_v = 16};
  for (float broken : {std::numeric_limits<float>::quiet_NaN(), kInfinity}) {
    std::mt19937 random(4);
    Head head(s, random);
    const Queries queries(s, 1, random);
    std::vector<float> packed;
    AttentionTile tile = queries.tile(head, 0, 1, packed);
    packed[3] = broken;
    const auto states = chunk_states(table, s, tile, 0);
    std::vector<float> out(16);
    table.attention.finish(states.data(), 16, out.data());
    for (float v : out) EXPECT_FALSE(std::isfinite(v)) << broken;
  }
}

std::vector<const IsaLevel*> levels() {
  std::vector<const IsaLevel*> all;
  for (const IsaLevel& level : all_isa_levels()) {
    if (level.is_supported()) all.push_back(&level);
  }
  return all;
}

std::string level_name(const testing::TestParamInfo<const IsaLevel*>& c) {
  return std::string(c.param->name);
}

INSTANTIATE_TEST_SUITE_P(Levels, AttentionLevels, testing::ValuesIn(levels()), level_name);

}  // namespace
}  // namespace hearth::kernels
