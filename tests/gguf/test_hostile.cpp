// Files that are wrong on purpose, by name. Reader refuses each with an error that names the file,
// what is wrong, what was expected and what was found; check() finds the same rule broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"
#include "gguf/check.h"
#include "gguf/reader.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/largest_allocation.h"

namespace hearth::gguf {
namespace {

using test::Bytes;
using test::GgufBuilder;
using testing::HasSubstr;

constexpr std::uint64_t kHuge = std::uint64_t{1} << 63;
constexpr std::uint64_t kMost = ~std::uint64_t{0};

struct Hostile {
  const char* name;
  Rule rule;
  std::function<Bytes()> make;
  const char* says;  // in the error message
};

void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << hostile.name;
}

Bytes header(std::uint32_t version, std::uint64_t tensors, std::uint64_t entries) {
  return Bytes().raw("GGUF").u32(version).u64(tensors).u64(entries);
}

// A header, then an entry that ends where the caller wants; padding makes the counts plausible.
Bytes one_entry(const Bytes& entry, std::size_t padding = 0) {
  return header(3, 0, 1).raw(entry.data()).zeros(padding);
}

Bytes one_tensor(const std::vector<std::uint64_t>& dims, std::uint32_t type, std::uint64_t offset,
                 std::size_t data_bytes) {
  return GgufBuilder().tensor("w", dims, type, offset).data(std::string(data_bytes, 'x')).build();
}

Bytes two_tensors(std::uint64_t first, std::uint64_t first_elements, std::uint64_t second) {
  return GgufBuilder()
      .tensor("a", {first_elements}, 0, first)
      .tensor("b", {8}, 0, second)
      .data(std::string(256, 'x'))
      .build();
}

// An array of arrays of … of nothing, `depth` deep.
Bytes nested(int depth) {
  Bytes payload;
  for (int d = 1; d < depth; ++d) payload.u32(test::kArray).u64(1);
  payload.u32(test::kU8).u64(0);
  return GgufBuilder().entry("nested", test::kArray, payload).build();
}

Bytes vocabulary(const std::function<void(GgufBuilder&)>& rest) {
  GgufBuilder builder;
  builder.kv_str("general.architecture", "llama").kv_strings("tokenizer.ggml.tokens", {"a", "b"});
  rest(builder);
  return builder.build();
}

Bytes raw(std::string_view text) {
  return Bytes().raw(text);
}

const std::vector<Hostile> kHeaderCases = {
    {"EmptyFile", Rule::magic, [] { return Bytes(); }, "the file is empty"},
    {"TextFile", Rule::magic, [] { return raw("hello, world"); }, "got 'hell'"},
    {"MagicOnlyHalf", Rule::magic, [] { return raw("GG"); }, "got 'GG'"},
    {"OldGgjt", Rule::magic, [] { return raw("tjgg\x03..."); }, "the format before GGUF"},
    {"ZipArchive", Rule::magic, [] { return raw("PK\x03\x04...."); }, "PyTorch"},
    {"GitLfsPointer", Rule::magic, [] { return raw("version https://git-lfs.github.com/spec/v1"); },
     "git lfs pull"},
    {"WebPage", Rule::magic, [] { return raw("<!DOCTYPE html>"); }, "a web page"},
    {"Safetensors", Rule::magic, [] { return Bytes().u64(64).raw("{\"weight\""); }, "safetensors"},
    {"BigEndian", Rule::byte_order, [] { return header(0x03000000, 0, 0); }, "big-endian"},
    {"BigEndianVersion2", Rule::byte_order, [] { return header(0x02000000, 0, 0); }, "big-endian"},
    {"Version0", Rule::version, [] { return header(0, 0, 0); }, "got 0"},
    {"Version1", Rule::version, [] { return header(1, 0, 0); }, "version 1 is no longer read"},
    {"Version4", Rule::version, [] { return header(4, 0, 0); }, "got 4"},
    {"EndsInVersion", Rule::truncated, [] { return raw("GGUF\x03"); }, "ends in the version"},
    {"EndsInTensorCount", Rule::truncated, [] { return raw("GGUF").u32(3).u32(0); },
     "ends in the number of tensors"},
    {"EndsInEntryCount", Rule::truncated, [] { return raw("GGUF").u32(3).u64(0).u8(0); },
     "ends in the number of metadata entries"},
    {"TensorCount2To63", Rule::count, [] { return header(3, kHuge, 0).zeros(99); },
     "the number of tensors is too large for the file"},
    {"TensorCountAllOnes", Rule::count, [] { return header(3, kMost, 0).zeros(99); },
     "got 18446744073709551615"},
    {"EntryCount2To63", Rule::count, [] { return header(3, 0, kHuge).zeros(99); },
     "the number of metadata entries is too large for the file"},
    {"CountsFitAloneButNotTogether", Rule::count, [] { return header(3, 5, 8).zeros(130); },
     "5 tensors and 8 entries"},
};

const std::vector<Hostile> kMetadataCases = {
    {"EndsInKeyLength", Rule::truncated,
     [] { return GgufBuilder().kv_str("k", "0123456789").claim_metadata(2).build().zeros(5); },
     "ends in the key of metadata entry 2 of 2"},
    {"KeyLength2To63", Rule::string_length, [] { return one_entry(Bytes().u64(kHuge), 20); },
     "got 9223372036854775808"},
    {"KeyOneByteTooLong", Rule::string_length,
     [] { return one_entry(Bytes().u64(7).raw("012345")); }, "at most 6 bytes, got 7"},
    {"KeyEmpty", Rule::key_length, [] { return GgufBuilder().kv_str("", "x").build(); }, "got 0"},
    {"KeyOf65536Bytes", Rule::key_length,
     [] { return GgufBuilder().kv_str(std::string(65536, 'k'), "x").build(); }, "got 65536"},
    {"KeyNotUtf8", Rule::key_utf8, [] { return GgufBuilder().kv_str("a\xC3(", "x").build(); },
     "not UTF-8 at its byte 1"},
    {"KeyTwice", Rule::key_duplicate,
     [] { return GgufBuilder().kv_str("k", "1").kv_str("l", "2").kv_str("k", "3").build(); },
     "'k' stands twice"},
    {"ValueType13", Rule::value_type,
     [] { return GgufBuilder().kv<std::uint32_t>("k", 13, 0).build(); }, "got 13"},
    {"ValueTypeAllOnes", Rule::value_type,
     [] { return GgufBuilder().kv<std::uint32_t>("k", 0xFFFFFFFFu, 0).build(); }, "got 4294967295"},
    {"EndsInValueType", Rule::truncated, [] { return one_entry(Bytes().str("0123456").u8(8)); },
     "ends in the type of metadata key '0123456'"},
    {"EndsInValue", Rule::truncated,
     [] { return one_entry(Bytes().str("k").u32(test::kF64).u32(0)); },
     "ends in the value of metadata key 'k'"},
    {"StringLengthAllOnes", Rule::string_length,
     [] { return one_entry(Bytes().str("k").u32(test::kString).u64(kMost)); },
     "got 18446744073709551615"},
    {"StringOneByteTooLong", Rule::string_length,
     [] { return one_entry(Bytes().str("k").u32(test::kString).u64(4).raw("abc")); },
     "at most 3 bytes, got 4"},
    {"StringNotUtf8", Rule::value_utf8,
     [] { return GgufBuilder().kv_str("general.name", "caf\xE9").build(); },
     "'general.name' is not UTF-8 at its byte 3"},
    {"StringWithSurrogate", Rule::value_utf8,
     [] { return GgufBuilder().kv_str("general.name", "\xED\xA0\x80").build(); }, "not UTF-8"},
    {"StringInArrayNotUtf8", Rule::value_utf8,
     [] {
       return GgufBuilder().kv_strings("general.tags", {"ok", "\xFF"}).build();
     },
     "not UTF-8"},
    {"BoolOf2", Rule::value_bool,
     [] { return GgufBuilder().kv<std::uint8_t>("k", test::kBool, 2).build(); }, "0 or 1, got 2"},
    {"BoolOf255InArray", Rule::value_bool,
     [] {
       return GgufBuilder().kv_array<std::uint8_t>("k", test::kBool, {0, 1, 255}).build();
     },
     "got 255"},
    {"ArrayElementType13", Rule::value_type,
     [] { return GgufBuilder().kv_array<std::uint32_t>("k", 13, {0}).build(); }, "got 13"},
    {"EndsInArrayType", Rule::truncated,
     [] { return one_entry(Bytes().str("k").u32(test::kArray).u8(4)); }, "the type of"},
    {"EndsInArrayCount", Rule::truncated,
     [] { return one_entry(Bytes().str("k").u32(test::kArray).u32(test::kU8).u32(0)); },
     "the number of elements of"},
    {"ArrayCount2To63", Rule::count,
     [] { return one_entry(Bytes().str("k").u32(test::kArray).u32(test::kU8).u64(kHuge)); },
     "got 9223372036854775808"},
    {"ArrayBytesOverflow", Rule::count,  // 2^61 elements of 8 bytes are 2^64 bytes
     [] {
       return one_entry(Bytes().str("k").u32(test::kArray).u32(test::kU64).u64(kHuge / 4), 64);
     },
     "got 2305843009213693952"},
    {"ArrayOfStringsCountTooLarge", Rule::count,
     [] { return one_entry(Bytes().str("k").u32(test::kArray).u32(test::kString).u64(9), 64); },
     "at most 8, got 9"},
    {"ArrayOfArraysCountTooLarge", Rule::count,
     [] { return one_entry(Bytes().str("k").u32(test::kArray).u32(test::kArray).u64(6), 60); },
     "at most 5, got 6"},
    {"ArrayStringTooLong", Rule::string_length,
     [] {
       return one_entry(
           Bytes().str("k").u32(test::kArray).u32(test::kString).u64(1).u64(kHuge).zeros(8));
     },
     "got 9223372036854775808"},
    {"ArraysNine", Rule::array_depth, [] { return nested(9); }, "at most 8 levels"},
    {"ArraysTenThousand", Rule::array_depth, [] { return nested(10000); }, "at most 8 levels"},
    {"Alignment0", Rule::alignment,
     [] { return GgufBuilder().kv<std::uint32_t>("general.alignment", test::kU32, 0).build(); },
     "got the u32 0"},
    {"Alignment24", Rule::alignment,
     [] { return GgufBuilder().kv<std::uint32_t>("general.alignment", test::kU32, 24).build(); },
     "a power of two, got the u32 24"},
    {"AlignmentOfU64", Rule::alignment,
     [] { return GgufBuilder().kv<std::uint64_t>("general.alignment", test::kU64, 32).build(); },
     "got the u64 32"},
    {"AlignmentOfText", Rule::alignment,
     [] { return GgufBuilder().kv_str("general.alignment", "32").build(); }, "got the string '32'"},
    {"ArchitectureOfNumber", Rule::key_type,
     [] { return GgufBuilder().kv<std::uint32_t>("general.architecture", test::kU32, 1).build(); },
     "a string, got the u32 1"},
    {"BlockCountOfText", Rule::key_type,
     [] {
       return GgufBuilder()
           .kv_str("general.architecture", "llama")
           .kv_str("llama.block_count", "32")
           .build();
     },
     "'llama.block_count' has the wrong type"},
    {"BlockCountOfFloat", Rule::key_type,
     [] {
       return GgufBuilder()
           .kv_str("general.architecture", "llama")
           .kv<float>("llama.block_count", test::kF32, 2.0f)
           .build();
     },
     "an integer, got the f32 2"},
    {"PartOfASplitInMemory", Rule::split_part,
     [] { return GgufBuilder().kv<std::uint16_t>("split.count", test::kU16, 2).build(); },
     "cannot be read from memory"},
};

const std::vector<Hostile> kVocabularyCases = {
    {"TokensOfNumbers", Rule::key_type,
     [] { return GgufBuilder().kv_array<int>("tokenizer.ggml.tokens", test::kI32, {1}).build(); },
     "an array of strings, got an array of 1 i32"},
    {"TokensNoArray", Rule::key_type,
     [] { return GgufBuilder().kv_str("tokenizer.ggml.tokens", "a b c").build(); },
     "an array of strings, got the string"},
    {"ScoresOfIntegers", Rule::key_type,
     [] {
       return vocabulary([](GgufBuilder& b) {
         b.kv_array<std::int32_t>("tokenizer.ggml.scores", test::kI32, {1, 2});
       });
     },
     "an array of f32"},
    {"ScoresTooFew", Rule::tokenizer_lengths,
     [] {
       return vocabulary(
           [](GgufBuilder& b) { b.kv_array<float>("tokenizer.ggml.scores", test::kF32, {1}); });
     },
     "2 elements, one per token, got 1"},
    {"TokenTypesOfBytes", Rule::key_type,
     [] {
       return vocabulary([](GgufBuilder& b) {
         b.kv_array<std::uint8_t>("tokenizer.ggml.token_type", test::kU8, {1, 1});
       });
     },
     "an array of i32"},
    {"TokenTypesTooMany", Rule::tokenizer_lengths,
     [] {
       return vocabulary([](GgufBuilder& b) {
         b.kv_array<std::int32_t>("tokenizer.ggml.token_type", test::kI32, {1, 1, 1});
       });
     },
     "got 3"},
    {"MergesOfNumbers", Rule::key_type,
     [] {
       return vocabulary(
           [](GgufBuilder& b) { b.kv_array<float>("tokenizer.ggml.merges", test::kF32, {1}); });
     },
     "'tokenizer.ggml.merges' has the wrong type"},
    {"TokenIdOfText", Rule::key_type,
     [] {
       return vocabulary([](GgufBuilder& b) { b.kv_str("tokenizer.ggml.bos_token_id", "<s>"); });
     },
     "an integer, got the string '<s>'"},
};

const std::vector<Hostile> kTensorCases = {
    {"TensorNameLength2To63", Rule::string_length,
     [] { return header(3, 1, 0).u64(kHuge).zeros(40); },
     "the name of tensor 1 of 1 ends outside the file"},
    {"TensorNameEmpty", Rule::tensor_name_length,
     [] { return GgufBuilder().tensor("", {1}, 0, 0).data("xxxx").build(); }, "got 0"},
    {"TensorNameOf65Bytes", Rule::tensor_name_length,
     [] { return GgufBuilder().tensor(std::string(65, 'n'), {1}, 0, 0).data("xxxx").build(); },
     "1 to 64 bytes, got 65"},
    {"TensorNameNotUtf8", Rule::tensor_name_utf8,
     [] { return GgufBuilder().tensor("w\x80", {1}, 0, 0).data("xxxx").build(); }, "not UTF-8"},
    {"TensorNameTwice", Rule::tensor_name_duplicate,
     [] {
       return GgufBuilder()
           .tensor("w", {8}, 0, 0)
           .tensor("w", {8}, 0, 32)
           .data(std::string(64, 'x'))
           .build();
     },
     "tensor 'w' stands twice"},
    {"EndsInDimensionCount", Rule::truncated,
     [] { return header(3, 1, 0).str("a-name-of-enough-bytes").u8(1); },
     "the number of dimensions of tensor"},
    {"EndsInDimensions", Rule::truncated,
     [] { return header(3, 1, 0).str("w").u32(4).u64(1).u64(1); }, "the dimensions of tensor 'w'"},
    {"EndsInTensorType", Rule::truncated,
     [] { return header(3, 1, 0).str("weight").u32(1).u64(1).u8(0); },
     "the type of tensor 'weight'"},
    {"EndsInTensorOffset", Rule::truncated,
     [] { return header(3, 1, 0).str("w").u32(1).u64(1).u32(0).u32(0); },
     "the offset of tensor 'w'"},
    {"FiveDimensions", Rule::tensor_dims,
     [] {
       return one_tensor({1, 1, 1, 1, 1}, 0, 0, 4);
     },
     "at most 4, got 5"},
    {"FourBillionDimensions", Rule::tensor_dims,
     [] { return header(3, 1, 0).str("w").u32(0xFFFFFFFFu).zeros(64); }, "got 4294967295"},
    {"DimensionOf0", Rule::tensor_dims,
     [] {
       return one_tensor({4, 0}, 0, 0, 64);
     },
     "a dimension of 0"},
    {"ElementsOverflow64Bits", Rule::tensor_size,
     [] {
       return one_tensor({1ull << 32, 1ull << 32}, 0, 0, 64);
     },
     "too many elements"},
    {"ElementsOverflowToOne", Rule::tensor_size,  // (2^63+1) * … wraps to something small
     [] {
       return one_tensor({kHuge + 1, 2}, 0, 0, 64);
     },
     "too many elements"},
    {"ElementsOf2To63", Rule::tensor_size, [] { return one_tensor({kHuge}, 0, 0, 64); },
     "less than 2^63"},
    {"BytesOverflow64Bits", Rule::tensor_size, [] { return one_tensor({kHuge / 4}, 28, 0, 64); },
     "too many bytes"},
    {"RemovedType4", Rule::tensor_type, [] { return one_tensor({32}, 4, 0, 64); }, "got 4"},
    {"RemovedType31", Rule::tensor_type, [] { return one_tensor({32}, 31, 0, 64); }, "got 31"},
    {"TypeAllOnes", Rule::tensor_type, [] { return one_tensor({32}, 0xFFFFFFFFu, 0, 64); },
     "got 4294967295"},
    {"RowOf31InBlocksOf32", Rule::tensor_row,
     [] {
       return one_tensor({31, 2}, 8, 0, 96);
     },
     "cannot be Q8_0; expected rows of a multiple of 32 elements, got 31"},
    {"RowOf128InBlocksOf256", Rule::tensor_row,
     [] {
       return one_tensor({128, 2}, 12, 0, 256);
     },
     "cannot be Q4_K"},
    {"OffsetMisaligned", Rule::tensor_offset, [] { return one_tensor({1}, 0, 4, 64); },
     "a multiple of 32, got 4"},
    {"OffsetMisalignedForTheFile", Rule::tensor_offset,
     [] {
       GgufBuilder builder;
       builder.alignment = 64;
       return builder.kv<std::uint32_t>("general.alignment", test::kU32, 64)
           .tensor("w", {1}, 0, 32)
           .data(std::string(64, 'x'))
           .build();
     },
     "a multiple of 64, got 32"},
    {"OffsetBeyondTheFile", Rule::tensor_bounds, [] { return one_tensor({1}, 0, 4096, 64); },
     "lies outside the file"},
    {"OffsetWrapsAround", Rule::tensor_bounds, [] { return one_tensor({8}, 0, kMost - 31, 64); },
     "lies outside the file"},
    {"DataOneByteShort", Rule::tensor_bounds, [] { return one_tensor({16}, 0, 0, 63); },
     "64 bytes inside the 63 bytes"},
    {"DataMissing", Rule::tensor_bounds, [] { return one_tensor({16}, 0, 0, 0); },
     "is the download complete?"},
    {"TensorsAtTheSameOffset", Rule::tensor_overlap, [] { return two_tensors(0, 8, 0); },
     "tensor 'b' overlaps tensor 'a'"},
    {"TensorsOverlapByHalf", Rule::tensor_overlap, [] { return two_tensors(0, 16, 32); },
     "'b' overlaps tensor 'a'"},
    {"TensorsOverlapAgainstTheirOrder", Rule::tensor_overlap, [] { return two_tensors(64, 8, 64); },
     "overlaps"},
    {"TensorInsideAnother", Rule::tensor_overlap, [] { return two_tensors(0, 64, 96); },
     "'b' overlaps tensor 'a'"},
};

std::vector<Hostile> all_cases() {
  std::vector<Hostile> all;
  for (const auto* cases : {&kHeaderCases, &kMetadataCases, &kVocabularyCases, &kTensorCases})
    all.insert(all.end(), cases->begin(), cases->end());
  return all;
}

class HostileFile : public testing::TestWithParam<Hostile> {};

TEST_P(HostileFile, IsRefusedWithAClearError) {
  const Hostile& hostile = GetParam();
  const Bytes file = hostile.make();
  try {
    Reader::from_bytes(file.bytes(), "hostile.gguf");
    FAIL() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.parts().where, "hostile.gguf");
    EXPECT_NE(error.parts().what, "");
    EXPECT_NE(error.parts().expected, "") << error.what();
    EXPECT_NE(error.parts().got, "") << error.what();
    EXPECT_THAT(error.what(), HasSubstr(hostile.says));
  }
  const CheckReport report = check_bytes(file.bytes(), "hostile.gguf");
  EXPECT_TRUE(std::any_of(report.findings.begin(), report.findings.end(),
                          [&](const Finding& f) { return f.rule == hostile.rule; }))
      << "no finding of rule " << rule_info(hostile.rule).name;
  for (const Finding& finding : report.findings) EXPECT_LE(finding.offset, file.size());
}

TEST_P(HostileFile, AllocatesNoMoreThanItsSizeJustifies) {
  const Bytes file = GetParam().make();
  test::reset_largest_allocation();
  check_bytes(file.bytes(), "hostile.gguf");
  EXPECT_LE(test::largest_allocation(), 16 * file.size() + 4096);
}

INSTANTIATE_TEST_SUITE_P(All, HostileFile, testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param.name; });

// Rules that a file may break and still be used.
struct Odd {
  const char* name;
  Rule rule;
  std::function<Bytes()> make;
};

const std::vector<Odd> kOddCases = {
    {"NoArchitecture", Rule::key_missing, [] { return GgufBuilder().build(); }},
    {"QuantisedWithoutVersion", Rule::key_missing, [] { return one_tensor({32}, 8, 0, 34); }},
    {"KeyNotAscii", Rule::key_ascii, [] { return GgufBuilder().kv_str("schlüssel", "x").build(); }},
    {"NameOfNumber", Rule::key_info_type,
     [] { return GgufBuilder().kv<std::uint32_t>("general.name", test::kU32, 7).build(); }},
    {"ParentNameOfNumber", Rule::key_info_type,
     [] {
       return GgufBuilder().kv<std::uint32_t>("general.base_model.0.name", test::kU32, 7).build();
     }},
    {"Alignment4", Rule::alignment_multiple,
     [] { return GgufBuilder().kv<std::uint32_t>("general.alignment", test::kU32, 4).build(); }},
    {"TokenIdOutside", Rule::token_id,
     [] {
       return vocabulary([](GgufBuilder& b) {
         b.kv<std::uint32_t>("tokenizer.ggml.padding_token_id", test::kU32, 2);
       });
     }},
};

TEST(OddFile, IsOpenedAndReportedAsHarmless) {
  for (const Odd& odd : kOddCases) {
    const Bytes file = odd.make();
    EXPECT_NO_THROW(Reader::from_bytes(file.bytes(), "odd.gguf")) << odd.name;
    bool found = false;
    for (const Finding& finding : check_bytes(file.bytes(), "odd.gguf").findings) {
      EXPECT_TRUE(rule_info(finding.rule).harmless) << odd.name << ": " << finding.what;
      found = found || finding.rule == odd.rule;
    }
    EXPECT_TRUE(found) << odd.name;
  }
}

TEST(Rules, EveryOneHasACaseThatBreaksIt) {
  // Those that need several files: tests/gguf/test_split.cpp.
  std::set<Rule> broken = {Rule::split_missing, Rule::split_count};
  for (const Hostile& hostile : all_cases()) broken.insert(hostile.rule);
  for (const Odd& odd : kOddCases) broken.insert(odd.rule);
  for (const RuleInfo& info : all_rules()) EXPECT_TRUE(broken.count(info.rule)) << info.name;
}

TEST(Rules, StandInTheOrderOfTheirNumbers) {
  for (std::size_t i = 0; i < all_rules().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(all_rules()[i].rule), i);
    EXPECT_EQ(&rule_info(all_rules()[i].rule), &all_rules()[i]);
  }
}

TEST(Check, CountsMoreViolationsThanItLists) {
  GgufBuilder builder;
  for (int i = 0; i < 1500; ++i) builder.kv<std::uint8_t>("k", test::kBool, 7);
  const CheckReport report = check_bytes(builder.build().bytes(), "x");
  EXPECT_EQ(report.findings.size(), kMaxFindings);
  EXPECT_EQ(report.total, 1500u + 1499u + 1u);  // bools, repeated keys, no architecture
}

// A small file with every kind of field, of which no byte is superfluous.
Bytes complete_file() {
  Bytes payload;
  payload.u32(test::kArray).u64(2);
  payload.u32(test::kU16).u64(1).put<std::uint16_t>(9);
  payload.u32(test::kString).u64(1).str("inner");
  return GgufBuilder()
      .kv_str("general.architecture", "llama")
      .kv<std::uint32_t>("general.alignment", test::kU32, 32)
      .kv<std::uint32_t>("general.quantization_version", test::kU32, 2)
      .kv<double>("llama.rope.freq_base", test::kF64, 10000.0)
      .kv<std::uint8_t>("llama.attention.causal", test::kBool, 1)
      .kv_strings("tokenizer.ggml.tokens", {"a", "b\xFF"})
      .kv_array<float>("tokenizer.ggml.scores", test::kF32, {0, -1})
      .entry("nested", test::kArray, payload)
      .tensor("token_embd.weight", {32, 2}, 8, 0)
      .tensor("output_norm.weight", {4}, 0, 96)
      .data(std::string(96 + 16, 'x'))
      .build();
}

// Reads everything that a reader offers.
std::size_t walk(const Reader& reader) {
  std::size_t sum = 0;
  for (const Entry& entry : reader.metadata()) {
    sum += entry.key.size() + entry.value.describe().size();
    if (entry.value.is_array()) sum += entry.value.as_values().size();
  }
  for (const Tensor& tensor : reader.tensors()) {
    for (const std::byte b : tensor.data) sum += static_cast<std::size_t>(b);
  }
  return sum;
}

TEST(Truncation, AtEveryByteIsAnError) {
  const std::string file = complete_file().data();
  for (std::size_t n = 0; n < file.size(); ++n) {
    // A copy of its own size, so that a sanitizer sees every step beyond the end.
    const std::vector<char> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n));
    const auto bytes = std::as_bytes(std::span(cut));
    EXPECT_THROW(Reader::from_bytes(bytes, "cut.gguf"), Error) << n << " of " << file.size();
    EXPECT_FALSE(check_bytes(bytes, "cut.gguf").ok()) << n << " of " << file.size();
  }
  const auto whole = std::as_bytes(std::span(file.data(), file.size()));
  EXPECT_GT(walk(Reader::from_bytes(whole, "whole.gguf")), 0u);
  EXPECT_TRUE(check_bytes(whole, "whole.gguf").ok());
}

TEST(Damage, OfAnyOneByteIsAnErrorOrAReadableFile) {
  const std::string file = complete_file().data();
  std::size_t opened = 0;
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF, file[i] ^ 1}) {
      std::vector<char> damaged(file.begin(), file.end());
      damaged[i] = static_cast<char>(value);
      const auto bytes = std::as_bytes(std::span(damaged));
      check_bytes(bytes, "damaged.gguf");
      try {
        opened += walk(Reader::from_bytes(bytes, "damaged.gguf")) > 0;
      } catch (const Error& error) {
        EXPECT_EQ(error.parts().where, "damaged.gguf");
      }
    }
  }
  EXPECT_GT(opened, 0u);
}

}  // namespace
}  // namespace hearth::gguf
