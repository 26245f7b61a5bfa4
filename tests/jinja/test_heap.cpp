#include <gtest/gtest.h>

#include <string>

#include "tokenizer/jinja/heap.h"

namespace hearth::jinja {
namespace {

TEST(Heap, AppendingToTheLatestTextExtendsItInPlace) {
  Heap heap;
  std::string expected(1000, 'a');
  std::string_view text = heap.append(expected, "b");
  expected += 'b';
  const std::string_view before = text;
  text = heap.append(text, "cd");
  expected += "cd";
  EXPECT_EQ(text, expected);
  EXPECT_EQ(text.data(), before.data());
  EXPECT_EQ(before, expected.substr(0, 1001)) << "the older text keeps its length";
}

TEST(Heap, AppendingTwiceToOneTextGivesTwoTexts) {
  Heap heap;
  const std::string_view text = heap.append(std::string(1000, 'a'), "b");
  const std::string_view first = heap.append(text, "x");
  const std::string_view second = heap.append(text, "y");
  EXPECT_EQ(first.back(), 'x');
  EXPECT_EQ(second.back(), 'y');
}

TEST(Heap, BuildingATextPieceByPieceTakesLinearMemory) {
  Heap heap;
  std::string_view text;
  for (int i = 0; i < 100'000; ++i) text = heap.append(text, "0123456789");
  EXPECT_EQ(text.size(), 1'000'000U);
  EXPECT_LT(heap.bytes(), 8U << 20);
}

TEST(Heap, KeepsAlignmentBehindOddTexts) {
  Heap heap;
  for (int i = 1; i < 50; ++i) {
    heap.copy(std::string(static_cast<std::size_t>(i), 'x'));
    const auto* number = heap.make<double>(1.5);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(number) % alignof(double), 0U);
    EXPECT_EQ(*number, 1.5);
  }
}

}  // namespace
}  // namespace hearth::jinja
