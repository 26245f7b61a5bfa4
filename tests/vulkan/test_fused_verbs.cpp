// Verbs that do several ops in one dispatch, against the reference's plain ones: products with
// their epilogues, gates, rotations on the way into the cache, norms and heads that leave bytes.
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <tuple>

#include "base/nmse.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

constexpr double kExact = 1e-11;

const Variant kVariants[] = {0, 32, 128, {0, "dot"}, {64, "subgroup"}, {128, "subgroup,dot"}};

class FusedVerbs : public VulkanTest, public testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    skip_without(GetParam());
  }
  VulkanDevice& device() { return shared_test_device(GetParam()); }
  bool in_integers() const { return GetParam().tiers.find("dot") != std::string::npos; }

  /// What products make of x: bytes, in integers.
  void take_over(Twin& x, int columns, bool is_quantised) {
    if (in_integers() && is_quantised)
      truth_.upload(x.truth(), by_way_of_bytes(x.truth_values(), columns));
  }

  ReferenceDevice truth_;
  std::mt19937 random_{31};
};

INSTANTIATE_TEST_SUITE_P(Variants, FusedVerbs, testing::ValuesIn(kVariants),
                         [](const auto& each) { return each.param.name(); });

struct Epilogue {
  bool has_bias;
  std::optional<Activation> activation;
  bool is_sum;
};

constexpr Epilogue kEpilogues[] = {{true, {}, false},
                                   {false, Activation::gelu_tanh, false},
                                   {false, {}, true},
                                   {true, Activation::silu, true}};

/// Few rows and whole tiles; F16 stays in floats where Q4_K is multiplied in integers.
TEST_P(FusedVerbs, ProductsCarryTheirEpilogues) {
  constexpr int kColumns = 256;
  constexpr int kRows = 37;
  for (const QuantType type : {QuantType::F16, QuantType::Q4_K}) {
    const TwinMatrix w(device(), truth_, type, kRows, kColumns, random_);
    Twin bias(device(), truth_, 1, kRows);
    bias.fill(random_);
    for (const Epilogue& epilogue : kEpilogues) {
      for (const int n : {1, 3, 70}) {
        Twin x(device(), truth_, n, kColumns);
        const Twin out(device(), truth_, n, kRows);
        Twin sum(device(), truth_, n, kRows);
        x.fill(random_);
        sum.fill(random_);
        const auto product = [&](Tensor to, const Matrix& of, Tensor b, Tensor s) {
          return Device::Product{.out = to,
                                 .w = &of,
                                 .bias = epilogue.has_bias ? b : Tensor{},
                                 .activation = epilogue.activation,
                                 .sum = epilogue.is_sum ? s : Tensor{}};
        };
        const Device::Product tested[] = {
            product(out.tested(), *w.tested, bias.tested(), sum.tested())};
        const Device::Product expected[] = {
            product(out.truth(), *w.truth, bias.truth(), sum.truth())};
        device().matmuls(tested, x.tested());
        take_over(x, kColumns, type == QuantType::Q4_K);
        truth_.matmuls(expected, x.truth());
        (epilogue.is_sum ? sum : out).expect_equal(kExact, std::to_string(n) + " rows");
      }
    }
  }
}

TEST_P(FusedVerbs, GatesGoWithTheirRows) {
  constexpr int kColumns = 256;
  constexpr int kRows = 45;
  for (const QuantType type : {QuantType::BF16, QuantType::Q6_K}) {
    const TwinMatrix gate(device(), truth_, type, kRows, kColumns, random_);
    const TwinMatrix up(device(), truth_, type, kRows, kColumns, random_);
    Twin bias(device(), truth_, 1, kRows);
    bias.fill(random_);
    // In the order of their memory, in the other one, and with a bias, which no gate has together.
    for (const auto& [a, b, has_bias] :
         {std::tuple{&gate, &up, false}, std::tuple{&up, &gate, false},
          std::tuple{&gate, &up, true}}) {
      for (const int n : {1, 5, 11}) {
        Twin x(device(), truth_, n, kColumns);
        const Twin room(device(), truth_, n, kRows);
        const Twin out(device(), truth_, n, kRows);
        x.fill(random_);
        device().gated_matmul({.out = room.tested(),
                               .w = a->tested.get(),
                               .bias = has_bias ? bias.tested() : Tensor{}},
                              {.out = out.tested(), .w = b->tested.get()}, x.tested(),
                              Activation::silu);
        take_over(x, kColumns, type == QuantType::Q6_K);
        truth_.gated_matmul(
            {.out = room.truth(), .w = a->truth.get(), .bias = has_bias ? bias.truth() : Tensor{}},
            {.out = out.truth(), .w = b->truth.get()}, x.truth(), Activation::silu);
        out.expect_equal(kExact, std::to_string(n) + " rows");
      }
    }
  }
}

/// Heads of 64 elements, 24 of which rotate: with what stands in the cache a query is answered.
TEST_P(FusedVerbs, KeysRotateOnTheirWayIntoTheCache) {
  constexpr int kDim = 64;
  constexpr int kHeads = 6;
  constexpr int kHeadsKv = 2;
  for (const QuantType type : {QuantType::F32, QuantType::F16, QuantType::Q8_0}) {
    for (const RopePairing pairing : {RopePairing::halves, RopePairing::interleaved}) {
      Rope rope{.pairing = pairing, .head_dim = kDim, .magnitude = 1.5};
      for (int i = 0; i < 12; ++i) rope.frequencies.push_back(std::pow(10000.0, -i / 12.0));
      const KvShape shape{
          .n_ctx = 64,
          .n_ubatch = 16,
          .n_slots = 2,
          .type = type,
          .layers = {
              {.k_columns = kHeadsKv * kDim, .v_columns = kHeadsKv * 32, .n_head_kv = kHeadsKv}}};
      const auto tested = device().make_kv_cache(shape);
      const auto expected = truth_.make_kv_cache(shape);
      const StepRun runs[] = {{0, 0, 5}, {1, 0, 1}};
      const Step step{runs};
      Twin q(device(), truth_, 6, kHeads * kDim);
      Twin k(device(), truth_, 6, kHeadsKv * kDim);
      Twin v(device(), truth_, 6, kHeadsKv * 32);
      const Twin out(device(), truth_, 6, kHeads * 32);
      q.fill(random_);
      k.fill(random_);
      v.fill(random_);
      const AttentionSpec spec{.n_head = kHeads,
                               .n_head_kv = kHeadsKv,
                               .head_dim_k = kDim,
                               .head_dim_v = 32,
                               .scale = 0.125F};
      device().begin(step);
      truth_.begin(step);
      device().rope_and_store(q.tested(), k.tested(), v.tested(), rope, *tested, 0);
      truth_.rope_and_store(q.truth(), k.truth(), v.truth(), rope, *expected, 0);
      device().attention(out.tested(), q.tested(), *tested, spec);
      truth_.attention(out.truth(), q.truth(), *expected, spec);
      const double bar = type == QuantType::F32 ? 1e-10 : type == QuantType::F16 ? 1e-6 : 1e-3;
      out.expect_equal(bar, "attention");
      q.expect_equal(1e-11, "queries");
    }
  }
}

/// Many heads on few keys' heads, more than go together; windows; more keys than a block.
TEST_P(FusedVerbs, FewRowsShareKeys) {
  constexpr int kDim = 40;
  struct Case {
    int n_head, n_head_kv, n, window;
  };
  for (const auto& [n_head, n_head_kv, n, window] :
       {Case{7, 1, 300, 0}, Case{11, 1, 90, 0}, Case{6, 3, 40, 13}, Case{2, 2, 150, 140}}) {
    const int columns = n_head_kv * kDim;
    const KvShape shape{.n_ctx = n,
                        .n_ubatch = n,
                        .type = QuantType::F32,
                        .layers = {{columns, columns, n_head_kv}}};
    const auto tested = device().make_kv_cache(shape);
    const auto expected = truth_.make_kv_cache(shape);
    Twin kv(device(), truth_, n, columns);
    kv.fill(random_);
    const auto both = [&](const auto& verb) {
      verb(static_cast<Device&>(device()), true);
      verb(static_cast<Device&>(truth_), false);
    };
    both([&](Device& d, bool first) {
      const Tensor x = first ? kv.tested() : kv.truth();
      d.begin(Step(0, n));
      d.kv_store(first ? *tested : *expected, 0, x, x);
    });
    Twin q(device(), truth_, 2, n_head * kDim);
    const Twin out(device(), truth_, 2, n_head * kDim);
    q.fill(random_);
    both([&](Device& d, bool first) {
      d.begin(Step(n - 2, 2));
      d.attention(first ? out.tested() : out.truth(), first ? q.tested() : q.truth(),
                  first ? *tested : *expected,
                  {.n_head = n_head,
                   .n_head_kv = n_head_kv,
                   .head_dim_k = kDim,
                   .head_dim_v = kDim,
                   .scale = 0.4F,
                   .window = window});
    });
    out.expect_equal(1e-10, std::to_string(n_head) + " heads");
  }
}

/// The column of the highest element in rows that several workgroups share.
TEST_P(FusedVerbs, TheHighestOfManyColumns) {
  constexpr int kColumns = 10001;
  Twin x(device(), truth_, 4, kColumns);
  x.fill(random_);
  std::vector<float> values = x.truth_values();
  const auto at = [&](int row, int column) -> float& {
    return values[static_cast<std::size_t>(row * kColumns + column)];
  };
  at(0, 10000) = 2.0F;
  at(1, 4095) = at(1, 4096) = at(1, 9000) = 2.0F;  // the first of three
  at(2, 8192) = std::nanf("");
  for (int c = 0; c < kColumns; ++c) at(3, c) = -INFINITY;
  x.set(values);
  EXPECT_EQ(device().argmax(x.tested()), (std::vector<std::int32_t>{10000, 4095, -1, -1}));
}

/// A norm leaves bytes for the product that follows, unless its output was written over since.
TEST_P(FusedVerbs, NormsLeaveBytesThatAreUpToDate) {
  constexpr int kColumns = 512;
  const TwinMatrix w(device(), truth_, QuantType::Q4_K, 9, kColumns, random_);
  Twin weight(device(), truth_, 1, kColumns);
  weight.fill(random_, 0.5F, 1.5F);
  for (const bool is_changed : {false, true}) {
    for (const bool is_centred : {false, true}) {
      Twin x(device(), truth_, 3, kColumns, 0);
      Twin out(device(), truth_, 3, kColumns, 0);
      const Twin y(device(), truth_, 3, 9);
      x.fill(random_);
      const auto norm = [&](Device& d, Tensor to, Tensor from, Tensor by) {
        if (is_centred) {
          d.layer_norm(to, from, by, by, 1e-5F);
        } else {
          d.rms_norm(to, from, by, 1e-5F);
        }
      };
      device().begin(Step(0, 3));
      norm(device(), out.tested(), x.tested(), weight.tested());
      norm(truth_, out.truth(), x.truth(), weight.truth());
      if (is_changed) {
        device().scale(out.tested().row_range(1, 1), out.tested().row_range(1, 1), -3.0F);
        truth_.scale(out.truth().row_range(1, 1), out.truth().row_range(1, 1), -3.0F);
      }
      device().matmul(y.tested(), *w.tested, out.tested());
      // Bytes of the device's own floats: the reference's may lie on the other side of a half.
      truth_.upload(out.truth(), out.tested_values());
      take_over(out, kColumns, true);
      truth_.matmul(y.truth(), *w.truth, out.truth());
      y.expect_equal(kExact, is_changed ? "written over" : "as it was");
    }
  }
}

/// Rows at multiples of four floats, as scratch has them: there a norm holds its row.
TEST_P(FusedVerbs, NormsOfAlignedRows) {
  for (const auto& [columns, width] :
       {std::pair{512, 512}, std::pair{96, 32}, std::pair{4096, 4096}}) {
    const auto make = [&, n = columns](Device& d, int rows,
                                       std::vector<std::unique_ptr<Buffer>>& kept) {
      kept.push_back(d.allocate(static_cast<std::size_t>(rows) * static_cast<std::size_t>(n)));
      return Tensor{
          .buffer = kept.back().get(), .rows = rows, .columns = n, .stride = n, .name = "x"};
    };
    std::vector<std::unique_ptr<Buffer>> kept;
    Twin source(device(), truth_, 2, columns);
    Twin factors(device(), truth_, 1, columns);
    source.fill(random_, -2.0F, 3.0F);
    factors.fill(random_, 0.5F, 1.5F);
    const std::vector<float> by = factors.truth_values();
    std::vector<std::vector<float>> results;
    for (Device* d : {static_cast<Device*>(&device()), static_cast<Device*>(&truth_)}) {
      const Tensor x = make(*d, 2, kept);
      const Tensor w = make(*d, 1, kept).column_range(0, width, "w");
      d->upload(x, source.truth_values());
      d->upload(w, std::span(by).first(static_cast<std::size_t>(width)));
      std::vector<float> got(static_cast<std::size_t>(2 * columns));
      d->rms_norm(x, x, w, 1e-5F);
      d->download(got, x);
      results.push_back(got);
      d->layer_norm(x, x, w, w, 1e-5F);
      d->download(got, x);
      results.push_back(got);
    }
    EXPECT_LE(nmse(results[0], results[2]), 1e-12) << columns;
    EXPECT_LE(nmse(results[1], results[3]), 1e-10) << columns;
  }
}

}  // namespace
}  // namespace hearth::test
