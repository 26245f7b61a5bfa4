// Scores of vectors: the statement against sums in double, every level against the statement.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/half.h"

namespace hearth::kernels {
namespace {

struct Data {
  Data(std::size_t n_vectors, std::size_t width, std::size_t n_queries)
      : n(n_vectors), d(width), q(n_queries) {
    std::mt19937 random(static_cast<unsigned>(n * 1000 + d));
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < n * d; ++i) {
      halves.push_back(f32_to_f16(normal(random)));
      floats.push_back(f16_to_f32(halves.back()));
      bytes.push_back(static_cast<std::int8_t>(random()));
    }
    for (std::size_t i = 0; i < q * d; ++i) queries.push_back(normal(random));
    for (std::size_t i = 0; i < q * d; ++i) {
      byte_queries.push_back(static_cast<std::int8_t>(random()));
    }
  }

  std::size_t n, d, q;
  std::vector<float> floats, queries;
  std::vector<std::uint16_t> halves;
  std::vector<std::int8_t> bytes, byte_queries;
};

template <class Element>
std::vector<float> run(ScoreVectors<Element> kernel, const Data& data,
                       const std::vector<Element>& vectors) {
  std::vector<float> out(data.n * data.q, 12345.0F);
  kernel(vectors.data(), data.n, data.d, data.queries.data(), data.q, out.data());
  return out;
}

std::vector<std::int32_t> run_i8(const VectorKernels& table, const Data& data) {
  std::vector<std::int32_t> out(data.n * data.q);
  table.dot_i8(data.bytes.data(), data.n, data.d, data.byte_queries.data(), data.q, out.data());
  return out;
}

std::vector<Data> all_data() {
  std::vector<Data> all;
  for (const std::size_t d : {1U, 3U, 8U, 15U, 16U, 17U, 64U, 100U, 384U}) {
    for (const std::size_t n : {1U, 2U, 4U, 9U, 13U, 37U}) {
      for (const std::size_t q : {1U, 2U, 3U, 6U, 8U}) all.emplace_back(n, d, q);
    }
  }
  return all;
}

TEST(Vectors, TheStatementIsTheFormula) {
  const VectorKernels& table = scalar_kernels().vectors;
  for (const Data& data : all_data()) {
    const auto dots = run(table.dot_f32, data, data.floats);
    const auto distances = run(table.distance_f32, data, data.floats);
    for (std::size_t q = 0; q < data.q; ++q) {
      for (std::size_t i = 0; i < data.n; ++i) {
        double dot = 0, distance = 0;
        for (std::size_t j = 0; j < data.d; ++j) {
          const double x = data.floats[i * data.d + j], y = data.queries[q * data.d + j];
          dot += x * y;
          distance += (x - y) * (x - y);
        }
        ASSERT_NEAR(dots[q * data.n + i], dot, 1e-5 * (1 + std::sqrt(data.d) + std::abs(dot)));
        ASSERT_NEAR(distances[q * data.n + i], distance, 1e-5 * distance);
      }
    }
    const auto whole = run_i8(table, data);
    for (std::size_t q = 0; q < data.q; ++q) {
      for (std::size_t i = 0; i < data.n; ++i) {
        std::int64_t sum = 0;
        for (std::size_t j = 0; j < data.d; ++j) {
          sum += data.bytes[i * data.d + j] * data.byte_queries[q * data.d + j];
        }
        ASSERT_EQ(whole[q * data.n + i], sum);
      }
    }
  }
}

TEST(Vectors, EveryLevelEqualsTheStatement) {
  const VectorKernels& statement = scalar_kernels().vectors;
  for (const IsaLevel& level : all_isa_levels()) {
    if (!level.is_supported()) continue;
    SCOPED_TRACE(level.name);
    const VectorKernels table = make_kernel_table(&level).vectors;
    for (const Data& data : all_data()) {
      SCOPED_TRACE(testing::Message() << data.n << " of " << data.d << ", " << data.q);
      ASSERT_EQ(run(table.dot_f32, data, data.floats), run(statement.dot_f32, data, data.floats));
      ASSERT_EQ(run(table.distance_f32, data, data.floats),
                run(statement.distance_f32, data, data.floats));
      ASSERT_EQ(run(table.dot_f16, data, data.halves), run(statement.dot_f16, data, data.halves));
      ASSERT_EQ(run(table.distance_f16, data, data.halves),
                run(statement.distance_f16, data, data.halves));
      ASSERT_EQ(run_i8(table, data), run_i8(statement, data));
    }
  }
}

}  // namespace
}  // namespace hearth::kernels
