// The index against brute force in double, hand-computed BM25 scores, and files that a power cut,
// an accident or an enemy has left.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <fstream>
#include <random>

#include "base/error.h"
#include "engine/retrieval/fusion.h"
#include "engine/retrieval/index.h"
#include "fuzz/fix_index_hashes.h"
#include "tests/support/temp_dir.h"

namespace hearth::retrieval {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<float> random_vector(std::mt19937& random, std::size_t d) {
  std::normal_distribution<float> normal;
  std::vector<float> v(d);
  for (float& x : v) x = normal(random);
  return v;
}

class IndexTest : public testing::Test {
 protected:
  Index make(VectorLayout layout = {}) {
    Index::create(path_, {.layout = layout, .embedder = layout.dimension > 0 ? "toy" : ""});
    return Index(path_, Access::write, 2);
  }

  static Record text(std::string key, std::string words) {
    return {.key = std::move(key), .text = std::move(words)};
  }

  static std::vector<std::string> keys(const Index& index, const std::vector<Scored>& found) {
    std::vector<std::string> all;
    for (const Scored& one : found) all.emplace_back(index.record(one.number).key);
    return all;
  }

  test::TempDir dir_;
  fs::path path_ = dir_ / "kb.hearth";
};

double exact(Metric metric, const std::vector<float>& a, const std::vector<float>& b) {
  double dot = 0, aa = 0, bb = 0, difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    dot += x * y;
    aa += x * x;
    bb += y * y;
    difference += (x - y) * (x - y);
  }
  if (metric == Metric::inner_product) return dot;
  return metric == Metric::cosine ? dot / std::sqrt(aa * bb) : -difference;
}

TEST_F(IndexTest, FindsWhatBruteForceFinds) {
  for (const Metric metric : {Metric::inner_product, Metric::cosine, Metric::l2}) {
    for (const std::uint32_t d : {1U, 3U, 8U, 17U, 128U}) {
      for (const Storage storage : {Storage::f32, Storage::f16, Storage::int8}) {
        SCOPED_TRACE(testing::Message() << metric_name(metric) << ", d " << d << ", storage "
                                        << static_cast<int>(storage));
        fs::remove(path_);
        Index index = make({.dimension = d, .metric = metric, .storage = storage});
        std::mt19937 random(d);
        std::vector<std::vector<float>> rows;
        for (int i = 0; i < 700; ++i) {
          rows.push_back(random_vector(random, d));
          index.put({.key = std::to_string(1000 + i), .text = "", .vector = rows.back()});
          if (i == 299) index.commit();  // two segments
        }
        index.commit();
        const std::size_t k = 10;
        std::vector<float> queries;
        for (int q = 0; q < 3; ++q) {
          const auto query = random_vector(random, d);
          queries.insert(queries.end(), query.begin(), query.end());
        }
        const auto found = index.nearest(queries, k);
        ASSERT_EQ(found.size(), 3U);
        for (std::size_t q = 0; q < 3; ++q) {
          const std::vector<float> query(
              queries.begin() + static_cast<std::ptrdiff_t>(q * d),
              queries.begin() + static_cast<std::ptrdiff_t>((q + 1) * d));
          std::vector<double> scores;
          for (const auto& row : rows) scores.push_back(exact(metric, row, query));
          std::sort(scores.rbegin(), scores.rend());
          ASSERT_EQ(found[q].size(), k);
          const double tolerance = storage == Storage::f16 ? 1e-2 : 1e-5;
          for (std::size_t i = 0; i < k; ++i) {
            const auto score = static_cast<double>(found[q][i].score);
            ASSERT_NEAR(score, scores[i], tolerance * std::max(1.0, std::abs(scores[i]))) << i;
          }
        }
      }
    }
  }
}

TEST_F(IndexTest, EqualScoresComeInTheOrderOfTheirNumbers) {
  Index index = make({.dimension = 2});
  for (const char* key : {"c", "a", "d", "b"})
    index.put({.key = key, .text = "", .vector = {1, 0}});
  index.commit();
  const std::vector<float> query = {1, 1};
  EXPECT_THAT(keys(index, index.nearest(query, 3).front()), ElementsAre("a", "b", "c"));
}

// Three texts of 2, 4 and 3 words, 3 on average. "cat" is in two of them, "sat" in one.
TEST_F(IndexTest, ScoresWordsByBm25) {
  Index index = make();
  index.put(text("1", "the cat"));
  index.put(text("2", "The cat, CAT sat!"));
  index.put(text("3", "a big dog"));
  index.commit();
  const auto part = [](double tf, double length) {
    return tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / 3));
  };
  const double cat = std::log(1 + 1.5 / 2.5), sat = std::log(1 + 2.5 / 1.5);
  const auto found = index.best_words("cat sat", 10);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].number, 1U);
  EXPECT_NEAR(static_cast<double>(found[0].score), cat * part(2, 4) + sat * part(1, 4), 1e-6);
  EXPECT_EQ(found[1].number, 0U);
  EXPECT_NEAR(static_cast<double>(found[1].score), cat * part(1, 2), 1e-6);
  EXPECT_NEAR(index.word_weights("cat sat").at("sat"), sat, 1e-9);
  EXPECT_TRUE(index.best_words("zebra", 10).empty());
}

TEST_F(IndexTest, AnIndexWithAHistoryIsLikeAFreshOne) {
  Index index = make({.dimension = 2});
  const auto put = [](Index& to, std::string key, std::string words, std::vector<float> v) {
    to.put({.key = std::move(key), .text = std::move(words), .vector = std::move(v)});
  };
  put(index, "a", "old words of a", {1, 0});
  put(index, "b", "blue bird", {0, 1});
  put(index, "c", "green bird sings", {1, 1});
  index.commit();
  put(index, "a", "a red bird", {-1, 0});
  EXPECT_TRUE(index.remove("b"));
  EXPECT_FALSE(index.remove("nobody"));
  index.commit();
  put(index, "d", "no fish", {0, -1});
  index.commit();
  EXPECT_EQ(index.size(), 3U);
  EXPECT_EQ(index.n_deleted(), 2U);

  const fs::path other = dir_ / "fresh";
  Index::create(other, index.settings());
  Index fresh(other, Access::write, 1);
  put(fresh, "a", "a red bird", {-1, 0});
  put(fresh, "c", "green bird sings", {1, 1});
  put(fresh, "d", "no fish", {0, -1});
  fresh.commit();
  const auto same = [&](const std::vector<Scored>& x, const std::vector<Scored>& y) {
    ASSERT_EQ(x.size(), y.size());
    std::map<std::string, float> left, right;
    for (const Scored& one : x) left[std::string(index.record(one.number).key)] = one.score;
    for (const Scored& one : y) right[std::string(fresh.record(one.number).key)] = one.score;
    EXPECT_EQ(left, right);
  };
  const std::vector<float> query = {0.5F, 1};
  same(index.nearest(query, 5).front(), fresh.nearest(query, 5).front());
  same(index.best_words("bird sings old", 5), fresh.best_words("bird sings old", 5));

  index.compact();
  EXPECT_THROW(Index(path_, Access::write), Error) << "the lock is still held";
  EXPECT_FALSE(fs::exists(path_.string() + ".new"));
  EXPECT_EQ(index.n_deleted(), 0U);
  EXPECT_EQ(index.size(), 3U);
  same(index.best_words("bird sings old", 5), fresh.best_words("bird sings old", 5));
  EXPECT_EQ(index.record(*index.find("a")).text, "a red bird");
  EXPECT_FALSE(index.find("b").has_value());
}

TEST_F(IndexTest, FiltersByFacts) {
  Index index = make({.dimension = 1});
  for (int i = 0; i < 100; ++i) {
    index.put(
        {.key = std::to_string(100 + i),
         .text = "word",
         .facts = {{"source", i % 10 == 3 ? "b/x.md" : "a/x.md"}, {"line", std::to_string(i)}},
         .vector = {static_cast<float>(i + 1)}});
  }
  index.commit();
  const std::vector<float> query = {1};
  const Index::Filter in_b = {{"source", Condition::Is::prefix, "b/"}};
  EXPECT_EQ(index.nearest(query, 50, in_b).front().size(), 10U);
  EXPECT_EQ(index.best_words("word", 50, in_b).size(), 10U);
  EXPECT_EQ(index.nearest(query, 200, {{"source", Condition::Is::other, "b/x.md"}}).front().size(),
            90U);
  EXPECT_TRUE(index.best_words("word", 5, {{"source", Condition::Is::equal, "c"}}).empty());
  const auto n = [&](const char* name, Condition::Is is, const char* value) {
    return index.best_words("word", 200, {{name, is, value}}).size();
  };
  EXPECT_EQ(n("line", Condition::Is::less, "10"), 10U);  // as numbers: "9" < "10"
  EXPECT_EQ(n("line", Condition::Is::more, "89.5"), 10U);
  EXPECT_EQ(n("source", Condition::Is::less, "b"), 90U);  // as texts
  EXPECT_EQ(n("absent", Condition::Is::more, ""), 0U);
  const auto n_in = [&](const char* name, std::vector<std::string> values) {
    const Index::Filter filter = {
        {.name = name, .is = Condition::Is::in, .values = std::move(values)}};
    const std::size_t by_words = index.best_words("word", 200, filter).size();
    EXPECT_EQ(index.nearest(query, 200, filter).front().size(), by_words);
    return by_words;
  };
  EXPECT_EQ(n_in("line", {"7", "13", "100", "1"}), 3U);
  EXPECT_EQ(n_in("source", {"b/x.md", "b/"}), 10U);
  EXPECT_EQ(n_in("source", {}), 0U);
}

TEST_F(IndexTest, RefusesVectorsThatDoNotFit) {
  Index index = make({.dimension = 2});
  EXPECT_THROW(index.put({.key = "a", .text = "", .vector = {1}}), Error);
  EXPECT_THROW(index.put({.key = "a", .text = "", .vector = {1, NAN}}), Error);
  const std::vector<float> three = {1, 2, 3};
  EXPECT_THROW(index.nearest(three, 1), Error);
  EXPECT_THROW(index.check_embedder("another"), Error);
  EXPECT_NO_THROW(index.check_embedder("toy"));
}

TEST_F(IndexTest, OneWriterAtATime) {
  Index index = make();
  EXPECT_THROW(Index(path_, Access::write), Error);
  EXPECT_NO_THROW(Index(path_, Access::read));
}

/// An index of one commit and the bytes of the file after the next.
struct TwoStates {
  std::string old_bytes, new_bytes;
};

std::string describe(const std::string& bytes) {
  const Index index(std::as_bytes(std::span(bytes)), "memory");
  std::string all;
  for (std::uint64_t i = 0; i < index.n_numbers(); ++i) {
    if (index.is_live(i)) all += std::string(index.record(i).key) + " ";
  }
  const std::vector<float> query = {1, 0};
  const auto nearest = index.nearest(query, 5);
  for (const Scored& one : nearest.front()) all += std::to_string(one.number) + ",";
  for (const Scored& one : index.best_words("two", 5)) all += std::to_string(one.number) + ";";
  return all;
}

class Crash : public IndexTest {
 protected:
  TwoStates states() {
    Index index = make({.dimension = 2, .storage = Storage::int8});
    index.put({.key = "a", .text = "one", .vector = {1, 0}});
    index.commit();
    TwoStates two{.old_bytes = read_file(path_), .new_bytes = {}};
    index.put({.key = "b", .text = "two words", .vector = {0, 1}});
    index.remove("a");
    index.commit();
    two.new_bytes = read_file(path_);
    return two;
  }
};

// A commit appends, then overwrites one superblock: a power cut leaves any beginning of what was
// appended with the old first page, or all of it with any beginning of the new superblock.
TEST_F(Crash, AtAnyByteLeavesTheOldStateOrTheNew) {
  const TwoStates two = states();
  const std::string was = describe(two.old_bytes), is = describe(two.new_bytes);
  ASSERT_NE(was, is);
  for (std::size_t n = two.old_bytes.size(); n <= two.new_bytes.size(); ++n) {
    std::string torn = two.new_bytes.substr(0, n);
    torn.replace(0, 4096, two.old_bytes, 0, 4096);
    ASSERT_EQ(describe(torn), was) << n;
  }
  for (std::size_t n = 0; n <= 4096; ++n) {
    std::string torn = two.new_bytes;
    torn.replace(n, 4096 - n, two.old_bytes, n, 4096 - n);
    const std::string found = describe(torn);
    ASSERT_TRUE(found == was || found == is) << n;
    if (n == 0) {
      EXPECT_EQ(found, was);
    }
    if (n == 4096) {
      EXPECT_EQ(found, is);
    }
  }
}

TEST_F(Crash, ATruncatedFileIsTheOldStateOrRefused) {
  const TwoStates two = states();
  const std::string was = describe(two.old_bytes), is = describe(two.new_bytes);
  for (std::size_t n = 0; n < two.new_bytes.size(); ++n) {
    try {
      const std::string found = describe(two.new_bytes.substr(0, n));
      ASSERT_EQ(found, was) << n;
    } catch (const Error&) {
      ASSERT_LT(n, two.old_bytes.size()) << "the old state is whole";
    }
  }
}

TEST_F(Crash, AFlippedBitIsSeenOrDoesNotMatter) {
  const TwoStates two = states();
  const std::string was = describe(two.old_bytes), is = describe(two.new_bytes);
  for (std::size_t byte = 0; byte < two.new_bytes.size(); ++byte) {
    for (const int bit : {0, 5, 7}) {
      std::string flipped = two.new_bytes;
      flipped[byte] = static_cast<char>(flipped[byte] ^ 1 << bit);
      try {
        const std::string found = describe(flipped);
        const Index index(std::as_bytes(std::span(flipped)), "memory");
        ASSERT_TRUE(found == is || (found == was && index.is_fallback())) << byte;
      } catch (const Error&) {
      }
    }
  }
}

TEST_F(Crash, TheNextCommitMakesADamagedOneGood) {
  std::string bytes = states().new_bytes;
  // The second commit of an index overwrites the superblock that its making wrote.
  for (const std::uint64_t at : kSuperblockAt) {
    std::string torn = bytes;
    torn[at + 3] = static_cast<char>(torn[at + 3] ^ 1);
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << torn;
    {
      Index index(path_, Access::write);
      EXPECT_TRUE(index.is_fallback());
      index.commit();
      EXPECT_FALSE(index.is_fallback());
    }
    EXPECT_FALSE(Index(path_).is_fallback());
  }
}

TEST_F(IndexTest, OfALinkIsItsTarget) {
  { Index index = make(); }
  const fs::path real = path_.string() + ".real";
  fs::rename(path_, real);
  fs::create_symlink(real, path_);
  Index index(path_, Access::write);
  index.put(text("a", "one"));
  index.commit();
  index.compact();
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_EQ(Index(real).size(), 1U);
}

// With right checksums, as somebody who means harm would make them.
TEST_F(Crash, AForgedFileIsRefusedOrHarmless) {
  const TwoStates two = states();
  std::mt19937 random(3);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    alignas(64) static std::byte memory[1 << 14];
    ASSERT_LE(two.new_bytes.size(), sizeof memory);
    const std::span<std::byte> file = std::span(memory).first(two.new_bytes.size());
    std::memcpy(file.data(), two.new_bytes.data(), file.size());
    for (unsigned n = 1 + random() % 3; n > 0; --n) {
      const std::size_t at = random() % 2 ? random() % file.size() : 4096 + random() % 1024;
      file[at % file.size()] = static_cast<std::byte>(random() % 3 ? random() : 0xFF);
    }
    fix_index_hashes(file);
    try {
      describe(std::string(reinterpret_cast<const char*>(file.data()), file.size()));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(Crash, ANewerVersionIsNamed) {
  std::string bytes = states().new_bytes;
  bytes[8] = 2;
  try {
    describe(bytes);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("format"));
  }
}

// A child that commits on and on is killed at any moment; what it leaves is always whole.
TEST_F(Crash, AKilledWriterLeavesAWholeIndex) {
  { Index index = make(); }
  std::uint64_t before = 0;
  for (int round = 0; round < 12; ++round) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Index index(path_, Access::write, 1);
      for (std::uint64_t i = index.size();; ++i) {
        index.put(text("k" + std::to_string(i), "some words " + std::to_string(i)));
        index.commit();
        if (index.wants_compaction()) index.compact();
      }
    }
    usleep(static_cast<useconds_t>(3000 + 2300 * round));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    const Index index(path_);
    EXPECT_FALSE(index.is_fallback());
    EXPECT_GE(index.size(), before);
    for (std::uint64_t i = 0; i < index.size(); ++i) {
      ASSERT_TRUE(index.find("k" + std::to_string(i)).has_value()) << i;
    }
    before = index.size();
  }
  EXPECT_GT(before, 0U);
}

// As a full disk does: the write fails, here because files may not be larger.
TEST_F(Crash, AFullDiskLeavesTheOldState) {
  Index index = make();
  index.put(text("a", "one"));
  index.commit();
  const std::string before = read_file(path_);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{before.size() + 1000, before.size() + 1000};
    setrlimit(RLIMIT_FSIZE, &limit);
    index.put(text("b", std::string(100000, 'x')));
    try {
      index.commit();
    } catch (const Error&) {
      _exit(7);
    }
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(read_file(path_), before);
}

TEST_F(Crash, AFullDiskDuringACompactionLeavesTheIndexInUse) {
  Index index = make();
  for (const char* key : {"a", "b"}) index.put(text(key, std::string(20000, 'x') + " " + key));
  index.commit();
  index.remove("a");
  index.commit();
  const std::string before = read_file(path_);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{10000, 10000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      index.compact();
    } catch (const Error&) {
      const bool is_usable = index.size() == 1 && index.best_words("b", 5).size() == 1;
      _exit(is_usable ? 7 : 8);
    }
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(read_file(path_), before);
  EXPECT_FALSE(fs::exists(path_.string() + ".new"));
}

TEST(Fusion, AddsReciprocalRanks) {
  const std::vector<Scored> rankings[] = {{{9.0F, 5}, {8.0F, 7}}, {{0.3F, 7}, {0.2F, 1}}};
  const auto fused = fuse(rankings, 10);
  ASSERT_EQ(fused.size(), 3U);
  EXPECT_EQ(fused[0].number, 7U);
  EXPECT_FLOAT_EQ(fused[0].score, 1.0F / 22 + 1.0F / 21);
  EXPECT_EQ(fused[1].number, 5U);
  EXPECT_FLOAT_EQ(fused[1].score, 1.0F / 21);
  EXPECT_EQ(fused[2].number, 1U);
}

}  // namespace
}  // namespace hearth::retrieval
