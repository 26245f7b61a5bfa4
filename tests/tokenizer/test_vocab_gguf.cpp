#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "gguf/reader.h"
#include "tests/support/gguf_builder.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

using test::GgufBuilder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A file with `model` and `tokens`, to which a test adds what it is about.
GgufBuilder file(std::string_view model, const std::vector<std::string>& tokens) {
  GgufBuilder builder;
  builder.kv_str("tokenizer.ggml.model", model).kv_strings("tokenizer.ggml.tokens", tokens);
  return builder;
}

GgufBuilder bpe_file(const std::vector<std::string>& tokens) {
  GgufBuilder builder = file("gpt2", tokens);
  builder.kv_strings("tokenizer.ggml.merges", {"a b"});
  return builder;
}

GgufBuilder& types(GgufBuilder& builder, const std::vector<std::int32_t>& values) {
  return builder.kv_array("tokenizer.ggml.token_type", test::kI32, values);
}

Vocab read(const GgufBuilder& builder) {
  const test::Bytes bytes = builder.build();
  return vocab_from_gguf(gguf::Reader::from_bytes(bytes.bytes(), "test.gguf"));
}

std::string error_of(const GgufBuilder& builder) {
  try {
    read(builder);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

const std::vector<std::string> kThree = {"<unk>", "<s>", "</s>"};

TEST(VocabGguf, SentencepieceHasDefaultsThatFilesLeaveOut) {
  const Vocab vocab = read(file("llama", kThree));
  EXPECT_EQ(vocab.kind, TokenizerKind::sentencepiece);
  EXPECT_EQ(vocab.unk, 0);
  EXPECT_EQ(vocab.bos, 1);
  EXPECT_EQ(vocab.eos, 2);
  EXPECT_EQ(vocab.pad, kNoToken);
  EXPECT_TRUE(vocab.add_bos);
  EXPECT_FALSE(vocab.add_eos);
  EXPECT_TRUE(vocab.add_space_prefix);
  EXPECT_FALSE(vocab.clean_up_spaces);
  EXPECT_THAT(vocab.scores, IsEmpty());
  EXPECT_EQ(vocab.type(1), TokenType::normal);
  EXPECT_EQ(vocab.chat_template, "");
}

TEST(VocabGguf, TheFileDecidesWhatItStates) {
  auto builder = file("llama", {"a", "b", "c", "d"});
  builder.kv_array<float>("tokenizer.ggml.scores", test::kF32, {0, -1, -2.5f, -3})
      .kv<std::uint32_t>("tokenizer.ggml.bos_token_id", test::kU32, 3)
      .kv<std::uint32_t>("tokenizer.ggml.eos_token_id", test::kU32, 2)
      .kv<std::uint32_t>("tokenizer.ggml.padding_token_id", test::kU32, 1)
      .kv<std::uint8_t>("tokenizer.ggml.add_bos_token", test::kBool, 0)
      .kv<std::uint8_t>("tokenizer.ggml.add_eos_token", test::kBool, 1)
      .kv<std::uint8_t>("tokenizer.ggml.add_space_prefix", test::kBool, 0)
      .kv_str("tokenizer.chat_template", "{{ messages }}");
  const Vocab vocab = read(types(builder, {2, 1, 3, 4}));
  EXPECT_EQ(vocab.bos, 3);
  EXPECT_EQ(vocab.eos, 2);
  EXPECT_EQ(vocab.pad, 1);
  EXPECT_FALSE(vocab.add_bos);
  EXPECT_TRUE(vocab.add_eos);
  EXPECT_FALSE(vocab.add_space_prefix);
  EXPECT_EQ(vocab.chat_template, "{{ messages }}");
  EXPECT_THAT(vocab.scores, ElementsAre(0, -1, -2.5f, -3));
  EXPECT_THAT(vocab.types, ElementsAre(TokenType::unknown, TokenType::normal, TokenType::control,
                                       TokenType::user_defined));
  EXPECT_THAT(vocab.end_of_generation, ElementsAre(2));
}

TEST(VocabGguf, ByteLevelBpeAddsBosOnlyWhereThePreTokenizerMeansIt) {
  const auto with_pre = [](const char* pre) {
    auto builder = bpe_file({"a", "b", "ab"});
    builder.kv<std::uint32_t>("tokenizer.ggml.bos_token_id", test::kU32, 0);
    if (pre) builder.kv_str("tokenizer.ggml.pre", pre);
    return read(builder);
  };
  EXPECT_EQ(with_pre(nullptr).pre, "default");
  EXPECT_FALSE(with_pre(nullptr).add_bos);
  EXPECT_FALSE(with_pre("qwen2").add_bos);
  EXPECT_TRUE(with_pre("llama-bpe").add_bos);
  EXPECT_TRUE(with_pre("tekken").add_bos);
  EXPECT_THAT(with_pre("llama-bpe").merges, ElementsAre("a b"));
  EXPECT_FALSE(with_pre("llama-bpe").add_space_prefix);
}

TEST(VocabGguf, APreTokenizerWithoutABosTokenAddsNone) {
  auto builder = bpe_file({"a", "b"});
  builder.kv_str("tokenizer.ggml.pre", "llama-bpe");
  EXPECT_FALSE(read(builder).add_bos);
}

TEST(VocabGguf, WordPieceIsFramedByClsAndSep) {
  auto builder = file("bert", {"[PAD]", "[UNK]", "[CLS]", "[SEP]"});
  builder.kv<std::uint32_t>("tokenizer.ggml.unknown_token_id", test::kU32, 1)
      .kv<std::uint32_t>("tokenizer.ggml.cls_token_id", test::kU32, 2)
      .kv<std::uint32_t>("tokenizer.ggml.seperator_token_id", test::kU32, 3)
      .kv<std::uint8_t>("tokenizer.ggml.normalizer.lowercase", test::kBool, 0);
  const Vocab vocab = read(builder);
  EXPECT_EQ(vocab.kind, TokenizerKind::wordpiece);
  EXPECT_EQ(vocab.bos, 2);
  EXPECT_EQ(vocab.sep, 3);
  EXPECT_TRUE(vocab.add_bos && vocab.add_sep);
  EXPECT_FALSE(vocab.lowercase || vocab.strip_accents);
  EXPECT_TRUE(vocab.first_of_decomposition);
}

TEST(VocabGguf, UnigramTakesItsNormalisationFromTheFile) {
  auto builder = file("t5", {"<pad>", "</s>", "<unk>", "a"});
  builder.kv<std::uint8_t>("tokenizer.ggml.add_space_prefix", test::kBool, 1)
      .kv<std::uint8_t>("tokenizer.ggml.remove_extra_whitespaces", test::kBool, 1)
      .kv_array<std::int8_t>("tokenizer.ggml.precompiled_charsmap", test::kI8, {4, 0, 0, 0, -1});
  const Vocab vocab = read(builder);
  EXPECT_EQ(vocab.kind, TokenizerKind::unigram);
  EXPECT_TRUE(vocab.add_eos && vocab.add_space_prefix && vocab.remove_extra_whitespaces);
  EXPECT_FALSE(vocab.add_bos);
  EXPECT_EQ(vocab.eos, 1);
  EXPECT_EQ(vocab.unk, 2);
  EXPECT_EQ(vocab.charsmap, std::string("\x04\0\0\0\xFF", 5));
  auto wrong = file("t5", {"<pad>", "</s>", "<unk>", "a"});
  wrong.kv_str("tokenizer.ggml.precompiled_charsmap", "text");
  EXPECT_THAT(error_of(wrong), HasSubstr("precompiled_charsmap"));
}

TEST(VocabGguf, FindsTheEndOfATurnByItsText) {
  auto builder = bpe_file({"a", "<|im_end|>", "<|endoftext|>", "<|eom_id|>", "b"});
  builder.kv<std::uint32_t>("tokenizer.ggml.eos_token_id", test::kU32, 4);
  const Vocab vocab = read(builder);
  EXPECT_EQ(vocab.eot, 1);
  EXPECT_EQ(vocab.eom, 3);
  EXPECT_THAT(vocab.end_of_generation, ElementsAre(1, 2, 3, 4));
  // Files that call them normal are mistaken.
  EXPECT_THAT(vocab.types, ElementsAre(TokenType::normal, TokenType::control, TokenType::control,
                                       TokenType::control, TokenType::normal));
}

TEST(VocabGguf, AnEotIdOfTheFileComesFirst) {
  auto builder = bpe_file({"a", "<|im_end|>", "b"});
  builder.kv<std::uint32_t>("tokenizer.ggml.eot_token_id", test::kU32, 2);
  const Vocab vocab = read(builder);
  EXPECT_EQ(vocab.eot, 2);
  EXPECT_THAT(vocab.end_of_generation, ElementsAre(1, 2));
}

TEST(VocabGguf, FillInTheMiddleTokensAreControlTokens) {
  auto builder = bpe_file({"<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>", "x"});
  const Vocab vocab = read(builder);
  for (TokenId id = 0; id < 4; ++id) EXPECT_EQ(vocab.type(id), TokenType::control) << id;
  EXPECT_EQ(vocab.type(4), TokenType::normal);
  EXPECT_THAT(vocab.end_of_generation, ElementsAre(3));
}

TEST(VocabGguf, GptOssShowsItsChannelsAndDoesNotEndAtEnd) {
  auto builder = bpe_file({"<|end|>", "<|return|>", "<|call|>", "<|channel|>", "<|message|>"});
  const Vocab vocab = read(types(builder, {3, 3, 3, 3, 3}));
  EXPECT_THAT(vocab.end_of_generation, ElementsAre(1, 2));
  EXPECT_EQ(vocab.type(0), TokenType::user_defined);
  EXPECT_EQ(vocab.type(3), TokenType::user_defined);
  EXPECT_EQ(vocab.type(4), TokenType::user_defined);
}

TEST(VocabGguf, PhiThreeSwallowsWhiteSpaceBehindItsSpecialTokens) {
  auto builder = file("llama", {"<unk>", "<s>", "</s>", "<|endoftext|>", "<|user|>", "a"});
  builder.kv_str("general.name", "Phi3");
  const Vocab vocab = read(types(builder, {2, 3, 4, 3, 3, 1}));
  EXPECT_THAT(vocab.strip_right, ElementsAre(2, 4));
  EXPECT_THAT(vocab.strip_left, IsEmpty());
}

TEST(VocabGguf, RefusesWhatCannotBeMeant) {
  EXPECT_THAT(error_of(GgufBuilder()), HasSubstr("tokenizer.ggml.model"));
  EXPECT_THAT(error_of(file("rwkv", kThree)), HasSubstr("\"rwkv\""));
  EXPECT_THAT(error_of(file("llama", {})), HasSubstr("tokenizer.ggml.tokens"));
  GgufBuilder no_tokens;
  no_tokens.kv_str("tokenizer.ggml.model", "llama");
  EXPECT_THAT(error_of(no_tokens), HasSubstr("tokenizer.ggml.tokens"));
  EXPECT_THAT(
      error_of(file("llama", kThree).kv_array<float>("tokenizer.ggml.scores", test::kF32, {1, 2})),
      HasSubstr("tokenizer.ggml.scores"));
  auto short_types = file("llama", kThree);
  EXPECT_THAT(error_of(types(short_types, {1, 1})), HasSubstr("tokenizer.ggml.token_type"));
  for (const char* key : {"bos", "eos", "eot", "eom", "unknown", "seperator"}) {
    const std::string full = "tokenizer.ggml." + std::string(key) + "_token_id";
    EXPECT_THAT(error_of(file("llama", kThree).kv<std::uint32_t>(full, test::kU32, 3)),
                HasSubstr(full));
  }
  EXPECT_THAT(error_of(file("gpt2", kThree)), HasSubstr("tokenizer.ggml.merges"));
  auto unknown_pre = bpe_file(kThree);
  EXPECT_THAT(error_of(unknown_pre.kv_str("tokenizer.ggml.pre", "no-such-name")),
              HasSubstr("no-such-name"));
}

TEST(VocabGguf, ToleratesWhatFilesInTheWildHave) {
  // A padding id of -1, and a type that later versions of the format might have.
  auto builder = file("llama", {"<unk>", "<s>", "</s>", "a"});
  builder.kv<std::uint32_t>("tokenizer.ggml.padding_token_id", test::kU32, 0xFFFFFFFF);
  const Vocab vocab = read(types(builder, {2, 3, 77, 77}));
  EXPECT_EQ(vocab.pad, kNoToken);
  EXPECT_THAT(vocab.types, ElementsAre(TokenType::unknown, TokenType::control, TokenType::control,
                                       TokenType::undefined));
}

}  // namespace
}  // namespace hearth
