// Search by words and vectors together, on made-up records whose right answers are known.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "engine/retrieval/index.h"
#include "tests/support/temp_dir.h"

namespace hearth::retrieval {
namespace {

constexpr std::size_t kRecords = 800;
constexpr std::size_t kDimension = 32;
constexpr std::size_t kQuestions = 400;
constexpr std::size_t kWanted = 5;

/// How hard a question is: of the record's eight words it keeps some and adds others, and its
/// vector is the record's with noise, as a multiple of its own length.
struct Hardness {
  int words_kept;
  int words_added;
  double noise;
};

struct Shares {
  double words, vectors, fused;  // of the questions whose record is among the best five
};

class FusedSearch : public testing::Test {
 protected:
  FusedSearch() {
    Index::create(path_, {.layout = {.dimension = kDimension}, .embedder = "made up"});
    index_ = std::make_unique<Index>(path_, Access::write, 2);
    for (std::size_t i = 0; i < kRecords; ++i) {
      texts_.emplace_back();
      for (int w = 0; w < 8; ++w) texts_.back().push_back(word());
      vectors_.push_back(noise(1.0));
      // Numbers are in the order of the keys.
      index_->put(
          {.key = std::to_string(10000 + i), .text = joined(texts_[i]), .vector = vectors_[i]});
    }
    index_->commit();
  }

  /// Few words are frequent and many rare, as in a language.
  std::string word() {
    const double u = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
    return "w" + std::to_string(static_cast<int>(600.0 * u * u * u));
  }

  std::vector<float> noise(double size) {
    std::normal_distribution<double> normal(0.0, size);
    std::vector<float> v(kDimension);
    for (float& x : v) x = static_cast<float>(normal(random_));
    return v;
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& w : words) text += w + " ";
    return text;
  }

  Shares measure(const Hardness& hard) {
    Shares hits{};
    for (std::size_t q = 0; q < kQuestions; ++q) {
      const std::size_t right = random_() % kRecords;
      std::vector<std::string> words = texts_[right];
      std::shuffle(words.begin(), words.end(), random_);
      words.resize(static_cast<std::size_t>(hard.words_kept));
      for (int i = 0; i < hard.words_added; ++i) words.push_back(word());
      std::vector<float> vector = noise(hard.noise);
      for (std::size_t i = 0; i < kDimension; ++i) vector[i] += vectors_[right][i];
      const auto share = [&](const std::vector<Scored>& found) {
        const bool is_hit = std::any_of(found.begin(), found.end(),
                                        [&](const Scored& one) { return one.number == right; });
        return is_hit ? 1.0 / kQuestions : 0.0;
      };
      const std::string text = joined(words);
      hits.words += share(index_->best_words(text, kWanted));
      hits.vectors += share(index_->nearest(vector, kWanted).front());
      hits.fused += share(index_->best_fused(text, vector, kWanted));
    }
    return hits;
  }

  test::TempDir dir_;
  std::filesystem::path path_ = dir_ / "kb.hearth";
  std::mt19937 random_{11};
  std::vector<std::vector<std::string>> texts_;
  std::vector<std::vector<float>> vectors_;
  std::unique_ptr<Index> index_;
};

TEST_F(FusedSearch, IsNeverMuchWorseThanTheBetterOfTheTwo) {
  double gained = 0.0;
  for (const int kept : {2, 3, 5, 8}) {
    for (const double noise : {0.5, 1.0, 1.5, 2.0}) {
      const Shares s = measure({.words_kept = kept, .words_added = 4, .noise = noise});
      SCOPED_TRACE(testing::Message()
                   << kept << " words kept, noise " << noise << ": words " << s.words
                   << ", vectors " << s.vectors << ", fused " << s.fused);
      EXPECT_GE(s.fused, std::max(s.words, s.vectors) - 0.02);
      gained += s.fused - std::max(s.words, s.vectors);
    }
  }
  EXPECT_GT(gained, 0.0);
}

}  // namespace
}  // namespace hearth::retrieval
