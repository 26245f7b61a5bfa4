#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "gguf/reader.h"
#include "gguf/writer.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/temp_dir.h"

namespace hearth::gguf {
namespace {

using test::Bytes;
using test::GgufBuilder;
using testing::ElementsAre;
using testing::HasSubstr;

using Dims = std::vector<std::uint64_t>;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Writer, WritesTheBytesOfTheFormatDocument) {
  Writer writer;
  writer.set("general.architecture", "toy");
  writer.set("toy.block_count", std::uint32_t{2});
  writer.set("toy.scale", 0.25f);
  writer.set("toy.flag", true);
  writer.set_array("toy.list", std::vector<std::int32_t>{-1, 5});
  writer.set_array("toy.names", std::vector<std::string>{"a", "bc"});
  writer.add_tensor("t", QuantType::F32, Dims{2, 1}, bytes_of("12345678"));
  writer.add_tensor("u", QuantType::F32, Dims{1}, bytes_of("abcd"));
  const Bytes expected = GgufBuilder()
                             .kv_str("general.architecture", "toy")
                             .kv<std::uint32_t>("toy.block_count", test::kU32, 2)
                             .kv<float>("toy.scale", test::kF32, 0.25f)
                             .kv<std::uint8_t>("toy.flag", test::kBool, 1)
                             .kv_array<std::int32_t>("toy.list", test::kI32, {-1, 5})
                             .kv_strings("toy.names", {"a", "bc"})
                             .tensor("t", {2, 1}, 0, 0)
                             .tensor("u", {1}, 0, 32)
                             .data("12345678" + std::string(24, '\0'))
                             .data("abcd" + std::string(28, '\0'))
                             .build();
  EXPECT_EQ(text_of(writer.to_bytes()), expected.data());
  EXPECT_EQ(writer.file_bytes(), expected.size());
}

TEST(Writer, NestedArraysComeBack) {
  Writer writer;
  ArrayBuilder inner(ValueType::i16);
  inner.add(std::int16_t{7}).add(std::int16_t{-7});
  ArrayBuilder words(ValueType::string);
  words.add("x").add("y");
  ArrayBuilder outer(ValueType::array);
  outer.add(inner).add(words).add(ArrayBuilder(ValueType::f64));
  writer.set("nested", outer);
  const auto bytes = writer.to_bytes();
  const Reader reader = Reader::from_bytes(bytes, "nested");
  const auto values = reader.at("nested").as_values();
  ASSERT_EQ(values.size(), 3u);
  EXPECT_THAT(values[0].as_ints(), ElementsAre(7, -7));
  EXPECT_THAT(values[1].as_strings(), ElementsAre("x", "y"));
  EXPECT_EQ(values[2].element_type(), ValueType::f64);
  EXPECT_EQ(values[2].count(), 0u);
}

TEST(Writer, SettingAgainReplacesInPlaceAndRemoveRemoves) {
  Writer writer;
  writer.set("a", std::uint32_t{1});
  writer.set("b", "two");
  writer.set("c", true);
  writer.set("a", "one");
  writer.remove("b");
  writer.set("c", false);
  writer.remove("never there");
  const auto bytes = writer.to_bytes();
  const Reader reader = Reader::from_bytes(bytes, "x");
  ASSERT_EQ(reader.metadata().size(), 2u);
  EXPECT_EQ(reader.metadata()[0].key, "a");
  EXPECT_EQ(reader.at("a").as_string(), "one");
  EXPECT_FALSE(reader.at("c").as_bool());
}

TEST(Writer, TheAlignmentKeyIsObeyed) {
  Writer writer;
  writer.set("general.alignment", std::uint32_t{64});
  writer.add_tensor("t", QuantType::F32, Dims{1}, bytes_of("1234"));
  writer.add_tensor("u", QuantType::F32, Dims{1}, bytes_of("5678"));
  const auto bytes = writer.to_bytes();
  const Reader reader = Reader::from_bytes(bytes, "x");
  EXPECT_EQ(reader.alignment(), 64u);
  EXPECT_EQ(reader.tensors()[0].offset % 64, 0u);
  EXPECT_EQ(reader.tensors()[1].offset, reader.tensors()[0].offset + 64);
  EXPECT_EQ(text_of(reader.tensors()[1].data), "5678");
}

TEST(Writer, ACopyOfAFileIsTheSameFile) {
  const Bytes file = GgufBuilder()
                         .kv_str("general.architecture", "toy")
                         .kv<std::uint64_t>("n", test::kU64, 1ull << 63)
                         .kv_strings("names", {"p", ""})
                         .tensor("q", {32}, 8, 0)
                         .tensor("r", {}, 0, 64)
                         .data(std::string(34, 'q') + std::string(30, '\0'))
                         .data("rrrr" + std::string(28, '\0'))
                         .build();
  const Reader reader = Reader::from_bytes(file.bytes(), "x");
  Writer writer;
  writer.copy_metadata(reader);
  for (const Tensor& tensor : reader.tensors()) writer.add_tensor(tensor);
  EXPECT_EQ(text_of(writer.to_bytes()), file.data());
}

TEST(Writer, AsksForTensorDataOneAtATimeAndInOrder) {
  Writer writer;
  std::vector<std::byte> buffer;  // one for all tensors, as a quantiser would have
  std::string asked;
  for (const char name : {'a', 'b', 'c'}) {
    writer.add_tensor(std::string(1, name), QuantType::I8, Dims{3},
                      [&buffer, &asked, name]() -> std::span<const std::byte> {
                        asked += name;
                        buffer.assign(3, static_cast<std::byte>(name));
                        return buffer;
                      });
  }
  const auto bytes = writer.to_bytes();
  const Reader reader = Reader::from_bytes(bytes, "x");
  EXPECT_EQ(asked, "abc");
  EXPECT_EQ(text_of(reader.find_tensor("b")->data), "bbb");
}

TEST(Writer, WritesFilesAndReportsBytes) {
  const test::TempDir dir;
  Writer writer;
  writer.set("general.architecture", "toy");
  writer.add_tensor("t", QuantType::F32, Dims{2}, bytes_of("12345678"));
  std::uint64_t last = 0;
  std::uint64_t total = 0;
  writer.write(dir / "out.gguf", [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
    return true;
  });
  EXPECT_EQ(last, total);
  EXPECT_EQ(total, std::filesystem::file_size(dir / "out.gguf"));
  EXPECT_EQ(text_of(Reader::open(dir / "out.gguf").tensors()[0].data), "12345678");
}

TEST(Writer, CancellingLeavesNoFile) {
  const test::TempDir dir;
  Writer writer;
  writer.add_tensor("t", QuantType::F32, Dims{1}, bytes_of("1234"));
  EXPECT_THROW(writer.write(dir / "out.gguf", [](std::uint64_t, std::uint64_t) { return false; }),
               Cancelled);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(Writer, RefusesWhatAReaderWouldRefuse) {
  const auto refuses = [](const std::string& message, const auto& fill) {
    Writer writer;
    fill(writer);
    try {
      writer.to_bytes();
      ADD_FAILURE() << "wrote a file, should say: " << message;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  const auto one = bytes_of("1234");
  refuses("stands twice", [&](Writer& w) {
    w.add_tensor("t", QuantType::F32, Dims{1}, one);
    w.add_tensor("t", QuantType::F32, Dims{1}, one);
  });
  refuses("bad length",
          [&](Writer& w) { w.add_tensor(std::string(65, 'n'), QuantType::F32, Dims{1}, one); });
  refuses("cannot be Q8_0", [&](Writer& w) { w.add_tensor("t", QuantType::Q8_0, Dims{31}, one); });
  refuses("dimension of 0", [&](Writer& w) { w.add_tensor("t", QuantType::F32, Dims{0}, one); });
  refuses("too many dimensions", [&](Writer& w) {
    w.add_tensor("t", QuantType::F32, Dims{1, 1, 1, 1, 1}, one);
  });
  refuses("general.alignment is not usable",
          [&](Writer& w) { w.set("general.alignment", std::uint32_t{24}); });
  refuses("not UTF-8", [&](Writer& w) { w.set("name", "\xFF"); });
}

}  // namespace
}  // namespace hearth::gguf
