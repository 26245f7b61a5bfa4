// Float matrices by OpenBLAS: near the truth, only where asked, and without it an error or nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/nmse.h"
#include "engine/device/cpu/blas.h"
#include "engine/device/cpu/cpu_device.h"
#include "engine/device/reference_device.h"
#include "kernels/dispatch.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

Floats normal_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Floats values(n);
  for (float& v : values) v = normal(random);
  return values;
}

/// A matrix of random numbers and a batch of inputs.
struct Problem {
  QuantType type = QuantType::F32;
  int n_rows = 300;      // more than OpenBLAS gets at once, and no multiple of anything
  int n_columns = 1600;  // in one piece OpenBLAS adds up in our order
  int n_tokens = 45;
};

Floats product(Device& device, const Problem& p) {
  const auto n = static_cast<std::size_t>(p.n_rows) * static_cast<std::size_t>(p.n_columns);
  std::vector<std::byte> stored(row_bytes(quant_type_info(p.type), n));
  kernels::scalar_kernels().quantize_row[p.type](normal_values(n, 1).data(), stored.data(), n);
  const auto w = device.load(
      {.name = "w", .type = p.type, .rows = p.n_rows, .columns = p.n_columns, .data = stored});
  const auto tokens = static_cast<std::size_t>(p.n_tokens);
  const int stride = p.n_columns + 5;
  const auto x_buffer = device.allocate(tokens * static_cast<std::size_t>(stride));
  const Tensor x = {.buffer = x_buffer.get(),
                    .rows = p.n_tokens,
                    .columns = p.n_columns,
                    .stride = stride,
                    .name = "x"};
  device.upload(x, normal_values(tokens * static_cast<std::size_t>(p.n_columns), 2));
  const int out_stride = p.n_rows + 3;
  const auto out_buffer = device.allocate(tokens * static_cast<std::size_t>(out_stride));
  const Tensor out = {.buffer = out_buffer.get(),
                      .rows = p.n_tokens,
                      .columns = p.n_rows,
                      .stride = out_stride,
                      .name = "out"};
  device.matmul(out, *w, x);
  Floats values(tokens * static_cast<std::size_t>(p.n_rows));
  device.download(values, out);
  return values;
}

Floats cpu_product(UseBlas blas, const Problem& p, int n_threads = 2, bool repack = true) {
  CpuDevice cpu({.n_threads = n_threads, .least_shared = 0, .repack = repack, .blas = blas});
  return product(cpu, p);
}

TEST(Blas, MissingIsAnErrorOnlyWhereItWasAskedFor) {
  EXPECT_EQ(find_blas(UseBlas::off), nullptr);
  EXPECT_EQ(find_blas(UseBlas::automatic), Blas::find());
  if (Blas::find()) {
    EXPECT_EQ(find_blas(UseBlas::on), Blas::find());
    EXPECT_THAT(Blas::find()->description(), testing::HasSubstr("OpenBLAS"));
  } else {
    EXPECT_THROW(find_blas(UseBlas::on), Error);
  }
}

class WithBlas : public testing::Test {
 protected:
  void SetUp() override {
    if (!Blas::find()) GTEST_SKIP() << "this machine has no OpenBLAS";
  }
};

TEST_F(WithBlas, EveryFloatTypeIsNearTheReference) {
  for (const QuantType type : {QuantType::F32, QuantType::F16, QuantType::BF16}) {
    const Problem p = {.type = type};
    ReferenceDevice reference;
    const Floats truth = product(reference, p);
    for (const bool repack : {true, false}) {
      const Floats got = cpu_product(UseBlas::on, p, 2, repack);
      EXPECT_LT(nmse(got, truth), 1e-12) << quant_type_info(type).name;
      EXPECT_NE(got, cpu_product(UseBlas::off, p, 2, repack)) << "it was not used";
    }
  }
}

TEST_F(WithBlas, ThreadsDoNotChangeABit) {
  const Floats expected = cpu_product(UseBlas::on, {}, 1);
  for (const int n_threads : {2, 3, 7}) {
    EXPECT_EQ(cpu_product(UseBlas::on, {}, n_threads), expected) << n_threads;
  }
}

TEST_F(WithBlas, FewTokensAndQuantisedTypesStayWithOurKernels) {
  for (const Problem& p : {Problem{.n_tokens = 1}, Problem{.n_tokens = kLeastBlasTokens - 1},
                           Problem{.type = QuantType::Q8_0}}) {
    EXPECT_EQ(cpu_product(UseBlas::on, p), cpu_product(UseBlas::off, p));
  }
}

TEST_F(WithBlas, AutoTakesLongRowsOnly) {
  const Problem short_rows = {.n_columns = 2048};
  EXPECT_EQ(cpu_product(UseBlas::automatic, short_rows), cpu_product(UseBlas::off, short_rows));
  const Problem long_rows = {.n_rows = 20, .n_columns = 8192};
  EXPECT_EQ(cpu_product(UseBlas::automatic, long_rows), cpu_product(UseBlas::on, long_rows));
}

}  // namespace
}  // namespace hearth
