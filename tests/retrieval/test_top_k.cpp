// The k best of many against sorting all of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "engine/retrieval/top_k.h"

namespace hearth::retrieval {
namespace {

std::vector<Scored> sorted_all(std::vector<Scored> all, std::size_t k) {
  std::sort(all.begin(), all.end(), is_better);
  all.resize(std::min(k, all.size()));
  return all;
}

/// With many ties, for scores are one of a few.
std::vector<Scored> random_scores(std::mt19937& random, std::size_t n) {
  std::vector<Scored> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back({static_cast<float>(random() % 97), i});
  std::shuffle(all.begin(), all.end(), random);
  return all;
}

TEST(TopK, HoldsWhatSortingFinds) {
  std::mt19937 random(1);
  for (const std::size_t k : {0U, 1U, 2U, 10U, 15U, 16U, 17U, 100U, 3000U}) {
    for (const std::size_t n : {0U, 1U, 9U, 10U, 26U, 27U, 117U, 2000U}) {
      const std::vector<Scored> all = random_scores(random, n);
      TopK top(k), others(k);
      for (std::size_t i = 0; i < n; ++i) (i % 3 == 0 ? others : top).add(all[i]);
      top.add(others);
      EXPECT_EQ(top.sorted(), sorted_all(all, k)) << k << " of " << n;
      EXPECT_EQ(sorted_all(top.unsorted(), k), sorted_all(all, k)) << k << " of " << n;
    }
  }
}

TEST(TopK, NeverRefusesOneOfTheBest) {
  std::mt19937 random(2);
  const std::vector<Scored> all = random_scores(random, 1000);
  const std::vector<Scored> best = sorted_all(all, 10);
  TopK top(10);
  for (const Scored& one : all) {
    const bool is_best = std::find(best.begin(), best.end(), one) != best.end();
    if (is_best) {
      EXPECT_TRUE(top.would_hold(one));
      EXPECT_TRUE(!top.has_floor() || one.score >= top.floor());
    }
    top.add(one);
  }
  EXPECT_FALSE(top.would_hold({best.back().score - 1, 0}));
}

TEST(TopK, WhatIsNoNumberIsNotAmongThem) {
  TopK top(20);
  for (std::uint64_t i = 0; i < 1000; ++i) top.add({NAN, i});
  EXPECT_TRUE(top.sorted().empty());
  for (std::uint64_t i = 0; i < 1000; ++i) {
    top.add({i % 2 == 0 ? NAN : static_cast<float>(i), i});
  }
  const auto best = top.sorted();
  ASSERT_EQ(best.size(), 20U);
  EXPECT_EQ(best.front(), (Scored{999, 999}));
  EXPECT_EQ(best.back(), (Scored{961, 961}));
}

TEST(TopK, OfAsManyAsThereCouldBeTakesWhatThereIs) {
  TopK top(std::numeric_limits<std::size_t>::max());
  for (std::uint64_t i = 0; i < 100; ++i) top.add({1.0F, i});
  EXPECT_EQ(top.sorted().size(), 100U);
}

}  // namespace
}  // namespace hearth::retrieval
