// Any bytes through every kind of tokenizer, and any metadata through the vocabulary reader.
// The last byte of the input chooses between them.
#include <fuzzer/FuzzedDataProvider.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gguf/reader.h"
#include "gguf/writer.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/space_mark.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"

namespace {

using hearth::TokenId;
using hearth::Tokenizer;
using hearth::TokenType;
using hearth::Vocab;

void add(Vocab& vocab, std::string text, TokenType type = TokenType::normal, float score = 0) {
  vocab.tokens.push_back(std::move(text));
  vocab.types.push_back(type);
  vocab.scores.push_back(score);
}

// The tokens that all small vocabularies share: ids 0 to 3.
void add_special_tokens(Vocab& vocab) {
  add(vocab, "<unk>", TokenType::unknown);
  add(vocab, "<s>", TokenType::control);
  add(vocab, "</s>", TokenType::control);
  add(vocab, "<t>", TokenType::user_defined);
  vocab.unk = 0;
  vocab.bos = 1;
  vocab.eos = vocab.sep = 2;
  vocab.add_bos = true;
}

Vocab sentencepiece_vocab(bool space_prefix) {
  Vocab vocab;
  vocab.kind = hearth::TokenizerKind::sentencepiece;
  add_special_tokens(vocab);
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (unsigned byte = 0; byte < 256; ++byte)
    add(vocab, {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'}, TokenType::byte);
  float score = 0;
  for (const char* text :
       {"▁", "a", "b", "ab", "▁a", "▁ab", "aa", "aaaa", "▁▁", "a▁", "한", "é", "éa", "b▁a", "\xFF"})
    add(vocab, text, TokenType::normal, score -= 1);
  vocab.add_space_prefix = space_prefix;
  return vocab;
}

Vocab bpe_vocab(const char* pre) {
  Vocab vocab;
  vocab.kind = hearth::TokenizerKind::bpe;
  vocab.pre = pre;
  add_special_tokens(vocab);
  for (int byte = 0; byte < 256; ++byte)
    add(vocab, std::string(hearth::byte_to_char(static_cast<unsigned char>(byte))));
  const std::array<std::array<const char*, 2>, 6> merges = {
      {{"a", "b"}, {"Ġ", "a"}, {"Ġ", "ab"}, {"a", "a"}, {"aa", "aa"}, {"Ã", "©"}}};
  for (const auto& [left, right] : merges) {
    add(vocab, std::string(left) + right);
    vocab.merges.push_back(std::string(left) + " " + right);
  }
  return vocab;
}

Vocab wordpiece_vocab() {
  Vocab vocab;
  vocab.kind = hearth::TokenizerKind::wordpiece;
  add_special_tokens(vocab);
  for (const char* text : {"▁a", "▁ab", "b", "ba", "▁,", "▁한", "▁e", "\u1161"}) add(vocab, text);
  vocab.add_sep = true;
  return vocab;
}

Vocab unigram_vocab() {
  Vocab vocab;
  vocab.kind = hearth::TokenizerKind::unigram;
  add_special_tokens(vocab);
  float score = 0;
  for (const char* text : {"▁", "a", "b", "ab", "▁a", "aba", "한", "▁한a", "\xED"})
    add(vocab, text, TokenType::normal, score -= 1);
  vocab.add_space_prefix = vocab.remove_extra_whitespaces = true;
  return vocab;
}

void check(bool condition) {
  if (!condition) __builtin_trap();
}

// What must hold for any tokenizer and any text. Returns the ids.
std::vector<TokenId> encode_and_check(const Tokenizer& tokenizer, std::string_view text,
                                      hearth::EncodeOptions encoding,
                                      hearth::DecodeOptions decoding) {
  const std::vector<TokenId> ids = tokenizer.encode(text, encoding);
  for (const TokenId id : ids) check(id >= 0 && id < tokenizer.n_tokens());
  const std::string whole = tokenizer.decode(ids, decoding);
  if (!decoding.clean_up_spaces) {
    hearth::StreamDecoder stream(tokenizer, decoding);
    std::string streamed;
    for (const TokenId id : ids) streamed += stream.push(id);
    check(streamed + stream.finish() == whole);
  }
  return ids;
}

void fuzz_text(FuzzedDataProvider& data) {
  static const auto* tokenizers = new std::array<std::unique_ptr<Tokenizer>, 8>{
      Tokenizer::create(sentencepiece_vocab(false)), Tokenizer::create(sentencepiece_vocab(true)),
      Tokenizer::create(bpe_vocab("gpt-2")),         Tokenizer::create(bpe_vocab("llama-bpe")),
      Tokenizer::create(bpe_vocab("deepseek-v3")),   Tokenizer::create(bpe_vocab("tekken")),
      Tokenizer::create(wordpiece_vocab()),          Tokenizer::create(unigram_vocab())};
  const Tokenizer& tokenizer =
      *(*tokenizers)[data.ConsumeIntegralInRange<std::size_t>(0, tokenizers->size() - 1)];
  hearth::EncodeOptions encoding;
  encoding.add_special = data.ConsumeBool();
  encoding.parse_special = data.ConsumeBool();
  encoding.repeat_bos = data.ConsumeBool();
  hearth::DecodeOptions decoding;
  decoding.render_special = data.ConsumeBool();
  decoding.continues_text = data.ConsumeBool();
  decoding.clean_up_spaces = data.ConsumeBool();
  const std::string text = data.ConsumeRemainingBytesAsString();
  encode_and_check(tokenizer, text, encoding, decoding);

  // Vocabularies that have every byte lose nothing, but that they write the mark as a space (and
  // add one behind special tokens where they add one in front of the text).
  const hearth::TokenizerKind kind = tokenizer.vocab().kind;
  if (kind == hearth::TokenizerKind::wordpiece || kind == hearth::TokenizerKind::unigram) return;
  if (tokenizer.vocab().add_space_prefix && text.find("<t>") != std::string::npos) return;
  const bool marks = kind == hearth::TokenizerKind::sentencepiece;
  check(tokenizer.decode(tokenizer.encode(text)) == (marks ? hearth::unmark_spaces(text) : text));
}

// A GGUF file whose tokenizer keys are the input's.
hearth::gguf::Writer fuzzed_file(FuzzedDataProvider& data) {
  hearth::gguf::Writer file;
  file.set("tokenizer.ggml.model",
           data.PickValueInArray({"llama", "gpt2", "bert", "gemma4", "t5", "rwkv"}));
  file.set("tokenizer.ggml.pre",
           data.PickValueInArray({"default", "llama-bpe", "qwen2", "jina-v2-de", "nonsense"}));
  file.set("general.name", data.PickValueInArray({"", "Phi-3 mini", "modern-bert"}));
  const auto n = data.ConsumeIntegralInRange<std::size_t>(0, 40);
  std::vector<std::string> tokens, merges;
  std::vector<float> scores;
  std::vector<std::int32_t> types;
  for (std::size_t i = 0; i < n; ++i) {
    tokens.push_back(data.ConsumeRandomLengthString(12));
    scores.push_back(data.ConsumeFloatingPoint<float>());
    types.push_back(data.ConsumeIntegralInRange<std::int32_t>(-1, 8));
  }
  for (auto k = data.ConsumeIntegralInRange<std::size_t>(0, 20); k > 0; --k)
    merges.push_back(data.ConsumeRandomLengthString(12));
  file.set_array("tokenizer.ggml.tokens", tokens);
  if (data.ConsumeBool()) file.set_array("tokenizer.ggml.scores", scores);
  if (data.ConsumeBool()) file.set_array("tokenizer.ggml.token_type", types);
  if (data.ConsumeBool()) file.set_array("tokenizer.ggml.merges", merges);
  for (const char* key :
       {"bos", "eos", "eot", "eom", "unknown", "seperator", "padding", "mask", "cls", "fim_pad"}) {
    if (data.ConsumeBool())
      file.set("tokenizer.ggml." + std::string(key) + "_token_id",
               data.ConsumeIntegralInRange<std::int32_t>(-2, 45));
  }
  for (const char* key :
       {"add_bos_token", "add_eos_token", "add_sep_token", "add_space_prefix",
        "remove_extra_whitespaces", "normalizer.lowercase", "normalizer.strip_accents"}) {
    if (data.ConsumeBool()) file.set("tokenizer.ggml." + std::string(key), data.ConsumeBool());
  }
  return file;
}

void fuzz_vocabulary(FuzzedDataProvider& data) {
  try {
    const std::vector<std::byte> bytes = fuzzed_file(data).to_bytes();
    const auto reader = hearth::gguf::Reader::from_bytes(bytes, "fuzz.gguf");
    const auto tokenizer = Tokenizer::create(hearth::vocab_from_gguf(reader));
    const bool parse = data.ConsumeBool();
    const bool render = data.ConsumeBool();
    encode_and_check(*tokenizer, data.ConsumeRemainingBytesAsString(), {.parse_special = parse},
                     {.render_special = render});
  } catch (const hearth::Error&) {
    // a file may be refused; it may not crash
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  if (data.ConsumeBool()) {
    fuzz_text(data);
  } else {
    fuzz_vocabulary(data);
  }
  return 0;
}
