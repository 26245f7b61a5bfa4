// Every shader that reads weights or keys and values, for every type of them, every set of tiers
// and every size of a workgroup, against the reference: full tiles and ragged edges, slices, guards
// after every output.
//
// Software devices compile a shader for a second or so, and all of them for minutes: what always
// runs are the pairs, every type with every size of a workgroup, every type with every set of
// tiers, and every set with every size. With HEARTH_TEST_VULKAN_ALL=1 it is all three together.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tests/vulkan/attention_case.h"
#include "tests/vulkan/products.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

constexpr int kLanes[] = {8, 32, 64, 128, 256};
constexpr const char* kTierSets[] = {"none", "subgroup", "dot", "subgroup,dot"};

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const char* tiers : kTierSets) {
    for (const int lanes : kLanes) all.emplace_back(lanes, tiers);
  }
  return all;
}

bool wants_all() {
  const char* value = std::getenv("HEARTH_TEST_VULKAN_ALL");
  return value && *value && std::string(value) != "0";
}

class Sweep : public VulkanTest, public testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    skip_without(GetParam());
  }

  VulkanDevice& device() { return shared_test_device(GetParam()); }

  std::size_t lanes_number() const {
    const auto* found = std::find(std::begin(kLanes), std::end(kLanes), GetParam().lanes);
    return static_cast<std::size_t>(found - std::begin(kLanes));
  }

  std::size_t tiers_number() const {
    const auto* found = std::find(std::begin(kTierSets), std::end(kTierSets), GetParam().tiers);
    return static_cast<std::size_t>(found - std::begin(kTierSets));
  }

  /// The types that this variant is tested with.
  std::vector<QuantType> types() const {
    const std::vector<QuantType> all = weight_types();
    std::vector<QuantType> chosen;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool is_paired = (i + lanes_number()) % std::size(kTierSets) == tiers_number();
      if (is_paired || wants_all()) chosen.push_back(all[i]);
    }
    return chosen;
  }
};

/// How many rows of x, and whether they are read as vectors, goes round the types: each of these
/// is a shader of its own.
TEST_P(Sweep, ProductsWithFewRows) {
  constexpr int kRowsOfX[] = {1, 2, 3, 5, 8};
  for (const QuantType type : types()) {
    const std::size_t number = static_cast<std::size_t>(type) + lanes_number();
    const int n = kRowsOfX[number % std::size(kRowsOfX)];
    const int ragged = ragged_columns(type);
    const bool is_aligned = number % 2 == 0 && ragged % 32 == 0;
    expect_product(device(), type, {64, kWholeColumns, n, is_aligned});
    expect_product(device(), type, {37, ragged, n, is_aligned});
  }
}

TEST_P(Sweep, ProductsWithManyRows) {
  for (const QuantType type : types()) {
    expect_product(device(), type, {128, kWholeColumns, 64});
    expect_product(device(), type, {131, ragged_columns(type), 41});
  }
}

TEST_P(Sweep, ChosenExperts) {
  for (const QuantType type : types()) expect_experts(device(), type, 21, ragged_columns(type));
}

TEST_P(Sweep, Rows) {
  for (const QuantType type : types()) expect_rows(device(), type, ragged_columns(type));
}

/// So many columns that 150 rows of any type are more than 32 KiB, and ten rows of floats are not.
int columns_to_cut(QuantType type) {
  switch (quant_type_info(type).block_elements) {
    case 1:
      return 397;
    case 32:
      return 608;
    default:
      return 768;
  }
}

/// Matrices that are cut, as on a device whose shaders see 32 KiB of a buffer, within an expert
/// too, and that go through the halves of a small staging buffer.
TEST_P(Sweep, Slices) {
  if (GetParam().lanes != kLanes[0]) GTEST_SKIP() << "slices do not depend on the workgroup";
  const VulkanOptions options = {.staging_bytes = 1 << 14,
                                 .tiers = GetParam().tiers,
                                 .max_binding = 1 << 15,
                                 .workgroup = GetParam().lanes,
                                 .always_stage = true};
  const auto narrow = open_test_device(options);
  const auto rules = vulkan_memory_rules(narrow->info(), options);
  for (const QuantType type : types()) {
    const int columns = columns_to_cut(type);
    EXPECT_GT(rules->matrix({.type = type, .rows = 150, .columns = columns}).size(), 1U);
    for (const int n : {1, 9}) expect_product(*narrow, type, {150, columns, n});
    expect_experts(*narrow, type, 50, columns);
    expect_rows(*narrow, type, columns);
  }
}

/// Bytes and scales of x, read through a matrix that has ones on its diagonal, are those of the
/// rule to the last bit; rows of all sizes of numbers, zeros, and units of fractions with ties.
TEST_P(Sweep, QuantisedActivations) {
  if (!is_in_integers(device(), QuantType::Q8_0, 1)) GTEST_SKIP() << "activations stay floats";
  constexpr int kColumns = 96;
  constexpr int kRows = 40;
  std::vector<std::byte> ones(kColumns * kColumns / 32 * 34);
  for (std::size_t i = 0; i < kColumns; ++i) {
    std::byte* block = ones.data() + (i * kColumns + i) / 32 * 34;
    block[1] = std::byte{0x3C};  // a scale of 1
    block[2 + i % 32] = std::byte{1};
  }
  const auto w = device().load(
      {.name = "w", .type = QuantType::Q8_0, .rows = kColumns, .columns = kColumns, .data = ones});
  ReferenceDevice truth;
  std::mt19937 random(3);
  Twin x(device(), truth, kRows, kColumns);
  const Twin out(device(), truth, kRows, kColumns);
  x.fill(random);
  std::vector<float> values = x.truth_values();
  for (int row = 0; row < kRows; ++row) {
    for (int c = 0; c < kColumns; ++c) {
      float& value = values[static_cast<std::size_t>(row * kColumns + c)];
      value = std::ldexp(value, (row - kRows / 2) * 5);
      if (c / 32 == 1) value = std::round(value * 1e3F) * 0.5F;
    }
  }
  std::fill_n(values.begin() + kColumns, 32, 0.0F);
  x.set(values);
  device().matmul(out.tested(), *w, x.tested());
  const std::vector<float> got = out.tested_values();
  for (std::size_t unit = 0; unit < values.size() / 32; ++unit) {
    const QuantisedUnit rule = quantised_unit({values.data() + 32 * unit, 32});
    for (std::size_t i = 0; i < 32; ++i) {
      ASSERT_EQ(got[32 * unit + i], rule.scale * static_cast<float>(rule.q[i]))
          << "unit " << unit << ", " << i;
    }
  }
}

/// A row, which goes through chunks of the keys, and seven, which go through blocks of them.
TEST_P(Sweep, KeysAndValues) {
  if (GetParam().tiers.find("dot") != std::string::npos)
    GTEST_SKIP() << "attention does not depend on the tier";
  for (const QuantType type : {QuantType::F32, QuantType::F16, QuantType::Q8_0}) {
    for (const int n_kv : {1, 7, 64, 65, 1000}) {
      AttentionCase c = {"keys", 4, 2, 64, 64, {{1, n_kv - 1, 1}}};
      c.n_ctx = n_kv + 2;
      SCOPED_TRACE(n_kv);
      expect_attention(device(), c, type);
      c.runs = {{2, n_kv - 7, 7}};
      if (n_kv >= 7) expect_attention(device(), c, type);
    }
  }
}

/// What is stored for a sequence leaves those beside it, and other layers, as they are.
TEST_P(Sweep, StoringTouchesNothingElse) {
  if (GetParam().tiers != "none") GTEST_SKIP() << "storing does not depend on tiers";
  constexpr int kTokens = 9;
  constexpr int kColumns = 64;
  std::mt19937 random(5);
  ReferenceDevice truth;
  for (const QuantType type : {QuantType::F32, QuantType::F16, QuantType::Q8_0}) {
    const auto cache = device().make_kv_cache(
        {.n_ctx = kTokens,
         .n_slots = 3,
         .type = type,
         .layers = {{kColumns, kColumns, 1}, {kColumns, kColumns, 1}, {kColumns, kColumns, 1}}});
    Twin x(device(), truth, kTokens, kColumns);
    const auto store = [&](int slot, int layer) {
      const StepRun run = {slot, 0, kTokens};
      x.fill(random);
      device().begin(Step(std::span(&run, 1)));
      device().kv_store(*cache, layer, x.tested(), x.tested());
    };
    const auto seen = [&] {
      std::vector<float> all;
      const Twin out(device(), truth, 1, kColumns);
      for (int slot = 0; slot < 3; ++slot) {
        for (int layer = 0; layer < 3; ++layer) {
          if (slot == 1 && layer == 1) continue;
          const StepRun run = {slot, kTokens - 1, 1};
          device().begin(Step(std::span(&run, 1)));
          device().attention(out.tested(), x.tested().first_rows(1), *cache,
                             {.layer = layer,
                              .n_head = 1,
                              .n_head_kv = 1,
                              .head_dim_k = kColumns,
                              .head_dim_v = kColumns});
          const std::vector<float> values = out.tested_values();
          all.insert(all.end(), values.begin(), values.end());
        }
      }
      return all;
    };
    for (int slot = 0; slot < 3; ++slot) {
      for (int layer = 0; layer < 3; ++layer) store(slot, layer);
    }
    const std::vector<float> same_query = x.tested_values();
    const std::vector<float> before = seen();
    store(1, 1);
    x.set(same_query);
    EXPECT_EQ(seen(), before) << type_name(type);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, Sweep, testing::ValuesIn(variants()),
                         [](const auto& each) { return each.param.name(); });

TEST(SweepOfPairs, HasEveryPair) {
  std::size_t n_pairs = 0;
  for (std::size_t type = 0; type < weight_types().size(); ++type) {
    std::vector<bool> tiers(std::size(kTierSets));
    for (std::size_t lanes = 0; lanes < std::size(kLanes); ++lanes)
      tiers[(type + lanes) % tiers.size()] = true;
    n_pairs += static_cast<std::size_t>(std::count(tiers.begin(), tiers.end(), true));
  }
  EXPECT_EQ(n_pairs, weight_types().size() * std::size(kTierSets));
}

}  // namespace
}  // namespace hearth::test
