#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "gguf/reader.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/temp_dir.h"

namespace hearth::gguf {
namespace {

using test::Bytes;
using test::GgufBuilder;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Reader, ReadsEveryTypeOfValue) {
  const Bytes file = GgufBuilder()
                         .kv<std::uint8_t>("u8", test::kU8, 200)
                         .kv<std::int8_t>("i8", test::kI8, -100)
                         .kv<std::uint16_t>("u16", test::kU16, 65535)
                         .kv<std::int16_t>("i16", test::kI16, -32768)
                         .kv<std::uint32_t>("u32", test::kU32, 4294967295u)
                         .kv<std::int32_t>("i32", test::kI32, -7)
                         .kv<float>("f32", test::kF32, 0.5f)
                         .kv<std::uint8_t>("bool", test::kBool, 1)
                         .kv_str("string", "Grüße")
                         .kv<std::uint64_t>("u64", test::kU64, 1ull << 63)
                         .kv<std::int64_t>("i64", test::kI64, -1)
                         .kv<double>("f64", test::kF64, 0.1)
                         .kv_array<std::int16_t>("ints", test::kI16, {-1, 0, 7})
                         .kv_array<float>("floats", test::kF32, {1.5f, -2.0f})
                         .kv_strings("strings", {"a", "", "ccc"})
                         .build();
  const Reader reader = Reader::from_bytes(file.bytes(), "test.gguf");
  EXPECT_EQ(reader.at("u8").as_uint(), 200u);
  EXPECT_EQ(reader.at("i8").as_int(), -100);
  EXPECT_EQ(reader.at("u16").as_int(), 65535);
  EXPECT_EQ(reader.at("i16").as_int(), -32768);
  EXPECT_EQ(reader.at("u32").as_uint(), 4294967295u);
  EXPECT_EQ(reader.at("i32").as_int(), -7);
  EXPECT_EQ(reader.at("f32").as_float(), 0.5);
  EXPECT_TRUE(reader.at("bool").as_bool());
  EXPECT_EQ(reader.at("string").as_string(), "Grüße");
  EXPECT_EQ(reader.at("u64").as_uint(), 1ull << 63);
  EXPECT_EQ(reader.at("i64").as_int(), -1);
  EXPECT_EQ(reader.at("f64").as_float(), 0.1);
  EXPECT_THAT(reader.at("ints").as_ints(), ElementsAre(-1, 0, 7));
  EXPECT_THAT(reader.at("floats").as_floats(), ElementsAre(1.5f, -2.0f));
  EXPECT_THAT(reader.at("strings").as_strings(), ElementsAre("a", "", "ccc"));
  EXPECT_EQ(reader.metadata().size(), 15u);
  EXPECT_EQ(reader.find("absent"), nullptr);
}

TEST(Reader, FindsTensorsAndTheirBytes) {
  GgufBuilder builder;
  builder.tensor("a.weight", {2, 3}, 0, 0).tensor("b.bias", {4}, 0, 32);
  builder.data("aaaabbbbccccddddeeeeffff________0000111122223333");
  const Bytes file = builder.build();
  const Reader reader = Reader::from_bytes(file.bytes(), "test.gguf");
  ASSERT_EQ(reader.tensors().size(), 2u);
  const Tensor* a = reader.find_tensor("a.weight");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->columns(), 2u);
  EXPECT_EQ(a->rows(), 3u);
  EXPECT_EQ(a->elements(), 6u);
  EXPECT_EQ(a->data.size(), 24u);
  EXPECT_EQ(static_cast<char>(a->data[4]), 'b');
  const Tensor* b = reader.find_tensor("b.bias");
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(static_cast<char>(b->data[15]), '3');
  EXPECT_EQ(reader.find_tensor("c"), nullptr);
}

TEST(Reader, AMissingKeyAndAWrongTypeNameTheFileAndTheKey) {
  const Bytes file = GgufBuilder().kv_str("general.name", "x").build();
  const Reader reader = Reader::from_bytes(file.bytes(), "test.gguf");
  try {
    reader.at("llama.block_count");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("test.gguf"));
    EXPECT_THAT(error.what(), HasSubstr("'llama.block_count' is missing"));
  }
  try {
    reader.at("general.name").as_uint();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.parts().where, "test.gguf");
    EXPECT_THAT(error.parts().what, HasSubstr("'general.name'"));
    EXPECT_EQ(error.parts().expected, "an integer");
    EXPECT_EQ(error.parts().got, "the string 'x'");
  }
}

TEST(Reader, ThrowsOnWhatIsNotGguf) {
  const Bytes file = Bytes().raw("PK\x03\x04 something else entirely");
  EXPECT_THROW(Reader::from_bytes(file.bytes(), "x"), Error);
  EXPECT_THROW(Reader::from_bytes({}, "x"), Error);
}

TEST(Reader, ReadsVersion2) {
  GgufBuilder builder;
  builder.version = 2;
  const Bytes file = builder.kv_str("general.architecture", "toy").build();
  const Reader reader = Reader::from_bytes(file.bytes(), "x");
  EXPECT_EQ(reader.version(), 2u);
  EXPECT_EQ(reader.at("general.architecture").as_string(), "toy");
}

TEST(Reader, AFileWithoutTensorsNeedsNoPadding) {
  const Bytes file = GgufBuilder().kv_str("general.architecture", "toy").build();
  ASSERT_NE(file.size() % 32, 0u);
  EXPECT_TRUE(Reader::from_bytes(file.bytes(), "x").tensors().empty());
}

TEST(Reader, AScalarHasOneElement) {
  const Bytes file = GgufBuilder().tensor("scale", {}, 0, 0).data("1234").build();
  const Reader reader = Reader::from_bytes(file.bytes(), "x");
  EXPECT_EQ(reader.tensors()[0].elements(), 1u);
  EXPECT_EQ(reader.tensors()[0].data.size(), 4u);
}

TEST(Reader, TensorsMayStandInAnyOrderAndLeaveGaps) {
  const Bytes file = GgufBuilder()
                         .tensor("late", {8}, 0, 128)
                         .tensor("early", {8}, 0, 0)
                         .data(std::string(160, 'x'))
                         .build();
  EXPECT_EQ(Reader::from_bytes(file.bytes(), "x").tensors()[0].name, "late");
}

// What each wrong path is called in the message.
TEST(Reader, SaysWhatAPathIsIfItIsNoFile) {
  const test::TempDir dir;
  write_file(dir / "empty", Bytes());
  ASSERT_EQ(mkfifo((dir / "pipe").c_str(), 0600), 0);
  const auto message = [](const std::filesystem::path& path) {
    try {
      Reader::open(path);
      return std::string("opened");
    } catch (const Error& error) {
      EXPECT_EQ(error.parts().where, path.string());
      return std::string(error.what());
    }
  };
  EXPECT_THAT(message(dir / "missing"), HasSubstr("No such file or directory"));
  EXPECT_THAT(message(dir.path()), HasSubstr("a directory"));
  EXPECT_THAT(message(dir / "pipe"), HasSubstr("a pipe"));  // and does not wait for a writer
  EXPECT_THAT(message("/dev/zero"), HasSubstr("a device"));
  EXPECT_THAT(message(dir / "empty"), HasSubstr("the file is empty"));
  write_file(dir / "secret", GgufBuilder().build());
  std::filesystem::permissions(dir / "secret", std::filesystem::perms::none);
  if (geteuid() != 0) {
    EXPECT_THAT(message(dir / "secret"), HasSubstr("Permission denied"));
  }
}

TEST(Value, RefusesConversionsThatWouldLoseSomething) {
  const Bytes file = GgufBuilder()
                         .kv<std::uint64_t>("big", test::kU64, 1ull << 63)
                         .kv<std::int8_t>("negative", test::kI8, -1)
                         .kv_array<float>("floats", test::kF32, {1})
                         .kv_array<std::uint8_t>("flags", test::kBool, {1, 0})
                         .build();
  const Reader reader = Reader::from_bytes(file.bytes(), "x");
  EXPECT_THROW(reader.at("big").as_int(), Error);
  EXPECT_THROW(reader.at("negative").as_uint(), Error);
  EXPECT_THROW(reader.at("negative").as_bool(), Error);
  EXPECT_THROW(reader.at("floats").as_ints(), Error);
  EXPECT_THROW(reader.at("floats").as_float(), Error);
  EXPECT_THROW(reader.at("floats").as_strings(), Error);
  EXPECT_THROW(reader.at("flags").as_floats(), Error);
  EXPECT_THAT(reader.at("flags").as_ints(), ElementsAre(1, 0));
  EXPECT_EQ(reader.at("negative").as_float(), -1.0);
}

}  // namespace
}  // namespace hearth::gguf
