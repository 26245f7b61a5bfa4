#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "gguf/check.h"
#include "gguf/reader.h"
#include "gguf/split.h"
#include "gguf/writer.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/temp_dir.h"

namespace hearth::gguf {
namespace {

using test::GgufBuilder;
using testing::HasSubstr;

TEST(SplitName, IsReadAndWritten) {
  const auto name = parse_split_name("Big-7B-Q4-00002-of-00013.gguf");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->stem, "Big-7B-Q4");
  EXPECT_EQ(name->no, 1u);
  EXPECT_EQ(name->count, 13u);
  EXPECT_EQ(split_file_name(*name), "Big-7B-Q4-00002-of-00013.gguf");
  for (const char* other :
       {"model.gguf", "00001-of-00002.gguf", "m-00000-of-00002.gguf", "m-00003-of-00002.gguf",
        "m-0001-of-0002.gguf", "m-00001-of-00002.bin", "m-0000x-of-00002.gguf", ".gguf", ""})
    EXPECT_FALSE(parse_split_name(other).has_value()) << other;
}

// A model of three parts with one tensor each, which tests spoil.
class Split : public testing::Test {
 protected:
  Split() {
    for (std::uint32_t no = 0; no < 3; ++no) write_part(no, no, 3, 3);
  }

  std::filesystem::path part(std::uint32_t no) const {
    return dir_ / split_file_name({"model", no, 3});
  }

  void write_part(std::uint32_t place, std::uint32_t no, std::uint32_t count, std::int32_t tensors,
                  std::string tensor = {}) const {
    if (tensor.empty()) tensor = std::string(1, static_cast<char>('a' + place));
    GgufBuilder builder;
    if (place == 0) builder.kv_str("general.architecture", "toy");
    builder.kv<std::uint16_t>("split.no", test::kU16, static_cast<std::uint16_t>(no))
        .kv<std::uint16_t>("split.count", test::kU16, static_cast<std::uint16_t>(count))
        .kv<std::int32_t>("split.tensors.count", test::kI32, tensors)
        .tensor(tensor, {8}, 0, 0)
        .data(std::string(32, static_cast<char>('A' + place)));
    write_file(part(place), builder.build());
  }

  // Opening the first part fails with this text, and check() finds this rule.
  void expect_broken(const std::string& text, Rule rule) const {
    try {
      Reader::open(part(0));
      ADD_FAILURE() << "opened; should say: " << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
    const CheckReport report = check(part(0));
    ASSERT_EQ(report.total, 1u);
    EXPECT_EQ(report.findings[0].rule, rule);
  }

  test::TempDir dir_;
};

TEST_F(Split, AllPartsAreOneModel) {
  const Reader reader = Reader::open(part(0));
  EXPECT_EQ(reader.n_parts(), 3u);
  ASSERT_EQ(reader.tensors().size(), 3u);
  for (const char* name : {"a", "b", "c"}) {
    const Tensor* tensor = reader.find_tensor(name);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(tensor->part, static_cast<std::uint32_t>(name[0] - 'a'));
    EXPECT_EQ(static_cast<char>(tensor->data[31]), static_cast<char>(name[0] - 'a' + 'A'));
    reader.drop_pages(*tensor);
    EXPECT_EQ(static_cast<char>(tensor->data[0]), static_cast<char>(name[0] - 'a' + 'A'));
  }
  EXPECT_EQ(reader.file_bytes(), std::filesystem::file_size(part(0)) +
                                     std::filesystem::file_size(part(1)) +
                                     std::filesystem::file_size(part(2)));
  EXPECT_TRUE(check(part(0)).ok());
}

TEST_F(Split, ACopyIsInOnePiece) {
  const Reader reader = Reader::open(part(0));
  Writer writer;
  writer.copy_metadata(reader);
  for (const Tensor& tensor : reader.tensors()) writer.add_tensor(tensor);
  writer.write(dir_ / "whole.gguf");
  const Reader whole = Reader::open(dir_ / "whole.gguf");
  EXPECT_EQ(whole.n_parts(), 1u);
  EXPECT_EQ(whole.tensors().size(), 3u);
  EXPECT_EQ(whole.find("split.count"), nullptr);
}

TEST_F(Split, APartThatIsNotTheFirstNamesTheFirst) {
  try {
    Reader::open(part(1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("part 2 of a model in 3 files; open the first one"));
    EXPECT_THAT(error.what(), HasSubstr("model-00001-of-00003.gguf"));
  }
}

TEST_F(Split, AMissingPartIsNamed) {
  std::filesystem::remove(part(2));
  expect_broken("part 3 of 3 of this model is missing", Rule::split_missing);
  expect_broken("model-00003-of-00003.gguf", Rule::split_missing);
}

TEST_F(Split, ARenamedFirstPartIsExplained) {
  std::filesystem::rename(part(0), dir_ / "renamed.gguf");
  try {
    Reader::open(dir_ / "renamed.gguf");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the other parts cannot be found"));
    EXPECT_THAT(error.what(), HasSubstr("NAME-00001-of-00003.gguf, got renamed.gguf"));
  }
}

TEST_F(Split, PartsOfAnotherModelAreRefused) {
  write_part(1, 2, 3, 3);
  expect_broken("expected part 2 of 3, got part 3 of 3", Rule::split_part);
  write_part(1, 1, 4, 3);
  expect_broken("expected part 2 of 3, got part 2 of 4", Rule::split_part);
}

TEST_F(Split, TensorsAreCountedAndTheirNamesDiffer) {
  write_part(0, 0, 3, 4);
  expect_broken("expected 4 tensors, got 3", Rule::split_count);
  write_part(0, 0, 3, 3);
  write_part(2, 2, 3, 3, "a");
  expect_broken("tensor 'a' stands twice", Rule::tensor_name_duplicate);
}

TEST_F(Split, ANameTwiceInOnePartIsReportedOnce) {
  GgufBuilder builder;
  builder.kv<std::uint16_t>("split.no", test::kU16, 1)
      .kv<std::uint16_t>("split.count", test::kU16, 3);
  builder.tensor("b", {8}, 0, 0).tensor("b", {8}, 0, 32).data(std::string(64, 'B'));
  write_file(part(1), builder.build());
  write_part(0, 0, 3, 4);
  expect_broken("tensor 'b' stands twice", Rule::tensor_name_duplicate);
}

TEST_F(Split, ADamagedPartIsNamedItself) {
  std::filesystem::resize_file(part(1), std::filesystem::file_size(part(1)) - 1);
  try {
    Reader::open(part(0));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.parts().where, part(1).string());
  }
}

}  // namespace
}  // namespace hearth::gguf
