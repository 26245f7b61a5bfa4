// Row kernels: the statement (kernels/scalar/rows.cpp) against double precision, and every level
// against the statement, bit for bit.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/scalar/functions.h"

namespace hearth::kernels {
namespace {

constexpr float kGuard = 12345.0F;
constexpr std::size_t kGuards = 17;

/// What a kernel reads and writes: three rows that begin anywhere.
struct Rows {
  const float* x;
  const float* y;
  const float* z;
  std::size_t n;
  float* out;
};

struct RowOp {
  std::string name;
  std::function<void(const RowKernels&, const Rows&)> run;
};

constexpr const char* kActivationNames[kActivations] = {"silu", "gelu_tanh", "gelu_erf", "relu",
                                                        "relu_squared"};

/// `out` holds heads and is turned in place: as many heads of as many pairs as fit.
void turn_heads(Rope rope, const Rows& r, std::size_t n_heads) {
  const std::size_t head_dim = r.n / n_heads;
  std::memcpy(r.out, r.x, r.n * sizeof(float));
  if (head_dim >= 2) rope(r.out, n_heads, head_dim, r.y, r.z, head_dim / 2);
}

/// Cosines and sines in pairs, as rope_interleaved wants them.
void turn_interleaved(Rope rope, const Rows& r) {
  std::vector<float> cosines(r.y, r.y + r.n);
  std::vector<float> sines(r.z, r.z + r.n);
  for (std::size_t i = 0; i + 1 < r.n; i += 2) {
    cosines[i + 1] = cosines[i];
    sines[i + 1] = -sines[i];
  }
  turn_heads(rope, {r.x, cosines.data(), sines.data(), r.n, r.out}, 1);
}

std::vector<RowOp> row_ops() {
  std::vector<RowOp> ops = {
      {"rms_norm",
       [](const RowKernels& k, const Rows& r) { k.rms_norm(r.x, r.y, r.n, 1e-5F, r.out); }},
      {"layer_norm",
       [](const RowKernels& k, const Rows& r) { k.layer_norm(r.x, r.y, r.z, r.n, 1e-5F, r.out); }},
      {"layer_norm_without_bias",
       [](const RowKernels& k, const Rows& r) {
         k.layer_norm(r.x, r.y, nullptr, r.n, 1e-5F, r.out);
       }},
      {"add", [](const RowKernels& k, const Rows& r) { k.add(r.x, r.y, r.n, r.out); }},
      {"scale", [](const RowKernels& k, const Rows& r) { k.scale(r.x, 0.3F, r.n, r.out); }},
      {"softcap", [](const RowKernels& k, const Rows& r) { k.softcap(r.x, 1.7F, r.n, r.out); }},
      {"rope_halves", [](const RowKernels& k, const Rows& r) { turn_heads(k.rope_halves, r, 1); }},
      {"rope_halves_of_3_heads",
       [](const RowKernels& k, const Rows& r) { turn_heads(k.rope_halves, r, 3); }},
      {"rope_interleaved",
       [](const RowKernels& k, const Rows& r) { turn_interleaved(k.rope_interleaved, r); }},
  };
  for (std::size_t a = 0; a < kActivations; ++a) {
    ops.push_back({kActivationNames[a],
                   [a](const RowKernels& k, const Rows& r) { k.activate[a](r.x, r.n, r.out); }});
    ops.push_back({std::string("glu_") + kActivationNames[a],
                   [a](const RowKernels& k, const Rows& r) { k.glu[a](r.x, r.y, r.n, r.out); }});
  }
  return ops;
}

struct Case {
  const IsaLevel* level;
  RowOp op;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.level->name << " " << c.op.name;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const IsaLevel& level : all_isa_levels()) {
    if (!level.is_supported()) continue;
    for (const RowOp& op : row_ops()) all.push_back({&level, op});
  }
  return all;
}

class RowLevels : public testing::TestWithParam<Case> {
 protected:
  /// values: three rows of n. `offset` floats before each row make it begin anywhere.
  void equals_statement(std::size_t n, std::size_t offset, const std::vector<float>& values) {
    SCOPED_TRACE(testing::Message() << n << " elements at offset " << offset);
    std::vector<float> rows(3 * (n + offset));
    Rows in{.x = rows.data() + offset,
            .y = rows.data() + n + 2 * offset,
            .z = rows.data() + 2 * n + 3 * offset,
            .n = n,
            .out = nullptr};
    std::memcpy(rows.data() + offset, values.data(), n * sizeof(float));
    std::memcpy(rows.data() + n + 2 * offset, values.data() + n, n * sizeof(float));
    std::memcpy(rows.data() + 2 * n + 3 * offset, values.data() + 2 * n, n * sizeof(float));
    const auto run = [&](const KernelTable& table) {
      std::vector<float> out(kGuards + n + kGuards, kGuard);
      in.out = out.data() + kGuards;
      GetParam().op.run(table.rows, in);
      return out;
    };
    const std::vector<float> got = run(make_kernel_table(GetParam().level));
    const std::vector<float> want = run(scalar_kernels());
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (std::isnan(want[i]) && std::isnan(got[i])) continue;
      ASSERT_EQ(std::memcmp(&got[i], &want[i], sizeof(float)), 0)
          << "element " << static_cast<std::ptrdiff_t>(i - kGuards) << ": " << got[i]
          << ", the statement says " << want[i];
    }
  }
};

std::vector<float> normal_values(std::size_t n, float size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, size);
  std::vector<float> values(n);
  for (float& v : values) v = normal(random);
  return values;
}

TEST_P(RowLevels, EqualTheStatementAtEverySize) {
  for (std::size_t n = 1; n <= 70; ++n) equals_statement(n, n % 5, normal_values(3 * n, 2.0F, 1));
  for (std::size_t n : {896U, 4096U, 4099U}) {
    equals_statement(n, 1, normal_values(3 * n, 2.0F, 2));
  }
}

TEST_P(RowLevels, EqualTheStatementOverTheWholeRange) {
  for (float size : {1e-30F, 1e-5F, 0.3F, 30.0F, 100.0F, 1e15F, 1e37F}) {
    equals_statement(1000, 3, normal_values(3000, size, 3));
  }
}

TEST_P(RowLevels, EqualTheStatementForExtremeValues) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kValues[] = {0.0F,   -0.0F,    0x1p-149F,  -0x1p-140F, 3.4e38F,    -3.4e38F,
                               87.0F,  -87.0F,   -87.00001F, 88.0F,      88.00001F,  -88.00001F,
                               0.625F, -0.6249F, 1.0F,       kInfinity,  -kInfinity, kNan};
  std::vector<float> values(3 * 54);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = kValues[i * (1 + i / 54) % 18];
  equals_statement(54, 0, values);
  for (float v : kValues) equals_statement(19, 1, std::vector<float>(57, v));
}

std::string case_name(const testing::TestParamInfo<Case>& c) {
  return std::string(c.param.level->name) + "_" + c.param.op.name;
}

INSTANTIATE_TEST_SUITE_P(Levels, RowLevels, testing::ValuesIn(cases()), case_name);

// The statement against the C library in double.

/// Distance from the exact value, in units of the last place of the float there.
double ulps(float got, double exact) {
  const float nearest = static_cast<float>(exact);
  const double unit = static_cast<double>(std::nextafter(std::abs(nearest), INFINITY)) -
                      static_cast<double>(std::abs(nearest));
  return std::abs(static_cast<double>(got) - exact) / unit;
}

/// The largest distance over [first, last].
double most_ulps(float (*function)(float), double (*exact)(double), double first, double last) {
  constexpr int kSteps = 200'000;
  double most = 0.0;
  for (int i = 0; i <= kSteps; ++i) {
    const auto x = static_cast<float>(first + (last - first) * i / kSteps);
    most = std::max(most, ulps(function(x), exact(static_cast<double>(x))));
  }
  return most;
}

double exact_exp(double x) {
  return std::exp(x);
}
double exact_tanh(double x) {
  return std::tanh(x);
}
double exact_silu(double x) {
  return x / (1.0 + std::exp(-x));
}
double exact_gelu_erf(double x) {
  return 0.5 * x * std::erfc(-x * std::sqrt(0.5));
}
double exact_gelu_tanh(double x) {
  const double inner = std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x);
  return x / (1.0 + std::exp(-2.0 * inner));
}

TEST(Functions, ExpIsExactToAboutOnePlace) {
  EXPECT_LT(most_ulps(scalar::exp, exact_exp, -87.0, 88.0), 1.1);
  EXPECT_LT(most_ulps(scalar::exp, exact_exp, -1.0, 1.0), 1.1);
  EXPECT_EQ(scalar::exp(0.0F), 1.0F);
  EXPECT_EQ(scalar::exp(-87.5F), 0.0F);
  EXPECT_EQ(scalar::exp(-INFINITY), 0.0F);
  EXPECT_EQ(scalar::exp(89.0F), INFINITY);
  EXPECT_TRUE(std::isnan(scalar::exp(NAN)));
}

TEST(Functions, TanhIsExactToSomePlaces) {
  EXPECT_LT(most_ulps(scalar::tanh, exact_tanh, -12.0, 12.0), 2.5);
  EXPECT_LT(most_ulps(scalar::tanh, exact_tanh, -0.01, 0.01), 2.5);
  EXPECT_EQ(scalar::tanh(100.0F), 1.0F);
  EXPECT_EQ(scalar::tanh(-INFINITY), -1.0F);
  EXPECT_TRUE(std::isnan(scalar::tanh(NAN)));
}

TEST(Functions, ActivationsAreExactToSomePlaces) {
  // An exponent that is rounded before exp counts as often as it is large.
  EXPECT_LT(most_ulps(scalar::silu, exact_silu, -10.0, 20.0), 3.5);
  EXPECT_LT(most_ulps(scalar::gelu_erf, exact_gelu_erf, -3.0, 10.0), 20.0);
  EXPECT_LT(most_ulps(scalar::gelu_tanh, exact_gelu_tanh, -3.0, 10.0), 20.0);
  // Far out, where they vanish, it is the distance that counts.
  for (float x = -80.0F; x < -3.0F; x += 0.001F) {
    const auto d = static_cast<double>(x);
    EXPECT_NEAR(static_cast<double>(scalar::silu(x)), exact_silu(d),
                1e-6 * std::abs(exact_silu(d)) + 1e-36);
    EXPECT_NEAR(static_cast<double>(scalar::gelu_erf(x)), exact_gelu_erf(d), 1e-8);
    EXPECT_NEAR(static_cast<double>(scalar::gelu_tanh(x)), exact_gelu_tanh(d), 1e-8);
  }
}

TEST(Rows, NormsAreThoseOfThePapers) {
  const std::size_t n = 1003;
  const std::vector<float> values = normal_values(3 * n, 1.5F, 4);
  const float* x = values.data();
  const float* w = x + n;
  const float* b = w + n;
  double mean = 0.0;
  double square = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    mean += static_cast<double>(x[i]) / static_cast<double>(n);
    square += static_cast<double>(x[i]) * static_cast<double>(x[i]) / static_cast<double>(n);
  }
  std::vector<float> rms(n);
  std::vector<float> layer(n);
  scalar_kernels().rows.rms_norm(x, w, n, 1e-2F, rms.data());
  scalar_kernels().rows.layer_norm(x, w, b, n, 1e-2F, layer.data());
  const double eps = static_cast<double>(1e-2F);
  for (std::size_t i = 0; i < n; ++i) {
    const double v = x[i];
    EXPECT_NEAR(rms[i], v / std::sqrt(square + eps) * static_cast<double>(w[i]), 3e-6);
    const double deviation = std::sqrt(square - mean * mean + eps);
    EXPECT_NEAR(layer[i],
                (v - mean) / deviation * static_cast<double>(w[i]) + static_cast<double>(b[i]),
                3e-6);
  }
}

TEST(Rows, RopeTurnsPairsByTheirAngle) {
  // Quarter turns: (a, b) becomes (-b, a).
  const float cosines[] = {0, 0, 0, 0};
  const float sines[] = {1, 1};
  const float signed_sines[] = {-1, 1, -1, 1};
  float halves[] = {1, 2, 3, 4, 9};
  scalar_kernels().rows.rope_halves(halves, 1, 5, cosines, sines, 2);
  EXPECT_EQ(std::vector<float>(halves, halves + 5), (std::vector<float>{-3, -4, 1, 2, 9}));
  float interleaved[] = {1, 2, 3, 4, 9};
  scalar_kernels().rows.rope_interleaved(interleaved, 1, 5, cosines, signed_sines, 2);
  EXPECT_EQ(std::vector<float>(interleaved, interleaved + 5),
            (std::vector<float>{-2, 1, -4, 3, 9}));
}

}  // namespace
}  // namespace hearth::kernels
