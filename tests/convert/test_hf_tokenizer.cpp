// Tokenizers of checkpoints: that they cut texts as the files say, wherever a file says it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "engine/convert/convert.h"
#include "gguf/reader.h"
#include "tests/support/checkpoint_builder.h"
#include "tests/support/temp_dir.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/vocab_gguf.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using test::CheckpointBuilder;
using testing::ElementsAre;
using testing::HasSubstr;

class HfTokenizer : public testing::Test {
 protected:
  /// A Llama of one layer with `rows` embeddings; with the tokenizer that the folder has.
  gguf::Reader convert(std::uint64_t rows, const std::string& type = "llama") {
    CheckpointBuilder made(folder_);
    made.add("model.embed_tokens.weight", {rows, 8});
    made.add("model.norm.weight", {8});
    const std::string layer = "model.layers.0.";
    for (const char* name : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
      made.add(layer + "self_attn." + name + ".weight", {8, 8});
    }
    for (const char* name : {"gate_proj", "up_proj", "down_proj"}) {
      made.add(layer + "mlp." + name + ".weight", {8, 8});
    }
    made.add(layer + "input_layernorm.weight", {8});
    made.add(layer + "post_attention_layernorm.weight", {8});
    made.file("config.json", Json{{"model_type", type},
                                  {"hidden_size", 8},
                                  {"num_hidden_layers", 1},
                                  {"num_attention_heads", 2},
                                  {"intermediate_size", 8},
                                  {"max_position_embeddings", 64},
                                  {"rms_norm_eps", 1e-6},
                                  {"eos_token_id", {2, 1}}}
                                 .dump());
    made.finish();
    convert_checkpoint(folder_, out_, {});
    return gguf::Reader::open(out_);
  }

  std::string error(std::uint64_t rows) {
    try {
      convert(rows);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  void file(const std::string& name, const std::string& text) const {
    CheckpointBuilder(folder_).file(name, text);
  }

  /// Bytes a, b, c and ab, and whatever else is wished.
  static Json byte_level(const Json& more = Json::object()) {
    Json whole = {{"model",
                   {{"type", "BPE"},
                    {"vocab", {{"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}}},
                    {"merges", {"a b"}}}}};
    whole.update(more);
    return whole;
  }

  test::TempDir dir_;
  fs::path folder_ = dir_ / "checkpoint";
  fs::path out_ = dir_ / "out.gguf";
};

/// Pieces in the order of their scores: every two of them whose joint text is one may be joined.
struct Pieces {
  std::vector<SentencePiece> all;
  std::vector<std::string> merges;
};

Pieces random_pieces() {
  Pieces made;
  made.all = {{"<unk>", 0, 2}, {"<s>", 0, 3}, {"</s>", 0, 3}};
  for (int i = 0; i < 256; ++i) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", i);
    made.all.push_back({text, 0, 6});
  }
  std::vector<std::string> texts = {"\u2581", "a", "b", "c", "\uac00"};
  std::mt19937 random(5);
  float score = -1000;
  for (const std::string& text : texts) made.all.push_back({text, score--, 1});
  const auto known = [&](const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  };
  for (float rank = 0; rank < 60;) {
    const std::string text = texts[random() % texts.size()] + texts[random() % texts.size()];
    if (known(text) || text.size() > 12) continue;
    texts.push_back(text);
    made.all.push_back({text, -rank++, 1});
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      if (!known(text.substr(0, cut)) || !known(text.substr(cut))) continue;
      made.merges.push_back(text.substr(0, cut) + " " + text.substr(cut));
    }
  }
  return made;
}

TEST_F(HfTokenizer, OfSentencePieceIsTheSameFromEitherFile) {
  const Pieces pieces = random_pieces();
  const std::uint64_t n = pieces.all.size();
  Json vocab = Json::object();
  for (const SentencePiece& piece : pieces.all) vocab[piece.text] = vocab.size();
  const Json added = Json::parse(R"([{"id":0,"content":"<unk>","special":true},)"
                                 R"({"id":1,"content":"<s>","special":true},)"
                                 R"({"id":2,"content":"</s>","special":true}])");
  file("tokenizer.json", Json{{"model",
                               {{"type", "BPE"},
                                {"byte_fallback", true},
                                {"unk_token", "<unk>"},
                                {"vocab", vocab},
                                {"merges", pieces.merges}}},
                              {"added_tokens", added},
                              {"normalizer",
                               {{"type", "Sequence"},
                                {"normalizers", {{{"type", "Prepend"}, {"prepend", "\u2581"}}}}}}}
                             .dump());
  file("tokenizer_config.json", R"({"bos_token":"<s>","eos_token":"</s>"})");
  const gguf::Reader of_json = convert(n);
  const auto from_json = Tokenizer::create(vocab_from_gguf(of_json));
  file("tokenizer.model", test::sentencepiece_model(pieces.all));
  const gguf::Reader of_model = convert(n);
  const auto from_model = Tokenizer::create(vocab_from_gguf(of_model));
  EXPECT_EQ(from_json->vocab().types, from_model->vocab().types);
  const std::vector<std::string> letters = {"a", "b", "c", " ", "\uac00", "\n", "\u20ac"};
  std::mt19937 random(9);
  for (int i = 0; i < 300; ++i) {
    std::string text;
    for (std::size_t j = random() % 24; j > 0; --j) text += letters[random() % letters.size()];
    ASSERT_EQ(from_json->encode(text), from_model->encode(text)) << text;
    ASSERT_EQ(from_json->decode(from_json->encode(text)), text);
  }
}

TEST_F(HfTokenizer, OfBytesCutsAsItsFileSays) {
  const std::string llama3 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
      R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
  std::string qwen = llama3;
  qwen.erase(qwen.find("{1,3}"), 5);
  const Json words = {{"type", "ByteLevel"}, {"add_prefix_space", false}};
  const Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  const Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  const auto split = [](const std::string& pattern) {
    return Json{{"type", "Split"},
                {"pattern", {{"Regex", pattern}}},
                {"behavior", "Isolated"},
                {"invert", false}};
  };
  const auto list = [](const std::vector<Json>& steps) {
    return Json{{"type", "Sequence"}, {"pretokenizers", steps}};
  };
  const std::vector<std::pair<Json, std::string>> known = {
      {words, "gpt-2"},
      {list({digits, words}), "smollm"},
      {list({split(llama3), bytes}), "llama-bpe"},
      {list({split(qwen), bytes}), "qwen2"}};
  for (const auto& [cut, name] : known) {
    file("tokenizer.json", byte_level({{"pre_tokenizer", cut}}).dump());
    EXPECT_EQ(convert(4).at("tokenizer.ggml.pre").as_string(), name);
  }
  file("tokenizer.json", byte_level({{"pre_tokenizer", list({split("[0-9]+"), bytes})}}).dump());
  EXPECT_THAT(error(4), testing::AllOf(HasSubstr("not known"), HasSubstr("[0-9]+")));
}

TEST_F(HfTokenizer, HasATokenForEveryRowAndNoOther) {
  file("tokenizer.json",
       byte_level({{"added_tokens", Json::parse(R"([{"id":4,"content":"<x>","special":true},)"
                                                R"({"id":9,"content":"<image>"}])")}})
           .dump());
  const Vocab vocab = vocab_from_gguf(convert(7));
  EXPECT_THAT(vocab.tokens, ElementsAre("a", "b", "c", "ab", "<x>", "[PAD5]", "[PAD6]"));
  EXPECT_EQ(vocab.type(4), TokenType::control);
  EXPECT_EQ(vocab.type(5), TokenType::unused);
  EXPECT_EQ(vocab.eos, 2);  // the first of config.json's, as tokenizer_config.json names none
}

TEST_F(HfTokenizer, TakesAddedTokensFromOlderFilesToo) {
  file("tokenizer.json", byte_level().dump());
  file("added_tokens.json", R"({"<|im_end|>": 5})");
  file(
      "tokenizer_config.json",
      R"({"added_tokens_decoder":{"4":{"content":"<x>","special":true}},"eos_token":"<|im_end|>"})");
  const Vocab vocab = vocab_from_gguf(convert(6));
  EXPECT_EQ(vocab.tokens[4], "<x>");
  EXPECT_EQ(vocab.tokens[5], "<|im_end|>");
  EXPECT_EQ(vocab.eos, 5);
}

TEST_F(HfTokenizer, PutsAroundATextWhatItsFileDoes) {
  file("tokenizer.json",
       byte_level({{"added_tokens", Json::parse(R"([{"id":4,"content":"<x>","special":true}])")},
                   {"post_processor", Json::parse(R"({"type":"Sequence","processors":[
                      {"type":"ByteLevel"},{"type":"TemplateProcessing","single":[
                      {"Sequence":{"id":"A"}},{"SpecialToken":{"id":"<x>"}}]}]})")}})
           .dump());
  EXPECT_THAT(Tokenizer::create(vocab_from_gguf(convert(5, "qwen2")))->encode("ab"),
              ElementsAre(3, 4));
}

TEST_F(HfTokenizer, HasItsChatTemplateWhereverItStands) {
  file("tokenizer.json", byte_level().dump());
  const auto found = [&] { return vocab_from_gguf(convert(4)).chat_template; };
  file("chat_template.json", R"({"chat_template":"beside"})");
  EXPECT_EQ(found(), "beside");
  file(
      "tokenizer_config.json",
      R"({"chat_template":[{"name":"tool_use","template":"t"},{"name":"default","template":"d"}]})");
  EXPECT_EQ(found(), "d");
  file("tokenizer_config.json", R"({"chat_template":"inside"})");
  EXPECT_EQ(found(), "inside");
  file("chat_template.jinja", "{{ messages }}");
  EXPECT_EQ(found(), "{{ messages }}");
}

}  // namespace
}  // namespace hearth
