// Made-up models: vectors that share nothing, and vectors that share most of their direction.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/retrieval/usual_cosine.h"
#include "tests/support/temp_dir.h"

namespace hearth::retrieval {
namespace {

constexpr std::size_t kDimension = 64;

class UsualCosineTest : public testing::Test {
 protected:
  /// Of length 1: `shared` of it in the first direction, the rest anywhere else.
  std::vector<float> vector(double shared) {
    std::normal_distribution<double> normal;
    std::vector<double> rest(kDimension);
    double square = 0.0;
    for (std::size_t i = 1; i < kDimension; ++i) {
      rest[i] = normal(random_);
      square += rest[i] * rest[i];
    }
    std::vector<float> v(kDimension);
    v[0] = static_cast<float>(shared);
    for (std::size_t i = 1; i < kDimension; ++i) {
      v[i] = static_cast<float>(rest[i] * std::sqrt((1.0 - shared * shared) / square));
    }
    return v;
  }

  /// Between two, of length 1.
  static std::vector<float> between(const std::vector<float>& a, const std::vector<float>& b) {
    std::vector<float> v(kDimension);
    double square = 0.0;
    for (std::size_t i = 0; i < kDimension; ++i) {
      v[i] = a[i] + b[i];
      square += static_cast<double>(v[i]) * static_cast<double>(v[i]);
    }
    for (float& x : v) x = static_cast<float>(static_cast<double>(x) / std::sqrt(square));
    return v;
  }

  Index make(std::size_t n, double shared) {
    Index::create(path_, {.layout = {.dimension = kDimension}, .embedder = "made up"});
    Index index(path_, Access::write, 1);
    for (std::size_t i = 0; i < n; ++i) {
      index.put({.key = std::to_string(i), .text = "", .vector = vector(shared)});
    }
    index.commit();
    return index;
  }

  static double confidence(const Index& index, const std::vector<float>& question) {
    const auto best = static_cast<double>(index.nearest(question, 1).front().front().score);
    return UsualCosine(index).above(best, question);
  }

  test::TempDir dir_;
  std::filesystem::path path_ = dir_ / "kb.hearth";
  std::mt19937 random_{7};
};

TEST_F(UsualCosineTest, OneThresholdServesModelsOfAllKinds) {
  for (const double shared : {0.0, 0.5, 0.85}) {
    SCOPED_TRACE(shared);
    std::filesystem::remove(path_);
    const Index index = make(200, shared);
    for (int i = 0; i < 20; ++i) {
      const std::vector<float> other = vector(shared);
      const std::vector<float> own = between(other, index.vector(static_cast<std::uint64_t>(i)));
      EXPECT_GT(confidence(index, own), 0.6);
      EXPECT_LT(confidence(index, other), 0.5);
      EXPECT_NEAR(confidence(index, index.vector(static_cast<std::uint64_t>(i))), 1.0, 1e-6);
    }
  }
}

// Two texts about one thing are not what is usual.
TEST_F(UsualCosineTest, OfFewVectorsIsNearlyTheCosine) {
  const Index index = make(2, 0.8);
  const std::vector<float> question = between(vector(0.8), index.vector(0));
  const auto cosine = static_cast<double>(index.nearest(question, 1).front().front().score);
  EXPECT_GT(confidence(index, question), cosine - 0.2);
  const std::vector<float> nothing(kDimension);
  EXPECT_EQ(UsualCosine(index).above(0.0, nothing), 0.0);
}

}  // namespace
}  // namespace hearth::retrieval
