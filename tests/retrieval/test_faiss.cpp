// FAISS's flat files: bytes by hand, bytes that an accident or an enemy has left, and the way into
// an index and back. `bench_search check` has the library itself read and write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include "base/error.h"
#include "engine/retrieval/faiss_exchange.h"
#include "engine/retrieval/faiss_file.h"
#include "engine/retrieval/index_file.h"
#include "tests/support/temp_dir.h"

namespace hearth::retrieval {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// The fields of a FAISS file, one after the other as its index_write.cpp writes them.
struct Fields {
  std::string name = "IxFI";
  std::int32_t dimension = 2;
  std::int64_t count = 2;
  std::int32_t metric = 0;
  std::uint64_t n_values = 4;
  std::vector<float> values = {1, 2, 3, 4};

  std::string bytes() const {
    std::string out = name;
    const auto put = [&out](auto value) {
      out.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    put(dimension);
    put(count);
    put(std::int64_t{1 << 20});
    put(std::int64_t{1 << 20});
    put(std::uint8_t{1});
    put(metric);
    put(n_values);
    for (const float v : values) put(v);
    return out;
  }
};

class Faiss : public testing::Test {
 protected:
  void write(const std::string& bytes) const { std::ofstream(file_, std::ios::binary) << bytes; }

  std::string read(const fs::path& path) const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// What an import of the file says; empty if it succeeds.
  std::string refusal() const {
    fs::remove(index_);
    try {
      import_faiss(file_, index_, {});
      return {};
    } catch (const Error& error) {
      return error.what();
    }
  }

  /// Files beside the one that is read.
  std::size_t n_others() const {
    std::size_t n = 0;
    for (const auto& entry : fs::directory_iterator(dir_.path())) n += entry.path() != file_;
    return n;
  }

  test::TempDir dir_;
  fs::path file_ = dir_ / "flat.faiss";
  fs::path index_ = dir_ / "kb.hearth";
};

TEST_F(Faiss, FilesAreReadAndWritten) {
  for (const Fields& fields : {Fields{}, Fields{.name = "IxF2", .metric = 1}}) {
    write(fields.bytes());
    FlatReader reader(file_);
    EXPECT_EQ(reader.head().metric, fields.metric == 1 ? Metric::l2 : Metric::inner_product);
    EXPECT_EQ(reader.head().dimension, 2U);
    EXPECT_EQ(reader.head().count, 2U);
    EXPECT_THAT(reader.next(1), ElementsAre(1, 2));
    EXPECT_THAT(reader.next(5), ElementsAre(3, 4));
    EXPECT_TRUE(reader.next(5).empty());
    const fs::path other = dir_ / "other";
    FlatWriter writer(other, reader.head());
    writer.write(std::vector<float>{1, 2, 3});
    writer.write(std::vector<float>{4});
    writer.commit();
    EXPECT_EQ(read(other), fields.bytes());
  }
}

TEST_F(Faiss, WhatIsNotAWholeFlatFileIsRefused) {
  const std::string whole = Fields{}.bytes();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    write(whole.substr(0, n));
    ASSERT_NE(refusal(), "") << n;
    ASSERT_EQ(n_others(), 0U) << n;
  }
  write(whole + '\0');
  EXPECT_THAT(refusal(), HasSubstr("counts do not agree"));
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const Fields forged[] = {
      {.name = "IxHN"},
      {.metric = 1},
      {.name = "IxF2", .metric = 0},
      {.dimension = 0},
      {.dimension = -2},
      {.dimension = std::numeric_limits<std::int32_t>::max()},
      {.count = -2},
      {.count = kMost},
      {.count = kMost, .n_values = static_cast<std::uint64_t>(kMost) * 2},
      {.count = std::int64_t{1} << 62, .n_values = 0},  // times 4 bytes is 0
      {.count = 1},
      {.n_values = 3},
      {.n_values = std::numeric_limits<std::uint64_t>::max()},
  };
  for (const Fields& fields : forged) {
    write(fields.bytes());
    EXPECT_NE(refusal(), "") << fields.name << " " << fields.dimension << " " << fields.count;
    EXPECT_EQ(n_others(), 0U);
  }
  fs::remove(file_);
  EXPECT_THAT(refusal(), HasSubstr("cannot be opened"));
  fs::create_directory(file_);
  EXPECT_THAT(refusal(), HasSubstr("cannot be opened"));
}

TEST_F(Faiss, VectorsThatCannotBeStoredLeaveNothing) {
  for (const float bad : {NAN, INFINITY}) {
    write(Fields{.values = {1, 2, 3, bad}}.bytes());
    EXPECT_THAT(refusal(), HasSubstr("0000000001"));  // the key says which
    EXPECT_EQ(n_others(), 0U);
  }
}

TEST_F(Faiss, VectorsGoIntoAnIndexAndBack) {
  for (const Metric metric : {Metric::inner_product, Metric::l2}) {
    for (const Storage storage : {Storage::f32, Storage::f16, Storage::int8}) {
      Fields fields{.dimension = 3, .count = 3000, .n_values = 9000, .values = {}};
      if (metric == Metric::l2) {
        fields.name = "IxF2";
        fields.metric = 1;
      }
      for (int i = 0; i < 9000; ++i) fields.values.push_back(static_cast<float>(i * 37 % 512));
      write(fields.bytes());
      fs::remove(index_);
      EXPECT_EQ(import_faiss(file_, index_, {.embedder = "toy", .storage = storage}), 3000U);
      const Index index(index_);
      EXPECT_EQ(index.size(), 3000U);
      EXPECT_EQ(index.settings().embedder, "toy");
      EXPECT_EQ(index.settings().layout.metric, metric);
      EXPECT_EQ(index.record(2999).key, "0000002999");
      EXPECT_EQ(index.vector(1), (std::vector<float>{111, 148, 185}));
      const fs::path back = dir_ / "back";
      std::uint64_t n = 0;
      export_faiss(index, back, [&n](std::uint64_t number) { EXPECT_EQ(number, n++); });
      EXPECT_EQ(n, 3000U);
      EXPECT_EQ(read(back), fields.bytes());  // whole numbers below 2048 are whole in all storages
    }
  }
}

TEST_F(Faiss, CosineIsTheInnerProductOfUnitVectorsAndTheDeletedAreGone) {
  Index::create(index_, {.layout = {.dimension = 2}, .embedder = "toy"});
  Index index(index_, Access::write);
  index.put({.key = "a", .text = "", .vector = {3, 4}});
  index.put({.key = "b", .text = "", .vector = {1, 0}});
  index.put({.key = "c", .text = "", .vector = {0, 2}});
  index.commit();
  index.remove("b");
  index.commit();
  EXPECT_EQ(export_faiss(index, file_), 2U);
  FlatReader reader(file_);
  EXPECT_EQ(reader.head().metric, Metric::inner_product);
  EXPECT_THAT(reader.next(9), ElementsAre(0.6F, 0.8F, 0.0F, 1.0F));
  fs::remove(index_);
  Index::create(index_, {});
  EXPECT_THROW(export_faiss(Index(index_), file_), Error);  // words alone
}

TEST_F(Faiss, TextsAndFactsStandBesideTheirVectors) {
  write(Fields{}.bytes());
  import_faiss(file_, index_, {.next_record = [](std::uint64_t i, std::uint64_t n) {
                 return Record{.key = "",
                               .text = i + 1 == n ? "the last" : "the first",
                               .facts = {{"source", std::to_string(i)}}};
               }});
  const Index index(index_);
  const auto found = index.best_words("last", 5);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].number, 1U);
  EXPECT_EQ(index.record(1).fact("source"), "1");
}

TEST_F(Faiss, AnImportNeverReplacesAnIndexOrDisturbsAnother) {
  write(Fields{}.bytes());
  Index::create(index_, {});
  EXPECT_THROW(import_faiss(file_, index_, {}), Error);
  EXPECT_EQ(Index(index_).settings().layout.dimension, 0U);
  fs::remove(index_);
  const fs::path begun = index_.string() + ".new";
  Index::create(begun, {});
  {
    const IndexFile other(begun, Access::write);  // of an import that is at work
    EXPECT_THROW(import_faiss(file_, index_, {}), Error);
    EXPECT_TRUE(fs::exists(begun));
  }
  import_faiss(file_, index_, {});  // of one that was killed
  EXPECT_FALSE(fs::exists(begun));
  EXPECT_EQ(Index(index_).size(), 2U);
  fs::remove(index_);
  EXPECT_THROW(import_faiss(file_, index_, {.dimension = 3}), Error);  // the embedder's
}

}  // namespace
}  // namespace hearth::retrieval
