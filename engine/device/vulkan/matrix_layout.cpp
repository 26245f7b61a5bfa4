#include "engine/device/vulkan/matrix_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/quant_blocks.h"
#include "kernels/scalar/block_integers.h"

namespace hearth::vulkan {
namespace {

using kernels::scalar::BlockIntegers;
using kernels::scalar::read_block;
using kernels::scalar::ReadBlock;

/// Bytes of a block that go into a plane as they are.
struct Part {
  std::uint32_t offset = 0;
  std::uint32_t bytes = 0;
};

/// A type's layout: bits of a code in planes 0 and 1, what goes into planes 2 and 3.
struct TypeRow {
  QuantType type;
  std::uint32_t low_bits;
  std::uint32_t high_bits;
  Part scales;
  Part block_scale;
  ReadBlock read = nullptr;               // nullptr: elements as they are
  int bias = 0;                           // a code is the block's integer plus this
  const std::int8_t* codebook = nullptr;  // or its place in this list of sixteen
};

constexpr TypeRow kTypes[] = {
    {QuantType::F32, 32, 0, {}, {}},
    {QuantType::F16, 16, 0, {}, {}},
    {QuantType::BF16, 16, 0, {}, {}},
    {QuantType::Q4_0, 4, 0, {}, {0, 2}, read_block<QuantType::Q4_0>, 8},
    {QuantType::Q4_1, 4, 0, {}, {0, 4}, read_block<QuantType::Q4_1>},
    {QuantType::Q5_0, 4, 1, {}, {0, 2}, read_block<QuantType::Q5_0>, 16},
    {QuantType::Q5_1, 4, 1, {}, {0, 4}, read_block<QuantType::Q5_1>},
    {QuantType::Q8_0, 8, 0, {}, {0, 2}, read_block<QuantType::Q8_0>},
    {QuantType::Q2_K, 2, 0, {0, 16}, {80, 4}, read_block<QuantType::Q2_K>},
    {QuantType::Q3_K, 2, 1, {96, 12}, {108, 2}, read_block<QuantType::Q3_K>, 4},
    {QuantType::Q4_K, 4, 0, {0, 16}, {}, read_block<QuantType::Q4_K>},
    {QuantType::Q5_K, 4, 1, {0, 16}, {}, read_block<QuantType::Q5_K>},
    {QuantType::Q6_K, 4, 2, {192, 16}, {208, 2}, read_block<QuantType::Q6_K>, 32},
    {QuantType::IQ4_NL, 4, 0, {}, {0, 2}, read_block<QuantType::IQ4_NL>, 0, kIq4Values},
    {QuantType::IQ4_XS, 4, 0, {0, 8}, {}, read_block<QuantType::IQ4_XS>, 0, kIq4Values},
    {QuantType::MXFP4, 4, 0, {}, {0, 1}, read_block<QuantType::MXFP4>, 0, kE2M1Doubled},
};

const TypeRow* find_row(QuantType type) {
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const TypeRow& row) { return row.type == type; });
  return found == std::end(kTypes) ? nullptr : found;
}

std::uint32_t plane_words(std::int64_t bits) {
  const std::int64_t vectors = (bits + 127) / 128;
  return static_cast<std::uint32_t>(4 * vectors);
}

/// Adds `value` of `bits` bits as the i-th of its plane's row, whose words are zero so far.
void put_bits(std::uint32_t* words, std::int64_t i, std::uint32_t bits, std::uint32_t value) {
  const std::int64_t at = i * bits;
  words[at / 32] |= value << (at % 32);
}

std::uint32_t code_of(const TypeRow& row, int q) {
  if (!row.codebook) return static_cast<std::uint32_t>(q + row.bias) & 255U;
  const auto* found = std::find(row.codebook, row.codebook + 16, q);
  return static_cast<std::uint32_t>(found - row.codebook);
}

/// Where the i-th code of a block is. Bytes stand as masks give them from nibbles: of eight the
/// even ones, then the odd ones.
std::int64_t place_of(const TypeRow& row, int i) {
  return row.low_bits == 8 ? i / 8 * 8 + i % 8 / 2 + i % 2 * 4 : i;
}

void pack_block(const TypeRow& row, std::int64_t block, const std::byte* bytes,
                const std::array<std::uint32_t*, kPlanes>& planes) {
  BlockIntegers integers;
  row.read(bytes, integers);
  const std::uint32_t low_mask = (1U << row.low_bits) - 1U;
  for (int i = 0; i < integers.n; ++i) {
    const std::uint32_t code = code_of(row, integers.q[i]);
    const std::int64_t at = block * integers.n + place_of(row, i);
    put_bits(planes[0], at, row.low_bits, code & low_mask);
    if (row.high_bits > 0) put_bits(planes[1], at, row.high_bits, code >> row.low_bits);
  }
  const auto copy = [&](const Part& part, std::uint32_t* plane) {
    if (part.bytes == 0) return;
    std::memcpy(reinterpret_cast<std::byte*>(plane) + block * part.bytes, bytes + part.offset,
                part.bytes);
  };
  copy(row.scales, planes[2]);
  copy(row.block_scale, planes[3]);
}

}  // namespace

bool has_layout(QuantType type) {
  return find_row(type) != nullptr;
}

MatrixLayout lay_out(QuantType type, std::int64_t rows, std::int64_t columns,
                     std::uint64_t max_binding) {
  const TypeRow* row = find_row(type);
  HEARTH_CHECK(row != nullptr);
  const std::int64_t wide = (columns + kUnit - 1) / kUnit * kUnit;
  const std::int64_t blocks = columns / quant_type_info(type).block_elements;
  MatrixLayout layout;
  layout.row_words = {plane_words(wide * row->low_bits), plane_words(wide * row->high_bits),
                      plane_words(8 * blocks * row->scales.bytes),
                      plane_words(8 * blocks * row->block_scale.bytes)};
  std::uint64_t row_bytes_here = 0;
  for (const std::uint32_t words : layout.row_words) row_bytes_here += 4 * words;
  const auto most = static_cast<std::int64_t>(max_binding / row_bytes_here);
  if (most == 0) {
    throw Error(Error::Parts{
        .where = "Vulkan",
        .what = "a row of a matrix is larger than what a shader of this device can see of a buffer",
        .expected = fmt::format("at most {} bytes", max_binding),
        .got = fmt::format("{}", row_bytes_here)});
  }
  for (std::int64_t first = 0; first < rows; first += most) {
    MatrixSlice slice{.first_row = first, .end_row = std::min(rows, first + most)};
    const auto n = static_cast<std::uint32_t>(slice.end_row - first);
    std::uint32_t at = 0;
    for (std::size_t p = 0; p < kPlanes; ++p) {
      slice.plane_at[p] = at;
      at += n * layout.row_words[p];
    }
    slice.bytes = std::uint64_t{4} * at;
    layout.slices.push_back(slice);
  }
  return layout;
}

void pack_row(QuantType type, std::int64_t columns, const std::byte* row,
              const MatrixLayout& layout, const std::array<std::uint32_t*, kPlanes>& planes) {
  const TypeRow& rules = *find_row(type);
  for (std::size_t p = 0; p < kPlanes; ++p) std::fill_n(planes[p], layout.row_words[p], 0U);
  const QuantTypeInfo& info = quant_type_info(type);
  if (!rules.read) {
    std::memcpy(planes[0], row, row_bytes(info, static_cast<std::size_t>(columns)));
    return;
  }
  for (std::int64_t block = 0; block < columns / info.block_elements; ++block) {
    pack_block(rules, block, row + block * info.block_bytes, planes);
  }
}

}  // namespace hearth::vulkan
