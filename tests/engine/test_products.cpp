// Products and what becomes of them: values by hand, and the plain verbs on every device.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "engine/device/checked_device.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/reference_device.h"
#include "tests/support/device_rows.h"

namespace hearth {
namespace {

using test::Owned;
using test::Rows;
using test::Weights;

TEST(Products, HaveABiasAnActivationAndASum) {
  ReferenceDevice device;
  const Weights w(device, {{1, 2}, {0, -3}});
  const Owned x(device, {{1, 1}, {2, 0}});  // x w^T = {3, -3}, {2, 0}
  const Owned bias(device, {{-5, 1}});      // {-2, -2}, {-3, 1}
  Owned out(device, 2, 2);
  Owned sum(device, {{10, 20}, {30, 40}});
  Device::Product product{.out = out.view, .w = w.matrix.get(), .bias = bias.view};
  device.matmuls({&product, 1}, x.view);
  EXPECT_EQ(out.values(), (Rows{{-2, -2}, {-3, 1}}));
  product.activation = Activation::relu_squared;
  device.matmuls({&product, 1}, x.view);
  EXPECT_EQ(out.values(), (Rows{{0, 0}, {0, 1}}));
  product.sum = sum.view;
  device.matmuls({&product, 1}, x.view);
  EXPECT_EQ(sum.values(), (Rows{{10, 20}, {30, 41}}));
}

Rows random_rows(std::mt19937& random, int rows, int columns) {
  std::uniform_real_distribution<float> any(-1.0F, 1.0F);
  Rows all(static_cast<std::size_t>(rows), std::vector<float>(static_cast<std::size_t>(columns)));
  for (auto& row : all) {
    for (float& value : row) value = any(random);
  }
  return all;
}

/// Two products of one input, in parts of wider rows: with all that an epilogue can have, and with
/// a bias alone. Gives what stands in the sum and in the second's output.
std::pair<Rows, Rows> run(Device& device, int n_tokens, bool in_one) {
  std::mt19937 random(3);
  const int columns = 70;
  const int rows = 43;
  const Weights w1(device, random_rows(random, rows, columns));
  const Weights w2(device, random_rows(random, rows - 5, columns));
  const Owned x(device, random_rows(random, n_tokens, columns));
  const Owned bias1(device, random_rows(random, 1, rows));
  const Owned bias2(device, random_rows(random, 1, rows - 5));
  const Owned both(device, n_tokens, 2 * rows);
  Owned sum(device, random_rows(random, n_tokens, rows + 9));
  const Tensor out1 = both.view.column_range(0, rows, "out");
  const Tensor out2 = both.view.column_range(rows, rows - 5, "out");
  const Tensor to = sum.view.column_range(4, rows, "sum");
  if (in_one) {
    const Device::Product products[] = {{.out = out1,
                                         .w = w1.matrix.get(),
                                         .bias = bias1.view,
                                         .activation = Activation::gelu_erf,
                                         .sum = to},
                                        {.out = out2, .w = w2.matrix.get(), .bias = bias2.view}};
    device.matmuls(products, x.view);
  } else {
    device.matmul(out1, *w1.matrix, x.view);
    device.add(out1, out1, bias1.view);
    device.activation(out1, out1, Activation::gelu_erf);
    device.add(to, to, out1);
    device.matmul(out2, *w2.matrix, x.view);
    device.add(out2, out2, bias2.view);
  }
  Rows second;
  for (const auto& row : both.values()) second.emplace_back(row.begin() + rows, row.end() - 5);
  return {sum.values(), second};
}

/// Of one row and of several, of a strip's columns and of more.
TEST(Products, AreThoseOfThePlainVerbsToTheBit) {
  for (const int n_tokens : {1, 3, 12, 13, 50}) {
    ReferenceDevice reference;
    EXPECT_EQ(run(reference, n_tokens, true), run(reference, n_tokens, false)) << n_tokens;
    for (const int n_threads : {1, 3}) {
      CpuDevice cpu({.n_threads = n_threads, .least_shared = 0});
      EXPECT_EQ(run(cpu, n_tokens, true), run(cpu, n_tokens, false)) << n_tokens;
    }
  }
}

/// Gets the first element of its products wrong.
class FaultyProducts final : public ReferenceDevice {
 public:
  void matmul(Tensor out, const Matrix& w, Tensor x) override {
    ReferenceDevice::matmul(out, w, x);
    const Tensor wrong = out.column_range(0, 1, "wrong");
    scale(wrong, wrong, 1.5F);
  }
};

TEST(Products, ThatAreOffAreSeenBesideALargeSum) {
  FaultyProducts faulty;
  ReferenceDevice truth;
  std::vector<OpCheck> checks;
  CheckedDevice device(faulty, truth, [&](const OpCheck& check) { checks.push_back(check); });
  const Weights w(device, {{1, 0}, {0, 1}});
  const Owned x(device, {{2, 4}});
  const Owned out(device, 1, 2);
  Owned sum(device, {{1000, 2000}}, "stream");
  const Device::Product product{.out = out.view, .w = w.matrix.get(), .sum = sum.view};
  device.matmuls({&product, 1}, x.view);
  ASSERT_EQ(checks.size(), 1U);
  EXPECT_EQ(checks[0].output, "stream");
  EXPECT_NEAR(checks[0].nmse, 1.0 / (4 + 16), 1e-5);  // 3 for 2, beside a right 4
  EXPECT_FALSE(checks[0].passed());
}

}  // namespace
}  // namespace hearth
