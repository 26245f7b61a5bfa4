// More rows than a dispatch has workgroups along x, which may be 65,535: every verb, with the
// smallest workgroups.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/vulkan/products.h"
#include "tests/vulkan/vulkan_test.h"

namespace hearth::test {
namespace {

constexpr int kMany = 65536 + 5;
constexpr int kLanes = 8;

/// So many elements of a row that even those that have an invocation each are more workgroups.
constexpr int kWide = kLanes + 1;

class ManyRows : public VulkanTest, public testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    VulkanTest::SetUp();
    skip_without(GetParam());
    if (IsSkipped()) return;
    device_ = open_test_device(
        {.staging_bytes = 1 << 20, .tiers = GetParam().tiers, .workgroup = GetParam().lanes});
  }
  VulkanDevice& device() { return *device_; }

  std::unique_ptr<VulkanDevice> device_;  // of its own: it takes much memory
  ReferenceDevice truth_;
  std::mt19937 random_{22};
};

TEST_P(ManyRows, OfAMatrix) {
  for (const int n : {1, 9}) expect_product(device(), QuantType::Q8_0, {kMany, 32, n});
}

/// Those that become bytes have an invocation for 32 columns.
TEST_P(ManyRows, OfTheOtherFactor) {
  expect_product(device(), QuantType::F16, {3, 32, kMany});
  if (is_in_integers(device(), QuantType::Q4_0, kMany))
    expect_product(device(), QuantType::Q4_0, {3, 32 * kWide, kMany});
}

TEST_P(ManyRows, OfChosenExperts) {
  expect_experts(device(), QuantType::Q8_0, 2, 32, kMany / 3 + 1);
}

TEST_P(ManyRows, OfATable) {
  std::vector<std::int32_t> ids(kMany);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i % 7);
  const TwinMatrix table(device(), truth_, QuantType::F32, 7, kWide, random_);
  const Twin out(device(), truth_, kMany, kWide, 0);
  device().get_rows(out.tested(), *table.tested, ids);
  truth_.get_rows(out.truth(), *table.truth, ids);
  out.expect_equal(0.0, "get_rows");
}

TEST_P(ManyRows, OfNorms) {
  Twin x(device(), truth_, kMany, kWide);
  Twin weight(device(), truth_, 1, kWide);
  const Twin out(device(), truth_, kMany, kWide);
  x.fill(random_);
  weight.fill(random_, 0.5F, 1.5F);
  device().rms_norm(out.tested(), x.tested(), weight.tested(), 1e-5F);
  truth_.rms_norm(out.truth(), x.truth(), weight.truth(), 1e-5F);
  out.expect_equal(1e-12, "rms_norm");
  device().layer_norm(out.tested(), x.tested(), weight.tested(), weight.tested(), 1e-5F);
  truth_.layer_norm(out.truth(), x.truth(), weight.truth(), weight.truth(), 1e-5F);
  out.expect_equal(1e-10, "layer_norm");
}

TEST_P(ManyRows, OfElements) {
  Twin a(device(), truth_, kMany, kWide);
  Twin b(device(), truth_, kMany, kWide);
  const Twin out(device(), truth_, kMany, kWide);
  a.fill(random_);
  b.fill(random_);
  device().add(out.tested(), a.tested(), b.tested());
  truth_.add(out.truth(), a.truth(), b.truth());
  out.expect_equal(0.0, "add");
  device().glu(out.tested(), a.tested(), b.tested(), Activation::silu);
  truth_.glu(out.truth(), a.truth(), b.truth(), Activation::silu);
  out.expect_equal(1e-11, "glu");
}

TEST_P(ManyRows, OfExpertsAndTheirSums) {
  constexpr int kUsed = 2;
  Twin scores(device(), truth_, kMany, kWide);
  const Twin chosen(device(), truth_, kMany, kUsed);
  const Twin weights(device(), truth_, kMany, kUsed);
  scores.fill(random_, -3.0F, 3.0F);
  const RouteSpec spec = {.n_used = kUsed};
  device().route(chosen.tested(), weights.tested(), scores.tested(), spec);
  truth_.route(chosen.truth(), weights.truth(), scores.truth(), spec);
  chosen.expect_equal(0.0, "chosen");
  weights.expect_equal(1e-12, "weights");
  Twin x(device(), truth_, kMany * kUsed, kWide);
  const Twin out(device(), truth_, kMany, kWide);
  x.fill(random_);
  device().expert_sum(out.tested(), x.tested(), weights.tested());
  truth_.expert_sum(out.truth(), x.truth(), weights.truth());
  out.expect_equal(1e-11, "sum");
}

TEST_P(ManyRows, OfLogits) {
  Twin x(device(), truth_, kMany, kWide);
  x.fill(random_);
  EXPECT_EQ(device().argmax(x.tested()), truth_.argmax(x.truth()));
}

/// A step of so many tokens: rope and keys of all, and attention of the last rows over all.
TEST_P(ManyRows, OfAStep) {
  constexpr int kDim = 2 * kWide;
  Rope rope{.head_dim = kDim};
  for (int i = 0; i < kWide; ++i) rope.frequencies.push_back(1.0 / (1 + i));
  Twin k(device(), truth_, kMany, kDim);
  k.fill(random_);
  const KvShape shape = {.n_ctx = kMany, .type = QuantType::F32, .layers = {{kDim, kDim, 1}}};
  const auto tested_cache = device().make_kv_cache(shape);
  const auto truth_cache = truth_.make_kv_cache(shape);
  const Step step(0, kMany);
  device().begin(step);
  truth_.begin(step);
  device().rope(k.tested(), rope);
  truth_.rope(k.truth(), rope);
  k.expect_equal(1e-12, "rope");
  device().kv_store(*tested_cache, 0, k.tested(), k.tested());
  truth_.kv_store(*truth_cache, 0, k.truth(), k.truth());
  for (const int n : {1, 5}) {
    Twin q(device(), truth_, n, kDim);
    const Twin out(device(), truth_, n, kDim);
    q.fill(random_);
    const Step last(kMany - n, n);
    const AttentionSpec spec = {
        .n_head = 1, .n_head_kv = 1, .head_dim_k = kDim, .head_dim_v = kDim, .scale = 2.0F};
    device().begin(last);
    truth_.begin(last);
    device().attention(out.tested(), q.tested(), *tested_cache, spec);
    truth_.attention(out.truth(), q.truth(), *truth_cache, spec);
    out.expect_equal(1e-10, "attention of " + std::to_string(n));
  }
}

const Variant kVariants[] = {{kLanes, "none"}, {kLanes, "subgroup,dot"}};

INSTANTIATE_TEST_SUITE_P(Variants, ManyRows, testing::ValuesIn(kVariants),
                         [](const auto& each) { return each.param.name(); });

}  // namespace
}  // namespace hearth::test
